"""What `yilu traces` says of trace files: for people in zh or en, and for programs."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.forms import Language
from api.study.inspection import PASTE, inspection_lines
from geo.traces import Inspection, TraceFormat, inspect_file, paste_table, trace_files

if TYPE_CHECKING:
    from geo.streets import StreetNetwork

__all__ = ["inspect_paths", "print_inspection", "record_of"]


def inspect_paths(
    paths: Sequence[Path], trace_format: TraceFormat, network: "StreetNetwork | None"
) -> list[tuple[Path, Inspection]]:
    """Look at each file; folders and patterns are opened."""
    return [(path, inspect_file(path, trace_format, network)) for path in trace_files(paths)]


def record_of(path: Path, found: Inspection) -> dict[str, Any]:
    """Return what was found as figures and words for programs; values stand in it by shape only."""
    look = dataclasses.asdict(dataclasses.replace(found.look, form=None, times=(), said=""))
    del look["form"], look["times"], look["said"]
    rest = {
        field.name: getattr(found, field.name)
        for field in dataclasses.fields(found)
        if field.name not in ("look", "hints")
    }
    return {
        **look,
        "problem": found.look.problem,
        **rest,
        "hints": list(found.hints),
        "table": paste_table(path, found),
    }


def print_inspection(path: Path, found: Inspection, language: Language) -> None:
    """Print what was found about one file."""
    click.echo(found.look.file)
    for label, value in inspection_lines(found, language):
        click.echo(f"  {label}: {value}")
    click.echo(f"  {PASTE[language]}")
    click.echo("".join(f"    {line}\n" for line in paste_table(path, found, language).split("\n")))
