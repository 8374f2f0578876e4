"""Reports and what becomes of them, as functions of a turn; who may want what is checked here."""

import dataclasses
import math
from collections.abc import Callable

from api.civic.people import accounts_of, person_of
from api.civic.points import booking
from api.civic.reports import codec
from api.civic.reports.offices import check_office
from api.civic.rules import CivicRules
from api.dispatch.commands import publish
from api.dispatch.turn import MissingError, Turn
from api.store import SERVICE, Scope
from api.store.civic import matters as rows
from api.store.civic import photos
from api.store.dispatch import events as stored
from geo.earth import RADIUS_M
from geo.errors import InputError
from routing.civic import (
    AskHandover,
    Fix,
    MatterCommand,
    MatterConflictError,
    MatterEvent,
    MatterState,
    Open,
    Report,
    ReportLook,
    ReportRules,
    decide_matter,
    evolve_matter,
    look_task,
    notices,
    same_matter,
)
from routing.dispatch import Happened, RiderKey, Withdraw

__all__ = [
    "Kept",
    "Made",
    "NewReport",
    "is_look",
    "make_report",
    "matter_after_task",
    "matter_carried_out",
    "next_s",
    "on_matter",
    "on_report",
    "serves",
]

Ids = Callable[[], str]
_LOOK = "-look-"


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """A matter as it is kept now."""

    row: rows.MatterRow
    state: MatterState


@dataclasses.dataclass(frozen=True, slots=True)
class NewReport:
    """A report as it was made."""

    report: Report
    office: str
    """Who is asked first, where it opens a matter."""
    digest: str
    """Of the token by which the reporter is told."""
    account: RiderKey | None
    """The rider's account, whose platform is told too."""
    grid_code: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Made:
    """A report as it is kept now."""

    report: rows.ReportRow
    kept: Kept
    joined: bool
    """It is about a matter that was known."""


def next_s(state: MatterState, rules: ReportRules) -> float | None:
    """Return when something of a matter runs out, in epoch seconds; None: nothing does."""
    look = state.open_look
    due = [] if look is None else [look.latest_s]
    if state.acting and state.level < len(rules.levels):
        due.append(state.next_level_s)
    if state.said == "fixed" and not state.closed and look is None:
        due.append(state.said_s + rules.unopposed_s)
    finite = [one for one in due if math.isfinite(one)]
    return min(finite, default=None)


# -- reports
# -------------------------------------------------------------------------------------------------


def make_report(turn: Turn, rules: CivicRules, new: NewReport, ids: Ids) -> Made:
    """Keep a report: it joins the matter that it is about, or opens one.

    Raises
    ------
    InputError
        When its photo is not there.
    """
    report = new.report
    rows.lock_kind(turn.connection, report.kind)
    found = _same(turn, rules.reports, report)
    _check_photo(turn, report.photo)
    before = None if found is None else found.state
    matter_id = ids() if found is None else found.row.matter_id
    command = Open(matter_id, report, new.office)
    events = decide_matter(before, command, turn.now_s, rules.reports)
    turn.changing = True
    if found is None:
        row = _new_row(new, matter_id, turn.now_s)
        state = evolve_matter(None, events[0])
        rows.insert(turn.connection, SERVICE, _placed(row, state, rules.reports, turn.now_s))
    else:
        row = found.row
    account = new.account
    kept = rows.ReportRow(
        report.report_id, matter_id, None if account is None else account.platform,
        None if account is None else account.rider_id, report.reporter, new.digest, report.made_s,
    )  # fmt: skip
    rows.add_report(turn.connection, SERVICE, kept)
    made = _applied(turn, rules, row, before, events, ids)
    _claim(turn, report.photo, made.state, public=False)
    return Made(kept, made, found is not None)


def _check_photo(turn: Turn, photo: str, matter_id: str | None = None) -> None:
    """Refuse a photo that was never sent, or is that of another matter."""
    known = photos.get(turn.connection, SERVICE, photo) if photo else None
    if photo and (known is None or known.matter_id not in (None, matter_id)):
        raise InputError("there is no such photo: send it first, and use it once, within a day")


def _claim(turn: Turn, photo: str, state: MatterState, *, public: bool) -> None:
    """Use a photo for a matter; of one that nobody may see nobody sees pictures."""
    if photo:
        shown = public and not state.private
        photos.claim(turn.connection, SERVICE, photo, state.matter_id, public=shown)


def _same(turn: Turn, rules: ReportRules, report: Report) -> Kept | None:
    """Return the matter that a report is about, locked."""
    box = _around(report.lonlat, rules.same_within_m)
    span = (report.made_s - rules.same_within_s, report.made_s + rules.same_within_s)
    near = rows.near(turn.connection, SERVICE, report.kind, box, span)
    states = [codec.matter_state_of(row.state) for row in near]
    state = same_matter(states, report, rules)
    if state is None:
        return None
    row = rows.load_for_update(turn.connection, SERVICE, state.matter_id)
    # Nothing is ever removed.
    return None if row is None else Kept(row, codec.matter_state_of(row.state))


def _around(lonlat: tuple[float, float], within_m: float) -> rows.Box:
    """Return a box with everything within so many metres, and a little more."""
    lon, lat = lonlat
    high = math.degrees(within_m / RADIUS_M) * 1.01
    wide = high / max(math.cos(math.radians(min(abs(lat) + high, 90.0))), 1e-9)
    if wide >= 180 or abs(lat) + high >= 90:
        return rows.Box(-180.0, lat - high, 180.0, lat + high)
    west, east = lon - wide, lon + wide
    return rows.Box(
        west + 360 if west < -180 else west, lat - high, east - 360 if east > 180 else east, lat + high
    )


def _new_row(new: NewReport, matter_id: str, now_s: float) -> rows.MatterRow:
    lon, lat = new.report.lonlat
    return rows.MatterRow(
        matter_id, new.office, None, new.report.kind, "reported", None, new.grid_code, lon, lat,
        new.report.made_s, now_s, None, 1, {},
    )  # fmt: skip


def on_report(
    turn: Turn, rules: CivicRules, report: rows.ReportRow, make: Callable[[str], MatterCommand], ids: Ids
) -> Made:
    """Carry out what a reporter says of their matter; `make` gets the reporter's pseudonym."""
    row = rows.load_for_update(turn.connection, SERVICE, report.matter_id)
    if row is None:
        raise MissingError("there is no such report")
    return Made(report, matter_carried_out(turn, rules, row, make(report.reporter), ids), joined=False)


# -- offices
# -------------------------------------------------------------------------------------------------


def serves(who: Scope, row: rows.MatterRow) -> bool:
    """Say whether a caller speaks for an office of a matter."""
    if who.role == "admin":
        return True
    if who.role not in ("planner", "grid_staff") or who.tenant_id not in (row.tenant_id, row.asked_tenant_id):
        return False
    return who.role == "planner" or row.grid_code in who.grid_codes


def on_matter(
    turn: Turn,
    rules: CivicRules,
    who: Scope,
    matter_id: str,
    make: Callable[[str], MatterCommand],
    ids: Ids,
) -> Kept:
    """Carry out an office's command; `make` gets the office's name, an admin acts for the responsible one.

    Raises
    ------
    MissingError, MatterConflictError
    InputError
        When the photo of a result is not there, or nobody knows the office that is asked.
    """
    row = rows.load_for_update(turn.connection, SERVICE, matter_id)
    if row is None or not serves(who, row):
        raise MissingError("there is no such matter")
    command = make(row.tenant_id if who.role == "admin" else str(who.tenant_id))
    if isinstance(command, Fix):
        _check_photo(turn, command.photo, matter_id)
    if isinstance(command, AskHandover):
        check_office(turn.connection, command.to)
    return matter_carried_out(turn, rules, row, command, ids)


# -- what follows
# -------------------------------------------------------------------------------------------------


def matter_carried_out(
    turn: Turn, rules: CivicRules, row: rows.MatterRow, command: MatterCommand, ids: Ids
) -> Kept:
    """Carry out a command on a matter that was loaded for it.

    Raises
    ------
    MatterConflictError
    """
    before = codec.matter_state_of(row.state)
    events = decide_matter(before, command, turn.now_s, rules.reports)
    if not events:
        return Kept(row, before)
    turn.changing = True
    return _applied(turn, rules, row, before, events, ids)


def _placed(row: rows.MatterRow, state: MatterState, rules: ReportRules, now_s: float) -> rows.MatterRow:
    """Return the row of a matter in a state."""
    return dataclasses.replace(
        row,
        tenant_id=state.office,
        asked_tenant_id=state.asked or None,
        stage=state.stage,
        private=state.private or None,
        updated_s=now_s,
        next_s=next_s(state, rules),
        state=codec.matter_state_json(state),
    )


def _applied(
    turn: Turn,
    rules: CivicRules,
    row: rows.MatterRow,
    before: MatterState | None,
    events: tuple[MatterEvent, ...],
    ids: Ids,
) -> Kept:
    """Keep events of a matter with all that follows from them."""
    state = before
    told = rows.reports_of(turn.connection, SERVICE, row.matter_id)
    for event in events:
        state = evolve_matter(state, event)
        turn.happened.append(codec.matter_event_row(row.matter_id, state.office, event, turn.now_s))
        turn.happened += _told(turn, state, event, told)
    if state is None:
        raise ValueError("nothing has happened")
    saved = rows.save(turn.connection, SERVICE, _placed(row, state, rules.reports, turn.now_s))
    for follower in turn.memory.followers:
        # What runs out has changed: it looks anew.
        follower.follow(turn, saved.matter_id)
    for event in events:
        _follow_up(turn, rules, saved, state, event)
    return Kept(saved, state)


def _told(
    turn: Turn, state: MatterState, event: MatterEvent, reports: list[rows.ReportRow]
) -> list[stored.Event]:
    """Tell reporters through their platforms, and the office that is asked to take a matter on."""
    found = []
    if event.kind == "handover_asked":
        body = {"office": state.office, "reason": event.reason}
        found.append(
            stored.Event(turn.now_s, "handover_offered", state.matter_id, event.office, None, None, body)
        )
    for notice in notices(state, event):
        for row in reports:
            if row.reporter == notice.reporter and row.tenant_id is not None:
                facts = {"report_id": row.report_id, "step": event.kind, "facts": dict(notice.said.facts)}
                found.append(
                    stored.Event(
                        turn.now_s, "report_told", state.matter_id, None, row.tenant_id, row.rider_id, facts
                    )
                )
    return found


def _follow_up(
    turn: Turn, rules: CivicRules, row: rows.MatterRow, state: MatterState, event: MatterEvent
) -> None:
    match event.kind:
        case "look_wanted":
            task = look_task(state, rules.reports)
            if task is not None:
                publish(
                    turn,
                    Scope(state.office, "planner"),
                    task,
                    label=task.task_id,
                    grid_code=row.grid_code,
                    body={"matter": state.matter_id},
                    never=accounts_of(turn, state.reporters),
                )
        case "look_missed":
            task_state = turn.state(event.task_id)
            if task_state is not None and not task_state.ended and task_state.status != "done":
                turn.record(turn.city.handle(event.task_id, Withdraw("not needed any more"), turn.now_s))
        case "matter_fixed":
            _claim(turn, event.photo, state, public=True)
        case "matter_closed":
            booking.reward_reporters(turn, rules.earning, state.matter_id, state.reporters)
        case "matter_hidden" | "report_joined":
            if state.private:
                photos.hide(turn.connection, SERVICE, state.matter_id)
        case _:
            pass


def _look_of(task_id: str) -> str | None:
    """Return the matter that a task looks at; None for any other task."""
    return task_id.rpartition(_LOOK)[0] or None


def is_look(task_id: str) -> bool:
    """Whether somebody goes and sees by this task, and is asked whether it is there."""
    return _look_of(task_id) is not None


def _keep_photos(turn: Turn, happened: Happened) -> None:
    """Keep what a rider has taken of their work, for the office that asked for it."""
    for event in happened.events:
        if event.kind == "offer_done" and event.photo:
            photos.claim_for_task(turn.connection, SERVICE, event.photo, happened.task_id)


def matter_after_task(turn: Turn, rules: CivicRules, happened: Happened, ids: Ids) -> None:
    """Move a report on when somebody has looked and the office has verified it."""
    matter_id, kinds = _look_of(happened.task_id), {event.kind for event in happened.events}
    if matter_id is None:
        _keep_photos(turn, happened)
        return
    if not kinds & {"offer_done", "task_verified"}:
        return
    row = rows.load_for_update(turn.connection, SERVICE, matter_id)
    done = next((one for one in turn.city.tasks[happened.task_id].taken if one.status == "done"), None)
    if row is None or done is None:
        return
    # Kept from now on: the office looks at it before it verifies.
    _claim(turn, done.photo, codec.matter_state_of(row.state), public=False)
    if "task_verified" not in kinds:
        return
    looker = person_of(turn, done.rider, ids)
    # Who has been there and says nothing else has seen it.
    there = done.there is not False
    command = ReportLook(happened.task_id, looker, there, done.note, done.photo)
    try:
        matter_carried_out(turn, rules, row, command, ids)
    except MatterConflictError:
        # They have reported it themselves by now, or nobody waits for the look any more.
        return
