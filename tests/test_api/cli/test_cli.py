"""The command line: bad input ends with one sentence and exit code 2, never with a traceback."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from tiny_map import BEIJING, FAR_AWAY, write_city
from tiny_study import place, write_study

from api.cli.commands import yilu
from api.study.studyfile.read import built_in, load_study_file
from geo.datum import from_wgs84
from geo.osm.osmnx import to_osmnx
from geo.osm.read import read_osm

KEY = {"YILU_PSEUDONYM_KEY": "only for these tests, please"}
STUDY = """
title = "Town"
city = "Town"
timezone = "Asia/Shanghai"
held_out_days = 1
[map]
file = "city.osm"
[[traces]]
files = "traces.csv"
datum = "gcj02"
[siting]
sites = 3
"""
MADE = STUDY.replace(
    '[[traces]]\nfiles = "traces.csv"', "[synthetic]\nriders = 12\ndays = 2\ninterval_s = 60"
)


def _run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(yilu, list(arguments), input=stdin, env=KEY)


def _refused(result: Result, *words: str) -> None:
    """Check that a run ended with one sentence that holds all words."""
    assert result.exit_code == 2, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("yilu: ")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.output
    for word in words:
        assert word in lines[0]


def _study(folder: Path, text: str = STUDY) -> Result:
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return _run("study", str(folder / "study.toml"), "--out", str(folder / "out"))


def _traces(path: Path, origin: tuple[float, float], points: int = 60) -> None:
    lines = ["rider_id,time,lon,lat"]
    for rider in range(3):
        for k in range(points):
            lon, lat = origin[0] + 0.001 * rider + 1e-5 * k, origin[1] + 1e-5 * k
            lines.append(f"secret-rider-{rider},{1_772_400_000 + 30 * k},{lon:.6f},{lat:.6f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_city(tmp_path / "city.osm")
    _traces(tmp_path / "traces.csv", BEIJING)
    return tmp_path


def test_help_and_version() -> None:
    assert "0.1.0" in _run("--version").output
    text = _run("--help").output
    for command in ("demo", "study", "match", "serve", "bench"):
        assert command in text


def test_an_unknown_study_file_is_named(tmp_path: Path) -> None:
    result = _run("study", str(tmp_path / "nowhere.toml"), "--out", str(tmp_path / "out"))
    _refused(result, "nowhere.toml: there is no such file")
    assert not (tmp_path / "out").exists()


def test_an_unknown_map_is_named(folder: Path) -> None:
    _refused(_study(folder, STUDY.replace("city.osm", "nowhere.osm.pbf")), "nowhere.osm.pbf")


@pytest.mark.parametrize("content", [b"", b"\x00\x00\x00\x0d\x0a\x09OSMHeader broken off here", b"<osm>"])
def test_a_broken_map_is_named(folder: Path, content: bytes) -> None:
    (folder / "broken.osm.pbf").write_bytes(content)
    _refused(_study(folder, STUDY.replace("city.osm", "broken.osm.pbf")), "broken.osm.pbf")


@pytest.mark.parametrize("content", ["", "rider_id,time,lon,lat\n"])
def test_empty_traces_are_named(folder: Path, content: str) -> None:
    (folder / "traces.csv").write_text(content, encoding="utf-8")
    _refused(_study(folder), "traces.csv")


def test_a_missing_datum_is_asked_for(folder: Path) -> None:
    _refused(_study(folder, STUDY.replace('datum = "gcj02"', "")), "traces[0].datum: is missing", "gcj02")


def test_traces_of_another_city_say_where_they_are(folder: Path) -> None:
    _traces(folder / "traces.csv", FAR_AWAY)
    _refused(_study(folder), "traces.csv", "全部在地图之外", "113.2", "23.1")


def test_a_phone_with_a_wrong_clock_does_not_stretch_the_study(folder: Path) -> None:
    with (folder / "traces.csv").open("a", encoding="utf-8") as traces:
        traces.write(f"secret-rider-9,{1_772_400_000 + 10 * 365 * 86_400},{BEIJING[0]},{BEIJING[1]}\n")
    _refused(_study(folder), "有手机的时钟不对", "period = ")


def test_files_of_which_the_columns_are_not_clear_are_refused_before_the_map_is_read(folder: Path) -> None:
    (folder / "city.osm").write_text("no map at all", encoding="utf-8")
    (folder / "traces.csv").write_text("rider_id,time,gps_time,lon,lat\n1,2,3,4,5\n", encoding="utf-8")
    _refused(_study(folder), "traces.csv：有 2 列都可能是 time")


@pytest.mark.parametrize(
    ("locale", "told"),
    [("zh_CN.UTF-8", "不是 TOML 文件"), ("de_DE.UTF-8", "is not a TOML file"), ("", "is not")],
)
def test_a_file_without_a_language_is_told_in_that_of_the_terminal(
    folder: Path, monkeypatch: pytest.MonkeyPatch, locale: str, told: str
) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", locale)
    path = folder / "study.toml"
    path.write_text("[map", encoding="utf-8")
    result = _run("study", str(path), "--out", str(folder / "out"))
    assert result.exit_code == 2
    assert told in result.output


def test_real_traces_need_a_secret(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KEY, "YILU_PSEUDONYM_KEY", "")
    _refused(_study(folder), "YILU_PSEUDONYM_KEY")


def test_more_sites_than_candidates_are_refused(folder: Path) -> None:
    _refused(_study(folder, MADE.replace("sites = 3", "sites = 4000")), "4000")


def test_an_output_folder_that_is_a_file_is_named(folder: Path) -> None:
    (folder / "out").write_text("", encoding="utf-8")
    _refused(_study(folder), "out：写不进去")


def test_a_folder_without_a_study_cannot_be_served_or_asked(tmp_path: Path) -> None:
    _refused(_run("serve", str(tmp_path)), "holds no finished study")
    request = json.dumps(
        {"datum": "wgs84", "now": "2026-03-04T12:00:00+08:00", "riders": [], "tasks": [_task("A")]}
    )
    _refused(_run("match", "--study", str(tmp_path), stdin=request), "holds no finished study")


def _task(letter: str) -> dict[str, object]:
    lon, lat = place(letter)
    return {"task_id": "T1", "place": {"lon": lon, "lat": lat}}


@pytest.mark.parametrize(
    ("request_text", "words"),
    [
        ("", "standard input: /: "),
        ("{}", "standard input: /datum: field required"),
        (
            '{"datum": "mars", "now": "2026-03-04T12:00:00Z", "riders": [], "tasks": []}',
            "/datum: input should be",
        ),
        ('{"datum": "wgs84", "now": "2026-03-04T12:00:00", "riders": [], "tasks": []}', "/now: "),
    ],
)
def test_a_request_of_another_form_is_named(tmp_path: Path, request_text: str, words: str) -> None:
    write_study(tmp_path / "out")
    _refused(_run("match", "--study", str(tmp_path / "out"), stdin=request_text), words)


def test_a_new_study_file_is_valid_and_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    assert _run("new", str(path)).exit_code == 0
    assert load_study_file(path).siting.sites == 8
    _refused(_run("new", str(path)), "is there already")


def test_comments_of_a_new_study_file_are_in_the_language_of_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert _run("new", str(path)).exit_code == 0
    assert "公布一个数字至少要有多少名骑手" in path.read_text("utf-8")
    # the same keys with the same values, those in comments, too
    keys = re.compile(r"^(?:# )?(?:\w+ = |\[).*?(?=  +#|$)", re.MULTILINE)
    one, other = (built_in(name).read_text("utf-8") for name in ("template", "template.zh"))
    assert keys.findall(one) == keys.findall(other)
    assert len(keys.findall(one)) > 60


def _ridden(
    folder: Path, name: str, datum: str, header: str = "rider_id,time,lon,lat", rides: int = 1
) -> None:
    """Write rides along the streets of the tiny city."""
    network = read_osm(folder / "city.osm")[0]
    lines = [header]
    usable = np.flatnonzero(network.usable("ebike"))
    t_s = 1_772_400_000
    for ride in range(rides):
        for edge in usable:
            corners = network.edge_lonlat(int(edge))
            ends = np.linspace(corners[0], corners[-1], 6)
            if len(corners) > 2:
                continue
            for lon, lat in from_wgs84(ends, datum).tolist():
                t_s += 3
                lines.append(f"R{ride},{t_s},{lon:.6f},{lat:.6f}")
            t_s += 600
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_study_file_is_written_from_traces_and_a_map(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _ridden(folder, "traces/a.csv", "gcj02")
    _ridden(folder, "traces/b.csv", "gcj02")
    (folder / "traces" / "readme.txt").write_text("Nothing to see.\nReally.\n", encoding="utf-8")
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    path = folder / "studies" / "mine.toml"
    path.parent.mkdir()
    options = ("--traces", "../traces", "--map", "../city.osm")
    result = _run("new", str(path), *options, "--timezone", "Asia/Urumqi")
    assert result.exit_code == 0, result.output
    study_settings = load_study_file(path)
    assert study_settings.timezone == "Asia/Urumqi"
    assert Path(study_settings.map.file or "").resolve() == (folder / "city.osm").resolve()
    (table,) = study_settings.traces
    assert [Path(name).resolve() for name in table.files] == [(folder / "traces").resolve()]
    assert (table.datum, table.platform) == ("gcj02", "")
    text = path.read_text(encoding="utf-8")
    assert "median distance of" in text
    assert "readme.txt" in text
    assert "R0" not in text
    _refused(_run("new", str(path), *options), "is there already")


def test_files_that_differ_get_tables_of_their_own(folder: Path) -> None:
    _ridden(folder, "traces/a.csv", "gcj02")
    _ridden(folder, "traces/b.csv", "wgs84")
    _ridden(folder, "traces/c.csv", "bd09", "骑手编号,时间,经度,纬度")
    (folder / "traces" / 'say "x".csv').write_text("rider_id,time,gps_time,lon,lat\n1,2,3,4,5\n", "utf-8")
    path = folder / "mine.toml"
    assert (
        _run(
            "new", str(path), "--traces", str(folder / "traces"), "--map", str(folder / "city.osm")
        ).exit_code
        == 0
    )
    tables = load_study_file(path).traces
    found = {Path(table.files[0]).name: (len(table.files), table.datum) for table in tables}
    assert found == {
        "a.csv": (1, "gcj02"), "b.csv": (1, "wgs84"), "c.csv": (1, "bd09"), 'say "x".csv': (1, "auto"),
    }  # fmt: skip
    assert "# : 2 columns could be time" not in path.read_text(encoding="utf-8")
    assert "2 columns could be time" in path.read_text(encoding="utf-8")


def test_without_a_map_the_streets_are_asked_later(folder: Path) -> None:
    path = folder / "mine.toml"
    result = _run("new", str(path), "--traces", str(folder / "traces.csv"))
    assert result.exit_code == 0, result.output
    assert "fill in the map, then" in result.output
    assert load_study_file(path).traces[0].datum == "auto"
    (folder / "none").mkdir()
    _refused(_run("new", str(folder / "b.toml"), "--traces", str(folder / "none")), "holds no trace file")
    _refused(_run("new", str(folder / "b.toml"), "--map", str(folder / "no.osm")), "no.osm")
    _refused(_run("new", str(folder / "b.toml"), "--timezone", "Mars/Base"), "Mars/Base")
    (folder / "none" / "a.txt").write_text("word\n", encoding="utf-8")
    _refused(_run("new", str(folder / "b.toml"), "--traces", str(folder / "none")), "none of the files holds")
    assert not (folder / "b.toml").exists()


def test_a_day_is_replayed_under_every_policy(folder: Path) -> None:
    options = ["--riders", "6", "--tasks", "4", "--hours", "1", "--json", str(folder / "day.json")]
    result = _run("simulate", str(folder / "city.osm"), *options)
    assert result.exit_code == 0, result.output
    rows = {row["policy"]: row for row in json.loads((folder / "day.json").read_text(encoding="utf-8"))}
    assert set(rows) >= {"none", "straight line", "network nearest", "one by one", "batches"}
    assert rows["batches"]["late"] == rows["none"]["late"]
    assert "batches" in result.stdout
    drawn = _run("simulate", str(folder / "city.osm"), *options, "--out", str(folder / "day"), "--lang", "zh")
    assert drawn.exit_code == 0, drawn.output
    assert json.loads((folder / "day" / "simulate.json").read_text(encoding="utf-8")) == list(rows.values())
    assert (folder / "day" / "simulate.png").read_bytes().startswith(b"\x89PNG")
    blocked = _run("simulate", str(folder / "city.osm"), "--out", str(folder / "city.osm" / "x"))
    _refused(blocked, "cannot be written to")
    _refused(_run("simulate", str(folder / "city.osm"), "--riders", "0"), "riders is 0")


def test_trace_files_are_described_by_shape_with_a_table_to_paste(tmp_path: Path) -> None:
    lines = [f"13812345678,{1_772_400_000 + 10 * k},{116.3 + 1e-4 * k:.6f},39.98" for k in range(30)]
    (tmp_path / "a.csv").write_text("骑手编号,时间,经度,纬度\n" + "\n".join(lines), encoding="gbk")
    (tmp_path / "b.csv").write_text("7,2026-03-02 05:25:00,116.301,39.981\n", encoding="utf-8")
    text = _run("traces", str(tmp_path / "a.csv"), str(tmp_path / "b.csv")).output
    for words in ("gb18030", "rider_id = 骑手编号", "1381****678", "30 / 30 / 0", "median interval, s: 10",
                  "T-Drive",
                  "[[traces]]", "columns = { rider_id = 1, time = 2, lon = 3, lat = 4 }"):  # fmt: skip
        assert words in text
    assert "13812345678" not in text
    assert "116.30" not in text
    records = json.loads(_run("traces", str(tmp_path), "--json").output)
    assert [record["accepted"] for record in records] == [30, 1]
    assert "编码: gb18030" in _run("traces", str(tmp_path / "a.csv"), "--lang", "zh").output
    _refused(_run("traces", str(tmp_path / "c.csv")), "c.csv: there is no such file")


def test_a_map_is_described_for_people_and_programs(folder: Path) -> None:
    text = _run("map", str(folder / "city.osm")).stdout
    assert "street_km" in text
    assert "ebike" in text
    figures = json.loads(_run("map", str(folder / "city.osm"), "--json").stdout)
    assert figures["components"] == 1
    _refused(_run("map", str(folder / "none.osm.pbf")), "none.osm.pbf")


def test_an_unknown_benchmark_is_refused() -> None:
    _refused(_run("bench", "nothing"), "there is no benchmark 'nothing'")


def test_streets_go_out_as_graphml_and_come_back(tmp_path: Path) -> None:
    town, graph = write_city(tmp_path / "town.osm"), tmp_path / "town.graphml"
    there = CliRunner().invoke(yilu, ["map", str(town), "--json", "--graphml", str(graph)])
    assert there.exit_code == 0, there.output
    back = CliRunner().invoke(yilu, ["map", str(graph), "--json"])
    assert back.exit_code == 0, back.output
    one, two = json.loads(there.stdout), json.loads(back.stdout)
    assert two["edges"] == one["edges"]
    assert two["street_km"] == pytest.approx(one["street_km"], rel=1e-6)
    assert two["pois"] == 0


def test_a_place_name_is_downloaded_or_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import osmnx

    network, _ = read_osm(write_city(tmp_path / "town.osm"))
    asked: list[str] = []

    def download(query: str, **_: object) -> object:
        asked.append(query)
        return to_osmnx(network)

    monkeypatch.setattr(osmnx, "graph_from_place", download)
    found = CliRunner().invoke(yilu, ["map", "--place", "Haidian, Beijing", "--json"])
    assert found.exit_code == 0, found.output
    assert asked == ["Haidian, Beijing"]
    assert json.loads(found.stdout)["edges"] == len(network)

    def offline(query: str, **_: object) -> object:
        raise ConnectionError(query)

    monkeypatch.setattr(osmnx, "graph_from_place", offline)
    refused = CliRunner().invoke(yilu, ["map", "--place", "Haidian, Beijing"])
    assert refused.exit_code == 2
    assert "the streets of 'Haidian, Beijing' cannot be downloaded: no internet here." in refused.output
    neither = CliRunner().invoke(yilu, ["map"])
    assert neither.exit_code == 2
    assert "give either a map file or --place NAME" in neither.output
