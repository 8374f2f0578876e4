"""Travel times and paths against networkx on random towns."""

import dataclasses
import itertools
import math
import pathlib
import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_streets import random_places, random_ways
from slow_streets import SlowStreets

from geo.arrays import FloatArray
from geo.streets.build import build_network
from geo.streets.network import MODES, RawWays, Snapped, StreetNetwork, mode_bit
from geo.streets.snapping import after_each_other
from geo.travel.isochrones import reached_parts
from geo.travel.paths import Path, find_paths, ways_metres
from geo.travel.reasons import REASONS, why_unreachable
from geo.travel.times import find_path, reach_from, reach_to, travel_times_s

seeds = st.integers(0, 2**31)
modes = st.sampled_from(MODES)


def free_to_turn(raw: RawWays) -> RawWays:
    """Let turn restrictions bind cars only."""
    return dataclasses.replace(raw, restriction_modes=raw.restriction_modes & np.uint8(mode_bit("car")))


@settings(max_examples=120, deadline=None)
@given(seed=seeds, mode=modes, limit_s=st.sampled_from([math.inf, 0.0, 90.0, 400.0]))
def test_times_equal_networkx(seed: int, mode: str, limit_s: float) -> None:
    network = build_network(random_ways(seed), gate_delay_s=100.0)
    if not len(network):
        return
    sources, targets = random_places(network, seed, 5), random_places(network, seed + 1, 4)
    slow = SlowStreets(network, mode).times_s(sources, targets, limit_s)
    np.testing.assert_array_equal(travel_times_s(network, mode, sources, targets, limit_s), slow)
    # The other way about, the matrix is filled by searches backward.
    np.testing.assert_array_equal(
        travel_times_s(network, mode, sources, targets.take([0, 1]), limit_s), slow[:, :2]
    )
    np.testing.assert_array_equal(reach_from(network, mode, sources.take([1]), targets, limit_s), slow[1])
    np.testing.assert_array_equal(reach_to(network, mode, sources, targets.take([2]), limit_s), slow[:, 2])


@settings(max_examples=80, deadline=None)
@given(seed=seeds, mode=modes, limit_s=st.sampled_from([20.0, 60.0, 150.0, 400.0]), towards=st.booleans())
def test_the_parts_reached_are_those_from_where_it_takes_no_longer(
    seed: int, mode: str, limit_s: float, towards: bool
) -> None:
    network = build_network(random_ways(seed), gate_delay_s=100.0)
    if not len(network):
        return
    origin = random_places(network, seed, 1)
    edge, low_m, high_m = reached_parts(network, mode, origin, limit_s, towards=towards)
    assert np.all(low_m < high_m)
    assert np.all((edge[1:] > edge[:-1]) | ((edge[1:] == edge[:-1]) & (low_m[1:] > high_m[:-1])))
    there = random_places(network, seed + 1, 30)
    # A place alone, as the end of a street that leads away from it, is no part of a street.
    inner = (there.offset_m > 0) & (there.offset_m < network.edge_length_m[there.edge])
    same = (there.edge == origin.edge[0]) & (there.offset_m == origin.offset_m[0])
    there = there.take(np.flatnonzero(there.ok & inner & ~same))
    there = dataclasses.replace(there, walk_ms=np.zeros_like(there.walk_ms))
    if towards:
        times = reach_to(network, mode, there, origin, math.inf)
    else:
        times = reach_from(network, mode, origin, there, math.inf)
    for at, offset, time_s in zip(there.edge.tolist(), there.offset_m.tolist(), times.tolist(), strict=True):
        # Parts have no ends in whole milliseconds.
        inside = (edge == at) & (low_m <= offset + 0.01) & (offset - 0.01 <= high_m)
        if abs(time_s - limit_s) > 0.05:
            assert bool(inside.any()) == (time_s < limit_s), (at, offset, time_s)


@settings(max_examples=80, deadline=None)
@given(seed=seeds, mode=modes)
def test_a_path_is_legal_and_takes_the_reported_time(seed: int, mode: str) -> None:
    network = build_network(random_ways(seed), gate_delay_s=100.0)
    if not len(network):
        return
    source, target = random_places(network, seed, 1), random_places(network, seed + 1, 1)
    slow = SlowStreets(network, mode)
    time_s = slow.times_s(source, target)[0, 0]
    path = find_path(network, mode, source, target)
    one = np.array([0])
    (metres,) = ways_metres(network, mode, after_each_other([source, target]), one, one + 1).tolist()
    if path is None:
        assert time_s == math.inf
        assert math.isnan(metres)
        return
    assert metres == path.length_m + path.walk_m
    assert path.time_s == time_s
    edges = path.directed_edges.tolist()
    phase = "out" if slow.private(edges[0]) else "public"
    drive_ms = int(source.walk_ms[0] + target.walk_ms[0])
    for before, after in itertools.pairwise(edges):
        choices = dict(slow.next_of(before, phase))
        state = next(state for state in choices if state[0] == after)
        drive_ms += choices[state]
        phase = state[1]
    drive_ms += sum(slow.cost[d] for d in edges[:-1]) - slow.part_ms(edges[0], source.offset_m[0])
    drive_ms += slow.part_ms(edges[-1], target.offset_m[0])
    assert drive_ms == round(time_s * 1000)
    walked = sum(metres for _, metres in path.steps)
    assert walked == pytest.approx(path.length_m, abs=0.5 * len(edges))
    plane = network.project(path.lonlat)
    assert np.hypot(*np.diff(plane, axis=0).T).sum() == pytest.approx(path.length_m, rel=1e-3, abs=1e-6)
    ends = network.project(np.concatenate([source.lonlat, target.lonlat]))
    assert np.abs(plane[[0, -1]] - ends).max() < 0.01


@settings(max_examples=60, deadline=None)
@given(seed=seeds, mode=modes, threads=st.integers(1, 2))
def test_many_paths_at_once_are_those_found_one_by_one(seed: int, mode: str, threads: int) -> None:
    network = build_network(random_ways(seed), gate_delay_s=100.0)
    if not len(network):
        return
    places = random_places(network, seed, 6)
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, 6, (2, 15))
    found = find_paths(network, mode, places, source, target, threads)
    metres = ways_metres(network, mode, places, source, target, threads)
    assert len(found) == 15
    for a, b, many, length_m in zip(source, target, found, metres.tolist(), strict=True):
        one = find_path(network, mode, places.take([a]), places.take([b]))
        if one is None or many is None:
            assert one is many
            assert math.isnan(length_m)
            continue
        assert (many.time_s, many.metres, many.steps) == (one.time_s, one.metres, one.steps)
        assert length_m == many.metres
        np.testing.assert_array_equal(many.directed_edges, one.directed_edges)
        np.testing.assert_array_equal(many.lonlat, one.lonlat)
        np.testing.assert_array_equal(many.lonlat, drawn(network, many, places.take([a]), places.take([b])))


def drawn(network: StreetNetwork, path: Path, source: Snapped, target: Snapped) -> FloatArray:
    """Draw a way edge by edge."""
    pieces: list[FloatArray] = []
    edges = path.directed_edges.tolist()
    for number, directed in enumerate(edges):
        length = float(network.edge_length_m[directed >> 1])
        begin, end = (length, 0.0) if directed & 1 else (0.0, length)
        cut = number in (0, len(edges) - 1)
        if number == 0:
            begin = float(source.offset_m[0])
        if number == len(edges) - 1:
            end = float(target.offset_m[0])
        part = network.edge_part(directed >> 1, min(begin, end), max(begin, end))
        if not cut:
            part = network.geom_lonlat[slice(*network.geom_ptr[[directed >> 1, (directed >> 1) + 1]])]
        pieces.append(part[::-1] if directed & 1 else part)
    lonlat = np.concatenate(pieces)
    return np.asarray(lonlat[np.r_[True, np.any(np.diff(lonlat, axis=0) != 0, axis=1)]])


@settings(max_examples=40, deadline=None)
@given(seed=seeds, mode=st.sampled_from(["ebike", "bike", "foot"]))
def test_a_detour_is_never_shorter(seed: int, mode: str) -> None:
    # A stop before a forbidden turn makes it another ride: for modes free to turn only, as cars are not.
    network = build_network(free_to_turn(random_ways(seed, fences=False)))
    if not len(network):
        return
    places = random_places(network, seed, 6)
    times = travel_times_s(network, mode, places, places)
    over = times[:, :, None] + times[None, :, :]
    assert np.all(times[:, None, :] <= over + 1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, mode=st.sampled_from(["ebike", "bike", "foot"]))
def test_joining_segments_changes_no_time(seed: int, mode: str) -> None:
    # With more nodes there are more places to turn round: no forbidden turns here.
    raw = free_to_turn(random_ways(seed, fences=False))
    # Open both ways, so that it does not matter to which street of a node a place at the node is snapped.
    raw = dataclasses.replace(
        raw, way_access=np.full_like(raw.way_access, 15), node_blocked=np.zeros_like(raw.node_blocked)
    )
    joined = build_network(raw)
    # A gate on a public street costs nothing, but it keeps its node.
    split = build_network(dataclasses.replace(raw, node_gate=np.ones(len(raw.node_id), np.bool_)))
    if not len(joined):
        return
    assert split.edge_length_m.sum() == pytest.approx(joined.edge_length_m.sum())
    shared = joined.node_lonlat
    a, b = (network.snap(shared, mode, 1.0) for network in (joined, split))
    np.testing.assert_array_equal(a.ok, b.ok)
    fine, coarse = travel_times_s(split, mode, b, b), travel_times_s(joined, mode, a, a)
    np.testing.assert_array_equal(np.isinf(fine), np.isinf(coarse))
    known = np.isfinite(fine)
    np.testing.assert_allclose(coarse[known], fine[known], atol=0.02)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, mode=modes)
def test_saved_and_loaded_networks_answer_alike(seed: int, mode: str) -> None:
    network = build_network(random_ways(seed), gate_delay_s=100.0)
    with tempfile.TemporaryDirectory() as folder:
        network.save(pathlib.Path(folder) / "net")
        loaded = StreetNetwork.load(pathlib.Path(folder) / "net")
    for field in dataclasses.fields(network):
        old, new = getattr(network, field.name), getattr(loaded, field.name)
        if isinstance(old, np.ndarray):
            np.testing.assert_array_equal(old, new)
    if not len(network):
        return
    places = random_places(network, seed, 5)
    times = travel_times_s(network, mode, places, places)
    np.testing.assert_array_equal(travel_times_s(loaded, mode, places, places), times)
    points = places.lonlat + 1e-4
    np.testing.assert_array_equal(loaded.snap(points, mode).offset_m, network.snap(points, mode).offset_m)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, mode=modes, limit_s=st.sampled_from([math.inf, 200.0]))
def test_every_unreached_pair_has_a_reason(seed: int, mode: str, limit_s: float) -> None:
    network = build_network(random_ways(seed))
    if not len(network):
        return
    places = random_places(network, seed, 5)
    times = travel_times_s(network, mode, places, places, limit_s)
    code = why_unreachable(network, mode, places, places, limit_s)
    np.testing.assert_array_equal(code == REASONS.index("reached"), np.isfinite(times))
    assert np.all(code[-1] == REASONS.index("source_off_streets"))
    apart = code == REASONS.index("other_component")
    np.testing.assert_array_equal(apart[:-1, :-1], apart[:-1, :-1].T)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, mode=modes, factor=st.floats(0.1, 3.0))
def test_new_speeds_equal_a_new_network(seed: int, mode: str, factor: float) -> None:
    raw = random_ways(seed)
    network = build_network(raw)
    if not len(network):
        return
    network.graph(mode)
    row = MODES.index(mode)
    changed = network.with_speeds(mode, network.edge_speed_mps[row] * factor)
    speed = raw.way_speed_mps.copy()
    speed[row] = speed[row] * np.float32(factor)
    fresh = build_network(dataclasses.replace(raw, way_speed_mps=speed))
    places = random_places(network, seed, 5)
    np.testing.assert_allclose(
        travel_times_s(changed, mode, places, places), travel_times_s(fresh, mode, places, places), atol=0.02
    )


@settings(max_examples=40, deadline=None)
@given(seed=seeds, mode=modes)
def test_strong_parts_are_those_that_reach_each_other(seed: int, mode: str) -> None:
    # Forbidden turns bind who drives on: who turns round at their stop may reach more.
    network = build_network(free_to_turn(random_ways(seed, fences=False)))
    if not len(network):
        return
    strong, weak = network.components(mode, strong=True), network.components(mode)
    assert np.all(weak[strong >= 0] >= 0)
    edge = np.arange(len(network), dtype=np.int32)
    half = network.edge_length_m / 2
    walk = np.zeros(len(network))
    middles = Snapped(edge, half, np.zeros((len(network), 2)), walk, walk.astype(np.int64))
    times = travel_times_s(network, mode, middles, middles)
    same = (strong[:, None] == strong[None, :]) & (strong[:, None] >= 0)
    assert np.isfinite(times[same]).all()
    if mode == "car":  # Who begins in the middle of a street may drive off both ways, which is not a turn.
        return
    inner = np.flatnonzero(strong >= 0)
    both = np.isfinite(times) & np.isfinite(times.T)
    np.testing.assert_array_equal(same[np.ix_(inner, inner)], both[np.ix_(inner, inner)])
