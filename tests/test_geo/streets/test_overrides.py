"""A network with overrides against a network built anew without those streets, and against networkx."""

import dataclasses
import math

import numpy as np
import pytest
from ascii_map import ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st
from random_streets import random_places, random_ways
from slow_streets import SlowStreets

from geo.errors import InputError
from geo.streets.build import build_network
from geo.streets.network import EBIKE_PROMISE_MPS, MODES, RawWays, Snapped, StreetNetwork, mode_bit
from geo.streets.overrides import StreetOverride
from geo.travel.times import travel_times_s

seeds = st.integers(0, 2**31)
NOW = 1_000.0


def all_junctions(raw: RawWays) -> RawWays:
    """Keep every node of the map: a restriction that binds no mode makes it a junction.

    With a street gone, two others would be joined, and one rounding to a millisecond less be made. A sign
    "straight on only" stands although that street is shut; of a map without the street it is gone.
    """
    rows = [(0, node, 0) for node in range(len(raw.node_id))]
    return dataclasses.replace(
        raw,
        restrictions=np.concatenate([raw.restrictions.reshape(-1, 3), np.array(rows, np.int64)]),
        restriction_only=np.zeros(len(raw.restrictions) + len(rows), np.bool_),
        restriction_modes=np.concatenate([raw.restriction_modes, np.zeros(len(rows), np.uint8)]),
    )


def draw_overrides(
    raw: RawWays, network: StreetNetwork, rng: np.random.Generator
) -> tuple[RawWays, list[StreetOverride]]:
    """Shut and slow whole ways and nodes, in the raw map and as overrides."""
    access, speed, blocked = raw.way_access.copy(), raw.way_speed_mps.copy(), raw.node_blocked.copy()
    overrides = []
    for way in rng.choice(len(raw.way_id), int(rng.integers(0, 4))).tolist():
        modes = frozenset(rng.choice(MODES, int(rng.integers(1, 5)), replace=False).tolist())
        bits = sum(mode_bit(mode) for mode in modes)
        direction = str(rng.choice(["both", "along", "against"]))
        share = float(rng.choice([0.0, 0.0, 0.5])) if direction == "both" else 0.0
        for row, name in enumerate(("along", "against")):
            if share == 0 and direction in ("both", name):
                access[row, way] &= np.uint8(15 & ~bits)
        for mode in modes if share else ():
            row = MODES.index(mode)
            top = np.float32(EBIKE_PROMISE_MPS if mode == "ebike" else np.inf)
            slow = min(raw.way_speed_mps[row, way], top) * np.float32(share)
            speed[row, way] = min(speed[row, way], slow)
        edges = np.flatnonzero(network.edge_way_id == raw.way_id[way]).tolist()
        overrides += [
            StreetOverride(NOW, NOW + 60, edge, modes=modes, direction=direction, speed_share=share)
            for edge in edges
        ]
    for node in rng.choice(len(raw.node_id), int(rng.integers(0, 2))).tolist():
        blocked[node] |= np.uint8(mode_bit("ebike"))
        at = np.flatnonzero(network.node_id == raw.node_id[node]).tolist()
        overrides += [StreetOverride(NOW, NOW + 60, node=n, modes=frozenset({"ebike"})) for n in at]
    anew = dataclasses.replace(raw, way_access=access, way_speed_mps=speed, node_blocked=blocked)
    return anew, overrides


def edge_keys(network: StreetNetwork) -> list[tuple[int, int, int]]:
    ids = network.node_id
    columns = (network.edge_way_id, ids[network.edge_u], ids[network.edge_v])
    return list(zip(*(column.tolist() for column in columns), strict=True))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(seed=seeds, mode=st.sampled_from(MODES), built=st.booleans())
def test_overrides_equal_a_network_built_anew(seed: int, mode: str, built: bool) -> None:
    raw = all_junctions(random_ways(seed))
    network = build_network(raw, gate_delay_s=100.0)
    if built:
        for each in MODES:
            network.graph(each)
            network.connected(each)
    anew, overrides = draw_overrides(raw, network, np.random.default_rng(seed))
    fresh = build_network(anew, gate_delay_s=100.0)
    changed = network.with_overrides(overrides, NOW)
    if not len(fresh):
        return
    places = random_places(fresh, seed, 6)
    where = {key: edge for edge, key in enumerate(edge_keys(network))}
    keys = edge_keys(fresh)
    same = np.array([where[keys[e]] if e >= 0 else -1 for e in places.edge.tolist()], np.int32)
    # Lengths are differences of a running sum: equal to the last bits only, which would break ties.
    length_m = network.edge_length_m[same] / fresh.edge_length_m[places.edge]
    mapped = Snapped(same, places.offset_m * length_m, places.lonlat, places.walk_m, places.walk_ms)
    expected = travel_times_s(fresh, mode, places, places)
    np.testing.assert_array_equal(travel_times_s(changed, mode, mapped, mapped), expected)
    np.testing.assert_array_equal(SlowStreets(changed, mode).times_s(mapped, mapped), expected)
    points = places.lonlat + 1e-4
    one, two = changed.snap(points, mode), fresh.snap(points, mode)
    np.testing.assert_array_equal(one.ok, two.ok)
    np.testing.assert_allclose(one.walk_m[one.ok], two.walk_m[two.ok], atol=0.1)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=seeds, mode=st.sampled_from(MODES))
def test_overrides_are_over_at_their_end_and_leave_the_network_alone(seed: int, mode: str) -> None:
    raw = all_junctions(random_ways(seed))
    network = build_network(raw)
    if not len(network):
        return
    places = random_places(network, seed, 5)
    before = travel_times_s(network, mode, places, places)
    columns = {f.name: getattr(network, f.name) for f in dataclasses.fields(network)}
    kept = {name: c.copy() for name, c in columns.items() if isinstance(c, np.ndarray)}
    _, overrides = draw_overrides(raw, network, np.random.default_rng(seed))
    changed = network.with_overrides(overrides, NOW)
    travel_times_s(changed, mode, places, places)
    np.testing.assert_array_equal(travel_times_s(network, mode, places, places), before)
    for name, column in kept.items():
        np.testing.assert_array_equal(getattr(network, name), column)
    for instant_s in (NOW - 1, NOW + 60, math.inf):
        assert network.with_overrides(overrides, instant_s) is network


TOWN = ascii_map(
    """
    A---B---C
    |       |
    D-------E
    """,
    {"ABC": {}, "AD": {}, "DE": {}, "CE": {}},
    nodes={"B": {"gate": True}},
)


def test_a_shut_gate_sends_riders_round() -> None:
    network = TOWN.network()
    ends = network.snap(TOWN.lonlat("AC"), "ebike")
    straight = travel_times_s(network, "ebike", ends, ends)[0, 1]
    for mode in ("ebike", "foot"):
        network.graph(mode)
    gate = int(np.flatnonzero(network.node_gate)[0])
    shut = network.with_overrides([StreetOverride(0, 10, node=gate, modes=frozenset({"ebike"}))], 5.0)
    assert travel_times_s(shut, "ebike", ends, ends)[0, 1] > straight
    assert travel_times_s(shut, "foot", ends, ends)[0, 1] == travel_times_s(network, "foot", ends, ends)[0, 1]
    assert shut.graph("foot") is network.graph("foot")
    assert shut.graph("ebike") is not network.graph("ebike")


@pytest.mark.parametrize("mode", MODES)
def test_half_the_speed_is_half_of_what_the_mode_is_promised(mode: str) -> None:
    fast = ascii_map("A---B", {"AB": {"speed": 8.0}})
    network = fast.network()
    ends = network.snap(fast.lonlat("AB"), mode)
    slow = network.with_overrides([StreetOverride(0, 10, edge=0, speed_share=0.5)], 5.0)
    before, after = (travel_times_s(n, mode, ends, ends)[0, 1] for n in (network, slow))
    assert after == pytest.approx(2 * before, abs=0.002)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"until_s": 0.0}, "end after it begins"),
        ({"node": 1}, "give one of them"),
        ({"modes": frozenset()}, "one mode at least"),
        ({"modes": frozenset({"horse"})}, "horse"),
        ({"direction": "up"}, "allowed are both, along, against"),
        ({"speed_share": 2.0}, "allowed is 0 to 1"),
        ({"speed_share": 0.5, "direction": "along"}, "both directions"),
    ],
)
def test_overrides_outside_of_their_range_are_refused(changes: dict[str, object], said: str) -> None:
    given_values: dict[str, object] = {"from_s": 0.0, "until_s": 10.0, "edge": 0} | changes
    with pytest.raises(InputError, match=said):
        StreetOverride(**given_values)  # type: ignore[arg-type]


def test_a_street_of_another_network_is_refused() -> None:
    with pytest.raises(InputError, match="the network has"):
        TOWN.network().with_overrides([StreetOverride(0, 10, edge=99)], 5.0)
