"""Words about streets: believed when enough people say so, on the right thing, for as long as it lasts."""

import dataclasses

import numpy as np
import pytest
from ascii_map import ascii_map
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from geo.streets import StreetNetwork
from routing.civic.closures import Closure, ClosureRules, Placed, StreetWord, learned, place_words
from routing.emergency import alert_plan
from routing.fleet import Fleet
from routing.match import match_tasks
from routing.model import Policy, Rider, Task, Visit

RULES = ClosureRules()
HOUR_S = 3_600.0
TOWN = ascii_map(
    """
    A-------B-------C
    |               |
    D-------E-------F
    """,
    {"AB": {"name": "Main"}, "BC": {"name": "Main"}, "AD": {}, "DEF": {}, "CF": {"class": "steps"}},
    nodes={"B": {"gate": True}},
    cell_m=50.0,
)


def word(by: str = "p1", says: str = "closed", made_s: float = 0.0, **changes: object) -> StreetWord:
    lonlat = tuple(TOWN.lonlat(["BC"])[0].tolist())
    return dataclasses.replace(StreetWord(by, False, "street", says, lonlat, made_s), **changes)  # type: ignore[arg-type]


def at(network: StreetNetwork, words: list[StreetWord], at_s: float) -> tuple[Closure, ...]:
    return learned(place_words(network, words, RULES), RULES, at_s)


def overridden(network: StreetNetwork, words: list[StreetWord], at_s: float) -> StreetNetwork:
    overrides = [one for closure in at(network, words, at_s) for one in closure.overrides(RULES)]
    return network.with_overrides(overrides, at_s)


def test_three_people_or_one_office_are_believed() -> None:
    network = TOWN.network()
    people = [word(f"p{n}", made_s=60.0 * n) for n in range(3)]
    assert at(network, people[:2], 200.0) == ()
    assert at(network, [*people[:2], word("p1", made_s=150.0)], 200.0) == ()
    assert at(network, people, 119.0) == ()
    (closure,) = at(network, people, 120.0)
    assert (closure.condition, closure.from_s, closure.until_s) == ("closed", 120.0, 120.0 + 24 * HOUR_S)
    assert (closure.people, closure.by_office) == (3, False)
    assert at(network, people, closure.until_s) == ()
    (office,) = at(network, [word("roads office", office=True)], 0.0)
    assert (office.people, office.by_office) == (0, True)


def test_an_office_says_that_it_is_open_again() -> None:
    network = TOWN.network()
    people = [word(f"p{n}") for n in range(3)]
    reopened = [*people, word("office", "open", 100.0, office=True)]
    assert at(network, reopened, 99.0)
    assert at(network, reopened, 100.0) == ()
    assert at(network, [*reopened, word("p1", made_s=200.0), word("p2", made_s=200.0)], 300.0) == ()


def test_words_find_street_gate_and_stair() -> None:
    network = TOWN.network()
    middle = tuple(TOWN.lonlat(["CF"])[0].tolist())
    gate = tuple(TOWN.lonlat("B")[0].tolist())
    east = tuple(TOWN.lonlat("C")[0].tolist())
    far = (gate[0] + 0.1, gate[1])
    words = [word(), word(thing="stair", lonlat=middle), word(thing="gate", lonlat=gate), word(towards=east)]
    street, stair, at_gate, one_way = (place for _, place in place_words(network, words, RULES))
    assert street is not None
    assert stair is not None
    assert at_gate is not None
    assert one_way is not None
    assert network.names[network.edge_name[street.edge]] == "Main"
    assert network.classes[network.edge_class[stair.edge]] == "steps"
    assert network.node_gate[at_gate.node]
    assert (one_way.edge, street.direction) == (street.edge, "both")
    ends = network.edge_lonlat(one_way.edge)
    assert (one_way.direction == "along") == (abs(ends[-1][0] - east[0]) < 1e-9)
    assert place_words(network, [word(lonlat=far), word(thing="gate", lonlat=far)], RULES) == [
        (word(lonlat=far), None), (word(thing="gate", lonlat=far), None)
    ]  # fmt: skip


def test_matching_and_alerts_go_by_the_changed_network() -> None:
    network = TOWN.network()
    task = Task("t", Visit(tuple(TOWN.lonlat(["BC"])[0].tolist()), 0.0, 0.0, 10_000.0))
    rider = Rider("r", tuple(TOWN.lonlat("A")[0].tolist()), mode="bike")
    dark = [word(f"p{n}", "dark") for n in range(3)]
    shut = [word(f"p{n}", thing="gate", lonlat=tuple(TOWN.lonlat("B")[0].tolist())) for n in range(3)]

    def arrival_s(changed: StreetNetwork) -> float:
        result = match_tasks(changed, [rider], [task], Policy(), 10.0)
        return result.matches[0].arrival_s

    free_s = arrival_s(network)
    assert arrival_s(overridden(network, dark, 10.0)) > free_s
    assert arrival_s(overridden(network, shut, 10.0)) > free_s
    assert arrival_s(overridden(network, dark, 8 * 86_400.0)) == free_s
    assert alert_s(overridden(network, shut, 10.0), rider, task) > alert_s(network, rider, task)


def alert_s(network: StreetNetwork, rider: Rider, task: Task) -> float:
    """When the rider gets there if alerted."""
    fleet = Fleet(network, Policy())
    fleet.put([rider], 10.0)
    return alert_plan(fleet, dataclasses.replace(task, kind="first_response"), 10.0).soonest_s


def test_a_word_outside_of_its_range_is_refused() -> None:
    with pytest.raises(InputError, match="allowed are closed, flooded, dark, open"):
        word(says="icy")
    with pytest.raises(InputError, match="one direction"):
        word(says="dark", towards=(116.3, 39.98))


words = st.builds(
    lambda by, office, says, made_s: StreetWord(by, office, "street", says, (116.3, 39.98), made_s),
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from(["closed", "flooded", "open"]),
    st.integers(0, 40).map(lambda n: n * HOUR_S),
)


def slow_holds(said: list[StreetWord], condition: str, at_s: float) -> bool:
    """Walk through time word by word and keep who has spoken lately."""
    until_s = -1.0
    heard: dict[str, list[StreetWord]] = {"open": [], condition: []}
    for one in sorted(said, key=lambda w: (w.made_s, w.by, w.says)):
        if one.made_s > at_s or one.says not in heard:
            continue
        heard[one.says].append(one)
        lately = {w.by for w in heard[one.says] if not w.office and w.made_s > one.made_s - RULES.within_s}
        believed = one.office or len(lately) >= RULES.people
        if one.says == "open":
            if believed:
                heard[condition] = [w for w in heard[condition] if w.made_s > one.made_s]
                until_s = -1.0
        elif believed or one.made_s < until_s:
            until_s = one.made_s + RULES.effects[condition].lasts_s
    return at_s < until_s


instants = st.integers(0, 60).map(lambda n: n * HOUR_S + 1)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(said=st.lists(words, max_size=10), at_s=instants, data=st.data())
def test_what_is_learned_equals_a_walk_through_time(
    said: list[StreetWord], at_s: float, data: st.DataObject
) -> None:
    place = Placed(0, -1, "both")
    # A word at the very instant of an "open" counts as before it.
    shut = {w.made_s for w in said if w.says == "open"}
    said = [w for w in said if w.says == "open" or w.made_s not in shut]
    shuffled = data.draw(st.permutations(said))
    found = learned([(w, place) for w in shuffled], RULES, at_s)
    for condition in ("closed", "flooded"):
        assert any(c.condition == condition for c in found) == slow_holds(said, condition, at_s)
    for closure in found:
        assert closure.from_s <= at_s < closure.until_s
        assert closure.by_office or closure.people >= RULES.people
    assert np.isfinite([c.until_s for c in found]).all()
