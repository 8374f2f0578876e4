"""What a report says: a Study as sections of sentences and plain tables with their units.

No language and no files in here; ``maps.documents.write`` sets it on paper.
"""

from siting.report.conclusion import conclusion
from siting.report.fairness import about_front, about_grids, chosen_jointly, how_chosen
from siting.report.learned import about_learned
from siting.report.one_station import station_sheets
from siting.report.sections import Section, StudyReport
from siting.report.sources import rows_told
from siting.report.standing_station import standing_sheets
from siting.report.tables import (
    Column,
    Quantity,
    Say,
    Table,
    Term,
    Unit,
    Value,
    grids_table,
    hot_spots_table,
    period_of,
    sites_table,
    study_tables,
)
from siting.report.weeks_ahead import about_changing
from siting.results import Site, Study

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
    "k_rule",
    "study_report",
    "study_tables",
    "subtitle",
]


SPOTS_SHOWN = 12
"""Hot spots in a report; the workbook has all."""
_LEARNED = ("speeds", "gate_waits", "map_edits", "blind", "patrols", "meetings")
"""Tables of the annex on what the traces teach."""
EVENING_H = 22
"""Riders work until about 22:00, many stations shut at 18:00 (DOMAIN.md)."""


def study_report(study: Study) -> StudyReport:
    """Report on the whole study, for the office that decides.

    First what is to be decided, then a sheet a station, then what stands today, pick-up points, hot spots and
    grids; method, limits and accounts are annexes.
    """
    tables = {table.key: table for table in study_tables(study)}
    body = (
        conclusion(study),
        Section("overview", pictures=("map",), part="contents"),
        *station_sheets(study),
        *standing_sheets(study),
        _existing(study, tables["existing"]),
        _pickups(study, tables["pickups"]),
        *_hot_spots(study),
        *_grids(study, tables["fairness"]),
    )
    return StudyReport(
        Say("say.title_study", (("title", study.title),)), subtitle(study), (*body, *_annexes(study, tables))
    )


def _annexes(study: Study, tables: dict[str, Table]) -> tuple[Section, ...]:
    suggested = tuple(site for site in study.sites if not site.existing)
    findings = ("layers", "coverage", "budget", "refusal_counts")
    return (
        *(
            (
                Section(
                    "suggested",
                    (
                        Say("say.suggested", (("n", Quantity(len(suggested), "count")),)),
                        *_until(suggested),
                        _hours_from(suggested),
                    ),
                    (
                        sites_table(suggested).select(
                            "id", "name", "kind", "rest", "until_22", "chosen", "cost_yuan"
                        ),
                    ),
                    part="annex",
                ),
            )
            if suggested
            else ()
        ),
        Section(
            "findings",
            _findings(study),
            tuple(tables[key] for key in findings),
            (*(["coverage"] if study.coverage else []), *(["budget"] if study.budget_curve else [])),
            part="annex",
        ),
        *_front(study, tables["front"]),
        *_learned(study, tables),
        *_changing(study, tables),
        Section("method", _about_method(study), (_kinds(study, tables["kinds"]),), part="annex"),
        Section(
            "limits",
            (*_limits(study), Say("say.sources", (("attribution", study.map_attribution),))),
            part="annex",
        ),
        Section(
            "data",
            (Say("say.purpose", (("city", study.city),)), *_about_data(study)),
            (tables["facts"], tables["files"], tables["rejects"], tables["stays"]),
            part="annex",
        ),
    )


def _hours_from(suggested: tuple[Site, ...]) -> Say:
    """Say on how many published hours the opening hours of the suggested stations rest."""
    hours = [
        known
        for site in suggested
        for known, is_open in zip(site.rest_min_by_hour, site.open_by_hour, strict=True)
        if is_open
    ]
    told = sum(known is not None for known in hours)
    counts = (("n", Quantity(len(hours), "count")), ("told", Quantity(told, "count")))
    return Say("say.hours_from", counts)


def _kinds(study: Study, table: Table) -> Table:
    """Leave out where costs are from, where it is the same for all kinds: a sentence says so."""
    if len({kind.assumed for kind in study.kinds}) > 1:
        return table
    return table.select(*(column.key for column in table.columns if column.key != "cost_source"))


def _learned(study: Study, tables: dict[str, Table]) -> tuple[Section, ...]:
    said = about_learned(study)
    if not said:
        return ()
    shown = tuple(tables[key] for key in _LEARNED if tables[key].rows)
    return (Section("learned", said, shown, part="annex"),)


def _changing(study: Study, tables: dict[str, Table]) -> tuple[Section, ...]:
    said = about_changing(study)
    if not said:
        return ()
    shown = [tables[key] for key in ("scenarios", "elsewhere") if tables[key].rows]
    if tables["forecasts"].rows:
        kept = ("forecast_of", "forecast_week_1", "forecast_week_4", "forecast_error", "forecast_error_last")
        shown.append(tables["forecasts"].select(*kept))
    return (Section("changing", said, tuple(shown), part="annex"),)


def _existing(study: Study, table: Table) -> Section:
    count = sum(site.existing for site in study.sites)
    if not count:
        return Section("existing", (Say("say.no_existing"),))
    shown = table.select("rank", "id", "name", "action", "visits", "gain", "reason")
    said = Say("say.existing", (("n", Quantity(count, "count")),))
    return Section("existing", (said, *_existing_plan(study)), (shown,))


def _pickups(study: Study, table: Table) -> Section:
    if not study.pickups:
        return Section("pickups", (Say("say.no_pickups"),))
    shown = table.select("id", "compound", "kind", "drop_offs", "saved", "walk_median", "gates")
    said = Say("say.pickups", (("n", Quantity(len(study.pickups), "count")),))
    return Section("pickups", (said, Say("say.pickups_how")), (shown,))


def _grids(study: Study, fairness: Table) -> tuple[Section, ...]:
    if not study.grids:
        return ()
    with_figures = tuple(g for g in study.grids if g.rest_min_a_day is not None)
    counts = (("n", Quantity(len(study.grids), "count")), ("shown", Quantity(len(with_figures), "count")))
    shown = grids_table(with_figures).select(
        "code", "name", "demand", "served_today_share", "served_share", "gain_points", "nearest", "nearest_s"
    )
    return (Section("grids", (Say("say.grids", counts), *about_grids(study)), (fairness, shown)),)


def _front(study: Study, table: Table) -> tuple[Section, ...]:
    said = about_front(study)
    shown = table.select(
        "front_plan", "weighted_share", "given_up", "cost_yuan", "worst_share", "new_sites", "end_gap"
    )
    return (Section("front", said, (shown,), ("front",), part="annex"),) if said else ()


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
        rows = dict(zip(("read", "accepted", "rejected"), rows_told(study.accounts), strict=True))
        told = tuple((key, Quantity(count, "count", redacted=True)) for key, count in rows.items())
        said.append(Say("say.rows", told))
    if study.moving_km_on_streets is not None:
        said.append(Say("say.on_streets", (("share", Quantity(study.moving_km_on_streets, "share")),)))
    if study.silent_rest_share:
        said.append(Say("say.silent_rests", (("share", Quantity(study.silent_rest_share, "share")),)))
    said += [Say(key, params) for key, params in study.input_notes]
    said.append(k_rule(study))
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
        else Say("say.method_no_checks"),
        *_about_resamples(study),
        *((Say("say.costs_assumed"),) if any(kind.assumed for kind in study.kinds) else ()),
    )


def _about_resamples(study: Study) -> tuple[Say, ...]:
    """Say which question the rate of choice answers: that of the plan, or what a named plan turns it into."""
    if study.draws == 0:
        return ()
    named = study.plan != "coverage"
    return (Say("say.method_resampled_named" if named else "say.method_resampled"),)


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
        gap: Value = Say("say.curve_most") if study.plan != "coverage" or study.least_grid_share > 0 else ""
        gap = gap if chosen_jointly(study) else Say("say.curve_gap")
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
    said = [Say(f"say.limit_{what}") for what in ("map", "sample", "rounding", "decision")]
    if study.synthetic:
        said.insert(0, Say("say.synthetic"))
    return tuple(said)


def k_rule(study: Study) -> Say:
    """Say from how many riders on figures are published."""
    return Say("say.k_rule", (("k", Quantity(study.k, "count")), ("period", period_of(study))))


def _training(study: Study) -> Say:
    """Return first and last day on which the choice was made."""
    first, last = study.training_period
    return Say("say.period", (("first", first), ("last", last)))


def subtitle(study: Study) -> Say:
    """Return city and period."""
    return Say("say.subtitle", (("city", study.city), ("period", period_of(study))))
