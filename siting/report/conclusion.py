"""The first page: what is suggested, what it brings and costs, what is asked of whom."""

from siting.report.sections import KeyFigure, Section
from siting.report.tables import reason_of
from siting.results import Study
from siting.values import Column, Quantity, Say, Table, Term, Value

__all__ = ["conclusion", "key_figures"]

_LISTED = 5
"""Stations on the first page, those that serve most; each has a sheet of its own."""
_ACTIONS = ("open_longer", "merge", "move", "close", "keep")
"""What may become of a station of today, in the order in which it is told."""


def conclusion(study: Study) -> Section:
    """Return the first page."""
    suggested = tuple(site for site in study.sites if not site.existing)
    lead = Say("say.no_suggested")
    if suggested:
        stay = sum(site.plan == "stay" for site in study.sites)
        said: tuple[tuple[str, Value], ...] = (
            ("n", Quantity(len(suggested), "count")),
            ("existing", Quantity(stay, "count")),
            ("pickups", Quantity(len(study.pickups), "count")),
        )
        keys = ("lead", "lead_stations") if stay else ("lead_new", "lead_new_stations")
        lead = Say(f"say.{keys[0] if study.pickups else keys[1]}", said)
    return Section(
        "conclusion",
        (lead, *((Say("say.synthetic_short"),) if study.synthetic else ())),
        (_decisions(study),),
        ("lead",),
        part="conclusion",
        figures=key_figures(study),
        closing=(*_more(len(suggested)), *_fates(study)),
        asks=_asks(study),
    )


def _decisions(study: Study) -> Table:
    """Suggested stations with hours and reason, in a line each; the first of them where there are many."""
    suggested = [site for site in study.sites if not site.existing]
    if len(suggested) > _LISTED:
        most = sorted(suggested, key=lambda site: (-(site.rest_min_a_day or 0.0), site.site_id))[:_LISTED]
        suggested = [site for site in suggested if site in most]
    return Table(
        "decision",
        (Column("id"), Column("name"), Column("hours"), Column("reason")),
        tuple(
            (
                site.site_id, site.name,
                Say("opening", (("hours", site.opening_hours),)), reason_of(site.reason),
            )
            for site in suggested
        ),
    )  # fmt: skip


def key_figures(study: Study) -> tuple[KeyFigure, ...]:
    """Return the share of rest served before and after, the minutes saved a day, and the cost a year."""
    out: list[KeyFigure] = []
    rows = {row.method: row for row in study.coverage}
    if {"existing", "yilu"} <= set(rows):
        before, after = rows["existing"].served_training, rows["yilu"].served_training
        shares: tuple[tuple[str, Value], ...] = (
            ("before", Quantity(before, "share", redacted=True)),
            ("after", Quantity(after, "share", redacted=True)),
        )
        out.append(
            KeyFigure(
                Term("figure.served"),
                Say("say.figure_served", shares),
                Say("say.figure_served_means", (*shares, ("limit", Quantity(study.limit_s, "s")))),
            )
        )
    saved = [point.saved_min_a_day for point in study.pickups if point.saved_min_a_day is not None]
    if saved:
        minutes: tuple[tuple[str, Value], ...] = (("saved", Quantity(sum(saved), "min_a_day")),)
        numbers = (("told", Quantity(len(saved), "count")), ("n", Quantity(len(study.pickups), "count")))
        out.append(
            KeyFigure(
                Term("figure.saved"), Say("say.figure_saved", minutes), Say("say.figure_saved_means", numbers)
            )
        )
    costs = [site.cost_yuan for site in study.sites if site.plan == "new" and site.cost_yuan is not None]
    if costs:
        assumed = any(kind.assumed for kind in study.kinds)
        out.append(
            KeyFigure(
                Term("figure.cost"),
                Say("say.figure_cost", (("cost", Quantity(sum(costs), "yuan")),)),
                Say(
                    "say.figure_cost_assumed" if assumed else "say.figure_cost_means",
                    (("n", Quantity(len(costs), "count")),),
                ),
            )
        )
    return tuple(out)


def _more(suggested: int) -> tuple[Say, ...]:
    if suggested <= _LISTED:
        return ()
    counts = (("shown", Quantity(_LISTED, "count")), ("n", Quantity(suggested, "count")))
    return (Say("say.more_stations", counts),)


def _fates(study: Study) -> tuple[Say, ...]:
    """Say what becomes of the stations of today."""
    existing = [site for site in study.sites if site.existing]
    if not existing:
        return (Say("say.no_existing"),)
    by_action = _by_action(study)
    if not by_action:
        return (Say("say.conclusion_existing_kept", (("n", Quantity(len(existing), "count")),)),)
    fates = tuple(
        Say("say.fate", (("action", Term(f"action.{action}")), ("ids", ids)))
        for action, ids in by_action.items()
    )
    said: tuple[tuple[str, Value], ...] = (("n", Quantity(len(existing), "count")), ("fates", fates))
    key = "say.conclusion_existing_single" if study.existing_stations == "keep" else "say.conclusion_existing"
    return (Say(key, said),)


def _by_action(study: Study) -> dict[str, tuple[str, ...]]:
    """Return the ids of the stations of today by what is advised."""
    found = {
        action: tuple(f.site_id for f in sorted(study.audit, key=lambda f: f.site_id) if f.action == action)
        for action in _ACTIONS
    }
    return {action: ids for action, ids in found.items() if ids}


def _asks(study: Study) -> Table:
    """Who is asked for what."""
    new = tuple(site.site_id for site in study.sites if site.plan == "new")
    by_action = _by_action(study)
    longer = by_action.get("open_longer", ())
    others = tuple(sorted(i for a in ("merge", "move", "close") for i in by_action.get(a, ())))
    points = Quantity(len(study.pickups), "count")
    rows: list[tuple[Value, ...]] = []
    if new:
        rows.append((Term("asked.office"), Say("say.ask_office", (("n", Quantity(len(new), "count")),))))
    if longer:
        rows.append((Term("asked.operator"), Say("say.ask_longer", (("ids", longer),))))
    if others:
        rows.append((Term("asked.office_existing"), Say("say.ask_existing", (("ids", others),))))
    if study.pickups:
        rows.append((Term("asked.property"), Say("say.ask_property", (("n", points),))))
    if new:
        rows.append((Term("asked.grid_staff"), Say("say.ask_grid_staff")))
        rows.append((Term("asked.platform"), Say("say.ask_platform")))
    return Table("asks", (Column("who"), Column("what")), tuple(rows))
