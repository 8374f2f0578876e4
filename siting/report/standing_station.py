"""One sheet a station of today: the advice and why, whom it serves when, where its riders may go else."""

from siting.report.lists import present_table
from siting.report.one_station import links_to, station_called, title_of, whom_it_reaches
from siting.report.places import nearest_open_table, others_of
from siting.report.sections import Section
from siting.report.tables import reason_of
from siting.results import AuditFinding, Site, Study
from siting.values import Column, Quantity, Say, Table, Term, Value

__all__ = ["STANDING_CHECKS", "standing_sheets"]

STANDING_CHECKS = (
    "posted_hours",
    "in_use",
    "works",
    "entrance",
    "parking",
    "asked",
    "longer",
    "lease",
    "on_map",
)
"""What somebody looks at who visits a station that stands."""


def standing_sheets(study: Study) -> tuple[Section, ...]:
    """Return a sheet for each station of today, in the order of their numbers."""
    findings = {finding.site_id: finding for finding in study.audit}
    return tuple(_sheet(study, site, findings.get(site.site_id)) for site in study.sites if site.existing)


def _sheet(study: Study, site: Site, finding: AuditFinding | None) -> Section:
    others = nearest_open_table(study, (site,))
    return Section(
        "station",
        (*_advice(study, site, finding), *whom_it_reaches(study, site), *_if_it_closes(study, site, finding)),
        (
            _facts(study, site, finding),
            present_table(site, finding),
            others.select("other_station", "way", "hours", "open_together"),
        ),
        (f"inset:{site.site_id}", f"hours:{site.site_id}"),
        part="station",
        title=title_of(site),
        closing=_where_to(study, site),
        checks=tuple(Term(f"check.{name}") for name in STANDING_CHECKS),
        links=links_to(site.lonlat, f"{site.site_id} {site.name}"),
        photo=True,
    )


def _advice(study: Study, site: Site, finding: AuditFinding | None) -> tuple[Say, ...]:
    """Say what is advised and why, whether the plan counts with it, and from when."""
    if finding is None:
        return ()
    advice = (("action", Term(f"action.{finding.action}")), ("reason", reason_of(finding.reason)))
    said = [Say("say.sheet_advice", advice)]
    if site.plan in ("close", "move"):
        day = None if study.closed_from is None else Say("say.day", (("day", study.closed_from),))
        said.append(
            Say("say.sheet_stands") if day is None else Say("say.sheet_stands_until", (("day", day),))
        )
    elif finding.action in ("close", "move", "merge"):
        said.append(Say("say.sheet_advice_single"))
    return tuple(said)


def _if_it_closes(study: Study, site: Site, finding: AuditFinding | None) -> tuple[Say, ...]:
    """Say what becomes of those who rest there: who has no other station, who has one beside it."""
    said = []
    if site.plan == "stay":
        lost: tuple[tuple[str, Value], ...] = (
            ("rest", Quantity(site.rest_min_a_day, "min_a_day", redacted=True)),
            ("only", Quantity(site.only_here_share, "share", redacted=True)),
            ("limit", Quantity(study.limit_s, "s")),
        )
        said.append(Say("say.sheet_if_closed", lost))
    else:
        said.append(Say("say.sheet_closing"))
    beside = None if finding is None else finding.overlap_site_id
    if finding is not None and beside is not None and finding.overlap_share is not None:
        name = next(station_called(other) for other in study.sites if other.site_id == beside)
        share = Quantity(finding.overlap_share, "share")
        said.append(Say("say.sheet_overlap", (("share", share), ("called", name))))
    return tuple(said)


def _where_to(study: Study, site: Site) -> tuple[Say, ...]:
    """Say that there is nowhere else to go, or in which of its hours there is not."""
    others = [other for other, _ in others_of(study, site)]
    if not others:
        return (Say("say.sheet_no_others"),)
    bare = [
        hour for hour in range(24)
        if site.open_by_hour[hour] and not any(other.open_by_hour[hour] for other in others)
    ]  # fmt: skip
    return (Say("say.sheet_no_other_open", (("spans", _spans(bare)),)),) if bare else ()


def _spans(hours: list[int]) -> tuple[str, ...]:
    """Return hours of the day as spans, such as ``08:00–10:00``."""
    starts = [hour for hour in hours if hour - 1 not in hours]
    ends = [hour + 1 for hour in hours if hour + 1 not in hours]
    return tuple(f"{start:02d}:00–{end:02d}:00" for start, end in zip(starts, ends, strict=True))


def _check_ins(finding: AuditFinding | None) -> tuple[tuple[Value, Value], ...]:
    """Return what check-ins tell, where there are any."""
    if finding is None or finding.check_ins_a_day is None:
        return ()
    return (
        (Term("column.check_ins"), Quantity(finding.check_ins_a_day, "a_day")),
        (Term("column.check_in_weeks"), Quantity(finding.check_in_weeks, "count")),
    )


def _facts(study: Study, site: Site, finding: AuditFinding | None) -> Table:
    """Return the figures of one station as pairs of name and value, two pairs a row."""
    seats = next((kind.seats for kind in study.kinds if kind.name == site.kind), None)
    hours = site.planned_hours or (None if finding is None else finding.better_hours)
    visits, visitors, gain, busiest = (
        (None, None, None, ())
        if finding is None
        else (finding.visits_a_day, finding.visitors_a_day, finding.gain_rest_hours_a_day,
              finding.busiest_half_hours)
    )  # fmt: skip
    pairs: list[tuple[Value, Value]] = [
        (Term("column.street"), site.street or None),
        (Term("fact.place"), Say("say.place", (("lon", f"{site.lonlat[0]:.6f}"),
                                               ("lat", f"{site.lonlat[1]:.6f}")))),
        (Term("column.kind"), Term(f"kind.{site.kind}")),
        (Term("column.seats"), Quantity(seats, "count")),
        (Term("fact.hours_today"), Say("opening", (("hours", site.opening_hours),))),
        (Term("column.better_hours"), None if hours is None else Say("opening", (("hours", hours),))),
        (Term("column.visits"), Quantity(visits, "a_day", redacted=True)),
        (Term("column.visitors"), Quantity(visitors, "a_day", redacted=True)),
        *_check_ins(finding),
        (Term("column.busiest"), busiest),
        (Term("column.gain"), Quantity(gain, "hours_a_day")),
        (Term("column.rest"), Quantity(site.rest_min_a_day, "min_a_day", redacted=True)),
        (Term("fact.only_here"), Quantity(site.only_here_share, "share", redacted=True)),
    ]  # fmt: skip
    rows = tuple((*a, *b) for a, b in zip(pairs[::2], pairs[1::2], strict=True))
    return Table(
        "station_facts", (Column("fact"), Column("value"), Column("fact_2"), Column("value_2")), rows
    )
