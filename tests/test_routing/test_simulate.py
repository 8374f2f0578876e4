"""A day replayed: nobody later than without tasks, no break eaten, cheaper than every baseline."""

from pathlib import Path

import numpy as np
import pytest
from lattice import lattice

from geo.errors import InputError
from geo.osm import read_osm
from geo.streets import StreetNetwork
from geo.travel import find_path
from routing.day import DayOptions, make_day
from routing.policy import Policy
from routing.simulate import POLICIES, gini, simulate
from routing.verify import Checker

POLICY = Policy()


def check_day(network: StreetNetwork, seed: int, riders: int, tasks: int) -> None:
    day = make_day(
        network, DayOptions(riders=riders, tasks=tasks, seed=seed, hours=5.0, emergencies=3), POLICY
    )
    found = {how: simulate(network, day, POLICY, how) for how in POLICIES}
    quiet = found["none"]
    assert quiet.late == quiet.breaks_late == 0
    assert len({one.deliveries for one in found.values()}) == 1
    for how in ("one by one", "batches"):
        ours = found[how]
        assert (ours.late, ours.breaks_late) == (quiet.late, quiet.breaks_late)
        assert ours.served > 0
        assert all(one.extra_s <= POLICY.max_extra_s for one in ours.driven)
        for other in ("straight line", "network nearest"):
            assert ours.extra_min_a_task < found[other].extra_min_a_task


@pytest.mark.parametrize("seed", range(2))
def test_a_day_in_a_small_town(seed: int) -> None:
    check_day(lattice(14), seed, 30, 25)


@pytest.mark.parametrize("name", ["beijing-haidian-composite", "porto-centre", "malta-2016"])
def test_a_day_on_real_maps(shared_data: Path, tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    network, _ = read_osm(shared_data / "osm" / f"{name}.osm.pbf")
    check_day(network, 0, 40, 25)


def test_every_way_driven_for_a_task_is_legal() -> None:
    network = lattice(14)
    day = make_day(network, DayOptions(riders=20, tasks=20, seed=3, hours=4.0), POLICY)
    result = simulate(network, day, POLICY, "one by one")
    checker = Checker(network, POLICY)
    for one in result.driven:
        to = day.task_place.take([one.task])
        for place in (day.start_place.take([one.rider]), day.stop_place.take([one.task])):
            path = find_path(network, "ebike", place, to)
            assert path is not None
            assert checker.path("ebike", path.directed_edges.tolist()) == ()


def test_same_seed_same_day() -> None:
    network = lattice(10)
    options = DayOptions(riders=15, tasks=12, seed=5, hours=3.0)
    one, two = (simulate(network, make_day(network, options, POLICY), POLICY, "batches") for _ in range(2))
    assert one.driven == two.driven
    assert (one.gini, one.response_median_s) == (two.gini, two.response_median_s)


def test_gini_of_equal_and_of_all_in_one_hand() -> None:
    assert gini(np.ones(10)) == pytest.approx(0.0)
    assert gini(np.r_[np.zeros(9), 5.0]) == pytest.approx(0.9)
    assert gini(np.zeros(3)) == 0.0


def test_options_and_names_are_checked() -> None:
    with pytest.raises(InputError, match="1 to 100000"):
        DayOptions(riders=0)
    network = lattice(8)
    day = make_day(network, DayOptions(riders=2, tasks=1, hours=1.0), POLICY)
    with pytest.raises(InputError, match="one by one"):
        simulate(network, day, POLICY, "whatever")
