"""A finished study of a small made fleet on a real map, and its figures computed again from the raw parts."""

import dataclasses
import json
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
from siting.demand.weighted import Demand, Events, build_demand
from siting.evaluation.stability import split_days
from siting.inputs import StudyInputs
from siting.results import Study
from siting.stations.kinds import KINDS
from siting.study import run_study
from siting.travel_times import StreetWays

__all__ = [
    "MODES",
    "NEW",
    "SEATS",
    "Finished",
    "Json",
    "again",
    "hours_of",
    "money_of",
    "most_served",
    "study_of",
]

FloatArray = npt.NDArray[np.float64]
Json = dict[str, Any]
SEATS = {kind.name: 60.0 * kind.seats for kind in KINDS}
NEW = 3
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
        book = openpyxl.load_workbook(self.folder / "report.xlsx")
        annex = book[say.text("table.annex")]
        if f"yilu_{sheet}" in annex.tables:
            cells = annex[annex.tables[f"yilu_{sheet}"].ref]
            table = [tuple(cell.value for cell in row) for row in cells]
        else:
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


def money_of(done: Finished) -> float:
    """Return yuan a year of the plan: kinds and hours of all that stay or are new, closing, and moves."""
    kinds = {kind.name: kind for kind in KINDS}

    def cost(site: Json) -> float:
        kind, hours = kinds[site["kind"]], hours_of(site["planned_hours"] or site["opening_hours"])
        return float(kind.fixed_yuan + kind.hour_yuan * hours.sum())

    settings = done.inputs.settings
    total = sum(cost(site) for site in done.sites if site["plan"] in ("stay", "new"))
    for site in done.sites:
        if site["plan"] in ("close", "move"):
            total += settings.close_yuan
        if site["plan"] == "move":
            total -= settings.move_share * kinds[site["kind"]].fixed_yuan
    return total


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
