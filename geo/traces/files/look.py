"""What a file is: its layout, its columns, its times, its riders, as far as the file itself tells."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Final

import numpy as np

from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.column_names import COLUMN_NAMES, KNOWN_LAYOUTS, declared_datum, folded
from geo.traces.files.batches import HDOP_M, as_numbers
from geo.traces.files.found import file_kind
from geo.traces.files.readers import open_file, open_table, shown_name
from geo.traces.files.tables.column_plans import OpenTable, TablePlan, first_rows, plans_for
from geo.traces.files.tables.columns import columns_by_values, known_layout, shown_row
from geo.traces.files.tables.delimited import CsvTable
from geo.traces.files.tables.shapes import shape_kind, shown_column
from geo.traces.formats import TraceFormat

__all__ = ["FileLook", "first_times", "guessed_columns", "look_at", "time_form_of"]

_TABLES: Final = ("csv", "xlsx", "json", "geojson")


@dataclass(frozen=True, slots=True)
class FileLook:
    """One file as its first rows show it; nothing here tells who a rider is, or where."""

    file: str
    kind: str
    layout: str = ""
    """Name of a published set that it looks like."""
    encoding: str = ""
    separator: str = ""
    header: bool = True
    title_lines: int = 0
    columns: tuple[tuple[str, str], ...] = ()
    """What each canonical column is called in the file."""
    others: tuple[str, ...] = ()
    """Columns that are not read."""
    alternatives: tuple[tuple[str, str], ...] = ()
    """Canonical columns and others that would fit, too."""
    time_form: str = ""
    rows: tuple[str, ...] = ()
    """By shape."""
    times: tuple[str, ...] = field(default=(), repr=False)
    """Some values of the column of times, for hints; not to be shown."""
    form: TraceFormat | None = None
    """How it would be read."""
    keys: tuple[tuple[str, str], ...] = ()
    """Keys of the study file that were needed, as they are written there."""
    accuracy_m: float | None = None
    """Median of what its first rows say of their accuracy, where a column does."""
    from_hdop: bool = False
    """Whether it is counted from HDOP, `geo.traces.files.batches.HDOP_M` metres for each unit."""
    datum: str | None = None
    """What the names of its columns say."""
    said: str | Sentence = field(default="", repr=False)
    """Why it cannot be read without a word more."""

    @property
    def problem(self) -> str:
        """The same in English."""
        return self.said if isinstance(self.said, str) else self.said.text()


def guessed_columns(row: Sequence[str]) -> dict[str, int] | None:
    """Return the positions of the columns of a file without header, where only one reading fits."""
    layout = known_layout(row)
    if layout is not None and len(set(layout.columns.values())) == len(layout.columns):
        return dict(layout.columns)
    kinds = [shape_kind(value) for value in row]
    times = [i for i, kind in enumerate(kinds) if kind in ("datetime", "epoch", "compact")]
    degrees = [i for i, kind in enumerate(kinds) if kind == "degrees"]
    riders = [i for i, kind in enumerate(kinds) if kind in ("whole", "text") and i not in times]
    if len(times) != 1 or len(degrees) != 2 or len(riders) != 1:
        return None
    first, second = (abs(float(row[i].replace(",", "."))) for i in degrees)
    if (first > 90) == (second > 90):
        return None
    lon, lat = degrees if first > 90 else degrees[::-1]
    return {"rider_id": riders[0] + 1, "time": times[0] + 1, "lon": lon + 1, "lat": lat + 1}


def time_form_of(texts: Sequence[str], kind: str) -> str:
    """Return the form of times in words, from values or the type of the column."""
    kinds = Counter(shape_kind(text) for text in texts)
    if not kinds:
        return kind
    most = kinds.most_common(1)[0][0]
    if most == "epoch":
        digits = Counter(len(t.strip().partition(".")[0]) for t in texts).most_common(1)[0][0]
        return {10: "epoch seconds", 13: "epoch milliseconds"}.get(digits, "epoch")
    return most


def _head_rows(stream: IO[bytes], trace_format: TraceFormat) -> list[list[str]]:
    """Return the first rows of a text file as if it had a column for each field."""
    free = replace(trace_format, columns={"lon": 1}, rider="file")
    try:
        return first_rows(CsvTable(stream, "", free))
    except InputError:
        return []


def look_at(path: Path, trace_format: TraceFormat) -> FileLook:
    """Say what a file is; what keeps it from being read stands in `said`.

    Parameters
    ----------
    path
        The file.
    trace_format
        What is known of it already.
    """
    name = shown_name(path, 0, trace_format)
    kind = file_kind(path) if trace_format.kind == "auto" else trace_format.kind
    if kind not in _TABLES:
        notes = {"gpx": "UTC", "plt": "UTC", "kml": "UTC", "nmea": "UTC"}
        return FileLook(name, str(kind), time_form=notes.get(str(kind), ""), form=trace_format)
    try:
        with open_file(path) as stream:
            content = io.BytesIO(stream.read(4_000_000)) if kind == "csv" else stream
            return _look(content, path, name, kind, trace_format)
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            return FileLook(name, kind, said=error.said)
        return FileLook(name, kind, said=Sentence.of("trace_unreadable", name=name, why=type(error).__name__))
    except InputError as error:
        return FileLook(name, kind, said=error.said)


def _look(stream: IO[bytes], path: Path, name: str, kind: str, form: TraceFormat) -> FileLook:
    keys: list[tuple[str, str]] = []
    problem: str | Sentence = ""
    layout = ""
    if kind == "csv" and not form.columns:
        form, layout, said = _with_positions(stream, form)
        keys += said
    try:
        table = open_table(stream, name, kind, form)
    except InputError as error:
        return FileLook(name, kind, layout, said=error.said)
    plan: TablePlan | None = None
    if table.header and not form.columns:
        form, said = _named_by_values(table, form)
        keys += said
    try:
        plan = plans_for(table, path, name, kind, form)[0]
    except InputError as error:
        problem = error.said
        try:
            plan = plans_for(table, path, name, kind, replace(form, rider="file"))[0]
        except InputError:
            plan = None
    names = [n or f"({i + 1})" for i, n in enumerate(table.names)]
    chosen = dict(plan.chosen) if plan is not None else {}
    places = {column: table.names[at] for column, at in chosen.items() if column in ("lon", "lat", "lonlat")}
    datum = next(filter(None, map(declared_datum, places.values())), None)
    if datum is not None:
        # Named by hand: what is read here as it stands is no contradiction to its header.
        form = replace(form, columns={**form.columns, **places})
    known = {folded(n) for n in table.names}
    layout = layout or next((k.name for k in KNOWN_LAYOUTS if k.header and set(k.header) <= known), "")
    times = [t for t in _column(table, chosen.get("time")) if t.strip()]
    return FileLook(
        file=name,
        kind=kind,
        layout=layout,
        encoding=table.decoder.name if hasattr(table, "decoder") else "",
        separator=table.separator if isinstance(table, CsvTable) else "",
        header=table.header,
        title_lines=table.title_lines if isinstance(table, CsvTable) else 0,
        columns=tuple((c, shown_column(names[at])) for c, at in chosen.items()),
        others=tuple(shown_column(n) for i, n in enumerate(names) if i not in chosen.values()),
        alternatives=_alternatives(table.names, chosen),
        time_form=_time_form(times, plan),
        rows=tuple(shown_row(row) for row in first_rows(table)),
        times=tuple(times[:50]),
        form=form,
        keys=tuple(keys),
        accuracy_m=_accuracy(table, chosen),
        from_hdop="hdop" in chosen and "accuracy" not in chosen,
        datum=datum,
        said=problem,
    )


def first_times(path: Path, trace_format: TraceFormat) -> list[str]:
    """Return some values of a file's column of times, for `hints_of`; they are not to be shown."""
    return list(look_at(path, trace_format).times)


def _with_positions(stream: IO[bytes], form: TraceFormat) -> tuple[TraceFormat, str, list[tuple[str, str]]]:
    """Name the columns of a file without header, where one reading fits; the stream is left at its start."""
    keys: list[tuple[str, str]] = []
    layout = ""
    try:
        CsvTable(stream, "", form)
    except InputError:
        stream.seek(0)
        rows = _head_rows(stream, form)
        guess = guessed_columns(rows[0]) if rows else None
        if guess is not None:
            known = known_layout(rows[0])
            layout = known.name if known else ""
            form = replace(form, columns=guess)
            keys.append(("columns", "{ " + ", ".join(f"{c} = {at}" for c, at in guess.items()) + " }"))
    stream.seek(0)
    return form, layout, keys


def _named_by_values(table: OpenTable, form: TraceFormat) -> tuple[TraceFormat, list[tuple[str, str]]]:
    """Name columns whose names are not known and whose values leave one reading; pasting confirms it."""
    found = columns_by_values(table.names, first_rows(table), form)
    if not found:
        return form, []
    written = ", ".join(
        f"{column} = {json.dumps(name, ensure_ascii=False)}" for column, name in found.items()
    )
    return replace(form, columns=found), [("columns", "{ " + written + " }")]


def _time_form(times: Sequence[str], plan: TablePlan | None) -> str:
    """Return the form of times in words, with what was told by the values."""
    form = time_form_of(times, "") if times else ""
    time_format = plan.form.time_format if plan is not None else "auto"
    return form if time_format == "auto" else f"{form}, {time_format}"


def _column(table: OpenTable, at: int | None) -> list[str]:
    if at is None or at not in table.sample:
        return []
    return ["" if v is None else str(v) for v in table.sample[at].to_pylist()]


def _accuracy(table: OpenTable, chosen: Mapping[str, int]) -> float | None:
    """Return the median of a column of the accuracy; what is not known, 0 or less, is left out."""
    at, metres = chosen.get("accuracy"), 1.0
    if at is None:
        at, metres = chosen.get("hdop"), HDOP_M
    if at is None or at not in table.sample:
        return None
    values = metres * as_numbers(table.sample[at])
    known = values[values > 0]
    return round(float(np.median(known)), 1) if len(known) else None


def _alternatives(names: Sequence[str], chosen: dict[str, int]) -> tuple[tuple[str, str], ...]:
    simple = [folded(n) for n in names]
    found = []
    for column, groups in COLUMN_NAMES.items():
        fitting = {name for group in groups for name in group}
        found += [
            (column, shown_column(names[i]))
            for i, n in enumerate(simple)
            if n in fitting and column in chosen and i not in chosen.values()
        ]
    return tuple(found)
