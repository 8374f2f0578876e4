"""Alerts: the place far from a street, several people, the latest instant, what an alert cannot be."""

import dataclasses
import itertools

import numpy as np
import pytest
from ascii_map import ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from towns import NOW

from geo.errors import InputError
from geo.streets.contraction import great_circle_m
from routing.emergency import Alert, alert_plan, chance_within
from routing.fleet.fleet import Fleet
from routing.model.policy import EmergencyPolicy, Policy
from routing.model.riders import Rider
from routing.model.tasks import Task, Visit

TOWN = lattice(10)
NODES = [(float(lon), float(lat)) for lon, lat in TOWN.node_lonlat]


def fleet_of(*riders: Rider) -> Fleet:
    fleet = Fleet(TOWN, Policy())
    fleet.put(riders, NOW)
    return fleet


@settings(max_examples=80, deadline=None)
@given(
    chances=st.lists(st.sampled_from([0.0, 0.2, 0.5, 1.0]), min_size=1, max_size=6),
    phases=st.lists(st.integers(0, 2), min_size=6, max_size=6),
    late=st.lists(st.booleans(), min_size=6, max_size=6),
    people=st.integers(1, 3),
)
def test_the_chance_of_several_people_is_that_of_all_cases(
    chances: list[float], phases: list[int], late: list[bool], people: int
) -> None:
    alerts = tuple(
        Alert(str(n), phases[n], 0.0, 0.0, 500.0 if late[n] else 100.0, chance, ())
        for n, chance in enumerate(chances)
    )
    total = 0.0
    for accepts in itertools.product([False, True], repeat=len(alerts)):
        probability, come = 1.0, 0
        coming = []
        for alert, yes in zip(alerts, accepts, strict=True):
            probability *= alert.acceptance if yes else 1 - alert.acceptance
        for phase in range(3):
            if come >= people:
                break
            coming += [a for a, yes in zip(alerts, accepts, strict=True) if yes and a.phase == phase]
            come = len(coming)
        if come >= people and sum(a.arrives_s <= 300.0 for a in coming) >= people:
            total += probability
    assert chance_within(alerts, 300.0, people) == pytest.approx(total, abs=1e-12)


def test_a_place_far_from_every_street_is_no_reason_to_alert_nobody() -> None:
    rider = Rider("r", NODES[0])
    west, south, _, _ = TOWN.bounds
    far = (west - 0.004, south - 0.004)
    plan = alert_plan(fleet_of(rider), Task("t", Visit(far)), NOW)
    assert [alert.rider_id for alert in plan.alerts] == ["r"]
    assert 400 < plan.street_m < 700
    near = alert_plan(fleet_of(rider), Task("t", Visit((west, south))), NOW)
    assert plan.alerts[0].travel_s - near.alerts[0].travel_s > 300, "the walk is counted"


@pytest.mark.parametrize("away_deg", [(0.3, 0.2), (-0.5, 0.0)])
def test_a_place_beyond_the_map_is_walked_to_from_the_nearest_street(away_deg: tuple[float, float]) -> None:
    """In another city, or with lon and lat swapped: the distance is said, and nothing is refused."""
    west, south, _, _ = TOWN.bounds
    far = (west + away_deg[0], max(south + away_deg[1], -89.0))
    patient = EmergencyPolicy(horizon_s=86_400.0)
    plan = alert_plan(fleet_of(Rider("r", NODES[0])), Task("t", Visit(far)), NOW, policy=patient)
    corners = TOWN.geom_lonlat
    nearest_m = great_circle_m(corners, np.broadcast_to(far, corners.shape)).min()
    assert plan.street_m == pytest.approx(nearest_m, rel=1e-6)
    assert [alert.rider_id for alert in plan.alerts] == ["r"]
    assert plan.alerts[0].travel_s >= plan.street_m / 1.2
    assert not alert_plan(fleet_of(Rider("r", NODES[0])), Task("t", Visit(far)), NOW).alerts
    swapped = alert_plan(
        fleet_of(Rider("r", NODES[0])), Task("t", Visit((far[1], 89.0))), NOW, policy=patient
    )
    assert (swapped.alerts, swapped.street_m > 5e6) == ((), True), "more than a day on foot"


def test_nobody_is_alerted_who_comes_too_late() -> None:
    riders = (Rider("near", NODES[0]), Rider("far", NODES[-1]))
    both = alert_plan(fleet_of(*riders), Task("t", Visit(NODES[0])), NOW)
    assert len(both.alerts) == 2
    until_s = NOW + both.alerts[1].arrives_s - 1.0
    one = alert_plan(fleet_of(*riders), Task("t", Visit(NODES[0], latest_s=until_s)), NOW)
    assert [alert.rider_id for alert in one.alerts] == ["near"]


def test_two_people_are_harder_to_get_than_one() -> None:
    riders = [Rider(f"r{n}", NODES[n]) for n in range(6)]
    task = Task("t", Visit(NODES[0]))
    policy = EmergencyPolicy(acceptance=0.5)
    one = alert_plan(fleet_of(*riders), task, NOW, policy=policy)
    two = alert_plan(fleet_of(*riders), dataclasses.replace(task, people=2), NOW, policy=policy)
    assert 0 < two.probability < one.probability


def test_what_an_alert_cannot_be_is_said() -> None:
    fleet = fleet_of(Rider("r", NODES[0]))
    pair = Task("t", Visit(NODES[0]), Visit(NODES[1]), kind="errand")
    with pytest.raises(InputError, match="drop-off"):
        alert_plan(fleet, pair, NOW)
    with pytest.raises(InputError, match="later than now"):
        alert_plan(fleet, Task("t", Visit(NODES[0], earliest_s=NOW + 60)), NOW)
    assert np.isinf(alert_plan(fleet_of(), Task("t", Visit(NODES[0])), NOW).street_m)


def test_a_street_that_nobody_can_reach_is_walked_to_from_the_nearest_that_one_can() -> None:
    """The path on the island is nearest to the place, and no bridge leads to it."""
    town = ascii_map(
        """
        A---------------B

                 C--D
        """,
        {"AB": {}, "CD": {}},
    )
    fleet = Fleet(town.network(), Policy())
    rider = Rider("r", town.letters["A"])
    fleet.put([rider], NOW)
    plan = alert_plan(fleet, Task("t", Visit(town.letters["C"])), NOW)
    assert [alert.rider_id for alert in plan.alerts] == ["r"]
    assert plan.street_m == pytest.approx(50.0, abs=1.0)
    assert plan.alerts[0].travel_s > 50.0 / 1.2, "the walk is counted"
