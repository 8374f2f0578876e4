"""Blocks of an OSM file in the binary form (``.osm.pbf``) into the columns of `geo.osm.files.opl`.

Each block is inflated and decoded by a kernel in threads, without a copy of the map in another form: a map
of 38 MB is in columns in less than half the time that writing it as text would take, and no temporary file
is needed. Format: https://wiki.openstreetmap.org/wiki/PBF_Format. What is rare there (other compressions
than zlib, histories) is left to osmium, see `UnsupportedError`.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.arrays import Integer
from geo.osm.files.opl import OsmColumns, Selection, gather, key_table
from geo.osm.files.pbf_blocks import field, scan_block

__all__ = ["UnsupportedError", "scan_pbf"]

FEATURES = frozenset({b"OsmSchema-V0.6", b"DenseNodes"})
LARGEST_HEADER, LARGEST_BLOCK = 1 << 16, 1 << 25
"""Bytes, limits of the format."""


class UnsupportedError(Exception):
    """The file is in a rare form of pbf; osmium can read it."""


class _Blob(NamedTuple):
    compressed: bool
    data: bytes
    size: int


def scan_pbf(path: Path, nodes: Selection, ways: Selection) -> OsmColumns:
    """Read a pbf file: all node positions, the selected nodes and ways, and every tagged relation.

    Raises
    ------
    UnsupportedError
        The file asks for features, or is compressed in a way, that only osmium knows.
    ValueError
        The file is broken.
    """
    keys = (*key_table(nodes), *key_table(ways))

    def decode(blob: _Blob) -> tuple[NDArray[np.generic], ...]:
        return scan_block(np.frombuffer(_inflated(blob), dtype=np.uint8), *keys)

    with path.open("rb") as file:
        return gather(_blobs(file), decode)


def _blobs(file: BinaryIO) -> Iterator[_Blob]:
    """Check the header of the file, then give its data blocks."""
    first = True
    while head := file.read(4):
        size = int.from_bytes(head, "big")
        if len(head) < 4 or size > LARGEST_HEADER:
            raise ValueError("it is not a pbf file, or cut off")
        header = dict(_fields(_exactly(file, size)))
        body = dict(_fields(_exactly(file, _number(header, 3))))
        kind = header.get(1)
        if 1 in body:
            blob = _Blob(False, _bytes(body, 1), 0)
        elif 3 in body:
            blob = _Blob(True, _bytes(body, 3), _number(body, 2))
        else:
            raise UnsupportedError("a block is compressed by other means than zlib")
        if first != (kind == b"OSMHeader"):
            raise ValueError("it does not begin with the header of an OSM pbf file")
        if first:
            _check_features(_inflated(blob))
        elif kind == b"OSMData":
            yield blob
        first = False


def _exactly(file: BinaryIO, size: int) -> bytes:
    if not 0 <= size <= LARGEST_BLOCK:
        raise ValueError(f"a block is said to have {size} bytes, the most is {LARGEST_BLOCK}")
    data = file.read(size)
    if len(data) < size:
        raise ValueError("it is cut off within a block")
    return data


def _inflated(blob: _Blob) -> bytes:
    if not blob.compressed:
        return blob.data
    if not 0 <= blob.size <= LARGEST_BLOCK:
        raise ValueError(f"a block is said to have {blob.size} bytes, the most is {LARGEST_BLOCK}")
    try:
        worker = zlib.decompressobj()
        data = worker.decompress(blob.data, max(blob.size, 1))
    except zlib.error as error:
        raise ValueError(f"a block cannot be inflated ({error})") from error
    if len(data) != blob.size or not worker.eof:
        raise ValueError("a block has another size than it says")
    return data


def _check_features(header: bytes) -> None:
    for number, value in _fields(header):
        if number == 4 and value not in FEATURES:
            raise UnsupportedError(f"the file asks for {value!r}")


def _fields(text: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Give number and value of each field of a small message."""
    data = np.frombuffer(text, np.uint8)
    at: Integer = 0
    while at < len(data):
        number, low, high, at = field(data, at, len(data))
        yield int(number), text[low:high] if high else int(low)


def _number(message: dict[int, int | bytes], field: int) -> int:
    value = message.get(field)
    if not isinstance(value, int):
        raise ValueError("a block does not say how large it is")
    return value


def _bytes(message: dict[int, int | bytes], field: int) -> bytes:
    value = message.get(field)
    if not isinstance(value, bytes):
        raise ValueError("a block has no content")
    return value
