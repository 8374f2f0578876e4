"""Points grouped by rider, whatever the order of the rows: streaming, or by hash partition and spill."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from geo.jit import kernel
from geo.traces.rows.ingest import Block
from geo.traces.rows.riders import RiderTable

__all__ = [
    "ComesBackError",
    "read_partition",
    "rider_by_rider",
    "spilled_partitions",
    "write_partitions",
]

_PARTITIONS: Final = 128
_PIECE_POINTS: Final = 500_000
_POINT: Final = np.dtype(
    [("unit", "<i4"), ("t_s", "<i8"), ("lon", "<f8"), ("lat", "<f8"), ("event", "<i2"), ("source", "<i8")]
)


class ComesBackError(Exception):
    """A rider came back whose points were handed over already."""


def _part_off(held: list[Block]) -> tuple[list[Block], list[Block]]:
    """Part what is held into the rows of other riders and those of the rider who came last."""
    last = held[-1].unit[-1]
    ready, kept = [], []
    for block in held:
        others = np.flatnonzero(block.unit != last)
        cut = int(others[-1]) + 1 if len(others) else 0
        if len(others) == cut:
            # Their rows stand at the end: both parts are views.
            ready += [block.take(slice(0, cut))] if cut else []
            kept += [block.take(slice(cut, None))] if cut < len(block) else []
        else:
            ready.append(block.take(others))
            kept.append(block.take(block.unit == last))
    return ready, kept


def rider_by_rider(
    blocks: Iterator[Block], hold_points: int, spill: Callable[[Iterator[Block]], Iterator[list[Block]]]
) -> Iterator[list[Block]]:
    """Hand over the points of riders as soon as the next rider begins; refuse riders that come back.

    The first `hold_points` are held whatever their order; what comes later is not even copied, apart from
    the rider who goes on from one block to the next. Where riders come back among those that are held,
    nothing is handed over: all is left to `spill`.
    """
    held: list[Block] = []
    count = 0
    mixed = False
    closed = np.zeros(0, np.bool_)
    for block in blocks:
        if len(block) == 0:
            continue
        top = int(block.unit.max()) + 1
        if top > len(closed):
            closed = np.concatenate([closed, np.zeros(2 * top - len(closed), np.bool_)])
        if closed[block.unit].any():
            raise ComesBackError
        if count <= hold_points:
            mixed = mixed or _comes_back(held, block)
            held.append(block)
            count += len(block)
            if count <= hold_points:
                continue
            if mixed:
                # Nothing stays held here while all is spilled.
                yield from spill(itertools.chain(_emptied(held), blocks))
                return
        else:
            # Rows by rider: the rider who went on, then the riders that are whole in this block.
            others = np.flatnonzero(block.unit != held[0].unit[0])
            head = int(others[0]) if len(others) else len(block)
            held.append(block.take(slice(0, head)))
            if head == len(block):
                continue
            block = block.take(slice(head, None))
            closed[held[0].unit[0]] = True
            if closed[block.unit].any():
                raise ComesBackError
            yield held
            held = [block]
        ready, held = _part_off(held)
        if ready:
            for part in ready:
                closed[part.unit] = True
            yield from _in_pieces(ready)
    if held:
        yield from [held] if mixed else _in_pieces(held)


def _in_pieces(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Part blocks in which no rider comes back, so that one is judged while the next is joined."""
    piece: list[Block] = []
    for block in blocks:
        piece.append(block)
        if sum(map(len, piece)) >= _PIECE_POINTS:
            ready, piece = _part_off(piece)
            if ready:
                yield ready
    if piece:
        yield piece


def _emptied(held: list[Block]) -> Iterator[Block]:
    """Hand out blocks, and let go of each."""
    held.reverse()
    while held:
        yield held.pop()


def _comes_back(held: Sequence[Block], block: Block) -> bool:
    """Return whether a block brings back a rider other than the one who came last."""
    seen = np.zeros(max(int(b.unit.max()) for b in (*held, block)) + 1, np.bool_)
    for other in held:
        seen[other.unit] = True
    if held:
        seen[held[-1].unit[-1]] = False
    return bool(seen[block.unit].any())


@kernel
def _pack(
    unit: NDArray[np.int32],
    t_s: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    event: NDArray[np.int16],
    source: NDArray[np.int64],
    share_of: NDArray[np.int16],
    ends: NDArray[np.int64],
    records: NDArray[np.void],
) -> None:
    """Write points as records, share by share, in their order; `ends` are filled with where each ends."""
    for i in range(len(unit)):
        ends[share_of[unit[i]] + 1] += 1
    for share in range(1, len(ends)):
        ends[share] += ends[share - 1]
    at = ends[:-1].copy()
    for i in range(len(unit)):
        share = share_of[unit[i]]
        record = records[at[share]]
        at[share] += 1
        record.unit = unit[i]
        record.t_s = t_s[i]
        record.lon = lonlat[i, 0]
        record.lat = lonlat[i, 1]
        record.event = event[i]
        record.source = source[i]


@kernel
def _unpack(
    records: NDArray[np.void],
    place: NDArray[np.int64],
    unit: NDArray[np.int32],
    t_s: NDArray[np.int64],
    lonlat: NDArray[np.float64],
    event: NDArray[np.int16],
    source: NDArray[np.int64],
) -> None:
    """Write records into columns, rider by rider as these first come, else in their order.

    `place` is 0 for every unit.
    """
    units = np.empty(min(len(records), len(place)), np.int64)
    count = 0
    for i in range(len(records)):
        u = records[i].unit
        if place[u] == 0:
            units[count] = u
            count += 1
        place[u] += 1
    begin = 0
    for k in range(count):
        rows = place[units[k]]
        place[units[k]] = begin
        begin += rows
    for i in range(len(records)):
        record = records[i]
        k = place[record.unit]
        place[record.unit] += 1
        unit[k] = record.unit
        t_s[k] = record.t_s
        lonlat[k, 0] = record.lon
        lonlat[k, 1] = record.lat
        event[k] = record.event
        source[k] = record.source


def write_partitions(blocks: Iterable[Block], paths: Sequence[Path], riders: RiderTable) -> None:
    """Write each point to one of the files by a hash, the pseudonym: all of a rider to the same file."""
    share_of = np.zeros(0, np.int16)
    room = np.empty(0, _POINT)
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb", buffering=0)) for path in paths]
        for block in blocks:
            new = [int(code[-4:], 16) % len(paths) for code in riders.pseudonym[len(share_of) :]]
            share_of = np.concatenate([share_of, np.array(new, np.int16)])
            if len(block) > len(room):
                room = np.empty(len(block), _POINT)
            records = room[: len(block)]
            ends = np.zeros(len(paths) + 1, np.int64)
            _pack(block.unit, block.t_s, block.lonlat, block.event, block.source, share_of, ends, records)
            for file, begin, end in zip(files, ends[:-1].tolist(), ends[1:].tolist(), strict=True):
                if end > begin:
                    _write_all(file, records[begin:end].view(np.uint8).data)


def _write_all(file: IO[bytes], data: memoryview) -> None:
    while len(data):
        data = data[file.write(data) :]


def read_partition(path: Path) -> Block:
    """Read what `write_partitions` wrote to one file, rider by rider, each in the order of the rows."""
    return _unpacked(_whole(path, np.empty(0, _POINT))[0])


def _unpacked(records: NDArray[np.void]) -> Block:
    n = len(records)
    block = Block(
        np.empty(n, np.int32),
        np.empty(n, np.int64),
        np.empty((n, 2)),
        np.empty(n, np.int16),
        np.empty(n, np.int64),
    )
    place = np.zeros(int(records["unit"].max(initial=-1)) + 1, np.int64)
    _unpack(records, place, block.unit, block.t_s, block.lonlat, block.event, block.source)
    return block


def _whole(path: Path, room: NDArray[np.void]) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Return the records of a file, and the room that they were read into, which may be used again."""
    count = path.stat().st_size // _POINT.itemsize
    if count > len(room):
        room = np.empty(count + count // 8, _POINT)
    with path.open("rb", buffering=0) as file:
        into = room[:count].view(np.uint8).data
        while len(into):
            into = into[file.readinto(into) :]
    return room[:count], room


def spilled_partitions(blocks: Iterable[Block], folder: Path, riders: RiderTable) -> Iterator[list[Block]]:
    """Spill the points to scratch files, a hash partition each; then hand over one at a time."""
    paths = [folder / f"{i:03d}.points" for i in range(_PARTITIONS)]
    write_partitions(blocks, paths, riders)
    room = np.empty(0, _POINT)
    for path in paths:
        records, room = _whole(path, room)
        block = _unpacked(records)
        path.unlink()
        if len(block):
            yield [block]
