"""Static pictures: same bytes, real ink, no warning for names in any script."""

import dataclasses
import io
import math

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.lines import Line2D
from study_sample import CENTRE, sample_study

from maps.documents.charts import budget_picture, coverage_picture, station_hours_picture
from maps.documents.pictures import (
    _ADVICE_MARK,
    _LEGEND_CM,
    _beside_legend,
    _legend,
    _onto,
    inset_picture,
    map_picture,
)
from maps.page.basemap import Backdrop, BackdropLayer, StreetLabel
from maps.style import ACTION_STYLE
from maps.texts import Wording
from siting.results import Study


@pytest.fixture(scope="module")
def study() -> Study:
    return sample_study()


@pytest.fixture(scope="module")
def backdrop(study: Study) -> Backdrop:
    west, south, east, north = study.bounds
    line = np.array([[west, south], [east, north]])
    layer = BackdropLayer("major", False, 3, 19, np.array([0, 2]), line, np.zeros(1, np.int32))
    return Backdrop(study.bounds, (layer,), (StreetLabel("知春路 $x^2$ 🚲 ถนน", CENTRE, 0.3, 13, 0.02),))


def _size(png: bytes) -> tuple[int, int]:
    picture = imread(io.BytesIO(png))
    assert picture.std() > 0.02
    return picture.shape[1], picture.shape[0]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_map_has_the_size_asked_for(study: Study, backdrop: Backdrop, lang: str) -> None:
    width, height = _size(map_picture(study, backdrop, lang, width_cm=10, height_cm=5))
    assert width == pytest.approx(630, abs=2)
    assert height == pytest.approx(315, abs=2)


def test_grid_shows_another_map(study: Study, backdrop: Backdrop) -> None:
    whole = map_picture(study, backdrop, "zh")
    part = map_picture(study, backdrop, "zh", grid_code=study.grids[4].code)
    assert whole != part


def test_same_study_same_bytes(study: Study, backdrop: Backdrop) -> None:
    assert map_picture(study, backdrop, "zh") == map_picture(study, backdrop, "zh")
    assert coverage_picture(study, "zh") == coverage_picture(study, "zh")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_charts_have_ink(study: Study, lang: str) -> None:
    named = dataclasses.replace(study.sites[-1], name="ถนน $x$ 🚲 驿站")
    odd = dataclasses.replace(study, sites=(*study.sites[:-1], named))
    for picture in (coverage_picture(odd, lang), budget_picture(odd, lang)):
        assert _size(picture)[0] == pytest.approx(983, abs=2)
    assert _size(station_hours_picture(odd, lang, named.site_id))[0] == pytest.approx(466, abs=2)


def test_a_study_without_hours_still_makes_a_picture(study: Study) -> None:
    silent = tuple(dataclasses.replace(site, rest_min_by_hour=(None,) * 24) for site in study.sites)
    bare = dataclasses.replace(study, sites=silent)
    assert station_hours_picture(bare, "zh", study.sites[0].site_id)[:4] == b"\x89PNG"


def test_an_inset_shows_the_surroundings_of_its_station(study: Study, backdrop: Backdrop) -> None:
    new = [site for site in study.sites if not site.existing]
    first, second = (inset_picture(study, backdrop, "zh", site.site_id) for site in new[:2])
    assert first != second
    assert _size(first)[0] == pytest.approx(541, abs=2)


def test_an_inset_at_the_edge_of_the_streets_is_moved_onto_them() -> None:
    """Half of the picture of a station at the edge was bare paper."""
    streets = (0.0, 0.0, 10.0, 10.0)
    assert _onto((4.0, 4.0, 6.0, 6.0), streets) == (4.0, 4.0, 6.0, 6.0)
    assert _onto((-0.5, 8.5, 1.5, 10.5), streets) == (0.0, 8.0, 2.0, 10.0)
    west, _, east, _ = _onto((-3.0, 4.0, 1.0, 6.0), streets)
    assert west < -1.0 < east - 0.5, "the station stays in its picture"


@pytest.mark.parametrize(("width_cm", "height_cm"), [(15.6, 5.0), (15.6, 10.5), (15.6, 20.3)])
def test_the_legend_stands_beside_the_streets(width_cm: float, height_cm: float) -> None:
    for bounds in ((0.0, 0.0, 0.01, 0.02), (0.0, 0.0, 0.03, 0.01)):
        west, south, east, north = _beside_legend(bounds, width_cm, height_cm)
        assert west <= 0.0
        assert south <= 0.0
        right = (east - bounds[2]) / (east - west) * width_cm
        top = (north - bounds[3]) / (north - south) * height_cm
        assert max(right, top) >= _LEGEND_CM - 1e-6
        assert (east - west) / (north - south) == pytest.approx(width_cm / height_cm, rel=1e-3)


def test_the_legend_has_the_marks_that_are_drawn(study: Study) -> None:
    """It named dark blue squares where the map had orange and pink ones, and two of five classes."""
    say = Wording.of("zh", study.k)
    classes = [("#aa0000", 0.0, 30.0), ("#bb0000", 30.0, 100.0), ("#cc0000", 100.0, math.inf)]
    said = [str(one.get_label()) for one in _legend(study, say, classes)]
    assert said[-3:] == ["少于30", "30–100", "100以上"]
    actions = {finding.action for finding in study.audit}
    assert {f"现有站点（{say.text(f'action.{one}')}）" for one in actions} <= set(said)


def test_each_advice_has_a_shape_of_its_own_on_paper() -> None:
    """In grey the colours of the advice are one."""
    study = sample_study()
    handles = _legend(study, Wording.of("en", study.k), [])
    shapes = [one.get_marker() for one in handles if isinstance(one, Line2D)]
    assert len(shapes) > 6
    assert len(set(shapes)) == len(shapes)
    assert set(_ADVICE_MARK) == set(ACTION_STYLE)
