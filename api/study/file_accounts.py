"""Accounts of trace files as a study may tell them: a file of fewer than k riders is told with others."""

import dataclasses
import re
from collections import Counter
from collections.abc import Sequence

from geo.errors import InputError
from geo.traces import DOUBTS, Account
from siting.results import FileAccount

__all__ = ["pooled"]

WITHHELD = "figures withheld for lack of riders"
_A_RIDERS_FILE = re.compile(r"file \d+\.\w+")


def pooled(accounts: Sequence[Account], k: int) -> tuple[FileAccount, ...]:
    """Return the accounts, with those of files of fewer than k riders taken together.

    How many rows a file of one rider has is a figure of that rider. Such files are told together by datum;
    sums that still have fewer than k riders behind them go together, whatever the datum, and with the next
    smallest accounts until there are k or nothing is left, because all accounts add up to what was read.

    Where all riders together are fewer than k, no rows are told.

    A file of which no row was accepted is told by itself: nobody's rows are in the study by it, and its name
    is what a planner looks for.

    Parameters
    ----------
    accounts : sequence of Account
        Whose files' names are riders' ids has numbers in their place.
    k : int
        Riders behind every account that is told by itself.

    Raises
    ------
    InputError
        When the rows of an account do not add up.
    """
    told: list[list[Account]] = []
    alike: dict[tuple[str, str], list[Account]] = {}
    for account in accounts:
        if account.accepted + sum(account.rejected.values()) != account.read:
            raise InputError(f"{account.file}: the rows accepted and refused do not add up to those read")
        if _A_RIDERS_FILE.fullmatch(account.file) or 0 < len(account.riders) < k:
            alike.setdefault((account.datum, account.datum_evidence), []).append(account)
        else:
            told.append([account])
    told += [found for found in alike.values() if len(_riders(found)) >= k]
    few = [account for found in alike.values() if len(_riders(found)) < k for account in found]
    if few and _riders(few):
        for group in sorted((one for one in told if _riders(one)), key=lambda one: len(_riders(one))):
            if len(_riders(few)) >= k:
                break
            told.remove(group)
            few += group
    if few and 0 < len(_riders(accounts)) < k:
        # There is nobody else: all rows are theirs.
        return (*(_told(found, k) for found in told), _withheld(_told(few, k)))
    return tuple(_told(found, k) for found in (*told, few) if found)


def _withheld(account: FileAccount) -> FileAccount:
    notes = tuple((file, code, None if rows else rows) for file, code, rows in account.notes)
    return dataclasses.replace(account, read=None, accepted=None, rejected=(), notes=notes)


def _riders(accounts: Sequence[Account]) -> frozenset[str]:
    return frozenset().union(*(account.riders for account in accounts))


def _evidence(accounts: Sequence[Account], k: int) -> str:
    """Return what spoke for the datum, without figures where these are of fewer than k riders."""
    parts = dict.fromkeys(part for account in accounts for part in account.datum_evidence.split("; "))
    if len(_riders(accounts)) < k:
        parts = dict.fromkeys(WITHHELD if re.search(r"\d", part) else part for part in parts)
    return "; ".join(parts)


def _told(accounts: Sequence[Account], k: int) -> FileAccount:
    name = f"{len(accounts)} files" if len(accounts) > 1 else accounts[0].file
    rejected: Counter[str] = Counter()
    notes: Counter[tuple[str, str]] = Counter()
    for account in accounts:
        refused = sum(account.rejected.values())
        rejected.update(account.rejected)
        for code in account.hints:
            notes[name, code] += account.accepted if code in DOUBTS else refused
        for file, code in account.skipped:
            notes[file, code] += 0
    return FileAccount(
        file=name,
        datum=", ".join(dict.fromkeys(account.datum for account in accounts)),
        datum_evidence=_evidence(accounts, k),
        read=sum(account.read for account in accounts),
        accepted=sum(account.accepted for account in accounts),
        rejected=tuple(sorted(rejected.items())),
        notes=tuple((file, code, rows) for (file, code), rows in notes.items()),
    )
