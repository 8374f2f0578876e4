"""Places in plans held against all rules: the kernels behind refusals."""

from typing import NamedTuple

import numpy as np

from geo.arrays import BoolArray, Int64Array
from geo.jit import kernel
from routing.fleet.kernels.columns import last_open, opened
from routing.fleet.kernels.tables import TASK_STOP, Columns, Ms

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
    "LONGER",
    "LONGER_DROPOFF",
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
NEVER_ONE = LOST << 1

# What `examine` finds out about one place: milliseconds by which a limit would have to give way.
LATEST, LATEST_DROPOFF, MOST, HOUR, SHIFT, DAY, BREAK = range(7)
ROOM, LATE, LATES, BREAK_AT, TRAPPED, EXTRA, GAP, WAIT, WAIT_DROPOFF = range(7, 16)
# By how much the window before the one it waits for is missed; 0 without a window before.
MISSED, MISSED_DROPOFF, SIZE = range(16, 19)

# Columns of the table of near misses, by row of the fleet.
ALLOWED, ALLOWED_AT, SINGLE, SINGLE_HOW, SINGLE_AT, SEVERAL, SEVERAL_AT, COLUMNS = 0, 1, 3, 4, 5, 7, 8, 10
AS_IS, EARLIER, EARLIER_DROPOFF, LONGER, LONGER_DROPOFF = range(5)


class Ask(NamedTuple):
    """One task in milliseconds."""

    earliest: int
    latest: int
    gaps: int
    service: int
    d_earliest: int
    d_latest: int
    d_gaps: int
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
def _begin(c: Columns, at: Ms, earliest: Ms, gaps: Ms, sooner: Ms) -> tuple[Ms, Ms]:
    """When something begins for who is there `at`, and by how much the window before that was missed."""
    open_at = max(np.int64(at), np.int64(earliest))
    start = opened(c.closed, gaps, open_at)
    missed = open_at - last_open(c.closed, gaps, open_at)
    return max(open_at, start - sooner) if start > open_at else max(np.int64(at), start - sooner), missed


@kernel
def examine(
    judged: Judged,
    row: Ms,
    i: Ms,
    j: Ms,
    sooner: tuple[Ms, Ms],
    need: Int64Array,
    late: Int64Array,
) -> bool:
    """Drive the plan with the task before stop i (its drop-off before stop j); False without a way.

    The windows that the task and its drop-off wait for open `sooner` by that. `late` is empty, or takes for
    each stop of the plan (1-based) by how much its due instant is missed. One loop: the delay is carried from
    stop to stop.
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
    start, need[MISSED] = _begin(c, at, ask.earliest, ask.gaps, sooner[0])
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
        start, need[MISSED_DROPOFF] = _begin(c, at, ask.d_earliest, ask.d_gaps, sooner[1])
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
            start = opened(c.closed, c.gaps[here], max(c.arrive[here] + delay, c.earliest[here]))
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
            elif c.rest[here] == TASK_STOP:
                over = start + c.service[here] - max(until, c.leave[here])
                if over > 0:
                    gap = max(gap, over)
                    if start + c.service[here] - until > need[BREAK]:
                        need[BREAK], need[BREAK_AT] = start + c.service[here] - until, 0
            delay = start - c.start[here]
            final = c.leave[here] + delay
            if not ask.pair or m != j:
                continue
            if legs.d_to[here] < 0:
                return False
            at = final + legs.d_to[here]
            start, need[MISSED_DROPOFF] = _begin(c, at, ask.d_earliest, ask.d_gaps, sooner[1])
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
def _mended(
    judged: Judged, row: Ms, places: tuple[Ms, Ms], how: int, need: Int64Array, again: Int64Array, below: Ms
) -> Ms:
    """By how much a window must open sooner, or close later, for the place judged in `need`.

    0 where that is no use, or not less than `below`.

    Without several windows behind it, sooner by `GAP` is what it takes. Otherwise the plan jumps from window
    to window, and the least that helps is found by halving: what helps does so sooner still.
    """
    c, width, ask, _, _ = judged
    i, j = places
    late, none, jumps = np.empty(0, np.int64), np.int64(0), False
    first = how in (EARLIER, LONGER)
    wait = need[WAIT if first else WAIT_DROPOFF]
    sooner, amount = wait, need[MISSED if first else MISSED_DROPOFF]
    if how in (EARLIER, EARLIER_DROPOFF):
        jumps = ask.pair and first and ask.d_gaps > 0
        for m in range(i + 1, c.stops[row] + 1):
            jumps = jumps or c.gaps[row * width + m] > 0
        if not jumps:
            sooner = need[GAP]
        amount = sooner
    if sooner <= 0 or amount <= 0 or sooner > wait or (not jumps and amount >= below):
        return none
    examine(judged, row, i, j, (sooner, none) if first else (none, sooner), again, late)
    if _count(again, 0) != 0:
        return none
    if how in (LONGER, LONGER_DROPOFF) or not jumps:
        return np.int64(amount)
    low = none
    while sooner - low > 1:
        middle = (low + sooner) // 2
        examine(judged, row, i, j, (middle, none) if first else (none, middle), again, late)
        if _count(again, 0) == 0:
            sooner = middle
        else:
            low = middle
    return np.int64(sooner)


@kernel
def _least_over(judged: Judged, only: Ms, most: Int64Array, total: Int64Array) -> Int64Array:
    """Fill by how much limits would have to give way at least for each place; return the rows, best first.

    `most` and `total` (slots, 2): the largest of what is over the limits of a task, the hour, the break, the
    shift and the day, and the sum; the second column for a drop-off farther on. Where no single change can be
    enough, `most` is `NEVER_ONE`. One loop, because a call with all tables costs more.
    """
    c, width, ask, legs, limits = judged
    bounds = np.empty(len(c.stops), np.int64)
    simple = not ask.pair and ask.gaps == 0
    n = 0
    for row in range(len(c.stops)):
        bounds[row] = LOST
        k = c.stops[row]
        if k < 0 or limits.skip[row] or (only >= 0 and row != only):
            continue
        n += 1
        base, kinds, ridden = row * width, limits.kinds[row], np.int64(0)
        for i in range(k, -1, -1):
            at = base + i
            if i < k - 1:
                # From the arrival at the stop after to the end of the plan, without any waiting.
                ridden += c.arrive[at + 2] - c.leave[at + 1]
            if i < k:
                ridden += c.service[at + 1]
            leave = c.leave[at]
            if k == 0:
                leave = max(leave, np.int64(ask.now))
            end_before = leave if k == 0 else c.leave[base + k]
            waits = ask.earliest - max(leave + legs.to[at], np.int64(ask.now))
            begun = max(leave + legs.to[at], np.int64(ask.earliest)) + ask.service
            for apart in range(2 if ask.pair and i < k else 1):
                done, together = begun, ask.pair and apart == 0
                if together:
                    done = max(done + legs.between[row], np.int64(ask.d_earliest)) + ask.d_service
                extra, final = done - leave, done
                if i < k:
                    on = legs.d_on[at + 1] if together else legs.on[at + 1]
                    extra += on - (c.arrive[at + 1] - leave)
                    final = done + on + ridden
                # With a drop-off farther on the end is not known yet.
                unknown = np.int64(LOST if apart else 0)
                largest, summed, broken = np.int64(0), np.int64(0), np.int64(kinds)
                for over in (
                    extra - ask.max_extra,
                    extra - limits.hour[row],
                    done - c.until[at],
                    final - max(limits.shift_end[row], end_before) - unknown,
                    final - max(limits.day_end[row], end_before) - unknown,
                ):
                    if over > 0:
                        largest, summed, broken = max(largest, over), summed + over, broken + 1
                # One change mends several rules only where the rider would wait: the window opens sooner.
                if broken > 1 and (kinds > 0 or (largest > waits and simple)):
                    largest = NEVER_ONE
                most[at, apart], total[at, apart] = largest, summed
                bounds[row] = min(bounds[row], summed + kinds * KIND_MS)
    return np.argsort(bounds)[:n]


@kernel
def judge(judged: Judged, only: Ms, allowed_only: bool, out: Int64Array) -> None:
    """Fill the table of near misses; of allowed places alone on request, which takes much less."""
    c, width, ask, _, limits = judged
    need, again = np.empty(SIZE, np.int64), np.empty(SIZE, np.int64)
    late = np.empty(0, np.int64)
    out[:, ALLOWED] = LOST
    out[:, SINGLE] = LOST
    out[:, SEVERAL] = LOST
    # The least weights so far; places that cannot be below are not followed to the end.
    least, least_several = LOST, LOST
    if allowed_only:
        least, least_several = np.int64(0), np.int64(-1)
    most, total = np.empty((len(c.edge), 2), np.int64), np.empty((len(c.edge), 2), np.int64)
    for row in _least_over(judged, only, most, total):
        k = np.int64(c.stops[row])
        kinds, base, mine = limits.kinds[row], row * width, out[row]
        jumps = ask.d_gaps > 0
        for m in range(1, k + 1):
            jumps = jumps or c.gaps[base + m] > 0
        for i in range(k + 1):
            for j in range(i, k + 1 if ask.pair else i + 1):
                apart = 1 if j > i else 0
                if most[base + i, apart] > least and total[base + i, apart] + kinds * KIND_MS > least_several:
                    continue
                if not examine(judged, row, i, j, (0, 0), need, late):
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
                if kinds > 0 or need[ROOM] > 0 or need[TRAPPED] > 0:
                    continue
                # Where the rider would wait for the task, beginning sooner mends whatever is too late; so
                # does keeping the window open that was just missed.
                for how in (EARLIER, EARLIER_DROPOFF, LONGER, LONGER_DROPOFF):
                    first, below = how in (EARLIER, LONGER), min(mine[SINGLE], least + 1)
                    wait = need[WAIT if first else WAIT_DROPOFF]
                    if how in (LONGER, LONGER_DROPOFF):
                        missed = need[MISSED if first else MISSED_DROPOFF]
                        useless = not 0 < missed < below
                    else:
                        useless = not jumps and not need[GAP] < min(below, wait + 1)
                    if useless or wait <= 0:
                        continue
                    amount = _mended(judged, row, (i, j), how, need, again, below)
                    if 0 < amount < below:
                        mine[SINGLE], mine[SINGLE_HOW] = amount, how
                        mine[SINGLE_AT], mine[SINGLE_AT + 1] = i, j
        least, least_several = min(least, mine[SINGLE]), min(least_several, mine[SEVERAL])


@kernel
def allowed_places(judged: Judged, row: Ms, out: Int64Array) -> Ms:
    """Fill (extra, place, drop-off place) of every allowed pair of places in one plan; return how many."""
    c, _, ask, _, limits = judged
    need, late = np.empty(SIZE, np.int64), np.empty(0, np.int64)
    k, count = c.stops[row], np.int64(0)
    for i in range(k + 1):
        for j in range(i, k + 1 if ask.pair else i + 1):
            if not examine(judged, row, i, j, (0, 0), need, late):
                continue
            if _count(need, limits.kinds[row]) == 0:
                out[count, 0], out[count, 1], out[count, 2] = need[EXTRA], i, j
                count += 1
    return count
