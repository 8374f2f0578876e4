"""Tables of places on the map: where else stations may stand, and what stands in which unit grid."""

from collections.abc import Iterable

from siting.results import Alternative, Study
from siting.values import Column, Table, Term

__all__ = ["alternatives_table", "grid_places_table"]


def alternatives_table(study: Study, places: Iterable[Alternative]) -> Table:
    """Where stations may stand if their rooms cannot be had, and what that loses."""
    served = next((row.served_training for row in study.coverage if row.method == "yilu"), None)

    def loss(share: float | None) -> float | None:
        return None if share is None or served is None else 100.0 * (share - served)

    return Table(
        "alternatives",
        (
            Column("id"),
            Column("other_place"),
            Column("place_kind"),
            Column("away", "m"),
            Column("served_with", "share", redacted=True),
            Column("loss", "points", redacted=True),
            Column("lon", "degrees"),
            Column("lat", "degrees"),
        ),
        tuple(
            (
                one.site_id, one.name or None, Term(f"place.{one.kind}"), one.away_m, one.served_share,
                loss(one.served_share), *one.lonlat,
            )
            for one in places
        ),
    )  # fmt: skip


def grid_places_table(study: Study) -> Table:
    """Return which station or pick-up point lies in which unit grid, one a row."""
    return Table(
        "grid_places",
        (Column("code"), Column("id"), Column("status")),
        tuple(
            (grid.code, one, Term(f"grid_place.{what}"))
            for grid in study.grids
            for what, ids in (("station", grid.site_ids), ("pickup", grid.pickup_ids))
            for one in ids
        ),
    )
