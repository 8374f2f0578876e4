"""Rest stays, due breaks and passing flow become weighted demand by place and hour.

The city is cut into square cells of ``cell_m`` (50 m by default). A demand point is the mean place of
the rests in one cell (of the due breaks where nobody rested), so no clustering hides demand. Three layers
are kept apart: observed rests, breaks that fall due, and passing riders. These have points of their own: a
rider who rests rides to a station within the limit, one who passes only enters it without a detour. No
layer moves the points or the days of another, so one that counts nothing changes nothing. Rows stay apart
by rider and day, so that any set of days or riders (training, held out, resampled) can be weighed without
reading the traces again. Hours and days are local; a day begins at 04:00.
"""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from geo.errors import InputError
from geo.localtime import DAY_S, WORK_DAY_STARTS_H, local_s
from geo.rings import spans
from geo.sentences import Sentence

__all__ = [
    "BREAK_MIN",
    "Demand",
    "DemandLayer",
    "DemandWeights",
    "Events",
    "build_demand",
    "by_hour",
    "distinct_riders",
    "open_compounds",
    "split_by_hour",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FRAGMENT_SHARE = 0.1
"""A first or last day with less than this share of the median day's minutes is no day of its own."""

BREAK_MIN = 20.0
"""Minutes off after 4 h of continuous work: national recommended standard on food-delivery platform
service management, December 2025 (DOMAIN.md)."""


@dataclasses.dataclass(frozen=True, slots=True)
class DemandWeights:
    """What one rider-minute of each layer counts in the model.

    A due break counts half by default: it says where a rider will need rest, not where one rested.
    """

    rest: float = 1.0
    due_break: float = 0.5
    passing: float = 0.0

    def __post_init__(self) -> None:
        for name in ("rest", "due_break", "passing"):
            if not 0 <= getattr(self, name) <= 1000:
                raise InputError(f"demand weight {name} is {getattr(self, name)}, it must lie in 0-1000.")
        if self.rest + self.due_break + self.passing == 0:
            raise InputError("all demand weights are 0, at least one must be above 0.")


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Events:
    """Something that happened somewhere for a while: columns of equal length.

    ``lonlat`` (e, 2) degrees WGS-84, ``rider`` (e,), ``start_s`` and ``end_s`` (e,) epoch seconds.
    """

    lonlat: FloatArray
    rider: IntArray
    start_s: IntArray
    end_s: IntArray

    def __post_init__(self) -> None:
        size = len(self.lonlat)
        if any(len(c) != size for c in (self.rider, self.start_s, self.end_s)):
            raise InputError("demand events: the columns do not have the same length.")
        if size and (self.end_s < self.start_s).any():
            raise InputError("demand events: an event ends before it starts.")


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class DemandLayer:
    """One layer, one row a (demand point, rider, day, hour): columns of equal length."""

    point: IntArray
    rider: IntArray
    day: IntArray
    """Number of the local day, index into `Demand.days`."""
    hour: IntArray
    minutes: FloatArray
    event: IntArray | None = None
    """Which event each row is a part of, where that is known."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Demand:
    """Demand points with their layers."""

    lonlat: FloatArray
    """(n, 2) degrees WGS-84."""
    days: tuple[str, ...]
    """Local days (04:00 to 04:00), ISO, every one from the first to the last."""
    rest: DemandLayer
    due_break: DemandLayer
    passing: DemandLayer

    def on(self, days: npt.NDArray[np.bool_]) -> "Demand":
        """Return the demand of some days only; the points stay as they are."""
        number = np.cumsum(days) - 1
        layers = []
        for _, layer in self.layers():
            rows = days[layer.day]
            layers.append(
                DemandLayer(
                    layer.point[rows],
                    layer.rider[rows],
                    number[layer.day[rows]].astype(np.int64),
                    layer.hour[rows],
                    layer.minutes[rows],
                )
            )
        names = tuple(day for day, inside in zip(self.days, days.tolist(), strict=True) if inside)
        return Demand(self.lonlat, names, layers[0], layers[1], layers[2])

    def only_passing(self) -> npt.NDArray[np.bool_]:
        """Return (n,) the points of passing riders: nobody rests there and no break falls due."""
        out = np.ones(len(self.lonlat), dtype=np.bool_)
        out[self.rest.point] = False
        out[self.due_break.point] = False
        return out

    def layers(self) -> tuple[tuple[str, DemandLayer], ...]:
        """Return the layers by name."""
        return (("rest", self.rest), ("due_break", self.due_break), ("passing", self.passing))

    def weight(
        self,
        weights: DemandWeights,
        days: npt.NDArray[np.bool_] | FloatArray,
        rider_times: FloatArray | None = None,
    ) -> FloatArray:
        """Return (n, 24) weighted rider-minutes a day over the chosen days, or so many times each of them."""
        parts = [
            getattr(weights, name) * by_hour(layer, len(self.lonlat), days.astype(np.float64), rider_times)
            for name, layer in self.layers()
        ]
        return np.asarray(sum(parts))


def split_by_hour(start_s: IntArray, end_s: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Cut local spans at full hours.

    Returns
    -------
    row, hour number since the epoch, minutes : one entry a span and hour it touches
    """
    first = start_s // 3600
    last = np.maximum(first, (end_s - 1) // 3600)
    count = last - first + 1
    row = np.repeat(np.arange(len(start_s)), count)
    hour = spans(first, count)
    minutes = (np.minimum(end_s[row], (hour + 1) * 3600) - np.maximum(start_s[row], hour * 3600)) / 60.0
    return row, hour, minutes


def by_hour(
    layer: DemandLayer, n: int, day_times: FloatArray, rider_times: FloatArray | None = None
) -> FloatArray:
    """Return (n, 24) rider-minutes a day; each day (and rider) counts as often as ``day_times`` says."""
    weight = layer.minutes * day_times[layer.day]
    if rider_times is not None:
        weight = weight * rider_times[layer.rider]
    flat = np.bincount(layer.point * 24 + layer.hour, weights=weight, minlength=n * 24)
    return flat.reshape(n, 24) / max(1.0, float(day_times.sum()))


def distinct_riders(layer: DemandLayer, groups: IntArray, n_groups: int) -> IntArray:
    """Return (n_groups,) how many riders stand behind each group of demand points (-1: no group)."""
    label = groups[layer.point]
    inside = label >= 0
    if not inside.any():
        return np.zeros(n_groups, dtype=np.int64)
    riders = int(layer.rider.max()) + 1
    pairs = np.unique(label[inside] * riders + layer.rider[inside])
    return np.bincount(pairs // riders, minlength=n_groups).astype(np.int64)


def build_demand(
    rest: Events,
    due_break: Events,
    passing: Events,
    *,
    timezone: str,
    project: Callable[[FloatArray], FloatArray],
    cell_m: float = 50.0,
) -> Demand:
    """Gather the events of three layers into demand points.

    Parameters
    ----------
    rest : rests that were observed
    due_break : breaks that fall due (end = start + 20 minutes)
    passing : riders riding by, for as long as they do; may be empty
    timezone : IANA name of the city's zone
    project : (n, 2) degrees to (n, 2) local metres
    cell_m : side of a cell, 10-1000 m

    Raises
    ------
    InputError
        When there is no rest at all, or ``cell_m`` or the timezone is out of range.
    """
    if not 10 <= cell_m <= 1000:
        raise InputError(f"demand cell_m is {cell_m}, it must lie in 10-1000 m.")
    if len(rest.lonlat) == 0:
        raise InputError(Sentence.of("no_rest"))
    layers = (rest, due_break, passing)
    point, place = _points([(rest.lonlat, due_break.lonlat), (passing.lonlat,)], project, cell_m)
    pieces = []
    for events in layers:
        start = local_s(events.start_s, timezone)
        pieces.append(split_by_hour(start, start + (events.end_s - events.start_s)))
    # whoever rides by on further days says nothing of when the rests were seen
    first, last = _whole_days(
        [((hour - WORK_DAY_STARTS_H) // 24, minutes) for _, hour, minutes in pieces[:2]]
    )
    names = tuple(datetime.fromtimestamp(d * DAY_S, UTC).date().isoformat() for d in range(first, last + 1))
    built = []
    start_row = 0
    for events, (row, hour, minutes) in zip(layers, pieces, strict=True):
        built.append(
            _layer(
                point[start_row + row],
                events.rider[row],
                np.clip((hour - WORK_DAY_STARTS_H) // 24, first, last) - first,
                hour % 24,
                minutes,
                row,
            )
        )
        start_row += len(events.lonlat)
    return Demand(place, names, built[0], built[1], built[2])


def _points(
    groups: list[tuple[FloatArray, ...]], project: Callable[[FloatArray], FloatArray], cell_m: float
) -> tuple[IntArray, FloatArray]:
    """Return the demand point of every event, and the place of every point.

    Layers of one group share points; a point lies at the mean of the first layer that has events there.
    """
    points, places = [], []
    so_far = 0
    for layers in groups:
        lonlat = np.concatenate([part.reshape(-1, 2) for part in layers])
        if len(lonlat) == 0:
            continue
        cell = np.floor(project(lonlat) / cell_m).astype(np.int64)
        cell -= cell.min(axis=0)
        _, point = np.unique(cell[:, 0] * (cell[:, 1].max() + 1) + cell[:, 1], return_inverse=True)
        n = int(point.max()) + 1
        layer = np.repeat(np.arange(len(layers)), [len(part) for part in layers])
        first = np.full(n, len(layers))
        np.minimum.at(first, point, layer)
        counts = layer == first[point]
        # sums in the order of the coordinates, so that shuffled events give the same bytes
        order = np.lexsort((lonlat[:, 1], lonlat[:, 0], point))
        order = order[counts[order]]
        total = np.bincount(point[order], minlength=n)
        places.append(
            np.column_stack(
                [np.bincount(point[order], weights=lonlat[order, axis], minlength=n) for axis in (0, 1)]
            )
            / total[:, None]
        )
        points.append(point + so_far)
        so_far += n
    return np.concatenate(points).astype(np.int64), np.concatenate(places)


def _whole_days(pieces: list[tuple[IntArray, FloatArray]]) -> tuple[int, int]:
    """Return the first and last day; a fragment at either end belongs to the day beside it.

    Shifts that run late leave a few minutes on a day of their own, which would make a poor held-out day.
    """
    days = np.concatenate([day for day, _ in pieces])
    first, last = int(days.min()), int(days.max())
    total = np.bincount(days - first, weights=np.concatenate([minutes for _, minutes in pieces]))
    usual = FRAGMENT_SHARE * float(np.median(total[total > 0])) if total.any() else 0.0
    while last > first and total[last - first] < usual:
        last -= 1
    low = first
    while last > low and total[low - first] < usual:
        low += 1
    return low, last


def _layer(
    point: IntArray, rider: IntArray, day: IntArray, hour: IntArray, minutes: FloatArray, event: IntArray
) -> DemandLayer:
    order = np.lexsort((minutes, hour, day, rider, point))
    columns = [np.asarray(c, dtype=np.int64)[order] for c in (point, rider, day, hour, event)]
    return DemandLayer(columns[0], columns[1], columns[2], columns[3], minutes[order], columns[4])


def open_compounds(rest: DemandLayer, compound: IntArray, count: int, k: int) -> npt.NDArray[np.bool_]:
    """Return (count + 1,) whether at least k riders rested in each compound; the last entry stands for none.

    ``compound`` (n,) is the compound of each demand point, -1 for none.
    """
    return np.append(distinct_riders(rest, compound, count) >= k, False)
