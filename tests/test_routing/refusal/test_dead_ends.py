"""A plan may not end where no legal way leads out of: the rider could not go on to their next order."""

import dataclasses

import pytest
from ascii_map import ascii_map
from changes import applied
from towns import NOW

from routing.assign import match_batch
from routing.best_riders import candidates_for
from routing.fleet.fleet import Fleet
from routing.match import match_tasks
from routing.model.policy import Policy
from routing.model.results import Said
from routing.model.riders import Rider, Stop
from routing.model.tasks import Task, Visit
from routing.proof.verify import Checker

# One column is 25 m. D-E-F is one-way into a dead end, G-H into a walled yard; on foot both can be left.
MAP = ascii_map(
    """
    A-----------------------B-----------------------C
    |                       |                       |
    |                       |                       |
    |                       |                       |
    |                       |                       |
    |                       |                       |
    |                       |                       |
    |                       |                       |
    K-----------------------D-----------------------L
                            |            |
                            |            |
                            |            |
                            |            G
                            |            |
                            E            |
                            |            H
                            |
                            F
    """,
    {
        "ABC": {}, "KDL": {}, "AK": {}, "BD": {}, "CL": {},
        "DEF": {"oneway": True, "contraflow": "foot"},
        "LG": {"oneway": True, "contraflow": "foot"},
        "GH": {"oneway": True, "contraflow": "foot", "private": True},
    },
)  # fmt: skip
TOWN = MAP.network()
POLICY = Policy(max_extra_s=3000.0, max_extra_per_hour_s=3600.0)


def at(letters: str) -> tuple[float, float]:
    lon, lat = MAP.lonlat([letters])[0]
    return float(lon), float(lat)


def task_at(letters: str) -> Task:
    return Task("t", Visit(at(letters), 30.0))


@pytest.mark.parametrize("place", ["F", "EF", "H"])
def test_no_plan_ends_in_a_dead_end(place: str) -> None:
    riders = [Rider("idle", at("A")), Rider("busy", at("AB"), stops=(Stop("s", at("C")),))]
    result = match_tasks(TOWN, riders, [task_at(place)], POLICY, NOW)
    assert not result.matches
    refused = result.refused[0]
    assert (refused.binding.rule, refused.change.what) == ("dead_end", "none")
    assert refused.binding.said == Said.of("why.dead_end", mode="ebike")
    assert refused.change.said.reasons == (refused.binding.said,)
    assert not match_tasks(TOWN, riders, [task_at("D")], POLICY, NOW).refused


def test_no_batch_ends_in_a_dead_end() -> None:
    fleet = Fleet(TOWN, POLICY)
    fleet.put([Rider("a", at("A")), Rider("b", at("B"), stops=(Stop("s", at("F")),))], NOW)
    tasks = [dataclasses.replace(task_at(place), task_id=place) for place in ("F", "EF", "D", "H")]
    matches, refused = match_batch(fleet, tasks, NOW)
    # Before their own delivery in there b may do what lies on the way; nobody else goes in.
    assert {one.task_id: one.rider_id for one in matches if one.task_id != "D"} == {"EF": "b", "F": "b"}
    assert [(one.task_id, one.binding.rule) for one in refused] == [("H", "dead_end")]


def test_on_foot_one_comes_out_again_and_that_is_the_change_told() -> None:
    riders = [Rider("bike", at("A")), Rider("walker", at("K"), mode="foot")]
    task = task_at("F")
    assert match_tasks(TOWN, riders, [task], POLICY, NOW).matches[0].rider_id == "walker"
    only = dataclasses.replace(task, modes=frozenset({"ebike"}))
    refused = match_tasks(TOWN, riders, [only], POLICY, NOW).refused[0]
    assert (refused.change.what, refused.change.subject, refused.rider_id) == ("mode", "foot", "walker")
    helped = applied(refused, riders, only, POLICY)
    assert match_tasks(TOWN, helped[0], [helped[1]], helped[2], NOW).matches


def test_before_a_stop_that_was_promised_there_it_may() -> None:
    """Their own delivery lies at the end of the dead end: the task on the way there is no trap of ours."""
    rider = Rider("r", at("B"), stops=(Stop("s", at("F"), latest_s=NOW + 900),))
    match = match_tasks(TOWN, [rider], [task_at("EF")], POLICY, NOW).matches[0]
    assert match.place == 0
    assert Checker(TOWN, POLICY).match(rider, match, task_at("EF"), NOW) == ()
    # Further in than their last stop the rider stands no worse than before.
    deep = Rider("r", at("B"), stops=(Stop("s", at("E"), latest_s=NOW + 900),))
    assert match_tasks(TOWN, [deep], [task_at("F")], POLICY, NOW).matches[0].place == 1


def test_a_parcel_is_not_handed_over_in_a_dead_end() -> None:
    riders = [Rider("r", at("A"))]
    pair = Task("p", Visit(at("B"), 5.0), Visit(at("F"), 5.0), kind="errand", load=1)
    refused = match_tasks(TOWN, riders, [pair], POLICY, NOW).refused[0]
    assert (refused.binding.rule, refused.change.what) == ("dead_end", "none")
    turned = dataclasses.replace(pair, place=Visit(at("F"), 5.0), dropoff=Visit(at("B"), 5.0))
    refused = match_tasks(TOWN, riders, [turned], POLICY, NOW).refused[0]
    assert (refused.binding.rule, refused.change.what) == ("unreachable", "none")


def test_the_checker_knows_dead_ends_by_itself() -> None:
    """A match made without looking at the way out is found out."""
    rider, task = Rider("r", at("A")), task_at("F")
    fleet = Fleet(TOWN, POLICY)
    fleet.put([rider], NOW)
    assert candidates_for(fleet, task, 1, NOW) == ()
    (blind,) = fleet.best([task], 1, NOW)[0]
    after = dataclasses.replace(rider, stops=(Stop("t", at("F"), 30.0, kind="task"),))
    problems = Checker(TOWN, POLICY).insertion(rider, after, task, [0], NOW, blind.extra_ms / 1000)
    assert problems == ("the plan ends where no legal way leads out of",)


def test_where_there_is_little_town_at_all_one_may_turn_back() -> None:
    small = ascii_map("A---------B---------C", {"ABC": {}})
    ends = [tuple(small.lonlat([letter])[0].tolist()) for letter in "AC"]
    task = Task("t", Visit(ends[1], 30.0))
    network = small.network()
    (match,) = match_tasks(network, [Rider("r", ends[0])], [task], POLICY, NOW).matches
    assert Checker(network, POLICY).match(Rider("r", ends[0]), match, task, NOW) == ()


def test_streets_behind_a_compound_that_nobody_may_cross_are_a_dead_end() -> None:
    """D-E is public, one-way in, and its other end touches a private yard only: out through it is no way."""
    town = ascii_map(
        """
        A-------------------B-------------------C
        |                   |                   |
        F-------------------D-------------------G
                            |                   |
                            |                   |
                            |                   |
                            |                   |
                            |                   |
                            E-------------------H
        """,
        {
            "ABC": {}, "FDG": {}, "AF": {}, "BD": {}, "CG": {},
            "DE": {"oneway": True, "contraflow": "foot"}, "EH": {"private": True}, "HG": {"private": True},
        },
    )  # fmt: skip
    end, start = (tuple(town.lonlat([letter])[0].tolist()) for letter in ("DE", "A"))
    network = town.network()
    assert network.connected("ebike").all()
    refused = match_tasks(network, [Rider("r", start)], [Task("t", Visit(end, 30.0))], POLICY, NOW).refused[0]
    assert refused.binding.rule == "dead_end"


def test_a_compound_that_one_may_only_enter_is_a_dead_end_however_large() -> None:
    """The lanes inside are long, but no trip that begins there comes out on a public street."""
    town = ascii_map(
        """
        A-------------------B-------------------C
        |                   |                   |
        F-------------------D-------------------G
                            |
                            |
                            E-----------------------------------H
                            |                                   |
                            |                                   |
                            I-----------------------------------J
        """,
        {
            "ABC": {}, "FDG": {}, "AF": {}, "BD": {}, "CG": {},
            "DE": {"oneway": True, "private": True}, "EHJIE": {"private": True},
        },
    )  # fmt: skip
    end, start = (tuple(town.lonlat([letter])[0].tolist()) for letter in ("J", "A"))
    network, task = town.network(), Task("t", Visit(end, 30.0))
    refused = match_tasks(network, [Rider("r", start)], [task], POLICY, NOW).refused[0]
    assert refused.binding.rule == "dead_end"
    # Who is in there already stands no worse.
    inside = Rider("r", tuple(town.lonlat(["H"])[0].tolist()))
    assert match_tasks(network, [inside], [task], POLICY, NOW).matches
