"""What a report says of fairness across the city: who gains, who loses, and at which price."""

from siting.fairness import gains_of
from siting.results import Study
from siting.values import Column, Quantity, Say, Table, Term

__all__ = ["about_grids", "fairness_table"]


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
