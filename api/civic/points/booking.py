"""Points and pay: what verified tasks and fixes bring, and what is booked, given back and spent."""

import dataclasses
import logging
from collections.abc import Callable
from types import MappingProxyType

from api.civic.people import is_account, person_of
from api.dispatch.turn import Turn
from api.store import SERVICE
from api.store.civic import ledger as rows
from routing.civic import (
    Book,
    EarningRules,
    Entry,
    LedgerError,
    correction,
    feedback,
    task_done,
)
from routing.dispatch import Happened

__all__ = ["after_task", "book_once", "corrected", "reward_reporters"]

LOG = logging.getLogger("yilu.civic")


def book_once(turn: Turn, entry: Entry | None) -> bool:
    """Book what follows from an event: once under its key, whenever the event comes again."""
    if entry is None or rows.entry(turn.connection, SERVICE, entry.key) is not None:
        return False
    return rows.book(turn.connection, SERVICE, entry)


def after_task(turn: Turn, rules: EarningRules, happened: Happened, ids: Callable[[], str]) -> None:
    """Book what a verified task brings its riders; take it back where it was not done after all."""
    kinds = {event.kind for event in happened.events}
    if not kinds & {"task_verified", "task_reopened"}:
        return
    state = turn.city.tasks[happened.task_id]
    if "task_verified" in kinds:
        grid = turn.row(happened.task_id).grid_code or ""
        for offer in state.taken:
            terms = offer.terms
            who = person_of(turn, offer.rider, ids)
            extra_s, extra_m = max(terms.extra_s, 0.0), max(terms.extra_m, 0.0)
            entry = task_done(who, happened.task_id, extra_s, extra_m, turn.now_s, rules)
            book_once(turn, None if entry is None else dataclasses.replace(entry, community=grid))
    if "task_reopened" in kinds:
        for offer in state.offers:
            if offer.status == "done" and offer.round < state.round:
                key = f"task:{happened.task_id}:{person_of(turn, offer.rider, ids)}"
                _take_back(turn, key)


def _take_back(turn: Turn, key: str) -> None:
    try:
        corrected(turn, key, "reopened")
    except LedgerError as error:
        # Never booked, given back already, or spent: what was spent stays with the city.
        LOG.info("nothing to take back: %s", error.code)


def corrected(turn: Turn, key: str, note: str) -> Entry:
    """Book the counter-entry of an entry.

    Raises
    ------
    LedgerError
        ``unknown``, ``corrected``, ``correction``, or ``not_enough`` where nothing is left to give.
    """
    entry = rows.entry(turn.connection, SERVICE, key)
    if entry is None:
        raise LedgerError("unknown")
    counter = rows.entry(turn.connection, SERVICE, f"correction:{key}")
    held = rows.lock_accounts(turn.connection, SERVICE, [(one.account, one.unit) for one in entry.postings])
    known = {one.key: one for one in (entry, counter) if one is not None}
    book = Book(MappingProxyType(known), MappingProxyType(held))
    made = correction(book, key, turn.now_s, note)
    turn.changing = True
    rows.book(turn.connection, SERVICE, made)
    return made


def reward_reporters(turn: Turn, rules: EarningRules, matter_id: str, reporters: tuple[str, ...]) -> None:
    """Book the bonus of riders whose report led to a fix."""
    for one in reporters:
        if is_account(one):
            book_once(turn, feedback(one, matter_id, turn.now_s, rules))
