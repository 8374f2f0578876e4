"""What a report says of seasons, parts of the week and the weeks to come."""

from geo.localtime import WEEKDAYS
from siting.changing import STREET, Forecast
from siting.results import Study
from siting.values import Column, Quantity, Say, Table, Term, Value

__all__ = ["about_changing", "elsewhere_table", "forecast_table", "forecast_values_table", "scenarios_table"]


CITY = ("rest", "riding")
"""Series of the whole city; the others are those of unit grids and of streets."""


def about_changing(study: Study) -> tuple[Say, ...]:
    """Say where the plan serves least, what it could be behind there, and how good forecasts are."""
    found = study.changing
    if found is None:
        return ()
    out = []
    shares = {one.name: one.served_share for one in found.scenarios if one.served_share is not None}
    if len(shares) > 1:
        ends = {
            "low": min(shares, key=lambda name: shares[name]),
            "high": max(shares, key=lambda n: shares[n]),
        }
        facts: dict[str, Value] = {}
        for end, name in ends.items():
            facts[end] = Term(f"scenario.{name}")
            facts[f"{end}_share"] = Quantity(shares[name], "share")
        out.append(Say("say.scenarios", tuple(facts.items())))
    if found.robust is not None:
        stated: dict[str, Value] = {
            "worst": Term(f"scenario.{found.robust.worst}"),
            "regret": Quantity(found.robust.largest_regret, "share", redacted=True),
            "bound": Quantity(found.robust.bound, "share", redacted=True),
        }
        out.append(Say("say.robust", tuple(stated.items())))
    city = next((one for one in found.forecasts if one.series == "rest"), None)
    if city is not None:
        weeks = ("weeks", Quantity(found.weeks_held_out, "count"))
        out.append(Say("say.forecast", (weeks, *_errors(city))))
        flow = next((one for one in found.forecasts if one.series == "riding"), None)
        if flow is not None:
            out.append(Say("say.forecast_riding", _errors(flow)))
    elif found.weeks < found.weeks_needed:
        few = {"weeks": Quantity(found.weeks, "count"), "needed": Quantity(found.weeks_needed, "count")}
        out.append(Say("say.forecast_few", tuple(few.items())))
    return tuple(out)


def _errors(row: Forecast) -> tuple[tuple[str, Value], ...]:
    """Return how far forecasts of a series were off, and what plainer ones give."""
    return (
        ("error", Quantity(row.error, "share")),
        ("last", Quantity(row.error_last_week, "share")),
        ("mean", Quantity(row.error_mean, "share")),
    )


def scenarios_table(study: Study) -> Table:
    """Demand and share served by season and part of the week."""
    rows = () if study.changing is None else study.changing.scenarios
    return Table(
        "scenarios",
        (
            Column("scenario"),
            Column("scenario_days", "count"),
            Column("rest", "min_a_day", redacted=True),
            Column("served_share", "share", redacted=True),
        ),
        tuple((Term(f"scenario.{row.name}"), row.days, row.rest_min_a_day, row.served_share) for row in rows),
    )


def elsewhere_table(study: Study) -> Table:
    """Share served by plans that were chosen on one season or part of the week, in each of them."""
    rows = () if study.changing is None else study.changing.elsewhere
    return Table(
        "elsewhere",
        (Column("chosen_on"), Column("judged_on"), Column("served_share", "share", redacted=True)),
        tuple(
            (Term(f"scenario.{row.chosen_on}"), Term(f"scenario.{row.judged_on}"), row.served_share)
            for row in rows
        ),
    )


def forecast_table(study: Study) -> Table:
    """List rest (of city and unit grids) and riding (of city and streets) of the next weeks, with errors."""
    rows = () if study.changing is None else study.changing.forecasts
    weeks = max((len(row.min_a_day) for row in rows), default=0)
    return Table(
        "forecasts",
        (
            Column("forecast_of"),
            Column("forecast_method"),
            *(Column(f"forecast_week_{number + 1}", "min_a_day") for number in range(weeks)),
            Column("forecast_error", "share"),
            Column("forecast_error_last", "share"),
            Column("forecast_error_mean", "share"),
        ),
        tuple(
            (
                _series(row),
                Term(f"forecast_method.{row.method}"),
                *row.min_a_day,
                *(row.error, row.error_last_week, row.error_mean),
            )
            for row in rows
        ),
    )


def forecast_values_table(study: Study) -> Table:
    """Return one expected figure a row: the mean of a week to come, or a day of the first of them."""
    rows = () if study.changing is None else study.changing.forecasts
    return Table(
        "forecast_values",
        (Column("forecast_of"), Column("forecast_time"), Column("forecast_value", "min_a_day")),
        tuple(
            (_series(row), Term(f"forecast_time.{when}"), value)
            for row in rows
            for when, value in (
                *((f"week_{number}", value) for number, value in enumerate(row.min_a_day, start=1)),
                *zip(WEEKDAYS, row.by_weekday, strict=True),
            )
        ),
    )


def _series(row: Forecast) -> Value:
    return Term(f"forecast_of.{row.series}") if row.series in CITY else row.series.removeprefix(STREET)
