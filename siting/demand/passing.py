"""Passing flow: riders along streets become demand (as long as they ride by) and published street figures."""

from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geo.localtime import day_number, hour_of_day, local_s
from geo.privacy import riders_in_groups, suppress
from geo.rings import spans
from geo.streets import EBIKE_PROMISE_MPS, StreetNetwork
from siting.columns import PassingFlows
from siting.demand.asked import RANK, Asked
from siting.demand.weighted import Events
from siting.results import StreetFlow

__all__ = ["RidingMinutes", "passing_events", "published_flows", "riding_minutes"]

FloatArray = npt.NDArray[np.float64]

EPOCH = date(1970, 1, 1).toordinal()
PIECE_M = 100.0
"""A long street is passed piece by piece, so that a station counts only those who ride by its door."""


def passing_events(flows: PassingFlows | None, network: StreetNetwork) -> Events:
    """Return who rides by where and how long: one event a passage and piece of street of at most 100 m.

    Minutes add up along the way: a rider counts for the time on the pieces near a station, however many
    streets they belong to.
    """
    none = np.empty(0, dtype=np.int64)
    if flows is None or len(flows.edge) == 0:
        return Events(np.empty((0, 2)), none, none, none)
    edges, where = np.unique(flows.edge, return_inverse=True)
    pieces = np.maximum(1, np.ceil(network.edge_length_m[edges] / PIECE_M)).astype(np.int64)
    first = np.cumsum(pieces) - pieces
    middle = np.concatenate(
        [_middles(network.edge_lonlat(int(e)), int(n)) for e, n in zip(edges, pieces, strict=True)]
    )
    seconds = np.maximum(1, np.round(network.edge_length_m[edges] / pieces / EBIKE_PROMISE_MPS)).astype(
        np.int64
    )
    count = pieces[where]
    row = np.repeat(np.arange(len(where)), count)
    number = spans(np.zeros_like(count), count)
    start = flows.t_s.astype(np.int64)[row]
    return Events(
        middle[first[where][row] + number],
        flows.rider.astype(np.int64)[row],
        start,
        start + seconds[where][row],
    )


def _middles(line: FloatArray, pieces: int) -> FloatArray:
    """Return (pieces, 2) the middles of equal pieces of a line."""
    # within one street degrees are as good as metres, but for the narrower degree of longitude
    step = np.hypot(np.diff(line[:, 0]) * np.cos(np.radians(line[0, 1])), np.diff(line[:, 1]))
    along = np.concatenate([[0.0], np.cumsum(step)])
    at = (np.arange(pieces) + 0.5) / pieces * along[-1]
    return np.column_stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)])


class RidingMinutes(NamedTuple):
    """Minutes (days,) that all riders ride on each day, at 15 km/h, and who stands behind them.

    ``names`` (s,) and ``street_minutes`` (s, days) are of the busiest streets. ``day`` and ``street`` (r,)
    are of each row of the measure ``riding`` of the gate, which has one a rider, day and street; all other
    streets together are -1.
    """

    minutes: FloatArray
    day: npt.NDArray[np.int64]
    names: tuple[str, ...]
    street_minutes: FloatArray
    street: npt.NDArray[np.int64]


def riding_minutes(
    flows: PassingFlows | None,
    network: StreetNetwork,
    days: tuple[str, ...],
    timezone: str,
    asked: Asked,
    most: int = 20,
) -> RidingMinutes | None:
    """Return how long riders ride on each of some days, in all and on the ``most`` busiest named streets.

    Declares its riders to the gate; None without flows. ``days`` are ISO, every one from the first to the
    last. Streets of fewer than k riders are none of their own.
    """
    if flows is None or len(flows.edge) == 0:
        return None
    first = date.fromisoformat(days[0]).toordinal() - EPOCH
    day = (day_number(local_s(flows.t_s, timezone)) - first).astype(np.int64)
    inside = (day >= 0) & (day < len(days))
    day, edge, rider = day[inside], flows.edge[inside], flows.rider[inside].astype(np.int64)
    minutes = np.asarray(network.edge_length_m[edge] / EBIKE_PROMISE_MPS / 60.0, np.float64)
    name, street = _busiest(network.edge_name[edge].astype(np.int64), rider, minutes, asked.k, most)
    span = int(flows.rider.max()) + 1
    rows = np.unique(((street + 1) * len(days) + day) * span + rider)
    asked.figures.rows("riding", rows % span)
    by_day = np.bincount((street + 1) * len(days) + day, minutes, (len(name) + 1) * len(days))
    by_day = by_day.reshape(len(name) + 1, len(days)).astype(np.float64)
    return RidingMinutes(
        np.bincount(day, minutes, len(days)).astype(np.float64),
        rows // span % len(days),
        tuple(network.names[one] for one in name.tolist()),
        np.asarray(by_day[1:], np.float64),
        rows // span // len(days) - 1,
    )


def _busiest(
    name: npt.NDArray[np.int64], rider: npt.NDArray[np.int64], minutes: FloatArray, k: int, most: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the names (s,) with most riding, and of each passage the number of its street; -1: another."""
    known, which = np.unique(name, return_inverse=True)
    total = np.bincount(which, minutes, len(known))
    total[(known < 0) | (riders_in_groups(which, rider, len(known)) < k)] = 0.0
    busiest = np.lexsort((known, -total))[:most]
    busiest = busiest[total[busiest] > 0.0]
    number = np.full(len(known), -1, np.int64)
    number[busiest] = np.arange(len(busiest))
    return known[busiest], number[which]


def published_flows(
    flows: PassingFlows | None, network: StreetNetwork, timezone: str, asked: Asked, most: int = 4000
) -> tuple[StreetFlow, ...]:
    """Return riders a day by street edge, only streets with at least k riders, busiest first.

    Asks to publish them.
    """
    if flows is None or len(flows.edge) == 0:
        return ()
    local = local_s(flows.t_s, timezone)
    day = day_number(local) - day_number(local).min()
    days = int(day.max()) + 1
    span = int(flows.rider.max()) + 1
    edges, where = np.unique(flows.edge, return_inverse=True)
    riders = riders_in_groups(where, flows.rider, len(edges))
    rider_days = np.bincount(
        np.unique((where * span + flows.rider) * days + day) // (span * days), minlength=len(edges)
    )
    slot = where * 24 + hour_of_day(local)
    passes = np.unique((slot * span + flows.rider) * days + day)
    by_hour = np.bincount(passes // (span * days), minlength=24 * len(edges)) / days
    in_hour = riders_in_groups(slot, flows.rider, 24 * len(edges))
    shown = np.nonzero(riders >= asked.k)[0]
    order = shown[np.lexsort((edges[shown], -rider_days[shown]))][:most]
    # one passage a street, hour and rider is enough to say who stands behind a figure
    passage = np.unique(slot * span + flows.rider)
    asked.figures.rows("passage", passage % span)
    cuts = np.searchsorted(passage // span, np.arange(24 * len(edges) + 1))
    out: list[StreetFlow] = []
    for e in order.tolist():
        path = f"flows/{len(out)}"
        asked.figures.add(
            f"{path}/riders_a_day", "passage", np.arange(cuts[24 * e], cuts[24 * e + 24]), rank=RANK["other"]
        )
        for h in np.nonzero(in_hour[24 * e : 24 * e + 24])[0].tolist():
            asked.figures.add(
                f"{path}/by_hour/{h}",
                "passage",
                np.arange(cuts[24 * e + h], cuts[24 * e + h + 1]),
                rank=RANK["cell"],
            )
        edge = int(edges[e])
        name = int(network.edge_name[edge])
        rows = slice(24 * e, 24 * e + 24)
        out.append(
            StreetFlow(
                line=tuple((round(float(x), 6), round(float(y), 6)) for x, y in network.edge_lonlat(edge)),
                name=network.names[name] if name >= 0 else "",
                riders_a_day=float(rider_days[e]) / days,
                by_hour=tuple(suppress(by_hour[rows], in_hour[rows], asked.k)),
            )
        )
    return tuple(out)
