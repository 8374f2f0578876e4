"""What a finished study says agrees with itself and with what it was made from.

Every figure on what a plan serves and reaches is computed again from the raw parts: stays, travel times
between demand points and the published places, the published opening hours, the seats of the kinds. All files
of the study are held against that, in all three modes of existing stations.
"""

import dataclasses
import html
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openpyxl
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_array

from api.settings import Settings
from api.study import run
from api.study.studyfile.tables import StudyFile
from maps.texts.wording import Wording
from siting.demand.demand_events import due_events, stay_events
from siting.demand.weighted import Demand, Events, build_demand, by_hour
from siting.evaluation.stability import split_days
from siting.inputs import StudyInputs
from siting.report.tables import Quantity, Say
from siting.results import Study
from siting.stations.kinds import KINDS
from siting.study import run_study
from siting.travel_times import StreetWays

FloatArray = npt.NDArray[np.float64]
Json = dict[str, Any]
SEATS = {kind.name: 60.0 * kind.seats for kind in KINDS}
NEW = 3
MAPS: tuple[str, ...] = ("tsinghua-campus", "macau-roads")
if os.environ.get("YILU_PROOF") == "full":
    MAPS += (
        "nanjing-xinjiekou", "shenzhen-longgang", "puyang-county-sparse", "beijing-haidian-composite",
        "porto-centre",
    )  # fmt: skip
MODES: dict[str, Json] = {
    "keep": {"sites": NEW, "weights": {"due_break": 0.5}},
    "may_close": {"sites": NEW, "existing_stations": "may_close", "budget_yuan": 350_000, "close_yuan": 1_000,
                  "weights": {"due_break": 0.0}, "closed_from": "2026-09-01"},
    "may_move": {"sites": NEW, "existing_stations": "may_move", "budget_yuan": 300_000, "close_yuan": 1_000,
                 "weights": {"due_break": 0.0}},
}  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Finished:
    """One finished study: its files, and what it was made from."""

    mode: str
    folder: Path
    study: Study
    inputs: StudyInputs
    demand: Demand
    masks: dict[str, npt.NDArray[np.bool_]]

    @property
    def summary(self) -> Json:
        told: Json = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
        return told

    @property
    def sites(self) -> list[Json]:
        """The stations of ``sites.geojson``, each with its place."""
        features = json.loads((self.folder / "sites.geojson").read_text(encoding="utf-8"))["features"]
        return [
            {**one["properties"], "lonlat": one["geometry"]["coordinates"]}
            for one in features
            if one["properties"]["layer"] == "site"
        ]

    def rows(self, sheet: str) -> list[Json]:
        """One sheet of ``report.xlsx`` as rows by the keys of its columns."""
        say = Wording.of("en", self.study.k)
        book = openpyxl.load_workbook(self.folder / "report.xlsx", read_only=True)
        table = list(book[say.text(f"table.{sheet}")].iter_rows(values_only=True))
        heads = [str(head) for head in table[0]]
        return [dict(zip(heads, row, strict=True)) for row in table[1:] if row[1] is not None]


def hours_of(text: str) -> npt.NDArray[np.bool_]:
    """Return the hours in which a daily span is open for half an hour or more."""
    if text == "24/7":
        return np.ones(24, dtype=np.bool_)
    found = re.fullmatch(r"Mo-Su (\d\d):(\d\d)-(\d\d):(\d\d)", text)
    assert found is not None, text
    start, end = (60 * int(found[k]) + int(found[k + 1]) for k in (1, 3))
    minutes = np.zeros(1440, dtype=np.bool_)
    minutes[np.arange(start, end if end > start else end + 1440) % 1440] = True
    return np.asarray(minutes.reshape(24, 60).mean(axis=1) >= 0.5)


def most_served(cost_s: FloatArray, limit_s: float, room: FloatArray, weight: FloatArray) -> float:
    """Return the largest flow of (n, 24) demand into (s, 24) seats, as a linear programme an hour."""
    total = 0.0
    n = len(cost_s)
    for hour in range(24):
        i, j = np.nonzero((cost_s <= limit_s) & (weight[:, [hour]] > 0) & (room[:, hour] > 0))
        if len(i):
            pairs = np.arange(len(i))
            rows = coo_array((np.ones(2 * len(i)), (np.r_[i, n + j], np.r_[pairs, pairs])),
                             shape=(n + len(room), len(i))).tocsr()  # fmt: skip
            limits = np.r_[weight[:, hour], room[:, hour]]
            # its stub knows no sparse arrays
            answer = linprog(-np.ones(len(i)), A_ub=rows, b_ub=limits, method="highs")  # type: ignore[call-overload]
            total -= float(answer.fun)
    return total


def again(finished: Finished, sites: list[Json], hours: list[str], days: str) -> tuple[float, float]:
    """Return what is served and in reach of all weighted demand (0-1), from the raw parts."""
    inputs, demand = finished.inputs, finished.demand
    settings = inputs.settings
    weight = demand.weight(settings.weights, finished.masks[days])
    places = np.array([site["lonlat"] for site in sites]).reshape(-1, 2)
    cost_s = StreetWays(inputs.network).seconds(settings.mode, demand.lonlat, places, settings.limit_s)
    room = np.array(
        [SEATS[site["kind"]] * hours_of(text) for site, text in zip(sites, hours, strict=True)]
    ).reshape(-1, 24)
    reached = weight[(cost_s <= settings.limit_s).any(axis=1)].sum()
    return most_served(cost_s, settings.limit_s, room, weight) / weight.sum(), float(reached / weight.sum())


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in MAPS]
)
def finished(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Finished]:
    """One study a mode on one map, with a small fleet; k is 1, so that nothing is withheld."""
    pbf = shared_data / "osm" / f"{request.param}.osm.pbf"
    zone = "Europe/Lisbon" if "porto" in request.param else "Asia/Shanghai"
    cache = tmp_path_factory.mktemp("cache")
    return {mode: study_of(mode, pbf, zone, tmp_path_factory.mktemp(mode), cache) for mode in MODES}


def study_of(mode: str, pbf: Path, zone: str, folder: Path, cache: Path) -> Finished:
    study_file = StudyFile.model_validate(
        {
            "title": "t", "city": "c", "timezone": zone, "language": "en", "k": 1, "held_out_days": 1,
            "map": {"file": str(pbf)}, "grids": {"h3_resolution": 8}, "matching": {"tasks": 0},
            "synthetic": {"riders": 25, "days": 3, "datum": "wgs84", "interval_s": 30,
                          "existing_stations": 3},
            "siting": {"limit_min": 4, "flows": False, "pickups": 0, "draws": 2, "hot_spots": 5,
                       **MODES[mode]},
        }
    )  # fmt: skip
    given: list[StudyInputs] = []

    def watched(inputs: StudyInputs, **options: Any) -> Study:  # noqa: ANN401 - passed on
        # a hundred random plans are tested elsewhere
        few = dataclasses.replace(inputs, settings=dataclasses.replace(inputs.settings, random_draws=3))
        given.append(few)
        return run_study(few, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "run_study", watched)
        study = run.write_study(study_file, folder, Settings(cache_dir=cache))
    (inputs,) = given
    empty = np.empty(0, dtype=np.int64)
    none = Events(np.empty((0, 2)), empty, empty, empty)
    demand = build_demand(
        stay_events(inputs.stays, "rest"), due_events(inputs.due_breaks), none,
        timezone=zone, project=inputs.network.project, cell_m=inputs.settings.cell_m,
    )  # fmt: skip
    training, held_out = split_days(len(demand.days), 1)
    return Finished(mode, folder, study, inputs, demand, {"training": training, "held_out": held_out})


def test_every_figure_of_the_plan_from_its_raw_parts(finished: dict[str, Finished]) -> None:
    for done in finished.values():
        plan = [site for site in done.sites if site["plan"] in ("stay", "new")]
        today = [site for site in done.sites if site["status"] == "existing"]
        hours = [site["planned_hours"] or site["opening_hours"] for site in plan]
        layers, coverage = done.summary["layers"], done.summary["coverage"]
        for days in done.masks:
            served, reached = again(done, plan, hours, days)
            before, near = again(done, today, [site["opening_hours"] for site in today], days)
            if done.mode != "keep":
                # only rests carry weight: one number for all
                told = coverage["yilu"]
                assert told[f"served_{days}"] == pytest.approx(served, abs=2e-6)
                assert told[f"in_reach_{days}"] == pytest.approx(reached, abs=2e-6)
                assert coverage["existing"][f"served_{days}"] == pytest.approx(before, abs=2e-6)
                assert coverage["existing"][f"in_reach_{days}"] == pytest.approx(near, abs=2e-6)
            if days == "training":
                weighted = {
                    name: layers[name]["weight"] * layers[name]["minutes_a_day"]
                    for name in ("rest", "due_break")
                }
                for key, value in (("served", served), ("in_reach", reached)):
                    total = sum(weight * layers[name][key] for name, weight in weighted.items() if weight > 0)
                    assert total / sum(weighted.values()) == pytest.approx(value, abs=2e-6)
                own = [
                    point
                    for point in done.summary["budget_curve"]
                    if point["cost_yuan"] == MODES[done.mode].get("budget_yuan")
                ]
                assert len(own) == (done.mode != "keep")
                assert all(p["served_share"] == pytest.approx(served, abs=1e-5) for p in own)
        assert done.study.solution.gap < 0.05


def test_all_files_tell_the_same(finished: dict[str, Finished]) -> None:
    for done in finished.values():
        summary, sites, study = done.summary, done.sites, done.study
        told = summary["coverage"]["yilu"]
        rest = by_hour(done.demand.rest, len(done.demand.lonlat), done.masks["training"].astype(np.float64))
        assert summary["demand_minutes_a_day"] == pytest.approx(rest.sum(), abs=1e-5)
        served_min = told["served_training"] * summary["demand_minutes_a_day"]
        # at k = 1 only a station that serves nobody is withheld
        assert sum(site["rest_min_a_day"] or 0.0 for site in sites) == pytest.approx(served_min, abs=0.02)
        assert summary["layers"]["rest"]["served"] == told["served_training"]
        assert summary["layers"]["rest"]["in_reach"] == told["in_reach_training"]
        assert summary["layers"]["rest"]["minutes_a_day"] == summary["demand_minutes_a_day"]
        for row in summary["estimates"]:
            share = summary["coverage"][row["method"]][f"served_{row['days']}"]
            total = by_hour(done.demand.rest, len(rest), done.masks[row["days"]].astype(np.float64)).sum()
            value = share if row["measure"] == "served_share" else share * total
            assert row["value"] == pytest.approx(value, abs=1e-5 + 1e-6 * total)
            assert row["low"] <= row["high"]
        inside = [grid for grid in study.grids if grid.rest_min_a_day]
        assert all(grid.served_share is not None for grid in inside)
        by_grid = sum((grid.served_share or 0.0) * (grid.rest_min_a_day or 0.0) for grid in inside)
        everywhere = sum(grid.rest_min_a_day or 0.0 for grid in inside)
        if everywhere == pytest.approx(summary["demand_minutes_a_day"], abs=1e-6):
            assert by_grid == pytest.approx(served_min, abs=0.02)
        workbook_agrees(done, sites)
        report_agrees(done)
        map_agrees(done, sites)


def workbook_agrees(done: Finished, sites: list[Json]) -> None:
    say = Wording.of("en", 1)
    head = {key: say.text(f"column.{key}") for key in ("id", "rest", "name")}
    for sheet in ("sites", "hours"):
        rows = done.rows(sheet)
        (rest,) = (name for name in rows[0] if name.startswith(head["rest"] + " ("))
        assert [row[head["id"]] for row in rows[: len(sites)]] == [site["id"] for site in sites]
        for row, site in zip(rows, sites, strict=False):
            if site["rest_min_a_day"] is not None:
                assert row[rest] == pytest.approx(site["rest_min_a_day"], abs=1e-6)
    for row, site in zip(done.rows("hours"), sites, strict=False):
        strip = list(row.values())[4:28]
        open_ = hours_of(site["planned_hours"] or site["opening_hours"])
        shut = ~open_ | (site["plan"] in ("close", "move"))
        assert [value for value, closed in zip(strip, shut, strict=True) if closed] == [0] * int(shut.sum())
        known = [value for value in strip if isinstance(value, int | float)]
        assert sum(known) == pytest.approx(site["rest_min_a_day"] or 0.0, abs=1e-6)
    coverage = done.rows("coverage")
    names = list(coverage[0])
    for row, (method, told) in zip(coverage, done.summary["coverage"].items(), strict=False):
        assert row[names[0]] == say.term(f"method.{method}")
        keys = ("sites", "served_training", "served_held_out", "in_reach_training", "in_reach_held_out")
        assert [row[name] for name in names[1:6]] == pytest.approx([told[key] for key in keys], abs=1e-6)


def report_agrees(done: Finished) -> None:
    text = html.unescape((done.folder / "report.html").read_text(encoding="utf-8"))
    say, coverage = Wording.of("en", 1), done.summary["coverage"]
    count = {
        plan: sum(site["plan"] == plan for site in done.sites) for plan in ("stay", "new", "close", "move")
    }
    expected = [
        Say("say.served", (
            ("existing", Quantity(count["stay"], "count")), ("suggested", Quantity(count["new"], "count")),
            ("training", Quantity(coverage["yilu"]["served_training"], "share")),
            ("held_out", Quantity(coverage["yilu"]["served_held_out"], "share")),
        )),
        Say("say.served_and_reach", (
            ("limit", Quantity(240.0, "s")),
            ("training", Quantity(coverage["yilu"]["in_reach_training"], "share")),
        )),
        Say("say.served_today", (
            ("training", Quantity(coverage["existing"]["served_training"], "share")),
            ("reach", Quantity(coverage["existing"]["in_reach_training"], "share")),
            ("limit", Quantity(240.0, "s")),
        )),
    ]  # fmt: skip
    for said in expected:
        assert say.say(said) in text
    going = {"closing": Quantity(count["close"], "count"), "moving": Quantity(count["move"], "count")}
    kept, stand = say.text("say.existing_kept"), say.say(Say("say.existing_stand", tuple(going.items())))
    day = Say("say.day", (("day", "2026-09-01"),))
    until = say.say(Say("say.existing_stand_until", (*going.items(), ("day", day))))
    assert (kept in text) == (done.mode == "keep")
    some = count["close"] + count["move"] > 0
    assert (stand in text) == (some and done.mode == "may_move")
    assert (until in text) == (some and done.mode == "may_close")


def map_agrees(done: Finished, sites: list[Json]) -> None:
    page = (done.folder / "map.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="yilu-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    layers = {layer["id"]: layer for layer in json.loads(found[1])["layers"]}
    items = {
        item["id"]: item
        for name in ("existing", "suggested")
        for part in layers.get(name, {"parts": []})["parts"]
        if part["type"] == "markers"
        for item in part["items"]
    }
    assert sorted(items) == sorted(site["id"] for site in sites)
    label = Wording.of("en", 1).text("column.rest")
    for site in sites:
        item = items[site["id"]]
        assert item["o"] == hours_of(site["planned_hours"] or site["opening_hours"]).tolist()
        shown = dict(item["r"])[label]
        assert shown == Wording.of("en", 1).quantity(Quantity(site["rest_min_a_day"], "min_a_day", True))
        if site["status"] == "suggested" and item["h"] is not None:
            assert all(value == 0 for value, is_open in zip(item["h"], item["o"], strict=True) if not is_open)


def test_stations_that_close_stay_and_new_ones_keep_to_their_number(finished: dict[str, Finished]) -> None:
    gone = 0
    for done in finished.values():
        sites, summary = done.sites, done.summary
        assert sum(site["status"] == "existing" for site in sites) == len(done.inputs.existing) == 3
        new = sum(site["plan"] == "new" for site in sites)
        assert new == summary["sites_chosen"] <= NEW
        stay = sum(site["plan"] == "stay" for site in sites)
        numbers = {method: row["sites"] for method, row in summary["coverage"].items()}
        assert numbers["yilu"] == stay + new
        assert numbers["existing"] == 3
        assert all(numbers[method] == stay + new for method in ("kmeans", "busiest", "random"))
        served = json.loads((done.folder / "data" / "stations.json").read_text(encoding="utf-8"))
        assert [row["station_id"] for row in served] == [site["id"] for site in sites]
        for row, site in zip(served, sites, strict=True):
            assert row["plan"] == site["plan"]
            assert row["opening_hours"] == site["opening_hours"]
            goes = site["plan"] in ("close", "move")
            gone += goes
            assert row["closed_from"] == ("2026-09-01" if goes and done.mode == "may_close" else None)
            if goes:
                assert site["action"] == site["plan"]
                assert site["rest_min_a_day"] == 0
            elif site["plan"] == "stay" and done.mode != "keep":
                assert site["action"] == ("keep" if site["planned_hours"] is None else "open_longer")
                assert site["better_hours"] == site["planned_hours"]
        by_grid = sorted(name for grid in done.study.grids for name in grid.site_ids)
        assert set(by_grid) <= {site["id"] for site in sites}
    # so that the test is not empty: money is short enough in two modes that stations go
    assert gone > 0
