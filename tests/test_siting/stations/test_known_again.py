"""A station is known again by its place, or by a name of its own near it; never as another one."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.earth import near_metres
from siting.stations import ExistingStation, FormerStation, known_again

HERE = (116.3, 39.9)
M = 1 / 111_195


def at(name: str, metres: float) -> ExistingStation:
    return ExistingStation(name, (HERE[0], HERE[1] + metres * M))


@pytest.mark.parametrize(
    ("name", "metres", "known"),
    [
        ("East", 0, True),
        ("east ", 290, True),
        ("East", 310, False),
        ("Other", 29, True),
        ("Other", 31, False),
    ],
)
def test_by_its_place_or_by_its_name_about_it(name: str, metres: float, known: bool) -> None:
    assert (known_again(FormerStation("East", HERE), (at("West", 9_000), at(name, metres))) == 1) == known
    assert known_again(FormerStation("East", HERE), ()) is None


def test_what_stands_at_the_place_goes_before_the_name_elsewhere() -> None:
    assert known_again(FormerStation("East", HERE), (at("East", 200), at("New", 10))) == 1
    assert known_again(FormerStation("East", HERE), (at("New", 10), at("East", 25))) == 1


def test_a_name_of_several_stations_says_nothing() -> None:
    """Of two rooms of one chain one was shut: its visits are not the other's."""
    chain = FormerStation("Chain", HERE, name_is_own=False)
    assert known_again(chain, (at("Chain", 200),)) is None
    assert known_again(chain, (at("Chain", 20),)) == 0
    assert known_again(dataclasses.replace(chain, name_is_own=True), (at("Chain", 200),)) == 0
    assert known_again(FormerStation("Chain", HERE), (at("Chain", 200), at("Chain", 5_000))) is None


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(-400, 400)), max_size=6),
    st.sampled_from("AB"),
    st.booleans(),
)
def test_never_farther_than_stated(listed: list[tuple[str, int]], name: str, own: bool) -> None:
    stations = [at(*one) for one in listed]
    found = known_again(FormerStation(name, HERE, own), stations)
    near = [one for one in stations if near_metres(HERE, one.lonlat) <= 30]
    if found is None:
        assert not near
    else:
        away_m = near_metres(HERE, stations[found].lonlat)
        assert away_m <= 30 if near else (away_m <= 300 and own and stations[found].name == name)
