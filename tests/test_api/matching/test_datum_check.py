"""A request in the wrong datum is answered, and the doubt is told with its evidence."""

import datetime

import numpy as np
import pytest
from lattice import lattice

from api.matching.forms import MatchRequest, RiderIn, TaskIn, VisitIn
from api.matching.translate import answer
from geo.datum import Datum, from_wgs84

TOWN = lattice(12)
NOW = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)


def request(real: Datum, declared: Datum, count: int = 40) -> MatchRequest:
    """Riders 0-20 m beside streets, in one datum, said to be in another."""
    rng = np.random.default_rng(5)
    rows = rng.integers(0, len(TOWN.geom_lonlat), count)
    lonlat = TOWN.geom_lonlat[rows] + rng.uniform(-2e-4, 2e-4, (count, 2))
    shown = from_wgs84(lonlat, real).tolist()
    riders = tuple(RiderIn(rider_id=f"r{n}", lon=lon, lat=lat) for n, (lon, lat) in enumerate(shown[1:]))
    lon, lat = shown[0]
    tasks = (TaskIn(task_id="t", place=VisitIn(lon=lon, lat=lat)),)
    return MatchRequest(datum=declared, now=NOW, riders=riders, tasks=tasks, geometry=False)


@pytest.mark.parametrize("real", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize("declared", ["wgs84", "gcj02", "bd09"])
def test_the_wrong_datum_is_told_and_the_right_one_is_not(real: Datum, declared: Datum) -> None:
    response = answer(TOWN, request(real, declared))
    if real == declared:
        assert response.warnings == []
        assert [match.way for match in response.matches] == [None], "no way was asked for"
        return
    (warning,) = response.warnings
    assert (warning.declared, warning.likely) == (declared, real)
    assert real in warning.text
    assert warning.median_m[real] < 25 < warning.median_m[declared]


def test_few_positions_say_nothing() -> None:
    assert answer(TOWN, request("gcj02", "wgs84", 10)).warnings == []


def test_the_warning_speaks_chinese() -> None:
    (warning,) = answer(TOWN, request("gcj02", "wgs84"), "zh").warnings
    assert "坐标声明" in warning.text
