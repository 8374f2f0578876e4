"""Streets that nobody passes, how soon somebody can be there, and rounds that would change it.

Only public streets count. "Nobody" is nobody of the riders in the traces. In an hour in which fewer than k
riders were under way in the whole period nothing is said of how soon one can come.
"""

from typing import Final, NamedTuple

import numpy as np
import shapely

from geo.arrays import BoolArray, FloatArray, Int64Array
from geo.localtime import HOUR_S, day_number, hour_of_day, hour_of_week, local_s, weekday
from geo.privacy import Figures, riders_in_groups
from geo.streets import StreetNetwork, mode_bit
from geo.travel import nearest_source_s
from siting.columns import GridColumns, PassingFlows
from siting.observed import BlindGrid, BlindSpots, Line
from siting.presence.patrols import patrols_of

__all__ = ["Watched", "blind_spots"]

FIRST_H, LAST_H = 6, 22
MOST_STREETS: Final = 2000
PLACES: Final = 2000
"""Places at which it is asked how soon somebody can come, spread evenly over the streets."""
INSTANTS: Final = 240
UNDER_WAY_S: Final = 600
WAIT_S: Final = 3600.0


class Watched(NamedTuple):
    """What is asked about: the streets, the mode, the local time of the city, unit grids (None: none)."""

    network: StreetNetwork
    mode: str
    timezone: str
    grids: GridColumns | None


class _Seen(NamedTuple):
    """Public streets with metres and grid (-1: none), and which of them were passed when.

    ``passed`` bool (days, 24, streets); ``weekday`` int64 (days,); ``grid`` int64 (streets,).
    """

    edge: Int64Array
    length_m: FloatArray
    grid: Int64Array
    weekday: Int64Array
    passed: BoolArray


def blind_spots(watched: Watched, flows: PassingFlows, *, k: int) -> BlindSpots:
    """Return what riders do not see.

    Parameters
    ----------
    watched : Watched
    flows : PassingFlows
        Who entered which street when.
    k : int
        Fewest riders behind a published figure.
    """
    seen, row = _seen(watched, flows)
    local = local_s(flows.t_s, watched.timezone)
    shown = _shown(seen, flows.rider[row >= 0], row[row >= 0], local[row >= 0], k)
    unseen = _unseen(seen)
    known = _known(seen, flows.rider[row >= 0], row[row >= 0], local[row >= 0], k)
    grids = _grids(watched, flows, seen, unseen, (shown, _worst(seen, known)), k)
    seldom = _seldom(seen, flows.rider[row >= 0], row[row >= 0], k)
    order = seldom[np.argsort(-seen.length_m[seldom], kind="stable")]
    worst = tuple(g for g in grids if g.unseen_share is not None and g.worst_hour is not None)
    return BlindSpots(
        hours=_hours(seen, unseen, shown),
        grids=grids,
        streets=tuple(_line(watched.network, int(e)) for e in seen.edge[order[:MOST_STREETS]]),
        streets_share=float(seen.length_m[seldom].sum() / max(seen.length_m.sum(), 1e-9)),
        patrols=patrols_of(watched.network, watched.mode, worst, _patrolled(watched, seen, known[0])),
    )


def _line(network: StreetNetwork, edge: int) -> Line:
    return tuple((round(float(x), 6), round(float(y), 6)) for x, y in network.edge_lonlat(edge))


def _seen(watched: Watched, flows: PassingFlows) -> tuple[_Seen, Int64Array]:
    """Return the streets, and the street of each passage, -1 for others."""
    network, mode = watched.network, watched.mode
    public = network.usable(mode) & (network.edge_private & mode_bit(mode) == 0)
    edge = np.flatnonzero(public).astype(np.int64)
    number = np.full(len(network), -1, np.int64)
    number[edge] = np.arange(len(edge))
    row = number[flows.edge]
    local = local_s(flows.t_s, watched.timezone)
    day = day_number(local)
    first = int(day.min(initial=np.iinfo(np.int64).max)) if len(day) else 0
    days = int(day.max()) - first + 1 if len(day) else 0
    passed = np.zeros((days, 24, len(edge)), np.bool_)
    on = row >= 0
    passed[day[on] - first, hour_of_day(local[on]), row[on]] = True
    grid = np.full(len(edge), -1, np.int64)
    if watched.grids is not None and len(edge):
        tree = shapely.STRtree(np.array(watched.grids.polygons, dtype=object))
        point, inside = tree.query(shapely.points(network.middle_lonlat(edge)), predicate="intersects")
        # Grids may touch: the first one counts.
        grid[point[::-1]] = inside[::-1]
    weekdays = weekday(np.arange(first, first + days))
    return _Seen(edge, network.edge_length_m[edge], grid, weekdays, passed), row


def _unseen(seen: _Seen) -> FloatArray:
    """Return metres (days, 24, grids + 1) that nobody passes; the last column is of streets in no grid."""
    grids, days = int(seen.grid.max(initial=-1)) + 2, len(seen.weekday)
    day, hour, street = np.nonzero(seen.passed)
    slot = (day * 24 + hour) * grids + seen.grid[street] % grids
    passed_m = np.bincount(slot, seen.length_m[street], days * 24 * grids).reshape(days, 24, grids)
    return np.asarray(_metres(seen) - passed_m)


def _metres(seen: _Seen) -> FloatArray:
    grids = int(seen.grid.max(initial=-1)) + 2
    return np.asarray(np.bincount(seen.grid % grids, seen.length_m, grids), np.float64)


def _shown(seen: _Seen, rider: Int64Array, row: Int64Array, local: Int64Array, k: int) -> frozenset[str]:
    """Return which figures may be told together: of each hour and weekday, and of each grid."""
    slot = hour_of_week(local)
    grids = int(seen.grid.max(initial=-1)) + 2
    span = int(rider.max(initial=0)) + 1
    # One row a rider, slot and grid says who stands behind a figure.
    rows = np.unique((slot * grids + seen.grid[row] % grids) * span + rider)
    of_slot, of_grid = rows // span // grids, rows // span % grids
    gate = Figures(k)
    gate.rows("passing", rows % span)
    by_day = (of_slot % 24 >= FIRST_H) & (of_slot % 24 < LAST_H)
    for number in range(grids - 1):
        gate.add(
            f"grid/{number}", "passing", np.flatnonzero(by_day & (of_grid == number)), rank=1, nobody=True
        )
    for number in range(7 * 24):
        gate.add(f"slot/{number}", "passing", np.flatnonzero(of_slot == number), rank=2, nobody=True)
    return gate.shown()


def _hours(seen: _Seen, unseen: FloatArray, shown: frozenset[str]) -> tuple[tuple[float | None, ...], ...]:
    share = unseen.sum(axis=2) / max(seen.length_m.sum(), 1e-9)
    return tuple(
        tuple(
            float(share[seen.weekday == day, hour].mean())
            if f"slot/{day * 24 + hour}" in shown and (seen.weekday == day).any()
            else None
            for hour in range(24)
        )
        for day in range(7)
    )


def _grids(
    watched: Watched,
    flows: PassingFlows,
    seen: _Seen,
    unseen: FloatArray,
    told: tuple[frozenset[str], dict[int, tuple[int, int]]],
    k: int,
) -> tuple[BlindGrid, ...]:
    """Return what is told of each grid; ``told`` are what may be shown, and the worst hour and weekday."""
    shown, worst = told
    if watched.grids is None or not len(seen.weekday):
        return ()
    metres = _metres(seen)
    waits = _waits(watched, flows, seen, k)
    out = []
    for number, code in enumerate(watched.grids.codes):
        if number >= len(metres) - 1 or metres[number] == 0:
            continue
        if f"grid/{number}" not in shown:
            out.append(BlindGrid(code, None, None, None, None, None))
            continue
        share = unseen[:, FIRST_H:LAST_H, number] / metres[number]
        median, most = waits.get(number, (None, None))
        out.append(
            BlindGrid(
                code=code,
                unseen_share=float(share.mean()),
                worst_hour=worst[number][0],
                worst_weekday=worst[number][1],
                wait_median_min=median,
                wait_p90_min=most,
            )
        )
    return tuple(
        sorted(out, key=lambda g: (-(g.unseen_share if g.unseen_share is not None else -1.0), g.code))
    )


def _waits(
    watched: Watched, flows: PassingFlows, seen: _Seen, k: int
) -> dict[int, tuple[float | None, float | None]]:
    """Return median and 90% of the minutes until somebody can be at a place, by grid."""
    network, mode = watched.network, watched.mode
    step = max(1, len(seen.edge) // PLACES)
    places = network.snap(network.middle_lonlat(seen.edge[::step]), mode)
    grid = seen.grid[::step]
    standing = network.snap(network.middle_lonlat(np.arange(len(network))), mode)
    order = np.lexsort((flows.edge, flows.t_s))
    t_s, rider, edge = flows.t_s[order], flows.rider[order], flows.edge[order]
    hour = hour_of_day(local_s(t_s, watched.timezone))
    ridden = [len(np.unique(rider[hour == one])) >= k for one in range(24)]
    first, last = int(t_s[0]) // HOUR_S, int(t_s[-1]) // HOUR_S
    instants = np.arange(first, last + 1) * HOUR_S + HOUR_S // 2
    of_day = hour_of_day(local_s(instants, watched.timezone))
    asked = instants[np.array([FIRST_H <= h < LAST_H and ridden[h] for h in of_day.tolist()], np.bool_)]
    asked = asked[:: max(1, -(-len(asked) // INSTANTS))]
    found = []
    for now in asked.tolist():
        rows = slice(*np.searchsorted(t_s, [now - UNDER_WAY_S, now]))
        # The last street of each rider.
        latest = np.unique(rider[rows][::-1], return_index=True)[1]
        here = standing.take(edge[rows][::-1][latest])
        found.append(nearest_source_s(network, mode, here, places, WAIT_S) / 60.0)
    if not found:
        return {}
    wait = np.stack(found)
    out: dict[int, tuple[float | None, float | None]] = {}
    for number in np.unique(grid[grid >= 0]).tolist():
        mine = wait[:, grid == number].ravel()
        median, most = (float(np.quantile(mine, q, method="higher")) for q in (0.5, 0.9))
        out[number] = (median if np.isfinite(median) else None, most if np.isfinite(most) else None)
    return out


def _seldom(seen: _Seen, rider: Int64Array, row: Int64Array, k: int) -> Int64Array:
    """Return the streets that fewer than k riders passed."""
    return np.flatnonzero(riders_in_groups(row, rider, len(seen.edge)) < k)


def _known(
    seen: _Seen, rider: Int64Array, row: Int64Array, local: Int64Array, k: int
) -> tuple[BoolArray, BoolArray]:
    """Return which streets k riders passed in each hour (24, streets) and on each weekday (7, streets)."""
    count = len(seen.edge)
    hours, days = hour_of_day(local), weekday(day_number(local))
    by_hour, by_day = (
        riders_in_groups(part * count + row, rider, size * count).reshape(size, count) >= k
        for part, size in ((hours, 24), (days, 7))
    )
    return by_hour, by_day


def _worst(seen: _Seen, known: tuple[BoolArray, BoolArray]) -> dict[int, tuple[int, int]]:
    """Return of each grid the hour and the weekday on which most is unseen, the first of several.

    Streets that fewer than k riders pass then count as unseen: else one rider would move the hour.
    """
    grids = int(seen.grid.max(initial=-1)) + 2
    by_hour = seen.passed.mean(axis=0) * known[0]
    days = np.unique(seen.weekday).tolist()
    daily = seen.passed[:, FIRST_H:LAST_H].mean(axis=1)
    by_day = np.array([daily[seen.weekday == day].mean(axis=0) * known[1][day] for day in days])
    out = {}
    for number in range(grids - 1):
        mine = seen.grid == number
        length_m = seen.length_m[mine]
        hour = FIRST_H + int(np.argmin(np.round(by_hour[FIRST_H:LAST_H, mine] @ length_m, 6)))
        out[number] = hour, days[int(np.argmin(np.round(by_day[:, mine] @ length_m, 6)))]
    return out


def _patrolled(
    watched: Watched, seen: _Seen, known: BoolArray
) -> dict[tuple[str, int], tuple[Int64Array, FloatArray, float]]:
    """Return for each grid and hour: its streets, the share of days on which each is unseen, its metres.

    A street that fewer than k riders passed in that hour counts as unseen: else a round that leaves it out
    would tell of them, and what it changes.
    """
    if watched.grids is None or not len(seen.weekday):
        return {}
    out = {}
    blind = np.where(known, 1.0 - seen.passed.mean(axis=0), 1.0)
    for number in np.unique(seen.grid[seen.grid >= 0]).tolist():
        mine = np.flatnonzero(seen.grid == number)
        metres = float(seen.length_m[mine].sum())
        for hour in range(FIRST_H, LAST_H):
            out[watched.grids.codes[number], hour] = (seen.edge[mine], blind[hour, mine], metres)
    return out
