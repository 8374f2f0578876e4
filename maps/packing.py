"""Compact text for the data block of a page: quantised deltas as base64 varints.

A varint is little-endian base 128 with the high bit set on all bytes but the last, as in Protocol Buffers
(developers.google.com/protocol-buffers/docs/encoding); signed steps are zigzag-coded. A street point
costs about 3 characters, a redacted day of a cell 2.
"""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["pack_hours", "pack_lines", "pack_rising", "pack_varints"]

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

HOUR_STEP = 0.1
"""Figures by hour are shown to a tenth; finer digits would mean nothing."""


def pack_varints(values: npt.ArrayLike) -> str:
    """Whole numbers >= 0, below 2**49, as base64 text."""
    numbers = np.asarray(values, np.int64).ravel()
    sizes = np.ones(len(numbers), np.int64)
    for bits in range(7, 49, 7):
        sizes += numbers >= (1 << bits)
    ends = np.cumsum(sizes)
    out = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    for step in range(int(sizes.max(initial=0))):
        rows = sizes > step
        more = np.where(sizes[rows] > step + 1, 0x80, 0)
        out[(ends - sizes)[rows] + step] = ((numbers[rows] >> (7 * step)) & 0x7F) | more
    return base64.b64encode(out.tobytes()).decode("ascii")


def pack_rising(values: npt.ArrayLike) -> str:
    """Whole numbers that never fall, as steps."""
    numbers = np.asarray(values, np.int64)
    return pack_varints(np.diff(numbers, prepend=0))


def pack_lines(
    lines: Sequence[npt.ArrayLike] | tuple[Int64Array, FloatArray],
    *,
    owner: npt.ArrayLike | None = None,
    per_degree: int = 100_000,
) -> dict[str, Any]:
    """Lines or rings of (lon, lat) as the page reads them: ``q``, ``n``, ``d`` and ``o``.

    Parameters
    ----------
    lines
        One (k, 2) array each, or a pointer (n + 1,) and all positions (m, 2) in degrees.
    owner
        For each line the feature it belongs to, never falling; None when it is its own number.
    per_degree
        Steps a degree; 100,000 is 1.1 m or finer.
    """
    if isinstance(lines, tuple) and len(lines) == 2 and isinstance(lines[0], np.ndarray):
        ptr, points = np.asarray(lines[0], np.int64), np.asarray(lines[1], np.float64)
    else:
        arrays = [np.asarray(line, np.float64).reshape(-1, 2) for line in lines]
        ptr = np.concatenate([[0], np.cumsum([len(a) for a in arrays])]).astype(np.int64)
        points = np.concatenate(arrays) if arrays else np.empty((0, 2))
    grid = np.rint(points * per_degree).astype(np.int64)
    if len(grid):  # a point that repeats the one before it inside its line draws nothing
        keep = np.any(np.diff(grid, axis=0, prepend=grid[:1] - 1) != 0, axis=1)
        keep[ptr[:-1][np.diff(ptr) > 0]] = True
        kept = np.concatenate([[0], np.cumsum(keep)])
        grid, ptr = grid[keep], kept[ptr]
    steps = np.diff(grid, axis=0, prepend=np.zeros((1, 2), np.int64)) if len(grid) else grid
    zigzag = np.where(steps < 0, -2 * steps - 1, 2 * steps)
    packed: dict[str, Any] = {"q": per_degree, "n": pack_varints(np.diff(ptr)), "d": pack_varints(zigzag)}
    if owner is not None:
        packed["o"] = pack_rising(owner)
    return packed


def pack_hours(rows: Sequence[Sequence[float | None]]) -> str:
    """Rows of 24 figures: even numbers are twice the figure in tenths, odd ones runs of redacted hours."""
    if not rows:
        return ""
    table = np.array([[np.nan if v is None else v for v in row] for row in rows], np.float64).ravel()
    hidden = np.isnan(table)
    numbers = 2 * np.rint(np.where(hidden, 0.0, table) / HOUR_STEP).astype(np.int64)
    starts = hidden & ~np.concatenate([[False], hidden[:-1]])
    run = np.cumsum(starts)[hidden]
    lengths = np.bincount(run, minlength=int(starts.sum()) + 1)[1:] if hidden.any() else np.empty(0, np.int64)
    numbers[starts] = 2 * lengths + 1
    return pack_varints(numbers[~hidden | starts])
