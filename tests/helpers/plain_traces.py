"""Traces written down as seconds and metres."""

import numpy as np

from geo.earth import DEGREE_M
from geo.traces.read import Traces

__all__ = ["T0", "ride", "stand", "traces_of"]

T0 = 1_772_400_000


def traces_of(*riders: list[tuple[int, float, float]], events: dict[int, str] | None = None) -> Traces:
    """Traces of riders given as (second, x, y) in metres; events by row."""
    rows = [row for rider in riders for row in rider]
    t, x, y = (np.array(c, np.float64) for c in zip(*rows, strict=True)) if rows else (np.zeros(0),) * 3
    names = ("", *sorted(set((events or {}).values())))
    event = np.zeros(len(rows), np.int16)
    for row, word in (events or {}).items():
        event[row] = names.index(word)
    return Traces(
        rider=np.repeat(np.arange(len(riders), dtype=np.int32), [len(r) for r in riders]),
        t_s=T0 + t.astype(np.int64),
        lonlat=np.column_stack([x / DEGREE_M, y / DEGREE_M]),
        rider_ptr=np.r_[0, np.cumsum([len(r) for r in riders])].astype(np.int64),
        pseudonyms=tuple(f"r{k}" for k in range(len(riders))),
        platform=np.zeros(len(rows), np.int16),
        platforms=("",),
        event=event,
        events=names,
    )


def stand(start: int, end: int, x: float = 0.0, step: int = 10) -> list[tuple[int, float, float]]:
    return [(t, x, 0.0) for t in range(start, end + 1, step)]


def ride(
    start: int, end: int, x: float, step: int = 10, speed: float = 6.0
) -> list[tuple[int, float, float]]:
    return [(t, x + speed * (t - start), 0.0) for t in range(start, end + 1, step)]
