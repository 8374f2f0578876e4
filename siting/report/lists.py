"""Facilities and hours of stations and kinds: lists on paper, one fact a row where they are filtered."""

from collections.abc import Iterable

from siting.report.places import status_of
from siting.results import AuditFinding, Site, Study
from siting.values import Column, Quantity, Say, Table, Term, Value

__all__ = ["advised_table", "one_fact_a_row", "present_table", "tables_of_lists"]

_LISTS = {
    "sites": ("facilities",), "existing": ("missing", "busiest"), "kinds": ("hours", "facilities"),
    "forecasts": ("forecast_week_1", "forecast_week_2", "forecast_week_3", "forecast_week_4"),
}  # fmt: skip
"""Columns that hold lists, by table; `tables_of_lists` and ``forecast_values`` have their facts."""

_SEVEN = ("room", "seats", "table", "tables", "microwave", "water", "hot_water", "air_conditioning", "toilet",
          "toilets", "first_aid")  # fmt: skip
_WHY = {
    "charging": "charging", "phone_charging": "charging", "parking": "parking", "bike_parking": "parking",
    "battery_swap": "battery_swap", "smoking": "smoking", "smoking_area": "smoking", "tools": "weather",
    "rain_gear": "weather", "lockers": "lockers", "door_code": "door_code",
}  # fmt: skip
"""The reason of a facility, ``why_facility.<name>`` of the catalogue; those of the seven ones have one."""


def _why(name: str) -> str:
    return "seven" if name in _SEVEN else _WHY.get(name, "own")


def advised_table(study: Study, site: Site) -> Table:
    """Return what a suggested station shall have and why, those of one reason in a row."""
    by_reason: dict[str, list[Value]] = {}
    for name in site.facilities:
        by_reason.setdefault(_why(name), []).append(Term(f"facility.{name}"))
    rows: list[tuple[Value, ...]] = [
        (tuple(names), Say(f"why_facility.{why}")) for why, names in by_reason.items()
    ]
    kind = next((kind for kind in study.kinds if kind.name == site.kind), None)
    hours = [(minutes, -hour) for hour, minutes in enumerate(site.rest_min_by_hour) if minutes]
    if kind is not None and hours:
        minutes, hour = max(hours)
        busiest: tuple[tuple[str, Value], ...] = (
            ("hour", f"{-hour}:00"), ("minutes", Quantity(minutes, "min_a_day")),
        )  # fmt: skip
        seats = Say("say.seats", (("n", Quantity(kind.seats, "count")),))
        rows.insert(0, (seats, Say("why_facility.busiest", busiest)))
    return Table("facilities", (Column("facilities"), Column("why")), tuple(rows))


def present_table(site: Site, finding: AuditFinding | None) -> Table:
    """Return what a station of today has, and what of the usual seven it lacks; no rows where nobody said."""
    missing = () if finding is None else finding.missing_facilities
    rows = tuple(
        (Term(f"facility_state.{state}"), tuple(Term(f"facility.{name}") for name in names))
        for state, names in (("present", site.facilities), ("missing", missing))
        if names
    )
    return Table("facilities_today", (Column("facility_state"), Column("facilities")), rows)


def tables_of_lists(study: Study) -> tuple[Table, ...]:
    """Return what else stands in lists in one cell, one fact a row.

    Returns
    -------
    tuple of Table
        ``station_facilities``, ``busiest``, ``kind_facilities``, ``kind_hours``.
    """
    return _station_facilities(study), _busiest(study), _kind_facilities(study), _kind_hours(study)


def one_fact_a_row(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Leave out the columns of lists, whose facts `tables_of_lists` has."""
    return tuple(
        table.select(*(c.key for c in table.columns if c.key not in _LISTS.get(table.key, ())))
        for table in tables
    )


def _station_facilities(study: Study) -> Table:
    """Return one facility of one station a row: there, advised or missing, and why it is wanted."""
    missing = {finding.site_id: finding.missing_facilities for finding in study.audit}
    return Table(
        "station_facilities",
        (
            Column("id"),
            Column("name"),
            Column("status"),
            Column("facility"),
            Column("facility_state"),
            Column("why"),
        ),
        tuple(
            (
                site.site_id, site.name, status_of(site), Term(f"facility.{name}"),
                Term(f"facility_state.{state}"), Say(f"why_facility.{_why(name)}"),
            )
            for site in study.sites
            for state, names in (
                ("present" if site.existing else "advised", site.facilities),
                ("missing", missing.get(site.site_id, ())),
            )
            for name in names
        ),
    )  # fmt: skip


def _kind_facilities(study: Study) -> Table:
    """Return one facility of one kind of station a row, and why it is wanted."""
    return Table(
        "kind_facilities",
        (Column("kind"), Column("facility"), Column("why")),
        tuple(
            (Term(f"kind.{kind.name}"), Term(f"facility.{name}"), Say(f"why_facility.{_why(name)}"))
            for kind in study.kinds
            for name in kind.facilities
        ),
    )


def _kind_hours(study: Study) -> Table:
    """Return one choice of opening hours of one kind of station a row."""
    return Table(
        "kind_hours",
        (Column("kind"), Column("hours")),
        tuple(
            (Term(f"kind.{kind.name}"), Say("opening", (("hours", hours),)))
            for kind in study.kinds
            for hours in kind.opening_hours
        ),
    )


def _busiest(study: Study) -> Table:
    """Return one of the half hours in which most riders rest at a station a row."""
    names = {site.site_id: site.name for site in study.sites}
    return Table(
        "busiest",
        (Column("id"), Column("name"), Column("rank", "count"), Column("busiest")),
        tuple(
            (finding.site_id, names.get(finding.site_id, finding.site_id), place, half_hour)
            for finding in sorted(study.audit, key=lambda found: found.site_id)
            for place, half_hour in enumerate(finding.busiest_half_hours, start=1)
        ),
    )
