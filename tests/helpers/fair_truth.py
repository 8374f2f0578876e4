"""Fairness and the front of a finished study, computed again from raw parts and held against its files."""

import html
import itertools
import json
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from finished_study import SEATS, Finished, Json, again, hours_of, money_of, most_served

from maps.texts.wording import Wording
from siting.demand.weighted import by_hour
from siting.report.tables import Quantity, Say
from siting.travel_times import StreetWays

__all__ = ["fairness_agrees", "front_agrees"]

FloatArray = npt.NDArray[np.float64]


def grid_shares(done: Finished, sites: list[Json], hours: list[str]) -> dict[str, tuple[float, float]] | None:
    """Rest a day and the served share of each grid on training days; None where seats are short.

    Where all find a seat who find a station open, nobody has to be told apart: a cell is served or it is not.
    """
    inputs, demand = done.inputs, done.demand
    mask = done.masks["training"]
    weight = demand.weight(inputs.settings.weights, mask)
    rest = by_hour(demand.rest, len(demand.lonlat), mask.astype(np.float64))
    places = np.array([site["lonlat"] for site in sites]).reshape(-1, 2)
    limit_s = inputs.settings.limit_s
    near = StreetWays(inputs.network).seconds(inputs.settings.mode, demand.lonlat, places, limit_s)
    open_ = np.array([hours_of(text) for text in hours]).reshape(-1, 24)
    served = ((near <= limit_s)[:, :, None] & open_[None]).any(axis=1)
    seats = np.array([SEATS[site["kind"]] for site in sites])[:, None] * open_
    if most_served(near, limit_s, seats, weight) < weight[served].sum() - 1e-6:
        return None
    assert inputs.grids is not None
    points = shapely.points(demand.lonlat)
    taken = np.zeros(len(points), dtype=np.bool_)
    out = {}
    for code, polygon in zip(inputs.grids.codes, inputs.grids.polygons, strict=True):
        mine = shapely.intersects(polygon, points) & ~taken
        taken |= mine
        total = float(rest[mine].sum())
        out[code] = (total, float((rest * served)[mine].sum()) / total if total else 0.0)
    return out


def evenness(rows: list[tuple[float, float]]) -> tuple[float | None, float]:
    """Gini coefficient and the mean share of the worst tenth of (demand, share), by their definitions."""
    total, served = sum(w for w, _ in rows), sum(w * x for w, x in rows)
    difference = sum(w * v * abs(x - y) for (w, x), (v, y) in itertools.product(rows, rows))
    left, worst = 0.1 * total, 0.0
    for w, x in sorted(rows, key=lambda row: row[1]):
        worst += x * min(w, left)
        left -= min(w, left)
    return (difference / (2 * total * served) if served else None), worst / (0.1 * total)


def fairness_agrees(done: Finished) -> None:
    """Before and after of every grid, Gini and the worst tenth: in summary, workbook, report and map."""
    plan = [site for site in done.sites if site["plan"] in ("stay", "new")]
    today = [site for site in done.sites if site["status"] == "existing"]
    after = grid_shares(done, plan, [site["planned_hours"] or site["opening_hours"] for site in plan])
    before = grid_shares(done, today, [site["opening_hours"] for site in today])
    told, fairness = done.summary["grids"], done.summary["fairness"]
    grids = {grid.code: grid for grid in done.study.grids}
    assert list(told) == list(grids)
    for shares, key in ((before, "served_today"), (after, "served")):
        for code, (minutes, share) in (shares or {}).items():
            if minutes:
                assert told[code]["rest_min_a_day"] == pytest.approx(minutes, abs=1e-5)
                assert told[code][key] == pytest.approx(share, abs=2e-6)
    known = [row for row in told.values() if row["rest_min_a_day"]]
    for method, key in (("existing", "served_today"), ("yilu", "served")):
        gini, tenth = evenness([(row["rest_min_a_day"], row[key]) for row in known])
        assert fairness[method]["gini"] == (None if gini is None else pytest.approx(gini, abs=1e-5))
        assert fairness[method]["worst_tenth"] == pytest.approx(tenth, abs=1e-5)
        assert fairness[method]["least_share"] == min(row[key] for row in known)
        assert fairness[method]["grids"] == len(known)
    gains = [100 * (row["served"] - row["served_today"]) for row in known]
    up, down = sum(gain >= 0.1 for gain in gains), sum(gain <= -0.1 for gain in gains)
    assert (fairness["grids_gaining"], fairness["grids_losing"]) == (up, down)
    assert fairness["grids_same"] == len(known) - up - down
    say = Wording.of("en", done.study.k)
    text = html.unescape((done.folder / "report.html").read_text(encoding="utf-8"))
    counts = {"n": len(known), "gaining": up, "losing": down, "same": len(known) - up - down}
    said = Say("say.grids_gain", tuple((name, Quantity(number, "count")) for name, number in counts.items()))
    assert say.say(said) in text
    for row, method in zip(done.rows("fairness"), ("existing", "yilu"), strict=True):
        values = list(row.values())
        of = fairness[method]
        assert values[1:3] == [of["grids"], pytest.approx(of["worst_tenth"], abs=1e-6)]
        assert values[3:5] == [pytest.approx(of["least_share"], abs=1e-6), of["worst_grid"]]
    items = map_items(done, "grids")
    for row in done.rows("grids"):
        code = str(next(iter(row.values())))
        popup = dict(items[code]["r"])
        for column, key in (("served_today_share", "served_today"), ("served_share", "served")):
            # the summary has six decimals, which may lie beyond the edge of one
            shown = say.quantity(Quantity(getattr(grids[code], column), "share", redacted=True))
            assert popup[say.text(f"column.{column}")] == shown
            heading = say.text(f"column.{column}") + "\n(%)"
            if told[code][key] is not None:
                assert row[heading] == pytest.approx(told[code][key], abs=1e-6)
        gain = Quantity(grids[code].gain_points, "points", redacted=True)
        assert popup[say.text("column.gain_points")] == say.quantity(gain)


def map_items(done: Finished, name: str) -> dict[str, Any]:
    """The popups of one layer of the map, by their ids."""
    page = (done.folder / "map.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="yilu-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    layers = {layer["id"]: layer for layer in json.loads(found[1])["layers"]}
    return {item["id"]: item for part in layers[name]["parts"] for item in part["items"]}


def front_agrees(done: Finished) -> None:
    """What the plan serves, costs, and gives the worst grid, as the front has it; no point beats another."""
    front = done.summary["front"]
    plan = [site for site in done.sites if site["plan"] in ("stay", "new")]
    (mine,) = [point for point in front if point["chosen"]]
    served, _ = again(
        done, plan, [site["planned_hours"] or site["opening_hours"] for site in plan], "training"
    )
    assert mine["served_share"] == pytest.approx(served, abs=1e-5)
    assert mine["cost_yuan"] == pytest.approx(money_of(done), abs=1.0)
    assert (mine["sites"], mine["new_sites"]) == (len(plan), sum(site["plan"] == "new" for site in plan))
    # k is 1: every grid with rest counts
    shares = [row["served"] for row in done.summary["grids"].values() if row["rest_min_a_day"]]
    assert mine["worst_share"] == pytest.approx(min(shares), abs=1e-5)
    named = {name: point for point in front for name in point["names"]}
    assert set(named) == {"coverage", "fairest", "cheapest", "balanced"}
    on_front = [point for point in front if point["names"] or not point["chosen"]]
    for one, other in itertools.permutations(on_front, 2):
        worth = [(p["served_share"], -p["cost_yuan"], p["worst_share"]) for p in (one, other)]
        assert worth[0] == worth[1] or not all(a >= b for a, b in zip(*worth, strict=True)), (one, other)
    assert named["coverage"]["served_share"] == max(point["served_share"] for point in front)
    assert named["fairest"]["worst_share"] == max(point["worst_share"] for point in front)
    before = done.summary["coverage"]["existing"]
    if done.mode != "keep":
        # only rests carry weight, and the plan is the one that serves most
        assert mine is named["coverage"]
        most = named["coverage"]["served_share"]
        assert named["cheapest"]["served_share"] >= min(before["served_training"], most) - 1e-6
        budget = done.inputs.settings.budget_yuan
        assert budget is not None
        assert all(point["cost_yuan"] <= budget + 0.01 for point in front)
    for row, point in zip(done.rows("front"), front, strict=True):
        values = list(row.values())
        assert values[1] == pytest.approx(point["served_share"], abs=1e-6)
        assert values[3:5] == pytest.approx([point["cost_yuan"], point["worst_share"]], abs=1e-6)
