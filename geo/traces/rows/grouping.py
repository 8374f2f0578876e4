"""Points grouped by rider, whatever the order of the rows: streaming, or by hash partition and spill."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np

from geo.traces.rows.ingest import Block
from geo.traces.rows.riders import RiderTable

__all__ = [
    "ComesBackError",
    "read_ahead",
    "read_partition",
    "rider_by_rider",
    "spilled_partitions",
    "write_partitions",
]

_PARTITIONS: Final = 128
_POINT: Final = np.dtype(
    [("unit", "<i4"), ("t_s", "<i8"), ("lonlat", "<f8", 2), ("event", "<i2"), ("source", "<i8")]
)


class ComesBackError(Exception):
    """A rider came back whose points were handed over already."""


def read_ahead(blocks: Iterator[Block]) -> Iterator[Block]:
    """Read the next block in a thread while this one is worked on."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = thread.submit(next, blocks, None)
            yield block


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


def rider_by_rider(blocks: Iterator[Block], hold_points: int) -> Iterator[list[Block]]:
    """Hand over the points of riders as soon as the next rider begins; refuse riders that come back.

    The first `hold_points` are held whatever their order; what comes later is not even copied, apart from
    the rider who goes on from one block to the next.
    """
    held: list[Block] = []
    count = 0
    closed = np.zeros(0, np.bool_)
    for block in blocks:
        if len(block) == 0:
            continue
        top = int(block.unit.max()) + 1
        if top > len(closed):
            closed = np.concatenate([closed, np.zeros(2 * top - len(closed), np.bool_)])
        if closed[block.unit].any():
            raise ComesBackError
        count += len(block)
        if count <= hold_points or not held:
            held.append(block)
            continue
        if count - len(block) > hold_points:
            # Rows by rider: the rider who went on, then the riders that are whole in this block.
            others = np.flatnonzero(block.unit != held[0].unit[0])
            head = int(others[0]) if len(others) else len(block)
            held.append(block.take(slice(0, head)))
            if head == len(block):
                continue
            block = block.take(slice(head, None))
            closed[held[0].unit[0]] = True
            yield held
            held = [block]
        else:
            held.append(block)
        ready, held = _part_off(held)
        if ready:
            for part in ready:
                closed[part.unit] = True
            yield ready
    if held:
        yield held


def write_partitions(blocks: Iterator[Block], paths: Sequence[Path], riders: RiderTable) -> None:
    """Write each point to one of the files by a hash, the pseudonym: all of a rider to the same file."""
    share_of = np.zeros(0, np.int16)
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in paths]
        for block in blocks:
            new = [int(code[-4:], 16) % len(paths) for code in riders.pseudonym[len(share_of) :]]
            share_of = np.concatenate([share_of, np.array(new, np.int16)])
            share = share_of[block.unit]
            order = np.argsort(share, kind="stable")
            ends = np.cumsum(np.bincount(share, minlength=len(paths)))
            records = np.empty(len(block), _POINT)
            for name in ("unit", "t_s", "event", "source", "lonlat"):
                records[name] = getattr(block, name)[order]
            for i, file in enumerate(files):
                piece = records[ends[i - 1] if i else 0 : ends[i]]
                if len(piece):
                    file.write(piece.tobytes())


def read_partition(path: Path) -> Block:
    """Read what `write_partitions` wrote to one file."""
    records = np.fromfile(path, _POINT)
    columns = ("unit", "t_s", "lonlat", "event", "source")
    return Block(*(np.ascontiguousarray(records[column]) for column in columns))


def spilled_partitions(blocks: Iterator[Block], folder: Path, riders: RiderTable) -> Iterator[list[Block]]:
    """Spill the points to scratch files, a hash partition each; then hand over one at a time."""
    paths = [folder / f"{i:03d}.points" for i in range(_PARTITIONS)]
    write_partitions(blocks, paths, riders)
    for path in paths:
        block = read_partition(path)
        path.unlink()
        if len(block):
            yield [block]
