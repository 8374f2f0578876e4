"""Tables of places: pick-up points, where else stations may stand or riders go, what is in which grid."""

from collections.abc import Iterable

from siting.results import Alternative, PickupPoint, Site, Study
from siting.values import Column, Quantity, Say, Table, Term, Value

__all__ = [
    "alternatives_table",
    "grid_places_table",
    "in_minutes",
    "nearest_open_table",
    "others_of",
    "pickup_place",
    "pickups_table",
    "status_of",
]

_STATUS = {"close": "closing", "move": "moving"}


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


def status_of(site: Site) -> Term:
    """Return what a station is: standing, to be closed or moved, or suggested."""
    return Term(f"status.{_STATUS.get(site.plan, 'existing' if site.existing else 'suggested')}")


def in_minutes(seconds: float | None) -> Value:
    """Return a time in whole minutes, at least one: nobody plans by the second."""
    return None if seconds is None else Quantity(60 * max(1, round(seconds / 60)), "s")


def others_of(study: Study, site: Site) -> tuple[tuple[Site, float], ...]:
    """Return the stations of the plan to which riders of an existing one may go instead, and seconds."""
    sites = {other.site_id: other for other in study.sites}
    return tuple((sites[name], away_s) for name, away_s in site.others if name in sites)


def nearest_open_table(study: Study, sites: Iterable[Site]) -> Table:
    """Return where riders of existing stations may go instead, the soonest reached first."""
    return Table(
        "nearest_open",
        (
            Column("id"),
            Column("name"),
            Column("other_station"),
            Column("way"),
            Column("nearest_s", "s"),
            Column("hours"),
            Column("open_together"),
        ),
        tuple(
            (
                site.site_id, site.name, _named(other), in_minutes(away_s), away_s,
                Say("opening", (("hours", other.planned_hours or other.opening_hours),)),
                _together(site, other),
            )
            for site in sites
            for other, away_s in others_of(study, site)
        ),
    )  # fmt: skip


def _named(site: Site) -> str:
    return site.site_id if site.name == site.site_id else f"{site.site_id} {site.name}"


def _together(site: Site, other: Site) -> Say:
    """Say in how many of the hours in which one station is open the other one is, too."""
    both = sum(here and there for here, there in zip(site.open_by_hour, other.open_by_hour, strict=True))
    counts = (("n", Quantity(both, "count")), ("of", Quantity(sum(site.open_by_hour), "count")))
    return Say("say.open_together", counts)


def pickups_table(points: Iterable[PickupPoint]) -> Table:
    """Pick-up points with all their columns."""
    return Table(
        "pickups",
        (
            Column("id"),
            Column("compound"),
            Column("kind"),
            Column("drop_offs", "a_day", redacted=True),
            Column("saved", "min_a_day", redacted=True),
            Column("walk_median", "m", redacted=True),
            Column("walk_max", "m", redacted=True),
            Column("residents_walk", "m_a_day", redacted=True),
            Column("gates", "count"),
            Column("gates_new", "count"),
            Column("lon", "degrees"),
            Column("lat", "degrees"),
        ),
        tuple(
            (
                point.pickup_id, pickup_place(point), Term(f"kind.{point.kind}"), point.drop_offs_a_day,
                point.saved_min_a_day, point.walk_median_m, point.walk_max_m, point.residents_walk_m_a_day,
                len(point.gates), sum(not gate.in_osm for gate in point.gates), *point.lonlat,
            )
            for point in points
        ),
    )  # fmt: skip


def pickup_place(point: PickupPoint) -> Value:
    """Return the compound or tower of a pick-up point, with the gate or side where it stands."""
    where, side = point.side
    if not where or not point.compound:
        return point.compound
    named: tuple[tuple[str, Value], ...] = (("compound", point.compound),)
    return Say(f"pickup_at.{where}", (*named, ("side", side)) if side else named)
