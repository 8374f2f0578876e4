"""What a finished study says agrees with itself and with what it was made from.

Every figure on what a plan serves and reaches is computed again from the raw parts: stays, travel times
between demand points and the published places, the published opening hours, the seats of the kinds. All files
of the study are held against that, in all three modes of existing stations.
"""

import html
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from fair_truth import fairness_agrees, front_agrees
from finished_study import MODES, NEW, Finished, Json, again, hours_of, study_of

from maps.texts.wording import Wording
from siting.demand.weighted import by_hour
from siting.report.tables import Quantity, Say

MAPS: tuple[str, ...] = ("macau-roads",)
if os.environ.get("YILU_PROOF") == "full":
    MAPS += (
        "tsinghua-campus", "nanjing-xinjiekou", "shenzhen-longgang", "puyang-county-sparse",
        "beijing-haidian-composite", "porto-centre", "malta-2016", "rhein-neckar-roads-2016",
    )  # fmt: skip


@pytest.mark.parametrize("name", MAPS)
def test_a_study_agrees_with_itself_and_with_its_raw_parts(
    name: str, shared_data: Path, tmp_path: Path
) -> None:
    """One study a mode on one map, each made once; k is 1, so that nothing is withheld."""
    pbf = shared_data / "osm" / f"{name}.osm.pbf"
    zone = "Europe/Lisbon" if "porto" in name else "Asia/Shanghai"
    finished = {mode: study_of(mode, pbf, zone, tmp_path / mode, tmp_path / "cache") for mode in MODES}
    plan_follows_from_its_raw_parts(finished)
    all_files_tell_the_same(finished)
    stations_that_close_stay_and_new_ones_keep_to_their_number(finished)
    for done in finished.values():
        fairness_agrees(done)
        front_agrees(done)


def plan_follows_from_its_raw_parts(finished: dict[str, Finished]) -> None:
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


def all_files_tell_the_same(finished: dict[str, Finished]) -> None:
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
    rows, hours = done.rows("sites"), done.rows("hours")
    (rest,) = (name for name in rows[0] if name.startswith(head["rest"] + "\n("))
    (in_hour,) = (name for name in hours[0] if name.startswith(say.text("column.rest_in_hour")))
    assert [row[head["id"]] for row in rows[: len(sites)]] == [site["id"] for site in sites]
    for row, site in zip(rows, sites, strict=False):
        if site["rest_min_a_day"] is not None:
            assert row[rest] == pytest.approx(site["rest_min_a_day"], abs=1e-6)
    for site in sites:
        mine = [row for row in hours if row[head["id"]] == site["id"]]
        assert [row[say.text("column.hour")] for row in mine] == [f"{hour:02d}:00" for hour in range(24)]
        strip = [row[in_hour] for row in mine]
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


def stations_that_close_stay_and_new_ones_keep_to_their_number(finished: dict[str, Finished]) -> None:
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
