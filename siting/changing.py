"""How demand changes, as it may be shown: scenarios, plans chosen on one and judged on another, forecasts."""

import dataclasses

__all__ = ["STREET", "Changing", "Forecast", "PlanElsewhere", "RobustFigures", "ScenarioFigures"]


STREET = "street: "
"""What the series of a street begins with."""


@dataclasses.dataclass(frozen=True, slots=True)
class ScenarioFigures:
    """Demand of some days of the choice, and what the plan of the study serves of it."""

    name: str
    """``spring``, ``summer``, ``autumn``, ``winter``, ``working_days`` or ``weekend``."""
    days: int
    rest_min_a_day: float | None
    served_share: float | None
    """Of its rest, by the plan of the study."""


@dataclasses.dataclass(frozen=True, slots=True)
class PlanElsewhere:
    """A plan of as many stations, chosen on one scenario alone and judged on another."""

    chosen_on: str
    judged_on: str
    served_share: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class RobustFigures:
    """How far the plan may fall behind in its worst scenario."""

    worst: str
    """The scenario."""
    largest_regret: float | None
    """Share (0-1) of its demand in reach that the best plan for it alone reaches beyond this one, at most."""
    bound: float | None
    """No plan of as many stations has less in all scenarios."""


@dataclasses.dataclass(frozen=True, slots=True)
class Forecast:
    """Expected demand of one series in the next weeks, and how far such forecasts were off."""

    series: str
    """``rest`` or ``riding`` of the city, the code of a unit grid (its rest), or `STREET` and the name of a
    street (riding on it)."""
    method: str
    """``regression`` (Poisson, by weekday), ``regression_trend``, ``last_week`` or ``mean_of_weeks``."""
    error: float | None
    """Sum of the errors a day (0-1 of the sum) on the weeks held out; None where withheld."""
    error_last_week: float | None
    """The same by the last week known, repeated."""
    error_mean: float | None
    """By the mean of all weeks known, weekday by weekday."""
    min_a_day: tuple[float | None, ...]
    """Of each of the next weeks: rider-minutes of rest; of riding, at 15 km/h."""
    by_weekday: tuple[float | None, ...]
    """(7,) of the first of them, from Monday."""


@dataclasses.dataclass(frozen=True, slots=True)
class Changing:
    """What the days of a study tell of change."""

    weeks: int
    """Whole weeks of traces."""
    weeks_needed: int
    """For a forecast; with fewer there is none."""
    scenarios: tuple[ScenarioFigures, ...] = ()
    """Empty where days are too few to tell any two apart."""
    elsewhere: tuple[PlanElsewhere, ...] = ()
    robust: RobustFigures | None = None
    """None where the study did not ask for it."""
    weeks_held_out: int = 0
    forecasts: tuple[Forecast, ...] = ()
