"""A station of today has a sheet as a suggested one has, and a workbook has no lists in cells."""

import dataclasses

import pytest
from study_sample import sample_study

from maps.texts.wording import Wording
from siting.report.lists import one_fact_a_row
from siting.report.report import study_report, study_tables
from siting.report.standing_station import STANDING_CHECKS, standing_sheets
from siting.report.tables import reason_of
from siting.results import Study
from siting.values import Say


@pytest.fixture(scope="module")
def study() -> Study:
    return sample_study()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_each_station_of_today_has_a_sheet_too(study: Study, lang: str) -> None:
    """What is advised and why, whom it serves, where its riders go if it closes, what to look at."""
    closing = tuple(
        dataclasses.replace(site, plan="close", rest_min_a_day=0.0) if site.site_id == "E05" else site
        for site in study.sites
    )
    changed = dataclasses.replace(
        study, closed_from="2026-09-01", existing_stations="may_close", sites=closing
    )
    say = Wording.of(lang, study.k)
    sheets = [section for section in study_report(changed).sections if section.part == "station"]
    assert [len(sheets), len(standing_sheets(changed))] == [16, 6]
    for sheet, finding in zip(sheets[10:], study.audit, strict=True):
        said = " ".join(say.say(one) for one in sheet.sentences)
        action, reason = say.text(f"action.{finding.action}"), say.say(reason_of(finding.reason))
        assert say.text("say.sheet_advice", action=action, reason=reason) in said
        assert sheet.pictures == (f"inset:{finding.site_id}", f"hours:{finding.site_id}")
        assert [check.key for check in sheet.checks] == [f"check.{name}" for name in STANDING_CHECKS]
        assert len(sheet.links) == 3
        assert sheet.photo
        tables = {table.key: table for table in sheet.all_tables}
        assert ("nearest_open" in tables) == (finding.site_id != "E04")
        assert (say.text("say.sheet_no_others") in said) == (finding.site_id == "E04")
        assert "facilities_today" in tables
        stands = say.text("say.sheet_stands_until", day=say.day("2026-09-01"))
        assert (stands in said) == (finding.site_id == "E05")
        assert (say.text("say.sheet_closing") in said) == (finding.site_id == "E05")
    way = [say.words(row[1]) for row in {t.key: t for t in sheets[10].all_tables}["nearest_open"].rows]
    assert way == (["3分钟", "7分钟"] if lang == "zh" else ["3 min", "7 min"])


def test_a_sheet_says_when_riders_of_a_station_find_nothing_else_open(study: Study) -> None:
    """E01 is open from 8 to 18; the two stations near it open at 10, and one of them shuts from 12 to 14."""
    late = tuple(10 <= hour < 18 for hour in range(24))
    noon = tuple(10 <= hour < 18 and not 12 <= hour < 14 for hour in range(24))
    hours = {"S01": noon, "S02": noon, "E02": late}
    sites = tuple(
        dataclasses.replace(site, open_by_hour=hours.get(site.site_id, site.open_by_hour))
        for site in study.sites
    )
    (sheet, *_) = standing_sheets(dataclasses.replace(study, sites=sites))
    say = Wording.of("en", study.k)
    assert [say.say(said) for said in sheet.closing] == [
        "None of these is open at: 08:00–10:00, 12:00–14:00."
    ]
    (table,) = [table for table in sheet.tables if table.key == "nearest_open"]
    assert [say.words(row[-1]) for row in table.rows] == ["6 of 10 hours", "6 of 10 hours"]


def test_a_workbook_tells_one_fact_a_row(study: Study) -> None:
    """No lists in cells, which nobody can filter; the facts are all there, each with its reason."""
    tables = {table.key: table for table in one_fact_a_row(study_tables(study))}
    labels = {("front", "front_plan"), ("speeds", "street_class")}  # words that are one name
    for table in tables.values():
        for row in table.rows:
            for value, column in zip(row, table.columns, strict=True):
                listed = isinstance(value, tuple) or (
                    isinstance(value, Say) and any(isinstance(part, tuple) for _, part in value.params)
                )
                assert not listed or (table.key, column.key) in labels, (table.key, column.key)
    say = Wording.of("en", study.k)
    told = [tuple(say.words(value) for value in row) for row in tables["station_facilities"].rows]
    there = {(row[0], row[3]) for row in told if row[4] in ("there", "advised")}
    assert there == {
        (site.site_id, say.term(f"facility.{name}")) for site in study.sites for name in site.facilities
    }
    lacking = {(row[0], row[3]) for row in told if row[4] == say.text("facility_state.missing")}
    assert lacking == {
        (found.site_id, say.term(f"facility.{name}"))
        for found in study.audit
        for name in found.missing_facilities
    }
    assert all(row[5] for row in told)
    assert ("E01", "there") in {(row[0], row[4]) for row in told}
    assert ("S01", "advised") in {(row[0], row[4]) for row in told}
    hours = {(say.words(row[0]), say.words(row[1])) for row in tables["kind_hours"].rows}
    assert hours == {("micro station", "daily 08:00–20:00"), ("24 h hub", "24 hours")}
