"""From the forms of reports to commands, and from matters and their events back."""

import dataclasses
import datetime
import math
from collections.abc import Iterable, Mapping
from typing import cast

from api.civic.reports.forms import (
    BoardFeature,
    BoardMatter,
    BoardPoint,
    LookOut,
    MatterOut,
    PrivateReason,
    ReportOfMatter,
    ReportOut,
    ReportStep,
    Stage,
)
from api.civic.wording import told_text
from api.forms import Language, instant_of
from api.store.civic import matters as rows
from geo.datum import Datum, place_from_wgs84
from geo.localtime import HOUR_S
from routing.civic import (
    BoardEntry,
    MatterEvent,
    MatterState,
    Report,
    board_entry,
    evolve_matter,
    notices,
)

__all__ = ["board_feature", "board_matter", "matter_out", "report_out", "rounded_entry"]


def _shown(lonlat: tuple[float, float], datum: Datum) -> tuple[float, float]:
    lon, lat = place_from_wgs84(lonlat, datum)
    return round(lon, 6), round(lat, 6)


def rounded_entry(state: MatterState, now_s: float) -> BoardEntry | None:
    """Return what everybody may see of a matter, None where nobody may see it.

    Instants are whole hours: where somebody reported a thing to the second, that person was there.
    """
    entry = board_entry(state, now_s)
    if entry is None:
        return None
    due_s = math.ceil(entry.due_s / HOUR_S) * HOUR_S
    left_s = None if entry.left_s is None else due_s - now_s
    return dataclasses.replace(
        entry, reported_s=entry.reported_s // HOUR_S * HOUR_S, due_s=due_s, left_s=left_s
    )


def board_matter(
    entry: BoardEntry, datum: Datum, zone: datetime.tzinfo, titles: Mapping[str, str]
) -> BoardMatter:
    """Return a matter for the public board."""
    lon, lat = _shown(entry.lonlat, datum)
    return BoardMatter(
        matter_id=entry.matter_id,
        kind=entry.kind,
        lon=lon,
        lat=lat,
        reported=instant_of(entry.reported_s, zone),
        stage=cast(Stage, entry.stage),
        office=titles.get(entry.office, entry.office),
        due=instant_of(entry.due_s, zone),
        overdue=entry.left_s is not None and entry.left_s < 0,
        level=entry.level,
        result=entry.result,
        photo=entry.result_photo or None,
    )


def board_feature(matter: BoardMatter) -> BoardFeature:
    """Return a matter of the board as GeoJSON."""
    point = BoardPoint(coordinates=(matter.lon, matter.lat))
    return BoardFeature(id=matter.matter_id, geometry=point, properties=matter)


def matter_out(
    row: rows.MatterRow, state: MatterState, now_s: float, datum: Datum, zone: datetime.tzinfo
) -> MatterOut:
    """Return a matter for its offices."""
    lon, lat = _shown(state.first.lonlat, datum)
    return MatterOut(
        matter_id=row.matter_id,
        version=row.version,
        kind=row.kind,
        stage=cast(Stage, state.stage),
        office=state.office,
        asked=state.asked or None,
        opened=instant_of(row.opened_s, zone),
        updated=instant_of(row.updated_s, zone),
        due=instant_of(state.due_s, zone),
        left_s=_seconds(state.left_s(now_s)),
        level=state.level,
        round=state.round,
        private=cast(PrivateReason, state.private) if state.private else None,
        grid_code=row.grid_code,
        lon=lon,
        lat=lat,
        datum=datum,
        reports=[_report_of_matter(one, datum, zone) for one in state.reports],
        people=len(state.reporters),
        looks=[
            LookOut(
                task=look.task_id,
                latest=instant_of(look.latest_s, zone),
                there=look.there,
                missed=look.missed,
            )
            for look in state.looks
        ],
        result=state.result,
        photo=state.result_photo or None,
    )


def _seconds(left_s: float | None) -> float | None:
    return None if left_s is None else round(left_s, 3)


def _report_of_matter(report: Report, datum: Datum, zone: datetime.tzinfo) -> ReportOfMatter:
    lon, lat = _shown(report.lonlat, datum)
    return ReportOfMatter(
        report_id=report.report_id,
        made=instant_of(report.made_s, zone),
        lon=lon,
        lat=lat,
        note=report.note,
        photo=report.photo or None,
    )


def report_out(
    report: rows.ReportRow,
    state: MatterState,
    events: Iterable[tuple[float, MatterEvent]],
    now_s: float,
    lang: Language,
    zone: datetime.tzinfo,
    titles: Mapping[str, str],
) -> ReportOut:
    """Return a report for who made it: the stage of its matter, and each step that they were told."""
    steps = _steps(report, events, lang, zone, titles)
    return ReportOut(
        report_id=report.report_id,
        matter_id=report.matter_id,
        joined=state.first.report_id != report.report_id,
        kind=state.kind,
        stage=cast(Stage, state.stage),
        office=titles.get(state.office, state.office),
        due=instant_of(state.due_s, zone),
        left_s=_seconds(state.left_s(now_s)),
        private=cast(PrivateReason, state.private) if state.private else None,
        result=state.result,
        steps=steps,
    )


def _steps(
    report: rows.ReportRow,
    events: Iterable[tuple[float, MatterEvent]],
    lang: Language,
    zone: datetime.tzinfo,
    titles: Mapping[str, str],
) -> list[ReportStep]:
    found: list[ReportStep] = []
    state: MatterState | None = None
    for at_s, event in events:
        state = evolve_matter(state, event)
        # Who joined later is told from then on.
        if report.reporter not in state.reporters:
            continue
        for notice in notices(state, event):
            if notice.reporter == report.reporter:
                text = told_text(notice.said, lang, zone, titles)
                found.append(ReportStep(at=instant_of(at_s, zone), step=event.kind, text=text))
    return found
