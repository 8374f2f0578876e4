"""Speeds that a study tells stand on k riders each; without paths it goes by class speeds."""

import numpy as np
import pytest
from tiny_study import TOWN

from geo.learned import RiddenStreets
from siting.presence import class_speeds

NETWORK = TOWN.network()


def _rides(riders: int, hour: int, slower: float) -> RiddenStreets:
    """Each rider rides every street once, in one hour of Monday."""
    directed = np.flatnonzero(NETWORK.graph("ebike").directed_cost_ms < 1e9)
    plain_s = NETWORK.graph("ebike").directed_cost_ms[directed] / 1000.0
    rider = np.repeat(np.arange(riders), len(directed))
    many = np.tile(directed, riders)
    took_s = np.tile(plain_s, riders) * slower
    some = np.arange(len(many))
    enter_s = (1e9 + some).astype(np.float64)
    return RiddenStreets(
        many,
        rider,
        rider,
        np.full(len(many), hour),
        enter_s,
        took_s,
        took_s / slower,
        some,
    )


def test_ten_riders_are_told_and_nine_are_not() -> None:
    assert class_speeds(NETWORK, "ebike", _rides(9, 8, 2.0), 10) == ()
    told = class_speeds(NETWORK, "ebike", _rides(10, 8, 2.0), 10)
    assert told
    for row in told:
        assert row.kmh == pytest.approx(row.class_kmh / 2.0, rel=0.01)
        assert row.slowest_hour == 8
        assert row.slowest_kmh == pytest.approx(row.kmh)


def test_the_slowest_hour_is_one_in_which_k_riders_rode() -> None:
    many, few = _rides(12, 8, 2.0), _rides(4, 18, 5.0)
    both = RiddenStreets(*(np.concatenate(column) for column in zip(many, few, strict=True)))
    assert {row.slowest_hour for row in class_speeds(NETWORK, "ebike", both, 10)} == {8}
