"""Check-ins of the service as a part of a study: read as the service tells them, k riders or nothing."""

import json
from pathlib import Path

import openpyxl
import pytest

from api.study.studyfile.check_ins import with_check_ins
from geo.errors import InputError
from siting.stations import ExistingStation

STATIONS = (ExistingStation("East", (116.3, 39.9)), ExistingStation("West", (116.31, 39.9)))


def weeks(*rows: tuple[str, int | None, int | None]) -> dict[str, object]:
    """What ``GET /v1/stations/visits`` answers."""
    told = [
        {"station_id": "E01", "name": name, "monday": "2026-03-02", "visits": visits, "riders": riders}
        for name, visits, riders in rows
    ]
    return {"k": 10, "weeks": told}


def test_the_services_answer_is_read_as_it_is(tmp_path: Path) -> None:
    """Weeks of fewer riders than the study's k are nothing: neither visits nor days."""
    path = tmp_path / "visits.json"
    rows = [("East", 70, 20), ("East", None, None), ("East", 140, 40), ("West", 14, 11), ("Gone", 70, 30)]
    path.write_text(json.dumps(weeks(*rows)), encoding="utf-8")
    (east, west), notes = with_check_ins(path, STATIONS, 12)
    assert (east.check_ins_a_day, east.check_in_weeks) == (15.0, 2)
    assert (west.check_ins_a_day, west.check_in_weeks) == (None, 0)
    assert [note.text("en") for note in notes] == [
        "visits.json: no station of the list has the name Gone; its check-ins are left out."
    ]
    assert with_check_ins(path, STATIONS, 10)[0][1].check_ins_a_day == 2.0


def test_an_offices_table_is_read_too(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (
        ["驿站名称", "签到次数", "签到人数"],
        ["East", 70, 20],
        ["East", "少于10人", "—"],
        ["West", None, None],
    ):
        book.active.append(row)
    book.save(tmp_path / "visits.xlsx")
    (east, west), notes = with_check_ins(tmp_path / "visits.xlsx", STATIONS, 10)
    assert (east.check_ins_a_day, east.check_in_weeks, west.check_ins_a_day) == (10.0, 1, None)
    assert notes == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("v.json", "{}", "v.json: is not the answer of GET /v1/stations/visits"),
        ("v.json", "[1]", "v.json: is not the answer of GET /v1/stations/visits"),
        ("none.json", None, "there is no such file"),
        ("v.csv", "name,visits,riders\nEast,many,20\n", "v.csv: row 2: visits is 'many'"),
        ("v.csv", "name,visits,riders\nEast,-3,20\n", "v.csv: row 2: visits is '-3'"),
        ("v.csv", "name,visits\nEast,3\n", "has no column for riders"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        with_check_ins(tmp_path / name, STATIONS, 10)
