"""A network with learned times: costs of directed edges change, everything else is shared and stays."""

from pathlib import Path

import numpy as np
import pytest
from ascii_map import ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from geo.streets import EBIKE_PROMISE_MPS, StreetNetwork
from geo.streets.mode_graph import NO
from geo.travel import travel_times_s

TOWN = ascii_map(
    """
    A---B---C
    |   |   |
    D---E---F
    """,
    {"ABC": {"oneway": "yes"}, "DEF": {}, "AD": {}, "BE": {}, "CF": {}},
)
NETWORK = TOWN.network()
COST = NETWORK.graph("ebike").directed_cost_ms.astype(np.int64)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.lists(st.floats(0.25, 8.0), min_size=len(COST), max_size=len(COST)))
def test_each_direction_takes_its_factor_and_never_less_than_may_be_promised(factors: list[float]) -> None:
    learned = NETWORK.with_times("ebike", np.array(factors))
    cost = learned.graph("ebike").directed_cost_ms.astype(np.int64)
    least = np.repeat(NETWORK.edge_length_m / EBIKE_PROMISE_MPS * 1000, 2)
    plain = np.repeat(
        NETWORK.edge_length_m / np.minimum(NETWORK.edge_speed_mps[0], EBIKE_PROMISE_MPS) * 1000, 2
    )
    wanted = np.maximum(plain * np.array(factors, np.float32), least)
    assert ((COST == NO) == (cost == NO)).all()
    assert (np.abs(cost - wanted)[cost != NO] <= 1).all()
    assert learned.graph("ebike").head is NETWORK.graph("ebike").head
    assert (learned.graph("bike").directed_cost_ms == NETWORK.graph("bike").directed_cost_ms).all()


def test_the_way_round_is_taken_where_it_is_quicker() -> None:
    factor = np.ones(len(COST))
    a, c = (NETWORK.snap(TOWN.lonlat([name]), "ebike") for name in "AC")
    before = float(travel_times_s(NETWORK, "ebike", a, c)[0, 0])
    slow = NETWORK.with_times("ebike", factor * 3.0)
    assert float(travel_times_s(slow, "ebike", a, c)[0, 0]) == pytest.approx(3.0 * before, rel=0.01)


def test_learned_times_are_kept_on_disk(tmp_path: Path) -> None:
    learned = NETWORK.with_times("ebike", np.linspace(1.0, 2.0, len(COST)))
    learned.save(tmp_path / "network")
    again = StreetNetwork.load(tmp_path / "network")
    assert again.factor_mode == "ebike"
    assert (again.time_factor == learned.time_factor).all()
    assert (again.graph("ebike").directed_cost_ms == learned.graph("ebike").directed_cost_ms).all()


@pytest.mark.parametrize("factor", [np.ones(3), np.zeros(len(COST)), np.full(len(COST), np.nan)])
def test_wrong_factors_are_refused(factor: np.ndarray) -> None:
    with pytest.raises(InputError, match="one factor above 0"):
        NETWORK.with_times("ebike", factor)


def test_two_modes_cannot_both_have_learned_times() -> None:
    with pytest.raises(InputError, match="already, not of car"):
        NETWORK.with_times("ebike", np.ones(len(COST))).with_times("car", np.ones(len(COST)))
