"""What kernels are given has one form, however many places there are: each form is compiled for itself."""

from typing import Any

import numba
import numpy as np
from lattice import lattice

from routing.fleet.mode_fleet import ModeFleet
from routing.model import Policy, Visit


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
