"""The study file: every bad value is named with file, key and what is allowed."""

from pathlib import Path

import pytest

from api.studyfile import built_in, load_study_file
from api.studytables import StudyFile
from geo.errors import InputError

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
    assert Path(study.map.file) == tmp_path / "maps" / "town.osm.pbf"
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
        ("[map]", "map = 3\n[mapp]", "map"),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_in_one_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        _load(tmp_path, GOOD.replace(old, new, 1))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


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
    assert Path(study.map.file) == helsinki_pbf
    assert {study.text("city", "zh"), study.text("city", "en")} == {"赫尔辛基", "Helsinki"}
