"""One sheet a suggested station: what it is, whom it serves, where else it may stand, what to check there."""

from geo.map_links import map_links
from siting.report.lists import advised_table
from siting.report.places import alternatives_table
from siting.report.sections import Link, Section
from siting.report.tables import reason_of
from siting.results import Site, Study
from siting.values import Column, Quantity, Say, Table, Term, Value

__all__ = ["CHECKS", "links_to", "station_called", "station_sheets", "title_of", "whom_it_reaches"]

CHECKS = ("room", "owner", "entrance", "power", "water", "fire", "parking", "neighbours", "signs")
"""What somebody looks at who visits the place."""


def station_sheets(study: Study) -> tuple[Section, ...]:
    """Return a sheet for each suggested station, in the order of their numbers."""
    return tuple(_sheet(study, site) for site in study.sites if not site.existing)


def _sheet(study: Study, site: Site) -> Section:
    others = alternatives_table(study, (a for a in study.alternatives if a.site_id == site.site_id))
    return Section(
        "station",
        (Say("say.sheet_reason", (("reason", reason_of(site.reason)),)), *whom_it_reaches(study, site)),
        (
            _facts(study, site),
            advised_table(study, site),
            others.select("other_place", "place_kind", "away", "served_with", "loss"),
        ),
        (f"inset:{site.site_id}", f"hours:{site.site_id}"),
        part="station",
        title=title_of(site),
        closing=() if others.rows else (Say("say.no_alternatives"),),
        checks=tuple(Term(f"check.{name}") for name in CHECKS),
        links=links_to(site.lonlat, f"{site.site_id} {site.name}"),
        photo=True,
    )


def station_called(site: Site) -> str:
    """Return what a sentence calls a station: number and name, without a name the number alone."""
    return site.site_id if site.name == site.site_id else f"{site.site_id} {site.name}"


def title_of(site: Site) -> Say:
    """Return the heading of a sheet; of a station without a name the number alone."""
    if site.name == site.site_id:
        return Say("say.ids", (("ids", site.site_id),))
    return Say("say.sheet_title", (("id", site.site_id), ("name", site.name)))


def links_to(lonlat: tuple[float, float], name: str) -> tuple[Link, ...]:
    """Return the addresses that open a place, each in the datum that its app wants."""
    urls = map_links(lonlat, name)
    links = (("amap", urls.amap), ("baidu", urls.baidu), ("geo", urls.geo))
    return tuple(Link(Term(f"map_app.{app}"), url) for app, url in links if url is not None)


def _facts(study: Study, site: Site) -> Table:
    """Return the figures of one station as pairs of name and value, two pairs a row."""
    seats = next((kind.seats for kind in study.kinds if kind.name == site.kind), None)
    pairs: list[tuple[Value, Value]] = [
        (Term("column.street"), site.street or None),
        (Term("fact.place"), Say("say.place", (("lon", f"{site.lonlat[0]:.6f}"),
                                               ("lat", f"{site.lonlat[1]:.6f}")))),
        (Term("column.kind"), Term(f"kind.{site.kind}")),
        (Term("column.hours"), Say("opening", (("hours", site.opening_hours),))),
        (Term("column.seats"), Quantity(seats, "count")),
        (Term("fact.cost_a_year"), Quantity(site.cost_yuan, "yuan")),
        (Term("column.rest"), Quantity(site.rest_min_a_day, "min_a_day", redacted=True)),
        (Term("fact.only_here"), Quantity(site.only_here_share, "share", redacted=True)),
        (Term("column.due"), Quantity(site.due_break_min_a_day, "min_a_day", redacted=True)),
        (Term("fact.chosen"), Quantity(site.chosen_share, "share")),
    ]  # fmt: skip
    rows = tuple((*a, *b) for a, b in zip(pairs[::2], pairs[1::2], strict=True))
    return Table(
        "station_facts", (Column("fact"), Column("value"), Column("fact_2"), Column("value_2")), rows
    )


def whom_it_reaches(study: Study, site: Site) -> tuple[Say, ...]:
    """Say whom a station reaches, and what lies near it."""
    spots = tuple(
        f"{spot.spot_id} {spot.name}".strip() for spot in study.hot_spots if spot.site_id == site.site_id
    )
    grids = tuple(grid.name or grid.code for grid in study.grids if grid.station_id == site.site_id)
    reach: tuple[tuple[str, Value], ...] = (
        ("limit", Quantity(study.limit_s, "s")),
        ("mode", Term(f"mode.{study.mode}")),
        ("spots", _some(spots)),
        ("grids", _some(grids)),
    )
    near = tuple(
        Say("say.compound_near", (("name", name), ("away", Quantity(away_m, "m"))))
        for name, away_m in site.near
    )
    compounds = Say("say.sheet_compounds", (("near", near),)) if near else Say("say.sheet_no_compounds")
    return (Say("say.sheet_reach", reach), compounds)


def _some(names: tuple[str, ...], most: int = 4) -> Value:
    """Return the first of a list, and how many more there are; a word for none."""
    if not names:
        return Term("list.none")
    if len(names) <= most:
        return names
    more = Say("say.and_more", (("n", Quantity(len(names) - most, "count")),))
    return (*names[:most], more)
