"""Reader of delimited text tables, with the quirks that spreadsheets and databases leave in them."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.ahead import read_ahead
from geo.traces.files.batches import as_numbers
from geo.traces.files.tables.column_plans import Chunk
from geo.traces.files.tables.columns import find_header
from geo.traces.files.text import Decoder, utf8_blocks
from geo.traces.formats import TraceFormat
from geo.traces.instants import ArrowArray, ArrowType

__all__ = ["CsvTable", "cells_in_columns", "fitted"]

_HEAD_LINES: Final = 30
_SAMPLE_LINES: Final = 1_000
_SAMPLE_BYTES: Final = 400_000
_SEPARATORS: Final = ",\t;|"
_LONGEST_RECORD: Final = 64  # lines that one quoted field may go over
_LONGEST_NAME: Final = 8  # lines that a title or the name of a column may go over
_FEW_QUOTES: Final = 10_000
_FEW_FAILURES: Final = 2
_PIECE_BYTES: Final = 1_500_000
_FEW_BLANK: Final = 100
_FEW_ODD: Final = 3  # lines of a piece that are taken out of it before it is read as text
_ROW: Final = re.compile(r"Row #(\d+)")
_FEED, _QUOTE = 10, 34


def _fields(line: str, separator: str) -> list[str] | None:
    if '"' not in line:
        return line.split(separator)
    try:
        records = list(csv.reader(io.StringIO(line, newline=""), delimiter=separator))
    except csv.Error:
        return None
    return records[0] if len(records) == 1 else None


def _is_open(line: str, separator: str) -> bool:
    """Return whether a line ends within quotes, so that its last field may go on in the next one."""
    try:
        record = next(csv.reader(io.StringIO(f"{line}{separator}.", newline=""), delimiter=separator), [])
    except csv.Error:
        return False
    return record[-1:] != ["."]


def _whole(lines: Sequence[str]) -> list[tuple[int, str]]:
    """Return records of some lines, each with the number of lines up to its end; quotes go over line ends."""
    out: list[tuple[int, str]] = []
    i = 0
    while i < len(lines):
        size = 1
        if lines[i].count('"') % 2:
            ends = (k for k in range(i + 1, min(len(lines), i + _LONGEST_NAME)) if lines[k].count('"') % 2)
            size = next(ends, i) - i + 1
        out.append((i + size, "\n".join(lines[i : i + size])))
        i += size
    return out


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


def _separator(lines: Sequence[str], declared: str) -> str:
    """Return the separator that most lines have equally often."""
    if declared != "auto":
        return declared
    bare = [re.sub(r'"[^"]*"', "", line) for line in lines]

    def agreement(separator: str) -> tuple[int, int]:
        counts = [line.count(separator) for line in bare]
        return max(((counts.count(n), n) for n in set(counts) if n > 0), default=(0, 0))

    return max(_SEPARATORS, key=agreement)


def _has_odd_line(block: bytes) -> bool:
    """Return whether a line has an odd number of quotes; many quotes are left to a pass in columns."""
    if block.count(b'"') > _FEW_QUOTES:
        return True
    at = block.find(b'"')
    while at >= 0:
        end = block.find(b"\n", at)
        end = len(block) if end < 0 else end
        if block.count(b'"', at, end) % 2:
            return True
        at = block.find(b'"', end)
    return False


def _without_blank(block: bytes, first_row: int) -> tuple[bytes, NDArray[np.int64], int]:
    """Leave blank lines out: an empty number is none, and the block would be read a second time for them.

    Return the block, the numbers of its lines, and how many these were with the blank ones.
    """
    data = np.frombuffer(block, np.uint8)
    feed = data == _FEED
    lines = int(np.count_nonzero(feed))
    number = np.arange(first_row, first_row + lines, dtype=np.int64)
    twice = feed[1:] & feed[:-1]
    if not (feed[0] or twice.any()):
        return block, number, lines
    at = np.flatnonzero(np.r_[feed[:1], twice])
    if len(at) > _FEW_BLANK:
        blank = np.flatnonzero(np.diff(np.flatnonzero(feed), prepend=-1) == 1)
    else:
        blank = np.array([np.count_nonzero(feed[:end]) for end in at.tolist()])
    kept: NDArray[np.int64] = np.delete(number, blank)
    begins, ends = [0, *(at + 1).tolist()], [*at.tolist(), len(block)]
    block = b"".join(block[begin:end] for begin, end in zip(begins, ends, strict=True))
    return block, kept, lines


def _in_one(columns: Sequence[ArrowArray]) -> ArrowArray:
    """Put columns of pieces one after another: numbers where a piece has numbers, else text."""
    if any(pa.types.is_floating(column.type) for column in columns):
        columns = [c if pa.types.is_floating(c.type) else pa.array(as_numbers(c)) for c in columns]
    elif len({column.type for column in columns}) > 1:
        columns = [column.cast(pa.string()) for column in columns]
    return pa.concat_arrays(columns)


def _joined(column: ArrowArray, texts: ArrowArray) -> ArrowArray:
    """Put texts behind a column, as what it holds; whole numbers become text where one of them is none."""
    if pa.types.is_floating(column.type):
        texts = pa.array(as_numbers(texts))
    elif pa.types.is_integer(column.type):
        try:
            texts = texts.cast(column.type)
        except pa.ArrowInvalid:
            column = column.cast(pa.string())
    return pa.concat_arrays([column, texts])


#: Columns, and the lines that were passed by: their numbers from 1, and their texts.
_Read = tuple[list[ArrowArray], list[tuple[int, str]]]


@dataclass
class _Cut:
    """Lines of a block, cut into columns."""

    columns: list[ArrowArray]
    rows: NDArray[np.int64]
    lost: list[int]


class CsvTable:
    """A delimited text file: its header is found, its rows are read block by block."""

    def __init__(self, stream: IO[bytes], name: str, trace_format: TraceFormat) -> None:
        self.decoder = Decoder(trace_format.encoding)
        self._blocks = utf8_blocks(stream, self.decoder)
        self._numbers: dict[int, ArrowType] = {}
        """Columns of nothing but plain numbers, as far as has been read: these need not become text first."""
        self._tried = self._failed = 0
        self._in_pieces = False
        """Whether a number was none: then a block is read in pieces, of which fewer are read again."""
        self._odd_row = 0
        """Of what could not be read last: the line, from 1."""
        block = next(self._blocks, b"")
        while block and not block.strip(b"\n"):
            block = next(self._blocks, b"")
        self._block = block.lstrip(b"\n")
        if not self._block.strip():
            raise InputError(Sentence.of("trace_empty_table", name=name))
        declared = self._take_sep_line() or trace_format.separator
        text = self._block[:_SAMPLE_BYTES].decode("utf-8", "replace")
        lines = text.split("\n")
        if len(self._block) > _SAMPLE_BYTES and len(lines) > 1:
            lines.pop()
        filled = [(end, line) for end, line in _whole(lines[: 2 * _HEAD_LINES]) if line.strip()][:_HEAD_LINES]
        self.separator = _separator([line for _, line in filled], declared)
        heads = [
            (end, fields) for end, line in filled if (fields := _fields(line, self.separator)) is not None
        ]
        at = find_header([fields for _, fields in heads], trace_format, name)
        self.header = at is not None
        #: Lines above the header, such as a title.
        self.title_lines = at or 0
        first = 0 if at is None else heads[at][0]
        rows = [
            _fields(line, self.separator) or []
            for line in lines[first : first + _SAMPLE_LINES]
            if line.strip()
        ]
        self.names = self._padded([n.strip() for n in heads[at][1]] if at is not None else [], rows)
        for _ in range(first):
            self._block = self._block.partition(b"\n")[2]
        good = [cells for row in rows if (cells := fitted(row, self.names)) is not None]
        self.sample: Mapping[int, ArrowArray] = cells_in_columns(good, range(len(self.names)))

    def _take_sep_line(self) -> str:
        found = re.match(rb'"?sep=(.)"?[^\S\n]*\n', self._block[:20], re.IGNORECASE)
        if found is None:
            return ""
        self._block = self._block[found.end() :]
        return found.group(1).decode("ascii", "replace")

    def _padded(self, names: list[str], rows: Sequence[list[str]]) -> list[str]:
        """Let the names be as many as the fields of most rows, where only unnamed or blank ones differ."""
        widths = [len(row) for row in rows]
        if not widths:
            return names
        width = max(set(widths), key=widths.count)
        if not names:
            return [""] * width
        if width > len(names) and all(not any(f.strip() for f in row[len(names) : width]) for row in rows):
            return names + [""] * (width - len(names))
        if width < len(names) and not any(names[width:]):
            return names[:width]
        return names

    def chunks(self, needed: Sequence[int], numbers: Mapping[int, ArrowType]) -> Iterator[Chunk]:
        """Read the rows; the next block is cut while what becomes of this one is worked on."""
        return read_ahead(self._chunks(needed, numbers))

    def _chunks(self, needed: Sequence[int], numbers: Mapping[int, ArrowType]) -> Iterator[Chunk]:
        self._numbers = dict(numbers)
        row, carry = 1, b""
        block: bytes = self._block
        self._block = b""
        blocks = read_ahead(self._blocks)
        while True:
            coming = next(blocks, b"")
            if block:
                cut, count, carry = self._cut(carry + block, needed, row, final=not coming)
                row += count
                yield Chunk(dict(zip(needed, cut.columns, strict=True)), cut.rows, tuple(cut.lost))
            if not coming:
                return
            block = coming

    def _cut(
        self, block: bytes, needed: Sequence[int], first_row: int, final: bool
    ) -> tuple[_Cut, int, bytes]:
        """Cut a block into columns; return them, the number of records, and lines kept for the next block."""
        if not block.endswith(b"\n"):
            block += b"\n"
        if _QUOTE in block and _has_odd_line(block):
            data = np.frombuffer(block, np.uint8)
            ends = np.flatnonzero(data == _FEED)
            before = np.searchsorted(np.flatnonzero(data == _QUOTE), ends)
            odd = np.flatnonzero(np.diff(before, prepend=0) & 1)
            return self._cut_quoted(block, ends, odd.tolist(), needed, first_row, final)
        block, number, lines = _without_blank(block, first_row)
        return self._cut_plain(block, number, needed), lines, b""

    def _cut_quoted(
        self,
        block: bytes,
        ends: NDArray[np.int64],
        odd: list[int],
        needed: Sequence[int],
        first_row: int,
        final: bool,
    ) -> tuple[_Cut, int, bytes]:
        """Cut a block in which quoted fields go over line ends, or quotes stand alone."""
        starts = np.r_[0, ends[:-1] + 1]
        lines, carry = len(ends), b""
        step = np.ones(lines, np.int64)
        plain = np.ones(lines, np.bool_)
        special: list[tuple[int, list[str] | None]] = []
        k = 0
        while k < len(odd):
            i = odd[k]
            j = odd[k + 1] if k + 1 < len(odd) else None
            if j is None and not final and lines - i <= _LONGEST_RECORD:
                lines, carry = i, block[starts[i] :]
                break
            alone = self._record(block[starts[i] : ends[i]])
            joined = (
                self._record(block[starts[i] : ends[j]])
                if j is not None
                and j - i <= _LONGEST_RECORD
                and (alone is None or self._goes_on(block, starts[i], ends[i], starts[j], ends[j]))
                else None
            )
            if joined is not None and j is not None:
                plain[i : j + 1], step[i + 1 : j + 1] = False, 0
                special.append((i, joined))
                k += 2
            else:
                plain[i] = False
                special.append((i, alone))
                k += 1
        plain &= np.diff(ends, prepend=-1) > 1
        number = first_row + np.cumsum(step[:lines]) - 1
        kept = np.flatnonzero(plain[:lines])
        runs = np.split(kept, np.flatnonzero(np.diff(kept) != 1) + 1) if len(kept) else []
        rest = b"".join(block[starts[run[0]] : ends[run[-1]] + 1] for run in runs)
        cut = self._cut_plain(rest, number[kept], needed)
        found = [(int(number[i]), fields) for i, fields in special if fields is not None]
        cut.lost += [int(number[i]) for i, fields in special if fields is None]
        self._add(cut, found, needed)
        return cut, int(step[:lines].sum()), carry

    def _goes_on(self, block: bytes, start: int, end: int, next_start: int, next_end: int) -> bool:
        """Return whether a record that fits may go on: its last field is open, and what closes it is none."""
        line = block[start:end].decode("utf-8", "replace")
        return _is_open(line, self.separator) and self._record(block[next_start:next_end]) is None

    def _record(self, raw: bytes) -> list[str] | None:
        fields = _fields(raw.decode("utf-8", "replace"), self.separator)
        return None if fields is None else fitted(fields, self.names)

    @staticmethod
    def _add(cut: _Cut, found: Sequence[tuple[int, list[str]]], needed: Sequence[int]) -> None:
        """Put rows that were read one by one among the others, in the order of the file."""
        if not found:
            return
        rows = np.concatenate([cut.rows, np.array([n for n, _ in found], np.int64)])
        order = np.argsort(rows, kind="stable")
        more = cells_in_columns([fields for _, fields in found], needed)
        cut.rows = rows[order]
        cut.columns = [
            _joined(column, more[at]).take(pa.array(order))
            for column, at in zip(cut.columns, needed, strict=True)
        ]

    def _cut_plain(self, block: bytes, number: NDArray[np.int64], needed: Sequence[int]) -> _Cut:
        """Cut lines with pyarrow; those it passes by are looked at one by one."""
        if not block:
            return _Cut([pa.array([], pa.string()) for _ in needed], np.zeros(0, np.int64), [])
        if self._numbers and not self._in_pieces:
            read = self._read(block, needed, self._numbers)
            if read is not None:
                return self._cut_read(block, read, number, needed)
            self._in_pieces = True
        if not self._numbers:
            return self._cut_read(block, self._read(block, needed, {}), number, needed)
        cuts, begin, line = [], 0, 0
        while begin < len(block):
            end = block.find(b"\n", begin + _PIECE_BYTES) + 1 or len(block)
            lines = block.count(b"\n", begin, end)
            cuts.append(self._cut_piece(block[begin:end], number[line : line + lines], needed))
            begin, line = end, line + lines
        columns = [_in_one([cut.columns[k] for cut in cuts]) for k in range(len(needed))]
        return _Cut(
            columns, np.concatenate([cut.rows for cut in cuts]), [n for cut in cuts for n in cut.lost]
        )

    def _cut_piece(self, block: bytes, number: NDArray[np.int64], needed: Sequence[int]) -> _Cut:
        """Cut a part of a block; the few lines whose numbers are none are taken out and looked at alone."""
        whole, numbers = (block, number), self._numbers
        odd: list[tuple[int, str]] = []
        read = self._read(block, needed, numbers)
        while read is None and numbers and self._odd_row and len(odd) < _FEW_ODD:
            ends = np.flatnonzero(np.frombuffer(block, np.uint8) == _FEED)
            at = self._odd_row - 1
            begin, end = (int(ends[at - 1]) + 1 if at else 0), int(ends[at])
            odd.append((int(number[at]), block[begin:end].decode("utf-8", "replace")))
            block, number = block[:begin] + block[end + 1 :], np.delete(number, at)
            nothing = [pa.array([], numbers.get(column, pa.string())) for column in needed]
            read = self._read(block, needed, numbers) if block else (nothing, [])
        if numbers:
            self._tried += 1
            self._failed += read is None or 2 * len(odd) >= len(whole[1])
            if self._failed > _FEW_FAILURES + self._tried // 4:
                # A file of many odd numbers is not tried again.
                self._numbers = {}
        if read is None:
            return self._cut_read(whole[0], self._read(whole[0], needed, {}), whole[1], needed)
        cut = self._cut_read(block, read, number, needed)
        self._add_lines(cut, odd, needed)
        return cut

    def _add_lines(self, cut: _Cut, lines: Sequence[tuple[int, str]], needed: Sequence[int]) -> None:
        """Add lines that were passed by, with the numbers of their rows; blank ones are none."""
        found = []
        for n, text in lines:
            if text.strip():
                fields = _fields(text, self.separator)
                cells = None if fields is None else fitted(fields, self.names)
                if cells is None:
                    cut.lost.append(n)
                else:
                    found.append((n, cells))
        self._add(cut, found, needed)

    def _cut_read(
        self, block: bytes, read: _Read | None, number: NDArray[np.int64], needed: Sequence[int]
    ) -> _Cut:
        """Return what pyarrow read of a block, with the lines that it passed by."""
        if read is None:
            return self._cut_slowly(block, number, needed)
        columns, passed = read
        if len(columns[0]) + len(passed) != len(number) or any(n is None for n, _ in passed):
            return self._cut_slowly(block, number, needed)
        at = np.array([n - 1 for n, _ in passed], np.int64)
        cut = _Cut(columns, np.delete(number, at) if len(at) else number, [])
        self._add_lines(cut, [(int(number[n - 1]), text) for n, text in passed], needed)
        return cut

    def _read(self, block: bytes, needed: Sequence[int], numbers: Mapping[int, ArrowType]) -> _Read | None:
        """Read lines with pyarrow; return columns and what it passes by, or None where it gives up."""
        names = [f"c{i}" for i in range(len(self.names))]
        types = {names[at]: numbers.get(at, pa.string()) for at in needed}
        passed: list[tuple[int, str]] = []

        def pass_by(row: pacsv.InvalidRow) -> str:
            passed.append((row.number, row.text))
            return "skip"

        try:
            table = pacsv.read_csv(
                pa.BufferReader(block),
                read_options=pacsv.ReadOptions(
                    column_names=names, use_threads=False, block_size=len(block) + 1
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=self.separator, invalid_row_handler=pass_by, ignore_empty_lines=False
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types=types,
                    include_columns=list(types),
                    # An empty number is no number: then the block is read as text.
                    null_values=[],
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowException as error:
            found = _ROW.search(str(error))
            self._odd_row = int(found.group(1)) if found else 0
            return None
        columns = [table.column(c) for c in types]
        return [c.chunk(0) if c.num_chunks == 1 else c.combine_chunks() for c in columns], passed

    def _cut_slowly(self, block: bytes, number: NDArray[np.int64], needed: Sequence[int]) -> _Cut:
        rows, cells, lost = [], [], []
        for n, line in zip(number.tolist(), block.decode("utf-8", "replace").split("\n"), strict=False):
            if not line.strip():
                continue
            fields = _fields(line, self.separator)
            fit = None if fields is None else fitted(fields, self.names)
            if fit is None:
                lost.append(n)
            else:
                rows.append(n)
                cells.append(fit)
        columns = cells_in_columns(cells, needed)
        return _Cut([columns[at] for at in needed], np.array(rows, np.int64), lost)
