"""OGC API - Features over a served study, by plain requests.

Cases told in the trackers of pygeoapi, GDAL, QGIS and MapServer are named where they stand.
"""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pyproj
import pytest
import shapely
from fastapi import FastAPI
from fastapi.testclient import TestClient
from openapi_spec_validator import validate
from study_sample import sample_study
from tiny_study import write_study

from api.http.app import create_app
from api.ogc import COLLECTIONS, CRS84
from api.settings import Settings
from siting.results import Study

Json = dict[str, Any]
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
OGC = "/ogc"
STATIONS = "/ogc/collections/stations/items"
GRIDS = "/ogc/collections/unit_grids/items"
FLOWS = "/ogc/collections/flows/items"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    folder = write_study(tmp_path_factory.mktemp("ogc") / "out")
    return create_app(folder, named={"other": folder}, settings=Settings())


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="module")
def study() -> Study:
    return sample_study()


def get(client: TestClient, path: str, expect: int = 200, **query: Any) -> Json:  # noqa: ANN401
    answer = client.get(path, params=query)
    assert answer.status_code == expect, answer.text
    found: Json = answer.json()
    return found


def asked(query: str) -> Json:
    return dict(parse_qsl(query))


def box(corners: str, crs: str) -> Json:
    return {"bbox": corners, "bbox-crs": crs}


def links(document: Json, rel: str) -> list[str]:
    return [link["href"] for link in document["links"] if link["rel"] == rel]


def followed(client: TestClient, document: Json, rel: str) -> Json | None:
    found = links(document, rel)
    if not found:
        return None
    split = urlsplit(found[0])
    return get(client, split.path, **asked(split.query))


def test_behind_the_end_the_page_before_is_the_last(client: TestClient) -> None:
    """It led from one empty page to the next."""
    page = get(client, f"{OGC}/collections/stations/items", offset=999_999, limit=1)
    assert page["features"] == []
    before = followed(client, page, "prev")
    assert before is not None
    assert len(before["features"]) == 1


@pytest.mark.parametrize(
    "path", [OGC, f"{OGC}/collections/stations/items", "/health", "/", "/none", "/stations"]
)
def test_head_is_get_without_content(client: TestClient, path: str) -> None:
    """Link checkers, proxies and desktop programs ask so; they were answered 405."""
    told, asked_for = client.get(path), client.head(path)
    assert asked_for.status_code == told.status_code
    assert asked_for.headers["content-type"] == told.headers["content-type"]
    assert asked_for.content == b""


def test_from_the_landing_page_to_a_feature_by_links_alone(client: TestClient) -> None:
    landing = get(client, OGC)
    assert get(client, OGC + "/") == landing
    api = client.get(urlsplit(links(landing, "service-desc")[0]).path)
    assert api.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    conformance = followed(client, landing, "conformance")
    assert conformance is not None
    assert "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs" in conformance["conformsTo"]
    collections = followed(client, landing, "data")
    assert collections is not None
    assert [one["id"] for one in collections["collections"]] == list(COLLECTIONS)
    for one in collections["collections"]:
        assert one["itemType"] == "feature"
        assert one["crs"][0] == one["storageCrs"] == CRS84
        items = followed(client, one, "items")
        assert items is not None
        assert items["numberMatched"] == items["numberReturned"] == len(items["features"])
        if one["id"] == "street_reports":
            continue  # nothing is reported here; `test_ogc_reports` has some
        assert items["features"]
        first = items["features"][0]
        own = get(client, f"{OGC}/collections/{one['id']}/items/{first['id']}")
        assert {key: own[key] for key in first} == first
        again = followed(client, own, "self")
        assert again is not None
        assert again["id"] == first["id"]
        assert followed(client, own, "collection") == get(client, f"{OGC}/collections/{one['id']}")


def test_media_types_as_the_standard_has_them(client: TestClient) -> None:
    assert client.get(STATIONS).headers["content-type"] == "application/geo+json"
    assert client.get(f"{STATIONS}/E01").headers["content-type"] == "application/geo+json"
    assert client.get(f"{OGC}/collections").headers["content-type"] == "application/json"
    queryables = client.get(f"{OGC}/collections/stations/queryables")
    assert queryables.headers["content-type"] == "application/schema+json"
    assert client.get(STATIONS).headers["content-crs"] == f"<{CRS84}>"
    page = client.get(STATIONS, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    geo = client.get(STATIONS, headers={"accept": "application/geo+json, text/html;q=0.3"})
    assert geo.headers["content-type"] == "application/geo+json"
    assert "accept" in geo.headers["vary"]


def test_the_definition_is_valid_and_every_address_in_it_answers(client: TestClient) -> None:
    document = get(client, f"{OGC}/api")
    validate(document)
    assert document["openapi"].startswith("3.0")
    for path in document["paths"]:
        if path == "/collections/street_reports/items/{featureId}":
            continue  # nothing is reported here
        told = f"{OGC}{path}".replace("{featureId}", get_id(client, path))
        assert client.get(told).status_code == 200, told
    of_items = document["paths"]["/collections/stations/items"]["get"]["parameters"]
    limit = next(one for one in of_items if one["name"] == "limit")
    # GDAL #8522: a driver reads the largest page from the definition.
    assert limit["schema"]["maximum"] == 10_000


def get_id(client: TestClient, path: str) -> str:
    if "{featureId}" not in path:
        return ""
    items = get(client, OGC + path.replace("/{featureId}", ""), limit=1)
    return str(items["features"][0]["id"])


def test_pages_by_the_next_link_give_each_feature_once(client: TestClient) -> None:
    """Pygeoapi #1658 (no next link), MapServer #6613 (offset without effect): and the way back."""
    whole = get(client, FLOWS)
    page: Json | None = get(client, FLOWS, limit=7)
    seen, sizes = [], []
    last = page
    while page is not None:
        seen += [one["id"] for one in page["features"]]
        sizes.append(page["numberReturned"])
        assert page["numberMatched"] == whole["numberMatched"]
        last, page = page, followed(client, page, "next")
    assert seen == [one["id"] for one in whole["features"]]
    assert sizes == [7] * (len(seen) // 7) + [len(seen) % 7]
    assert last is not None
    before = followed(client, last, "prev")
    assert before is not None
    assert [one["id"] for one in before["features"]] == seen[
        -len(last["features"]) - 7 : -len(last["features"])
    ]


def test_a_link_to_another_form_keeps_the_question(client: TestClient) -> None:
    """Pygeoapi #1658: "following the json link removes the offset"."""
    page = get(client, STATIONS, limit=2, offset=2, kind="standard")
    for rel in ("self", "alternate"):
        query = dict(parse_qsl(urlsplit(links(page, rel)[0]).query))
        assert (query["limit"], query["offset"]) == ("2", "2")
        assert query["kind"] == "standard"


@pytest.mark.parametrize(
    "path",
    ["", "/conformance", "/api", "/collections", "/collections/stations", "/collections/stations/items"],
)
def test_a_slash_at_the_end_is_no_other_address(client: TestClient, path: str) -> None:
    """Pg_featureserv 63: clients put slashes at the end; `items/` was a feature without a name."""
    plain, more = client.get(f"/ogc{path}"), client.get(f"/ogc{path}/")
    assert more.status_code == 200
    assert sorted(more.json()) == sorted(plain.json())


def test_no_page_after_the_last_one_and_none_of_nothing(client: TestClient) -> None:
    """A server that names a next page for ever makes a client ask for ever."""
    beyond = get(client, FLOWS, offset=10_000)
    assert (beyond["numberReturned"], beyond["features"]) == (0, [])
    assert links(beyond, "next") == []
    none = get(client, STATIONS, name="there is none")
    assert (none["numberMatched"], links(none, "next")) == (0, [])


def test_a_limit_that_is_too_large_is_no_mistake(client: TestClient) -> None:
    """Part 1, requirement 21 (corrected): more than the most is given the most; QGIS #49404 sends its own."""
    assert get(client, FLOWS, limit=1_000_000)["numberReturned"] > 0


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "10,20"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"bbox": "1,2,3"}, "bbox"),
        ({"bbox": "1,2,3,x"}, "bbox"),
        ({"bbox": "1,2,3,nan"}, "bbox"),
        ({"bbox": "116,41,117,40"}, "lower corner"),
        ({"bbox": "39,116,40,117"}, "lon,lat,lon,lat"),
        ({"bbox": "1,2,3,4", "bbox-crs": "EPSG:4326"}, "bbox-crs"),
        ({"bbox-crs": CRS84}, "send both"),
        ({"crs": "http://www.opengis.net/def/crs/EPSG/0/27700"}, "crs"),
        ({"datetime": "yesterday"}, "datetime"),
        ({"datetime": "2026-03-04T12:00:00"}, "datetime"),
        ({"datetime": "../.."}, "datetime"),
        ({"datetime": "2026-03-05/2026-03-04"}, "ends before"),
        ({"f": "gml"}, "json and html"),
        ({"lang": "fr"}, "zh and en"),
        ({"shoe_size": "44"}, "shoe_size"),
    ],
)
def test_what_is_wrong_with_a_query_is_told_with_status_400(
    client: TestClient, query: Json, word: str
) -> None:
    problem = get(client, STATIONS, 400, **query)
    assert word in problem["detail"]
    zh = client.get(STATIONS, params=query, headers={"accept-language": "zh"}).json()
    assert re.search("[\u4e00-\u9fff]", zh["detail"]), zh["detail"]


def test_what_is_not_there_and_what_is_asked_twice(client: TestClient) -> None:
    assert "no collection" in get(client, f"{OGC}/collections/nowhere/items", 404)["detail"]
    assert "no feature" in get(client, f"{STATIONS}/E99", 404)["detail"]
    assert client.get(f"{STATIONS}?limit=1&limit=2").status_code == 400
    assert client.get(f"{OGC}?limit=1").status_code == 400
    assert client.get(f"{OGC}/collections/stations?bbox=1,2,3,4").status_code == 400


def lonlat_boxes(study: Study, seed: int) -> Iterator[tuple[float, float, float, float]]:
    west, south, east, north = study.bounds
    rng = np.random.default_rng(seed)
    for _ in range(12):
        x = np.sort(rng.uniform(west, east, 2))
        y = np.sort(rng.uniform(south, north, 2))
        yield float(x[0]), float(y[0]), float(x[1]), float(y[1])


def test_a_box_gives_what_touches_it_and_nothing_else(client: TestClient, study: Study) -> None:
    shapes = {flow: shapely.LineString(line.line) for flow, line in enumerate(study.flows)}
    counts = set()
    for corners in lonlat_boxes(study, 5):
        found = get(client, FLOWS, bbox=",".join(map(str, corners)))
        area = shapely.box(*corners)
        assert {one["id"] for one in found["features"]} == {
            f"F{n + 1:05d}" for n, shape in shapes.items() if shape.intersects(area)
        }
        counts.add(found["numberMatched"])
    assert len(counts) > 2


def test_six_numbers_are_a_box_with_heights(client: TestClient, study: Study) -> None:
    west, south, east, north = study.bounds
    flat = get(client, FLOWS, bbox=f"{west},{south},{(west + east) / 2},{north}")
    high = get(client, FLOWS, bbox=f"{west},{south},-10,{(west + east) / 2},{north},500")
    assert [one["id"] for one in high["features"]] == [one["id"] for one in flat["features"]]


def test_a_box_over_the_180th_meridian(client: TestClient, study: Study) -> None:
    """Part 1, 7.15.3: west is larger than east there; MapServer #7136 lost what lies far in the south."""
    south, north = study.bounds[1] - 1, study.bounds[3] + 1
    everywhere = get(client, FLOWS, bbox=f"100,{south},-100,{north}")
    assert everywhere["numberMatched"] == get(client, FLOWS)["numberMatched"]
    assert get(client, FLOWS, bbox=f"170,{south},-170,{north}")["numberMatched"] == 0


@pytest.mark.parametrize("code", [4326, 3857, 32650, 4490, 4548])
def test_every_system_has_the_axis_order_of_its_authority(
    client: TestClient, study: Study, code: int
) -> None:
    """Pygeoapi #2010 and ets-ogcapi-features10 #233: EPSG:4326 is latitude first, in bbox as in answers."""
    uri = f"{EPSG}{code}"
    assert uri in get(client, f"{OGC}/collections/stations")["crs"]
    answer = client.get(STATIONS, params={"crs": uri})
    assert answer.headers["content-crs"] == f"<{uri}>"
    to_authority = pyproj.Transformer.from_crs("OGC:CRS84", f"EPSG:{code}")
    lonlats = {site.site_id: site.lonlat for site in study.sites}
    for one in answer.json()["features"]:
        expected = to_authority.transform(*lonlats[one["id"]])
        # Positions are published to 1e-7 degrees.
        close = 2e-7 if code in (4326, 4490) else 0.02
        assert one["geometry"]["coordinates"] == pytest.approx(expected, abs=close)
        single = get(client, f"{STATIONS}/{one['id']}", crs=uri)
        assert single["geometry"] == one["geometry"]
    first, second = to_authority.transform(*lonlats["E01"])
    near = 1e-5 if code in (4326, 4490) else 1.0
    corners = f"{first - near},{second - near},{first + near},{second + near}"
    found = get(client, STATIONS, **box(corners, uri))
    assert [one["id"] for one in found["features"]] == ["E01"]


def test_a_box_in_metres_larger_than_the_system_is_everything(client: TestClient) -> None:
    """QGIS asks for the whole extent of a projected system (QGIS PR 50468)."""
    corners = "-20037508,-20037508,20037508,20037508"
    found = get(client, FLOWS, **box(corners, f"{EPSG}3857"))
    assert found["numberMatched"] == get(client, FLOWS)["numberMatched"]


def test_systems_are_those_of_the_place(client: TestClient) -> None:
    """CGCS2000 in mainland China only; the extent is lon, lat (pygeoapi #1702: off the coast of Somalia)."""
    collection = get(client, f"{OGC}/collections/unit_grids")
    (west, south, east, north) = collection["extent"]["spatial"]["bbox"][0]
    assert collection["extent"]["spatial"]["crs"] == CRS84
    assert 116 < west < east < 117
    assert 39 < south < north < 41
    assert pyproj.CRS("EPSG:4548").name == "CGCS2000 / 3-degree Gauss-Kruger CM 117E"


def test_time_is_that_of_the_study(client: TestClient, study: Study) -> None:
    first, last = study.period
    whole = get(client, GRIDS)["numberMatched"]
    for during, expected in (
        (first, whole),
        (f"{last}/..", whole),
        (f"../{first}", whole),
        (f"/{first}", whole),
        (f"{first}T00:00:00+08:00", whole),
        (f"{first}t04:00:00z", whole),
        (f"{last}T16:00:00Z/..", 0),
        ("../2020-01-01", 0),
        (f"2020-01-01T00:00:00Z/{first}T00:00:00+08:00", whole),
        (f"2020-01-01T00:00:00Z/{first}T00:00:00+09:00", 0),
    ):
        assert get(client, GRIDS, datetime=during)["numberMatched"] == expected, during
    # A plus sign that nobody encoded.
    told = client.get(f"{GRIDS}?datetime={first}T00:00:00+08:00").json()
    assert told["numberMatched"] == whole
    interval = get(client, f"{OGC}/collections/unit_grids")["extent"]["temporal"]["interval"]
    assert [end[:13] for end in interval[0]] == [f"{_before(first)}T16", f"{last}T15"]
    # A suggestion has no time: it is always part of the answer.
    assert get(client, "/ogc/collections/suggested_sites/items", datetime="1990-01-01")["numberMatched"] > 0


def _before(day: str) -> str:
    return str(np.datetime64(day) - 1)


def test_properties_are_filters(client: TestClient) -> None:
    features = get(client, STATIONS)["features"]
    kinds = get(client, f"{OGC}/collections/stations/queryables")["properties"]
    assert set(kinds) == set(features[0]["properties"])
    assert kinds["rest_min_a_day"]["type"] == "number"
    for name, value in (("kind", "micro"), ("facilities", "toilet"), ("rank", "2"), ("rank", "2.0")):
        filters: Json = {name: value}
        found = get(client, STATIONS, **filters)
        expected = [
            one["id"]
            for one in features
            if value.removesuffix(".0") in str(one["properties"][name]).split(";")
        ]
        assert [one["id"] for one in found["features"]] == expected
    some = get(client, STATIONS, facilities="room", kind="micro")["features"]
    assert [one["id"] for one in some] == [
        one["id"] for one in features if one["properties"]["kind"] == "micro"
    ]


def test_outer_rings_run_counter_clockwise(client: TestClient) -> None:
    """RFC 7946, 3.1.6; OpenLayers and d3 fill the world otherwise."""
    for one in get(client, GRIDS)["features"]:
        shape = shapely.geometry.shape(one["geometry"])
        assert all(part.exterior.is_ccw for part in shape.geoms)


def test_nothing_withheld_comes_back(client: TestClient, study: Study) -> None:
    """Every number of the door is one that the published study has at the same place."""
    grids = {grid.code: grid for grid in study.grids}
    withheld = 0
    for one in get(client, GRIDS)["features"]:
        told, grid = one["properties"], grids[one["id"]]
        for name in ("riders", "rest_min_a_day", "served_share", "in_reach_share"):
            assert told[name] == getattr(grid, name)
            withheld += told[name] is None
    assert withheld > 0
    published = set(_numbers(dataclasses.asdict(study)))
    for name in COLLECTIONS:
        for one in get(client, f"{OGC}/collections/{name}/items")["features"]:
            for value in one["properties"].values():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    assert value in published, (name, one["id"], value)


def _numbers(tree: object) -> Iterator[float]:
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        for part in tree:
            yield from _numbers(part)
    elif isinstance(tree, int | float):
        yield tree


def test_below_the_name_of_a_study_links_stay_there(client: TestClient) -> None:
    landing = get(client, "/s/other/ogc")
    assert all("/s/other/ogc" in link["href"] for link in landing["links"])
    assert get(client, "/s/other" + STATIONS)["numberMatched"] == get(client, STATIONS)["numberMatched"]
    assert client.get("/s/nowhere/ogc").status_code == 404


def test_links_have_the_address_that_people_use(tmp_path: Path) -> None:
    """Behind a proxy the service does not know its own address."""
    settings = Settings(public_url="https://yilu.example.org/city/")
    with TestClient(create_app(write_study(tmp_path / "out"), settings=settings)) as client:
        document = get(client, f"{OGC}/collections")
        assert links(document["collections"][0], "items")[0].startswith(
            "https://yilu.example.org/city/ogc/collections/stations/items"
        )


PAGES = (
    "",
    "/conformance",
    "/api",
    "/collections",
    "/collections/stations",
    "/collections/stations/queryables",
    "/collections/stations/items",
    "/collections/unit_grids/items?limit=2",
    "/collections/stations/items/E01",
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_hold_no_script_and_their_links_lead_somewhere(
    client: TestClient, path: str, lang: str
) -> None:
    answer = client.get(OGC + path, headers={"accept": "text/html", "accept-language": lang})
    assert answer.status_code == 200
    assert f'<html lang="{lang}">' in answer.text
    # The hostile names of the sample study are text.
    assert "<script" not in answer.text
    policies = answer.headers.get_list("content-security-policy")
    assert any("script-src" not in one and "default-src 'none'" in one for one in policies)
    assert "unsafe-inline" not in policies[0]
    for href in re.findall(r'href="(http[^"]+)"', answer.text):
        split = urlsplit(href.replace("&amp;", "&"))
        assert client.get(f"{split.path}?{split.query}").status_code == 200, href


def test_a_key_that_is_not_good_is_refused_and_none_is_needed(client: TestClient) -> None:
    assert client.get(STATIONS, headers={"authorization": "Bearer nonsense"}).status_code == 401
    assert client.get(STATIONS).headers["access-control-allow-origin"] == "*"
