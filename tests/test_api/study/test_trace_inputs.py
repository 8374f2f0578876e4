"""Trace files of a study: seasons apart, keys of layouts, and what a report says of files not read."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from study_sample import sample_study

from api.study.studyfile.inputs import TraceInput, read_platform_files, trace_inputs
from api.study.studyfile.read import load_study_file
from geo.errors import InputError
from geo.streets import StreetNetwork
from geo.traces import ReadResult, TraceFormat, Traces
from siting.report.tables import study_tables

DAY_S = 86_400
STUDY = """
title = "Town"
city = "Town"
timezone = "Asia/Shanghai"
[map]
file = "x.osm"
[[traces]]
files = ["*/day?.csv"]
datum = "gcj02"
columns = { rider_id = 1, time = 2, lonlat = 3 }
rider = "folder"
time_format = "mdy"
lonlat_format = "lat,lon"
position_unit = "e6"
interval_s = 15
sheet = "S"
layer = "L"
kind = "xlsx"
"""


def seasons(given: TraceInput, network: StreetNetwork, key: bytes, rejects: Path, study: str) -> ReadResult:
    """Stand for a reading that gave a day in each of four seasons."""
    del given, network, key, study
    rejects.write_text("file,row,reason,value\r\n", "utf-8-sig")
    zeros = np.zeros(4, np.int16)
    traces = Traces(
        rider=np.zeros(4, np.int32), t_s=1_772_400_000 + 90 * DAY_S * np.arange(4), lonlat=np.zeros((4, 2)),
        rider_ptr=np.array([0, 4]), pseudonyms=("a",), platform=zeros, platforms=("",), event=zeros,
    )  # fmt: skip
    return ReadResult(traces, ())


def test_four_seasons_are_no_wrong_clock_once_the_period_is_named(tmp_path: Path) -> None:
    network = StreetNetwork.__new__(StreetNetwork)
    form = TraceFormat(datum="wgs84", timezone="Asia/Shanghai")
    plain = TraceInput((tmp_path / "a.csv",), (form,))
    with pytest.raises(InputError, match="period = "):
        read_platform_files((plain,), network, b"", tmp_path / "rejects.csv", "s", seasons)
    named = TraceInput(plain.files, (dataclasses.replace(form, period_s=(1_700_000_000, 1_900_000_000)),))
    traces, _ = read_platform_files((named,), network, b"", tmp_path / "rejects.csv", "s", seasons)
    assert len(traces) == 4


def test_every_key_of_a_layout_reaches_the_reader(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(STUDY, "utf-8")
    study = load_study_file(tmp_path / "study.toml")
    (given,) = trace_inputs(study, None, tmp_path)
    form = given.formats[0]
    assert dict(form.columns) == {"rider_id": 1, "time": 2, "lonlat": 3}
    assert (form.rider, form.time_format, form.lonlat_format) == ("folder", "mdy", "lat,lon")
    assert (form.position_unit, form.interval_s, form.sheet, form.layer, form.kind) == (
        "e6",
        15,
        "S",
        "L",
        "xlsx",
    )
    assert given.files == (tmp_path / "*" / "day?.csv",)
    bad = STUDY.replace("rider_id = 1", "rider_id = 0")
    (tmp_path / "study.toml").write_text(bad, "utf-8")
    with pytest.raises(InputError, match=r"traces\[0\].columns.rider_id"):
        load_study_file(tmp_path / "study.toml")


def test_the_annex_lists_files_that_were_not_read_and_what_refused_ones_look_like() -> None:
    study = sample_study()
    first = dataclasses.replace(
        study.accounts[0], notes=(("readme.txt", "skipped_columns", 0), ("traces-a.csv", "swapped", 7))
    )
    noted = dataclasses.replace(study, accounts=(first, *study.accounts[1:]))
    table = next(t for t in study_tables(noted) if t.key == "rejects")
    said = {(row[0], getattr(row[1], "key", ""), row[2]) for row in table.rows}
    assert {("readme.txt", "file_note.skipped_columns", 0), ("traces-a.csv", "file_note.swapped", 7)} <= said
