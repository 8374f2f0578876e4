"""Lines of delimited text to columns; those that are odd are looked at alone.

None of the lines is parted by a line end within quotes: `delimited` takes those out.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from geo.traces.files.batches import as_numbers
from geo.traces.instants import ArrowArray, ArrowType

__all__ = ["Cut", "PlainLines", "cells_in_columns", "fields_of", "fitted", "one_cut"]

_FEW_FAILURES: Final = 8
_PIECE_BYTES: Final = 250_000  # stays in the caches of a core
_QUOTED_BYTES: Final = 1_000_000
_STEP_BYTES: Final = 400_000
_FEW_ODD: Final = 3  # lines of a piece that are taken out of it before it is read as text
_FEW_ADDED: Final = 64  # rows that are put between others without moving each of these
_FEW_TEXTS: Final = 8
_FEED: Final = 10
_PLAIN_NUMBER: Final = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_WORD: Final = re.compile(r"[a-hj-mo-zA-HJ-MO-Z_]*")
"""Neither a digit nor a letter with which a number that is none or has no end begins."""
_ROW: Final = re.compile(r"Row #(\d+)")


def fields_of(line: str, separator: str) -> list[str] | None:
    """Return the fields of one line, or None where its quotes make none."""
    if '"' not in line:
        return line.split(separator)
    try:
        records = list(csv.reader(io.StringIO(line, newline=""), delimiter=separator))
    except csv.Error:
        return None
    return records[0] if len(records) == 1 else None


def fitted(fields: list[str], names: Sequence[str]) -> list[str] | None:
    """Return the fields of a row, one a name, or None; blank ones may be too many or too few."""
    width = len(names)
    if len(fields) > width and not any(f.strip() for f in fields[width:]):
        return fields[:width]
    if len(fields) < width and not any(n.strip() for n in names[len(fields) :]):
        return fields + [""] * (width - len(fields))
    return fields if len(fields) == width else None


def cells_in_columns(rows: Sequence[Sequence[str]], needed: Sequence[int]) -> dict[int, ArrowArray]:
    """Turn rows of text into the columns asked for."""
    return {at: pa.array([row[at] for row in rows], pa.string()) for at in needed}


def _behind_lines(feed: NDArray[np.bool_], begin: int, lines: int) -> int:
    """Return the byte behind some lines from a byte on; ``feed`` says which bytes are line ends."""
    while lines:
        end = begin + _STEP_BYTES
        count = int(np.count_nonzero(feed[begin:end]))
        if count >= lines:
            return begin + int(np.flatnonzero(feed[begin:end])[lines - 1]) + 1
        begin, lines = end, lines - count
    return begin


def _none(column: ArrowArray) -> ArrowArray:
    return pa.array([], column.type)


def _in_one(columns: Sequence[ArrowArray]) -> ArrowArray:
    """Put columns of pieces one after another: numbers where a piece has numbers, else text."""
    columns = [
        part for column in columns for part in getattr(column, "chunks", (column,)) or (_none(column),)
    ]
    if len(columns) == 1:
        return columns[0]
    if any(pa.types.is_floating(column.type) for column in columns):
        columns = [c if pa.types.is_floating(c.type) else pa.array(as_numbers(c)) for c in columns]
    elif len({column.type for column in columns}) > 1:
        columns = [column.cast(pa.string()) for column in columns]
    return pa.concat_arrays(columns)


def _alike(column: ArrowArray, texts: ArrowArray) -> tuple[ArrowArray, ArrowArray]:
    """Bring texts to what a column holds; whole numbers become text where one of the texts is none."""
    if pa.types.is_floating(column.type):
        return column, pa.array(_numbers_of(texts))
    if pa.types.is_integer(column.type):
        try:
            return column, texts.cast(column.type)
        except pa.ArrowInvalid:
            return column.cast(pa.string()), texts
    return column, texts


def _numbers_of(texts: ArrowArray) -> NDArray[np.float64]:
    """Numbers of a few texts as `as_numbers` reads them, which takes half a millisecond for the first."""
    if len(texts) <= _FEW_TEXTS:
        words = texts.to_pylist()
        if all(_PLAIN_NUMBER.fullmatch(word) or _WORD.fullmatch(word) for word in words):
            return np.array([float(word) if _PLAIN_NUMBER.fullmatch(word) else np.nan for word in words])
    return as_numbers(texts)


def _put_between(column: ArrowArray, more: ArrowArray, at: NDArray[np.int64]) -> ArrowArray:
    """Put values before the places `at` of a column."""
    if len(at) > _FEW_ADDED:
        places = np.insert(np.arange(len(column)), at, len(column) + np.arange(len(more)))
        return _in_one([column, more]).take(pa.array(places))
    parts, last = [], 0
    for i, place in enumerate(at.tolist()):
        parts += [column.slice(last, place - last), more.slice(i, 1)]
        last = place
    return _in_one([*parts, column.slice(last)])


@dataclass
class Cut:
    """Lines of a block, cut into columns."""

    columns: list[ArrowArray]
    """In one piece or in several, until `one_cut` has put them together."""
    rows: NDArray[np.int64]
    """Their numbers in the file, ascending."""
    lost: list[int]


@dataclass(frozen=True, slots=True)
class _Read:
    """What pyarrow read of some lines."""

    columns: list[ArrowArray]
    passed: list[tuple[int, str]]
    """Lines that it passed by: their numbers from 1, and their texts."""
    complete: bool
    """Whether it read to the end. Else it read the pieces before one with a number that is none."""
    odd_row: int
    """The line that it could not read, from 1; 0 where there is none, or pyarrow does not say which."""

    @property
    def records(self) -> int:
        """How many records it came to; it passes lines by ahead of its reading."""
        count = len(self.columns[0])
        for number, _ in self.passed:
            if number > count + 1:
                break
            count += 1
        return count


def one_cut(cuts: Sequence[Cut], needed: Sequence[int]) -> Cut:
    """Put cuts one after another."""
    if not cuts:
        return Cut([pa.array([], pa.string()) for _ in needed], np.zeros(0, np.int64), [])
    columns = [_in_one([cut.columns[k] for cut in cuts]) for k in range(len(needed))]
    return Cut(columns, np.concatenate([cut.rows for cut in cuts]), [n for cut in cuts for n in cut.lost])


class PlainLines:
    """Lines of one width. Columns of numbers are read as such, without becoming text first."""

    def __init__(self, names: Sequence[str], separator: str) -> None:
        self.names, self.separator = names, separator
        self.numbers: dict[int, ArrowType] = {}
        """Columns of nothing but plain numbers, as far as has been read."""
        self._pieces = self._failed = 0
        self._in_pieces = False
        """Whether a number was none where lines have quotes: then few pieces are read again, not a block."""

    def record(self, line: str) -> list[str] | None:
        """Return the fields of a line, one a name, or None."""
        fields = fields_of(line, self.separator)
        return None if fields is None else fitted(fields, self.names)

    def cut(
        self,
        block: bytes,
        feed: NDArray[np.bool_],
        span: tuple[int, int],
        number: NDArray[np.int64],
        needed: Sequence[int],
    ) -> list[Cut]:
        """Cut lines of a block with pyarrow; those that it passes by are looked at one by one.

        ``feed`` says which bytes of the block are line ends, ``span`` where the lines begin and end.

        A number that is none ends the reading of one piece, not of the block: that piece is read by itself,
        and reading goes on behind it.
        """
        begin, end = span
        if begin == end:
            return []
        if block.find(b'"', begin, end) >= 0:
            return self._cut_pieces(block, begin, end, number, needed)
        return self._cut_runs(block, feed, span, number, needed)

    def _cut_runs(
        self,
        block: bytes,
        feed: NDArray[np.bool_],
        span: tuple[int, int],
        number: NDArray[np.int64],
        needed: Sequence[int],
    ) -> list[Cut]:
        """Cut lines without quotes, each of which is a record."""
        begin, stop = span
        cuts: list[Cut] = []
        line = 0
        while begin < stop:
            left = memoryview(block)[begin:stop]
            read = self._read(left, needed, self.numbers, _PIECE_BYTES)
            lines = len(number) - line if read.complete else read.records
            end = stop if read.complete else _behind_lines(feed, begin, lines)
            here = number[line : line + lines]
            cuts.append(self._cut_read(left[: end - begin], read, here, needed))
            self._count(end - begin, failed=not read.complete)
            begin, line = end, line + lines
            if begin < stop:
                end = block.find(b"\n", begin + _PIECE_BYTES, stop) + 1 or stop
                here = number[line : line + int(np.count_nonzero(feed[begin:end]))]
                cuts.append(self._cut_piece(block[begin:end], here, needed, read.odd_row - lines))
                begin, line = end, line + len(here)
        return cuts

    def _cut_pieces(
        self, block: bytes, begin: int, stop: int, number: NDArray[np.int64], needed: Sequence[int]
    ) -> list[Cut]:
        """Cut lines with quotes: where pyarrow takes lines for one, the count of its rows must show it."""
        if not (self.numbers and self._in_pieces):
            left = memoryview(block)[begin:stop]
            read = self._read(left, needed, self.numbers, _PIECE_BYTES)
            if read.complete or not self.numbers:
                return [self._cut_read(left, read, number, needed)]
            self._in_pieces = True
        cuts: list[Cut] = []
        line = 0
        while begin < stop:
            end = block.find(b"\n", begin + _QUOTED_BYTES, stop) + 1 or stop
            here = number[line : line + block.count(b"\n", begin, end)]
            piece = block[begin:end]
            read = self._read(piece, needed, self.numbers, _PIECE_BYTES)
            self._count(end - begin, failed=not read.complete)
            cuts.append(
                self._cut_read(piece, read, here, needed)
                if read.complete
                else self._cut_piece(piece, here, needed, read.odd_row)
            )
            begin, line = end, line + len(here)
        return cuts

    def cut_record(self, number: int, fields: list[str] | None, needed: Sequence[int]) -> Cut:
        """Make a cut of one record that was looked at alone; without fields it is lost."""
        if fields is None:
            columns = [pa.array([], self.numbers.get(at, pa.string())) for at in needed]
            return Cut(columns, np.zeros(0, np.int64), [number])
        columns = [self._value(fields[at], self.numbers.get(at)) for at in needed]
        return Cut(columns, np.array([number], np.int64), [])

    @staticmethod
    def _value(text: str, kind: ArrowType) -> ArrowArray:
        nothing = pa.array([], kind or pa.string())
        return _alike(nothing, pa.array([text], pa.string()))[1]

    def _count(self, size: int, *, failed: bool) -> None:
        """Where one piece in four has a number that is none, to read them all as text is no slower."""
        self._pieces += 1 + size // _PIECE_BYTES
        self._failed += failed
        if self._failed > _FEW_FAILURES + self._pieces // 4:
            self.numbers = {}

    def _cut_piece(self, block: bytes, number: NDArray[np.int64], needed: Sequence[int], odd_row: int) -> Cut:
        """Cut a piece by itself; the few lines whose numbers are none are taken out and looked at alone."""
        left, numbers = block, number
        odd: list[tuple[int, str]] = []
        while 0 < odd_row <= len(numbers) and len(odd) < _FEW_ODD:
            ends = np.flatnonzero(np.frombuffer(left, np.uint8) == _FEED)
            at = odd_row - 1
            begin, end = (int(ends[at - 1]) + 1 if at else 0), int(ends[at])
            odd.append((int(numbers[at]), left[begin:end].decode("utf-8", "replace")))
            left, numbers = left[:begin] + left[end + 1 :], np.delete(numbers, at)
            if not left:
                break
            read = self._read(left, needed, self.numbers, len(left) + 1)
            if read.complete:
                cut = self._cut_read(left, read, numbers, needed)
                self._add_lines(cut, odd, needed)
                return cut
            odd_row = read.odd_row
        return self._cut_read(block, self._read(block, needed, {}, len(block) + 1), number, needed)

    def _cut_read(
        self, block: bytes | memoryview, read: _Read, number: NDArray[np.int64], needed: Sequence[int]
    ) -> Cut:
        """Return what pyarrow read of lines, with those that it passed by."""
        passed = [(n, text) for n, text in read.passed if n <= len(number)]
        if len(read.columns[0]) + len(passed) != len(number):
            # A quote that stands alone in two fields of a line made pyarrow take lines for one.
            return self._cut_slowly(bytes(block), number, needed)
        at = np.array([n - 1 for n, _ in passed], np.int64)
        cut = Cut(read.columns, np.delete(number, at) if len(at) else number, [])
        self._add_lines(cut, [(int(number[n - 1]), text) for n, text in passed], needed)
        return cut

    def _read(
        self,
        block: bytes | memoryview,
        needed: Sequence[int],
        numbers: Mapping[int, ArrowType],
        piece_bytes: int,
    ) -> _Read:
        """Read lines with pyarrow, piece by piece, as far as it can."""
        names = [f"c{i}" for i in range(len(self.names))]
        types = {names[at]: numbers.get(at, pa.string()) for at in needed}
        passed: list[tuple[int, str]] = []

        def pass_by(row: pacsv.InvalidRow) -> str:
            passed.append((row.number, row.text))
            return "skip"

        pieces: list[list[ArrowArray]] = []
        complete, odd_row = False, 0
        try:
            with pacsv.open_csv(
                pa.BufferReader(block),
                read_options=pacsv.ReadOptions(column_names=names, use_threads=False, block_size=piece_bytes),
                parse_options=pacsv.ParseOptions(
                    delimiter=self.separator, invalid_row_handler=pass_by, ignore_empty_lines=False
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types=types,
                    include_columns=list(types),
                    # An empty number is no number: it is read as text.
                    null_values=[],
                    strings_can_be_null=False,
                ),
            ) as reader:
                pieces.extend(piece.columns for piece in reader)
            complete = True
        except pa.ArrowException as error:
            found = _ROW.search(str(error))
            odd_row = int(found.group(1)) if found else 0
        columns = [
            pa.chunked_array([piece[k] for piece in pieces], types[names[at]]) for k, at in enumerate(needed)
        ]
        return _Read(columns, passed, complete, odd_row)

    def _cut_slowly(self, block: bytes, number: NDArray[np.int64], needed: Sequence[int]) -> Cut:
        rows, cells, lost = [], [], []
        for n, line in zip(number.tolist(), block.decode("utf-8", "replace").split("\n"), strict=False):
            if not line.strip():
                continue
            fit = self.record(line)
            if fit is None:
                lost.append(n)
            else:
                rows.append(n)
                cells.append(fit)
        columns = cells_in_columns(cells, needed)
        return Cut([columns[at] for at in needed], np.array(rows, np.int64), lost)

    def _add_lines(self, cut: Cut, lines: Sequence[tuple[int, str]], needed: Sequence[int]) -> None:
        """Add lines that were passed by, with the numbers of their rows; blank ones are none."""
        found = []
        for n, text in lines:
            if text.strip():
                fields = self.record(text)
                if fields is None:
                    cut.lost.append(n)
                else:
                    found.append((n, fields))
        self.add(cut, found, needed)

    @staticmethod
    def add(cut: Cut, found: Sequence[tuple[int, list[str]]], needed: Sequence[int]) -> None:
        """Put rows that were read one by one among the others, in the order of the file."""
        if not found:
            return
        found = sorted(found, key=itemgetter(0))
        numbers = np.array([n for n, _ in found], np.int64)
        at = np.searchsorted(cut.rows, numbers)
        more = cells_in_columns([fields for _, fields in found], needed)
        cut.rows = np.insert(cut.rows, at, numbers)
        cut.columns = [
            _put_between(*_alike(column, more[k]), at) for column, k in zip(cut.columns, needed, strict=True)
        ]
