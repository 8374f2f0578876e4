"""Datums: the published forward values, an exact way back, and no shift outside mainland China."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.datum import DATUMS, from_wgs84, in_mainland_china, to_wgs84
from geo.errors import InputError

INSIDE = {
    "Beijing": (116.404, 39.915),
    "Shanghai": (121.47, 31.23),
    "Maoming": (110.92, 21.66),
    "Luohu station, at the Hong Kong border": (114.1132, 22.5318),
    "Gongbei, at the Macau border": (113.547, 22.2185),
    "Xiamen": (118.08, 24.45),
    "Zhoushan, an island": (122.2, 30.0),
    "Sanya": (109.5, 18.25),
    "Kashgar": (75.99, 39.47),
    "Heihe, at the Amur": (127.5, 50.245),
    "Dandong, at the Yalu": (124.38, 40.13),
}
OUTSIDE = {
    "Hong Kong, Central": (114.158, 22.281),
    "Hong Kong, Sheung Shui": (114.128, 22.502),
    "Hong Kong airport": (113.92, 22.31),
    "Macau, north": (113.548, 22.214),
    "Macau, Cotai": (113.56, 22.145),
    "Taipei": (121.55, 25.04),
    "Kinmen": (118.33, 24.44),
    "Penghu": (119.57, 23.57),
    "Hanoi": (105.85, 21.03),
    "Seoul": (127.0, 37.55),
    "Blagoveshchensk, across from Heihe": (127.54, 50.275),
    "Kathmandu": (85.3, 27.7),
    "Ulaanbaatar": (106.9, 47.9),
    "Porto": (-8.61, 41.15),
}


def metres(a: np.ndarray, b: np.ndarray) -> float:
    scale = np.array([np.cos(np.radians(35.0)), 1.0]) * 111_195.0
    return float(np.hypot(*((a - b) * scale).T).max())


def test_published_values() -> None:
    at = [(116.404, 39.915)]
    np.testing.assert_allclose(from_wgs84(at, "gcj02"), [(116.41024449916938, 39.91640428150164)], atol=1e-12)
    bd09_of_gcj02 = from_wgs84(to_wgs84(at, "gcj02"), "bd09")
    np.testing.assert_allclose(bd09_of_gcj02, [(116.41036949371029, 39.92133699351022)], atol=1e-9)


@pytest.mark.parametrize("name", INSIDE)
def test_mainland_is_shifted(name: str) -> None:
    at = np.array([INSIDE[name]])
    assert in_mainland_china(at).all()
    assert 50.0 < metres(from_wgs84(at, "gcj02"), at) < 800.0


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("datum", DATUMS)
def test_nothing_else_is_shifted(name: str, datum: str) -> None:
    at = np.array([OUTSIDE[name]])
    assert not in_mainland_china(at).any()
    np.testing.assert_array_equal(from_wgs84(at, datum), at)


@pytest.mark.parametrize("datum", DATUMS)
def test_far_from_the_border_nothing_comes_back_shifted(datum: str) -> None:
    at = np.array([OUTSIDE[n] for n in ("Hong Kong, Central", "Taipei", "Hanoi", "Seoul", "Porto")])
    np.testing.assert_array_equal(to_wgs84(at, datum), at)


@given(
    lonlat=st.lists(st.tuples(st.floats(73.0, 135.0), st.floats(18.0, 54.0)), min_size=1, max_size=50),
    datum=st.sampled_from(DATUMS),
)
def test_there_and_back_is_exact(lonlat: list[tuple[float, float]], datum: str) -> None:
    at = np.array(lonlat)
    at = at[in_mainland_china(at)]
    if len(at):
        assert metres(to_wgs84(from_wgs84(at, datum), datum), at) < 1e-3


@given(seed=st.integers(0, 2**32 - 1), pair=st.tuples(st.sampled_from(DATUMS), st.sampled_from(DATUMS)))
def test_convert_goes_by_way_of_wgs84(seed: int, pair: tuple[str, str]) -> None:
    at = np.random.default_rng(seed).uniform([100.0, 25.0], [116.0, 40.0], (20, 2))
    assert (
        metres(from_wgs84(to_wgs84(from_wgs84(at, pair[0]), pair[0]), pair[1]), from_wgs84(at, pair[1]))
        < 1e-3
    )


def test_the_outline_agrees_with_its_shortcut() -> None:
    """A batch wholly inside, wholly outside or across the border gives what single positions give."""
    rng = np.random.default_rng(3)
    for corner in ((110.0, 30.0), (114.0, 22.3), (-8.0, 41.0)):
        at = rng.uniform(corner, np.add(corner, 0.4), (100, 2))
        single = np.concatenate([in_mainland_china(at[i : i + 1]) for i in range(len(at))])
        np.testing.assert_array_equal(in_mainland_china(at), single)


def test_macau_streets_are_outside_and_mainland_streets_inside(shared_data: Path) -> None:
    import osmium

    def nodes(name: str) -> np.ndarray:
        file = osmium.FileProcessor(shared_data / "osm" / name, osmium.osm.NODE)
        return np.array([(n.location.lon, n.location.lat) for n in file if isinstance(n, osmium.osm.Node)])

    assert not in_mainland_china(nodes("macau-roads.osm.pbf")).any()
    assert in_mainland_china(nodes("shenzhen-longgang.osm.pbf")).all()


def test_broken_positions_stay_broken() -> None:
    at = np.array([(np.nan, 30.0), (116.0, np.inf), (116.4, 39.9)])
    back = to_wgs84(from_wgs84(at, "gcj02"), "gcj02")
    assert np.isnan(back[0, 0])
    assert metres(back[2:], at[2:]) < 1e-3
    assert len(from_wgs84(np.zeros((0, 2)), "bd09")) == 0


def test_refuses_what_it_does_not_know() -> None:
    with pytest.raises(InputError, match="one of wgs84, gcj02, bd09"):
        from_wgs84([(116.0, 39.0)], "cgcs2000")
    with pytest.raises(InputError, match="lon then lat"):
        to_wgs84([116.0, 39.0], "gcj02")
