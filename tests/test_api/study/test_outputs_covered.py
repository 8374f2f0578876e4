"""Every kind of output that tells of riders is covered by a test of the promise of k: a new one fails here.

Covered means: the walk counts its riders (`test_privacy_walk`), a test of its own does, it is written from
the published result alone and so knows no more than that, or it says nothing of riders.
"""

import dataclasses
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tiny_map import write_city

from api import frames
from api.cli.commands import yilu
from api.http.app import create_app
from api.settings import Settings
from api.study.run import write_study
from api.study.studyfile.read import load_study_file
from siting.published import FIGURES, HOURS
from siting.results import Study

TESTS = Path(__file__).resolve().parents[2]
WALK = "test_api/study/test_privacy_walk.py::test_every_number_of_the_result_is_registered_and_has_k_riders"
ONLY_RESULT = "test_api/study/test_privacy_walk.py::test_files_hold_nothing_but_the_result"
SUMMARY = "test_api/study/test_privacy_walk.py::test_every_number_of_the_summary_is_registered"
ANSWERS = "test_api/study/test_privacy_walk.py::test_the_service_answers_with_published_figures_only"
UNTIL = "test_api/study/test_privacy_walk.py::test_closing_hours_tell_only_what_the_hours_do"
FAIR = "test_api/study/test_privacy_walk.py::test_fairness_tells_only_what_published_figures_of_grids_do"
FORECAST = "test_siting/seasons/test_across.py::test_a_forecast_tells_no_weekday_of_fewer_than_k_riders"
SCENARIO = "test_siting/seasons/test_across.py::test_what_tells_of_one_rider_is_withheld"
SPEEDS = "test_siting/presence/test_ridden_speeds.py::"
BLIND = "test_siting/presence/test_blind.py::test_fewer_than_k_riders_tell_nothing_and_nobody_tells_all"
PATROL = "test_siting/presence/test_blind.py::test_patrols_tell_nothing_of_fewer_than_k_riders"
DATES = "test_siting/presence/test_meetings.py::test_a_date_of_fewer_than_k_riders_is_none"
ACCOUNTS = "test_api/study/test_file_accounts.py::test_no_rows_of_fewer_than_k_riders_are_told"
GATES = "test_geo/inner_ways/"
CHECK_INS = "test_api/study/test_check_ins.py::"
LEARNED = "test_geo/learned/"
PLAIN = ""
"""Places on the map, money, settings and numbers of things; of the traces nothing but what the plan tells."""

FIELDS: dict[str, str] = {
    "Study": "days held_out_days seed k limit_s bounds budget_yuan draws least_grid_share",
    "Site": "lonlat cost_yuan reach near others",
    "AuditFinding": "rank move_to",
    "PickupPoint": "lonlat entry_route stopping_area",
    "Gate": "lonlat",
    "DemandCell": "ring centre",
    "StreetFlow": "line",
    "GridFigures": "rings station_s",
    "Refusal": "lonlat",
    "Solution": "gap",
    "Coverage": "sites",
    "BudgetPoint": "cost_yuan sites gap new_sites",
    "MatchTotals": "matched refused median_extra_s late_deliveries",
    "HotSpot": "lonlat radius_m ring",
    "LayerFigures": "weight limit_s",
    "KindFigures": "seats fixed_yuan hour_yuan",
    "FrontPoint": "cost_yuan sites new_sites gaps",
    "Alternative": "lonlat away_m",
    "TravelTimes": "held_out_days promise_share compounds_learned streets_in_reach_class streets_in_reach",
    "Patrol": "lonlat minutes hour",
    "Meetings": "minutes gap",
    "Changing": "weeks weeks_needed weeks_held_out",
    "ScenarioFigures": "days",
    "GateDelay": "lonlat default_s",
    "MapEdit": "line node_ids",
}
"""Fields that hold numbers and are no figures about riders, by class."""

TOLD: dict[str, str] = {
    "Site.until": UNTIL,
    "FileAccount.read": ACCOUNTS, "FileAccount.accepted": ACCOUNTS, "FileAccount.rejected": ACCOUNTS,
    "FileAccount.notes": ACCOUNTS,
    "Fairness.grids": FAIR, "Fairness.gini": FAIR, "Fairness.worst_tenth": FAIR, "Fairness.least_share": FAIR,
    "Study.stay_points_by_kind": WALK, "Gate.share": WALK,
    "Study.moving_km_on_streets": "test_geo/traces/",
    "AuditFinding.check_ins_a_day": CHECK_INS, "AuditFinding.check_in_weeks": CHECK_INS,
    **dict.fromkeys(
        (
            "TravelTimes.held_out_trips", "TravelTimes.error_class", "TravelTimes.error_one_factor",
            "TravelTimes.error_learned", "TravelTimes.promise_factor",
        ),
        LEARNED,
    ),
    "TravelTimes.compound_wait_s": GATES,
    **dict.fromkeys(
        ("ClassSpeed.class_kmh", "ClassSpeed.kmh", "ClassSpeed.slowest_hour", "ClassSpeed.slowest_kmh"),
        SPEEDS,
    ),
    **dict.fromkeys(
        (
            "BlindSpots.hours", "BlindSpots.streets", "BlindSpots.streets_share", "BlindGrid.unseen_share",
            "BlindGrid.wait_median_min", "BlindGrid.wait_p90_min",
        ),
        BLIND,
    ),
    **dict.fromkeys(
        (
            "BlindGrid.worst_hour", "BlindGrid.worst_weekday", "Patrol.unseen_before", "Patrol.unseen_after",
            "Patrol.line",
        ),
        PATROL,
    ),
    **dict.fromkeys(("Meeting.weekday", "Meeting.half_hour", "Meeting.riders", "Meetings.riders"), DATES),
    **dict.fromkeys(
        (
            "ScenarioFigures.rest_min_a_day", "ScenarioFigures.served_share", "PlanElsewhere.served_share",
            "RobustFigures.largest_regret", "RobustFigures.bound",
        ),
        SCENARIO,
    ),
    **dict.fromkeys(
        (
            "Forecast.error", "Forecast.error_last_week", "Forecast.error_mean", "Forecast.min_a_day",
            "Forecast.by_weekday",
        ),
        FORECAST,
    ),
    **dict.fromkeys(
        (
            "GateDelay.riders", "GateDelay.passes", "GateDelay.wait_s", "GateDelay.by_hour", "MapEdit.riders",
            "MapEdit.days", "MapEdit.passes", "MapEdit.seconds",
        ),
        GATES,
    ),
}  # fmt: skip
"""Figures that the walk does not know by `siting.published`, and which test counts their riders."""

FILES: dict[str, str] = {
    r"(map|match)(\.zh)?\.html": ONLY_RESULT,
    r"report(\.zh)?\.(docx|html|xlsx)": ONLY_RESULT,
    r"sites\.(geojson|gpkg)": ONLY_RESULT,
    r"data/result\.json": WALK,
    r"summary\.json": SUMMARY,
    r"edits\.(geojson|osc)": GATES,
    r"rejects\.csv": "test_geo/traces/",
    # made riders only
    r"data/match-request\.json|matches\.json": PLAIN,
    # the map; times and waits by LEARNED and GATES
    r"data/network/.*": LEARNED,
    r"data/(hours|places)/.*|data/(stations|study)\.json": PLAIN,
}
"""Files of a study, and which test holds them to the promise."""

OF_STUDIES: dict[str, str] = {
    "/v1/grids": ANSWERS, "/v1/stations/nearest": ANSWERS, "/v1/meetings": DATES, "/v1/blind-spots": PATROL,
    "/map": ONLY_RESULT, "/match-map": ONLY_RESULT, "/reports/{form}": ONLY_RESULT,
    "/layers/sites.{form}": ONLY_RESULT, "/layers/edits.{form}": GATES,
    "/v1/studies/{study_id}/files": ONLY_RESULT, "/v1/studies/{study_id}/files/{path}": ONLY_RESULT,
    "/v1/stations/visits": "test_api/http/", "/v1/city": "test_api/overview/",
    "/v1/board": "test_api/civic/", "/v1/board.geojson": "test_api/civic/", "/v1/catalogue": PLAIN,
}  # fmt: skip
"""Answers that tell of many people to somebody who is not one of them."""
OWN_MATTERS = re.compile(
    r"/(metrics|healthz|readyz)|/v1/(stations/(break|\{station_id\}.*)|riders.*|tasks.*|offers.*|emergencies.*"
    r"|alerts.*|events.*|webhooks|studies|studies/shown|studies/\{study_id\}(/stream)?|audit|report-kinds|reports.*"
    r"|photos/.*|offices|overrides|matters.*|statements/keys)"
)
"""Answers about what the caller owns or must know to do a task: the scope decides (`api/store/scope.py`)."""

COMMANDS: dict[str, str] = {
    "study": ONLY_RESULT, "demo": ONLY_RESULT,
    # by what both plans have published
    "compare": "test_siting/test_comparison.py::",
    # shapes of values, no values
    "traces": "test_api/study/test_inspection.py::",
    **dict.fromkeys(
        ("bench", "keys", "live", "map", "match", "new", "pdf", "reach", "serve", "simulate", "tenants"),
        PLAIN,
    ),
}  # fmt: skip
FRAMES = {"FinishedStudyFrames": ONLY_RESULT, "MapView": ONLY_RESULT, "open_study": ONLY_RESULT,
          "replay_policies": PLAIN, "study": ONLY_RESULT}  # fmt: skip


def _parts(kind: object) -> Iterator[object]:
    inner = typing.get_args(kind)
    if not inner:
        yield kind
    for one in inner:
        yield from _parts(one)


def _numbers(kind: type, seen: set[type]) -> Iterator[str]:
    """Every field below a class that may hold a number."""
    seen.add(kind)
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        parts = set(_parts(hints[field.name]))
        if parts & {int, float}:
            yield f"{kind.__name__}.{field.name}"
        for part in parts:
            if isinstance(part, type) and dataclasses.is_dataclass(part) and part not in seen:
                yield from _numbers(part, seen)


def test_every_field_of_a_study_that_holds_numbers_is_covered() -> None:
    walked = {name for names in (*FIGURES.values(), *HOURS.values()) for name in names}
    plain = {f"{kind}.{name}" for kind, names in FIELDS.items() for name in names.split()}
    found = set(_numbers(Study, set()))
    unknown = {name for name in found - plain - set(TOLD) if name.partition(".")[2] not in walked}
    assert not unknown, "who counts the riders behind these?"
    assert plain | set(TOLD) <= found, "no such field any more"
    assert not plain & set(TOLD)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a study with everything on leaves behind."""
    folder = tmp_path_factory.mktemp("study")
    write_city(folder / "city.osm")
    (folder / "study.toml").write_text(
        """
title = "Made"
city = "Town"
timezone = "Asia/Shanghai"
language = "en"
languages = ["zh"]
[map]
file = "city.osm"
[synthetic]
riders = 14
days = 4
datum = "wgs84"
[siting]
sites = 2
flows = true
[matching]
tasks = 2
""",
        encoding="utf-8",
    )
    write_study(load_study_file(folder / "study.toml"), folder / "out", Settings())
    return folder / "out"


def test_every_file_of_a_study_is_covered(out: Path) -> None:
    for file in sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()):
        assert any(re.fullmatch(form, file) for form in FILES), f"who counts the riders behind {file}?"


def test_every_answer_of_the_service_is_covered(out: Path) -> None:
    with TestClient(create_app(out, settings=Settings())) as client:
        document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        if "get" in methods:
            assert path in OF_STUDIES or OWN_MATTERS.fullmatch(path), f"who counts the riders behind {path}?"


def test_every_command_and_frame_is_covered() -> None:
    assert set(yilu.commands) == set(COMMANDS), "who counts the riders behind these?"
    assert set(frames.__all__) <= set(FRAMES), "who counts the riders behind these?"


def test_the_tests_that_are_named_exist() -> None:
    for told in {
        *TOLD.values(),
        *FILES.values(),
        *OF_STUDIES.values(),
        *COMMANDS.values(),
        *FRAMES.values(),
    } - {PLAIN}:
        file, _, name = told.partition("::")
        assert (TESTS / file).exists(), told
        assert not name or f"def {name}(" in (TESTS / file).read_text(encoding="utf-8"), told
