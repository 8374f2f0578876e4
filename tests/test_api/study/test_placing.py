"""Stations, rooms, grids and zones that are off are said: all at once, with what they probably are."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from lattice import lattice
from study_sample import sample_study

from api.study.studyfile.given_places import GivenPlaces, given_places
from api.study.studyfile.tables import StudyFile
from geo.datum import from_wgs84
from geo.errors import InputError
from geo.travel import Extent
from maps.texts import Wording
from siting.plans.sites import refuse_too_few
from siting.report import study_report
from siting.stations.candidates import Candidates, CandidateSites

TOWN = lattice(12)
WEST, SOUTH, EAST, NORTH = TOWN.bounds
HEAD = "名称,经度,纬度,开放时间,类型"
CORNERS = TOWN.geom_lonlat


def at(row: int) -> tuple[float, float]:
    """A place on a street."""
    return float(CORNERS[row, 0]), float(CORNERS[row, 1])


def line(name: str, place: tuple[float, float], hours: str = "8:00-18:00", kind: str = "standard") -> str:
    return f"{name},{place[0]:.7f},{place[1]:.7f},{hours},{kind}"


def study(tmp_path: Path, **tables: object) -> StudyFile:
    return StudyFile.model_validate(
        {
            "title": "t", "city": "c", "timezone": "Asia/Shanghai", "map": {"file": "m.osm"},
            "traces": [{"files": ["t.csv"], "datum": "wgs84"}], **tables,
        }
    )  # fmt: skip


def stations(tmp_path: Path, *rows: str, datum: str = "wgs84") -> GivenPlaces:
    (tmp_path / "s.csv").write_text("\n".join((HEAD, *rows)), encoding="utf-8")
    table = {"file": str(tmp_path / "s.csv"), "datum": datum}
    return given_places(study(tmp_path, existing=table), TOWN, None)


def test_a_room_given_twice_is_one_candidate_and_told(tmp_path: Path) -> None:
    """Each row was a candidate of its own, never too close to another: two new stations in one room."""
    rows = ("甲室", at(3)), ("乙室", at(40)), ("甲室", at(3)), ("丙室", at(40))
    (tmp_path / "own.csv").write_text("\n".join((HEAD, *(line(*row) for row in rows))), encoding="utf-8")
    table = {"own_sites": {"file": str(tmp_path / "own.csv"), "datum": "wgs84"}}
    given = given_places(study(tmp_path, siting=table), TOWN, None)
    assert given.own_sites is not None
    assert given.own_sites.name == ("甲室", "乙室", "丙室")
    told = " ".join(note.text("zh") for note in given.notes)
    assert "第4行与清单中的其他地点重复" in told
    assert "第5行与另一名称不同的地点相距不足5米" in told


def areas(tmp_path: Path, key: str, *shapes: shapely.Geometry, datum: str = "wgs84") -> GivenPlaces:
    features = [
        {"type": "Feature", "properties": {"code": f"{n}"}, "geometry": shapely.geometry.mapping(shape)}
        for n, shape in enumerate(shapes, 1)
    ]
    path = tmp_path / f"{key}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    table = {"file": str(path), "datum": datum}
    tables = {"grids": table} if key == "grids" else {"siting": {"forbidden": table}}
    return given_places(study(tmp_path, **tables), TOWN, None)


def square(west: float, south: float, side: float = 0.002) -> shapely.Geometry:
    return shapely.box(west, south, west + side, south + side)


def test_a_station_300_km_away_is_left_out_and_told(tmp_path: Path) -> None:
    far = (EAST, NORTH + 300 / 111.2)
    given = stations(tmp_path, line("近", at(3)), line("远", far))
    assert [station.name for station in given.existing] == ["近"]
    (note,) = given.notes
    assert note.text("zh") == "s.csv：第3行位于地图之外（最远300公里），未纳入研究：远。"
    assert note.text("en") == "s.csv: rows 3 lie up to 300 km outside the map and are left out: 远."


def test_a_list_of_another_city_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing of it lies on the map; the nearest part is \d{3} km"):
        stations(tmp_path, line("A", (EAST + 6, SOUTH)))


def test_the_same_station_three_times_counts_once(tmp_path: Path) -> None:
    row = line("A", at(3))
    given = stations(tmp_path, row, line("B", at(40)), row, row)
    assert [station.name for station in given.existing] == ["A", "B"]
    assert [(note.key, dict(note.facts)["rows"]) for note in given.notes] == [("stations_repeated", "4, 5")]


def test_two_names_at_one_place_are_told_and_both_kept(tmp_path: Path) -> None:
    given = stations(tmp_path, line("A", at(3)), line("B", at(3)))
    assert len(given.existing) == 2
    assert [note.key for note in given.notes] == ["stations_together"]


def test_all_bad_rows_are_told_at_once_with_what_they_probably_are(tmp_path: Path) -> None:
    lon, lat = at(3)
    rows = (
        line("A", (lon, lat)), line("B", (lat, lon)), line("C", at(40), "sometimes"),
        line("A", (lon, lat), "24/7"), line("D", (lon, 95.0)),
    )  # fmt: skip
    with pytest.raises(InputError) as caught:
        stations(tmp_path, *rows)
    english, chinese = str(caught.value), caught.value.text("zh")
    assert english.startswith("s.csv: 4 things are wrong: row 3: ")
    assert "经度 and 纬度 look swapped" in english
    assert "row 4: 开放时间: opening hours 'sometimes' cannot be read" in english
    assert "row 5: 'A' stands at the same place as row 2, with other opening hours" in english
    assert "row 6: 纬度 is '95.0000" in english
    assert chinese.startswith("s.csv：共有4处问题：第3行：")
    assert "经度与纬度可能填反了" in chinese
    assert "第5行：“A”与第2行是同一位置" in chinese


def test_a_place_in_the_wild_is_not_taken_for_swapped() -> None:
    extent = Extent(60.0, 60.0, 61.0, 61.0)
    assert not extent.swapped((60.5, 60.7)), "on the map either way"
    assert not extent.swapped((10.0, 20.0))
    assert Extent(80.0, 40.0, 81.0, 41.0).swapped((40.5, 80.5)), "only the map can tell"


def test_a_station_in_a_field_is_told(tmp_path: Path) -> None:
    given = stations(tmp_path, line("A", at(3)), line("B", (WEST - 0.004, SOUTH)))
    (note,) = given.notes
    assert (note.key, dict(note.facts)["rows"]) == ("stations_off_street", "3")


def test_grids_outside_are_left_out_and_told(tmp_path: Path) -> None:
    given = areas(tmp_path, "grids", square(WEST, SOUTH), square(EAST + 1, SOUTH), square(WEST, NORTH + 2))
    assert given.grids is not None
    assert given.grids.codes == ("1",)
    (note,) = given.notes
    assert "2 of 3 grids (2, 3) lie outside the map" in note.text()


def test_zones_outside_forbid_nothing_and_are_told(tmp_path: Path) -> None:
    given = areas(tmp_path, "zones", square(WEST, SOUTH), square(EAST + 1, SOUTH))
    assert len(given.forbidden) == 1
    assert [note.key for note in given.notes] == ["zones_outside"]
    with pytest.raises(InputError, match="nothing of it lies on the map"):
        areas(tmp_path, "zones", square(EAST + 1, SOUTH))


def test_a_zone_over_the_whole_map_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="feature 2: covers the whole map"):
        areas(tmp_path, "zones", square(WEST, SOUTH), shapely.box(WEST - 1, SOUTH - 1, EAST + 1, NORTH + 1))


def test_areas_with_lon_and_lat_swapped_are_told(tmp_path: Path) -> None:
    turned = shapely.box(SOUTH, WEST, NORTH, EAST)
    for key in ("grids", "zones"):
        with pytest.raises(InputError, match="look swapped"):
            areas(tmp_path, key, turned)


@pytest.mark.parametrize("real", ["wgs84", "gcj02", "bd09"])
def test_the_streets_are_asked_about_the_datum_of_stations_and_grids(tmp_path: Path, real: str) -> None:
    rng = np.random.default_rng(7)
    doors = CORNERS[rng.permutation(len(CORNERS))[:30]] + rng.uniform(-1e-4, 1e-4, (30, 2))
    shown = from_wgs84(doors, real)
    rows = [line(f"N{n}", (float(lon), float(lat))) for n, (lon, lat) in enumerate(shown)]
    notes = [note for note in stations(tmp_path, *rows).notes if note.key == "datum"]
    # Unit grids end at streets.
    shapes = [square(*(CORNERS[n] - (0.002, 0.0)).tolist()) for n in range(0, len(CORNERS), 9)]
    moved = shapely.transform(shapes, lambda lonlat: from_wgs84(lonlat, real))
    notes += [note for note in areas(tmp_path, "grids", *moved).notes if note.key == "datum"]
    if real == "wgs84":
        assert notes == []
        return
    assert [dict(note.facts)["likely"] for note in notes][:1] == [real]
    assert f"声明为wgs84，但街道表明应为{real}" in notes[0].text("zh")


def test_what_was_said_reaches_reports_in_both_languages() -> None:
    notes = (("input.stations_repeated", (("file", "s.csv"), ("rows", "4, 5"))),)
    report = study_report(dataclasses.replace(sample_study(), input_notes=notes))
    data = next(section for section in report.sections if section.key == "data")
    for lang, words in (("zh", "s.csv：第4, 5行与表中另一站点"), ("en", "s.csv: rows 4, 5 repeat a station")):
        said = [Wording.of(lang, 10).say(paragraph) for paragraph in data.paragraphs]
        assert any(sentence.startswith(words) for sentence in said)


def test_zones_over_all_candidates_are_refused() -> None:
    none = CandidateSites(np.empty((0, 2)), (), ())
    refused = Candidates(np.empty((0, 2)), (), (), none, ("forbidden_zone",) * 3)
    with pytest.raises(InputError, match="cover all 3 candidates") as caught:
        refuse_too_few(refused, 2)
    assert caught.value.text("zh").startswith("不得设站的区域覆盖了地图上的全部3个候选地点")
