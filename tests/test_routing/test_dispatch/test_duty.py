"""A rider's day against a second-by-second count."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from routing.dispatch.duty import LONGEST_GAP_S, WORKING, Duty, after_report, break_due_s
from routing.model import Policy

POLICY = Policy(break_s=300.0, continuous_work_s=1_000.0)
STATUSES = ("busy", "on_break", "public_benefit", "off")


def slow(reports: list[tuple[str, int]]) -> tuple[int, int]:
    """Worked today and since the break, second by second; all on one day."""
    today = since = rest = 0
    for (status, at), (after, then) in itertools.pairwise(reports):
        known = then - at <= LONGEST_GAP_S or (status not in WORKING and after not in WORKING)
        if not known:
            rest = 0
        for _ in range(then - at if known else 0):
            if status in WORKING:
                today, since, rest = today + 1, since + 1, 0
            else:
                rest += 1
                if rest >= POLICY.break_s:
                    since = 0
        if then > at and status in WORKING:
            rest = 0
    return today, since


@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.integers(0, 2_500)), min_size=1, max_size=12))
def test_a_day_is_what_a_clock_beside_the_rider_would_count(steps: list[tuple[str, int]]) -> None:
    at, reports = 0, []
    for status, seconds in steps:
        at += seconds
        reports.append((status, at))
    duty: Duty | None = None
    for status, when in reports:
        duty = after_report(duty, status, float(when), "2026-11-28", POLICY)
    assert duty is not None
    assert (duty.worked_today_s, duty.worked_since_break_s) == slow(reports)
    assert break_due_s(duty, POLICY) == reports[-1][1] + max(1_000.0 - duty.worked_since_break_s, 0.0)


def test_an_old_report_changes_nothing_and_a_new_day_begins_at_zero() -> None:
    duty = after_report(None, "busy", 100.0, "2026-11-28", POLICY)
    duty = after_report(duty, "busy", 700.0, "2026-11-28", POLICY)
    assert after_report(duty, "off", 650.0, "2026-11-28", POLICY) == duty
    assert after_report(duty, "busy", 800.0, "2026-11-29", POLICY).worked_today_s == 100.0
