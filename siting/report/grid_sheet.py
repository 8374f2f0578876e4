"""The report on one unit grid, for the member of grid staff who answers for it."""

import math

import shapely

from geo.errors import InputError
from siting.report.one_station import station_called
from siting.report.places import in_minutes, pickups_table
from siting.report.report import k_rule, subtitle
from siting.report.sections import Section, StudyReport
from siting.report.tables import existing_table, hot_spots_table, reason_of, sites_table
from siting.results import GridFigures, Ring, Study
from siting.values import Column, Quantity, Say, Table, Term, Value

__all__ = ["grid_report"]


def grid_report(study: Study, code: str) -> StudyReport:
    """Report on one unit grid, for the member of grid staff who answers for it: two pages.

    Parameters
    ----------
    study
        The study.
    code
        Code of the unit grid, as text.

    Raises
    ------
    InputError
        If the study has no unit grid of that code.
    """
    grid = next((grid for grid in study.grids if grid.code == code), None)
    if grid is None:
        raise InputError(
            f"the study has no unit grid with the code {code!r}; it has {len(study.grids)} unit grids"
        )
    called: Value = grid.name or Say("say.grid_called", (("code", grid.code),))
    sections = (
        Section(
            "grid_facts",
            (
                Say("say.grid_purpose", (("grid", called),)),
                *_served_by(study, grid),
                *((Say("say.synthetic_short"),) if study.synthetic else ()),
            ),
            (_facts(grid),),
            ("map",),
        ),
        Section("grid_asks", tables=(_asks(study, grid),)),
        *_places(study, grid),
        Section("grid_notes", (k_rule(study), Say("say.sources", (("attribution", study.map_attribution),)))),
    )
    return StudyReport(
        Say("say.title_grid", (("grid", called), ("code", grid.code))),
        subtitle(study),
        sections,
        grid_code=code,
    )


def _served_by(study: Study, grid: GridFigures) -> tuple[Say, ...]:
    """Say which station serves the grid, how far it is, and when it is open."""
    site = next((site for site in study.sites if site.site_id == grid.station_id), None)
    if site is None:
        return (Say("say.grid_no_station"),)
    said: tuple[tuple[str, Value], ...] = (
        ("called", station_called(site)),
        ("status", Term(f"status.{'existing' if site.existing else 'suggested'}")),
        ("mode", Term(f"mode.{study.mode}")),
        ("way", in_minutes(grid.station_s)),
        ("hours", Say("opening", (("hours", site.planned_hours or site.opening_hours),))),
    )
    limit = in_minutes(study.limit_s)
    if grid.station_s is not None and grid.station_s > study.limit_s:
        # rounded up: "about 3 minutes, beyond the limit of 3 minutes" is no reason
        over = ("way", Quantity(60 * math.ceil(grid.station_s / 60), "s"))
        far = (*(over if key == "way" else (key, value) for key, value in said), ("limit", limit))
        return (Say("say.grid_station_far", far),)
    return (Say("say.grid_station", said),)


def _facts(grid: GridFigures) -> Table:
    return Table(
        "grid_facts",
        (Column("fact"), Column("value")),
        (
            (Term("fact.grid_code"), grid.code),
            *([(Term("fact.grid_name"), grid.name)] if grid.name else []),
            (Term("fact.riders"), Quantity(grid.riders, "count", redacted=True)),
            (Term("fact.rest"), Quantity(grid.rest_min_a_day, "min_a_day", redacted=True)),
            (Term("fact.served_today"), Quantity(grid.served_today_share, "share", redacted=True)),
            (Term("fact.served"), Quantity(grid.served_share, "share", redacted=True)),
            (Term("fact.in_reach"), Quantity(grid.in_reach_share, "share", redacted=True)),
        ),
    )


def _places(study: Study, grid: GridFigures) -> tuple[Section, ...]:
    """Return what stands or is suggested in the grid; one sentence for all that is not there."""
    here = tuple(site for site in study.sites if site.site_id in grid.site_ids)
    suggested = tuple(site for site in here if not site.existing)
    audit = tuple(finding for finding in study.audit if finding.site_id in grid.site_ids)
    pickups = tuple(point for point in study.pickups if point.pickup_id in grid.pickup_ids)
    spots = tuple(spot for spot in study.hot_spots if _inside(grid.rings, spot.lonlat))
    found = {
        "suggested": sites_table(suggested).select("id", "name", "kind", "hours", "rest", "reason"),
        "existing": existing_table(study, audit).select(
            "id", "name", "action", "better_hours", "missing", "reason"
        ),
        "hot_spots": hot_spots_table(study, spots).select("id", "name", "demand", "riders", "in_reach_of"),
        "pickups": pickups_table(pickups).select(
            "id", "compound", "kind", "drop_offs", "saved", "walk_median"
        ),
    }
    there = tuple(Section(key, tables=(table,)) for key, table in found.items() if table.rows)
    missing = tuple(Term(f"section.{key}") for key, table in found.items() if not table.rows)
    if not missing:
        return there
    return (*there, Section("grid_others", (Say("say.grid_nothing", (("what", missing),)),)))


def _inside(rings: tuple[Ring, ...], lonlat: tuple[float, float]) -> bool:
    """Tell whether a place lies in an area of outer rings, its border included."""
    return any(shapely.Polygon(ring).intersects(shapely.Point(lonlat)) for ring in rings)


def _asks(study: Study, grid: GridFigures) -> Table:
    """Return what the grid's staff are asked to do, and for which places."""
    here = [site for site in study.sites if site.site_id in grid.site_ids]
    findings = {finding.site_id: finding for finding in study.audit}
    rows: list[tuple[Value, ...]] = [
        (f"{site.site_id} {site.name}", Say("say.grid_ask_visit")) for site in here if not site.existing
    ]
    for site in here:
        finding = findings.get(site.site_id)
        if finding is not None and finding.action != "keep":
            said = (("action", Term(f"action.{finding.action}")), ("reason", reason_of(finding.reason)))
            rows.append((f"{site.site_id} {site.name}", Say("say.grid_ask_existing", said)))
    if grid.pickup_ids:
        rows.append((Say("say.ids", (("ids", grid.pickup_ids),)), Say("say.grid_ask_pickups")))
    unserved = tuple(
        spot.spot_id for spot in study.hot_spots if not spot.site_id and _inside(grid.rings, spot.lonlat)
    )
    if unserved:
        rows.append((Say("say.ids", (("ids", unserved),)), Say("say.grid_ask_spots")))
    rows.append((Term("asked.everywhere"), Say("say.grid_ask_tell")))
    return Table("grid_asks", (Column("where"), Column("what")), tuple(rows))
