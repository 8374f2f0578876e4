"""Whole studies on small cities: all files, nobody identified, the same bytes from the same seed."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyogrio
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from tiny_map import write_city

from api.cli.commands import yilu
from api.http.app import create_app
from api.settings import Settings
from api.study.finished import RESULT
from api.study.studyfile.inputs import TraceInput, read_here, read_platform_files, trace_inputs
from api.study.studyfile.read import built_in, load_study_file
from api.study.summary import VARYING_KEY
from geo.datum import from_wgs84, to_wgs84
from geo.osm.read import read_osm
from geo.streets.network import StreetNetwork
from geo.synthetic.make import FleetOptions, make_fleet, write_fleet_csv, write_fleet_parquet

FILES = {
    "map.html", "report.docx", "report.xlsx", "report.html", "sites.geojson", "sites.gpkg", "rejects.csv",
    "matches.json", "match.html", "summary.json",
}  # fmt: skip
SEED = 417
PHRASE = "a secret that no output may hold"
RAW_ID = re.compile(rb"R417-\d{5}")
STUDY = f"""
title = {{ zh = "小城", en = "Small town" }}
city = "Town"
timezone = "Asia/Shanghai"
language = "zh"
languages = ["en"]
seed = {SEED}
held_out_days = 1
k = 5
[map]
file = "city.osm"
[synthetic]
riders = 30
days = 3
interval_s = 30
datum = "gcj02"
existing_stations = 2
[siting]
sites = 3
draws = 5
[grids]
h3_resolution = 9
[matching]
tasks = 12
"""


def _run(folder: Path, out: str) -> Path:
    result = CliRunner().invoke(yilu, ["study", str(folder / "study.toml"), "--out", str(folder / out)])
    assert result.exit_code == 0, result.output
    return folder / out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_city(folder / "city.osm")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    return folder


REAL = """
title = "Files of two platforms"
city = "Town"
timezone = "Asia/Shanghai"
language = "en"
held_out_days = 1
k = 5
period = [2026-03-02, 2026-03-04]
[map]
file = "city.osm"
[[traces]]
files = "traces/blue.csv"
datum = "gcj02"
columns = { rider_id = "骑手编号" }
encoding = "gbk"
[[traces]]
files = ["traces/yellow.parquet"]
datum = "auto"
[existing]
file = "stations.csv"
datum = "gcj02"
[grids]
file = "grids.geojson"
datum = "gcj02"
[siting]
sites = 2
draws = 3
flows = false
"""


@pytest.fixture(scope="module")
def real(folder: Path) -> Path:
    """Run a study on files as platforms and offices hand them over: names in Chinese, GBK, GCJ-02."""
    network, places = read_osm(folder / "city.osm")
    options = FleetOptions(riders=30, days=3, interval_s=30, seed=SEED, datum="gcj02")
    fleet = make_fleet(network, places, options)
    traces = folder / "traces"
    traces.mkdir()
    write_fleet_parquet(fleet, traces / "yellow.parquet", platform="yellow")
    write_fleet_csv(fleet, traces / "plain.csv", platform="blue")
    text = (traces / "plain.csv").read_text(encoding="utf-8").replace("rider_id", "骑手编号", 1)
    (traces / "blue.csv").write_text(text, encoding="gbk")
    west, south, east, north = network.bounds
    west, south, east, north = west - 1e-5, south - 1e-5, east + 1e-5, north + 1e-5
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    shown = from_wgs84(corners, "gcj02").tolist()
    place = from_wgs84([((west + east) / 2, (south + north) / 2)], "gcj02")[0]
    head = "名称,经度,纬度,开放时间,类型,设施"
    row = f"暖蜂驿站,{place[0]:.6f},{place[1]:.6f},8:00-18:00,标准站,热水、微波炉"
    (folder / "stations.csv").write_text(f"{head}\n{row}\n", encoding="gbk")
    grid = {
        "type": "Feature",
        "properties": {"code": "110108001001001", "name": "第一网格"},
        "geometry": {"type": "Polygon", "coordinates": [shown]},
    }
    collection = {"type": "FeatureCollection", "features": [grid]}
    (folder / "grids.geojson").write_text(json.dumps(collection), encoding="utf-8")
    (folder / "real.toml").write_text(REAL, encoding="utf-8")
    arguments = ["study", str(folder / "real.toml"), "--out", str(folder / "real")]
    result = CliRunner().invoke(yilu, arguments, env={"YILU_PSEUDONYM_KEY": PHRASE})
    assert result.exit_code == 0, result.output
    return folder / "real"


def test_files_of_platforms_and_offices_make_a_study(real: Path) -> None:
    summary = json.loads((real / "summary.json").read_text(encoding="utf-8"))
    assert (summary["synthetic"], summary["days"], summary["riders"]) == (False, 3, 30)
    assert [file["datum"] for file in summary["files"]] == ["gcj02", "gcj02"]
    assert summary["files"][1]["datum_evidence"] not in {"", "declared"}
    assert "moving kilometres on streets: wgs84" in summary["files"][0]["datum_evidence"]
    assert summary["moving_km_on_streets"] > 0.8
    assert not summary["rest_from_silence"], "these phones report at rest"
    assert "kilometres lie on streets" in (real / "report.html").read_text(encoding="utf-8")
    assert (summary["sites_existing"], summary["sites_chosen"]) == (1, 2)
    assert (summary["tasks_matched"], summary["late_deliveries"]) == (None, None)
    assert json.loads((real / "matches.json").read_text(encoding="utf-8"))["matches"] == []
    study = RESULT.validate_json((real / "data" / "result.json").read_bytes())
    assert study.grids[0].code == "110108001001001"
    # The one grid is the whole town, though its corners and the traces came shifted by half a kilometre.
    assert set(study.grids[0].site_ids) == {site.site_id for site in study.sites}
    (existing,) = (site for site in study.sites if site.existing)
    assert existing.facilities == ("water", "microwave")


def test_a_rider_in_files_of_two_forms_is_one_rider(folder: Path, real: Path, tmp_path: Path) -> None:
    head, *rows = (folder / "traces" / "plain.csv").read_text(encoding="utf-8").splitlines()
    for name, part in (("one.csv", rows[::2]), ("two.csv", rows[1::2])):
        sep = "," if name == "one.csv" else ";"
        text = "\n".join(line.replace(",", sep) for line in (head, *part))
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    table = '[[traces]]\nfiles = "{}"\ndatum = "gcj02"\nplatform = "blue"\nseparator = "{}"\n'
    text = f'{REAL.split("[map]")[0]}[map]\nfile = "x.osm"\n' + table.format("one.csv", ",")
    (tmp_path / "study.toml").write_text(text + table.format("two.csv", ";"), encoding="utf-8")
    study_settings = load_study_file(tmp_path / "study.toml")
    given = trace_inputs(study_settings, None, tmp_path)
    network = StreetNetwork.load(real / "data" / "network")
    rejects = tmp_path / "rejects.csv"
    key = PHRASE.encode()
    traces, accounts = read_platform_files(given, network, key, rejects, "study", read_here)
    assert [account.read for account in accounts] == [len(rows[::2]), len(rows[1::2])]
    whole = TraceInput((folder / "traces" / "plain.csv",), given[0].formats[:1])
    expected, _ = read_platform_files((whole,), network, key, rejects, "study", read_here)
    assert traces.pseudonyms == expected.pseudonyms
    np.testing.assert_array_equal(traces.t_s, expected.t_s)


def test_no_secret_and_no_id_leave_a_study_of_real_files(real: Path) -> None:
    for name, content in _content(real).items():
        assert not RAW_ID.search(content), name
        assert PHRASE.encode() not in content, name


@pytest.fixture(scope="module")
def out(folder: Path) -> Path:
    return _run(folder, "out")


def _content(path: Path) -> dict[str, bytes]:
    """All files under a folder, packed ones also by their parts."""
    found: dict[str, bytes] = {}
    for file in sorted(path.rglob("*")):
        if not file.is_file():
            continue
        name = str(file.relative_to(path))
        found[name] = file.read_bytes()
        if file.suffix in {".docx", ".xlsx"}:
            with zipfile.ZipFile(file) as parts:
                found |= {f"{name}!{part}": parts.read(part) for part in parts.namelist()}
    return found


def test_every_file_is_there_in_both_languages(out: Path) -> None:
    names = {path.name for path in out.iterdir()}
    assert names >= FILES | {
        "map.en.html", "report.en.docx", "report.en.xlsx", "report.en.html", "match.en.html", "data",
    }  # fmt: skip
    assert not [name for name in names if name.startswith(".")]
    assert "小城" in (out / "map.html").read_text(encoding="utf-8")
    assert "Small town" in (out / "map.en.html").read_text(encoding="utf-8")
    assert (out / "map.html").stat().st_size < 8_000_000


def test_the_figures_add_up(out: Path) -> None:
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["points_accepted"] + summary["points_rejected"] == summary["points_read"] > 10_000
    rejects = (out / "rejects.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rejects) - 1 == summary["points_rejected"]
    assert summary["riders"] == 30
    assert summary["days"] == 3
    assert (summary["sites_chosen"], summary["sites_existing"]) == (3, 2)
    assert summary["tasks_matched"] + summary["tasks_refused"] == 12
    assert summary["late_deliveries"] == 0
    assert set(summary["coverage"]) >= {"yilu", "existing", "kmeans"}
    for shares in summary["coverage"].values():
        # None: the share or what is left of it stands for too few riders
        assert all(
            shares[days] is None or 0 <= shares[days] <= 1 for days in ("served_training", "served_held_out")
        )
    assert set(summary[VARYING_KEY]) == {
        "map",
        "fleet",
        "traces",
        "stays",
        "paths",
        "siting",
        "matching",
        "files",
    }


def test_stations_stand_on_streets_though_traces_were_shifted(out: Path) -> None:
    network = StreetNetwork.load(out / "data" / "network")
    features = json.loads((out / "sites.geojson").read_text(encoding="utf-8"))["features"]
    sites = [f["geometry"]["coordinates"] for f in features if f["geometry"]["type"] == "Point"]
    assert len(sites) >= 5
    # The shift of GCJ-02 is several hundred metres here; a place beside a street is not 60 m off.
    assert network.snap(np.array(sites), "ebike").walk_m.max() < 60


def test_matches_are_in_the_datum_of_the_platforms(out: Path) -> None:
    matches = json.loads((out / "matches.json").read_text(encoding="utf-8"))
    assert matches["datum"] == "gcj02"
    assert matches["matches"]
    network = StreetNetwork.load(out / "data" / "network")
    for match in matches["matches"]:
        way = to_wgs84(match["way"]["geometry"]["coordinates"], "gcj02")
        assert network.snap(way, "ebike").walk_m.max() < 1.0


def test_no_file_holds_the_id_of_a_rider(out: Path) -> None:
    for name, content in _content(out).items():
        assert not RAW_ID.search(content), name


def test_no_file_publishes_a_cell_under_k(out: Path) -> None:
    """Redacted cells are marked, never zero: in the frozen result and in the files for a GIS."""
    result = json.loads((out / "data" / "result.json").read_text(encoding="utf-8"))
    k = result["k"]
    few = [cell for cell in result["cells"] if cell["riders"] is None]
    many = [cell for cell in result["cells"] if cell["riders"] is not None]
    assert few
    assert many
    assert all(cell["riders"] >= k for cell in many)
    for cell in few:
        for hours in (cell["rest_min_by_hour"], cell["due_break_min_by_hour"]):
            assert all(figure is None for figure in hours)
    assert all(grid["riders"] is None or grid["riders"] >= k for grid in result["grids"])
    layers = [name for name in pyogrio.list_layers(out / "sites.gpkg")[:, 0] if name != "layer_styles"]
    tables = [pyogrio.read_dataframe(out / "sites.gpkg", layer=layer) for layer in layers]
    counted = [table["riders"].dropna() for table in tables if "riders" in table]
    assert counted
    assert all((riders >= k).all() for riders in counted)
    features = json.loads((out / "sites.geojson").read_text(encoding="utf-8"))["features"]
    assert all((f["properties"].get("riders") or k) >= k for f in features)


def test_the_map_of_a_match_stands_alone_and_names_no_rider(out: Path) -> None:
    for name, words in (("match.html", "顺路任务："), ("match.en.html", "Task on the way: ")):
        page = (out / name).read_text(encoding="utf-8")
        assert words in page
        assert not re.findall(r"""src=["'](?:https?:)?//|<link\b|@import|url\(["']?http""", page)
        assert not re.search(r"rider-\d", page)
        data = re.search(r'id="yilu-data">(.*?)</script>', page, re.DOTALL)
        assert data is not None
        stops = next(layer for layer in json.loads(data[1])["layers"] if layer["id"] == "stops")
        shapes = [item["i"]["shape"] for item in stops["parts"][0]["items"]]
        assert shapes.count("square") == 1
        # the rider themselves, a stop before the task, one after it
        assert 2 <= shapes.index("square") < len(shapes) - 1


def test_a_study_without_a_match_says_so(real: Path) -> None:
    assert not (real / "match.html").exists()
    with TestClient(create_app(real, settings=Settings())) as client:
        # what an earlier study left in the folder is not shown as if it were of this one
        (real / "match.html").write_text("of another study", encoding="utf-8")
        assert "match-map" not in client.get("/").text
        answer = client.get("/match-map")
        (real / "match.html").unlink()
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"].startswith("this study has no map of a match")


def test_the_same_seed_gives_the_same_bytes_in_another_process(folder: Path, out: Path) -> None:
    """Another process hashes text otherwise, so whatever follows the order of a set would differ."""
    again = folder / "again"
    subprocess.run(
        [
            sys.executable, "-c", "from api.cli.commands import main; main()",
            "study", str(folder / "study.toml"), "--out", str(again),
        ],
        env=os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parents[3])},
        check=True,
        capture_output=True,
    )  # fmt: skip
    one, two = _content(out), _content(again)
    assert one.keys() == two.keys()
    summaries = [json.loads(content.pop("summary.json")) for content in (one, two)]
    for summary in summaries:
        del summary[VARYING_KEY]
    assert summaries[0] == summaries[1]
    assert [name for name in one if one[name] != two[name]] == []


def test_the_result_can_be_served_and_asked_again(out: Path) -> None:
    request = (out / "data" / "match-request.json").read_text(encoding="utf-8")
    answer = json.loads((out / "matches.json").read_text(encoding="utf-8"))
    result = CliRunner().invoke(yilu, ["match", "--study", str(out)], input=request)
    assert json.loads(result.stdout) == answer
    with TestClient(create_app(out, settings=Settings())) as client:
        assert client.get("/healthz").json()["stations"] == 5
        assert client.post("/v1/matches", json=json.loads(request)).json() == answer
        station = json.loads((out / "data" / "stations.json").read_text(encoding="utf-8"))[0]
        lon, lat = station["lonlat"]
        params = {"lon": lon, "lat": lat, "datum": "wgs84", "at": "2026-03-04T12:00:00+08:00"}
        assert client.get("/v1/stations/nearest", params=params).json()["station_id"] == station["station_id"]
        for path in ("/", "/map", "/map?lang=en", "/reports/docx", "/reports/xlsx?lang=en", "/reports/html"):
            assert client.get(path).status_code == 200
        assert 'href="match-map"' in client.get("/").text
        for query, name in (("", "match.html"), ("?lang=zh", "match.html"), ("?lang=en", "match.en.html")):
            assert client.get(f"/match-map{query}").content == (out / name).read_bytes()


def test_grid_staff_get_the_report_of_their_grid(out: Path) -> None:
    with TestClient(create_app(out, settings=Settings())) as client:
        grids = client.get("/v1/grids").json()
        code = max(grids, key=lambda grid: grid["stations"])["code"]
        for form in ("docx", "xlsx", "html"):
            answer = client.get(f"/reports/{form}", params={"grid": code, "lang": "en"})
            assert answer.status_code == 200
            assert len(answer.content) > 1_000
        assert code in answer.text
        missing = client.get("/reports/docx", params={"grid": "nowhere"})
        assert missing.status_code == 404
        assert missing.json()["detail"] == "this study has no unit grid 'nowhere'; /v1/grids lists them"


# Sockets and event loops that the cluster library leaves open are not ours.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_cluster_gives_the_same_result(folder: Path, out: Path) -> None:
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster:
        path = folder / "cluster"
        # in one language: what traces become does not depend on how many
        (folder / "one.toml").write_text(STUDY.replace('languages = ["en"]', ""), encoding="utf-8")
        arguments = ["study", str(folder / "one.toml"), "--out", str(path), "--scheduler"]
        result = CliRunner().invoke(yilu, [*arguments, cluster.scheduler_address])
        assert result.exit_code == 0, result.output
    one, two = (json.loads((place / "summary.json").read_text(encoding="utf-8")) for place in (out, path))
    del one[VARYING_KEY], two[VARYING_KEY]
    assert one == two
    assert (out / "sites.geojson").read_bytes() == (path / "sites.geojson").read_bytes()
    lists = [(place / "rejects.csv").read_text(encoding="utf-8-sig").splitlines() for place in (out, path)]
    assert sorted(lists[0]) == sorted(lists[1])
    nobody = CliRunner().invoke(yilu, [*arguments, "tcp://127.0.0.1:9"])
    assert nobody.exit_code == 2
    assert "no Dask scheduler answers there" in nobody.stderr


def test_the_built_in_study_runs_reduced(helsinki_pbf: Path, tmp_path: Path) -> None:
    text = built_in().read_text(encoding="utf-8")
    for old, new in (("riders = 120", "riders = 30"), ("days = 6", "days = 3"), ("tasks = 40", "tasks = 8")):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "study.toml").write_text(text.replace('languages = ["en"]', ""), encoding="utf-8")
    out = _run(tmp_path, "out")
    assert {path.name for path in out.iterdir()} == FILES | {"data", "edits.geojson", "edits.osc"}
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["late_deliveries"] == 0
    ours, today = (summary["coverage"][method]["served_held_out"] for method in ("yilu", "existing"))
    assert ours is None or today is None or ours >= today
