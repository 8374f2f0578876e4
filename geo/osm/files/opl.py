"""The text form of OSM objects (OPL, one object a line) into numpy columns.

Every input format is turned into OPL by osmium in C++ (`geo.osm.read`); here a kernel scans the text. That is
several times faster than a Python loop over objects, costs no memory beyond the columns, and treats
synthetic, negative and unsorted ids alike. Format: https://osmcode.org/opl-file-format/ (written without
metadata but for the version, so a line has the fields ``v`` version, ``d`` whether it is deleted, ``T`` tags,
``x`` ``y`` location, ``N`` node list, ``M`` members).
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from geo.jit import kernel

__all__ = [
    "Objects",
    "OsmColumns",
    "Relation",
    "Selection",
    "TaggedNodes",
    "gather",
    "key_role",
    "key_table",
    "parse_tags",
    "scan_opl",
]

CHUNK_BYTES = 1 << 22
THREADS = 2
DEGREE = 10_000_000
"""OSM stores locations as whole multiples of 1e-7 degrees."""
NOWHERE = 2**31 - 1

T = TypeVar("T")

KEEP, SELECT, DROP, STREET = 1, 2, 4, 8
FNV_OFFSET, FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
NEWLINE, SPACE, COMMA, EQUALS, MINUS, DOT, ZERO, NINE = (ord(c) for c in "\n ,=-.09")
LETTER_N, LETTER_W, LETTER_R, LETTER_X, LETTER_Y, TAGS, REFS = (ord(c) for c in "nwrxyTN")
LETTER_D, DELETED = ord("d"), ord("D")

UInt64Array = NDArray[np.uint64]
UInt8Array = NDArray[np.uint8]

_OBJECT = (np.int64, np.int32, np.uint8)
_SCANNED = (np.int64, np.int32, np.int32, *_OBJECT, *_OBJECT, np.int32, np.int64, np.bool_, np.uint8)
"""Of the columns that `_scan_chunk` returns: nothing has to be compiled to know them."""
_ESCAPE = re.compile("%([0-9a-f]+)%")


class Selection(NamedTuple):
    """What is kept of nodes or ways.

    Attributes
    ----------
    select : frozenset of str
        A node is kept, and a way always, when it has one of these keys.
    keep : frozenset of str
        Of the tags those with these keys stay.
    drop : frozenset of str
        A way that is not selected is kept without tags, since it may be part of a multipolygon; not when it
        has one of these keys.
    """

    select: frozenset[str]
    keep: frozenset[str]
    drop: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Objects:
    """Selected nodes or ways: ids, kept tags as text; of ways the node ids too.

    `street` says whether a way has one of the keys ``highway`` and ``route``.
    """

    id: NDArray[np.int64]
    tag_ptr: NDArray[np.int64]
    tag_text: bytes
    ref_ptr: NDArray[np.int64]
    ref: NDArray[np.int64]
    street: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.id)

    def texts(self, rows: NDArray[np.int64] | None = None) -> Iterator[str]:
        """Kept tags of each object (or of these rows) in OPL notation (``key=value,key=value``)."""
        rows = np.arange(len(self)) if rows is None else rows
        text = self.tag_text
        for start, stop in zip(self.tag_ptr[rows].tolist(), self.tag_ptr[rows + 1].tolist(), strict=True):
            yield text[start:stop].decode(errors="replace")

    def refs(self, index: int) -> NDArray[np.int64]:
        """Node ids of way number `index`."""
        return self.ref[self.ref_ptr[index] : self.ref_ptr[index + 1]]


class Relation(NamedTuple):
    """A relation: tags and members as (type letter, id, role)."""

    id: int
    tags: dict[str, str]
    members: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class OsmColumns:
    """Columns of one OSM file. `node_id` is sorted; `node_x`, `node_y` are in 1e-7 degrees."""

    node_id: NDArray[np.int64]
    node_x: NDArray[np.int32]
    node_y: NDArray[np.int32]
    nodes: Objects
    ways: Objects
    relations: tuple[Relation, ...]

    def find(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row of each node id in `node_id`, -1 where the file does not hold it or its place on earth."""
        if not len(self.node_id):
            return np.full(len(ids), -1)
        row = np.minimum(np.searchsorted(self.node_id, ids), len(self.node_id) - 1)
        known = (self.node_id[row] == ids) & (np.abs(self.node_x[row]) <= 180 * DEGREE)
        known &= np.abs(self.node_y[row]) <= 90 * DEGREE
        return np.where(known, row, -1)

    def tagged(self) -> "TaggedNodes":
        """Give the selected nodes that have a location."""
        rows = self.find(self.nodes.id)
        texts = tuple(text for text, row in zip(self.nodes.texts(), rows.tolist(), strict=True) if row >= 0)
        return TaggedNodes(texts, self.lonlat(rows[rows >= 0]))

    def lonlat(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Positions (n, 2), WGS-84 degrees, of rows from `find`; NaN for -1."""
        out = np.full((len(rows), 2), np.nan)
        known = rows >= 0
        out[known, 0] = self.node_x[rows[known]]
        out[known, 1] = self.node_y[rows[known]]
        return out / DEGREE


class TaggedNodes(NamedTuple):
    """Selected nodes with their tags as OPL text and positions (n, 2)."""

    texts: tuple[str, ...]
    lonlat: NDArray[np.float64]


def parse_tags(text: str) -> dict[str, str]:
    """Tags of an OPL tag field as a dict."""
    tags = {}
    for part in text.split(","):
        key, _, value = part.partition("=")
        tags[key] = value
    if "%" in text:
        return {_plain(key): _plain(value) for key, value in tags.items()}
    return tags


def scan_opl(path: Path, nodes: Selection, ways: Selection) -> OsmColumns:
    """Read an OPL file: all node positions, the selected nodes and ways, and every tagged relation.

    Other ways are kept without tags, see `Wanted.drop`.
    """
    keys = (*key_table(nodes), *key_table(ways))
    with path.open("rb") as file:
        return gather(_chunks(file), lambda chunk: _scan_chunk(chunk, *keys))


def gather(pieces: Iterable[T], columns_of: Callable[[T], tuple[NDArray[np.generic], ...]]) -> OsmColumns:
    """Turn pieces of a map into columns, in threads, and join these in the order of the pieces.

    Parameters
    ----------
    pieces
        Read one by one, a few ahead of what is joined.
    columns_of
        Columns of a piece, as `_scan_chunk` returns them.
    """
    columns: list[list[NDArray[Any]]] = [[np.empty(0, dtype)] for dtype in _SCANNED]

    def collect(done: Future[tuple[NDArray[np.generic], ...]]) -> None:
        for column, part in zip(columns, done.result(), strict=True):
            column.append(part.copy())

    with ThreadPoolExecutor(THREADS) as pool:
        running: deque[Future[tuple[NDArray[np.generic], ...]]] = deque()
        for piece in pieces:
            if len(running) == 2 * THREADS:
                collect(running.popleft())
            running.append(pool.submit(columns_of, piece))
        while running:
            collect(running.popleft())
    # One column after the other, so that pieces and whole lie side by side for one of them only.
    joined = [_join(column) for column in columns]
    node_id, x, y, tagged_id, tagged_len, tagged_text, way_id, way_len, way_text, *more = joined
    n_refs, ref, street, lines = more
    if len(node_id) > 1 and not bool((node_id[1:] > node_id[:-1]).all()):
        node_id, first = np.unique(node_id, return_index=True)
        x, y = x[first], y[first]
    return OsmColumns(
        node_id=node_id,
        node_x=x,
        node_y=y,
        nodes=Objects(
            tagged_id, _ptr(tagged_len), tagged_text.tobytes(), np.zeros(1, np.int64), node_id[:0], street[:0]
        ),
        ways=Objects(way_id, _ptr(way_len), way_text.tobytes(), _ptr(n_refs), ref, street),
        relations=tuple(
            _relation(line.decode(errors="replace"))
            for line in lines.tobytes().split(b"\n")[:-1]
            if b" dD " not in line
        ),
    )


def _chunks(file: BinaryIO) -> Iterator[UInt8Array]:
    """Pieces of whole lines."""
    rest = b""
    while block := file.read(CHUNK_BYTES):
        cut = block.rfind(b"\n") + 1
        if cut:
            yield np.frombuffer(rest + block[:cut], dtype=np.uint8)
            rest = block[cut:]
        else:
            rest += block


def _join(parts: list[NDArray[Any]]) -> NDArray[Any]:
    whole = np.concatenate(parts)
    parts.clear()
    return whole


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def _ptr(lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    ptr = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=ptr[1:])
    return ptr


def _relation(line: str) -> Relation:
    head, *fields = line.split(" ")
    tags: dict[str, str] = {}
    members = []
    for field in fields:
        if field[:1] == "T" and len(field) > 1:
            tags = parse_tags(field[1:])
        elif field[:1] == "M" and len(field) > 1:
            for member in field[1:].split(","):
                ref, _, role = member.partition("@")
                members.append((ref[0], int(ref[1:]), _plain(role)))
    return Relation(int(head[1:]), tags, tuple(members))


def _hash(key: str) -> int:
    """Fowler-Noll-Vo hash (FNV-1a, 64 bits) of the key as OPL writes it."""
    value = int(FNV_OFFSET)
    for byte in key.encode():
        value = ((value ^ byte) * int(FNV_PRIME)) % 2**64
    return value


def key_table(wanted: Selection) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Sorted key hashes and what each key does: bits `KEEP`, `SELECT`, `DROP`, `STREET`."""
    role = {_hash(key): KEEP for key in wanted.keep}
    for keys, bit in ((wanted.select, SELECT), (wanted.drop, DROP), (("highway", "route"), STREET)):
        for key in keys:
            role[_hash(key)] = role.get(_hash(key), 0) | bit
    hashes = sorted(role)
    return np.array(hashes, dtype=np.uint64), np.array([role[h] for h in hashes], dtype=np.uint8)


@kernel
def key_role(hashes: UInt64Array, roles: UInt8Array, value: np.uint64) -> int:
    """Look up what a key does by its hash; 0 for any other key."""
    low, high = 0, len(hashes)
    while low < high:
        middle = (low + high) >> 1
        if hashes[middle] < value:
            low = middle + 1
        else:
            high = middle
    if low < len(hashes) and hashes[low] == value:
        return int(roles[low])
    return 0


@kernel
def _integer(text: UInt8Array, at: int) -> tuple[int, int]:
    """Whole number that begins at `at`, and where it ends."""
    negative = text[at] == MINUS
    if negative:
        at += 1
    value = 0
    while at < len(text) and ZERO <= text[at] <= NINE:
        value = value * 10 + int(text[at]) - ZERO
        at += 1
    return (-value if negative else value), at


@kernel
def _degrees(text: UInt8Array, at: int) -> tuple[int, int]:
    """Decimal number that begins at `at` in 1e-7 units, `NOWHERE` when there is none; and where it ends."""
    start = at
    negative = text[at] == MINUS
    if negative:
        at += 1
    value, places = 0, -1
    while at < len(text) and (ZERO <= text[at] <= NINE or text[at] == DOT):
        if text[at] == DOT:
            places = 0
        else:
            value = value * 10 + int(text[at]) - ZERO
            if places >= 0:
                places += 1
        at += 1
    if at == start:
        return NOWHERE, at
    for _ in range(7 - max(places, 0)):
        value *= 10
    return (-value if negative else value), at


@kernel
def _copy_tags(
    text: UInt8Array, at: int, hashes: UInt64Array, roles: UInt8Array, out: UInt8Array, filled: int
) -> tuple[int, int, int]:
    """Copy the wanted tags of the field at `at`: its end, bytes in `out`, and the roles of all its keys."""
    first, roles_seen = filled, 0
    while at < len(text) and text[at] != SPACE and text[at] != NEWLINE:
        start = at
        value = FNV_OFFSET
        while text[at] != EQUALS and text[at] != SPACE and text[at] != NEWLINE:
            value = (value ^ np.uint64(text[at])) * FNV_PRIME
            at += 1
        role = key_role(hashes, roles, value)
        while text[at] != COMMA and text[at] != SPACE and text[at] != NEWLINE:
            at += 1
        roles_seen |= role
        if role & KEEP:
            if filled > first:
                out[filled] = COMMA
                filled += 1
            out[filled : filled + at - start] = text[start:at]
            filled += at - start
        if text[at] == COMMA:
            at += 1
    return at, filled, roles_seen


@kernel
def _scan_chunk(
    text: UInt8Array,
    node_hashes: UInt64Array,
    node_roles: UInt8Array,
    way_hashes: UInt64Array,
    way_roles: UInt8Array,
) -> tuple[NDArray[np.generic], ...]:
    """Columns of whole lines: nodes, tagged nodes, ways, references, and the relation lines as they are.

    One loop over the bytes: each field ends where the next begins.
    """
    lines, commas = 0, 0
    for byte in text:
        lines += byte == NEWLINE
        commas += byte == COMMA
    node_id, x, y = np.empty(lines, np.int64), np.empty(lines, np.int32), np.empty(lines, np.int32)
    tagged_id, tagged_len = np.empty(lines, np.int64), np.empty(lines, np.int32)
    way_id, way_len, n_refs = np.empty(lines, np.int64), np.empty(lines, np.int32), np.empty(lines, np.int32)
    refs, street = np.empty(commas + lines, np.int64), np.empty(lines, np.bool_)
    tagged_text, way_text = np.empty(len(text), np.uint8), np.empty(len(text), np.uint8)
    relation_text = np.empty(len(text), np.uint8)
    nodes = tagged = ways = n_ref = tagged_bytes = way_bytes = relation_bytes = 0
    at = 0
    while at < len(text):
        start, kind = at, text[at]
        if kind == LETTER_R:
            while text[at] != NEWLINE:
                at += 1
            at += 1
            relation_text[relation_bytes : relation_bytes + at - start] = text[start:at]
            relation_bytes += at - start
            continue
        if kind != LETTER_N and kind != LETTER_W:
            while text[at] != NEWLINE:
                at += 1
            at += 1
            continue
        ident, at = _integer(text, at + 1)
        filled = tagged_bytes if kind == LETTER_N else way_bytes
        first_ref, first_byte, role = n_ref, filled, 0
        here_x = here_y = NOWHERE
        deleted = False
        while text[at] != NEWLINE:
            field = text[at]
            at += 1
            if field == TAGS and kind == LETTER_N:
                at, filled, role = _copy_tags(text, at, node_hashes, node_roles, tagged_text, filled)
            elif field == TAGS:
                at, filled, role = _copy_tags(text, at, way_hashes, way_roles, way_text, filled)
            elif field == LETTER_X:
                here_x, at = _degrees(text, at)
            elif field == LETTER_Y:
                here_y, at = _degrees(text, at)
            elif field == REFS:
                while text[at] == LETTER_N:
                    refs[n_ref], at = _integer(text, at + 1)
                    n_ref += 1
                    while text[at] != COMMA and text[at] != SPACE and text[at] != NEWLINE:
                        at += 1
                    if text[at] == COMMA:
                        at += 1
            elif field != SPACE:
                deleted |= field == LETTER_D and text[at] == DELETED
                while text[at] != SPACE and text[at] != NEWLINE:
                    at += 1
        at += 1
        if deleted:
            n_ref = first_ref
        elif kind == LETTER_N:
            node_id[nodes], x[nodes], y[nodes] = ident, here_x, here_y
            nodes += 1
            if role & SELECT:
                tagged_id[tagged], tagged_len[tagged] = ident, filled - first_byte
                tagged += 1
                tagged_bytes = filled
        elif role & SELECT or not role & DROP:
            if not role & SELECT:
                filled = first_byte
            street[ways] = role & STREET != 0
            way_id[ways], way_len[ways], n_refs[ways] = ident, filled - first_byte, n_ref - first_ref
            ways += 1
            way_bytes = filled
        else:
            n_ref = first_ref
    return (
        node_id[:nodes],
        x[:nodes],
        y[:nodes],
        tagged_id[:tagged],
        tagged_len[:tagged],
        tagged_text[:tagged_bytes],
        way_id[:ways],
        way_len[:ways],
        way_text[:way_bytes],
        n_refs[:ways],
        refs[:n_ref],
        street[:ways],
        relation_text[:relation_bytes],
    )
