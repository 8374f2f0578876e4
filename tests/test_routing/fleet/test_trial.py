"""A rider apart stands there as in the fleet, and what an offer tells is what a match tells."""

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from towns import NOW, place_in, some_riders, some_tasks

from routing.best_riders import candidates_for
from routing.fleet.fleet import Fleet
from routing.fleet.mode_fleet import ROW_COLUMNS, SLOT_COLUMNS
from routing.fleet.trial import Trial
from routing.match import Priced, apply, put_priced
from routing.model.policy import Policy

TOWN = lattice(10)
POLICY = Policy(max_extra_s=900.0, max_extra_per_hour_s=1200.0, fairness_s_per_point=7.0)
PLACED = {"following", "previous", "order"}
"""Where a row stands among others."""


def fleet_of(seed: int) -> tuple[np.random.Generator, Fleet]:
    rng = np.random.default_rng(seed)
    fleet = Fleet(TOWN, POLICY)
    fleet.put(some_riders(TOWN, rng, 8, everything=True), NOW)
    moved = [name for name in fleet.rider_ids if rng.random() < 0.5]
    if moved:
        fleet.move(moved, np.array([place_in(TOWN, rng) for _ in moved]), NOW + 5.0)
    return rng, fleet


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_a_trial_has_the_columns_of_the_fleet(seed: int) -> None:
    _, fleet = fleet_of(seed)
    trial = Trial(fleet)
    for rider_id in fleet.rider_ids:
        real, at = fleet.row_of(rider_id)
        stops = int(real.c.stops[at])
        with trial.of(rider_id) as alone:
            copy, here = alone.row_of(rider_id)
            for name in SLOT_COLUMNS:
                if name not in PLACED:
                    theirs = getattr(real.c, name)[at * real.width :][: stops + 1]
                    np.testing.assert_array_equal(
                        getattr(copy.c, name)[here * copy.width :][: stops + 1], theirs
                    )
            for name in ROW_COLUMNS:
                if name not in PLACED:
                    assert getattr(copy.c, name)[here] == getattr(real.c, name)[at]
            assert copy.c.long_count[0] == (copy.c.leg[: copy.width] > copy.c.long_leg[0]).sum()
            assert alone.rider(rider_id) == fleet.rider(rider_id)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_an_offer_tells_what_the_match_tells(seed: int) -> None:
    rng, fleet = fleet_of(seed)
    pair = some_tasks(TOWN, rng, 2, everything=True)
    tasks = [*some_tasks(TOWN, rng, 3, everything=False), dataclasses.replace(pair[0], dropoff=pair[1].place)]
    trial = Trial(fleet)
    for task in tasks:
        for found in candidates_for(fleet, task, 3, NOW + 9.0):
            with trial.of(found.rider_id) as alone:
                whole = apply(alone, task, found, None, NOW + 9.0)
                after = alone.rider(found.rider_id)
            with trial.of(found.rider_id) as alone:
                told = put_priced(alone, task, found, NOW + 9.0)
                assert alone.rider(found.rider_id) == after
            for field in dataclasses.fields(Priced):
                assert getattr(told, field.name) == getattr(whole, field.name)
