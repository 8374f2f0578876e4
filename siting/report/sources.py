"""What a study was made from, as tables: candidates refused, files read, rows rejected, stays by kind."""

import collections
from collections.abc import Sequence

from siting.results import FileAccount, Study
from siting.values import Column, Say, Table, Term

__all__ = [
    "files_table",
    "refusal_counts_table",
    "refusals_table",
    "rejects_table",
    "rows_told",
    "stays_table",
]


def refusals_table(study: Study) -> Table:
    """Return the candidates that were refused, each with the reason."""
    return Table(
        "refusals",
        (Column("name"), Column("refusal"), Column("lon", "degrees"), Column("lat", "degrees")),
        tuple((r.name, Term(f"refusal.{r.reason}"), *r.lonlat) for r in study.refusals),
    )


def refusal_counts_table(study: Study) -> Table:
    """Return how many candidates each reason refused."""
    return Table(
        "refusal_counts",
        (Column("refusal"), Column("candidates_count", "count")),
        tuple(
            (Term(f"refusal.{reason}"), count)
            for reason, count in sorted(collections.Counter(r.reason for r in study.refusals).items())
        ),
    )


def files_table(study: Study) -> Table:
    """Return the account of each file: rows read, accepted and rejected, and the evidence for its datum."""
    return Table(
        "files",
        (
            Column("file"),
            Column("datum"),
            Column("datum_evidence"),
            Column("read", "count", redacted=True),
            Column("accepted", "count", redacted=True),
            Column("rejected", "count", redacted=True),
        ),
        tuple(
            (
                a.file,
                Term(f"datum.{a.datum}"),
                Say("evidence", (("text", a.datum_evidence),)),
                a.read,
                a.accepted,
                None if a.read is None else sum(rows for _, rows in a.rejected),
            )
            for a in study.accounts
        ),
    )


def rows_told(accounts: Sequence[FileAccount]) -> tuple[int | None, int | None, int | None]:
    """Return the rows read, accepted and refused of all files; None where they are of fewer than k riders."""
    read = accepted = 0
    for account in accounts:
        if account.read is None or account.accepted is None:
            return None, None, None
        read, accepted = read + account.read, accepted + account.accepted
    return read, accepted, read - accepted


def rejects_table(study: Study) -> Table:
    """Return rejected rows by file and reason, with the notes of files."""
    return Table(
        "rejects",
        (Column("file"), Column("reject"), Column("rows", "count", redacted=True)),
        tuple(
            row
            for a in study.accounts
            for row in (
                *((a.file, Term(f"reject.{reason}"), rows) for reason, rows in a.rejected),
                *((file, Term(f"file_note.{code}"), rows) for file, code, rows in a.notes),
            )
        ),
    )


def stays_table(study: Study) -> Table:
    """Return stay points by kind."""
    return Table(
        "stays",
        (Column("stay_kind"), Column("stays_count", "count", redacted=True)),
        tuple((Term(f"stay.{kind}"), count) for kind, count in study.stay_points_by_kind),
    )
