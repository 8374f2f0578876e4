"""Ways that lie partly beyond the radius of a search, against a search for each way by itself."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from towns import NOW, some_riders, some_tasks

from routing.fleet.fleet import Fleet
from routing.fleet.kernels.beyond_bound import Query, single_way
from routing.fleet.kernels.legs import clear, place_of, point_leg, spread
from routing.fleet.kernels.tables import FAR_MS, NO
from routing.model.policy import Policy

TOWNS = lattice(10), lattice(8, 600.0)
"""Short streets, and streets that take longer than some of the radii."""


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    wide=st.booleans(),
    radius=st.integers(0, 300_000),
    more=st.integers(-50_000, 300_000),
)
def test_a_search_finds_the_ways_that_end_beyond_it(seed: int, wide: bool, radius: int, more: int) -> None:
    rng, town = np.random.default_rng(seed), TOWNS[wide]
    fleet = Fleet(town, Policy())
    fleet.put(some_riders(town, rng, 8, everything=False), NOW)
    tasks = some_tasks(town, rng, 3, everything=False)
    mode_fleet = fleet.mode_fleets["ebike"]
    graph, c, work, most = mode_fleet.graph, mode_fleet.c, mode_fleet.work(), max(radius + more, 0)
    t = fleet.table("ebike", tasks).columns
    slots = np.flatnonzero((np.arange(mode_fleet.width) <= c.stops[:, None]).ravel())
    for i in np.flatnonzero(t.edge >= 0).tolist():
        place = place_of(t, i)
        asked = Query(graph, c, work, t, i, mode_fleet.width, 1, 0)
        n_to, n_from = spread(graph, int(t.edge[i]), t.from_u[i], t.from_v[i], radius, work)
        for slot in slots.tolist():
            at = place_of(c, slot)
            to, on = point_leg(graph, at, place, FAR_MS, work), point_leg(graph, place, at, FAR_MS, work)
            assert single_way(asked, slot, True, most, radius) == (to if to <= most else NO)
            assert single_way(asked, slot, False, most, radius) == (on if on <= most else NO)
        clear(work, n_to, n_from)
        for array in (work.dist_to, work.dist_from, work.dist_leg):
            assert (array == NO).all()
