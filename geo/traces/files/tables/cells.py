"""Tables of cells: workbooks by openpyxl; JSON as lines, lists or GeoJSON features, read piece by piece."""

import datetime
import functools
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any, Final

import numpy as np

from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.column_names import folded
from geo.traces.files.tables.column_plans import Chunk
from geo.traces.files.tables.columns import ForeignFileError, find_header
from geo.traces.files.tables.lines import cells_in_columns, fitted
from geo.traces.files.tables.shapes import shape_of_name
from geo.traces.files.text import Decoder, utf8_blocks
from geo.traces.formats import TraceFormat
from geo.traces.instants import ArrowArray, ArrowType

__all__ = ["JsonTable", "SheetTable"]

_SAMPLE_ROWS: Final = 1_000
_BATCH_ROWS: Final = 50_000
_EXACT: Final = 2.0**53
_FEATURES: Final = re.compile(
    r'"(?:features|data|points|records|rows|locations|positions|list|items|results?|tracks?|traces?)"\s*:\s*\['
)
_OBJECTS: Final = re.compile(r'"[^"]{1,40}"\s*:\s*\[(?=\s*\{)')
_CRS: Final = re.compile(r'"crs"\s*:\s*\{[^{}]*\{[^{}]*?"name"\s*:\s*"[^"]*?(\d+|CRS84)"')
_DEGREE_CRS: Final = ("CRS84", "4326", "4490", "4979")
_DEPTH: Final = 4
_XYZT: Final = 4
_TIMES: Final = ("coordTimes", "times", "coordinateProperties")
"""Where converters of GPX put the times of a line."""


def _text(value: Any) -> str:  # noqa: ANN401 - whatever a cell holds
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, list | tuple):
        return json.dumps(value)
    return str(value)


class _CellTable:
    """Rows of text, the first of which were looked at."""

    names: list[str]
    header: bool
    sample: Mapping[int, ArrowArray]

    def _rows(self) -> Iterator[tuple[int, list[str] | None]]:
        raise NotImplementedError

    def chunks(self, needed: Sequence[int], numbers: Mapping[int, ArrowType]) -> Iterator[Chunk]:
        """Read the rows."""
        del numbers
        places: list[int] = []
        cells: list[list[str]] = []
        lost: list[int] = []
        for number, row in self._rows():
            if row is None:
                lost.append(number)
            else:
                places.append(number)
                cells.append(row)
            if len(cells) + len(lost) >= _BATCH_ROWS:
                yield Chunk(cells_in_columns(cells, needed), np.array(places, np.int64), tuple(lost))
                places, cells, lost = [], [], []
        yield Chunk(cells_in_columns(cells, needed), np.array(places, np.int64), tuple(lost))


class SheetTable(_CellTable):
    """One sheet of a workbook."""

    def __init__(self, stream: IO[bytes], name: str, trace_format: TraceFormat) -> None:
        import openpyxl

        self._name = name
        book = self._careful(lambda: openpyxl.load_workbook(stream, read_only=True, data_only=True))
        sheets = [sheet for sheet in book.worksheets if trace_format.sheet in (None, sheet.title)]
        titles = ", ".join(repr(shape_of_name(sheet.title)) for sheet in book.worksheets)
        if not sheets:
            raise InputError(
                Sentence.of("trace_no_sheet", name=name, sheet=str(trace_format.sheet), titles=titles)
            )
        found: list[tuple[Any, list[list[str]], int | None]] = []
        refused: InputError | None = None
        for sheet in sheets:
            head = self._careful(functools.partial(self._head, sheet))
            try:
                at = find_header([row for row in head if any(c.strip() for c in row)], trace_format, name)
            except InputError as error:
                refused = refused if refused and isinstance(error, ForeignFileError) else error
            else:
                found.append((sheet, head, at))
        if not found:
            raise refused or ForeignFileError(Sentence.of("trace_no_rows", name=name))
        if len(found) > 1:
            asked = ", ".join(repr(shape_of_name(sheet.title)) for sheet, _, _ in found)
            raise InputError(Sentence.of("trace_sheets", name=name, asked=asked))
        self._sheet, head, at = found[0]
        filled = [i for i, row in enumerate(head) if any(c.strip() for c in row)]
        self.header = at is not None
        self._skip = 0 if at is None else filled[at] + 1
        rows = [row for row in head[self._skip :] if any(c.strip() for c in row)]
        width = max((len(row) for row in rows), default=0)
        names = [c.strip() for c in head[filled[at]]] if at is not None else [""] * width
        while names and not names[-1] and at is not None:
            names.pop()
        self.names = names
        good = [cells for row in rows if (cells := self._fit(row)) is not None]
        self.sample = cells_in_columns(good, range(len(names)))

    def _careful(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - what openpyxl returns
        """Call openpyxl, which raises many kinds of errors over broken files and warns about styles."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return call()
        except InputError:
            raise
        except Exception as error:
            raise InputError(
                Sentence.of("trace_workbook", name=self._name, why=type(error).__name__)
            ) from error

    @staticmethod
    def _head(sheet: Any) -> list[list[str]]:  # noqa: ANN401
        rows = sheet.iter_rows(values_only=True, max_row=_SAMPLE_ROWS)
        return [[_text(value) for value in row] for row in rows]

    def _fit(self, row: list[str]) -> list[str] | None:
        """Short rows end in empty cells, which workbooks do not keep."""
        return fitted(row + [""] * (len(self.names) - len(row)), self.names)

    def _rows(self) -> Iterator[tuple[int, list[str] | None]]:
        rows = self._careful(lambda: self._sheet.iter_rows(values_only=True, min_row=self._skip + 1))
        number = 0
        while True:
            values = self._careful(lambda: next(rows, None))
            if values is None:
                return
            number += 1
            row = [_text(value) for value in values]
            if any(c.strip() for c in row):
                yield number, self._fit(row)


class JsonTable(_CellTable):
    """JSON Lines, a list of objects, or GeoJSON features; inner objects become columns such as ``a.b``."""

    header = True

    def __init__(self, stream: IO[bytes], name: str, trace_format: TraceFormat) -> None:
        self.decoder = Decoder(trace_format.encoding)
        blocks = utf8_blocks(stream, self.decoder)
        self._records = self._all(blocks, name)
        self._first: list[tuple[int, dict[str, str] | None]] = []
        for number, record in self._records:
            self._first.append((number, record))
            if len(self._first) >= _SAMPLE_ROWS:
                break
        flat = [record for _, record in self._first if record is not None]
        self.names = list(dict.fromkeys(key for record in flat for key in record))
        if not self.names:
            raise ForeignFileError(Sentence.of("trace_no_objects", name=name))
        rows = [[record.get(key, "") for key in self.names] for record in flat]
        if trace_format.columns:
            known = {folded(n) for n in self.names}
            wanted = [w for w in trace_format.columns.values() if isinstance(w, str)]
            foreign = not any(folded(w) in known for w in wanted)
        else:
            foreign = True
        if foreign:
            find_header([self.names], trace_format, name)
        self.sample = cells_in_columns(rows, range(len(self.names)))

    def _rows(self) -> Iterator[tuple[int, list[str] | None]]:
        for records in (self._first, self._records):
            for number, record in records:
                yield number, None if record is None else [record.get(key, "") for key in self.names]
            self._first = []

    def _all(self, blocks: Iterator[bytes], name: str) -> Iterator[tuple[int, dict[str, str] | None]]:
        block = next(blocks, b"").decode("utf-8", "replace")
        while block and not block.strip():
            block = next(blocks, b"").decode("utf-8", "replace")
        if not block:
            raise InputError(Sentence.of("trace_empty", name=name))
        first_line = block.lstrip().partition("\n")[0]
        lists = _FEATURES.search(first_line) or (
            _OBJECTS.search(first_line) if "\n" not in block.strip() else None
        )
        if block.lstrip()[0] == "{" and _object(first_line) is not None and not lists:
            return _lines(block, blocks)
        at = block.find("[") + 1 if block.lstrip()[0] == "[" else 0
        if not at:
            found = _FEATURES.search(block)
            if found is None:
                if block.lstrip()[0] == "{" and len(block.splitlines()) > 1:
                    return _lines(block, blocks)  # the first line is damaged
                found = _OBJECTS.search(block)
            if found is None:
                raise ForeignFileError(Sentence.of("trace_json", name=name))
            crs = _CRS.search(block[: found.start()])
            if crs is not None and crs.group(1) not in _DEGREE_CRS:
                raise InputError(Sentence.of("trace_epsg", name=name, what=crs.group(1)))
            at = found.end()
        return _listed(block, at, blocks)


def _object(text: str) -> dict[str, str] | None:
    """Return an object as one row of text, or None."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return _flat(found) if isinstance(found, dict) else None


def _objects(text: str) -> list[dict[str, str] | None]:
    """Return an object as its rows of text; one row that is none where it is damaged."""
    try:
        return _rows_of(json.loads(text))
    except (ValueError, RecursionError):
        return [None]


def _rows_of(record: Any) -> list[dict[str, str] | None]:  # noqa: ANN401 - whatever JSON holds
    """Return an object as a row; a line with a time for each of its points as a row for each of these."""
    if not isinstance(record, dict):
        return [None]
    line = record.get("geometry") if record.get("type") == "Feature" else None
    if not isinstance(line, dict) or line.get("type") != "LineString":
        return [_flat(record)]
    points = line.get("coordinates")
    times = _times_of(record, points)
    if not isinstance(points, list) or times is None:
        return [_flat(record)]
    told = {
        key: {name: value for name, value in inner.items() if name not in _TIMES}
        for key, inner in record.items()
        if key not in ("geometry", "type", *_TIMES) and isinstance(inner, dict)
    }
    same = _flat(told) | _flat({k: v for k, v in record.items() if k == "id"})
    return [
        {**same, "geometry.type": "Point", "geometry.coordinates": _text(point[:2]), "time": _text(time)}
        if isinstance(point, list)
        else None
        for point, time in zip(points, times, strict=True)
    ]


def _times_of(feature: Mapping[str, Any], points: Any) -> list[Any] | None:  # noqa: ANN401
    """Return a time for each point of a line: the fourth number (Kepler.gl), or a list beside; else None."""
    if not isinstance(points, list) or not points:
        return None
    if all(isinstance(point, list) and len(point) == _XYZT for point in points):
        return [point[_XYZT - 1] for point in points]
    for holder in (feature.get("properties"), feature):
        beside = holder.get("coordinateProperties", holder) if isinstance(holder, dict) else {}
        for name in _TIMES if isinstance(beside, dict) else ():
            times = beside.get(name)
            if isinstance(times, list) and len(times) == len(points):
                return times
    return None


def _flat(record: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, str]:
    row: dict[str, str] = {}
    for key, value in record.items():
        if value is None:
            continue  # such as the geometry of a feature without one
        if isinstance(value, dict) and depth < _DEPTH:
            row |= _flat(value, f"{prefix}{key}.", depth + 1)
        else:
            row[f"{prefix}{key}"] = _text(value)
    return row


def _lines(block: str, blocks: Iterator[bytes]) -> Iterator[tuple[int, dict[str, str] | None]]:
    number = 0
    while block:
        for line in block.removesuffix("\n").split("\n"):
            number += 1
            if line.strip():
                for row in _objects(line.strip()):
                    yield number, row
                    number += 1
                number -= 1
        block = next(blocks, b"").decode("utf-8", "replace")


def _listed(text: str, at: int, blocks: Iterator[bytes]) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Read the objects of a list one by one; the rest of a broken list counts as one row."""
    decoder = json.JSONDecoder()
    space = re.compile(r"[\s,]*")
    number = 0
    while True:
        found = space.match(text, at)
        at = found.end() if found else at
        if at < len(text) and text[at] == "]":
            return
        try:
            record, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            more = next(blocks, b"").decode("utf-8", "replace")
            if more and len(text) - at < 2 * len(more) + 1_000_000:
                text, at = text[at:] + more, 0
                continue
            yield number + 1, None
            return
        for row in _rows_of(record):
            number += 1
            yield number, row
