"""What a report says of fairness across the city: who gains, who loses, and at which price."""

from siting.fairness import gains_of
from siting.results import FrontPoint, Study
from siting.values import Column, Quantity, Say, Table, Term, Value

__all__ = ["about_front", "about_grids", "chosen_jointly", "fairness_table", "front_table", "how_chosen"]


def about_grids(study: Study) -> tuple[Say, ...]:
    """Say in how many grids more or less is served than today, and how evenly; nothing without figures."""
    rows = {row.method: row for row in study.fairness}
    if not {"existing", "yilu"} <= set(rows):
        return ()
    gains = gains_of(study.grids)
    before, after = rows["existing"], rows["yilu"]
    counts = {"n": after.grids, "gaining": gains.gaining, "losing": gains.losing, "same": gains.same}
    return (
        Say("say.grids_gain", tuple((name, Quantity(number, "count")) for name, number in counts.items())),
        Say(
            "say.grids_worst",
            (
                ("before", Quantity(before.worst_tenth, "share")),
                ("after", Quantity(after.worst_tenth, "share")),
                ("least", Quantity(after.least_share, "share")),
                ("code", after.worst_grid),
            ),
        ),
        Say("say.grids_gini"),
    )


def fairness_table(study: Study) -> Table:
    """How evenly the stations of today and the plan serve the unit grids."""
    return Table(
        "fairness",
        (
            Column("method"),
            Column("grids_count", "count"),
            Column("worst_tenth", "share"),
            Column("least_share", "share"),
            Column("worst_grid"),
            Column("gini", "index"),
        ),
        tuple(
            (
                Term(f"method.{row.method}"),
                row.grids,
                row.worst_tenth,
                row.least_share,
                row.worst_grid,
                row.gini,
            )
            for row in study.fairness
        ),
    )


def chosen_jointly(study: Study) -> bool:
    """Tell whether places, kinds and hours were chosen together."""
    return study.budget_yuan is not None or study.plan != "coverage" or study.least_grid_share > 0


def how_chosen(study: Study) -> Say:
    """Say how stations were chosen: what was asked for, the rule for those of today, and the money."""
    if not chosen_jointly(study):
        return Say("say.method_choice_places")
    if study.plan == "coverage" and study.budget_yuan is not None:
        return Say(
            f"say.method_choice_{study.existing_stations}", (("budget", Quantity(study.budget_yuan, "yuan")),)
        )
    money: Value = Term("choice.no_budget")
    if study.budget_yuan is not None:
        money = Say("choice.budget", (("budget", Quantity(study.budget_yuan, "yuan")),))
    rule = Term(f"choice.{study.existing_stations}")
    return Say(
        "say.method_choice_joint", (("rule", rule), ("money", money), ("aim", Term(f"choice.{study.plan}")))
    )


def _point(study: Study, name: str) -> FrontPoint | None:
    return next((point for point in study.front if name in point.names), None)


def about_front(study: Study) -> tuple[Say, ...]:
    """Say what the front is, which of its plans this is, and what fairness costs."""
    chosen = next((point for point in study.front if point.chosen), None)
    most, fairest = _point(study, "coverage"), _point(study, "fairest")
    if chosen is None or most is None or fairest is None:
        return ()
    said = [Say("say.front"), Say("say.front_names", (("k", Quantity(study.k, "count")),))]
    if fairest is not most:
        price: tuple[tuple[str, Value], ...] = (
            ("gain", Quantity(_points(fairest.worst_share, most.worst_share), "points", redacted=True)),
            ("price", Quantity(_points(fairest.served_share, most.served_share), "points", redacted=True)),
            ("money", Quantity(fairest.cost_yuan - most.cost_yuan, "yuan")),
        )
        said.append(Say("say.front_fairest", price))
    else:
        said.append(Say("say.front_one"))
    if study.least_grid_share > 0:
        floor: tuple[tuple[str, Value], ...] = (
            ("least", Quantity(study.least_grid_share, "share")),
            ("k", Quantity(study.k, "count")),
            ("price", Quantity(_points(chosen.served_share, most.served_share), "points", redacted=True)),
            ("money", Quantity(chosen.cost_yuan - most.cost_yuan, "yuan")),
        )
        said.append(Say("say.front_floor", floor))
    elif study.plan != "coverage":
        said.append(Say("say.front_chosen", (("name", Term(f"front.{study.plan}")),)))
    elif study.budget_yuan is None:
        said.append(Say("say.front_beside"))
    return tuple(said)


def _points(share: float | None, other: float | None) -> float | None:
    """Return by how many points a share is more than another."""
    return None if share is None or other is None else 100.0 * (share - other)


def _end_gap(point: FrontPoint) -> Value:
    """Return how far a plan may be from the best there is: of each aim, where it is the end of several."""
    different = {gap for _, gap in point.gaps}
    if len(different) <= 1:
        return next(iter(different), None)
    return tuple(
        Say("say.end_gap", (("name", Term(f"front.{name}")), ("gap", Quantity(gap, "share"))))
        for name, gap in point.gaps
    )


def front_table(study: Study) -> Table:
    """Tell the plans of the front: what each serves and costs, and how its worst grid fares."""
    most = _point(study, "coverage")
    served = None if most is None else most.served_share

    def name(point: FrontPoint) -> Value:
        own = (Term("front.this"),) if point.chosen else ()
        return (*(Term(f"front.{name}") for name in point.names), *own) or Term("front.between")

    return Table(
        "front",
        (
            Column("front_plan"),
            Column("weighted_share", "share", redacted=True),
            Column("given_up", "points", redacted=True),
            Column("cost_yuan", "yuan"),
            Column("worst_share", "share", redacted=True),
            Column("sites_count", "count"),
            Column("new_sites", "count"),
            Column("end_gap", "share"),
        ),
        tuple(
            (
                name(point), point.served_share, _points(point.served_share, served), point.cost_yuan,
                point.worst_share, point.sites, point.new_sites, _end_gap(point),
            )
            for point in study.front
        ),
    )  # fmt: skip
