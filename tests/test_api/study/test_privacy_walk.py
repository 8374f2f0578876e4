"""No output of a study holds a figure of fewer than k riders, and no arithmetic on the outputs gives one.

The walk opens every file that a study leaves and the answers of the service, and counts for each number in
them the riders behind it from the raw rests. A number under a name that nobody has registered here fails.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import openpyxl
import pyogrio
import pytest
import shapely
from fastapi.testclient import TestClient
from figures_attack import K, assert_nothing_told, behind, suspects, system
from made_rests import CASES, Rest, made_inputs

from api.http.app import create_app
from api.settings import Settings
from api.study.files import StudyFiles, write_study_files
from api.study.finished import RESULT
from api.study.run import _stays_off_ground
from api.study.studyfile.read import load_study_file
from api.study.summary import summary_of
from geo.osm import describe
from siting.fairness import fairness_of
from siting.inputs import StudyInputs
from siting.published import FIGURES, HOURS, published
from siting.report import study_tables
from siting.results import Study
from siting.study import measured_study

FloatArray = npt.NDArray[np.float64]

SETTINGS = """
title = "Made"
city = "Town"
timezone = "Asia/Shanghai"
language = "en"
languages = ["zh"]
[map]
file = "city.osm"
[synthetic]
riders = 2
datum = "wgs84"
[siting]
sites = 2
"""

PLAIN = {
    "result": (
        "days", "held_out_days", "seed", "k", "limit_s", "bounds/*", "sites/*/lonlat/*", "sites/*/cost_yuan",
        "audit/*/check_ins_a_day", "audit/*/check_in_weeks",
        "sites/*/reach/**", "sites/*/until/*/0", "audit/*/rank", "audit/*/move_to/*", "pickups/*/lonlat/*",
        "pickups/*/gates/*/lonlat/*", "pickups/*/entry_route/**", "pickups/*/stopping_area/**",
        "cells/*/ring/**", "cells/*/centre/*", "flows/*/line/**", "grids/*/rings/**", "refusals/*/lonlat/*",
        "solution/gap", "coverage/*/sites", "budget_curve/*/cost_yuan", "budget_curve/*/sites",
        "budget_curve/*/gap", "hot_spots/*/lonlat/*", "hot_spots/*/radius_m", "hot_spots/*/ring/**",
        "layers/*/weight", "layers/*/limit_s", "kinds/*/seats", "kinds/*/fixed_yuan", "kinds/*/hour_yuan",
        "budget_curve/*/new_sites", "budget_yuan", "draws", "front/*/cost_yuan", "front/*/sites",
        "front/*/new_sites", "front/*/gaps/**", "least_grid_share", "sites/*/near/*/1", "sites/*/others/*/1",
        "alternatives/*/lonlat/*", "alternatives/*/away_m", "grids/*/station_s",
        "changing/weeks", "changing/weeks_needed", "changing/weeks_held_out", "changing/scenarios/*/days",
    ),
    "summary": (
        "days", "held_out_days", "seed", "k", "map/**", "snapped_off_ground/*", "points_read",
        "points_accepted", "points_rejected", "hot_spots", "sites_chosen", "sites_existing", "solver/gap",
        "limit_s", "seconds/*", "layers/*/weight", "coverage/*/sites", "sites_closing", "sites_moving",
        "budget_curve/*/cost_yuan", "budget_curve/*/sites", "budget_curve/*/new_sites", "budget_curve/*/gap",
        "front/*/cost_yuan", "front/*/sites", "front/*/new_sites", "front/*/gaps/**", "least_grid_share",
        "changing/weeks", "changing/weeks_needed", "changing/weeks_held_out", "changing/scenarios/*/days",
    ),
    "columns": (
        "lon", "lat", "cost_yuan", "rank", "radius_m", "seconds", "in_osm", "weight", "limit", "seats",
        "fixed_yuan", "yuan_an_hour", "sites_count", "new_sites", "gap", "candidates_count", "gates",
        "gates_new", "radius", "end_gap", "away", "nearest_s", "move_lon", "move_lat", "read", "accepted",
        "rejected", "rows", "check_ins", "check_in_weeks",
    ),
}  # fmt: skip
"""Numbers that are no figures about riders: places on the map, money, settings, numbers of things."""

SUMMARY = {
    "riders": "riders", "stay_points": "stay_points", "demand_minutes_a_day": "demand_min_a_day",
    "solver/objective": "solution/objective", "solver/bound": "solution/bound",
    "stay_points_by_kind/(.*)": r"stay_points_by_kind/\1",
    "layers/(.*)/minutes_a_day": r"layers/\1/min_a_day", "layers/(.*)/served": r"layers/\1/served_share",
    "layers/(.*)/in_reach": r"layers/\1/in_reach_share", "rest_from_silence": "silent_rest_share",
    "budget_curve/(.*)/served_share": r"budget_curve/\1/served_share",
    "estimates/(.*)/(.*)": r"estimates/\1/\2",
    "coverage/(.*)/(.*)": r"coverage/\1/\2", "front/(.*)/(served|worst)_share": r"front/\1/\2_share",
    "grids/(.*)/served": r"grids/\1/served_share", "grids/(.*)/served_today": r"grids/\1/served_today_share",
    "grids/(.*)/rest_min_a_day": r"grids/\1/rest_min_a_day",
}  # fmt: skip
"""Figures of ``summary.json`` and what they are in the study."""

COLUMNS = {
    "served_share_value": "value", "served_min_a_day_value": "value",
    "served_share_low": "low", "served_share_high": "high",
    "served_min_a_day_low": "low", "served_min_a_day_high": "high",
    "only_here": "only_here_share", "rest": "rest_min_a_day", "chosen": "chosen_share",
    "longer": "extra_rest_hours_if_longer", "due": "due_break_min_a_day", "passing": "passing_riders_a_day",
    "demand": "min_a_day|rest_min_a_day", "riders": "riders", "visits": "visits_a_day",
    "visitors": "visitors_a_day", "gain": "gain_rest_hours_a_day", "overlap_share": "overlap_share",
    "drop_offs": "drop_offs_a_day", "saved": "saved_min_a_day", "walk_median": "walk_median_m",
    "walk_max": "walk_max_m", "residents_walk": "residents_walk_m_a_day", "weighted_share": "served_share",
    "stays_count": "stay_points_by_kind",
    "served_with": "served_share", "rest_in_hour": "rest_min_by_hour", "share": "share",
}  # fmt: skip
"""Columns of tables and layers that are figures, and the fields of the study which they show."""
GRID_FIGURES = {
    "riders", "rest_min_a_day", "served_share", "in_reach_share", "served_today_share", "stations",
    "pickup_points",
}  # fmt: skip
DERIVED = re.compile(r"fairness/.*|grids/.*/gain_points")
"""Figures that follow from published ones of unit grids: held against these in a test of their own."""
FROM_GRIDS = {"gain_points", "worst_tenth", "least_share", "gini", "grids_count"}
"""Columns of them."""
HOURLY = re.compile(r"(hour|rest_min|due_min)_\d\d|until_\d\d|rest_hours_until_\d\d")


def leaves(value: object, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number in a JSON value, with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}/{key}".lstrip("/"))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{path}/{number}".lstrip("/"))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value


def named(result: dict[str, Any]) -> dict[str, Any]:
    """The result with the rows of each part by their ids, as paths of figures have them."""
    ids = {"sites": "site_id", "audit": "site_id", "pickups": "pickup_id", "cells": "cell_id",
           "grids": "code", "hot_spots": "spot_id", "layers": "name", "coverage": "method"}  # fmt: skip
    out = dict(result)
    for part, key in ids.items():
        out[part] = {row[key]: row for row in result[part]}
    out["stay_points_by_kind"] = dict(result["stay_points_by_kind"])
    return out


def is_plain(path: str, where: str) -> bool:
    for pattern in PLAIN[where]:
        form = re.escape(pattern).replace(r"/\*\*", "/.*").replace(r"\*", "[^/]*")
        if re.fullmatch(form, path):
            return True
    return False


class Truth:
    """Who stands behind a figure, counted from the raw stays."""

    def __init__(self, study: Study, inputs: StudyInputs, stays: list[Rest], spots: FloatArray) -> None:
        self.study, self.inputs, self.stays, self.spots = study, inputs, stays, spots
        self.training = study.days - study.held_out_days

    def riders(self, path: str) -> set[int] | None:
        """Riders behind a figure of the study; None where only the demand points can tell."""
        for pattern, rule in self.rules():
            found = re.fullmatch(pattern, path)
            if found:
                return {s.rider for s in self.stays if rule(s, found)}
        return None

    def rules(self) -> list[tuple[str, Callable[[Rest, re.Match[str]], bool]]]:
        cells = {c.cell_id: c for c in self.study.cells}
        boxes = dict(zip(self.inputs.grids.codes, self.inputs.grids.polygons, strict=True))  # type: ignore[union-attr]

        def rest(s: Rest) -> bool:
            return s.kind == "rest"

        def in_hour(s: Rest, hour: str) -> bool:
            first = 60 * s.hour + s.rider % 7
            return first < 60 * (int(hour) + 1) and first + s.minutes > 60 * int(hour)

        def in_ring(s: Rest, ring: Any) -> bool:  # noqa: ANN401
            lon, lat = self.spots[s.spot]
            (west, east), (south, north) = (
                (min(p[a] for p in ring), max(p[a] for p in ring)) for a in (0, 1)
            )
            return bool(west <= lon <= east and south <= lat <= north)

        def in_box(s: Rest, code: str) -> bool:
            return bool(boxes[code].intersects(shapely.Point(*self.spots[s.spot])))

        return [
            ("riders", lambda s, m: True),
            ("stay_points", lambda s, m: True),
            ("stay_points_by_kind/(.*)", lambda s, m: s.kind == m[1]),
            ("demand_min_a_day", lambda s, m: rest(s) and s.day < self.training),
            ("silent_rest_share", lambda s, m: rest(s)),
            ("layers/rest/.*", lambda s, m: rest(s) and s.day < self.training),
            ("sites/.*/chosen_share", lambda s, m: rest(s) and s.day < self.training),
            ("cells/(.*)/riders", lambda s, m: rest(s) and in_ring(s, cells[m[1]].ring)),
            (
                "cells/(.*)/rest_min_by_hour/(.*)",
                lambda s, m: rest(s) and in_ring(s, cells[m[1]].ring) and in_hour(s, m[2]),
            ),
            ("grids/(.*)/.*", lambda s, m: rest(s) and in_box(s, m[1]) and s.day < self.training),
            ("coverage/.*_training", lambda s, m: rest(s) and s.day < self.training),
            ("coverage/.*_held_out", lambda s, m: rest(s) and s.day >= self.training),
            ("estimates/[0-3]/.*", lambda s, m: rest(s) and s.day < self.training),
            ("estimates/[4-7]/.*", lambda s, m: rest(s) and s.day >= self.training),
        ]


class Made:
    """One made study with its files."""

    def __init__(self, case: str, folder: Path) -> None:
        self.inputs, self.stays, self.spots = made_inputs(case, folder, K)
        self.measured, self.asked = measured_study(self.inputs)
        self.shown = self.asked.shown()
        self.study = published(self.measured, self.shown)
        (folder / "study.toml").write_text(SETTINGS, encoding="utf-8")
        self.settings = load_study_file(folder / "study.toml")
        self.out = folder / "out"
        (self.out / "data").mkdir(parents=True)
        files = StudyFiles(self.settings, self.study, self.inputs.network, self.inputs.places, None)
        write_study_files(files, self.out, lambda done, total: None)
        city = describe(self.inputs.network, self.inputs.places)
        self.summary = json.loads(json.dumps(summary_of(self.study, city, {}, {"siting": 1.0}, "en")))
        self.truth = Truth(self.study, self.inputs, self.stays, self.spots)


@pytest.fixture(scope="module", params=CASES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(request.param, tmp_path_factory.mktemp(request.param))


def test_every_number_of_the_result_is_registered_and_has_k_riders(made: Made) -> None:
    result = json.loads(RESULT.dump_json(made.study))
    counted = behind(made.asked)
    checked = 0
    for path, number in leaves(named(result)):
        if is_plain(path, "result"):
            continue
        part, *inner = path.split("/")
        if part == "sites" and inner[1] == "until":
            continue  # sums of the hours that are shown: see below
        if DERIVED.fullmatch(path):
            continue
        top = part if part in FIGURES else ""
        field = next((name for name in reversed(inner) if not name.isdigit()), part)
        known = (*FIGURES[top], *HOURS.get(top, ()), "share") if part in FIGURES else FIGURES[""]
        assert field in known or part == "stay_points_by_kind", f"nobody registered {path}"
        assert path in made.shown, path
        if path in made.asked._plain:
            assert number == 0, path
            continue
        nobody = "share" in path or path.startswith(("coverage", "estimates"))
        for riders in (counted[path], made.truth.riders(path)):
            assert riders is None or len(riders) >= K or (nobody and not riders), (path, riders)
        checked += 1
    assert (checked > 20) == (len({s.rider for s in made.stays}) >= K)


def test_closing_hours_tell_only_what_the_hours_do(made: Made) -> None:
    for site in made.study.sites:
        for closing, gain in site.until:
            evening = site.rest_min_by_hour[18:closing]
            known = sum(v for v in evening if v is not None)
            assert gain == (None if known == 0 and None in evening else pytest.approx(known / 60))


def test_fairness_tells_only_what_published_figures_of_grids_do(made: Made) -> None:
    told = [
        grid
        for grid in made.study.grids
        if None not in (grid.rest_min_a_day, grid.served_share, grid.served_today_share)
    ]
    for grid in made.study.grids:
        for field in ("rest_min_a_day", "served_share", "served_today_share"):
            assert getattr(grid, field) is None or f"grids/{grid.code}/{field}" in made.shown
    assert made.study.fairness == fairness_of(told)
    fairness = made.summary["fairness"]
    assert sum(fairness[key] for key in ("grids_gaining", "grids_losing", "grids_same")) == len(told)
    for row in made.study.fairness:
        for key in ("grids", "gini", "worst_tenth", "least_share"):
            assert fairness[row.method][key] == (
                None if getattr(row, key) is None else pytest.approx(getattr(row, key), abs=1e-6)
            )
    for grid in made.study.grids:
        gain = made.summary["grids"][grid.code]["gain_points"]
        assert gain == (None if grid.gain_points is None else pytest.approx(grid.gain_points, abs=1e-6))


def test_every_number_of_the_summary_is_registered(made: Made) -> None:
    figures = dict(leaves(named(json.loads(RESULT.dump_json(made.study)))))
    for path, value in leaves(made.summary):
        if is_plain(path, "summary") or DERIVED.fullmatch(path):
            continue
        ours = next(
            (re.sub(form, name, path) for form, name in SUMMARY.items() if re.fullmatch(form, path)), None
        )
        assert ours is not None, f"nobody registered {path}"
        assert value == pytest.approx(figures[ours], abs=1e-6), path


def values_of(study: Study, fields: str) -> set[float]:
    """All published values of some fields."""
    result = named(json.loads(RESULT.dump_json(study)))
    return {
        round(v, 6)
        for path, v in leaves(result)
        if set(path.split("/")) & set(fields.split("|")) and not is_plain(path, "result")
    }


def check_column(study: Study, name: str, values: list[Any]) -> None:
    """A column of a table or layer: registered, and its figures are the published ones."""
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool) and v == v]
    if not numbers or name in PLAIN["columns"]:
        return
    if name == "given_up":
        most = next(p.served_share for p in study.front if "coverage" in p.names)
        told = [p.served_share for p in study.front if p.served_share is not None]
        assert most is not None
        assert {round(v, 6) for v in numbers} <= {round(100 * (share - most), 6) for share in told}
        return
    if name == "loss":
        plan = next(row.served_training for row in study.coverage if row.method == "yilu")
        shares = [one.served_share for one in study.alternatives if one.served_share is not None]
        assert plan is not None
        assert {round(v, 6) for v in numbers} <= {round(100 * (share - plan), 6) for share in shares}
        return
    if name in FROM_GRIDS:
        gains = [grid.gain_points for grid in study.grids]
        rows = [v for row in study.fairness for v in (row.grids, row.gini, row.worst_tenth, row.least_share)]
        assert {round(float(v), 6) for v in numbers} <= {
            round(v, 6) for v in (*gains, *rows) if v is not None
        }
        return
    if HOURLY.fullmatch(name):
        fields = "rest_min_by_hour|due_break_min_by_hour|until"
    else:
        fields = COLUMNS.get(name, name if any(name in f for f in FIGURES.values()) else "")
    assert fields, f"nobody registered column {name}"
    known = values_of(study, fields)
    assert all(round(float(v), 6) in known for v in numbers), name


def test_tables_and_layers_hold_registered_numbers_only(made: Made) -> None:
    for table in study_tables(made.study):
        for at, column in enumerate(table.columns):
            check_column(made.study, column.key, [row[at] for row in table.rows])
    features = json.loads((made.out / "sites.geojson").read_text(encoding="utf-8"))["features"]
    names = {name for f in features for name in f["properties"]}
    for name in names:
        check_column(made.study, name, [f["properties"].get(name) for f in features])
    for layer, _ in pyogrio.list_layers(made.out / "sites.gpkg"):
        if layer != "layer_styles":
            frame = pyogrio.read_dataframe(made.out / "sites.gpkg", layer=layer, read_geometry=False)
            for name in frame.columns:
                check_column(made.study, name, frame[name].tolist())


def test_the_workbook_has_no_number_that_the_tables_have_not(made: Made) -> None:
    known = {
        round(float(v), 6)
        for table in study_tables(made.study)
        for row in table.rows
        for v in (getattr(value, "value", value) for value in row)
        if isinstance(v, int | float)
    }
    # the first sheet adds up what is published: minutes saved by pick-up points, costs of new stations
    saved = [point.saved_min_a_day for point in made.study.pickups if point.saved_min_a_day is not None]
    costs = [site.cost_yuan for site in made.study.sites if site.plan == "new" and site.cost_yuan]
    known |= {round(float(sum(saved)), 6), round(float(sum(costs)), 6)}
    book = openpyxl.load_workbook(made.out / "report.xlsx", read_only=True)
    for sheet in book:
        for row in sheet.iter_rows(values_only=True):
            for value in row:
                if isinstance(value, int | float) and not isinstance(value, bool):
                    assert round(float(value), 6) in known, (sheet.title, value)


def test_files_hold_nothing_but_the_result(made: Made, tmp_path: Path) -> None:
    """Map, reports and layers written again from ``data/result.json`` are the same: they know no more."""
    again = RESULT.validate_json((made.out / "data" / "result.json").read_bytes())
    (tmp_path / "data").mkdir()
    files = StudyFiles(made.settings, again, made.inputs.network, made.inputs.places, None)
    write_study_files(files, tmp_path, lambda done, total: None)
    for file in sorted(p for p in made.out.iterdir() if p.is_file()):
        assert file.read_bytes() == (tmp_path / file.name).read_bytes(), file.name


def test_the_first_sentence_tells_no_withheld_demand(made: Made) -> None:
    text = (made.out / "report.html").read_text(encoding="utf-8")
    if made.study.demand_min_a_day is None:
        assert f"{made.measured.demand_min_a_day:,.0f} rider-minutes" not in text
        assert "is not published: too few riders" in text
    else:
        assert "rider-minutes a day" in text


def test_the_service_answers_with_published_figures_only(made: Made) -> None:
    with TestClient(create_app(made.out, settings=Settings())) as client:
        grids = client.get("/v1/grids").json()
        for row, grid in zip(grids, made.study.grids, strict=True):
            assert (row["riders"], row["served_share"]) == (grid.riders, grid.served_share)
            assert row["in_reach_share"] == grid.in_reach_share
            assert row["served_today_share"] == grid.served_today_share
            assert row["rest_min_a_day"] == grid.rest_min_a_day
            for path, _ in leaves(row):
                assert path in GRID_FIGURES, path
        lon, lat = made.study.sites[0].lonlat
        query: dict[str, str | float] = {
            "lon": lon,
            "lat": lat,
            "datum": "wgs84",
            "at": "2026-03-02T12:00:00+08:00",
        }
        station = client.get("/v1/stations/nearest", params=query).json()
        plain = {"position/lon", "position/lat", "travel_s", "length_m", "walk_m", "closes_in_s"}
        assert all(path in plain or path.startswith("way/") for path, _ in leaves(station)), station


def test_features_of_the_service_hold_registered_numbers_and_no_filter_finds_a_withheld_one(
    made: Made,
) -> None:
    with TestClient(create_app(made.out, settings=Settings())) as client:
        listed = client.get("/ogc/collections", params={"f": "json"}).json()["collections"]
        asked = 0
        for collection in listed:
            at = f"/ogc/collections/{collection['id']}/items"
            answer = client.get(at, params={"limit": 1000, "f": "json"})
            # neither length nor tag of an answer depends on more than its text, where the withheld is null
            assert int(answer.headers["content-length"]) == len(answer.content)
            assert "etag" not in answer.headers
            rows = [one["properties"] for one in answer.json()["features"]]
            for name in rows[0] if rows else ():
                check_column(made.study, name, [row[name] for row in rows])
                hidden = sum(row[name] is None for row in rows)
                if not hidden or isinstance(rows[0][name], list | dict):
                    continue
                for value in ("0", "", "null", "None", "nan"):
                    found = client.get(at, params={name: value, "limit": 1000, "f": "json"})
                    if found.status_code == 200:
                        assert all(one["properties"][name] is not None for one in found.json()["features"])
                    asked += 1
        assert asked > 0


@pytest.mark.parametrize(("off", "told"), [(0, 0), (9, None), (10, 10), (15, 15), (16, None), (25, 25)])
def test_stays_off_the_ground_are_counted_from_k_riders_on(off: int, told: int | None) -> None:
    settings: Any = SimpleNamespace(mode="ebike", k=K)
    network: Any = SimpleNamespace(
        snap=lambda lonlat, mode: SimpleNamespace(edge=np.arange(len(lonlat))),
        edge_off_ground=np.arange(25) < off,
    )
    stays: Any = SimpleNamespace(lonlat=np.zeros((25, 2)), rider=np.arange(25))
    assert _stays_off_ground(settings, network, stays) == told


# --- the attack ---


def test_an_attack_on_all_published_figures_finds_nobody(made: Made) -> None:
    matrix, rider = system((made.asked, made.shown))
    assert_nothing_told(matrix, rider, suspects(made.asked))


@pytest.mark.parametrize("case", ["twelve", "many"])
def test_an_attack_on_two_runs_with_different_k_finds_nobody(case: str, tmp_path: Path) -> None:
    runs = []
    for k in (K, 12):
        (tmp_path / str(k)).mkdir()
        inputs, _, _ = made_inputs(case, tmp_path / str(k), k)
        study, asked = measured_study(inputs)
        runs.append((study, asked, asked.shown()))
    assert [s.lonlat for s in runs[0][0].sites] == [s.lonlat for s in runs[1][0].sites]
    assert runs[1][2] <= runs[0][2]
    matrix, rider = system(*((asked, shown) for _, asked, shown in runs))
    assert_nothing_told(matrix, rider, suspects(runs[0][1]))


def test_the_attack_finds_what_subtraction_gives_away(tmp_path: Path) -> None:
    """Were everything published that k riders stand behind, the lone rest would be told."""
    inputs, _, _ = made_inputs("twelve", tmp_path, K)
    _, asked = measured_study(inputs)
    primary = frozenset(path for path, who in behind(asked).items() if not who or len(who) >= K)
    matrix, rider = system((asked, primary))
    with pytest.raises(AssertionError, match="something is told"):
        assert_nothing_told(matrix, rider, suspects(asked))
