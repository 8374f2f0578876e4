"""Hot spots: named, safe to publish, the same in any order, and without a hand in the choice of sites."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plane import Plane
from sklearn.cluster import DBSCAN

from geo.errors import InputError
from siting.demand.asked import Asked
from siting.demand.clusters import density_clusters
from siting.demand.hotspots import HotSpotRules, PlanStations, find_hot_spots
from siting.demand.names import MapNames
from siting.demand.weighted import Events
from siting.results import HotSpot

FloatArray = npt.NDArray[np.float64]
T0 = 1_772_420_400  # 11:00 in Shanghai


class NamedPlaces:
    """Two named places and one without a name, in degrees of the plane."""

    poi_lonlat = np.array([[1010.0, 0.0], [1000.0, 5.0], [5000.0, 0.0]]) * 1e-5

    def __len__(self) -> int:
        return 3

    def best_name(self, index: int, lang: str = "zh") -> str:
        return ("North Market", "", "Bus Station")[index]


def rests(seed: int, riders: tuple[int, ...]) -> Events:
    """One rest of half an hour a rider about (1000, 0) and (3000, 0) m, and lonely ones all over."""
    rng = np.random.default_rng(seed)
    heaps = [
        np.array([x, 0.0]) + rng.normal(0, 12, (n, 2)) for x, n in zip((1000, 3000), riders, strict=True)
    ]
    lonely = rng.uniform(10_000, 90_000, (15, 2))
    xy = np.concatenate([*heaps, lonely])
    rider = np.concatenate([np.arange(n) for n in (*riders, 15)])
    start = T0 + rng.integers(0, 600, len(xy))
    return Events(xy * 1e-5, rider, start, start + 1800)


def spots_of(events: Events, k: int = 10, most: int = 200) -> tuple[HotSpot, ...]:
    return find_hot_spots(
        events,
        MapNames(NamedPlaces(), ()),  # type: ignore[arg-type]
        Plane(),
        HotSpotRules(most=most),
        PlanStations(np.array([[1200.0, 0.0]]) * 1e-5, ("S01",), "ebike", 60.0),
        timezone="Asia/Shanghai",
        days=1,
        asked=Asked(k),
    )


def test_a_hot_spot_has_a_name_its_figures_and_its_station() -> None:
    spots = spots_of(rests(0, (20, 12)))
    assert [spot.name for spot in spots] == ["North Market", "Gate Street"]
    assert [spot.spot_id for spot in spots] == ["H01", "H02"]
    assert [spot.riders for spot in spots] == [20, 12]
    assert [spot.rest_min_a_day for spot in spots] == [pytest.approx(600), pytest.approx(360)]
    assert [spot.site_id for spot in spots] == ["S01", ""]
    assert spots[0].lonlat == pytest.approx((0.01, 0.0), abs=2e-4)
    assert 20 <= spots[0].radius_m <= 50
    assert spots[0].ring[0] == spots[0].ring[-1]
    assert len(spots_of(rests(0, (20, 12)), most=1)) == 1


def test_a_hot_spot_below_k_riders_is_not_shown() -> None:
    assert [spot.riders for spot in spots_of(rests(0, (20, 9)))] == [20]
    assert spots_of(rests(0, (9, 9))) == ()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_hot_spots_are_the_same_in_any_order(seed: int) -> None:
    some = rests(seed, (30, 14))
    order = np.random.default_rng(seed).permutation(len(some.rider))
    shuffled = Events(some.lonlat[order], some.rider[order], some.start_s[order], some.end_s[order])
    one, two = spots_of(some), spots_of(shuffled)
    assert [(s.name, s.lonlat, s.radius_m, s.riders) for s in one] == [
        (s.name, s.lonlat, s.radius_m, s.riders) for s in two
    ]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_clusters_on_cells_are_those_of_plain_dbscan(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xy = (5.0 * rng.integers(0, 60, (200, 2))).astype(np.float64)
    found = density_clusters(xy, np.ones(200), near_m=11.0, least=6, radius_m=1e6)
    plain = DBSCAN(eps=11.0, min_samples=6).fit_predict(xy)
    # a place between two clusters may go to either: cores decide
    assert ((found >= 0) == (plain >= 0)).all()
    assert found.max() == plain.max()


def test_a_chain_is_cut_to_size() -> None:
    xy = np.column_stack([np.arange(0.0, 1200.0, 5.0), np.zeros(240)])
    found = density_clusters(xy, np.ones(240), near_m=20.0, least=3, radius_m=150.0)
    assert (found >= 0).all()
    assert all(np.ptp(xy[found == part, 0]) <= 320 for part in range(int(found.max()) + 1))


def test_rules_name_their_range() -> None:
    with pytest.raises(InputError, match="near_m is 5, it must lie in 10-500"):
        HotSpotRules(near_m=5)
