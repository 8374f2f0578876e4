"""The inspector of trace files: what each is, what came of every row, and the table to paste into a study."""

import functools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.traces.datum_evidence import detect_datum, moving_steps
from geo.traces.files.found import find_files
from geo.traces.files.hints import hints_of
from geo.traces.files.look import FileLook, look_at
from geo.traces.formats import TraceFormat
from geo.traces.points import Traces
from geo.traces.read import files_with_formats, map_traces
from geo.traces.times import local_offset_s, zone

if TYPE_CHECKING:
    from geo.streets.network import StreetNetwork

__all__ = ["Inspection", "check_headers", "inspect_file", "paste_table", "trace_files"]

_DAY_S: Final = 86_400
_SAMPLED: Final = 200_000


@dataclass(frozen=True, slots=True)
class Inspection:
    """One file, read to its end."""

    look: FileLook
    read: int = 0
    accepted: int = 0
    rejected: Mapping[str, int] | None = None
    riders: int = 0
    days: int = 0
    median_interval_s: float | None = None
    datum_evidence: str = ""
    datum: str | None = None
    """What the streets say, where that is clear."""
    inside_share: float | None = None
    """Share of the points with a position that lie on the map, if one was given."""
    hints: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()


def _figures(traces: Traces, where: ZoneInfo) -> tuple[int, set[int], list[NDArray[np.int64]], Traces]:
    steps = np.diff(traces.t_s)[np.diff(traces.rider) == 0]
    offset = local_offset_s(traces.t_s, where)
    days = set(np.unique((traces.t_s + offset) // _DAY_S).tolist())
    return len(traces.pseudonyms), days, [steps[:_SAMPLED]], traces


def inspect_file(path: Path, trace_format: TraceFormat, network: "StreetNetwork | None" = None) -> Inspection:
    """Say what a trace file is and what came of its rows.

    Parameters
    ----------
    path
        One file.
    trace_format
        What is known of it already; its datum is taken as said and only compared with the streets.
    network
        Streets of the city, for the evidence about the datum and the share of points on the map.
    """
    look = look_at(path, trace_format)
    form = replace(look.form or trace_format, datum="wgs84")
    if look.problem:
        return Inspection(look, hints=hints_of(path, form, list(look.times)))
    try:
        # Nothing of the pseudonyms is kept, so their key may be any.
        figures = functools.partial(_figures, where=zone(form.timezone or "UTC"))
        mapped = map_traces(path, form, figures, key=secrets.token_bytes(16))
    except InputError as error:
        return Inspection(replace(look, problem=str(error)), hints=hints_of(path, form, list(look.times)))
    account = mapped.accounts[0]
    days = set().union(*(value[1] for value in mapped.values))
    steps = [s for value in mapped.values for s in value[2]]
    joined = np.concatenate(steps) if steps else np.zeros(0)
    found = Inspection(
        look=look,
        read=account.read,
        accepted=account.accepted,
        rejected=dict(account.rejected),
        riders=sum(value[0] for value in mapped.values),
        days=len(days),
        median_interval_s=float(np.median(joined)) if len(joined) else None,
        hints=hints_of(path, form, list(look.times)),
        skipped=mapped.skipped,
    )
    if network is None or not account.accepted:
        return found
    return _with_map(found, [value[3] for value in mapped.values], network)


def _with_map(found: Inspection, parts: list[Traces], network: "StreetNetwork") -> Inspection:
    rider = np.concatenate([p.rider + 1_000_000 * i for i, p in enumerate(parts)]).astype(np.int64)
    t_s = np.concatenate([p.t_s for p in parts])
    lonlat = np.concatenate([p.lonlat for p in parts])
    west, south, east, north = network.bounds
    inside = (
        (lonlat[:, 0] >= west) & (lonlat[:, 0] <= east) & (lonlat[:, 1] >= south) & (lonlat[:, 1] <= north)
    )
    index, step_m = moving_steps(rider, t_s, lonlat)
    evidence = detect_datum(lonlat[index], network, step_m=step_m)
    return replace(
        found, datum=evidence.datum, datum_evidence=evidence.text, inside_share=float(inside.mean())
    )


def trace_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files meant by some paths: folders and patterns opened, as a study would."""
    return list(find_files(paths).files)


def check_headers(paths: Sequence[Path], trace_format: TraceFormat | Sequence[TraceFormat]) -> None:
    """Find every file and read the header of its table, so that work is not begun in vain.

    Raises
    ------
    InputError
        If a file is not there or its columns are not clear.
    """
    files, formats, _ = files_with_formats(paths, trace_format)
    for path, form in zip(files, formats, strict=True):
        problem = look_at(path, form).problem
        if problem:
            raise InputError(problem)


def paste_table(path: Path, found: Inspection) -> str:
    """Return the ``[[traces]]`` table of a file for a study; what has to be decided stands as a comment."""
    said = path.as_posix().replace("\\", "/").replace('"', '\\"')
    lines = ["[[traces]]", f'files = ["{said}"]']
    if found.datum is not None:
        lines.append(f'datum = "{found.datum}"')
    else:
        lines.append('datum = "auto"  # or as the platform says: wgs84, gcj02, bd09')
    lines += [f"{key} = {value}" for key, value in found.look.keys]
    if found.look.kind in ("gpx", "plt", "zip"):
        # Several files of one person must not become several riders by pasting.
        lines.append('# rider = "folder"  # or "{rider}_*.gpx", or "file": each file is another rider')
    units = [code for code in found.hints if code in ("e5", "e6", "e7", "ddmm")]
    lines += [f'# position_unit = "{unit}"' for unit in units]
    if found.look.problem:
        lines.append(f"# {found.look.problem}")
    return "\n".join(lines)
