"""The service over one finished study: stations, files, documentation."""

import datetime
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from study_sample import sample_study
from tiny_study import TOWN, place, write_study

from api.http.app import create_app
from api.settings import Settings
from api.study.finished import RESULT
from geo.datum import from_wgs84, to_wgs84
from geo.errors import InputError

NOON = datetime.datetime(2026, 3, 4, 12, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
NIGHT = NOON.replace(hour=23)
NEAREST = "/v1/stations/nearest"


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(folder, settings=Settings(), clock=lambda: NOON)) as client:
        yield client


def _ask(letter: str, **more: str | float | bool | list[str]) -> dict[str, str | float | bool | list[str]]:
    lon, lat = place(letter)
    return {"lon": lon, "lat": lat, "datum": "wgs84", **more}


def test_health_tells_the_city_and_the_size(client: TestClient) -> None:
    body = client.get("/healthz").json()
    assert body == {"status": "ok", "city": "Town", "edges": len(TOWN.network()), "stations": 4}


def test_nearest_by_the_streets_and_open_by_the_clock_of_the_city(client: TestClient) -> None:
    day = client.get(NEAREST, params=_ask("F")).json()
    assert (day["station_id"], day["open_until"]) == ("E01", "2026-03-04T18:00:00+08:00")
    night = client.get(NEAREST, params=_ask("F", at=NIGHT.isoformat())).json()
    assert (night["station_id"], night["open_until"]) == ("E02", None)
    # 15:00 in UTC is 23:00 in Shanghai.
    utc = client.get(NEAREST, params=_ask("F", at="2026-03-04T15:00:00Z")).json()
    assert utc == night


def test_a_station_with_ph_off_is_shut_on_a_public_holiday(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "out")
    path = folder / "data" / "stations.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    rows[0]["opening_hours"] = "Mo-Su 08:00-18:00; PH off"
    path.write_text(json.dumps(rows), encoding="utf-8")
    with TestClient(create_app(folder, settings=Settings(), clock=lambda: NOON)) as client:
        day = client.get(NEAREST, params=_ask("F")).json()
        assert (day["station_id"], day["open_until"]) == ("E01", "2026-03-04T18:00:00+08:00")
        national_day = client.get(NEAREST, params=_ask("F", at="2026-10-01T12:00:00+08:00")).json()
        assert national_day["station_id"] == "E02"


def test_the_way_is_legal_and_named(client: TestClient) -> None:
    body = client.get(NEAREST, params=_ask("E")).json()
    assert body["station_id"] == "E02"
    body = client.get(NEAREST, params=_ask("E", facility=["toilet"])).json()
    # C-D-E is one-way eastwards: back to B only by the south street.
    assert body["way"]["properties"]["streets"][-2:] != ["North Street", "North Street"]
    ends = [tuple(body["way"]["geometry"]["coordinates"][k]) for k in (0, -1)]
    assert ends == [pytest.approx(place("E"), abs=1e-6), pytest.approx(place("B"), abs=1e-6)]
    straight = 3 * 8 * 25.0
    assert body["length_m"] == pytest.approx(straight + 2 * 2 * 25.0, rel=0.01)
    assert body["travel_s"] == pytest.approx(body["length_m"] / 4.0, rel=0.05)


def test_suggested_stations_count_only_on_request(client: TestClient) -> None:
    assert client.get(NEAREST, params=_ask("A")).json()["station_id"] == "E01"
    assert client.get(NEAREST, params=_ask("A", suggested=True)).json()["station_id"] == "S01"


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_positions_come_back_in_the_datum_of_the_question(client: TestClient, datum: str) -> None:
    lon, lat = from_wgs84([place("F")], datum)[0]
    body = client.get(NEAREST, params={"lon": lon, "lat": lat, "datum": datum}).json()
    plain = client.get(NEAREST, params=_ask("F")).json()
    assert body["datum"] == datum
    assert body["travel_s"] == pytest.approx(plain["travel_s"], abs=0.5)
    shown = to_wgs84(body["way"]["geometry"]["coordinates"], datum)
    line = plain["way"]["geometry"]["coordinates"]
    np.testing.assert_allclose([shown[0], shown[-1]], [line[0], line[-1]], atol=1e-6)
    assert abs(body["position"]["lon"] - plain["position"]["lon"]) > 1e-3


@pytest.mark.parametrize(
    ("params", "status", "slug", "words"),
    [
        (_ask("F", facility=["sauna"]), 404, "no-station", "no station with sauna"),
        (_ask("F", facility=["toilet"], at=NIGHT.isoformat()), 404, "no-station", "23:00; the first to"),
        (_ask("F", facility=["smoking_area"]), 404, "no-station", "from there: no street joins"),
        ({"lon": 116.5, "lat": 39.9, "datum": "gcj02"}, 422, "off-network", "street for ebike within"),
        ({"lon": "nan", "lat": 39.9, "datum": "wgs84"}, 422, "invalid-request", "lon"),
        ({"lon": 181, "lat": 39.9, "datum": "wgs84"}, 422, "invalid-request", "lon"),
        ({"lon": 116, "lat": 39.9}, 422, "invalid-request", "datum"),
        (_ask("F", at="2026-03-04T12:00:00"), 422, "invalid-request", "at: its offset from UTC is missing"),
        (_ask("F", mode="tank"), 422, "invalid-request", "mode"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_says_why(
    client: TestClient, params: dict[str, str | float], status: int, slug: str, words: str
) -> None:
    answer = client.get(NEAREST, params=params)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"/problems#{slug}"
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("/map", "lang=zh", "text/html"),
        ("/map?lang=zh", "lang=zh", "text/html"),
        ("/map?lang=en", "lang=en", "text/html"),
        (
            "/reports/docx",
            "zh docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (
            "/reports/xlsx?lang=en",
            "en xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        ("/reports/html", "zh html", "text/html"),
        ("/layers/sites.geojson", "FeatureCollection", "application/geo+json"),
        ("/layers/edits.geojson", "FeatureCollection", "application/geo+json"),
        ("/layers/edits.osc", "osmChange", "application/xml"),
        ("/layers/sites.gpkg", "SQLite", "application/geopackage+sqlite3"),
    ],
)
def test_files_of_the_study_are_served(client: TestClient, path: str, content: str, kind: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert content in answer.text


def test_the_start_page_offers_the_report_of_each_unit_grid(client: TestClient) -> None:
    answer = client.get("/")
    codes = [grid["code"] for grid in client.get("/v1/grids").json()]
    assert codes
    assert re.findall(r'<option value="([^"]+)"', answer.text) == codes
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    forms = re.findall(r'(?:<form[^>]* action|formaction)="([^"]+)"', answer.text)
    assert forms == ["reports/docx", "reports/xlsx", "reports/html"]
    report = client.get("/reports/html", params={"grid": codes[0]})
    assert codes[0] in report.text


def test_the_start_page_changes_its_language_and_leads_to_files_in_it(client: TestClient) -> None:
    first = client.get("/")
    assert '<html lang="zh">' in first.text
    (way,) = re.findall(r'href="(language/en[^"]*)"', first.text)
    chosen = client.get(f"/{way}", follow_redirects=False)
    assert chosen.headers["location"] == "/"
    held = {"cookie": chosen.headers["set-cookie"].partition(";")[0]}
    second = client.get("/", headers=held).text
    assert '<html lang="en">' in second
    assert re.findall(r'href="(language/zh[^"]*)"', second)
    files = re.findall(r'href="((?:map|reports/\w+)[^"]*)"', second)
    assert files == ["map?lang=en", "reports/docx?lang=en", "reports/xlsx?lang=en", "reports/html?lang=en"]
    assert "<html lang=en>" in client.get(f"/{files[0]}").text
    assert '<input type="hidden" name="lang" value="en">' in second
    assert "?lang=" not in first.text


@pytest.mark.parametrize(
    "path", ["/reports/pdf", "/map?lang=fr", "/reports/..%2Fdata%2Fstudy.json", "/data/study.json"]
)
def test_nothing_else_of_the_folder_is_served(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def test_pages_load_nothing_from_elsewhere_and_escape_names(client: TestClient) -> None:
    for path in ("/", "/docs", "/problems"):
        text = client.get(path).text
        assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", text)
        assert "<b>Town</b>" not in text
    docs = client.get("/docs").text
    assets = re.findall(r"""["'](/docs/assets/[^"']+)["']""", docs)
    assert len(assets) == 3
    for asset in assets:
        assert client.get(asset).status_code == 200


def test_the_openapi_document_names_problems(client: TestClient) -> None:
    """That it is valid is tested beside its examples."""
    document = client.get("/openapi.json").json()
    for path in ("/v1/matches", NEAREST):
        (operation,) = document["paths"][path].values()
        assert "application/problem+json" in operation["responses"]["422"]["content"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_a_study_comes_back_from_its_file_as_it_was() -> None:
    study = sample_study()
    assert RESULT.validate_json(RESULT.dump_json(study)) == study


def test_a_folder_without_a_study_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no finished study"):
        create_app(tmp_path, settings=Settings())


def test_ready_is_told_apart_from_alive(client: TestClient) -> None:
    app = client.app
    assert isinstance(app, FastAPI)
    assert client.get("/readyz").json() == {"status": "ready"}
    app.state.ready.clear()
    try:
        waiting = client.get("/readyz")
        assert (waiting.status_code, waiting.json()["type"]) == (503, "/problems#busy")
        assert waiting.headers["retry-after"] == "5"
        assert client.get("/healthz").status_code == 200
    finally:
        app.state.ready.set()


def test_the_first_request_finds_all_routes_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(folder, settings=Settings())
    made: list[object] = []
    for room in ("fastapi.routing", "fastapi.dependencies.utils"):
        monkeypatch.setattr(f"{room}.create_model_field", lambda **given: made.append(given))
    assert TestClient(app).get("/-").status_code == 404
    assert made == []


@pytest.mark.parametrize(
    ("accepted", "lang", "word"), [("zh-CN", "zh", "问题类型"), ("en", "en", "Problem types")]
)
def test_kinds_of_problems_are_explained_once_in_the_language_of_the_reader(
    client: TestClient, accepted: str, lang: str, word: str
) -> None:
    page = client.get("/problems", headers={"accept-language": accepted}).text
    assert f'<html lang="{lang}">' in page
    assert word in page
    anchors = re.findall(r'<dt id="([\w-]+)"', page)
    assert len(anchors) == len(set(anchors)) > 15
    if lang == "zh":
        assert all(re.search("[\u4e00-\u9fff]", said) for said in re.findall("<dd>(.*?)</dd>", page))
