"""Tables of places on the map: where else stations may stand."""

from collections.abc import Iterable

from siting.results import Alternative, Study
from siting.values import Column, Table, Term

__all__ = ["alternatives_table"]


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
