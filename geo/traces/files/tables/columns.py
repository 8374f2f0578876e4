"""Which column of a table is what: by its header, by positions, or asked for where two readings fit."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import Final

from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.column_names import COLUMN_NAMES, KNOWN_LAYOUTS, KnownLayout, declared_datum, folded
from geo.traces.files.tables.shapes import shape, shape_kind, shown_column
from geo.traces.formats import TraceFormat

__all__ = [
    "ForeignFileError",
    "chosen_columns",
    "columns_by_values",
    "find_header",
    "known_layout",
    "rider_of_file",
    "shown_row",
]

_PLACES: Final = (("lon", "lat"), ("lonlat",), ("polyline",))
_SCORED: Final = ("rider_id", "time", "lon", "lat", "lonlat", "polyline")
_DATA: Final = ("datetime", "clock", "epoch", "compact", "degrees", "whole", "number")
_SHOWN: Final = 12


class ForeignFileError(InputError):
    """A file that holds no table of traces at all, such as a read-me."""


def _hits(
    names: Sequence[str], column: str, wanted: str | int | None, simple: Sequence[str] | None = None
) -> list[int]:
    """Return the positions, from 0, of the columns that could be a canonical one; `simple`: names folded."""
    if isinstance(wanted, int):
        return [wanted - 1] if wanted <= len(names) else []
    if wanted is not None:
        plain = [n.strip().casefold() for n in names]
        exact = [i for i, n in enumerate(plain) if n == wanted.strip().casefold()]
        told = folded(wanted)
        return exact or [i for i, n in enumerate(names) if folded(n) == told != ""]
    simple = [folded(n) for n in names] if simple is None else simple
    for group in COLUMN_NAMES[column]:
        hits = [i for i, n in enumerate(simple) if n in group]
        if hits:
            return hits
    return []


def _score(row: Sequence[str], trace_format: TraceFormat) -> int:
    simple = [folded(cell) for cell in row]
    return sum(bool(_hits(row, column, trace_format.columns.get(column), simple)) for column in _SCORED)


def _is_data(row: Sequence[str]) -> bool:
    """Return whether a row holds values, not names: a time and two numbers, or a position."""
    kinds = [shape_kind(value) for value in row]
    numbers = sum(kind in ("degrees", "number", "whole", "epoch") for kind in kinds)
    return numbers >= 2 and (
        kinds.count("degrees") >= 2 or any(k in ("datetime", "epoch", "compact") for k in kinds)
    )


def find_header(rows: Sequence[Sequence[str]], trace_format: TraceFormat, name: str) -> int | None:
    """Find the header among the first rows of a table.

    Parameters
    ----------
    rows
        The first rows, blank ones left out.
    trace_format
        What was declared; with positions a file needs no header.
    name
        Name of the file for the error.

    Returns
    -------
    int or None
        Index of the row with the names; None where the first row holds values.

    Raises
    ------
    ForeignFileError
        If nothing here looks like traces.
    InputError
        If the file has no header and the positions of its columns were not declared.
    """
    positions = [at for at in trace_format.columns.values() if isinstance(at, int)]
    if positions:
        for i, row in enumerate(rows):
            held = [shape_kind(row[at - 1]) in _DATA for at in positions if at <= len(row)]
            if len(held) == len(positions) and sum(held) * 2 >= len(held):
                return i - 1 if i else None
        raise ForeignFileError(Sentence.of("trace_no_values", name=name))
    scores = [_score(row, trace_format) for row in rows]
    best = max(scores, default=0)
    if best >= 2:
        return scores.index(best)
    if trace_format.kind == "lade_orders":
        return 0
    if any(_is_data(row) for row in rows):
        first = next(i for i, row in enumerate(rows) if _is_data(row))
        # Words over values are names, though not known ones: which is which is asked for by name.
        above = rows[first - 1] if first else []
        if len(above) == len(rows[first]) and all(shape_kind(cell) == "text" for cell in above):
            return first - 1
        raise InputError(Sentence.of("trace_no_header", name=name, what=_suggested(rows)))
    if best == 0:
        raise ForeignFileError(_missing(name, "rider_id", None, rows[0] if rows else []))
    return scores.index(best)


def known_layout(row: Sequence[str]) -> KnownLayout | None:
    """Return the published layout whose files look like a row without header."""
    kinds = [shape_kind(value) for value in row]
    for layout in KNOWN_LAYOUTS:
        if layout.fields and len(kinds) == len(layout.fields):
            fits = [
                want in (kind, "text") or (want == "whole" and kind in ("text", "epoch"))
                for kind, want in zip(kinds, layout.fields, strict=True)
            ]
            if all(fits):
                return layout
    return None


def _suggested(rows: Sequence[Sequence[str]]) -> Sentence:
    row = next(row for row in rows if _is_data(row))
    layout = known_layout(row)
    if layout is None:
        return Sentence.of("trace_positions", row=shown_row(row))
    columns = ", ".join(f"{column} = {at}" for column, at in layout.columns.items())
    return Sentence.of("trace_positions_as", row=shown_row(row), layout=layout.name, columns=columns)


def shown_row(row: Sequence[str]) -> str:
    """Return a row by shape."""
    return " | ".join(shape(value) for value in row[:_SHOWN])


def columns_by_values(
    names: Sequence[str], rows: Sequence[Sequence[str]], trace_format: TraceFormat
) -> dict[str, str]:
    """Return which columns without a known name hold times and positions, where only one reading fits.

    It is for proposals: whoever reads a table asks first. Whose a row is no value tells.

    Parameters
    ----------
    names
        The header.
    rows
        Its first rows, as text.
    trace_format
        What was declared.
    """
    named = {at for column in COLUMN_NAMES for at in _hits(names, column, trace_format.columns.get(column))}
    kinds = {
        i: {shape_kind(row[i]) for row in rows if i < len(row)} - {"empty"}
        for i in range(len(names))
        if i not in named and names[i].strip()
    }
    missing = [c for c in ("time", "lon", "lat") if not _hits(names, c, trace_format.columns.get(c))]
    found: dict[str, str] = {}
    times = [i for i, kind in kinds.items() if kind and kind <= {"datetime", "epoch", "compact"}]
    if "time" in missing and len(times) == 1:
        found["time"] = names[times[0]]
    degrees = [i for i, kind in kinds.items() if kind == {"degrees"}]
    both = any(_hits(names, column, None) for column in ("lonlat", "polyline"))
    if "lon" in missing and "lat" in missing and len(degrees) == 2 and not both:
        wide = [
            any(abs(float(row[i].replace(",", "."))) > 90 for row in rows if row[i].strip()) for i in degrees
        ]
        if wide[0] != wide[1]:
            lon, lat = degrees if wide[0] else degrees[::-1]
            found |= {"lon": names[lon], "lat": names[lat]}
    return found


def chosen_columns(
    names: Sequence[str],
    trace_format: TraceFormat,
    name: str,
    given: Sequence[str],
    header: bool = True,
    rows: Sequence[Sequence[str]] = (),
) -> dict[str, int]:
    """Find the place, from 0, of each canonical column.

    Parameters
    ----------
    names
        The header.
    trace_format
        What was declared.
    name
        Name of the file for the error.
    given
        Canonical columns that come from elsewhere.
    header
        False where the file has none.
    rows
        The first rows as text, for what a missing column may be called.

    Raises
    ------
    InputError
        If a column is missing, or two columns fit and none was declared.
    """
    chosen: dict[str, int] = {}
    for column in COLUMN_NAMES:
        if column in given:
            continue
        wanted = trace_format.columns.get(column)
        # Without a header there are positions only.
        hits = _hits(names, column, wanted) if header or isinstance(wanted, int) else []
        if len(hits) > 1:
            if column == "date" or (column not in _SCORED and wanted is None):
                continue
            either: str | Sentence = f'"{shown_column(names[hits[0]])}"'
            for i in hits[1:]:
                either = Sentence.of("trace_either", a=either, b=f'"{shown_column(names[i])}"')
            how = Sentence.of("trace_equals", column=column, value=either)
            if wanted:
                how = Sentence.of("trace_by_position", column=column, at=hits[0] + 1)
            raise InputError(Sentence.of("trace_columns", name=name, count=len(hits), column=column, how=how))
        if hits:
            chosen[column] = hits[0]
        elif wanted is not None:
            raise InputError(_missing(name, column, wanted, names if header else None))
    lacking = _settled_places(chosen, trace_format, given)
    lacking += [column for column in ("rider_id", "time") if column not in chosen and column not in given]
    if lacking:
        proposed = columns_by_values(names, rows, trace_format) if header else {}
        raise InputError(_missing(name, lacking[0], None, names if header else None, proposed))
    if chosen.get("date") == chosen.get("time") and "date" in chosen:
        del chosen["date"]
    _check_datum(chosen, names if header else (), trace_format, name)
    return chosen


def _settled_places(chosen: dict[str, int], trace_format: TraceFormat, given: Sequence[str]) -> list[str]:
    """Keep one way of saying where: lon and lat, both in one column, or a polyline; return what lacks."""
    if "lon" in given or ("lon" in chosen and "lat" in chosen and "lonlat" not in trace_format.columns):
        ways: tuple[str, ...] = ("lon", "lat")
    elif "lonlat" in chosen:
        ways = ("lonlat",)
    elif "polyline" in chosen:
        ways = ("polyline",)
    else:
        return ["lat" if "lon" in chosen else "lon"]
    for column in {c for way in _PLACES for c in way} - set(ways):
        chosen.pop(column, None)
    return []


def _missing(
    name: str,
    column: str,
    wanted: str | int | None,
    names: Sequence[str] | None,
    proposed: Mapping[str, str] = MappingProxyType({}),
) -> Sentence:
    if isinstance(wanted, int):
        return Sentence.of("trace_no_position", name=name, wanted=wanted, column=column)
    said = Sentence.of("trace_no_column", column=column)
    if wanted is not None:
        said = Sentence.of("trace_no_such_column", wanted=wanted, column=column)
    if names is None:
        return Sentence.of("trace_say_position", name=name, what=said, column=column)
    data = _is_data(names)
    shown = ", ".join(repr(shape(h) if data else shown_column(h)) for h in list(names)[:_SHOWN])
    more = (_advice(column, names, proposed),) if wanted is None and not data else ()
    has = Sentence.of("trace_has", shown=shown) if shown else Sentence.of("trace_has_none")
    return Sentence.of("in_file", file=name, what=(said, has, *more))


def _advice(column: str, names: Sequence[str], proposed: Mapping[str, str]) -> Sentence:
    if column in proposed:
        columns = ", ".join(f'{c} = "{shown_column(n)}"' for c, n in proposed.items())
        return Sentence.of("trace_by_values", columns=columns)
    if column != "rider_id":
        return Sentence.of("trace_name_it", column=column)
    orders = [n for n in names if "order" in folded(n) or "订单" in n or "运单" in n]
    if orders:
        return Sentence.of("trace_name_rider_not_order", order=shown_column(orders[0]))
    return Sentence.of("trace_name_rider")


def _check_datum(chosen: dict[str, int], names: Sequence[str], trace_format: TraceFormat, name: str) -> None:
    """Refuse a header that says another datum than was declared; with ``auto`` the streets are asked."""
    if not isinstance(trace_format.datum, str) or trace_format.datum == "auto":
        return
    for column in ("lon", "lat", "lonlat"):
        at = chosen.get(column, len(names))
        said = declared_datum(names[at]) if at < len(names) else None
        if said not in (None, trace_format.datum) and column not in trace_format.columns:
            raise InputError(
                Sentence.of(
                    "trace_column_datum",
                    name=name,
                    what=shown_column(names[at]),
                    said=said,
                    datum=trace_format.datum,
                    column=column,
                )
            )


def rider_of_file(path: PurePath, rider: str, name: str) -> str:
    """Return who the rider of a file is: by its name, its folder, or a pattern of its path.

    Raises
    ------
    InputError
        If the path does not fit the pattern, or there is no folder.
    """
    stem = path.name.removesuffix(".gz").rpartition(".")[0] or path.stem
    if rider == "folder":
        folders = [part for part in path.parts[:-1] if part.casefold() != "trajectory"]
        if not folders:
            raise InputError(Sentence.of("trace_no_folder", name=name))
        return folders[-1]
    if "{rider}" not in rider:
        return stem
    pieces = re.split(r"(\*\*?|\{rider\})", rider)
    rules = {"*": "[^/]*", "**": ".*", "{rider}": "(?P<rider>[^/]+?)"}
    pattern, named = "", False
    for piece in pieces:
        rule = rules.get(piece, re.escape(piece))
        # A pattern may hold the rider once as group; further ones must be the same.
        pattern += "(?P=rider)" if piece == "{rider}" and named else rule
        named = named or piece == "{rider}"
    found = re.search(f"(?:^|/){pattern}$", path.as_posix())
    if found is None:
        raise InputError(Sentence.of("trace_rider_pattern", name=name, rider=rider))
    return found.group("rider")
