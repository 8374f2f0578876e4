"""A rider's day beside their reports: what platforms do not say of hours worked is counted here."""

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from api.store.rows import values_of
from routing.dispatch import Duty, after_report, break_due_s
from routing.model import Policy

__all__ = ["break_due_of", "with_duty"]

KEY = "duty"
BEHIND_S = 300.0
"""The matching may be behind what is counted by so much: a plan is not made anew for every position."""
WORKING = ("busy", "public_benefit")


def with_duty(
    before: Mapping[str, Any] | None,
    said: Mapping[str, Any],
    at_s: float,
    zone: datetime.tzinfo,
    policy: Policy,
) -> tuple[dict[str, Any], bool]:
    """Return what a report adds to a rider's body about hours worked, and whether matching must learn of it.

    Parameters
    ----------
    before : mapping, optional
        The body as it is known.
    said : mapping
        What the report says.
    at_s : float
        Epoch seconds of the report.
    zone : tzinfo
        Of the city: its midnight begins the day.
    policy : Policy

    Returns
    -------
    dict
        The count under ``duty``; ``worked_today_s`` and ``worked_since_break_s`` where they are told to the
        matching anew. What a platform says itself is believed, and counted on from.
    bool
        Whether they are.
    """
    known = None if before is None or KEY not in before else Duty(**before[KEY])
    status = said.get("status", (before or {}).get("status", "busy"))
    day = datetime.datetime.fromtimestamp(at_s, zone).date().isoformat()
    counted = after_report(known, status, at_s, day, policy)
    if known is not None and counted is known:
        return {}, False
    told = {
        name: said[name] for name in ("worked_today_s", "worked_since_break_s") if said.get(name) is not None
    }
    if "worked_since_break_s" in told and status in WORKING:
        told["rested_s"] = 0.0
    counted = dataclasses.replace(counted, **told) if told else counted
    held = before or {}
    behind_s = max(
        abs(getattr(counted, name) - held.get(name, 0.0))
        for name in ("worked_today_s", "worked_since_break_s")
    )
    news: dict[str, Any] = {KEY: values_of(counted)}
    if behind_s >= BEHIND_S or not said.keys() <= {"lon", "lat"}:
        news |= {
            "worked_today_s": counted.worked_today_s,
            "worked_since_break_s": counted.worked_since_break_s,
        }
        return news, behind_s >= BEHIND_S
    return news, False


def break_due_of(body: Mapping[str, Any], zone: datetime.tzinfo, policy: Policy) -> datetime.datetime | None:
    """Return when the rider's break falls due if they work on; None where they rest, or nothing is known."""
    if KEY not in body or body[KEY]["status"] not in WORKING:
        return None
    return datetime.datetime.fromtimestamp(round(break_due_s(Duty(**body[KEY]), policy), 3), zone)
