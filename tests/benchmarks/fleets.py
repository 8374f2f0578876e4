"""Seeded fleets on a real network: riders with promised stops a few minutes apart, and tasks anywhere."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.arrays import FloatArray, Int64Array
from geo.jit import kernel
from geo.streets.network import StreetNetwork
from routing.fleet.fleet import Fleet
from routing.fleet.kernels.insertion import best_riders, outputs
from routing.fleet.kernels.legs import graph_of, place_of, point_leg, work_for
from routing.fleet.kernels.tables import NO, Graph, PlaceColumns, Work
from routing.fleet.mode_fleet import as_ms, runs_ms
from routing.model.policy import Policy
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit

__all__ = ["NOW", "SERVICE_S", "city_fleet", "city_riders", "city_tasks", "finder"]

NOW = 1_760_000_000.0
POOL = 40_000
"""Places that stops are drawn from, at most."""
SERVICE_S = 60.0
LONGEST_S = 480.0
"""Stops of one plan follow one another within eight minutes on the streets."""
DRAWS = 40


def _places(network: StreetNetwork, rng: np.random.Generator) -> FloatArray:
    """Places beside the streets of the largest part for e-bikes, away from junctions."""
    edges = np.flatnonzero(network.components("ebike") == 0)
    if len(edges) > POOL:
        edges = np.sort(rng.choice(edges, POOL, replace=False))
    xy = network.project(network.middle_lonlat(edges))
    return np.asarray(xy + rng.normal(0.0, 12.0, xy.shape))


@kernel
def _legs(
    graph: Graph, at: PlaceColumns, start: Int64Array, end: Int64Array, most_ms: int, work: Work
) -> Int64Array:
    """Network time of every leg, `NO` where it is longer than `most_ms`."""
    out = np.empty(len(start), np.int64)
    for q in range(len(start)):
        out[q] = point_leg(graph, place_of(at, start[q]), place_of(at, end[q]), most_ms, work)
    return out


def _chains(
    network: StreetNetwork, xy: FloatArray, lengths: Int64Array, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rows of `xy` that each rider visits, the first their position, and the seconds of the way to each.

    A step is drawn 150 to 1000 m away and again where the streets make it too long; -1 after the end.
    """
    places = network.snap(network.unproject(xy), "ebike")
    along, against = runs_ms(network, "ebike", places)
    foot = network.project(places.lonlat)
    table = PlaceColumns(places.edge, along, against, places.offset_m, foot[:, 0].copy(), foot[:, 1].copy())
    walk_s = places.walk_ms / 1000
    graph, work, tree = graph_of(network, "ebike"), work_for(network, "ebike"), cKDTree(xy)
    on_street = np.flatnonzero(places.ok)
    chain = np.full((len(lengths), int(lengths.max()) + 1), -1)
    way_s = np.zeros(chain.shape)
    chain[:, 0] = rng.choice(on_street, len(lengths))
    for step in range(1, chain.shape[1]):
        open_rows = np.flatnonzero((lengths >= step) & (chain[:, step - 1] >= 0))
        for _ in range(DRAWS):
            here = chain[open_rows, step - 1]
            away, turn = rng.uniform(150, 1000, len(here)), rng.uniform(0, 2 * np.pi, len(here))
            aim = xy[here] + away[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
            there = np.asarray(tree.query(aim)[1], np.int64)
            leg = _legs(graph, table, here, there, int(LONGEST_S * 1000), work)
            good = (leg != NO) & (leg > 0)
            chain[open_rows[good], step] = there[good]
            way_s[open_rows[good], step] = leg[good] / 1000 + walk_s[here[good]] + walk_s[there[good]]
            open_rows = open_rows[~good]
            if not len(open_rows):
                break
    return chain, way_s


def city_riders(
    network: StreetNetwork, count: int, seed: int, *, stops: tuple[int, int] = (6, 10), prefix: str = ""
) -> list[Rider]:
    """Riders with 6 to 10 stops, each within eight minutes of the last, and all rules in play.

    A stop is due 0 to 15 min after the rider is there, as the plan stands.
    """
    rng = np.random.default_rng(seed)
    xy = _places(network, rng)
    lonlat = network.unproject(xy)
    drawn: list[tuple[Int64Array, FloatArray]] = []
    while len(drawn) < count:
        # Some places have no other within reach: such chains are drawn anew.
        lengths = rng.integers(stops[0], stops[1] + 1, (count - len(drawn)) * 5 // 4 + 10)
        chain, way_s = _chains(network, xy, lengths, rng)
        whole = np.flatnonzero((chain >= 0).sum(axis=1) == lengths + 1).tolist()
        drawn += [(chain[row, : lengths[row] + 1], way_s[row, 1 : lengths[row] + 1]) for row in whole]
    riders = []
    for number, (rows, ways) in enumerate(drawn[:count]):
        factor = float(rng.choice([1.0, 1.0, 1.1, 1.25]))
        arrive_s = NOW + np.cumsum(ways * factor + SERVICE_S) - SERVICE_S
        due_s = (arrive_s + rng.uniform(0, 900, len(ways))).tolist()
        at = [(float(lon), float(lat)) for lon, lat in lonlat[rows].tolist()]
        plan = [
            Stop(f"s{place}", where, SERVICE_S, latest_s=due)
            for place, (where, due) in enumerate(zip(at[1:], due_s, strict=True))
        ]
        riders.append(
            Rider(
                f"r{prefix}{number:05d}",
                at[0],
                stops=tuple(plan),
                skills=frozenset(np.array(["aid", "fire"])[rng.random(2) < 0.7].tolist()),
                status="busy" if rng.random() < 0.95 else "on_break",
                shift_end_s=NOW + float(rng.uniform(3600, 6 * 3600)),
                worked_since_break_s=float(rng.uniform(0, 3.5 * 3600)),
                speed_factor=factor,
                extra_last_hour_s=float(rng.choice([0.0, 300.0])),
            )
        )
    return riders


def city_tasks(network: StreetNetwork, count: int, seed: int) -> list[Task]:
    """Visits of a minute anywhere, due in half an hour to two hours; three in ten need a skill."""
    rng = np.random.default_rng(seed)
    xy = _places(network, rng)
    lonlat = network.unproject(xy[rng.integers(len(xy), size=count)])
    tasks = []
    for number, (lon, lat) in enumerate(lonlat.tolist()):
        latest_s = NOW + float(rng.uniform(1800, 7200))
        skills = frozenset({"aid"}) if rng.random() < 0.3 else frozenset()
        tasks.append(Task(f"t{number:04d}", Visit((lon, lat), SERVICE_S, latest_s=latest_s), skills=skills))
    return tasks


def city_fleet(network: StreetNetwork, riders: list[Rider], policy: Policy) -> Fleet:
    """The fleet with all plans in place."""
    fleet = Fleet(network, policy)
    fleet.put(riders, NOW)
    return fleet


def finder(fleet: Fleet, tasks: list[Task], k: int) -> Callable[[int], int]:
    """Return the search for the k best riders of a task by its row; places already snapped, all rules on."""
    mode_fleet = fleet.mode_fleets["ebike"]
    fleet.order()
    table, out, now = fleet.table("ebike", tasks).columns, outputs(k), as_ms(NOW)
    context = mode_fleet.context()

    def find(i: int) -> int:
        return best_riders(context, mode_fleet.width, table, i, k, now, mode_fleet.first_ms, out)

    return find
