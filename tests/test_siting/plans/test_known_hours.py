"""The hours that a study advises follow from hours of at least k riders only: what is withheld moves none."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from made_rests import Rest, made_inputs

from siting.demand.hourly import HourRiders
from siting.plans.choice import ways_on_offer
from siting.results import Study
from siting.stations.kinds import KINDS
from siting.study import run_study


def told(study: Study) -> tuple[object, ...]:
    sites = tuple((s.site_id, s.kind, s.opening_hours, s.planned_hours) for s in study.sites)
    audit = tuple(sorted((f.site_id, f.better_hours, f.action == "open_longer") for f in study.audit))
    return sites, audit


def nights(riders: int, minutes: int) -> Sequence[Rest]:
    """Rests at all spots in the small hours, in which nobody of the others rests."""
    where = [(spot, day) for spot in (0, 5) for day in (0, 1)]
    return [Rest(rider, spot, "rest", day, 2, minutes) for rider in range(riders) for spot, day in where]


@pytest.mark.parametrize("budget", [None, 500_000.0])
def test_nine_riders_at_night_open_no_station_at_night(tmp_path: Path, budget: float | None) -> None:
    def study(more: Sequence[Rest]) -> Study:
        inputs, _, _ = made_inputs("many", tmp_path, 10, more)
        settings = dataclasses.replace(inputs.settings, budget_yuan=budget, draws=0)
        return run_study(dataclasses.replace(inputs, settings=settings))

    nobody, nine, ten = study(()), study(nights(9, 58)), study(nights(10, 58))
    assert told(nine) == told(nobody)
    assert told(study(nights(9, 20))) == told(nine)
    # ten riders are told of, so they may open it
    assert budget is not None or any("24/7" in (s.opening_hours, s.planned_hours) for s in ten.sites)
    assert not any("24/7" in (s.opening_hours, s.planned_hours) for s in nine.sites)


def test_an_hour_is_known_from_k_riders_on_wherever_they_rest() -> None:
    point, hour, rider = np.array([0, 0, 1, 1, 2]), np.array([8, 9, 8, 9, 9]), np.array([0, 0, 1, 0, 2])
    riders = HourRiders(point, hour, rider, 2)
    near = riders.near(np.array([0, 0, -1]), 1)
    assert np.nonzero(near[0])[0].tolist() == [8]
    reach = np.array([[True, False, True], [True, True, False], [False, True, False]])
    assert [np.nonzero(row)[0].tolist() for row in riders.within(reach)] == [[8], [9], []]


def test_ways_that_only_unknown_hours_tell_apart_are_one() -> None:
    need = np.zeros((1, 24))
    found = {(kind.name, span) for kind, span in ways_on_offer(KINDS, need, 0)}
    assert found == {("micro", (8, 20)), ("standard", (8, 18))}
    need[0, 12] = 100.0
    need[0, 21] = 50.0
    found = {(kind.name, span) for kind, span in ways_on_offer(KINDS, need, 0)}
    # two hours are known, six seats hold both; no night is
    assert ("micro", (10, 22)) in found
    assert ("hub24", (0, 24)) not in found
    need[0, 12] = 2000.0
    assert ("hub24", (0, 24)) in {(kind.name, span) for kind, span in ways_on_offer(KINDS, need, 0)}
    today = np.zeros(24, dtype=np.bool_)
    today[8:22] = True
    assert ways_on_offer((KINDS[1],), need, 0, today) == []
