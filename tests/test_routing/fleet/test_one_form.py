"""What kernels are given has one form, however many places there are: each form is compiled for itself."""

from typing import Any, cast

import numba
import numpy as np
import pytest
from lattice import lattice

from routing.fleet.fleet import Fleet
from routing.fleet.mode_fleet import ModeFleet
from routing.model import Policy, Rider, Visit


def test_one_place_and_several_are_of_one_form() -> None:
    network = lattice(3)
    fleet = ModeFleet(network, "ebike", Policy())

    def form(count: int) -> list[str]:
        places = network.snap(network.node_lonlat[:count], "ebike")
        when = np.zeros(count, np.int64)
        tasks = fleet.tasks(places, [Visit((0.0, 0.0), 30.0)] * count, [0] * count, [0] * count)
        stops = fleet.stop_table(places, when, when, np.zeros(count, np.bool_))
        typeof: Any = numba.typeof
        return [str(typeof(columns)) for columns in (tasks, stops)]

    assert form(1) == form(3)
    assert not [one for one in form(3) if "1d, A" in one]


@pytest.mark.parametrize("more", [0, 40])
def test_a_fleet_that_was_put_back_is_of_the_form_it_was(more: int) -> None:
    """Also one that has grown meanwhile."""
    network = lattice(3)
    lon, lat = network.node_lonlat[0].tolist()
    fleet, typeof = Fleet(network, Policy()), cast(Any, numba.typeof)
    fleet.put([Rider("r", (lon, lat))], 0.0)
    columns = fleet.mode_fleet("ebike").c
    before, form = fleet.snapshot(), str(typeof(columns))
    kept = {name: getattr(columns, name).tolist() for name in columns._fields}
    fleet.put([Rider(f"r{k}", (lon, lat)) for k in range(more + 1)], 100.0)
    fleet.restore(before)
    again = fleet.mode_fleet("ebike").c
    assert fleet.rider_ids == ("r",)
    assert str(typeof(again)) == form
    assert {name: getattr(again, name).tolist() for name in again._fields} == kept
