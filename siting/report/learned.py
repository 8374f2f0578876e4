"""What a report says of travel times, of streets that nobody passes, and of dates to meet riders."""

from geo.localtime import WEEKDAYS
from siting.results import Study
from siting.values import Column, Quantity, Say, Table, Term, Value

__all__ = [
    "STREET_CLASSES",
    "about_learned",
    "blind_hours_table",
    "blind_table",
    "edits_table",
    "gate_waits_table",
    "meetings_table",
    "patrols_table",
    "speeds_table",
]

STREET_CLASSES = (
    "motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street",
    "service", "road", "pedestrian", "cycleway", "footway", "path", "track",
)  # fmt: skip
"""Classes of streets that have a word; the others are told as others."""
_MOST_GRIDS = 20


def _clock(half_hour: int) -> str:
    return f"{half_hour // 2:02d}:{30 * (half_hour % 2):02d}"


def _hour(hour: int | None) -> str | None:
    return None if hour is None else _clock(2 * hour)


def _weekday(day: int | None) -> Value:
    return None if day is None else Term(f"opening.{WEEKDAYS[day]}")


def about_learned(study: Study) -> tuple[Say, ...]:
    """Say which travel times the study went by, what nobody sees, and whom the dates meet."""
    out = []
    times = study.travel_times
    if times is not None and times.used == "learned":
        facts = {
            "trips": Quantity(times.held_out_trips, "count"),
            "learned": Quantity(times.error_learned, "share"),
            "plain": Quantity(times.error_class, "share"),
            "one": Quantity(times.error_one_factor, "share"),
        }
        out.append(Say("say.times_learned", tuple(facts.items())))
        if times.streets_in_reach is not None and times.streets_in_reach_class is not None:
            reach = {
                "limit": Quantity(study.limit_s, "s"),
                "plain": Quantity(times.streets_in_reach_class, "share"),
                "learned": Quantity(times.streets_in_reach, "share"),
            }
            out.append(Say("say.times_reach", tuple(reach.items())))
    elif times is not None:
        out.append(Say("say.times_class", (("why", Term(f"times_why.{times.why}")),)))
    if study.blind_spots is not None:
        share = Quantity(study.blind_spots.streets_share, "share")
        out.append(Say("say.blind", (("share", share), ("k", Quantity(study.k, "count")))))
    out += _about_inner(study)
    met = study.meetings
    if met is not None and met.dates:
        facts = {
            "n": Quantity(len(met.dates), "count"),
            "riders": Quantity(met.riders, "count", redacted=True),
        }
        out.append(Say("say.meetings", tuple(facts.items())))
    return tuple(out)


def _about_inner(study: Study) -> tuple[Say, ...]:
    """Say how long gates take beside what was taken, and how many edits of the map are proposed."""
    found = study.inner_ways
    if found is None:
        return ()
    out = []
    if found.gates:
        waits = sorted(gate.wait_s for gate in found.gates)
        facts = {
            "n": Quantity(len(waits), "count"),
            "low": Quantity(waits[0], "s"),
            "middle": Quantity(waits[len(waits) // 2], "s"),
            "high": Quantity(waits[-1], "s"),
        }
        out.append(Say("say.gate_waits", tuple(facts.items())))
    if found.edits:
        counts = {
            kind: Quantity(sum(edit.kind == kind for edit in found.edits), "count")
            for kind in ("cut_through", "shut_gate")
        }
        out.append(Say("say.map_edits", tuple(counts.items())))
    return tuple(out)


def speeds_table(study: Study) -> Table:
    """How fast riders are on each class of streets, beside what would be taken without traces."""
    rows = () if study.travel_times is None else study.travel_times.classes
    return Table(
        "speeds",
        (
            Column("street_class"),
            Column("class_kmh", "kmh"),
            Column("ridden_kmh", "kmh"),
            Column("slowest_hour"),
            Column("slowest_kmh", "kmh", redacted=True),
        ),
        tuple(
            (_class(row.name), row.class_kmh, row.kmh, _hour(row.slowest_hour), row.slowest_kmh)
            for row in rows
        ),
    )


def _class(name: str) -> Value:
    plain = name.removesuffix("_link")
    word = Term(f"street_class.{plain if plain in STREET_CLASSES else 'other'}")
    return (word, Term("street_class.link")) if name.endswith("_link") else word


def blind_table(study: Study) -> Table:
    """List the unit grids of which riders see least."""
    rows = () if study.blind_spots is None else study.blind_spots.grids[:_MOST_GRIDS]
    return Table(
        "blind",
        (
            Column("code"),
            Column("unseen", "share", redacted=True),
            Column("unseen_hour"),
            Column("unseen_weekday"),
            Column("wait_median", "s"),
            Column("wait_most", "s"),
        ),
        tuple(
            (
                row.code,
                row.unseen_share,
                _hour(row.worst_hour),
                _weekday(row.worst_weekday),
                _seconds(row.wait_median_min),
                _seconds(row.wait_p90_min),
            )
            for row in rows
        ),
    )


def _seconds(minutes: float | None) -> float | None:
    return None if minutes is None else 60.0 * minutes


def blind_hours_table(study: Study) -> Table:
    """Share of the streets that nobody passes, by hour and weekday."""
    hours = () if study.blind_spots is None else study.blind_spots.hours
    return Table(
        "blind_hours",
        (Column("unseen_hour"), *(Column(f"unseen_{day}", "share", redacted=True) for day in WEEKDAYS)),
        tuple((_hour(hour), *(day[hour] for day in hours)) for hour in range(24)) if hours else (),
    )


def patrols_table(study: Study) -> Table:
    """List rounds through the streets that nobody passes, and what they change."""
    rows = () if study.blind_spots is None else study.blind_spots.patrols
    return Table(
        "patrols",
        (
            Column("code"),
            Column("unseen_hour"),
            Column("lon", "degrees"),
            Column("lat", "degrees"),
            Column("patrol_time", "s"),
            Column("unseen_before", "share"),
            Column("unseen_after", "share"),
        ),
        tuple(
            (
                row.grid_code,
                _hour(row.hour),
                *row.lonlat,
                60.0 * row.minutes,
                row.unseen_before,
                row.unseen_after,
            )
            for row in rows
        ),
    )


def gate_waits_table(study: Study) -> Table:
    """How long riders wait at each gate, and in which hour most."""
    rows = () if study.inner_ways is None else study.inner_ways.gates
    worst = [
        max(((wait, -hour) for hour, wait in enumerate(row.by_hour) if wait is not None), default=None)
        for row in rows
    ]
    return Table(
        "gate_waits",
        (
            Column("id"),
            Column("compound"),
            Column("gate_riders", "count"),
            Column("gate_passes", "count"),
            Column("gate_wait", "s"),
            Column("gate_default", "s"),
            Column("gate_worst_hour"),
            Column("gate_worst_wait", "s", redacted=True),
            Column("lon", "degrees"),
            Column("lat", "degrees"),
        ),
        tuple(
            (
                *(row.gate_id, row.compound, row.riders, row.passes, row.wait_s, row.default_s),
                None if most is None else _hour(-most[1]),
                None if most is None else most[0],
                *row.lonlat,
            )
            for row, most in zip(rows, worst, strict=True)
        ),
    )


def edits_table(study: Study) -> Table:
    """List the proposed edits of the map with their evidence; a planner confirms or rejects each."""
    rows = () if study.inner_ways is None else study.inner_ways.edits
    return Table(
        "map_edits",
        (
            Column("id"),
            Column("edit_kind"),
            Column("compound"),
            Column("gate_riders", "count"),
            Column("edit_days", "count"),
            Column("edit_passes", "count"),
            Column("edit_seconds", "s"),
            Column("lon", "degrees"),
            Column("lat", "degrees"),
        ),
        tuple(
            (
                *(row.edit_id, Term(f"edit_kind.{row.kind}"), row.compound, row.riders, row.days),
                *(row.passes, row.seconds, *row.line[0]),
            )
            for row in rows
        ),
    )


def meetings_table(study: Study) -> Table:
    """Dates at stations, chosen together so that most different riders are met."""
    names = {site.site_id: site.name for site in study.sites}
    rows = () if study.meetings is None else study.meetings.dates
    return Table(
        "meetings",
        (
            Column("id"),
            Column("name"),
            Column("meeting_day"),
            Column("meeting_at"),
            Column("met", "count", redacted=True),
        ),
        tuple(
            (
                row.site_id,
                names.get(row.site_id, ""),
                _weekday(row.weekday),
                _clock(row.half_hour),
                row.riders,
            )
            for row in rows
        ),
    )
