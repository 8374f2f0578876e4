"""What a report says of two plans beside each other."""

from siting.comparison import Comparison, PairedStations, PlanFigure
from siting.report.report import Section, StudyReport
from siting.report.tables import period_of
from siting.results import Site, Study
from siting.values import Column, Quantity, Say, Table, Term, Value

__all__ = ["comparison_report", "comparison_tables"]

_SHOWN = 40
"""Unit grids in the document; the workbook has all."""


def comparison_tables(compared: Comparison) -> tuple[Table, ...]:
    """Figures, stations and unit grids of two plans, as the sheets of a workbook."""
    return _figures(compared), _stations(compared), _grids(compared)


def comparison_report(
    first: Study, second: Study, names: tuple[str, str], compared: Comparison
) -> StudyReport:
    """Report on the second of two plans beside the first; ``names`` are what the reader calls them."""
    figures, stations, grids = comparison_tables(compared)
    changed = tuple(
        row for row, pair in zip(stations.rows, compared.stations, strict=True) if pair.change != "same"
    )
    stated = tuple(
        row for row, grid in zip(grids.rows, compared.grids, strict=True) if grid.points is not None
    )
    half = _SHOWN // 2
    shown = stated if len(stated) <= _SHOWN else (*stated[:half], *stated[-half:])
    sections = [
        Section("compare_brief", _brief(names, compared), (figures,)),
        Section(
            "compare_stations",
            (_moves(compared),),
            (Table(stations.key, stations.columns, changed),) if changed else (),
        ),
    ]
    if compared.grids:
        sections.append(
            Section("compare_grids", (_winners(compared),), (Table(grids.key, grids.columns, shown),))
        )
    sections.append(Section("limits", (Say("say.compare_rule"), *_doubts(compared)), part="annex"))
    title = Say("say.title_compare", (("first", names[0]), ("second", names[1])))
    subtitle = Say("say.subtitle_compare", (("city", first.city), ("period", period_of(second))))
    return StudyReport(title, subtitle, tuple(sections))


def _brief(names: tuple[str, str], compared: Comparison) -> tuple[Say, ...]:
    served, cost = compared.figure("served_training"), compared.cost
    said = [
        Say(
            "say.compare_served",
            (
                ("first", names[0]),
                ("second", names[1]),
                ("before", Quantity(served.first, "share", redacted=True)),
                ("after", Quantity(served.second, "share", redacted=True)),
            ),
        )
    ]
    if cost.difference is not None:
        more = "same" if not cost.difference else "more" if cost.difference > 0 else "less"
        said.append(
            Say(
                f"say.compare_cost_{more}",
                (
                    ("second", names[1]),
                    ("what", Term(f"compare_figure.{cost.key}")),
                    ("yuan", Quantity(abs(cost.difference), "yuan")),
                ),
            )
        )
    return (*said, _moves(compared), *((_winners(compared),) if compared.grids else ()))


def _moves(compared: Comparison) -> Say:
    changes = [pair.change for pair in compared.stations]
    keys = ("only_first", "only_second", "moved", "changed", "same")
    return Say("say.compare_moves", tuple((key, Quantity(changes.count(key), "count")) for key in keys))


def _winners(compared: Comparison) -> Say:
    gains = compared.gains
    withheld = sum(grid.points is None for grid in compared.grids)
    counts = {"gaining": gains.gaining, "losing": gains.losing, "same": gains.same, "withheld": withheld}
    return Say("say.compare_grids", tuple((key, Quantity(n, "count")) for key, n in counts.items()))


def _doubts(compared: Comparison) -> tuple[Say, ...]:
    if not compared.notes:
        return ()
    return (
        Say("say.compare_doubts", (("what", tuple(Term(f"compare_note.{key}") for key in compared.notes)),)),
    )


def _figures(compared: Comparison) -> Table:
    def stated(one: PlanFigure, value: float | None) -> Value:
        return Quantity(value, one.unit, redacted=one.unit in ("share", "min_a_day"))

    def change(one: PlanFigure) -> Value:
        if one.difference is None:
            return None
        if one.unit == "share":
            return Quantity(100.0 * one.difference, "points")
        return Quantity(one.difference, one.unit)

    return Table(
        "compare_figures",
        (Column("figure"), Column("first_plan"), Column("second_plan"), Column("difference")),
        tuple(
            (Term(f"compare_figure.{one.key}"), stated(one, one.first), stated(one, one.second), change(one))
            for one in compared.figures
        ),
    )


def _stations(compared: Comparison) -> Table:
    def run(site: Site | None) -> Value:
        if site is None:
            return None
        hours = Say("opening", (("hours", site.planned_hours or site.opening_hours),))
        return (Term(f"plan_fate.{site.plan}"), Term(f"kind.{site.kind}"), hours)

    def rest(site: Site | None) -> Value:
        return None if site is None else site.rest_min_a_day

    def name(pair: PairedStations) -> Value:
        names = list(dict.fromkeys(site.name for site in (pair.first, pair.second) if site is not None))
        if len(names) == 1:
            return names[0]
        return Say("say.compare_from_to", (("first", names[0]), ("second", names[1])))

    return Table(
        "compare_stations",
        (
            Column("change"), Column("name"), Column("first_plan"), Column("second_plan"),
            Column("moved_m", "m"), Column("first_rest", "min_a_day"), Column("second_rest", "min_a_day"),
        ),
        tuple(
            (
                Term(f"compare_change.{pair.change}"), name(pair), run(pair.first), run(pair.second),
                pair.moved_m, rest(pair.first), rest(pair.second),
            )
            for pair in compared.stations
        ),
    )  # fmt: skip


def _grids(compared: Comparison) -> Table:
    return Table(
        "compare_grids",
        (
            Column("code"),
            Column("name"),
            Column("demand", "min_a_day", redacted=True),
            Column("first_share", "share", redacted=True),
            Column("second_share", "share", redacted=True),
            Column("plan_gain", "points", redacted=True),
            Column("verdict"),
        ),
        tuple(
            (
                grid.code, grid.name, grid.demand_min_a_day, grid.first_share, grid.second_share,
                grid.points, Term(f"compare_verdict.{grid.verdict}"),
            )
            for grid in compared.grids
        ),
    )  # fmt: skip
