"""Habits: counts as a slow reference counts them, shares that sum to one, the same for the same stops."""

import collections
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.earth import DEGREE_M
from geo.learned import Habits, PastStops, learn_habits
from geo.learned.habits import CELL_M, PARTS

ORIGIN = (116.3, 39.98)
SQUARE = CELL_M / DEGREE_M


def corner(number: int) -> tuple[float, float]:
    """Place number `number` in a row of places half a kilometre apart."""
    return ORIGIN[0] + 5.0 * SQUARE * number, ORIGIN[1]


def stops_of(rides: dict[int, str], every_s: float = 600.0) -> PastStops:
    """Riders who stop at the places of these letters, one after the other."""
    rows = [
        (rider, at * every_s, *corner(ord(letter) - ord("A")))
        for rider, letters in rides.items()
        for at, letter in enumerate(letters)
    ]
    table = np.array(rows, np.float64).reshape(-1, 4)
    return PastStops(table[:, 0].astype(np.int64), table[:, 1], table[:, 2:])


def place(habits: Habits, letter: str) -> int:
    return int(habits.place_at(np.array([corner(ord(letter) - ord("A"))]))[0])


def test_what_followed_the_last_two_places_is_told_apart_from_what_followed_the_last_one() -> None:
    habits = learn_habits(stops_of({0: "ABCDBE" * 5}))
    a, b, c, d, e = (place(habits, letter) for letter in "ABCDE")
    two, one, own, everybody, _ = habits.parts(0, a, b, corner(1))
    assert two is not None
    assert one is not None
    assert own is not None
    assert everybody is not None
    assert two[c] == 1.0
    assert one[[c, e]].tolist() == [0.5, 0.5]
    assert own[d] == pytest.approx(5 / 20)  # Of 30 stops 10 were where the rider is now.
    assert everybody[[c, e]].tolist() == [0.5, 0.5]


def test_who_is_not_known_is_judged_by_the_others() -> None:
    habits = learn_habits(stops_of({0: "ABAB", 1: "ABAC"}))
    two, one, own, everybody, far = habits.parts(-1, -1, place(habits, "A"), corner(0))
    assert two is None
    assert one is None
    assert own is None
    assert everybody is not None
    assert far is not None
    assert everybody[place(habits, "B")] == pytest.approx(3 / 4)


def test_a_night_lies_between_two_stops() -> None:
    habits = learn_habits(stops_of({0: "ABAB"}, every_s=5 * 3600.0))
    assert habits.parts(0, -1, place(habits, "A"), corner(0))[1] is None


def test_without_stops_the_next_one_is_nowhere_known() -> None:
    habits = learn_habits(PastStops(np.empty(0, np.int64), np.empty(0), np.empty((0, 2))))
    shares, elsewhere = habits.prior(-1, -1, -1, ORIGIN)
    assert (len(habits), len(shares), elsewhere) == (0, 0, 1.0)
    assert habits.place_at(np.array([ORIGIN])).tolist() == [-1]


def test_regular_riders_make_the_weights_trust_the_chain() -> None:
    regular = learn_habits(stops_of(dict.fromkeys(range(4), "ABCDEFG" * 20)))
    rng = np.random.default_rng(1)
    wild = learn_habits(stops_of({rider: "".join(rng.choice(list("ABCDEFG"), 140)) for rider in range(4)}))
    chain = slice(0, 2)
    assert regular.weights[chain].sum() > wild.weights[chain].sum()
    shares, _ = regular.prior(0, place(regular, "A"), place(regular, "B"), corner(1))
    assert shares.argmax() == place(regular, "C")
    assert shares.max() > 0.8


def test_new_places_all_the_time_leave_much_to_places_not_known() -> None:
    stops = stops_of({0: "AB" * 250})
    wandering = stops.lonlat.copy()
    wandering[::3, 1] += 5.0 * SQUARE * np.arange(len(wandering[::3]))
    _, steady = learn_habits(stops).prior(0, -1, 0, corner(0))
    _, unsteady = learn_habits(stops._replace(lonlat=wandering)).prior(0, -1, 0, corner(0))
    assert steady < 0.05 < 0.2 < unsteady


LETTERS = st.text("ABCDE", min_size=1, max_size=25)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(LETTERS, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_counts_are_those_of_a_slow_reference(texts: list[str], random: Random) -> None:
    stops = stops_of(dict(enumerate(texts)))
    order = list(range(len(stops.t_s)))
    random.shuffle(order)
    habits = learn_habits(stops.take(np.array(order, np.int64)))
    same = learn_habits(stops)
    assert habits.lonlat == pytest.approx(same.lonlat)
    two: dict[tuple[int, str], collections.Counter[str]] = collections.defaultdict(collections.Counter)
    one: dict[tuple[int, str], collections.Counter[str]] = collections.defaultdict(collections.Counter)
    everybody: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for rider, text in enumerate(texts):
        steps = [letter for at, letter in enumerate(text) if at == 0 or text[at - 1] != letter]
        for at in range(1, len(steps)):
            one[rider, steps[at - 1]][steps[at]] += 1
            everybody[steps[at - 1]][steps[at]] += 1
            if at > 1:
                two[rider, steps[at - 2] + steps[at - 1]][steps[at]] += 1
    known = sorted(set("".join(texts)))
    for rider in range(len(texts)):
        for before in known:
            for last in known:
                found = habits.parts(rider, place(habits, before), place(habits, last), corner(0))
                wanted = (two.get((rider, before + last)), one.get((rider, last)), None, everybody.get(last))
                for number in (0, 1, 3):
                    shares, counts = found[number], wanted[number]
                    assert (shares is None) == (counts is None)
                    if shares is None or counts is None:
                        continue
                    expected = {place(habits, a): n / counts.total() for a, n in counts.items()}
                    assert {int(a): shares[a] for a in np.flatnonzero(shares)} == pytest.approx(expected)
                prior, elsewhere = habits.prior(rider, place(habits, before), place(habits, last), corner(0))
                assert prior.sum() + elsewhere == pytest.approx(1.0)
                assert len(found) == len(PARTS)
