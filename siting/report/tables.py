"""The tables of a report: a Study as rows of plain values with their units.

No language and no files in here: every word is a key of the text catalogue (:class:`Term`, :class:`Say`),
every figure keeps its unit (:data:`Unit`). Nothing is computed from the study but counts of its own rows.
"""

from collections.abc import Iterable

from siting.report.fairness import fairness_table, front_table
from siting.report.learned import (
    blind_hours_table,
    blind_table,
    edits_table,
    gate_waits_table,
    meetings_table,
    patrols_table,
    speeds_table,
)
from siting.report.lists import tables_of_lists
from siting.report.places import (
    alternatives_table,
    grid_places_table,
    nearest_open_table,
    pickups_table,
    status_of,
)
from siting.report.sources import (
    files_table,
    refusal_counts_table,
    refusals_table,
    rejects_table,
    stays_table,
)
from siting.report.weeks_ahead import (
    elsewhere_table,
    forecast_table,
    forecast_values_table,
    scenarios_table,
)
from siting.results import AuditFinding, Estimate, GridFigures, HotSpot, Site, Study
from siting.values import Column, Quantity, Say, Table, Term, Unit, Value

__all__ = [
    "Column",
    "Quantity",
    "Say",
    "Table",
    "Term",
    "Unit",
    "Value",
    "existing_table",
    "grids_table",
    "hot_spots_table",
    "period_of",
    "reason_of",
    "sites_table",
    "study_tables",
]

_CLOSING_H = (20, 22, 24)


def study_tables(study: Study) -> tuple[Table, ...]:
    """Every table of the study with all columns, as the sheets of a workbook.

    Returns
    -------
    tuple of Table
        ``facts``, ``layers``, ``sites``, ``kinds``, ``hours``, ``existing``, ``hot_spots``, ``pickups``,
        ``alternatives``, ``grids``, ``grid_places``, ``nearest_open``, ``station_facilities``, ``busiest``,
        ``kind_facilities``, ``kind_hours``, ``fairness``, ``coverage``, ``estimates``, ``budget``, ``front``,
        ``refusals``, ``refusal_counts``, ``files``, ``rejects``, ``stays``, ``speeds``, ``scenarios``,
        ``elsewhere``, ``forecasts``, ``forecast_values``, ``gate_waits``, ``map_edits``, ``blind``,
        ``blind_hours``, ``patrols``, ``meetings``; always all of them, some may have no rows.
    """
    return (
        _facts(study),
        _layers(study),
        sites_table(study.sites),
        _kinds(study),
        _hours(study),
        existing_table(study, study.audit),
        hot_spots_table(study, study.hot_spots),
        pickups_table(study.pickups),
        alternatives_table(study, study.alternatives),
        grids_table(study.grids),
        grid_places_table(study),
        nearest_open_table(study, study.sites).select(
            "id", "name", "other_station", "nearest_s", "hours", "open_together"
        ),
        *tables_of_lists(study),
        fairness_table(study),
        _coverage(study),
        _estimates(study),
        _budget(study),
        front_table(study),
        refusals_table(study),
        refusal_counts_table(study),
        files_table(study),
        rejects_table(study),
        stays_table(study),
        speeds_table(study),
        scenarios_table(study),
        elsewhere_table(study),
        forecast_table(study),
        forecast_values_table(study),
        gate_waits_table(study),
        edits_table(study),
        blind_table(study),
        blind_hours_table(study),
        patrols_table(study),
        meetings_table(study),
    )


def _coverage(study: Study) -> Table:
    return Table(
        "coverage",
        (
            Column("method"),
            Column("sites_count", "count"),
            Column("served_training", "share", redacted=True),
            *((Column("served_held_out", "share", redacted=True),) if study.held_out_days else ()),
            Column("in_reach_training", "share", redacted=True),
            *((Column("in_reach_held_out", "share", redacted=True),) if study.held_out_days else ()),
        ),
        tuple(
            (
                *(Term(f"method.{c.method}"), c.sites, c.served_training),
                *((c.served_held_out,) if study.held_out_days else ()),
                c.in_reach_training,
                *((c.in_reach_held_out,) if study.held_out_days else ()),
            )
            for c in study.coverage
        ),
    )


def _budget(study: Study) -> Table:
    return Table(
        "budget",
        (
            Column("cost_yuan", "yuan"),
            Column("sites_count", "count"),
            Column("new_sites", "count"),
            Column("weighted_share", "share", redacted=True),
            Column("gap", "share"),
        ),
        tuple((b.cost_yuan, b.sites, b.new_sites, b.served_share, b.gap) for b in study.budget_curve),
    )


def _estimates(study: Study) -> Table:
    """Tell what is served today and under the plan, with the range that resamples give."""
    rows: dict[tuple[str, str], dict[str, Estimate]] = {}
    for row in study.estimates:
        rows.setdefault((row.method, row.days), {})[row.measure] = row
    measures: tuple[tuple[str, Unit], ...] = (("served_share", "share"), ("served_min_a_day", "min_a_day"))
    return Table(
        "estimates",
        (
            Column("method"),
            Column("days_kind"),
            *(
                Column(key, unit, redacted=True)
                for measure, unit in measures
                for key in (f"{measure}_value", f"{measure}_low", f"{measure}_high")
            ),
        ),
        tuple(
            (
                Term(f"method.{method}"),
                Term(f"days_kind.{days}"),
                *(
                    getattr(found[measure], part) if measure in found else None
                    for measure, _ in measures
                    for part in ("value", "low", "high")
                ),
            )
            for (method, days), found in rows.items()
        ),
    )


def _facts(study: Study) -> Table:
    match = study.matching
    rows: list[tuple[Value, ...]] = [
        (Term("fact.title"), study.title),
        (Term("fact.city"), study.city),
        (Term("fact.period"), period_of(study)),
        (Term("fact.days"), Quantity(study.days, "count")),
        (Term("fact.held_out_days"), Quantity(study.held_out_days, "count")),
        (Term("fact.timezone"), study.timezone),
        (Term("fact.data_kind"), Term("data_kind.synthetic" if study.synthetic else "data_kind.recorded")),
        (Term("fact.k"), Quantity(study.k, "count")),
        (Term("fact.mode"), Term(f"mode.{study.mode}")),
        (Term("fact.limit"), Quantity(study.limit_s, "s")),
        (Term("fact.riders"), Quantity(study.riders, "count", redacted=True)),
        (Term("fact.stay_points"), Quantity(study.stay_points, "count", redacted=True)),
        (Term("fact.demand"), Quantity(study.demand_min_a_day, "min_a_day", redacted=True)),
        (Term("fact.sites_existing"), Quantity(sum(site.existing for site in study.sites), "count")),
        *_going(study),
        (Term("fact.sites_suggested"), Quantity(sum(not site.existing for site in study.sites), "count")),
        (Term("fact.pickups"), Quantity(len(study.pickups), "count")),
        (Term("fact.solver"), Term(f"solver.{study.solution.status}")),
        (Term("fact.gap"), Quantity(study.solution.gap, "share")),
        (Term("fact.seed"), str(study.seed)),
    ]
    if match is not None:
        rows += [
            (Term("fact.matched"), Quantity(match.matched, "count")),
            (Term("fact.refused"), Quantity(match.refused, "count")),
            (Term("fact.median_extra"), Quantity(match.median_extra_s, "s")),
            (Term("fact.late"), Quantity(match.late_deliveries, "count")),
        ]
    rows.append((Term("fact.attribution"), study.map_attribution))
    return Table("facts", (Column("fact"), Column("value")), tuple(rows))


def _going(study: Study) -> list[tuple[Value, ...]]:
    """How many stations of today the plan closes or moves, and from when, where it may."""
    if study.existing_stations == "keep":
        return []
    return [
        *(
            (Term(f"fact.sites_{key}"), Quantity(sum(site.plan == plan for site in study.sites), "count"))
            for key, plan in (("closing", "close"), ("moving", "move"))
        ),
        (
            Term("fact.closed_from"),
            Term("closing_day.open")
            if study.closed_from is None
            else Say("say.day", (("day", study.closed_from),)),
        ),
    ]


def sites_table(sites: Iterable[Site]) -> Table:
    """Stations, existing and suggested alike, with all their columns."""
    return Table(
        "sites",
        (
            Column("id"),
            Column("name"),
            Column("status"),
            Column("kind"),
            Column("street"),
            Column("hours"),
            Column("planned_hours"),
            Column("moves_to"),
            Column("rest", "min_a_day", redacted=True),
            Column("only_here", "share", redacted=True),
            Column("chosen", "share"),
            *(Column(f"until_{closing}", "hours_a_day", redacted=True) for closing in _CLOSING_H),
            Column("longer", "hours_a_day", redacted=True),
            Column("due", "min_a_day", redacted=True),
            Column("passing", "a_day"),
            Column("cost_yuan", "yuan"),
            Column("facilities"),
            Column("reason"),
            Column("lon", "degrees"),
            Column("lat", "degrees"),
        ),
        tuple(
            (
                site.site_id, site.name, status_of(site), Term(f"kind.{site.kind}"), site.street,
                _opening(site.opening_hours),
                None if site.planned_hours is None else _opening(site.planned_hours),
                site.moves_to, site.rest_min_a_day,
                site.only_here_share, site.chosen_share, *_until(site), site.extra_rest_hours_if_longer,
                site.due_break_min_a_day, site.passing_riders_a_day, site.cost_yuan,
                _facilities(site.facilities), reason_of(site.reason), *site.lonlat,
            )
            for site in sites
        ),
    )  # fmt: skip


def _until(site: Site) -> tuple[float | None, ...]:
    gains = dict(site.until)
    return tuple(gains.get(closing) for closing in _CLOSING_H)


def _layers(study: Study) -> Table:
    return Table(
        "layers",
        (
            Column("layer"),
            Column("weight"),
            Column("limit", "s"),
            Column("riders", "count", redacted=True),
            Column("demand", "min_a_day", redacted=True),
            Column("served_share", "share", redacted=True),
            Column("in_reach_share", "share", redacted=True),
        ),
        tuple(
            (Term(f"demand_layer.{layer.name}"), f"{layer.weight:g}", layer.limit_s)
            # passing riders of no weight are not counted at all
            + (("", "", "", "") if layer.name == "passing" and layer.weight == 0
               else (layer.riders, layer.min_a_day, layer.served_share, layer.in_reach_share))
            for layer in study.layers
        ),
    )  # fmt: skip


def _kinds(study: Study) -> Table:
    return Table(
        "kinds",
        (
            Column("kind"),
            Column("seats", "count"),
            Column("fixed_yuan", "yuan"),
            Column("yuan_an_hour", "yuan"),
            Column("cost_source"),
            Column("hours"),
            Column("facilities"),
        ),
        tuple(
            (
                Term(f"kind.{kind.name}"),
                kind.seats,
                kind.fixed_yuan,
                kind.hour_yuan,
                Term("cost_source.assumed" if kind.assumed else "cost_source.own"),
                tuple(_opening(hours) for hours in kind.opening_hours),
                _facilities(kind.facilities),
            )
            for kind in study.kinds
        ),
    )


def hot_spots_table(study: Study, spots: Iterable[HotSpot]) -> Table:
    """Places where rests are dense, each with the station of the plan in reach."""
    sites = {site.site_id: site.name for site in study.sites}
    return Table(
        "hot_spots",
        (
            Column("id"),
            Column("name"),
            Column("demand", "min_a_day", redacted=True),
            Column("riders", "count", redacted=True),
            Column("radius", "m"),
            Column("in_reach_of"),
            Column("lon", "degrees"),
            Column("lat", "degrees"),
        ),
        tuple(
            (
                spot.spot_id, spot.name, spot.rest_min_a_day, spot.riders, spot.radius_m,
                f"{spot.site_id} {sites.get(spot.site_id, '')}".strip() or None, *spot.lonlat,
            )
            for spot in spots
        ),
    )  # fmt: skip


def _hours(study: Study) -> Table:
    """Return what each station serves in each hour, one hour a row."""
    return Table(
        "hours",
        (
            Column("id"),
            Column("name"),
            Column("status"),
            Column("hour"),
            Column("rest_in_hour", "min_a_day", redacted=True),
        ),
        tuple(
            (site.site_id, site.name, status_of(site), f"{hour:02d}:00", minutes)
            for site in study.sites
            for hour, minutes in enumerate(site.rest_min_by_hour)
        ),
    )


def existing_table(study: Study, findings: Iterable[AuditFinding]) -> Table:
    """Audit findings in order of rank, each with its station's own figures."""
    sites = {site.site_id: site for site in study.sites}

    def row(finding: AuditFinding) -> tuple[Value, ...]:
        site = sites.get(finding.site_id)
        lon, lat = finding.move_to if finding.move_to is not None else (None, None)
        overlap = sites.get(finding.overlap_site_id or "")
        return (
            finding.rank,
            finding.site_id,
            site.name if site else finding.site_id,
            Term(f"kind.{site.kind}") if site else None,
            _opening(site.opening_hours) if site else None,
            Term(f"action.{finding.action}"),
            reason_of(finding.reason),
            finding.visits_a_day,
            finding.visitors_a_day,
            finding.check_ins_a_day,
            finding.check_in_weeks or None,
            site.rest_min_a_day if site else None,
            site.only_here_share if site else None,
            finding.gain_rest_hours_a_day,
            _opening(finding.better_hours) if finding.better_hours is not None else None,
            overlap.name if overlap else finding.overlap_site_id,
            finding.overlap_share,
            _facilities(finding.missing_facilities),
            tuple(finding.busiest_half_hours),
            lon,
            lat,
        )

    return Table(
        "existing",
        (
            Column("rank", "count"),
            Column("id"),
            Column("name"),
            Column("kind"),
            Column("hours"),
            Column("action"),
            Column("reason"),
            Column("visits", "a_day", redacted=True),
            Column("visitors", "a_day", redacted=True),
            Column("check_ins", "a_day"),
            Column("check_in_weeks", "count"),
            Column("rest", "min_a_day", redacted=True),
            Column("only_here", "share", redacted=True),
            Column("gain", "hours_a_day"),
            Column("better_hours"),
            Column("overlap_site"),
            Column("overlap_share", "share"),
            Column("missing"),
            Column("busiest"),
            Column("move_lon", "degrees"),
            Column("move_lat", "degrees"),
        ),
        tuple(row(finding) for finding in sorted(findings, key=lambda f: (f.rank, f.site_id))),
    )


def grids_table(grids: Iterable[GridFigures]) -> Table:
    """Return unit grids with all their columns."""
    return Table(
        "grids",
        (
            Column("code"),
            Column("name"),
            Column("riders", "count", redacted=True),
            Column("demand", "min_a_day", redacted=True),
            Column("served_today_share", "share", redacted=True),
            Column("served_share", "share", redacted=True),
            Column("gain_points", "points", redacted=True),
            Column("in_reach_share", "share", redacted=True),
            Column("nearest"),
            Column("nearest_s", "s"),
        ),
        tuple(
            (
                grid.code,
                grid.name,
                grid.riders,
                grid.rest_min_a_day,
                grid.served_today_share,
                grid.served_share,
                grid.gain_points,
                grid.in_reach_share,
                grid.station_id or None,
                grid.station_s,
            )
            for grid in grids
        ),
    )


def period_of(study: Study) -> Say:
    """First and last day of the study as a sentence part."""
    first, last = study.period
    return Say("say.period", (("first", first), ("last", last)))


def _opening(hours: str) -> Value:
    return Say("opening", (("hours", hours),))


def _facilities(names: Iterable[str]) -> tuple[Value, ...]:
    return tuple(Term(f"facility.{name}") for name in names)


def reason_of(reason: tuple[str, tuple[tuple[str, str], ...]]) -> Say:
    """Make a sentence of a reason of the study."""
    key, params = reason
    return Say(f"reason.{key}", tuple(params))
