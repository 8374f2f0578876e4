"""Riders without a plan: every scenario as the checker drives it, and no more chance to harm than allowed."""

import dataclasses

import numpy as np
import pytest
from ascii_map import ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from routing.expected import match_expected, match_with_expected
from routing.match import match_tasks
from routing.model import ExpectedRider, ExpectedStop, Policy, Rider, Stop, Task, Visit
from routing.proof import Checker, scenario_problems

TOWN = ascii_map(
    """
    A-----B-----C-----D
    |     |     |     |
    E-----F-----G-----H
          |           |
          I-----J-----K   L
    """,
    {
        "ABCD": {}, "EFGH": {}, "IJK": {}, "AE": {}, "BF": {"oneway": True}, "CG": {}, "DHK": {}, "FI": {},
        "KL": {"oneway": True},
    },
    cell_m=60.0,
)  # fmt: skip
NETWORK = TOWN.network()
NOW = 1_772_409_600.0


def at(name: str) -> tuple[float, float]:
    lon, lat = TOWN.lonlat([name])[0].tolist()
    return lon, lat


def expecting(name: str, *stops: tuple[str, float], rider_id: str = "r", **more: object) -> ExpectedRider:
    rider = dataclasses.replace(Rider(rider_id, at(name)), **more)  # type: ignore[arg-type]
    return ExpectedRider(rider, tuple(ExpectedStop(at(place), chance) for place, chance in stops))


def task(name: str, service_s: float = 60.0, **more: object) -> Task:
    return dataclasses.replace(Task("t", Visit(at(name), service_s)), **more)  # type: ignore[arg-type]


def test_a_task_on_the_way_to_all_likely_stops_is_given() -> None:
    one = expecting("A", ("C", 0.6), ("D", 0.37))
    (match,) = match_expected(NETWORK, [one], [task("BC")], Policy(), NOW)
    assert match.extra_s == pytest.approx(0.97 * 60.0 + 0.03 * match.most_extra_s, abs=0.01)
    assert match.harm_probability == pytest.approx(0.03)
    assert match.most_extra_s > 180.0


def test_a_task_away_from_a_likely_stop_is_not_given_unless_more_harm_is_allowed() -> None:
    one = expecting("A", ("D", 0.8), ("E", 0.2))
    assert not match_expected(NETWORK, [one], [task("C")], Policy(), NOW)
    (match,) = match_expected(NETWORK, [one], [task("C")], Policy(harm_probability_max=0.2), NOW)
    assert [scenario.harm for scenario in match.scenarios] == [False, True]


def test_of_whom_nothing_is_known_only_what_is_there_and_back_in_time_is_asked() -> None:
    unknown = expecting("A")
    assert match_expected(NETWORK, [unknown], [task("AB", 30.0)], Policy(), NOW)
    assert not match_expected(NETWORK, [unknown], [task("AB", 160.0)], Policy(), NOW)
    harmless = Policy(harm_probability_max=0.0, harm_delay_s=260.0)
    assert match_expected(NETWORK, [unknown], [task("AB", 160.0)], harmless, NOW)


def test_nobody_is_sent_where_no_way_leads_back() -> None:
    assert not match_expected(NETWORK, [expecting("K", ("J", 1.0))], [task("L")], Policy(), NOW)


@pytest.mark.parametrize(
    "rider",
    [
        expecting("A", ("C", 1.0), status="off"),
        expecting("A", ("C", 1.0), shift_end_s=NOW + 60.0),
        expecting("A", ("C", 1.0), worked_since_break_s=4 * 3600.0 - 60.0),
        expecting("A", ("C", 1.0), worked_today_s=12 * 3600.0 - 60.0),
        expecting("A", ("C", 1.0), extra_last_hour_s=870.0),
        dataclasses.replace(expecting("A", ("C", 1.0)), holds_until_s=NOW - 1.0),
    ],
)
def test_rules_bind_them_too(rider: ExpectedRider) -> None:
    assert not match_expected(NETWORK, [rider], [task("BC")], Policy(), NOW)
    assert match_expected(NETWORK, [expecting("A", ("C", 1.0))], [task("BC")], Policy(), NOW)


def test_whoever_told_a_plan_is_asked_first_and_one_task_is_enough_without() -> None:
    planned = Rider("plan", at("E"), stops=(Stop("s", at("H"), latest_s=NOW + 3600.0),))
    idle = expecting("F", ("H", 1.0))
    tasks = [dataclasses.replace(task("G"), task_id=name) for name in ("t1", "t2", "t3")]
    policy = Policy(max_extra_per_hour_s=70.0)
    plain = match_tasks(NETWORK, [planned], tasks, policy, NOW)
    result, found = match_with_expected(NETWORK, plain, [planned], [idle], tasks, policy, NOW)
    assert [one.rider_id for one in result.matches] == ["plan"]
    assert [one.task_id for one in found] == ["t2"]
    assert [one.task_id for one in result.refused] == ["t3"]
    with pytest.raises(InputError, match="same rider_id"):
        match_with_expected(NETWORK, plain, [planned], [expecting("F", rider_id="plan")], tasks, policy, NOW)


def test_what_cannot_be_expected_is_refused() -> None:
    with pytest.raises(InputError, match="sum to"):
        expecting("A", ("B", 0.7), ("C", 0.7))
    with pytest.raises(InputError, match="told a plan"):
        ExpectedRider(Rider("r", at("A"), stops=(Stop("s", at("B")),)), ())


SPOTS = st.sampled_from([*"ABCDEFGHIJKL", "AB", "FG", "JK"])
CHANCES = st.lists(st.floats(0.0, 1.0), min_size=0, max_size=4)


@st.composite
def riders(draw: st.DrawFn, rider_id: str) -> ExpectedRider:
    chances = np.array(draw(CHANCES))
    chances /= max(chances.sum(), 1.0)
    stops = [(draw(SPOTS), float(chance)) for chance in chances]
    factor = draw(st.sampled_from([1.0, 1.25, 1.337]))
    return expecting(draw(SPOTS), *stops, rider_id=rider_id, speed_factor=factor)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(
    riders("one"), riders("two"), SPOTS, st.floats(0.0, 200.0), st.sampled_from([0.0, 0.05, 0.3, 1.0]),
    st.sampled_from([60.0, 180.0, 400.0]), st.floats(0.0, 300.0),
)  # fmt: skip
def test_every_match_holds_before_the_checker_and_the_cheapest_harmless_rider_gets_it(
    one: ExpectedRider, two: ExpectedRider, spot: str, service_s: float, harm: float, delay_s: float,
    opens_s: float,
) -> None:  # fmt: skip
    policy = Policy(harm_probability_max=harm, harm_delay_s=delay_s)
    asked = Task("t", Visit(at(spot), service_s, earliest_s=NOW + opens_s))
    checker = Checker(NETWORK, policy)
    found = match_expected(NETWORK, [one, two], [asked], policy, NOW)
    alone = [match for who in (one, two) for match in match_expected(NETWORK, [who], [asked], policy, NOW)]
    known = {who.rider.rider_id: who for who in (one, two)}
    for match in alone:
        assert not scenario_problems(checker, known[match.rider_id], match, asked, policy, NOW)
        worse = dataclasses.replace(match, extra_s=match.extra_s + 0.1)
        assert scenario_problems(checker, known[match.rider_id], worse, asked, policy, NOW)
    best = min(alone, key=lambda match: (match.extra_s, match.rider_id), default=None)
    assert [match.rider_id for match in found] == ([] if best is None else [best.rider_id])
    for who in (one, two):
        if who.rider.rider_id not in {match.rider_id for match in alone}:
            # By force: with every bound taken away it is harmful, or there is no way there and back.
            free = dataclasses.replace(policy, harm_probability_max=1.0, max_extra_s=86_400.0)
            free = dataclasses.replace(free, max_extra_per_hour_s=86_400.0)
            for match in match_expected(NETWORK, [who], [asked], free, NOW):
                told = scenario_problems(checker, who, match, asked, policy, NOW)
                assert told or match.extra_s > policy.max_extra_s
