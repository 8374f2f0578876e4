"""Learned times: no wild values, the finer level only where rides tell, the same for the same rides."""

import numpy as np
import pytest
from ascii_map import ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from geo.learned import RiddenStreets, learn
from geo.learned.speeds import LEAST_FACTOR, MOST_FACTOR, learn_times
from geo.learned.trust import LEAST_TRIPS, HeldOut
from geo.localtime import HOURS_A_WEEK, hour_of_week, local_s

TOWN = ascii_map(
    """
    A---B---C
    |   |   |
    D---E---F
    """,
    {"ABC": {"name": "Long Street"}, "DEF": {"name": "Low Street"}, "AD": {}, "BE": {}, "CF": {}},
)
NETWORK = TOWN.network()
DIRECTED = 2 * len(NETWORK)
MONDAY_8 = 1_772_409_600  # Monday 2 March 2026, 8:00 in Shanghai
PLAIN_S = NETWORK.graph("ebike").directed_cost_ms / 1000.0


def made_rides(riders: int, days: int, slower: np.ndarray, seed: int = 3) -> RiddenStreets:
    """Each rider rides every street in one go, twice a day, `slower` (2E,) times as long as plain."""
    rng = np.random.default_rng(seed)
    trips = riders * days * 2
    directed = np.tile(np.arange(DIRECTED), trips)
    number = np.repeat(np.arange(trips), DIRECTED)
    rider, day, late = number // (2 * days), number // 2 % days, number % 2
    took_s = PLAIN_S[directed] * slower[directed] * rng.uniform(0.8, 1.25, len(directed))
    start = MONDAY_8 + 86_400 * day + 6 * 3600 * late + rider
    before = np.concatenate([np.r_[0.0, np.cumsum(part)[:-1]] for part in took_s.reshape(trips, -1)])
    enter_s = start + before
    # A row is missing between two trips, so that they are two.
    row = np.arange(len(directed)) + number
    hour = hour_of_week(local_s(enter_s.astype(np.int64), "Asia/Shanghai"))
    return RiddenStreets(directed, rider, number, hour, enter_s, took_s, PLAIN_S[directed], row)


def test_hours_of_the_week_begin_on_monday() -> None:
    at = np.array([MONDAY_8, MONDAY_8 - 8 * 3600, MONDAY_8 - 8 * 3600 - 1], float)
    assert hour_of_week(local_s(at.astype(np.int64), "Asia/Shanghai")).tolist() == [8, 0, HOURS_A_WEEK - 1]


def test_a_slow_street_is_learned_and_the_others_keep_their_pace() -> None:
    slower = np.ones(DIRECTED)
    slower[:4] = 3.0
    factor = learn_times(NETWORK, made_rides(30, 4, slower)).factor()
    assert factor[:4] == pytest.approx(3.0, rel=0.15)
    assert factor[4:] == pytest.approx(1.0, rel=0.15)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.lists(st.floats(0.01, 500.0), min_size=1, max_size=12), st.integers(0, 4))
def test_thin_or_absurd_rides_give_no_wild_values(times: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = len(times)
    directed = rng.integers(0, DIRECTED, count)
    hour = rng.integers(0, HOURS_A_WEEK, count)
    some = np.arange(count)
    took_s = PLAIN_S[directed] * np.array(times)
    enter_s = (1e9 + 1000.0 * some).astype(np.float64)
    rides = RiddenStreets(
        directed,
        some % 3,
        some,
        hour,
        enter_s,
        took_s,
        PLAIN_S[directed],
        2 * some,
    )
    times_of = learn_times(NETWORK, rides)
    for one in (None, int(hour[0]), 0):
        factor = times_of.factor(one)
        assert ((factor >= LEAST_FACTOR) & (factor <= MOST_FACTOR)).all()
    at_once = times_of.of_rides(rides.directed, rides.hour)
    one_by_one = [times_of.factor(int(h))[d] for d, h in zip(directed, hour, strict=True)]
    assert at_once == pytest.approx(one_by_one)


def test_where_nobody_rode_a_street_takes_what_its_street_and_city_take() -> None:
    slower = np.full(DIRECTED, 2.0)
    rides = made_rides(12, 2, slower)
    times = learn_times(NETWORK, rides.take(rides.directed >= 4))
    assert times.factor()[:4] == pytest.approx(2.0, rel=0.2)


def test_no_factor_stands_on_fewer_than_k_riders() -> None:
    slower = np.ones(DIRECTED)
    slower[:2] = 4.0
    rides = made_rides(30, 3, slower)
    few = rides.take((rides.directed >= 2) | (rides.rider < 9))
    assert learn_times(NETWORK, few).factor()[:2].min() > 2.0
    times = learn_times(NETWORK, few, k=10)
    assert all((level.riders >= 10).all() for level in times.levels)
    edge = next(level for level in times.levels if (level.name, level.slots) == ("edge", 1))
    assert not np.isin(edge.key, [0, 1]).any()


def test_riders_and_days_not_seen_judge_and_the_seed_decides_who() -> None:
    slower = np.linspace(1.0, 3.0, DIRECTED)
    rides = made_rides(120, 8, slower)
    learned = learn(NETWORK, rides, "Asia/Shanghai", seed=1, k=10)
    held = learned.held_out
    assert learned.trusted
    assert held is not None
    # A quarter of the riders on a quarter of the days, each with two trips a day.
    assert (held.riders, held.days, held.trips) == (30, 2, 120)
    assert held.trips >= LEAST_TRIPS
    assert held.by_learned < held.by_one_factor < held.by_class
    again, other = (learn(NETWORK, rides, "Asia/Shanghai", seed=seed, k=10) for seed in (1, 2))
    assert again.held_out is not None
    assert other.held_out is not None
    assert again.held_out.ratio.tolist() == held.ratio.tolist() != other.held_out.ratio.tolist()


def test_too_few_riders_or_trips_are_not_trusted() -> None:
    slower = np.full(DIRECTED, 2.0)
    assert learn(NETWORK, made_rides(8, 4, slower), "Asia/Shanghai", seed=1, k=10).why == "few_riders"
    assert learn(NETWORK, made_rides(44, 2, slower), "Asia/Shanghai", seed=1, k=10).why == "few_trips"
    nothing = made_rides(12, 2, slower)
    nothing = nothing.take(np.zeros(len(nothing.row), np.bool_))
    assert learn(NETWORK, nothing, "Asia/Shanghai", seed=1, k=10).why == "few_riders"


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.sampled_from([0.5, 0.8, 0.9]))
def test_a_promise_covers_its_share_of_unseen_trips(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    ratio = np.sort(rng.lognormal(0.1, 0.4, 400))
    held = HeldOut(400, 20, 2, 0.0, 0.0, 0.0, ratio)
    factor = held.promise_factor(share)
    assert (ratio <= factor).mean() >= share
    assert (rng.lognormal(0.1, 0.4, 2000) <= factor).mean() > share - 0.09


def test_a_promise_of_a_share_that_cannot_be_told_is_refused() -> None:
    held = HeldOut(3, 3, 1, 0.0, 0.0, 0.0, np.array([0.9, 1.0, 1.1]))
    with pytest.raises(InputError, match="too few"):
        held.promise_factor(0.9)
    with pytest.raises(InputError, match="between 0 and 1"):
        held.promise_factor(1.0)


def test_the_slowest_hour_is_nowhere_quicker_than_any_other() -> None:
    rides = made_rides(30, 4, np.linspace(1.0, 2.0, DIRECTED))
    slow = np.where(rides.hour % 24 == 14, 2.0, 1.0)
    times = learn_times(NETWORK, rides._replace(took_s=rides.took_s * slow))
    table, row = times.by_hour()
    assert table.shape == (48, DIRECTED)
    assert row[[14, 24 + 14, 6 * 24 + 14]].tolist() == [14, 14, 24 + 14]
    slowest = times.slowest()
    assert (table <= slowest + 1e-6).all()
    assert (times.factor() <= slowest + 1e-6).all()
    # Two in the afternoon of working days is slower than eight in the morning.
    assert (table[14] > 1.5 * table[8]).all()
    assert table[14] == pytest.approx(slowest, rel=0.02)
