"""``POST servicerequestupdates``, which FixMyStreet sends: its form, and what it asks of a matter."""

import dataclasses
from collections.abc import Iterable

from api.open311.errors import Open311Error
from api.open311.forms import contact_of, epoch_of, first_of, jurisdiction_of, media_lines, note_of, table_of
from api.open311.wording import UPDATE_TEXTS
from routing.civic import (
    AcceptMatter,
    Confirm,
    DeclineMatter,
    Dispute,
    Fix,
    MatterCommand,
    MatterState,
    StartWork,
)

__all__ = ["UPDATE_STATUSES", "NewUpdate", "of_office", "of_reporter", "read_new_update"]

AHEAD_S = 86_400.0
"""No clock is so far ahead."""
_TAKEN = ("investigating", "planned", "action_scheduled", "internal_referral", "for_triage")
_DONE = ("fixed", "fixed_-_council", "fixed_-_user", "closed")
_NOT_DONE = ("no_further_action", "not_councils_responsibility", "unable_to_fix", "duplicate")
_AGAIN = ("open", "reopen", "confirmed")
UPDATE_STATUSES = (*_AGAIN, *_TAKEN, "in_progress", *_DONE, *_NOT_DONE)
"""Those of the specification (open, closed) and the extended ones that de-facto clients send."""


@dataclasses.dataclass(frozen=True, slots=True)
class NewUpdate:
    """What an update says. Names, phone and mail go no further than `contact`."""

    update_id: str
    """As the client calls it; empty: it does not say."""
    matter_id: str
    status: str
    """One of `UPDATE_STATUSES`."""
    note: str
    contact: str
    """By what the sender is known, as in a new request; empty: nobody."""


def read_new_update(pairs: Iterable[tuple[str, str]], jurisdiction: str, now_s: float) -> NewUpdate:
    """Read the form of ``POST servicerequestupdates``.

    Parameters
    ----------
    pairs : iterable of (str, str)
        Decoded names and values, in order.
    jurisdiction : str
        The one served here.
    now_s : float
        Epoch seconds.

    Raises
    ------
    Open311Error
        Where an argument is missing or wrong.
    """
    table = table_of(pairs)
    jurisdiction_of(table, jurisdiction)
    matter_id = first_of(table, "service_request_id")
    if not matter_id:
        raise Open311Error(400, "service_request_id was not provided.")
    said = first_of(table, "status")
    # "IN PROGRESS", "in-progress" and "in_progress" are one.
    status = "_-_".join("_".join(part.replace("-", " ").split()) for part in said.lower().split(" - "))
    if status not in UPDATE_STATUSES:
        raise Open311Error(400, f"status is {said!r}; allowed are {', '.join(UPDATE_STATUSES)}.")
    made_s = epoch_of(table, "updated_datetime")
    if made_s is not None and made_s > now_s + AHEAD_S:
        raise Open311Error(400, "updated_datetime lies in the future.")
    lines = [first_of(table, "description"), *media_lines(table)]
    return NewUpdate(first_of(table, "update_id"), matter_id, status, note_of(lines), contact_of(table))


def of_office(
    update: NewUpdate, state: MatterState, office: str, lang: str, photo: str = ""
) -> MatterCommand | None:
    """Return what an office's update asks for; None: that is so already, as of a repeated or a late one.

    Parameters
    ----------
    update : NewUpdate
    state : MatterState
    office : str
        Which office says so.
    lang : str
        Of the words where the office has none of its own.
    photo : str
        Name of the picture that came with it; empty: none.

    Raises
    ------
    Open311Error
        409 where an office takes back that it is done: only a reporter may say so.
    """
    if update.status in _AGAIN:
        if state.said:
            raise Open311Error(
                409, "The office has said that it is done; who reported it may say that it is not."
            )
        return None
    if state.said:
        return None  # the first word of the office stands
    if update.status in _TAKEN:
        return None if state.accepted and state.office == office and not state.asked else AcceptMatter(office)
    if update.status == "in_progress":
        return None if state.started else StartWork(office)
    texts = UPDATE_TEXTS[lang]
    if update.status in _DONE:
        return Fix(office, update.note or texts["matter_fixed"], photo)
    return DeclineMatter(office, update.note or texts["matter_declined"])


def of_reporter(update: NewUpdate, state: MatterState, reporter: str) -> MatterCommand | None:
    """Return what a reporter's update asks for; None: that is so already.

    Raises
    ------
    Open311Error
        409 where nothing of the matter would change: words alone are not kept.
    """
    if update.status in _DONE:
        if state.closed:
            return None
        if not state.said:
            raise Open311Error(409, "The office has not said yet that it is done; nothing was changed.")
        return Confirm(reporter)
    if update.status in _AGAIN:
        if state.said:
            return Dispute(reporter, update.note)
        raise Open311Error(409, "It is open; words alone are not kept. Send a new request to add to it.")
    raise Open311Error(
        409, f"status {update.status!r} is the office's to say; a reporter sends open or fixed."
    )
