"""Where a plan chosen for some days fails on others, and what demand is expected next."""

import dataclasses
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np

from geo.arrays import BoolArray, FloatArray, Int64Array
from siting.changing import STREET, Changing, Forecast, PlanElsewhere, RobustFigures, ScenarioFigures
from siting.columns import GridColumns
from siting.demand.asked import RANK, Asked, thousandths
from siting.demand.passing import RidingMinutes
from siting.demand.weighted import Demand, distinct_riders
from siting.evaluation.compare import Days, days_of, rest_share
from siting.evaluation.stability import Solver
from siting.inputs import StudySettings
from siting.plans.figures import grid_of
from siting.plans.plan import Plan
from siting.plans.served import Running, served_share
from siting.seasons.forecast import HELD_OUT_WEEKS, WEEKS_NEEDED, SeriesForecast, forecast_series
from siting.seasons.scenarios import scenarios_of
from siting.solvers.robust import RobustCover

__all__ = ["Across", "changing_demand", "scenario_days"]

_RANK = "alternative"
"""Nothing else is withheld for these figures."""


class Across(NamedTuple):
    """The plan of a study, what chooses one for other demand (None: not asked), and how robust it is.

    ``scenarios`` are those that `scenario_days` returned.
    """

    plan: Plan
    again: Solver | None
    scenarios: dict[str, Days]
    robust: RobustCover | None


def scenario_days(demand: Demand, settings: StudySettings, seen: BoolArray) -> dict[str, Days]:
    """Return the demand of each scenario that the days of the choice (d,) tell of and that has any."""
    found = {name: days_of(demand, settings, mask) for name, mask in scenarios_of(demand.days, seen).items()}
    return {name: days for name, days in found.items() if days.weight.sum() > 0}


def changing_demand(
    across: Across,
    demand: Demand,
    grids: GridColumns | None,
    settings: StudySettings,
    rng: np.random.Generator,
    asked: Asked,
    riding: RidingMinutes | None = None,
) -> Changing:
    """Judge the plan on each scenario, plans for each scenario on the others, and forecast the next weeks.

    Parameters
    ----------
    across : Across
    demand : Demand
        Of all days.
    grids : GridColumns, optional
    settings : StudySettings
    rng : numpy.random.Generator
        Of the choices for single scenarios.
    asked : Asked
        Where figures ask to be published.
    riding : RidingMinutes, optional
        Of all riders.
    """
    scenarios = _scenarios(across, asked)
    elsewhere: tuple[PlanElsewhere, ...] = ()
    if across.again is not None and len(across.scenarios) > 1:
        elsewhere = tuple(_elsewhere(across, rng, asked))
    weeks = len(demand.days) // 7
    long_enough = weeks >= WEEKS_NEEDED
    return Changing(
        weeks=weeks,
        weeks_needed=WEEKS_NEEDED,
        scenarios=scenarios,
        elsewhere=elsewhere,
        robust=None if across.robust is None else _robust(across, across.robust, settings, asked),
        weeks_held_out=HELD_OUT_WEEKS if long_enough else 0,
        forecasts=tuple(_forecasts(demand, grids, asked, riding)) if long_enough else (),
    )


def _share(stations: Running, days: Days, path: str, asked: Asked) -> float:
    """Return which share of the rest of some days is served, and ask to publish it."""
    served = served_share(stations, days.weight)
    asked.on(days.mask).share(path, "rest", thousandths(served), None, _RANK)
    return rest_share(days.rest, served)


def _scenarios(across: Across, asked: Asked) -> tuple[ScenarioFigures, ...]:
    stations, out = across.plan.in_business(), []
    for name, days in across.scenarios.items():
        path = f"scenarios/{name}"
        asked.on(days.mask).minutes(f"{path}/rest_min_a_day", "rest", None, _RANK)
        out.append(
            ScenarioFigures(
                name=name,
                days=int(days.mask.sum()),
                rest_min_a_day=float(days.rest.sum()),
                served_share=_share(stations, days, f"{path}/served_share", asked),
            )
        )
    return tuple(out)


def _elsewhere(across: Across, rng: np.random.Generator, asked: Asked) -> Iterator[PlanElsewhere]:
    if across.again is None:
        return
    for chosen_on, days in across.scenarios.items():
        answer = across.again(days.weight, rng)
        plan = dataclasses.replace(across.plan, chosen=answer.chosen, run={}).with_runs(days.weight)
        stations = plan.in_business()
        for judged_on, others in across.scenarios.items():
            path = f"elsewhere/{chosen_on}/{judged_on}/served_share"
            yield PlanElsewhere(chosen_on, judged_on, _share(stations, others, path, asked))


def _robust(across: Across, found: RobustCover, settings: StudySettings, asked: Asked) -> RobustFigures:
    names = list(across.scenarios)
    worst = names[int(np.argmax(found.regret))]
    # It tells who is reached there and who is not.
    days = across.scenarios[worst]
    reached = across.plan.in_business().in_reach
    for part in (reached, np.ones_like(reached)):
        asked.on(days.mask).weighted("robust/largest_regret", settings.weights, part, _RANK)
    return RobustFigures(worst, found.largest, found.bound)


def _forecasts(
    demand: Demand, grids: GridColumns | None, asked: Asked, riding: RidingMinutes | None
) -> Iterator[Forecast]:
    first = date.fromisoformat(demand.days[-1]).weekday() + 1
    everywhere = np.ones(len(demand.lonlat), np.bool_)
    series = {"rest": everywhere}
    if grids is not None:
        group = grid_of(tuple(grids.polygons), demand.lonlat)
        riders = distinct_riders(demand.rest, group, len(grids.codes))
        # The others would be withheld.
        enough = np.flatnonzero(riders >= asked.k).tolist()
        series |= {grids.codes[number]: group == number for number in enough}
    for name, inside in series.items():
        weeks = _weeks(demand, inside)
        if not weeks.sum() > 0:
            continue
        found = forecast_series(weeks)
        for times in _told_by(found, len(demand.days)):
            asked.on(times).minutes(f"forecasts/{name}", "rest", inside, _RANK, nobody=True)
        asked.minutes(f"forecasts/{name}", "rest", inside, _RANK)
        yield _forecast(name, found, first)
        if name == "rest" and riding is not None and riding.minutes.sum() > 0:
            yield from _riding_forecasts(demand, asked, riding)


def _riding_forecasts(demand: Demand, asked: Asked, riding: RidingMinutes) -> Iterator[Forecast]:
    first = date.fromisoformat(demand.days[-1]).weekday() + 1
    series = {"riding": (riding.minutes, np.ones(len(riding.day), np.bool_))}
    for number, name in enumerate(riding.names):
        series[f"{STREET}{name}"] = riding.street_minutes[number], riding.street == number
    for name, (minutes, mine) in series.items():
        found = forecast_series(_whole_weeks(minutes))
        for times in _told_by(found, len(demand.days)):
            row = np.where(mine, times[riding.day], 0)
            asked.figures.add(f"forecasts/{name}", "riding", row != 0, row, rank=RANK[_RANK], nobody=True)
        asked.figures.add(f"forecasts/{name}", "riding", mine, rank=RANK[_RANK])
        yield _forecast(name, found, first)


def _told_by(found: SeriesForecast, days: int) -> Iterator[Int64Array]:
    """Give the sums (days,) that a forecast tells: how often each day counts in it.

    Each weekday is expected to be like those seen, a trend tells a sum over all of them, and the errors one
    of the weeks held out and the one before.
    """
    weeks = len(found.counted)
    by_day = np.zeros((weeks, 7), np.int64)
    for number in range(7):
        now = by_day.copy()
        now[:, number] = found.counted
        yield _in_days(now, days)
    if found.trend:
        yield _in_days(by_day + (found.counted * np.arange(1, weeks + 1))[:, None], days)
    by_day[-HELD_OUT_WEEKS - 1 :] = 1
    yield _in_days(by_day, days)


def _in_days(weeks: Int64Array, days: int) -> Int64Array:
    """Return (days,) of whole weeks; those before them count never."""
    return np.concatenate([np.zeros(days - weeks.size, np.int64), weeks.ravel()])


def _forecast(name: str, found: SeriesForecast, first: int) -> Forecast:
    """Return the forecast of one series whose weeks begin so many days after Monday."""
    return Forecast(
        series=name,
        method=found.method,
        error=_number(found.error),
        error_last_week=_number(found.error_last_week),
        error_mean=_number(found.error_mean),
        min_a_day=tuple(found.days.mean(axis=1).tolist()),
        by_weekday=tuple(np.roll(found.days[0], first).tolist()),
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value


def _weeks(demand: Demand, inside: BoolArray) -> FloatArray:
    """Return minutes of rest (w, 7) of the last whole weeks; what is left over lies before them."""
    rows = inside[demand.rest.point]
    days = len(demand.days)
    minutes = np.bincount(demand.rest.day[rows], demand.rest.minutes[rows], days)
    return _whole_weeks(minutes.astype(np.float64))


def _whole_weeks(minutes: FloatArray) -> FloatArray:
    return np.asarray(minutes[len(minutes) % 7 :].reshape(-1, 7), np.float64)
