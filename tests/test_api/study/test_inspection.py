"""What the inspector says of a trace file, as its reader sees it."""

import zipfile
from pathlib import Path

import pytest

from api.study.inspection import inspection_lines
from geo.traces import TraceFormat, inspect_file, paste_table

FORM = TraceFormat(datum="auto", timezone="Asia/Shanghai")
ROWS = "".join(f"a,2026-03-02 09:00:{k:02d},116.3,39.98\n" for k in range(0, 60, 15))


def test_a_datum_that_a_header_says_is_taken_and_written_into_the_table(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"骑手,时间,经度(GCJ02),纬度(GCJ02)\n{ROWS}", "utf-8")
    found = inspect_file(path, FORM)
    assert (found.accepted, found.look.problem) == (4, "")
    assert 'datum = "gcj02"  # as the names of its columns say' in paste_table(path, found)
    assert 'datum = "gcj02"  # 按列名所写' in paste_table(path, found, "zh")


def test_members_that_are_no_traces_are_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.csv", f"rider,time,lon,lat\n{ROWS}")
        packed.writestr("readme.txt", "of March\n")
    found = inspect_file(path, FORM)
    assert ("not read", "a.zip: readme.txt: no columns of traces") in inspection_lines(found, "en")
    assert ("未读取", "a.zip: readme.txt: 没有轨迹的列") in inspection_lines(found, "zh")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("rider,time,gps_time,lon,lat\na,1772400000,1772400001,116.3,39.9\n", "2 columns could be time"),
        ("rider,time,lon,lat\na,03/02/2026 8:00,116.3,39.9\n", "time_format = "),
    ],
)
def test_columns_are_not_called_unused_while_a_question_is_open(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, "utf-8")
    said = dict(inspection_lines(inspect_file(path, FORM), "en"))
    assert line in said["to be said"]
    assert "not used" not in said


def test_a_year_that_is_missing_is_asked_for_by_its_key(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("rider,time,lon,lat\n" + ROWS.replace("2026-", ""), "utf-8")
    assert "# year = ..." in paste_table(path, inspect_file(path, FORM))
