"""Links to map apps: each in its own datum and order, with names that cannot break out of them."""

from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.datum import to_wgs84
from geo.map_links import map_links

BEIJING, HELSINKI = (116.397428, 39.90923), (24.9414, 60.1699)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.floats(104, 119), st.floats(27, 39), st.text(min_size=1, max_size=30))
def test_each_link_leads_back_to_the_place_under_its_name(lon: float, lat: float, name: str) -> None:
    if not name.isprintable():
        name = "驿站"
    links = map_links((lon, lat), name)
    assert links.amap is not None
    assert links.baidu is not None
    amap, baidu = (
        parse_qs(urlsplit(link).query, keep_blank_values=True) for link in (links.amap, links.baidu)
    )
    assert amap["name"] == baidu["title"] == [name]
    assert (amap["coordinate"], baidu["coord_type"]) == (["gaode"], ["bd09ll"])
    x, y = map(float, amap["position"][0].split(","))
    assert to_wgs84([(x, y)], "gcj02")[0] == pytest.approx((lon, lat), abs=2e-6)
    y, x = map(float, baidu["location"][0].split(","))
    assert to_wgs84([(x, y)], "bd09")[0] == pytest.approx((lon, lat), abs=2e-6)
    # RFC 5870: latitude first, WGS-84.
    where, _, query = links.geo.removeprefix("geo:").partition("?q=")
    assert np.array(where.split(","), float) == pytest.approx((lat, lon), abs=1e-6)
    assert unquote(query) == f"{where}({name})"


def test_the_shift_is_there_and_is_not_the_same_for_both() -> None:
    links = map_links(BEIJING, "天安门")
    assert links.amap is not None
    assert links.baidu is not None
    assert "116.403" in links.amap
    assert "116.410" in links.baidu
    assert links.geo.startswith("geo:39.909230,116.397428?q=")
    assert "%E5%A4%A9%E5%AE%89%E9%97%A8" in links.amap


def test_outside_of_the_mainland_there_is_geo_alone() -> None:
    links = map_links(HELSINKI, "Station (north)")
    assert (links.amap, links.baidu) == (None, None)
    assert links.geo == "geo:60.169900,24.941400?q=60.169900,24.941400(Station%20%28north%29)"
