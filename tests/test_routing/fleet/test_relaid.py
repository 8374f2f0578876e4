"""Streets shut and opened under a fleet: the fleet is the one that all riders put anew would be."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattice import lattice
from random_streets import random_ways
from towns import NOW, some_riders, some_tasks

from geo.streets import StreetNetwork, StreetOverride
from geo.streets.build import build_network
from routing.best_riders import candidates_for
from routing.fleet.fleet import Fleet
from routing.fleet.mode_fleet import ROW_COLUMNS, SLOT_COLUMNS
from routing.fleet.relaid import MOST_STREETS, lay_on
from routing.model.policy import Policy
from routing.model.riders import Rider

POLICY = Policy(max_extra_s=900.0)
PLACED = {"following", "previous", "order", "long_at", "platform", "skills"}
"""Where a row stands among others, and bits that names get in the order in which they are met."""
INSTANTS = frozenset({"arrive", "start", "leave", "room", "until", "leg"})
TOWN = lattice(12)


def changes(network: StreetNetwork, rng: np.random.Generator) -> list[StreetNetwork]:
    """The map, some closures and slow streets one after the other, and the map again."""
    out = []
    for _ in range(2):
        edges = rng.integers(0, len(network.edge_u), int(rng.integers(1, 4))).tolist()
        shares = rng.choice([0.0, 0.0, 0.5], len(edges)).tolist()
        put = [
            StreetOverride(NOW - 1, NOW + 9e5, edge=edge, speed_share=share)
            for edge, share in zip(edges, shares, strict=True)
        ]
        out.append(network.with_overrides(put, NOW))
    return [*out, network]


def same(fleet: Fleet, wanted: Fleet) -> None:
    assert fleet.rider_ids == wanted.rider_ids
    assert fleet.unreachable == wanted.unreachable
    for rider_id in fleet.rider_ids:
        (one, at), (other, there) = fleet.row_of(rider_id), wanted.row_of(rider_id)
        stops = int(one.c.stops[at])
        # Beyond a stop that cannot be reached the columns of instants say nothing.
        silent = INSTANTS if rider_id in fleet.unreachable else frozenset()
        for name in SLOT_COLUMNS:
            if name not in PLACED | silent:
                mine, theirs = (
                    getattr(found.c, name)[row * found.width :][: stops + 1]
                    for found, row in ((one, at), (other, there))
                )
                np.testing.assert_array_equal(mine, theirs, f"{rider_id} {name}")
        for name in ROW_COLUMNS:
            if name not in PLACED:
                assert getattr(one.c, name)[at] == getattr(other.c, name)[there], (rider_id, name)


def follow(network: StreetNetwork, seed: int, riders: int) -> None:
    """Lay a fleet on each change, and compare it with one made anew."""
    rng = np.random.default_rng(seed)
    known = some_riders(network, rng, riders, everything=True)
    fleet = Fleet(network, POLICY)
    fleet.put(known, NOW)
    for changed in changes(network, rng):
        wanted = Fleet(changed, POLICY)
        wanted.put(known, NOW)
        lay_on(fleet, changed, NOW)
        fleet.put([rider for rider in known if rider.rider_id not in fleet], NOW)
        same(fleet, wanted)
        for task in some_tasks(network, rng, 2, everything=True):
            assert candidates_for(fleet, task, 3, NOW + 9.0) == candidates_for(wanted, task, 3, NOW + 9.0)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_a_lattice_with_streets_shut_and_opened(seed: int) -> None:
    follow(TOWN, seed, 30)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_towns_with_one_ways_gates_and_banned_turns(seed: int) -> None:
    follow(build_network(random_ways(seed)), seed, 12)


def test_most_plans_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those near the street, or on their way over it, are written anew."""
    town = lattice(40)
    rng = np.random.default_rng(5)
    fleet = Fleet(town, POLICY)
    fleet.put(
        [dataclasses.replace(one, mode="ebike") for one in some_riders(town, rng, 300, everything=False)], NOW
    )
    written: list[int] = []
    put = fleet.put

    def counted(riders: list[Rider], now_s: float) -> object:
        written.append(len(riders))
        return put(riders, now_s)

    monkeypatch.setattr(fleet, "put", counted)
    lay_on(fleet, town.with_overrides([StreetOverride(NOW - 1, NOW + 9, edge=700)], NOW), NOW)
    assert 0 < written[0] < 150


def cut_off(town: StreetNetwork, corner: int, step_m: float) -> list[StreetOverride]:
    """Shut all streets that lead into a block of 4 x 4 junctions; the streets within stay as they are."""
    xy = town.project(town.node_lonlat)
    low = xy.min(axis=0) + corner * step_m
    inside = ((xy > low - step_m / 2) & (xy < low + 3.5 * step_m)).all(axis=1)
    edges = np.flatnonzero(inside[town.edge_u] != inside[town.edge_v]).tolist()
    return [StreetOverride(NOW - 1, NOW + 9e5, edge=edge) for edge in edges]


@pytest.mark.parametrize("seed", range(4))
def test_streets_that_hang_by_what_is_shut(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """More streets are cut off than shut: still the same fleet, and most plans stay."""
    town = lattice(24, 30.0, wobble_m=2.0, compound=False, seed=seed)
    rng = np.random.default_rng(seed)
    known = [dataclasses.replace(one, mode="ebike") for one in some_riders(town, rng, 120, everything=True)]
    fleet = Fleet(town, POLICY)
    fleet.put(known, NOW)
    written: list[int] = []
    put = fleet.put

    def counted(riders: list[Rider], now_s: float) -> object:
        written.append(len(riders))
        return put(riders, now_s)

    for changed in (town.with_overrides(cut_off(town, 1, 30.0), NOW), town):
        assert (town.connected("ebike") != changed.connected("ebike")).sum() > MOST_STREETS or changed is town
        wanted = Fleet(changed, POLICY)
        wanted.put(known, NOW)
        with monkeypatch.context() as patched:
            patched.setattr(fleet, "put", counted)
            lay_on(fleet, changed, NOW)
        fleet.put([rider for rider in known if rider.rider_id not in fleet], NOW)
        same(fleet, wanted)
    assert max(written) < 0.9 * len(known)


def test_a_dead_end_that_is_shut_concerns_those_near_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """All later states have other numbers then, and nothing else changes for anybody far away."""
    whole = lattice(24, compound=False)
    first, last = np.flatnonzero((whole.edge_u == 0) | (whole.edge_v == 0)).tolist()
    town = whole.with_overrides([StreetOverride(NOW - 1, NOW + 9e5, edge=first)], NOW)
    rng = np.random.default_rng(2)
    known = [dataclasses.replace(one, mode="ebike") for one in some_riders(town, rng, 60, everything=True)]
    fleet = Fleet(town, POLICY)
    fleet.put(known, NOW)
    written: list[int] = []
    put = fleet.put

    def counted(riders: list[Rider], now_s: float) -> object:
        written.append(len(riders))
        return put(riders, now_s)

    shut = town.with_overrides([StreetOverride(NOW - 1, NOW + 9e5, edge=last)], NOW)
    assert shut.graph("ebike").n_states < town.graph("ebike").n_states
    for changed in (shut, town):
        wanted = Fleet(changed, POLICY)
        wanted.put(known, NOW)
        with monkeypatch.context() as patched:
            patched.setattr(fleet, "put", counted)
            lay_on(fleet, changed, NOW)
        fleet.put([rider for rider in known if rider.rider_id not in fleet], NOW)
        same(fleet, wanted)
    assert max(written) < len(known) / 2
