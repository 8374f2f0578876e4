"""Two plans beside each other, from published figures alone."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_sample import sample_study

from geo.errors import InputError
from siting.comparison import compare_studies
from siting.report import comparison_report, comparison_tables
from siting.results import GridFigures, Study

_SAMPLE = sample_study()


@pytest.fixture(scope="module")
def study() -> Study:
    return _SAMPLE


def _with_grids(study: Study, shares: list[float | None]) -> Study:
    grids = tuple(
        dataclasses.replace(grid, served_share=share)
        for grid, share in zip(study.grids, shares, strict=False)
    )
    return dataclasses.replace(study, grids=grids)


def test_a_plan_beside_itself_differs_in_nothing(study: Study) -> None:
    same = compare_studies(study, study)
    assert {pair.change for pair in same.stations} == {"same"}
    assert (same.gains.gaining, same.gains.losing) == (0, 0)
    assert all(not figure.difference for figure in same.figures)
    assert same.notes == ()


def test_what_moves_comes_goes_and_changes(study: Study) -> None:
    sites = list(study.sites)
    new = [place for place, site in enumerate(sites) if not site.existing]
    moved, gone, other = sites[new[0]], sites[new[1]], sites[new[2]]
    east = (moved.lonlat[0] + 0.002, moved.lonlat[1])
    sites[new[0]] = dataclasses.replace(moved, lonlat=east, name="round the corner")
    far = (gone.lonlat[0] + 0.5, gone.lonlat[1])
    sites[new[1]] = dataclasses.replace(gone, lonlat=far, name="far away")
    sites[new[2]] = dataclasses.replace(other, planned_hours="24/7", opening_hours="24/7", kind="hub24")
    found = compare_studies(study, dataclasses.replace(study, sites=tuple(sites)))
    by_change = {change: [p for p in found.stations if p.change == change] for change in
                 ("moved", "only_first", "only_second", "changed", "same")}  # fmt: skip
    (pair,) = by_change["moved"]
    assert pair.first == moved
    assert pair.second is not None
    assert pair.second.name == "round the corner"
    assert pair.moved_m == pytest.approx(170.4, abs=1.0)  # 0.002 degrees at 39.985 degrees north
    assert [p.first for p in by_change["only_first"]] == [gone]
    assert [p.second.name for p in by_change["only_second"] if p.second] == ["far away"]
    assert len(by_change["changed"]) == 1
    assert sum(map(len, by_change.values())) == len(study.sites) + 1
    assert found.stations[-1].change == "same"


def test_cost_and_its_difference(study: Study) -> None:
    cheaper = dataclasses.replace(study, sites=tuple(s for s in study.sites if s.site_id != "S01"))
    saved = next(site.cost_yuan for site in study.sites if site.site_id == "S01")
    figure = compare_studies(study, cheaper).cost
    assert figure.first == sum(site.cost_yuan or 0 for site in study.standing)
    assert saved is not None
    assert figure.difference == -saved


def test_stations_without_a_price_are_left_out_of_both_costs(study: Study) -> None:
    """A plan that keeps stations of today for no price is no cheaper than one that pays for them."""
    assert any(site.existing and site.cost_yuan is None for site in study.standing)
    sites = tuple(
        dataclasses.replace(site, cost_yuan=90_000.0) if site.existing else site for site in study.sites
    )
    priced = dataclasses.replace(study, sites=sites)
    figure = compare_studies(study, priced).cost
    assert figure.key == "cost_new"
    assert figure.first == figure.second == sum(s.cost_yuan or 0 for s in study.standing if not s.existing)
    whole = compare_studies(priced, priced).cost
    assert (whole.key, whole.first) == ("cost", sum(s.cost_yuan or 0 for s in priced.standing))


_SHARES = st.lists(st.one_of(st.none(), st.integers(0, 1000).map(lambda n: n / 1000)), min_size=9, max_size=9)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(_SHARES, _SHARES)
def test_gains_by_grid_are_those_of_a_plain_loop(left: list[float | None], right: list[float | None]) -> None:
    found = compare_studies(_with_grids(_SAMPLE, left), _with_grids(_SAMPLE, right))
    gaining = losing = same = 0
    for one, other in zip(left, right, strict=True):
        if one is None or other is None:
            continue
        thousandths = round(1000 * other) - round(1000 * one)
        gaining += thousandths > 0
        losing += thousandths < 0
        same += thousandths == 0
    # a change of a thousandth is the least that counts, and floats may fall on either side of it
    edge = sum(
        one is not None and other is not None and abs(round(1000 * other) - round(1000 * one)) == 1
        for one, other in zip(left, right, strict=True)
    )
    assert abs(found.gains.gaining - gaining) <= edge
    assert abs(found.gains.losing - losing) <= edge
    assert found.gains.gaining + found.gains.losing + found.gains.same == gaining + losing + same
    known = [grid.points for grid in found.grids if grid.points is not None]
    assert known == sorted(known)


def test_a_withheld_figure_withholds_the_difference(study: Study) -> None:
    hidden = _with_grids(study, [None] * 9)
    hidden = dataclasses.replace(
        hidden, coverage=tuple(dataclasses.replace(row, served_training=None) for row in hidden.coverage)
    )
    for found in (compare_studies(study, hidden), compare_studies(hidden, study)):
        assert {grid.verdict for grid in found.grids} == {"withheld"}
        assert all(grid.points is None for grid in found.grids)
        for key in ("served_training", "served_min"):
            assert found.figure(key).difference is None
        figures, _, grids = comparison_tables(found)
        row = next(row for row in figures.rows if getattr(row[0], "key", "").endswith("served_training"))
        assert row[3] is None
        assert all(row[5] is None for row in grids.rows)


def _moved(grid: GridFigures) -> GridFigures:
    return dataclasses.replace(
        grid, rings=tuple(tuple((x + 0.01, y) for x, y in ring) for ring in grid.rings)
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bounds": (0.0, 0.0, 1.0, 1.0)}, "lie on different maps"),
        (
            {"grids": "fewer"},
            "different unit grids (1 only in the first, 0 only in the second, such as 110108",
        ),
        ({"grids": "moved"}, "one code and different outlines (1, such as 110108"),
    ],
)
def test_studies_that_cannot_be_compared_are_refused(
    study: Study, changes: dict[str, Any], said: str
) -> None:
    if changes.get("grids") == "fewer":
        changes = {"grids": study.grids[1:]}
    elif changes.get("grids") == "moved":
        changes = {"grids": (_moved(study.grids[0]), *study.grids[1:])}
    with pytest.raises(InputError) as refused:
        compare_studies(study, dataclasses.replace(study, **changes))
    assert said in str(refused.value)
    assert str(refused.value).count(". ") == 0


def test_what_else_differs_is_told(study: Study) -> None:
    other = dataclasses.replace(study, limit_s=600.0, period=("2026-07-01", "2026-07-07"))
    found = compare_studies(study, other)
    assert set(found.notes) == {"period", "limit"}
    report = comparison_report(study, other, ("a", "b"), found)
    assert any(said.key == "say.compare_doubts" for said in report.sections[-1].paragraphs)
