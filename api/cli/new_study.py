"""A study file from what a city has: its traces, as the inspector sees them, and its map."""

import re
from collections.abc import Sequence
from pathlib import Path

from api.cli.inspector import inspect_paths
from api.study.studyfile.read import built_in
from geo.osm import read_osm
from geo.traces import TraceFormat, quoted_path, traces_tables

__all__ = ["study_text"]

_MAP_LINE = re.compile(r'^file = "city\.osm\.pbf" *', re.MULTILINE)
_TRACES = re.compile(r"^\[\[traces\]\]\n(?:(?!#).*\n)+", re.MULTILINE)
_ZONE = re.compile(r'^timezone = "[^"]*"', re.MULTILINE)


def study_text(
    file: Path, traces: Sequence[Path], map_file: Path | None, timezone: str, language: str = "en"
) -> str:
    """Return the text of a study file: the template, with what was found in its place.

    Parameters
    ----------
    file : Path
        Where it will be written; paths in it are relative to its folder.
    traces : sequence of Path
        Trace files, folders and patterns; none: the traces are left to be filled in.
    map_file : Path, optional
        Map of the city, which also tells the datum of the traces.
    timezone : str
        IANA zone of the city.
    language : str
        ``zh`` or ``en``: that of the comments.

    Raises
    ------
    InputError
        If the map cannot be read, or there are no traces where they should be.
    """
    folder = file.resolve().parent
    template = built_in("template.zh" if language == "zh" else "template").read_text("utf-8")
    text = _ZONE.sub(lambda _: f'timezone = "{timezone}"', template, count=1)
    trace_format = TraceFormat(datum="auto", timezone=timezone)
    network = None if map_file is None else read_osm(map_file)[0]
    if map_file is not None:
        name = quoted_path(map_file, folder)
        text = _MAP_LINE.sub(lambda _: f"file = {name}  ", text, count=1)
    if traces:
        tables = traces_tables(inspect_paths(traces, trace_format, network), traces, folder, language)
        text = _TRACES.sub(lambda _: tables + "\n", text, count=1)
    return text
