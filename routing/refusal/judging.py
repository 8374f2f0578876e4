"""Places in plans held against all rules: the kernels behind refusals."""

from typing import NamedTuple

import numpy as np

from geo.arrays import BoolArray, Int64Array
from geo.jit import kernel
from routing.fleet.tables import Columns, Ms

__all__ = [
    "ALLOWED",
    "ALLOWED_AT",
    "AS_IS",
    "BREAK",
    "BREAK_AT",
    "COLUMNS",
    "DAY",
    "EARLIER",
    "EARLIER_DROPOFF",
    "EXTRA",
    "GAP",
    "HOUR",
    "LATE",
    "LATES",
    "LATEST",
    "LATEST_DROPOFF",
    "LOST",
    "MOST",
    "ROOM",
    "SEVERAL",
    "SEVERAL_AT",
    "SHIFT",
    "SINGLE",
    "SINGLE_AT",
    "SINGLE_HOW",
    "SIZE",
    "TRAPPED",
    "WAIT",
    "WAIT_DROPOFF",
    "Ask",
    "Judged",
    "Legs",
    "RiderLimits",
    "allowed_places",
    "examine",
    "judge",
]

KIND_MS = 600_000
"""What a change of kind weighs."""
LOST = np.int64(1) << 50

# What `examine` finds out about one place: milliseconds by which a limit would have to give way.
LATEST, LATEST_DROPOFF, MOST, HOUR, SHIFT, DAY, BREAK = range(7)
ROOM, LATE, LATES, BREAK_AT, TRAPPED, EXTRA, GAP, WAIT, WAIT_DROPOFF, SIZE = range(7, 17)

# Columns of the table of near misses, by row of the fleet.
ALLOWED, ALLOWED_AT, SINGLE, SINGLE_HOW, SINGLE_AT, SEVERAL, SEVERAL_AT, COLUMNS = 0, 1, 3, 4, 5, 7, 8, 10
AS_IS, EARLIER, EARLIER_DROPOFF = range(3)


class Ask(NamedTuple):
    """One task in milliseconds."""

    earliest: int
    latest: int
    service: int
    d_earliest: int
    d_latest: int
    d_service: int
    pair: bool
    load: int
    now: int
    max_extra: int
    trap: bool
    """Whether the last place of the task has no way out for this mode."""


class Legs(NamedTuple):
    """Milliseconds with walks and factor; -1 without a way. By slot, and between the two places by row."""

    to: Int64Array
    on: Int64Array
    d_to: Int64Array
    d_on: Int64Array
    between: Int64Array


class RiderLimits(NamedTuple):
    """By row."""

    hour: Int64Array
    shift_end: Int64Array
    day_end: Int64Array
    kinds: Int64Array
    """How many rules about the rider themselves, or the place itself, are broken."""
    skip: BoolArray
    stuck: BoolArray
    """Whether the last place of their plan has no way out either."""


class Judged(NamedTuple):
    """What places are judged by: the plans in columns, the task, its legs and the limits by row."""

    c: Columns
    width: int
    ask: Ask
    legs: Legs
    limits: RiderLimits


@kernel
def examine(
    judged: Judged,
    row: Ms,
    i: Ms,
    j: Ms,
    earliest: tuple[Ms, Ms],
    need: Int64Array,
    late: Int64Array,
) -> bool:
    """Drive the plan with the task before stop i (its drop-off before stop j); False without a way.

    `earliest` of the task and of its drop-off. `late` is empty, or takes for each stop of the plan (1-based)
    by how much its due instant is missed. One loop: the delay is carried from stop to stop.
    """
    c, width, ask, legs, limits = judged
    base = row * width
    k = np.int64(c.stops[row])
    need[:] = 0
    if legs.to[base + i] < 0:
        return False
    leave = c.leave[base + i]
    if k == 0:
        leave = max(leave, np.int64(ask.now))
    end_before = leave if k == 0 else c.leave[base + k]
    until = c.until[base + i]
    at = leave + legs.to[base + i]
    start = max(at, np.int64(earliest[0]))
    need[WAIT] = start - max(at, np.int64(ask.now))
    need[LATEST] = max(start - ask.latest, 0)
    done = start + ask.service
    due = max(done - until, np.int64(0))
    gap = due
    both = ask.pair and i == j
    if both:
        if legs.between[row] < 0:
            return False
        at = done + legs.between[row]
        start = max(at, np.int64(earliest[1]))
        need[WAIT_DROPOFF] = start - at
        need[LATEST_DROPOFF] = max(start - ask.d_latest, 0)
        done = start + ask.d_service
        due = max(done - until, np.int64(0))
        gap = due
    need[BREAK], need[BREAK_AT] = due, 0
    final = done
    extra = done - leave
    if i < k:
        on = legs.d_on[base + i + 1] if both else legs.on[base + i + 1]
        if on < 0:
            return False
        delay = done + on - c.arrive[base + i + 1]
        extra = max(delay, np.int64(0))
        for m in range(i + 1, k + 1):
            here = base + m
            start = max(c.arrive[here] + delay, c.earliest[here])
            latest = c.latest[here] - c.keep[0]
            over = start - max(latest, c.start[here])
            if over > 0:
                need[LATE] += start - latest
                need[LATES] += 1
                gap = max(gap, over)
                if len(late) > 0:
                    late[m] = start - latest
            if c.rest[here] == 1:
                over = start - max(until, c.start[here])
                if over > 0:
                    gap = max(gap, over)
                    if start - until > need[BREAK]:
                        need[BREAK], need[BREAK_AT] = start - until, m
                until = start + c.service[here] + c.work_span[0]
            delay = start - c.start[here]
            final = c.leave[here] + delay
            if not ask.pair or m != j:
                continue
            if legs.d_to[here] < 0:
                return False
            at = final + legs.d_to[here]
            start = max(at, np.int64(earliest[1]))
            need[WAIT_DROPOFF] = start - max(at, np.int64(ask.now))
            need[LATEST_DROPOFF] = max(start - ask.d_latest, 0)
            done = start + ask.d_service
            if done > until:
                gap = max(gap, done - until)
                if done - until > need[BREAK]:
                    need[BREAK], need[BREAK_AT] = done - until, 0
            if m == k:
                extra += done - final
                final = done
                continue
            if legs.d_on[here + 1] < 0:
                return False
            following = done + legs.d_on[here + 1]
            extra += max(following - (c.arrive[here + 1] + delay), np.int64(0))
            delay = following - c.arrive[here + 1]
    gap = max(gap, need[LATEST_DROPOFF])
    for rule, end in ((SHIFT, limits.shift_end[row]), (DAY, limits.day_end[row]), (BREAK, until)):
        over = final - max(end, end_before)
        if over > 0:
            gap = max(gap, over)
            if final - end > need[rule]:
                need[rule] = final - end
                if rule == BREAK:
                    need[BREAK_AT] = 0
    for rule, most in ((MOST, np.int64(ask.max_extra)), (HOUR, limits.hour[row])):
        need[rule] = max(extra - most, np.int64(0))
        gap = max(gap, need[rule])
    if ask.pair and c.capacity[row] >= 0:
        board = np.int64(c.load[row])
        for m in range(j + 1):
            board += c.change[base + m] if m > 0 else 0
            if m >= i:
                need[ROOM] = max(need[ROOM], board + ask.load - c.capacity[row])
    if ask.trap and (j if ask.pair else i) == k and not limits.stuck[row]:
        need[TRAPPED] = legs.d_on[base + k] < 0
    need[EXTRA] = extra
    need[GAP] = gap
    return True


@kernel
def _count(need: Int64Array, kinds: Ms) -> Ms:
    """How many changes it would take."""
    count: Ms = np.int64(kinds) + need[LATES] + (need[ROOM] > 0) + 2 * need[TRAPPED]
    for rule in range(LATEST, BREAK + 1):
        count += need[rule] > 0
    return count


@kernel
def _weight(need: Int64Array, kinds: Ms) -> Ms:
    """Milliseconds missing in all, changes of kind included."""
    weight: Ms = np.int64(kinds) * KIND_MS + need[LATE] + need[TRAPPED] * (np.int64(1) << 45)
    if need[ROOM] > 0:
        weight += KIND_MS + 1000 * need[ROOM]
    for rule in range(LATEST, BREAK + 1):
        weight += need[rule]
    return weight


@kernel
def judge(judged: Judged, only: Ms, allowed_only: bool, out: Int64Array) -> None:
    """Fill the table of near misses; of allowed places alone on request, which takes much less."""
    c, width, ask, legs, limits = judged
    need, again = np.empty(SIZE, np.int64), np.empty(SIZE, np.int64)
    late = np.empty(0, np.int64)
    out[:, ALLOWED] = LOST
    out[:, SINGLE] = LOST
    out[:, SEVERAL] = LOST
    # The least weights so far; places that cannot be below are not followed to the end.
    least, least_several = LOST, LOST
    if allowed_only:
        least, least_several = np.int64(0), np.int64(-1)
    for row in range(len(c.stops)):
        k = c.stops[row]
        if k < 0 or limits.skip[row] or (only >= 0 and row != only):
            continue
        kinds, base, mine = limits.kinds[row], row * width, out[row]
        for i in range(k + 1):
            for j in range(i, k + 1 if ask.pair else i + 1):
                # Of the time it takes at least: most riders are far away and need no closer look.
                at = base + i
                leave = c.leave[at]
                if k == 0:
                    leave = max(leave, np.int64(ask.now))
                extra = max(leave + legs.to[at], np.int64(ask.earliest)) - leave + ask.service
                if ask.pair and i == j:
                    extra += legs.between[row] + ask.d_service
                if i < k:
                    on = legs.d_on[at + 1] if ask.pair and i == j else legs.on[at + 1]
                    extra += on - (c.arrive[at + 1] - leave)
                one = max(extra - ask.max_extra, np.int64(0))
                other = max(extra - limits.hour[row], np.int64(0))
                if max(one, other) > least and one + other + kinds * KIND_MS > least_several:
                    continue
                starts = (ask.earliest, ask.d_earliest)
                if not examine(judged, row, i, j, starts, need, late):
                    continue
                count, weight = _count(need, kinds), _weight(need, kinds)
                if count == 0:
                    if need[EXTRA] < mine[ALLOWED]:
                        mine[ALLOWED], mine[ALLOWED_AT], mine[ALLOWED_AT + 1] = need[EXTRA], i, j
                    continue
                if count == 1 and weight < mine[SINGLE]:
                    mine[SINGLE], mine[SINGLE_HOW], mine[SINGLE_AT], mine[SINGLE_AT + 1] = weight, AS_IS, i, j
                if weight < mine[SEVERAL]:
                    mine[SEVERAL], mine[SEVERAL_AT], mine[SEVERAL_AT + 1] = weight, i, j
                gap = need[GAP]
                if kinds > 0 or need[ROOM] > 0 or need[TRAPPED] > 0 or not 0 < gap < mine[SINGLE]:
                    continue
                # Where the rider would wait for the task, beginning sooner mends whatever is too late.
                for how in (EARLIER, EARLIER_DROPOFF):
                    if need[WAIT if how == EARLIER else WAIT_DROPOFF] < gap or gap >= mine[SINGLE]:
                        continue
                    sooner = ask.earliest - (gap if how == EARLIER else 0)
                    d_sooner = ask.d_earliest - (gap if how == EARLIER_DROPOFF else 0)
                    examine(judged, row, i, j, (sooner, d_sooner), again, late)
                    if _count(again, 0) == 0:
                        mine[SINGLE], mine[SINGLE_HOW], mine[SINGLE_AT], mine[SINGLE_AT + 1] = gap, how, i, j
        least, least_several = min(least, mine[SINGLE]), min(least_several, mine[SEVERAL])


@kernel
def allowed_places(judged: Judged, row: Ms, out: Int64Array) -> Ms:
    """Fill (extra, place, drop-off place) of every allowed pair of places in one plan; return how many."""
    c, _, ask, _, limits = judged
    need, late = np.empty(SIZE, np.int64), np.empty(0, np.int64)
    k, count = c.stops[row], np.int64(0)
    for i in range(k + 1):
        for j in range(i, k + 1 if ask.pair else i + 1):
            starts = (ask.earliest, ask.d_earliest)
            if not examine(judged, row, i, j, starts, need, late):
                continue
            if _count(need, limits.kinds[row]) == 0:
                out[count, 0], out[count, 1], out[count, 2] = need[EXTRA], i, j
                count += 1
    return count
