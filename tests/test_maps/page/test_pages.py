"""What stands in a map page, read as text; how it behaves is for the tests in Chromium."""

import dataclasses
import json
import re

import numpy as np
import pytest
from study_sample import CENTRE, FORMULA, HOSTILE, big_study, sample_study

from geo.errors import InputError
from geo.rings import Rings
from maps.match.layers import MatchPicture, MatchStop
from maps.match.page import match_map
from maps.page.basemap import Backdrop, BackdropLayer, StreetLabel
from maps.page.frame import OnlineTiles
from maps.study.areas import demand_layer
from maps.study.page import study_map
from maps.texts.wording import Wording
from siting.results import Study


@pytest.fixture(scope="module")
def study() -> Study:
    return sample_study()


@pytest.fixture(scope="module")
def backdrop(study: Study) -> Backdrop:
    lon, lat = CENTRE
    line = np.array([[lon - 0.02, lat], [lon + 0.02, lat]])
    layer = BackdropLayer("middle", False, 3, 19, np.array([0, 2]), line, np.zeros(1, np.int32))
    label = StreetLabel(f"知春路{HOSTILE}", (lon, lat), 0.0, 13, 0.04)
    return Backdrop(study.bounds, (layer,), (label,))


def _data(page: str) -> dict[str, object]:
    block = re.search(r'<script type="application/json" id="yilu-data">(.*?)</script>', page, re.DOTALL)
    assert block
    found: dict[str, object] = json.loads(block.group(1))
    return found


def test_same_study_same_bytes(study: Study, backdrop: Backdrop) -> None:
    assert study_map(study, backdrop, "zh") == study_map(study, backdrop, "zh")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_in_the_page_points_outside(study: Study, backdrop: Backdrop, lang: str) -> None:
    page = study_map(study, backdrop, lang)
    # Leaflet's code names its home page in a credit that the page does not show
    page = re.sub(r"<script>/\* @preserve.*?</script>", "", page, count=1, flags=re.DOTALL)
    assert "leafletjs.com" not in page
    assert not re.search(r'(?:src|href)\s*=\s*["\']?(?:https?:)?//', page)
    assert not re.search(r"url\(\s*[\"']?(?!data:|#)", page)
    assert "sourceMappingURL" not in page
    assert "cdn" not in page.lower()
    assert "img-src data: blob:; base-uri" in page
    assert "default-src 'none'" in page


def test_hostile_names_stay_data(study: Study, backdrop: Backdrop) -> None:
    page = study_map(study, backdrop, "zh")
    assert HOSTILE not in page
    assert "\\u003cscript>alert(1)" in page
    assert page.count("</script>") == page.count("<script")
    names = json.dumps(_data(page), ensure_ascii=False)
    assert HOSTILE in names
    assert FORMULA in names


def test_hostile_title_and_attribution_are_escaped(study: Study, backdrop: Backdrop) -> None:
    hostile = dataclasses.replace(study, title=f"</title>{HOSTILE}", map_attribution=f"<img src=x>{HOSTILE}")
    page = study_map(hostile, backdrop, "zh")
    assert HOSTILE not in page
    assert "<img src=x>" not in page
    assert "<title>&lt;/title&gt;&lt;script&gt;" in page
    # Leaflet sets the attribution as HTML, so it must be harmless as HTML
    assert str(_data(page)["attribution"]).startswith("底图 &lt;img")


@pytest.mark.parametrize(("lang", "tag"), [("zh", "zh-CN"), ("en", "en")])
def test_page_says_its_language(study: Study, backdrop: Backdrop, lang: str, tag: str) -> None:
    assert f'<html lang="{tag}">' in study_map(study, backdrop, lang)


def test_words_of_the_page_are_of_one_language(study: Study, backdrop: Backdrop) -> None:
    data = _data(study_map(study, backdrop, "en"))
    layers = data["layers"]
    assert isinstance(layers, list)
    words = [data["t"], [[layer["label"], layer["note"], layer["legend"]] for layer in layers]]
    assert not re.search(r"[一-鿿]", json.dumps(words, ensure_ascii=False))
    assert "None" not in json.dumps(data, ensure_ascii=False)
    assert "nan" not in json.dumps(data["layers"], ensure_ascii=False).lower().replace("finance", "")


def test_a_city_fits_into_8_mb() -> None:
    study = big_study()
    page = study_map(study, Backdrop(study.bounds), "zh")
    assert len(study.cells) == 50_000
    assert len(study.sites) == 500
    assert len(page.encode()) < 8_000_000


def test_an_empty_study_makes_a_page(study: Study, backdrop: Backdrop) -> None:
    bare = dataclasses.replace(
        study, sites=(), audit=(), pickups=(), cells=(), flows=(), grids=(), refusals=(), hot_spots=(),
        blind_spots=None, inner_ways=None,
    )  # fmt: skip
    assert _data(study_map(bare, backdrop, "zh"))["layers"] == []


def test_redacted_cells_carry_no_figure(study: Study) -> None:
    say = Wording.of("zh", study.k)
    hidden = dataclasses.replace(
        study,
        cells=tuple(
            dataclasses.replace(
                cell, riders=None, rest_min_by_hour=(None,) * 24, due_break_min_by_hour=(None,) * 24
            )
            for cell in study.cells
        ),
    )
    part = demand_layer(hidden, say)["parts"][0]
    assert part["breaks"] == {"day": [], "hour": []}
    assert set(part["riders"]) <= {"A", "="}


@pytest.mark.parametrize(
    ("tiles", "host", "datum"),
    [
        (OnlineTiles("osm"), "https://tile.openstreetmap.org", "wgs84"),
        (OnlineTiles("tianditu", "0123456789abcdef"), "https://*.tianditu.gov.cn", "wgs84"),
        (OnlineTiles("amap"), "https://*.is.autonavi.com", "gcj02"),
    ],
)
def test_online_tiles_come_only_on_request(
    study: Study, backdrop: Backdrop, tiles: OnlineTiles, host: str, datum: str
) -> None:
    assert host not in study_map(study, backdrop, "zh")
    page = study_map(study, backdrop, "zh", tiles=tiles)
    assert f"img-src data: blob: {host};" in page
    offered = _data(page)["tiles"]
    assert isinstance(offered, dict)
    assert offered["datum"] == datum


def test_amap_is_not_shifted_outside_the_mainland(study: Study, backdrop: Backdrop) -> None:
    helsinki = dataclasses.replace(study, bounds=(24.9, 60.1, 25.0, 60.2))
    offered = _data(study_map(helsinki, backdrop, "en", tiles=OnlineTiles("amap")))["tiles"]
    assert isinstance(offered, dict)
    assert offered["datum"] == "wgs84"


def test_tiles_without_a_proper_key_are_refused() -> None:
    with pytest.raises(InputError, match="need a key of 8 to 64"):
        OnlineTiles("tianditu")
    with pytest.raises(InputError, match="need a key"):
        OnlineTiles("tianditu", "abc&x=<script>")
    with pytest.raises(InputError, match="allowed: osm, tianditu, amap"):
        OnlineTiles("bing")  # type: ignore[arg-type]


def _match() -> MatchPicture:
    lon, lat = CENTRE
    stops = (
        MatchStop("川香小馆", (lon + 0.002, lat), "pickup", "12:04", "12:04", "12:10", 360.0, 360.0),
        MatchStop(HOSTILE, (lon + 0.004, lat + 0.002), "task", None, "12:09", "12:30", None, 1260.0),
        MatchStop("华清嘉园", (lon + 0.006, lat), "dropoff", "12:12", "12:15", "12:20", 480.0, float("inf")),
    )
    before = ((lon, lat), (lon + 0.002, lat), (lon + 0.006, lat))
    after = ((lon, lat), (lon + 0.002, lat), (lon + 0.004, lat + 0.002), (lon + 0.006, lat))
    credit = "© OpenStreetMap contributors"
    return MatchPicture("查看井盖", (lon, lat), before, after, stops, 180.0, 420.0, 0, credit)


def test_match_page_shows_ways_stops_and_slack(backdrop: Backdrop) -> None:
    page = match_map(_match(), backdrop, "zh")
    assert page == match_map(_match(), backdrop, "zh")
    assert HOSTILE not in page
    data = _data(page)
    assert data["title"] == "顺路任务：查看井盖"
    assert data["subtitle"] == "多用时间3分钟，多走420米，没有订单超时"
    text = json.dumps(data, ensure_ascii=False)
    assert '["现余量", "21.0分钟"]' in text
    assert '["现余量", "—"]' in text
    assert "NaN" not in text
    assert "Infinity" not in text


def test_a_late_match_does_not_say_that_nothing_is_late(backdrop: Backdrop) -> None:
    late = dataclasses.replace(_match(), late_deliveries=1)
    assert "没有订单超时" not in str(_data(match_map(late, backdrop, "zh"))["subtitle"])


def test_a_match_without_a_task_is_refused() -> None:
    with pytest.raises(InputError, match="at least one stop"):
        dataclasses.replace(_match(), stops=())
    with pytest.raises(InputError, match="kind 'task'"):
        dataclasses.replace(_match(), stops=_match().stops[:1])


def test_backdrop_layers_are_checked() -> None:
    with pytest.raises(InputError, match="backdrop layer 'lava' is not known"):
        BackdropLayer("lava", True, 1, 2, np.array([0]), np.empty((0, 2)), np.empty(0, np.int32))
    assert len(Rings.empty()) == 0


def test_the_popup_of_a_grid_leads_to_its_report(study: Study, backdrop: Backdrop) -> None:
    """Where the page comes from the service: a file on disk shows no link that leads nowhere."""
    page = study_map(study, backdrop, "zh")
    layers = {layer["id"]: layer for layer in _data(page)["layers"]}  # type: ignore[attr-defined]
    items = layers["grids"]["parts"][0]["items"]
    for item, grid in zip(items, study.grids, strict=True):
        assert [link[1] for link in item["l"]] == [
            f"reports/{form}?grid={grid.code}&lang=zh" for form in ("docx", "xlsx")
        ]
    assert "location.protocol !== 'file:'" in page
