"""A day replayed: nobody later than without tasks, no break eaten, cheaper than every baseline."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ascii_map import ascii_map
from lattice import lattice

from geo.errors import InputError
from geo.osm.read import read_osm
from geo.streets.network import StreetNetwork
from routing.model.policy import EmergencyPolicy, Policy
from routing.proof.verify import Checker
from routing.replay.day import DayOptions, make_day
from routing.replay.day_verification import prove_day
from routing.replay.offers import OFFERS
from routing.replay.simulate import DayResult, simulate

POLICY = Policy()
DAYS = 10 if os.environ.get("YILU_PROOF") == "full" else 4
"""On each real map."""
OURS = ("one by one", "batches")
BASELINES = ("straight line", "network nearest")


def check_day(
    network: StreetNetwork, options: DayOptions, checker: Checker
) -> tuple[DayResult, dict[str, DayResult]]:
    """Prove one day under our policies; return the quiet day, and all others by policy."""
    day = make_day(network, options, POLICY)
    quiet = simulate(network, day, POLICY, "none")
    assert quiet.late == quiet.breaks_late == 0
    assert quiet.gini == 0.0
    found = {how: simulate(network, day, POLICY, how) for how in BASELINES}
    for how in OURS:
        proof = prove_day(network, day, POLICY, how, checker=checker)
        assert proof.problems == ()
        assert proof.answers == proof.result.served
        assert proof.edges > 0
        found[how] = proof.result
    for how in OURS:
        assert (found[how].late, found[how].breaks_late) == (0, 0)
        assert found[how].deliveries == quiet.deliveries
        assert all(one.extra_s <= POLICY.max_extra_s for one in found[how].driven)
    return quiet, found


def extra_s(result: DayResult, tasks: set[int]) -> float:
    """Mean extra time of some tasks."""
    return float(np.mean([one.extra_s for one in result.driven if one.task in tasks]))


def check_days(network: StreetNetwork, seeds: range, size: DayOptions) -> None:
    """No day harms anybody, and over all of them each of our policies is cheaper than each baseline."""
    checker = Checker(network, POLICY)
    days = [check_day(network, dataclasses.replace(size, seed=seed), checker)[1] for seed in seeds]
    for ours in OURS:
        for other in BASELINES:
            mine = np.array([one.extra_s for day in days for one in day[ours].driven])
            theirs = np.array([one.extra_s for day in days for one in day[other].driven])
            assert mine.mean() < theirs.mean()
            # Not because dear tasks were refused: on the very tasks that we did, it is cheaper as well.
            done = [{one.task for one in day[ours].driven} for day in days]
            same = [extra_s(day[other], tasks) for day, tasks in zip(days, done, strict=True) if tasks]
            own = [extra_s(day[ours], tasks) for day, tasks in zip(days, done, strict=True) if tasks]
            assert np.mean(own) < np.mean(same)


def test_days_in_a_small_town() -> None:
    check_days(lattice(14), range(3), DayOptions(riders=30, tasks=40, hours=4.0, emergencies=3))


@pytest.mark.parametrize("name", ["beijing-haidian-composite", "porto-centre", "malta-2016"])
def test_days_on_each_of_three_real_maps(shared_data: Path, name: str) -> None:
    network, _ = read_osm(shared_data / "osm" / f"{name}.osm.pbf")
    check_days(network, range(DAYS), DayOptions(riders=12, tasks=12, hours=3.0, emergencies=2))


@pytest.mark.parametrize("how", list(OFFERS))
def test_the_life_cycle_of_offers_harms_nobody(how: str) -> None:
    """By the live service's own code, with riders who say no: nothing gets late, every answer is proven."""
    network = lattice(14)
    options = DayOptions(riders=20, tasks=40, hours=3.0, emergencies=0, seed=4)
    day = make_day(network, options, POLICY)
    quiet = simulate(network, day, POLICY, "none")
    proof = prove_day(network, day, POLICY, how, checker=Checker(network, POLICY))
    assert proof.problems == ()
    assert proof.answers == proof.result.served
    assert proof.result.served > 20
    assert (proof.result.late, proof.result.breaks_late) == (0, 0)
    assert proof.result.deliveries == quiet.deliveries


def test_the_proof_finds_what_a_careless_policy_does() -> None:
    """Matched with the day's rules, checked against stricter ones: the checker is no rubber stamp."""
    network = lattice(14)
    day = make_day(network, DayOptions(riders=20, tasks=20, seed=3, hours=4.0), POLICY)
    strict = Checker(network, dataclasses.replace(POLICY, max_extra_s=90.0, slack_kept_s=3600.0))
    problems = prove_day(network, day, POLICY, "one by one", checker=strict).problems
    assert any("allowed are 90.0 s" in text for text in problems)
    assert any("later than allowed" in text for text in problems)


def test_drills_answer_in_phases_and_a_policy_may_be_switched() -> None:
    network = lattice(14)
    options = DayOptions(riders=30, tasks=0, emergencies=15, hours=3.0, seed=1)

    def response_s(how: str = "one by one", **rules: Any) -> float:  # noqa: ANN401 - fields of the policy
        policy = dataclasses.replace(POLICY, emergency=EmergencyPolicy(**rules))
        return simulate(network, make_day(network, options, policy), policy, how).response_median_s

    sure = response_s(acceptance=1.0)
    assert response_s(acceptance=1.0, answer_s=80.0) == pytest.approx(sure + 60.0)
    assert sure <= response_s() < np.inf
    # Nobody accepts; nobody is near enough.
    assert response_s(acceptance=0.0) == np.inf
    assert response_s(acceptance=1.0, horizon_s=1.0) == np.inf
    # One phase of one rider is slower than phases of many, and straight lines are no quicker than streets.
    assert response_s(phase_riders=(1,)) >= response_s()
    assert response_s("straight line", acceptance=1.0) >= sure
    # A longer wait between phases delays whoever is alerted later.
    assert response_s(phase_riders=(1, 1, 1, 1, 20), phase_wait_s=300.0) > response_s(
        phase_riders=(1, 1, 1, 1, 20), phase_wait_s=1.0
    )


def test_same_seed_same_day() -> None:
    network = lattice(10)
    options = DayOptions(riders=15, tasks=12, seed=5, hours=3.0)
    one, two = (simulate(network, make_day(network, options, POLICY), POLICY, "batches") for _ in range(2))
    assert one.driven == two.driven
    assert (one.gini, one.response_median_s) == (two.gini, two.response_median_s)


def test_options_and_names_are_checked() -> None:
    with pytest.raises(InputError, match="1 to 100000"):
        DayOptions(riders=0)
    network = lattice(8)
    day = make_day(network, DayOptions(riders=2, tasks=1, hours=1.0), POLICY)
    with pytest.raises(InputError, match="one by one"):
        simulate(network, day, POLICY, "whatever")


def test_nobody_is_at_a_place_that_its_position_does_not_tell() -> None:
    """A platform knows positions: what is in a tunnel is on the street above to it."""
    town = ascii_map(
        """
        A-------B
        T-------U
        |       |
        C-------D
        """,
        {"AB": {}, "TU": {"off_ground": True}, "TC": {}, "UD": {}, "CD": {}, "AT": {}, "BU": {}},
        cell_m=10.0,
    )
    network = town.network()
    day = make_day(network, DayOptions(riders=6, tasks=20, hours=1.0), POLICY)
    for places in (day.start_place, day.stop_place, day.task_place, day.emergency_place):
        told = network.snap(places.lonlat, "ebike", POLICY.walk_to_street_m)
        assert not network.edge_off_ground[places.edge].any()
        np.testing.assert_array_equal(told.edge, places.edge)
