"""One whole study on the centre of Helsinki with a made fleet: plausible, safe to publish, repeatable."""

import dataclasses
import datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from geo.errors import InputError
from geo.osm.read import read_osm
from geo.synthetic.make import FleetOptions, existing_stations, make_fleet
from maps.documents.write import write_html
from maps.page.basemap import Backdrop
from maps.texts.wording import Wording
from siting.columns import PassingFlows
from siting.demand.asked import Asked
from siting.demand.hotspots import HotSpotRules
from siting.demand.weighted import DemandWeights
from siting.inputs import StudyInputs, StudySettings
from siting.report.report import study_report
from siting.report.tables import study_tables
from siting.results import Study
from siting.stations.candidates import CandidateRules
from siting.stations.kinds import ExistingStation
from siting.stations.pickup_inputs import PickupRules
from siting.study import measured_study, run, run_study


@pytest.fixture(scope="module")
def inputs(helsinki_pbf: Path) -> StudyInputs:
    network, places = read_osm(helsinki_pbf)
    options = FleetOptions(
        riders=50, days=3, first_day=datetime.date(2026, 3, 2), timezone="Europe/Helsinki", seed=5
    )
    fleet = make_fleet(network, places, options)
    old = existing_stations(network, fleet, 3, 1)
    rng = np.random.default_rng(0)
    edges = rng.integers(0, 40, 2000)
    return StudyInputs(
        network=network,
        places=places,
        stays=fleet.stays,
        riders=50,
        flows=PassingFlows(edges, rng.integers(0, 50, 2000), 1_772_440_000 + rng.integers(0, 86400, 2000)),
        existing=tuple(
            ExistingStation(name, (float(x), float(y)), "8:00-18:00", facilities=("room", "water"))
            for name, (x, y) in zip(old.names, old.lonlat, strict=True)
        ),
        title="Test",
        city="Helsinki",
        synthetic=True,
        settings=StudySettings(
            timezone="Europe/Helsinki",
            new_sites=3,
            limit_s=180,
            k=5,
            held_out_days=1,
            draws=5,
            random_draws=10,
        ),
    )


@pytest.fixture(scope="module")
def told() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture(scope="module")
def study_and_measured(inputs: StudyInputs, told: list[tuple[str, int, int]]) -> tuple[Study, Study]:
    kept: list[tuple[Study, Asked]] = []

    def watched(inputs: StudyInputs, progress: run.Progress | None) -> tuple[Study, Asked]:
        kept.append(measured_study(inputs, progress))
        return kept[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "measured_study", watched)
        study = run_study(inputs, lambda stage, done, total: told.append((stage, done, total)))
    return study, kept[0][0]


@pytest.fixture(scope="module")
def study(study_and_measured: tuple[Study, Study]) -> Study:
    return study_and_measured[0]


@pytest.fixture(scope="module")
def measured(study_and_measured: tuple[Study, Study]) -> Study:
    """The same before the gate."""
    return study_and_measured[1]


def test_the_plan_keeps_what_stands_and_beats_other_ways(study: Study, measured: Study) -> None:
    assert [s.site_id for s in study.sites if s.existing] == ["E01", "E02", "E03"]
    assert [s.site_id for s in study.sites if not s.existing] == ["S01", "S02", "S03"]
    share = {c.method: c for c in measured.coverage}
    assert set(share) == {"yilu", "existing", "kmeans", "busiest", "random"}
    for other in ("existing", "random"):
        assert (share["yilu"].served_training or 0) >= (share[other].served_training or 1)
        ours, others = share["yilu"].served_held_out, share[other].served_held_out
        assert ours is not None
        assert others is not None
        assert ours >= others
    assert study.solution.status == "optimal"
    assert (study.days, study.held_out_days) == (3, 1)


@pytest.fixture(scope="module")
def of_all_days(inputs: StudyInputs) -> Study:
    return run_study(
        dataclasses.replace(inputs, settings=dataclasses.replace(inputs.settings, held_out_days=0))
    )


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_without_held_out_days_no_share_is_claimed_for_them(
    inputs: StudyInputs, of_all_days: Study, lang: str, tmp_path: Path
) -> None:
    study = of_all_days
    assert study.held_out_days == 0
    assert all(row.served_held_out is None and row.in_reach_held_out is None for row in study.coverage)
    say = Wording.of(lang, study.k)
    words = say.text("column.served_held_out")
    write_html(study, Backdrop.build(inputs.network, inputs.places), lang, tmp_path / "report.html")
    assert words not in (tmp_path / "report.html").read_text(encoding="utf-8")
    table = next(table for table in study_tables(study) if table.key == "coverage")
    assert "served_held_out" not in [column.key for column in table.columns]
    sentences = [one.key for section in study_report(study).sections for one in section.paragraphs]
    assert "say.served" not in sentences
    assert "say.served_all_days" in sentences


def known(value: float | None) -> float:
    """A figure before the gate."""
    assert value is not None
    return value


def test_ranges_hold_their_figure_and_served_is_never_more_than_in_reach(measured: Study) -> None:
    rows = {(row.measure, row.method, row.days): row for row in measured.estimates}
    assert len(rows) == 8
    for row in measured.coverage:
        assert known(row.served_training) <= known(row.in_reach_training) + 1e-9
        assert (row.served_held_out or 0.0) <= (row.in_reach_held_out or 0.0) + 1e-9
        if row.method in ("yilu", "existing"):
            estimate = rows["served_share", row.method, "training"]
            assert estimate.value == row.served_training
            assert known(estimate.low) < known(estimate.value) < known(estimate.high)
    assert measured.draws == 200
    # more days say more: the days that the choice saw are two, the other is one
    assert all(0 <= known(row.low) <= known(row.high) for row in measured.estimates)


def test_a_range_is_told_with_its_figure_or_not_at_all(study: Study) -> None:
    assert any(row.value is not None for row in study.estimates)
    for row in study.estimates:
        assert (row.value is None) == (row.low is None) == (row.high is None)


def test_shut_stations_serve_nobody(study: Study, measured: Study) -> None:
    for site in study.sites:
        assert not all(site.open_by_hour)
        pairs = zip(site.rest_min_by_hour, site.open_by_hour, strict=True)
        assert all(minutes == 0 for minutes, is_open in pairs if not is_open)
    assert sum(known(site.rest_min_a_day) for site in measured.sites) <= known(measured.demand_min_a_day)


def test_every_figure_stands_for_enough_riders(study: Study) -> None:
    for cell in study.cells:
        assert cell.riders is None or cell.riders >= study.k
        if cell.riders is None:
            assert all(v is None for v in cell.rest_min_by_hour)
    for site in study.sites:
        if site.rest_min_a_day is None:
            assert site.only_here_share is None
            assert all(v is None for v in site.rest_min_by_hour)
        else:
            assert sum(v or 0 for v in site.rest_min_by_hour) <= site.rest_min_a_day + 1e-6
    assert study.flows
    assert [f.riders_a_day for f in study.flows] == sorted(
        (f.riders_a_day for f in study.flows), reverse=True
    )


def test_the_curve_rises_and_the_audit_ranks_every_station(study: Study, measured: Study) -> None:
    shares = [p.served_share or 0.0 for p in measured.budget_curve]
    assert shares == sorted(shares)
    assert all(0 <= p.gap < 0.05 for p in study.budget_curve)
    assert all(p.sites == 3 + p.new_sites for p in study.budget_curve)
    assert sorted(a.site_id for a in study.audit) == ["E01", "E02", "E03"]
    assert [a.rank for a in study.audit] == [1, 2, 3]
    assert all("microwave" in a.missing_facilities for a in study.audit)


def test_pickup_points_are_ranked_and_near(study: Study) -> None:
    assert study.pickups
    saved = [p.saved_min_a_day or 0 for p in study.pickups]
    assert saved == sorted(saved, reverse=True)
    assert all((p.walk_max_m or 0) <= 250 for p in study.pickups)


def test_the_same_inputs_in_any_order_give_the_same_study(inputs: StudyInputs, study: Study) -> None:
    stays = inputs.stays
    order = np.random.default_rng(1).permutation(len(stays.rider))
    names = ("rider", "start_s", "end_s", "lonlat", "kind")
    shuffled = dataclasses.replace(
        inputs, stays=SimpleNamespace(**{name: getattr(stays, name)[order] for name in names})
    )
    assert run_study(shuffled) == study


def test_hot_spots_and_flows_of_no_weight_have_no_hand_in_the_choice(
    inputs: StudyInputs, measured: Study
) -> None:
    study = measured
    assert study.hot_spots
    assert all((spot.riders or 0) >= study.k for spot in study.hot_spots)
    assert any(spot.name for spot in study.hot_spots)
    rules = HotSpotRules(near_m=200, least_min_a_day=500, most=1)
    settings = dataclasses.replace(inputs.settings, hot_spots=rules)
    other, _ = measured_study(dataclasses.replace(inputs, flows=None, settings=settings))
    assert other.hot_spots != study.hot_spots
    assert dataclasses.replace(other, hot_spots=study.hot_spots, flows=study.flows) == study


def test_layers_and_kinds_are_told(study: Study, inputs: StudyInputs) -> None:
    # With three sites fewer than k riders are left out, and the share would tell of them: here with one.
    settings = dataclasses.replace(inputs.settings, new_sites=1, draws=0, random_draws=1)
    fewer = run_study(dataclasses.replace(inputs, settings=settings))
    layers = {layer.name: layer for layer in fewer.layers}
    assert list(layers) == ["rest", "due_break", "passing"]
    assert layers["rest"].served_share is not None
    assert layers["passing"].served_share is None
    assert [kind.name for kind in study.kinds] == ["micro", "standard", "hub24"]
    assert all(kind.assumed for kind in study.kinds)
    for site in study.sites:
        gains = [gain for _, gain in site.until if gain is not None]
        assert gains == sorted(gains)


def test_passing_riders_count_where_they_need_no_detour(inputs: StudyInputs) -> None:
    served = []
    for limit_s in (20.0, 120.0):
        study = run_study(
            dataclasses.replace(
                inputs,
                existing=(),
                settings=dataclasses.replace(
                    inputs.settings,
                    weights=DemandWeights(rest=0.0, due_break=0.0, passing=1.0),
                    passing_limit_s=limit_s,
                    limit_s=600,
                    draws=0,
                    random_draws=1,
                    pickups=PickupRules(most=0),
                ),
            )
        )
        passing = study.layers[2]
        assert (passing.name, passing.weight, passing.limit_s) == ("passing", 1.0, limit_s)
        served.append(passing.served_share or 0.0)
        assert any(site.passing_riders_a_day for site in study.sites)
    # though riders would ride ten minutes to rest, those who pass enter only what lies on their way
    assert 0 < served[0] < served[1] < 1


def test_progress_is_told(study: Study, told: list[tuple[str, int, int]]) -> None:
    assert study.days == 3
    assert [t[1] for t in told] == list(range(len(told)))
    assert told[-1] == ("done", 10, 10)


def test_more_sites_than_candidates_is_one_sentence(inputs: StudyInputs) -> None:
    few = dataclasses.replace(
        inputs,
        settings=dataclasses.replace(
            inputs.settings, new_sites=50, candidates=CandidateRules(kinds=("fuel",), street_sites=0)
        ),
    )
    with pytest.raises(InputError, match=r"50 new sites are asked for, but the map offers"):
        run_study(few)


def test_too_few_days_is_one_sentence(inputs: StudyInputs) -> None:
    short = dataclasses.replace(inputs, settings=dataclasses.replace(inputs.settings, held_out_days=9))
    with pytest.raises(InputError, match=r"held_out_days is 9, but the traces cover only 3 local days"):
        run_study(short)


def test_settings_name_their_range() -> None:
    with pytest.raises(InputError, match="new_sites is 0, it must lie in 1-5000"):
        StudySettings(timezone="Asia/Shanghai", new_sites=0)
    with pytest.raises(InputError, match="one of ebike"):
        StudySettings(timezone="Asia/Shanghai", mode="boat")


def test_a_budget_chooses_places_kinds_and_hours_together(inputs: StudyInputs) -> None:
    money = dataclasses.replace(
        inputs,
        settings=dataclasses.replace(
            inputs.settings,
            budget_yuan=600_000.0,
            existing_stations="may_move",
            draws=4,
            new_sites=4,
            candidates=CandidateRules(spacing_m=300, street_sites=0),
        ),
    )
    study = run_study(money)
    assert study.solution.gap < 0.1
    assert 1 <= len(study.sites) <= 3 + 4
    new = [site for site in study.sites if site.plan == "new"]
    assert 1 <= len(new) <= 4
    assert sum(site.existing for site in study.sites) == 3
    # the problem with its budget is what is resampled: what it chose is known to it
    assert all(site.chosen_share is not None for site in new)
    assert sum(site.chosen_share or 0.0 for site in new) >= 0.5 * len(new)
    # new hours, closing and moving are said once, by plan and audit alike
    audit = {finding.site_id: finding for finding in study.audit}
    for site in study.sites:
        if site.existing:
            finding = audit[site.site_id]
            assert finding.action == (
                site.plan if site.plan != "stay" else "open_longer" if site.planned_hours else "keep"
            )
            assert finding.better_hours == site.planned_hours
            assert site.opening_hours == "8:00-18:00"
            if site.plan != "stay":
                assert site.rest_min_a_day == 0
                assert set(site.rest_min_by_hour) == {0.0}
    assert (study.budget_curve[0].served_share or 0.0) <= (study.budget_curve[-1].served_share or 1.0)


def test_equity_needs_grids(inputs: StudyInputs) -> None:
    unfair = dataclasses.replace(inputs, settings=dataclasses.replace(inputs.settings, least_grid_share=0.2))
    with pytest.raises(InputError, match="least_grid_share needs unit grids"):
        run_study(unfair)
    with pytest.raises(InputError, match="closed_from is 2026-09-01, but existing_stations is 'keep'"):
        dataclasses.replace(inputs.settings, closed_from="2026-09-01")
    with pytest.raises(InputError, match="needs a budget_yuan"):
        dataclasses.replace(inputs.settings, existing_stations="may_close")
