"""The report tables say what the study holds, no more and no less."""

import dataclasses
import re

import pytest
from study_sample import sample_study

from geo.errors import InputError
from siting.report.conclusion import key_figures
from siting.report.grid_sheet import grid_report
from siting.report.places import alternatives_table
from siting.report.report import Column, Quantity, Say, Table, Term, study_report, study_tables
from siting.results import Study


@pytest.fixture(scope="module")
def study() -> Study:
    return sample_study()


def _bare(study: Study) -> Study:
    """The emptiest study there can be: nothing suggested, nothing existing, nothing found."""
    return dataclasses.replace(
        study, sites=(), audit=(), pickups=(), cells=(), flows=(), grids=(), refusals=(), coverage=(),
        budget_curve=(), accounts=(), matching=None, stay_points_by_kind=(),
    )  # fmt: skip


def test_every_site_has_one_row_in_the_same_order(study: Study) -> None:
    tables = {table.key: table for table in study_tables(study)}
    assert [row[0] for row in tables["sites"].rows] == [site.site_id for site in study.sites]
    assert [row[0] for row in tables["hours"].rows] == [s.site_id for s in study.sites for _ in range(24)]
    assert len(tables["existing"].rows) == len(study.audit)
    assert [row[0] for row in tables["grids"].rows] == [grid.code for grid in study.grids]


def test_figures_pass_through_untouched(study: Study) -> None:
    tables = {table.key: table for table in study_tables(study)}
    rest = [column.key for column in tables["sites"].columns].index("rest")
    assert [row[rest] for row in tables["sites"].rows] == [site.rest_min_a_day for site in study.sites]
    hours = tables["hours"]
    assert [row[4] for row in hours.rows] == [v for site in study.sites for v in site.rest_min_by_hour]


def test_codes_stay_text(study: Study) -> None:
    grids = {table.key: table for table in study_tables(study)}["grids"]
    assert all(isinstance(row[0], str) for row in grids.rows)
    assert grids.columns[0].unit == "text"


def test_rank_orders_the_audit(study: Study) -> None:
    shuffled = dataclasses.replace(study, audit=study.audit[::-1])
    existing = {table.key: table for table in study_tables(shuffled)}["existing"]
    assert [row[0] for row in existing.rows] == sorted(finding.rank for finding in study.audit)


def test_accepted_and_rejected_make_read(study: Study) -> None:
    files = {table.key: table for table in study_tables(study)}["files"]
    keys = [column.key for column in files.columns]
    for row in files.rows:
        cells = dict(zip(keys, row, strict=True))
        assert cells["read"] == cells["accepted"] + cells["rejected"]  # type: ignore[operator]


def test_select_keeps_rows_and_order(study: Study) -> None:
    sites = {table.key: table for table in study_tables(study)}["sites"]
    small = sites.select("name", "id")
    assert [column.key for column in small.columns] == ["name", "id"]
    assert [row[1] for row in small.rows] == [row[0] for row in sites.rows]
    with pytest.raises(InputError, match="has no column nothing, allowed: id, name"):
        sites.select("nothing")


def test_a_short_row_is_refused() -> None:
    with pytest.raises(InputError, match=r"row 2: 1 values, allowed exactly 2"):
        Table("x", (Column("a"), Column("b")), (("1", "2"), ("1",)))


def test_grid_report_holds_only_its_own_places(study: Study) -> None:
    for grid in study.grids:
        report = grid_report(study, grid.code)
        assert report.grid_code == grid.code
        ids = [
            row[0]
            for section in report.sections
            if section.key in ("suggested", "existing")
            for table in section.tables
            for row in table.rows
        ]
        assert set(ids) <= set(grid.site_ids)
        assert len(ids) == len(set(ids)) == len(grid.site_ids)


def test_grid_report_names_its_station_and_what_is_asked(study: Study) -> None:
    report = grid_report(study, study.grids[3].code)
    (told,) = (p for p in report.sections[0].paragraphs if p.key == "say.grid_station")
    params = dict(told.params)
    assert params["called"] == f"S01 {study.sites[6].name}"
    assert params["way"] == Quantity(240, "s")
    assert params["hours"] == Say("opening", (("hours", study.sites[6].opening_hours),))
    # Too far to be served: in minutes, and that it is; a station without a name is called by its number once.
    nameless = [dataclasses.replace(one, name=one.site_id) for one in study.sites]
    far = dataclasses.replace(study, limit_s=180.0, sites=tuple(nameless))
    (told,) = (p for p in grid_report(far, study.grids[3].code).sections[0].paragraphs if "grid_st" in p.key)
    assert told.key == "say.grid_station_far"
    assert dict(told.params)["called"] == "S01"
    # 3.2 minutes were told as "about 3 minutes, beyond the limit of 3 minutes"
    grids = tuple(dataclasses.replace(one, station_s=192.0) for one in study.grids)
    near = grid_report(dataclasses.replace(far, grids=grids), study.grids[3].code)
    (told,) = (p for p in near.sections[0].paragraphs if "grid_st" in p.key)
    assert dict(told.params)["way"] == Quantity(240, "s")
    none = grid_report(study, study.grids[2].code)
    assert "say.grid_no_station" in [p.key for p in none.sections[0].paragraphs]
    (asked,) = (t for section in report.sections for t in section.tables if t.key == "grid_asks")
    assert len(asked.rows) >= 1
    spots = {
        str(row[0])
        for grid in study.grids
        for section in grid_report(study, grid.code).sections
        for table in section.tables
        if table.key == "hot_spots"
        for row in table.rows
    }
    assert spots == {spot.spot_id for spot in study.hot_spots}, "each hot spot is told in its grid"


def test_the_conclusion_tells_the_three_figures_and_hides_what_is_withheld(study: Study) -> None:
    told = {figure.label.key: dict(figure.value.params) for figure in key_figures(study)}
    assert list(told) == ["figure.served", "figure.saved", "figure.cost"]
    assert told["figure.served"]["after"] == Quantity(0.713, "share", redacted=True)
    saved = sum(p.saved_min_a_day for p in study.pickups if p.saved_min_a_day is not None)
    assert told["figure.saved"]["saved"] == Quantity(saved, "min_a_day")
    assert told["figure.cost"]["cost"] == Quantity(450_000.0, "yuan")
    nothing = dataclasses.replace(
        study, pickups=tuple(dataclasses.replace(p, saved_min_a_day=None) for p in study.pickups)
    )
    assert [figure.label.key for figure in key_figures(nothing)] == ["figure.served", "figure.cost"]


def test_losses_of_other_places_are_differences_of_published_shares(study: Study) -> None:
    table = alternatives_table(study, study.alternatives)
    at = {column.key: place for place, column in enumerate(table.columns)}
    for row, one in zip(table.rows, study.alternatives, strict=True):
        loss = row[at["loss"]]
        assert loss == (None if one.served_share is None else pytest.approx(100 * (one.served_share - 0.713)))


def test_unknown_grid_is_refused_in_a_sentence(study: Study) -> None:
    with pytest.raises(InputError, match="no unit grid with the code '42'; it has 9 unit grids"):
        grid_report(study, "42")


def test_an_empty_study_still_makes_a_report(study: Study) -> None:
    report = study_report(_bare(study))
    said = [paragraph.key for section in report.sections for paragraph in section.paragraphs]
    assert {"say.no_suggested", "say.no_existing", "say.no_pickups"} <= set(said)
    assert all(section.paragraphs or section.pictures for section in report.sections)
    assert not any(table.rows == () for table in study_tables(study))


def test_synthetic_data_are_named_as_such(study: Study) -> None:
    keys = [p.key for section in study_report(study).sections for p in section.paragraphs]
    assert "say.synthetic" in keys
    real = dataclasses.replace(study, synthetic=False)
    keys = [p.key for section in study_report(real).sections for p in section.paragraphs]
    assert "say.synthetic" not in keys


def test_solver_proof_is_only_claimed_where_there_is_one(study: Study) -> None:
    open_gap = dataclasses.replace(study.solution, gap=0.012, status="feasible")
    report = study_report(dataclasses.replace(study, solution=open_gap))
    said = [p for section in report.sections for p in section.paragraphs]
    assert Say("say.solver_gap", (("gap", Quantity(0.012, "share")),)) in said
    assert "say.solver_proven" not in [p.key for p in said]


def test_words_are_keys_not_language(study: Study) -> None:
    for table in study_tables(study):
        for column in table.columns:
            assert column.key.isascii()
    assert Term("status.existing") in {row[2] for row in study_tables(study)[2].rows}


def test_what_the_traces_are_worth_is_said_where_it_may_be(study: Study) -> None:
    def said(changed: Study) -> set[str]:
        return set(re.findall(r"say\.(?:on_streets|silent_rests)", repr(study_report(changed))))

    known = dataclasses.replace(study, moving_km_on_streets=0.93, silent_rest_share=0.2)
    assert said(known) == {"say.on_streets", "say.silent_rests"}
    assert said(dataclasses.replace(known, silent_rest_share=0.0)) == {"say.on_streets"}
    assert said(study) == set(), "withheld"
