"""Served is the largest flow to open seats, hour by hour, whoever is nearer first."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from siting.plans.served import open_hours, running, seats_of, serve_demand, served_share
from siting.stations.kinds import KINDS, ExistingStation

FloatArray = npt.NDArray[np.float64]


def most(cost: FloatArray, weight: FloatArray, room: FloatArray, limit: float) -> float:
    """The largest flow of one hour, as a linear programme."""
    pairs = np.argwhere(cost <= limit)
    if len(pairs) == 0:
        return 0.0
    rows = np.zeros((sum(cost.shape), len(pairs)))
    for k, (i, j) in enumerate(pairs):
        rows[i, k] = rows[cost.shape[0] + j, k] = 1.0
    return -float(linprog(-np.ones(len(pairs)), A_ub=rows, b_ub=np.r_[weight, room]).fun or 0.0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 14))
def test_served_is_the_largest_flow_and_keeps_to_seats_hours_and_limit(seed: int, s: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    cost = rng.uniform(0, 10, (n, s))
    weight = rng.gamma(1.0, 5.0, (n, 24)) * (rng.random((n, 24)) < 0.7)
    room = rng.uniform(0, 30, (s, 24)) * (rng.random((s, 24)) < 0.7)
    stations = running(cost, 5.0, list(room))
    service = serve_demand(stations, weight)
    by_station = np.array([service.by_station(k) for k in range(s)])
    np.testing.assert_allclose(by_station.sum(axis=0), service.total, atol=1e-9)
    np.testing.assert_array_equal(served_share(stations, weight), service.total)
    assert ((service.total >= -1e-9) & (service.total <= 1 + 1e-9)).all()
    assert (by_station[:, :, :].transpose(1, 0, 2)[cost > 5.0] == 0).all()
    used = (by_station * weight).sum(axis=1)
    assert (used <= room + 1e-6).all()
    for h in range(24):
        got = float((service.total[:, h] * weight[:, h]).sum())
        assert got == pytest.approx(most(cost, weight[:, h], room[:, h], 5.0), abs=1e-4)


def test_the_nearest_take_the_seats_and_shut_hours_serve_nobody() -> None:
    cost = np.array([[1.0], [2.0], [9.0]])
    room = np.zeros(24)
    room[12] = 90.0
    weight = np.zeros((3, 24))
    weight[:, 12] = weight[:, 23] = 60.0
    share = served_share(running(cost, 5.0, [room]), weight)
    np.testing.assert_allclose(share[:, 12], [1.0, 0.5, 0.0])
    assert (share[:, 23] == 0).all()


def test_demand_of_no_weight_takes_no_seat() -> None:
    room = np.zeros(24)
    room[12] = 60.0
    weight = np.zeros((2, 24))
    weight[0, 12] = 59.0
    share = served_share(running(np.ones((2, 1)), 5.0, [room]), weight)
    np.testing.assert_allclose(share[:, 12], [1.0, 1.0])
    weight[0, 12] = 60.0
    share = served_share(running(np.ones((2, 1)), 5.0, [room]), weight)
    np.testing.assert_allclose(share[:, 12], [1.0, 0.0])


def test_seats_follow_the_hours_of_today_or_of_the_plan() -> None:
    station = ExistingStation("old", (116.0, 40.0), "Mo-Su 08:00-18:30", "micro")
    today = seats_of(station, KINDS)
    assert np.nonzero(today)[0].tolist() == list(range(8, 19))
    assert set(today.tolist()) == {0.0, 360.0}
    planned = seats_of(station, KINDS, (KINDS[0], (9, 22)))
    np.testing.assert_array_equal(planned > 0, open_hours((KINDS[0], (9, 22))))
