"""The study file: every bad value is named with file, key and what is allowed."""

import datetime
import json
import re
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pytest
import shapely
from pydantic import BaseModel, Field, ValidationError

from api.study.studyfile.read import _wrong, built_in, language_of, load_study_file
from api.study.studyfile.settings import settings_of
from api.study.studyfile.tables import StudyFile
from api.study.studyfile.zones import read_zones
from geo.datum import to_wgs84
from geo.errors import InputError
from geo.sentences import texts
from siting.demand.weighted import DemandWeights
from siting.study import StudySettings

GOOD = """
title = "A study"
city = "Town"
timezone = "Asia/Shanghai"
language = "zh"
languages = ["en"]
[map]
file = "maps/town.osm.pbf"
[synthetic]
riders = 30
days = 4
datum = "gcj02"
[siting]
sites = 5
[grids]
h3_resolution = 9
"""


def _load(folder: Path, text: str) -> StudyFile:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return load_study_file(path)


def test_paths_are_relative_to_the_study_file(tmp_path: Path) -> None:
    study = _load(tmp_path, GOOD)
    assert Path(study.map.file or "") == tmp_path / "maps" / "town.osm.pbf"
    assert study.all_languages == ("zh", "en")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("sites = 5", "sites = 0", "siting.sites: input should be greater than or equal to 1, got 0 (allo"),
        ("sites = 5", "limit_min = nan", "limit_min: input should be a finite number, got nan (allowed: 0.5"),
        ('datum = "gcj02"', 'datum = "mars"', "synthetic.datum: input should be 'wgs84', 'gcj02' or 'bd09'"),
        ("h3_resolution = 9", "h3_resolution = 15", "(allowed: 6 to 11)"),
        ("Asia/Shanghai", "Beijing", "timezone: is not a name of the time zone database"),
        ('city = "Town"', "", "city: is missing"),
        ("days = 4", "days = 2", "held_out_days must be 0 to 1"),
        ("days = 4", "dayz = 4", "synthetic.dayz: is not a key of a study file (allowed: riders, days"),
        ("[synthetic]", "[[traces]]\nfiles = 'a'\n[synthetic]", "traces[0].datum: is missing (allowed: "),
        ("[synthetic]", "[[traces]]\nfiles = 'a.csv'\ndatum = 'auto'\n[synthetic]", "give either [[traces]]"),
        ("language = ", "language ", "is not a TOML file"),
        ('title = "A study"', 'title = { zh = "x" }', "title has no text for the language en"),
        ("maps/town.osm.pbf", "package:no_such_package_here/x.pbf", "no_such_package_here is not installed"),
        ('"maps/town.osm.pbf"', '""', "map.file"),
        ('file = "maps/town.osm.pbf"', "", "give either file or place"),
        ('"maps/town.osm.pbf"', '"maps/town.osm.pbf"\nplace = "Haidian"', "give either file or place"),
        ("[map]", "map = 3\n[mapp]", "map"),
        ("sites = 5", "budget_yuan = 0", "siting.budget_yuan: input should be greater than 0"),
        ("sites = 5", "existing_stations = 'shut'", "existing_stations: input should be 'keep', 'may_close'"),
        ("sites = 5", "existing_stations = 'may_move'", "existing_stations = 'may_move' needs a budget_yuan"),
        ("sites = 5", "close_yuan = -1", "(allowed: 0 to 1000000000.0)"),
        ("sites = 5", "move_share = 1.5", "siting.move_share: input should be less than or equal to 1"),
        ("sites = 5\n[grids]\nh3_resolution = 9", "least_grid_share = 0.5", "least_grid_share needs unit gr"),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_in_one_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        _load(tmp_path, GOOD.replace(old, new, 1))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("sites = 5", "sites = 0", "siting.sites：应大于或等于 1，现为 0（可用：1 至"),
        (
            'datum = "gcj02"',
            'datum = "mars"',
            "synthetic.datum：应为 'wgs84', 'gcj02' 或 'bd09'",
        ),
        ("Asia/Shanghai", "Beijing", "timezone：不是时区数据库中的名称"),
        ('city = "Town"', "", "city：缺少此键"),
        ("days = 4", "days = 2", "held_out_days 应为 0 至 1，少于 synthetic.days"),
        ("days = 4", "dayz = 4", "synthetic.dayz：不是研究文件的键（可用：riders, days"),
        ("days = 4", 'days = "four"', "synthetic.days：应为整数"),
        ("riders = 30", "riders = 30\nnoise_m = [1]", "synthetic.noise_m[1]：缺少此键"),
        ("riders = 30", "riders = [", "不是 TOML 文件"),
        ("sites = 5", "sites = 0\nlimit_min = nan", "；另有 1 处"),
    ],
)
def test_bad_values_are_told_in_the_language_of_the_study(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    with pytest.raises(InputError) as caught:
        _load(tmp_path, GOOD.replace(old, new))
    told = caught.value.text("zh")
    assert sentence in told
    assert not set(re.findall(r"[a-z]+", told)) & {"should", "input", "must", "allowed", "missing", "more"}
    assert language_of(tmp_path / "study.toml") == (None if "TOML" in sentence else "zh")


class _Probe(BaseModel):
    a: Annotated[float, Field(ge=1.5)] = 2
    b: Annotated[int, Field(le=3)] = 2
    c: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 2
    d: Literal["x", "y", "z"] = "x"
    e: bool = True
    f: Annotated[str, Field(min_length=2, max_length=3)] = "ab"
    g: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    h: datetime.date = datetime.date(2026, 3, 2)
    i: dict[str, int] = {}
    j: tuple[int, int] = (1, 2)


@pytest.mark.parametrize(
    "bad",
    [
        {"a": 1}, {"b": 4}, {"c": 0}, {"c": float("inf")}, {"d": "w"}, {"b": "q"}, {"b": 1.5}, {"b": [1]},
        {"a": "q"}, {"a": [1]}, {"e": "maybe"}, {"e": 3.5}, {"f": 1}, {"f": "a"}, {"f": "abcd"}, {"g": []},
        {"g": [1, 2, 3]}, {"g": 1}, {"h": "March"}, {"h": "2026-13-40"}, {"h": [1]}, {"i": 1}, {"j": 1},
    ],
)  # fmt: skip
def test_what_the_library_says_is_said_again_in_both_languages(bad: dict[str, object]) -> None:
    """The English words are those of the library but for lengths, so that a new version of it is noticed."""
    with pytest.raises(ValidationError) as caught:
        _Probe.model_validate(bad)
    error = caught.value.errors()[0]
    assert f"study_{error['type']}" in texts("en"), error["type"]
    told = _wrong(error)
    if not error["type"].endswith(("too_short", "too_long")):
        assert told.text("en") == error["msg"][:1].lower() + error["msg"][1:]
    assert re.search("[\u4e00-\u9fff]", told.text("zh"))


def test_a_budget_and_the_fate_of_old_stations_reach_the_siting_room(tmp_path: Path) -> None:
    table = """sites = 5
budget_yuan = 600000
existing_stations = "may_move"
close_yuan = 2500
move_share = 0.25
least_grid_share = 0.5"""
    asked = settings_of(_load(tmp_path, GOOD.replace("sites = 5", table, 1)))
    assert (asked.budget_yuan, asked.existing_stations, asked.close_yuan) == (600_000, "may_move", 2_500)
    assert (asked.move_share, asked.least_grid_share) == (0.25, 0.5)
    plain, same = settings_of(_load(tmp_path, GOOD)), StudySettings(timezone="Asia/Shanghai")
    for key in ("budget_yuan", "existing_stations", "close_yuan", "move_share", "least_grid_share"):
        assert getattr(plain, key) == getattr(same, key)


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml: there is no such file"):
        load_study_file(tmp_path / "nowhere.toml")
    with pytest.raises(InputError, match="cannot be read"):
        load_study_file(tmp_path)
    (tmp_path / "gbk.toml").write_bytes("title = '驿站'".encode("gbk"))
    with pytest.raises(InputError, match="is not UTF-8 text"):
        load_study_file(tmp_path / "gbk.toml")


def test_the_language_of_the_command_line_comes_first(tmp_path: Path) -> None:
    study = _load(tmp_path, GOOD).with_language("en")
    assert study.all_languages == ("en", "zh")
    assert study.with_language(None) is study


def test_the_built_in_study_is_valid_and_speaks_both_languages(helsinki_pbf: Path) -> None:
    study = load_study_file(built_in())
    assert Path(study.map.file or "") == helsinki_pbf
    assert {study.text("city", "zh"), study.text("city", "en")} == {"赫尔辛基", "Helsinki"}


def test_the_weights_of_all_three_layers_come_from_the_study_file(tmp_path: Path) -> None:
    wanted = "sites = 5\npassing_limit_s = 45\nweights = { rest = 2.0, due_break = 0.0, passing = 0.25 }"
    settings = settings_of(_load(tmp_path, GOOD.replace("sites = 5", wanted)))
    assert settings.weights == DemandWeights(rest=2.0, due_break=0.0, passing=0.25)
    assert settings.passing_limit_s == 45
    none = wanted.replace("2.0", "0.0").replace("0.25", "0.0")
    study = _load(tmp_path, GOOD.replace("sites = 5", none))
    with pytest.raises(InputError, match="at least one must be above 0"):
        settings_of(study)


def test_costs_are_assumptions_until_the_study_file_says_otherwise(tmp_path: Path) -> None:
    assert all(kind.assumed for kind in settings_of(_load(tmp_path, GOOD)).kinds)
    own = """
[[station_kinds]]
name = "standard"
seats = 12
fixed_yuan = 48000
hour_yuan = 3000
patterns = [[8, 22]]
"""
    kinds = settings_of(_load(tmp_path, GOOD + own)).kinds
    assert [(kind.name, kind.assumed) for kind in kinds] == [("standard", False)]


def test_forbidden_zones_are_read_and_shifted(tmp_path: Path) -> None:
    square = [[116.30, 39.90], [116.31, 39.90], [116.31, 39.91], [116.30, 39.91], [116.30, 39.90]]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [square]}}
    zones = tmp_path / "zones.geojson"
    zones.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    text = GOOD.replace("sites = 5", 'sites = 5\nforbidden = { file = "zones.geojson", datum = "gcj02" }')
    table = _load(tmp_path, text).siting.forbidden
    assert table is not None
    (zone,) = read_zones(Path(table.file), table.datum)
    assert settings_of(_load(tmp_path, text), (zone,)).candidates.forbidden == (zone,)
    corner = to_wgs84(np.array([[116.30, 39.90]]), "gcj02")[0]
    assert shapely.get_coordinates(zone)[0] == pytest.approx(corner, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "this is no GeoJSON"),
        ('{"features": []}', "at least one polygon"),
        ('{"features": [{"geometry": {"type": "Point", "coordinates": [1, 2]}}]}', "feature 1: a valid pol"),
        ('{"features": [7]}', "feature 1: a valid polygon"),
        (
            '{"features": [{"geometry": {"type": "Polygon",'
            ' "coordinates": [[[0, 0], [900, 0], [900, 1], [0, 0]]]}}]}',
            "lon must lie within -180 to 180",
        ),
    ],
)
def test_a_bad_file_of_zones_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "zones.geojson"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=sentence):
        read_zones(path, "wgs84")
    with pytest.raises(InputError, match="no such file"):
        read_zones(tmp_path / "nothing.geojson", "wgs84")
