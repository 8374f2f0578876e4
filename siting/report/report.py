"""What a report says: a Study as sections of sentences and plain tables with their units.

No language and no files in here; ``maps.documents.write`` sets it on paper.
"""

import dataclasses

from geo.errors import InputError
from siting.report.fairness import about_front, about_grids, chosen_jointly, how_chosen
from siting.report.learned import about_learned
from siting.report.tables import (
    Column,
    Quantity,
    Say,
    Table,
    Term,
    Unit,
    Value,
    existing_table,
    grids_table,
    hot_spots_table,
    period_of,
    pickups_table,
    sites_table,
    study_tables,
)
from siting.results import GridFigures, Site, Study

__all__ = [
    "Column",
    "Quantity",
    "Say",
    "Section",
    "StudyReport",
    "Table",
    "Term",
    "Unit",
    "Value",
    "grid_report",
    "study_report",
    "study_tables",
]


SPOTS_SHOWN = 12
"""Hot spots in a report; the workbook has all."""
EVENING_H = 22
"""Riders work until about 22:00, many stations shut at 18:00 (DOMAIN.md)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """One numbered section of a report: sentences, then pictures, then tables."""

    key: str
    paragraphs: tuple[Say, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[str, ...] = ()
    """Names of pictures: ``map``, ``hours``, ``coverage``, ``budget`` or ``front``."""


@dataclasses.dataclass(frozen=True, slots=True)
class StudyReport:
    """All that one document says, in its order."""

    title: Say
    subtitle: Say
    sections: tuple[Section, ...]
    grid_code: str | None = None
    """The unit grid it is about; None for the whole study."""


def study_report(study: Study) -> StudyReport:
    """Report on the whole study, for the office that decides."""
    tables = {table.key: table for table in study_tables(study)}
    suggested = tuple(site for site in study.sites if not site.existing)
    existing = tuple(site for site in study.sites if site.existing)
    sections = [
        Section("purpose", (Say("say.purpose", (("city", study.city),)),), (tables["facts"],)),
        Section("data", _about_data(study), (tables["files"], tables["rejects"], tables["stays"])),
        Section("method", _about_method(study), tuple(t for t in (tables["kinds"],) if t.rows)),
        Section(
            "findings",
            _findings(study),
            tuple(
                tables[key] for key in ("layers", "coverage", "budget", "refusal_counts") if tables[key].rows
            ),
            (*(["coverage"] if study.coverage else []), *(["budget"] if study.budget_curve else [])),
        ),
        *_front(study, tables["front"]),
        *_hot_spots(study),
        Section(
            "suggested",
            (Say("say.suggested", (("n", Quantity(len(suggested), "count")),)), *_until(suggested))
            if suggested
            else (Say("say.no_suggested"),),
            (
                sites_table(suggested).select(
                    "id", "name", "kind", "hours", "rest", "until_22", "chosen", "reason"
                ),
            )
            if suggested
            else (),
            ("map", "hours") if suggested else ("map",),
        ),
        Section(
            "existing",
            (Say("say.existing", (("n", Quantity(len(existing), "count")),)), *_existing_plan(study))
            if existing
            else (Say("say.no_existing"),),
            (
                tables["existing"].select(
                    "rank", "id", "name", "action", "visits", "gain", "better_hours", "reason"
                ),
            )
            if study.audit
            else (),
        ),
        Section(
            "pickups",
            (Say("say.pickups", (("n", Quantity(len(study.pickups), "count")),)), Say("say.pickups_how"))
            if study.pickups
            else (Say("say.no_pickups"),),
            (
                tables["pickups"].select(
                    "id", "compound", "kind", "drop_offs", "saved", "walk_median", "gates"
                ),
            )
            if study.pickups
            else (),
        ),
    ]
    if study.grids:
        busy = tuple(g for g in study.grids if g.riders is not None or g.site_ids or g.pickup_ids)
        counts = (("n", Quantity(len(study.grids), "count")), ("shown", Quantity(len(busy), "count")))
        told = grids_table(busy).select(
            "code", "name", "demand", "served_today_share", "served_share", "gain_points", "site_ids",
            "pickup_ids",
        )  # fmt: skip
        tables_shown = tuple(t for t in (tables["fairness"], told) if t.rows)
        sections.append(Section("grids", (Say("say.grids", counts), *about_grids(study)), tables_shown))
    if said := about_learned(study):
        taught = [tables[key] for key in ("speeds", "blind", "patrols", "meetings")]
        sections.append(Section("learned", said, tuple(table for table in taught if table.rows)))
    sections.append(Section("limits", _limits(study)))
    sections.append(Section("sources", (Say("say.sources", (("attribution", study.map_attribution),)),)))
    return StudyReport(Say("say.title_study", (("title", study.title),)), _subtitle(study), tuple(sections))


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
    here = tuple(site for site in study.sites if site.site_id in grid.site_ids)
    suggested = tuple(site for site in here if not site.existing)
    audit = tuple(finding for finding in study.audit if finding.site_id in grid.site_ids)
    pickups = tuple(point for point in study.pickups if point.pickup_id in grid.pickup_ids)
    facts = _grid_facts(grid, len(suggested), len(here) - len(suggested), len(pickups))
    sections = (
        Section("grid_facts", (Say("say.grid_purpose", (("grid", called),)),), (facts,), ("map",)),
        Section(
            "suggested",
            () if suggested else (Say("say.grid_no_suggested"),),
            (sites_table(suggested).select("id", "name", "kind", "hours", "rest", "reason"),)
            if suggested
            else (),
        ),
        Section(
            "existing",
            () if audit else (Say("say.grid_no_existing"),),
            (
                existing_table(study, audit).select(
                    "id", "name", "action", "better_hours", "missing", "reason"
                ),
            )
            if audit
            else (),
        ),
        Section(
            "pickups",
            () if pickups else (Say("say.grid_no_pickups"),),
            (pickups_table(pickups).select("id", "compound", "kind", "drop_offs", "saved", "walk_median"),)
            if pickups
            else (),
        ),
        Section(
            "limits",
            (
                _k_rule(study),
                *((Say("say.synthetic"),) if study.synthetic else ()),
                Say("say.sources", (("attribution", study.map_attribution),)),
            ),
        ),
    )
    return StudyReport(
        Say("say.title_grid", (("grid", called), ("code", grid.code))),
        _subtitle(study),
        sections,
        grid_code=code,
    )


def _grid_facts(grid: GridFigures, suggested: int, existing: int, pickups: int) -> Table:
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
            (Term("fact.sites_suggested"), Quantity(suggested, "count")),
            (Term("fact.sites_existing"), Quantity(existing, "count")),
            (Term("fact.pickups"), Quantity(pickups, "count")),
        ),
    )


def _front(study: Study, table: Table) -> tuple[Section, ...]:
    said = about_front(study)
    shown = table.select(
        "front_plan", "weighted_share", "given_up", "cost_yuan", "worst_share", "new_sites", "end_gap"
    )
    return (Section("front", said, (shown,), ("front",)),) if said else ()


def _hot_spots(study: Study) -> tuple[Section, ...]:
    if not study.hot_spots:
        return ()
    return (
        Section(
            "hot_spots",
            (
                Say(
                    "say.hot_spots",
                    (
                        ("n", Quantity(len(study.hot_spots), "count")),
                        ("shown", Quantity(min(SPOTS_SHOWN, len(study.hot_spots)), "count")),
                    ),
                ),
            ),
            (
                hot_spots_table(study, study.hot_spots[:SPOTS_SHOWN]).select(
                    "id", "name", "demand", "riders", "radius", "in_reach_of"
                ),
            ),
        ),
    )


def _until(sites: tuple[Site, ...]) -> tuple[Say, ...]:
    """Say what opening in the evening is worth, from the published hours of all suggested stations."""
    gains = [
        gain for site in sites for closing, gain in site.until if closing == EVENING_H and gain is not None
    ]
    if not gains:
        return ()
    hours: tuple[str, Value] = ("gain", Quantity(sum(gains), "hours_a_day"))
    return (Say("say.until_evening", (hours, ("sites", Quantity(len(gains), "count")))),)


def _about_data(study: Study) -> tuple[Say, ...]:
    said = [
        Say(
            "say.data",
            (
                ("period", period_of(study)),
                ("days", Quantity(study.days, "count")),
                ("riders", Quantity(study.riders, "count", redacted=True)),
                ("stays", Quantity(study.stay_points, "count", redacted=True)),
            ),
        )
    ]
    if study.synthetic:
        said.append(Say("say.synthetic"))
    if study.accounts:
        read = sum(account.read for account in study.accounts)
        accepted = sum(account.accepted for account in study.accounts)
        said.append(
            Say("say.rows", (("read", Quantity(read, "count")), ("accepted", Quantity(accepted, "count")),
                             ("rejected", Quantity(read - accepted, "count"))))
        )  # fmt: skip
    if study.moving_km_on_streets is not None:
        said.append(Say("say.on_streets", (("share", Quantity(study.moving_km_on_streets, "share")),)))
    if study.silent_rest_share:
        said.append(Say("say.silent_rests", (("share", Quantity(study.silent_rest_share, "share")),)))
    said += [Say(key, params) for key, params in study.input_notes]
    said.append(_k_rule(study))
    return tuple(said)


def _about_method(study: Study) -> tuple[Say, ...]:
    limit: tuple[tuple[str, Value], ...] = (
        ("limit", Quantity(study.limit_s, "s")),
        ("mode", Term(f"mode.{study.mode}")),
    )
    return (
        Say("say.method_stays"),
        Say("say.method_reach", limit),
        how_chosen(study),
        Say("say.method_checks", (("held_out", Quantity(study.held_out_days, "count")),))
        if study.held_out_days
        else Say("say.method_checks_resampled"),
        *((Say("say.costs_assumed"),) if any(kind.assumed for kind in study.kinds) else ()),
    )


def _existing_plan(study: Study) -> tuple[Say, ...]:
    """How the advice stands to the plan, and how long what closes or moves stays open."""
    if study.existing_stations == "keep":
        return (Say("say.existing_kept"),)
    going = tuple(site for site in study.sites if site.plan in ("close", "move"))
    if not going:
        return (Say("say.existing_planned"), Say("say.existing_none_goes"))
    said: tuple[tuple[str, Value], ...] = (
        ("closing", Quantity(sum(site.plan == "close" for site in going), "count")),
        ("moving", Quantity(sum(site.plan == "move" for site in going), "count")),
    )
    if study.closed_from is None:
        return (Say("say.existing_planned"), Say("say.existing_stand", said))
    return (
        Say("say.existing_planned"),
        Say("say.existing_stand_until", (*said, ("day", Say("say.day", (("day", study.closed_from),))))),
    )


def _ranges(study: Study) -> tuple[Say, ...]:
    """Say what other days and riders might have shown, in the words of a committee."""
    shares = {
        row.days: row for row in study.estimates if row.method == "yilu" and row.measure == "served_share"
    }
    minutes = {
        row.days: row for row in study.estimates if row.method == "yilu" and row.measure == "served_min_a_day"
    }
    out = []
    for days in ("training", "held_out"):
        if days in shares and days in minutes:
            share, a_day = shares[days], minutes[days]
            out.append(
                Say(
                    f"say.range_{days}",
                    (
                        ("low", Quantity(share.low, "share", redacted=True)),
                        ("high", Quantity(share.high, "share", redacted=True)),
                        ("low_min", Quantity(a_day.low, "min_a_day", redacted=True)),
                        ("high_min", Quantity(a_day.high, "min_a_day", redacted=True)),
                    ),
                )
            )
    return (*out, Say("say.range_how", (("draws", Quantity(study.draws, "count")),))) if out else ()


def _findings(study: Study) -> tuple[Say, ...]:
    said = [
        Say(
            "say.demand",
            (
                ("demand", Quantity(study.demand_min_a_day, "min_a_day", redacted=True)),
                ("period", _training(study)),
            ),
        )
    ]
    by_method = {c.method: c for c in study.coverage}
    limit = Quantity(study.limit_s, "s")
    chosen, today = by_method.get("yilu"), by_method.get("existing")
    if chosen:
        known: tuple[tuple[str, Value], ...] = (
            ("suggested", Quantity(sum(site.plan == "new" for site in study.sites), "count")),
            ("existing", Quantity(sum(site.plan == "stay" for site in study.sites), "count")),
            ("training", Quantity(chosen.served_training, "share", redacted=True)),
        )
        if not study.held_out_days:
            said.append(Say("say.served_all_days", known))
        else:
            held_out = ("held_out", Quantity(chosen.served_held_out, "share", redacted=True))
            said.append(Say("say.served", (*known, held_out)))
        reach = ("training", Quantity(chosen.in_reach_training, "share", redacted=True))
        said.append(Say("say.served_and_reach", (("limit", limit), reach)))
    if today:
        said.append(
            Say(
                "say.served_today",
                (
                    ("training", Quantity(today.served_training, "share", redacted=True)),
                    ("reach", Quantity(today.in_reach_training, "share", redacted=True)),
                    ("limit", limit),
                ),
            )
        )
    said += _ranges(study)
    if by_method.keys() & {"kmeans", "busiest", "random"}:
        joint = "joint" if study.budget_yuan is None else "budget"
        said.append(Say(f"say.served_others_{joint}" if chosen_jointly(study) else "say.served_others"))
    if study.budget_curve:
        gap: Value = "" if chosen_jointly(study) else Say("say.curve_gap")
        said.append(Say("say.curve", (("gap", gap),)))
    if study.plan == "coverage":
        proof = "say.solver_proven" if study.solution.gap <= 0 else "say.solver_gap"
        said.append(Say(proof, (("gap", Quantity(study.solution.gap, "share")),)))
    if study.refusals:
        said.append(Say("say.refusals", (("n", Quantity(len(study.refusals), "count")),)))
    if study.matching is not None:
        match = study.matching
        said.append(
            Say(
                "say.matching" if match.median_extra_s is not None else "say.matching_none",
                (
                    ("matched", Quantity(match.matched, "count")),
                    ("refused", Quantity(match.refused, "count")),
                    ("extra", Quantity(match.median_extra_s, "s")),
                    ("late", Quantity(match.late_deliveries, "count")),
                ),
            )
        )
    return tuple(said)


def _limits(study: Study) -> tuple[Say, ...]:
    said = [Say("say.limit_map"), Say("say.limit_sample"), Say("say.limit_decision")]
    if study.synthetic:
        said.insert(0, Say("say.synthetic"))
    return tuple(said)


def _k_rule(study: Study) -> Say:
    return Say("say.k_rule", (("k", Quantity(study.k, "count")), ("period", period_of(study))))


def _training(study: Study) -> Say:
    """Return first and last day on which the choice was made."""
    first, last = study.training_period
    return Say("say.period", (("first", first), ("last", last)))


def _subtitle(study: Study) -> Say:
    return Say("say.subtitle", (("city", study.city), ("period", period_of(study))))
