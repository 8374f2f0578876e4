"""Reader of delimited text tables, with the quirks that spreadsheets and databases leave in them."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import IO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.ahead import read_ahead
from geo.traces.files.tables.column_plans import Chunk
from geo.traces.files.tables.columns import find_header
from geo.traces.files.tables.lines import Cut, PlainLines, cells_in_columns, fields_of, fitted, one_cut
from geo.traces.files.text import Decoder, utf8_blocks
from geo.traces.formats import TraceFormat
from geo.traces.instants import ArrowArray, ArrowType

__all__ = ["CsvTable"]

_HEAD_LINES: Final = 30
_SAMPLE_LINES: Final = 1_000
_SAMPLE_BYTES: Final = 400_000
_APART: Final = (re.compile("，".encode()), re.compile(rb"[ \t]+"))
_OUTER_BLANKS: Final = re.compile(rb"^[ \t]+|[ \t]+$", re.MULTILINE)
_SINGLE: Final = re.compile(
    rb"(?:(?<=[,\t;|\n])|^)[ \t]*'((?:[^'\\\n]|''|\\.)*)'[ \t]*(?=[,\t;|\n]|$)", re.MULTILINE
)
"""A field between quotes of one stroke, as databases write texts: one within is doubled or escaped."""
_LEAST_LINES, _LEAST_COLUMNS, _MOST = 3, 3, 0.9
_SEPARATORS: Final = ",\t;|"
_LONGEST_RECORD: Final = 64  # lines that one quoted field may go over
_LONGEST_NAME: Final = 8  # lines that a title or the name of a column may go over
_FEW_QUOTES: Final = 10_000
_FEW_QUOTED: Final = 200  # lines with quotes that are read one by one
_FEW_GAPS: Final = 16
_FEW_ODD: Final = 500  # places between which line ends are counted
_FEED, _QUOTE = 10, 34


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


def _separator(lines: Sequence[str], declared: str) -> str:
    """Return the separator that most lines have equally often."""
    if declared != "auto":
        return declared
    bare = [re.sub(r'"[^"]*"', "", line) for line in lines]

    def agreement(separator: str) -> tuple[int, int]:
        counts = [line.count(separator) for line in bare]
        return max(((counts.count(n), n) for n in set(counts) if n > 0), default=(0, 0))

    return max(_SEPARATORS, key=agreement)


def _columns_apart(lines: Sequence[str], separators: Sequence[str]) -> re.Pattern[bytes] | None:
    """Return what parts the columns of lines in which no separator stands: full-width commas, or blanks.

    Nine lines in ten have as many columns as the first, three or more, so that a text of words is none.
    """
    if len(lines) < _LEAST_LINES or any(mark in line for line in lines for mark in separators):
        return None
    for apart in _APART:
        counts = [len(apart.findall(line.strip().encode())) for line in lines]
        # The header as most of the lines.
        if counts[0] >= _LEAST_COLUMNS - 1 and counts.count(counts[0]) >= _MOST * len(counts):
            return apart
    return None


def _in_tabs(block: bytes, apart: re.Pattern[bytes]) -> bytes:
    """Let columns be parted by tabs; blanks that begin or end a line part nothing."""
    return apart.sub(b"\t", _OUTER_BLANKS.sub(b"", block))


_ESCAPED: Final = re.compile(rb"\\(.)")


def _in_double(field: re.Match[bytes]) -> bytes:
    inner = _ESCAPED.sub(rb"\1", field.group(1).replace(b"''", b"'")).replace(b'"', b'""')
    return b'"' + inner + b'"' if any(mark in inner for mark in b',\t;|" ') else inner


def _are_numbered(rows: Sequence[list[str]]) -> bool:
    """Return whether rows begin with their numbers, as R writes them without a name above."""
    first = [row[0] for row in rows]
    return all(text.isdecimal() for text in first) and all(int(b) == int(a) + 1 for a, b in pairwise(first))


class _Line(NamedTuple):
    line: int
    begin: int
    end: int
    odd: bool
    """Whether it has an odd number of quotes."""


def _line_numbers(feed: NDArray[np.bool_], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of line ends before each of some ascending bytes."""
    if len(at) > _FEW_ODD:
        found: NDArray[np.int64] = np.searchsorted(np.flatnonzero(feed), at)
        return found
    edges = [0, *at.tolist()]
    return np.cumsum([np.count_nonzero(feed[a:b]) for a, b in pairwise(edges)], dtype=np.int64)


def _quoted_lines(block: bytes, feed: NDArray[np.bool_]) -> list[_Line]:
    """Return the lines with quotes, or where these are many those with an odd number of quotes."""
    spans: list[tuple[int, int]] = []
    at = block.find(b'"')
    while at >= 0 and len(spans) <= _FEW_QUOTED:
        end = block.find(b"\n", at)
        spans.append((block.rfind(b"\n", 0, at) + 1, end))
        at = block.find(b'"', end)
    if len(spans) <= _FEW_QUOTED:
        first = _line_numbers(feed, np.array([a for a, _ in spans], np.int64))
        return [
            _Line(n, a, b, block.count(b'"', a, b) % 2 == 1)
            for n, (a, b) in zip(first.tolist(), spans, strict=True)
        ]
    if block.count(b'"') <= _FEW_QUOTES and not _has_odd_line(block):
        return []
    ends = np.flatnonzero(feed)
    before = np.searchsorted(np.flatnonzero(np.frombuffer(block, np.uint8) == _QUOTE), ends)
    odd = np.flatnonzero(np.diff(before, prepend=0) & 1).tolist()
    return [_Line(i, int(ends[i - 1]) + 1 if i else 0, int(ends[i]), True) for i in odd]


def _has_odd_line(block: bytes) -> bool:
    at = block.find(b'"')
    while at >= 0:
        end = block.find(b"\n", at)
        if block.count(b'"', at, end) % 2:
            return True
        at = block.find(b'"', end)
    return False


def _blank_lines(feed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the blank lines as gaps: an empty number is none, and a piece would be read again for them."""
    twice = feed[1:] & feed[:-1]
    if not (feed[:1].any() or twice.any()):
        return np.zeros((0, 4), np.int64)
    at = np.concatenate([np.flatnonzero(feed[:1]), _true_places(twice) + 1])
    return np.column_stack([_line_numbers(feed, at), np.ones_like(at), at, at + 1])


def _true_places(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return where a mask is true; quicker than numpy's search where that is seldom."""
    whole = len(mask) & ~7
    words = np.flatnonzero(mask[:whole].view(np.uint64))
    near = (8 * words[:, None] + np.arange(8)).ravel()
    return np.concatenate([near[mask[near]], whole + np.flatnonzero(mask[whole:])])


def _together(quoted: NDArray[np.int64], blank: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put gaps in one order; a blank line within quotes is none."""
    if not len(quoted) or not len(blank):
        return np.concatenate([quoted, blank])
    within = np.searchsorted(quoted[:, 2], blank[:, 2]) - 1
    apart = (within < 0) | (blank[:, 2] >= quoted[within, 3])
    gaps = np.concatenate([quoted, blank[apart]])
    return gaps[np.argsort(gaps[:, 2])]


def _without(
    block: bytes, gaps: NDArray[np.int64], lines: int, first_row: int
) -> tuple[bytes, NDArray[np.int64]]:
    """Take gaps out of a block; return it, and the numbers of its lines. A gap is one record."""
    if not len(gaps):
        return block, np.arange(first_row, first_row + lines, dtype=np.int64)
    left = lines - int(gaps[:, 1].sum())
    before = gaps[:, 0] - np.cumsum(gaps[:, 1]) + gaps[:, 1]
    number = first_row + np.arange(left) + np.cumsum(np.bincount(before, minlength=left + 1))[:left]
    begins, ends = [0, *gaps[:, 3].tolist()], [*gaps[:, 2].tolist(), len(block)]
    return b"".join([block[a:b] for a, b in zip(begins, ends, strict=True)]), number


class CsvTable:
    """A delimited text file: its header is found, its rows are read block by block."""

    def __init__(self, stream: IO[bytes], name: str, trace_format: TraceFormat) -> None:
        self.decoder = Decoder(trace_format.encoding)
        self._blocks = utf8_blocks(stream, self.decoder)
        block = next(self._blocks, b"")
        while block and not block.strip(b"\n"):
            block = next(self._blocks, b"")
        self._block = block.lstrip(b"\n")
        if not self._block.strip():
            raise InputError(Sentence.of("trace_empty_table", name=name))
        declared = self._take_sep_line() or trace_format.separator
        self._double_quotes()
        self._part_columns(declared)
        text = self._block[:_SAMPLE_BYTES].decode("utf-8", "replace")
        lines = text.split("\n")
        if len(self._block) > _SAMPLE_BYTES and len(lines) > 1:
            lines.pop()
        filled = [(end, line) for end, line in _whole(lines[: 2 * _HEAD_LINES]) if line.strip()][:_HEAD_LINES]
        self.separator = _separator([line for _, line in filled], declared)
        heads = [
            (end, fields) for end, line in filled if (fields := fields_of(line, self.separator)) is not None
        ]
        at = find_header([fields for _, fields in heads], trace_format, name)
        self.header = at is not None
        #: Lines above the header, such as a title.
        self.title_lines = at or 0
        first = 0 if at is None else heads[at][0]
        rows = [
            fields_of(line, self.separator) or []
            for line in lines[first : first + _SAMPLE_LINES]
            if line.strip()
        ]
        self.names = self._padded([n.strip() for n in heads[at][1]] if at is not None else [], rows)
        for _ in range(first):
            self._block = self._block.partition(b"\n")[2]
        good = [cells for row in rows if (cells := fitted(row, self.names)) is not None]
        self.sample: Mapping[int, ArrowArray] = cells_in_columns(good, range(len(self.names)))
        self._lines = PlainLines(self.names, self.separator)

    def _part_columns(self, declared: str) -> None:
        """Bring lines that are parted by full-width commas or by blanks to tabs, as far as the file goes."""
        lines = [
            line
            for line in self._block[:_SAMPLE_BYTES].decode("utf-8", "replace").split("\n")
            if line.strip()
        ]
        apart = _columns_apart(lines[:_HEAD_LINES], _SEPARATORS) if declared == "auto" else None
        if apart is not None:
            self._block = _in_tabs(self._block, apart)
            blocks = self._blocks
            self._blocks = (_in_tabs(block, apart) for block in blocks)

    def _double_quotes(self) -> None:
        """Read quotes of one stroke, as databases write them, as the usual ones."""
        lines = [line for line in self._block[:_SAMPLE_BYTES].split(b"\n") if line.strip()][1:_HEAD_LINES]
        single = [len(_SINGLE.findall(line)) > 1 and not line.lstrip().startswith(b'"') for line in lines]
        if sum(single) * 2 > len(lines):
            self._block = _SINGLE.sub(_in_double, self._block)
            blocks = self._blocks
            self._blocks = (_SINGLE.sub(_in_double, block) for block in blocks)

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
        if width == len(names) + 1 and all(len(row) == width for row in rows) and _are_numbered(rows):
            return ["", *names]
        if width < len(names) and not any(names[width:]):
            return names[:width]
        return names

    def chunks(self, needed: Sequence[int], numbers: Mapping[int, ArrowType]) -> Iterator[Chunk]:
        """Read the rows; the next block is cut while what becomes of this one is worked on."""
        return read_ahead(self._chunks(needed, numbers))

    def _chunks(self, needed: Sequence[int], numbers: Mapping[int, ArrowType]) -> Iterator[Chunk]:
        self._lines.numbers = dict(numbers)
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
    ) -> tuple[Cut, int, bytes]:
        """Cut a block into columns; return them, the number of records, and lines kept for the next block."""
        if not block.endswith(b"\n"):
            block += b"\n"
        feed = np.frombuffer(block, np.uint8) == _FEED
        lines, kept = int(np.count_nonzero(feed)), len(block)
        quoted, records, first = self._quoted(block, _quoted_lines(block, feed), lines, final)
        if first is not None:
            lines, kept = first.line, first.begin
        gaps = _together(quoted, _blank_lines(feed[:kept]))
        numbers = (first_row + quoted[:, 0] - np.cumsum(quoted[:, 1] - 1) + quoted[:, 1] - 1).tolist()
        alone = dict(zip(numbers, records, strict=True))
        if len(gaps) <= _FEW_GAPS:
            cut = self._cut_between((block[:kept], feed[:kept]), gaps, lines, first_row, alone, needed)
        else:
            rest, number = _without(block[:kept], gaps, lines, first_row)
            ends = np.frombuffer(rest, np.uint8) == _FEED
            cut = one_cut(self._lines.cut(rest, ends, (0, len(rest)), number, needed), needed)
            cut.lost += [n for n, fields in alone.items() if fields is None]
            self._lines.add(cut, [(n, fields) for n, fields in alone.items() if fields is not None], needed)
        return cut, lines - int((quoted[:, 1] - 1).sum()), block[kept:]

    def _cut_between(
        self,
        told: tuple[bytes, NDArray[np.bool_]],
        gaps: NDArray[np.int64],
        lines: int,
        first_row: int,
        alone: Mapping[int, list[str] | None],
        needed: Sequence[int],
    ) -> Cut:
        """Cut the lines between a few gaps where they stand, which spares a copy of the block.

        ``told`` are the block and which of its bytes are line ends.
        """
        block, feed = told
        cuts: list[Cut] = []
        number, begin, line = first_row, 0, 0
        for at, taken, gap, end in [*gaps.tolist(), [lines, 0, len(block), len(block)]]:
            here = np.arange(number, number + at - line, dtype=np.int64)
            cuts += self._lines.cut(block, feed, (begin, gap), here, needed)
            number += len(here)
            if number in alone:
                cuts.append(self._lines.cut_record(number, alone[number], needed))
            number, begin, line = number + 1, end, at + taken
        return one_cut(cuts, needed)

    def _quoted(
        self, block: bytes, lines: Sequence[_Line], count: int, final: bool
    ) -> tuple[NDArray[np.int64], list[list[str] | None], _Line | None]:
        """Read the records of lines with quotes, some of which go over line ends.

        Return them as gaps, what they hold, and the first line that is kept for the next block.
        """
        gaps: list[tuple[int, int, int, int]] = []
        records: list[list[str] | None] = []
        k = 0
        while k < len(lines):
            one = last = lines[k]
            record = self._record(block[one.begin : one.end])
            k += 1
            if one.odd:
                j = next((j for j in range(k, len(lines)) if lines[j].odd), None)
                if j is None and not final and count - one.line <= _LONGEST_RECORD:
                    return np.array(gaps, np.int64).reshape(-1, 4), records, one
                if j is not None and lines[j].line - one.line <= _LONGEST_RECORD:
                    joined = self._record(block[one.begin : lines[j].end])
                    if joined is not None and (record is None or self._goes_on(block, one, lines[j])):
                        record, last, k = joined, lines[j], j + 1
            gaps.append((one.line, last.line - one.line + 1, one.begin, last.end + 1))
            records.append(record)
        return np.array(gaps, np.int64).reshape(-1, 4), records, None

    def _goes_on(self, block: bytes, one: _Line, other: _Line) -> bool:
        """Return whether a record that fits may go on: its last field is open, and what closes it is none."""
        line = block[one.begin : one.end].decode("utf-8", "replace")
        return _is_open(line, self.separator) and self._record(block[other.begin : other.end]) is None

    def _record(self, raw: bytes) -> list[str] | None:
        return self._lines.record(raw.decode("utf-8", "replace"))
