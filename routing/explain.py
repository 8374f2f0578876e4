"""Why not: the rule that stands in the way of a task, and the smallest single change that would help.

All places in all plans are judged against all rules, also those that the search never looks at. A change of
time weighs its seconds; a change of kind (a skill, a mode, a status, a platform) weighs as much as ten
minutes.
"""

import dataclasses
import functools
from collections.abc import Iterator

import numpy as np

from geo.arrays import Int64Array
from geo.jit import kernel
from geo.search import reset, search
from routing.fleet import Fleet
from routing.kernels import direct_run, ends_at, scaled, seeds_from, seeds_to, starts_at
from routing.results import Binding, Change, Refused
from routing.riders import Rider
from routing.squad import Squad, as_ms
from routing.tables import EVER, FAR_MS, NO, Columns, Graph, Ms, TaskColumns, Work
from routing.tasks import Task

__all__ = ["refusal", "why_not"]

KIND_MS = 600_000
"""What a change of kind weighs."""
NEAR_MS = 45 * 60 * 1000
"""First reach of the search; only when nobody is inside, `FAR_MS`."""
LOOKED_AT = 400
"""How many places, least broken first, are judged stop by stop."""
UNKNOWN = np.int64(1) << 50


@kernel
def _all_legs(
    graph: Graph,
    c: Columns,
    width: Ms,
    tasks: TaskColumns,
    i: Ms,
    reach_ms: Ms,
    before: Int64Array,
    after: Int64Array,
    work: Work,
) -> None:
    """Fill the legs from every slot to the task, and from it to every slot; -1 without a way."""
    n = seeds_to(graph, tasks.edge[i], tasks.from_u[i], tasks.from_v[i], work)
    n_to = search(
        graph.rev_indptr,
        graph.rev_head,
        graph.rev_cost,
        work.seed_state[:n],
        work.seed_ms[:n],
        int(reach_ms),
        work.dist_to,
        work.link,
        work.ring,
        work.touched_to,
    )
    n = seeds_from(graph, tasks.edge[i], tasks.from_u[i], tasks.from_v[i], work)
    n_from = search(
        graph.indptr,
        graph.head,
        graph.cost,
        work.seed_state[:n],
        work.seed_ms[:n],
        int(reach_ms),
        work.dist_from,
        work.link,
        work.ring,
        work.touched_from,
    )
    dist_to, dist_from, directed = work.dist_to, work.dist_from, graph.directed
    depart_ptr, depart_state, depart_ms = graph.depart_ptr, graph.depart_state, graph.depart_ms
    arrive_ptr, arrive_state, arrive_ms = graph.arrive_ptr, graph.arrive_state, graph.arrive_ms
    stops, edges, from_u, from_v, offset_m = c.stops, c.edge, c.from_u, c.from_v, c.offset_m
    walk, factors = c.walk, c.factor
    t_edge, t_u, t_v, t_walk = tasks.edge[i], tasks.from_u[i], tasks.from_v[i], tasks.walk[i]
    t_offset = tasks.offset_m[i]
    along, against = directed[2 * t_edge] != NO, directed[2 * t_edge + 1] != NO
    for row in range(len(stops)):
        for j in range(stops[row] + 1):
            slot = row * width + j
            edge, u, v = edges[slot], from_u[slot], from_v[slot]
            net = starts_at(directed, depart_ptr, depart_state, depart_ms, dist_to, edge, u, v)
            on = ends_at(directed, arrive_ptr, arrive_state, arrive_ms, dist_from, edge, u, v)
            if edge == t_edge:
                net = min(net, direct_run(along, against, t_offset - offset_m[slot], t_u - u, t_v - v))
                on = min(on, direct_run(along, against, offset_m[slot] - t_offset, u - t_u, v - t_v))
            before[slot] = -1
            if net != NO:
                before[slot] = walk[slot] + scaled(net, factors[row]) + t_walk
            after[slot] = -1
            if on != NO:
                after[slot] = walk[slot] + scaled(on, factors[row]) + t_walk
    reset(work.dist_to, work.touched_to, n_to)
    reset(work.dist_from, work.touched_from, n_from)


@dataclasses.dataclass(frozen=True, eq=False)
class _Judged:
    """All places in the plans of one mode, judged: milliseconds by which each rule is broken there."""

    squad: Squad
    slot: Int64Array
    row: Int64Array
    start: Int64Array
    done: Int64Array
    extra: Int64Array
    window: Int64Array
    cap: Int64Array
    room: Int64Array
    pause: Int64Array
    kinds: Int64Array
    """How many rules about the rider himself are broken."""

    @functools.cached_property
    def broken(self) -> Int64Array:
        """How many rules are broken in all."""
        return np.asarray(
            sum((x > 0).astype(np.int64) for x in (self.window, self.cap, self.room, self.pause)) + self.kinds
        )

    @functools.cached_property
    def weight(self) -> Int64Array:
        """Milliseconds missing in all, changes of kind included."""
        return np.asarray(self.window + self.cap + self.room + self.pause + self.kinds * KIND_MS)


def _judge(fleet: Fleet, squad: Squad, task: Task, now: int, only_row: int | None = None) -> _Judged | None:
    near = _judge_within(fleet, squad, task, now, only_row, NEAR_MS)
    if near is None or len(near.slot):
        return near
    return _judge_within(fleet, squad, task, now, only_row, FAR_MS)


def _judge_within(
    fleet: Fleet, squad: Squad, task: Task, now: int, only_row: int | None, reach_ms: int
) -> _Judged | None:
    table = fleet.table(squad.mode, [task])
    if table.places.edge[0] < 0 or not len(squad):
        return None
    c, width, tasks = squad.c, squad.width, table.columns
    before, after = np.full(len(c.edge), -1, np.int64), np.full(len(c.edge), -1, np.int64)
    _all_legs(squad.graph, c, width, tasks, 0, reach_ms, before, after, squad.works[0])
    counts = np.maximum(c.stops, -1) + 1
    rows = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    j = np.arange(len(rows)) - np.repeat(first, counts)
    slot = rows * width + j
    last = j == c.stops[rows]
    on = np.where(last, 0, after[np.minimum(slot + 1, len(after) - 1)])
    known = (before[slot] >= 0) & (on >= 0)
    if only_row is not None:
        known &= rows == only_row
    slot, rows, last, on = slot[known], rows[known], last[known], on[known]
    idle = last & (j[known] == 0)
    leave = np.where(idle, np.maximum(c.leave[slot], now), c.leave[slot])
    start = np.maximum(leave + before[slot], max(int(tasks.earliest[0]), now))
    done = start + tasks.service[0]
    following = c.arrive[np.minimum(slot + 1, len(c.arrive) - 1)]
    extra = np.where(last, done - leave, np.maximum(done + on - following, 0))
    room = c.room[slot] - (leave - c.leave[slot])
    return _Judged(
        squad,
        slot,
        rows,
        start,
        done,
        extra,
        np.maximum(start - tasks.latest[0], 0),
        np.maximum(extra - c.cap[rows], 0),
        np.maximum(extra - room, 0),
        np.maximum(done - c.until[slot], 0),
        _kinds(fleet, squad, task)[rows],
    )


def _kinds(fleet: Fleet, squad: Squad, task: Task) -> Int64Array:
    """How many rules about the rider himself are broken, by row."""
    c = squad.c
    need, platforms = fleet.skills.mask(task.skills), fleet.platforms.mask(task.platforms)
    missing = need & ~c.skills
    count: Int64Array = np.zeros(len(c.stops), np.int64)
    while missing.any():
        count += (missing & 1).astype(np.int64)
        missing = missing >> 1
    count += (c.ok == 0).astype(np.int64)
    if platforms:
        count += ((c.platform & platforms) == 0).astype(np.int64)
    if squad.mode not in task.modes:
        count += 1
    return count


def _rider_rules(fleet: Fleet, rider: Rider, task: Task) -> Iterator[Binding]:
    if rider.mode not in task.modes:
        yield Binding("mode", rider.mode, None, f"the task is not for riders by {rider.mode}")
    for skill in sorted(task.skills - rider.skills):
        yield Binding("skill", skill, None, f"rider {rider.rider_id} lacks the skill {skill}")
    if rider.status not in fleet.policy.statuses:
        yield Binding("status", rider.status, None, f"rider {rider.rider_id} is {rider.status}")
    elif rider.rider_id in fleet.unreachable:
        yield Binding(
            "position", rider.rider_id, None, f"rider {rider.rider_id} has a stop that he cannot reach"
        )
    if task.platforms and rider.platform not in task.platforms:
        yield Binding("platform", rider.platform, None, f"rider {rider.rider_id} works for another platform")


def _time_rules(fleet: Fleet, rider: Rider, judged: _Judged, at: int) -> list[Binding]:
    """Rules of time broken at one place, each once with its largest amount."""
    worst: dict[tuple[str, str], Binding] = {}
    for binding in _all_time_rules(fleet, rider, judged, at):
        key = binding.rule, binding.subject
        if key not in worst or (binding.by_s or 0.0) > (worst[key].by_s or 0.0):
            worst[key] = binding
    return list(worst.values())


def _all_time_rules(fleet: Fleet, rider: Rider, judged: _Judged, at: int) -> Iterator[Binding]:
    window, cap, pause = int(judged.window[at]), int(judged.cap[at]), int(judged.pause[at])
    if window:
        yield Binding("window", "", window / 1000, f"it would be begun {_minutes(window)} after its window")
    if cap:
        hour = fleet.policy.max_extra_per_hour_s - rider.extra_last_hour_s
        rule = "hour_budget" if hour < fleet.policy.max_extra_s else "max_extra"
        yield Binding(rule, "", cap / 1000, f"it takes {_minutes(cap)} more than the rider may be asked for")
    if pause:
        yield Binding(
            "break", "", pause / 1000, f"his break falls due {_minutes(pause)} before the task is done"
        )
    if judged.room[at]:
        yield from _late_rules(fleet, rider, judged, at)


def _late_rules(fleet: Fleet, rider: Rider, judged: _Judged, at: int) -> Iterator[Binding]:
    """Walk on from the insertion: which stops get later than allowed, and what happens at the end."""
    squad = judged.squad
    c, width, row = squad.c, squad.width, int(judged.row[at])
    slot, k = int(judged.slot[at]), int(c.stops[row])
    delay = int(judged.extra[at])
    base = row * width
    for m in range(slot - base + 1, k + 1):
        here = base + m
        start = max(int(c.arrive[here]) + delay, int(c.earliest[here]))
        latest = int(c.latest[here]) - int(c.keep[0])
        over = start - max(latest, int(c.start[here]))
        name = rider.stops[m - 1].stop_id
        if over > 0:
            yield Binding(
                "late", name, over / 1000, f"stop {name} would be {_minutes(over)} later than allowed"
            )
        elif c.rest[here] and start > max(int(c.until[here - 1]), int(c.start[here])):
            over = start - max(int(c.until[here - 1]), int(c.start[here]))
            yield Binding(
                "break", name, over / 1000, f"the break {name} would begin {_minutes(over)} too late"
            )
        delay = start - int(c.start[here])
    before = int(c.leave[base + k])
    now = int(c.at[row])
    leave = int(judged.done[at]) if slot == base + k else before + delay
    day = now + round((fleet.policy.day_work_s - rider.worked_today_s) * 1000)
    ends = (("shift", as_ms(rider.shift_end_s)), ("day", day), ("break", int(c.until[base + k])))
    for rule, end in ends:
        over = leave - max(end, before)
        if over > 0 and end < EVER:
            what = {
                "shift": "his shift ends",
                "day": "his hours of the day end",
                "break": "his break falls due",
            }[rule]
            yield Binding(rule, "", over / 1000, f"{what} {_minutes(over)} before he would be done")


def _minutes(ms: int) -> str:
    return f"{ms / 60_000:.1f} min"


_HELP = {
    "late": ("due", "{by} more on stop {subject}"),
    "window": ("latest", "let the task begin up to {by} later"),
    "max_extra": ("max_extra", "allow a task to take {by} more"),
    "hour_budget": ("hour_budget", "allow {by} more in this hour"),
    "shift": ("shift", "a shift that ends {by} later"),
    "day": ("day", "{by} more work in the day"),
    "break": ("break", "a break that begins {by} later, or the task after the break"),
    "skill": ("skill", "do without the skill {subject}, or teach it"),
    "mode": ("mode", "allow riders by {subject}"),
    "status": ("status", "ask riders who are {subject}"),
    "platform": ("platform", "ask riders of other platforms"),
    "position": ("position", "a position or stop that can be reached"),
    "capacity": ("capacity", "room for {by} more parcels"),
}


def _change(binding: Binding, rider_id: str) -> Change:
    what, text = _HELP[binding.rule]
    by = "" if binding.by_s is None else f"{binding.by_s / 60:.1f} min"
    return Change(
        what,
        binding.by_s,
        binding.subject,
        rider_id,
        text.format(by=by, subject=binding.subject) + f" (rider {rider_id})",
    )


def refusal(fleet: Fleet, task: Task, now_s: float, found: int = 0) -> Refused:
    """Say why nobody (or too few) can do a single-place task, and the smallest single change that would help.

    Parameters
    ----------
    fleet : Fleet
    task : Task
    now_s : float
        Epoch seconds.
    found : int
        How many of the people needed were found.

    Returns
    -------
    Refused
        The binding rule at the place that comes nearest to being allowed, and a change that alone is enough
        (``what = "none"`` where no single change is).
    """
    now = as_ms(now_s)
    if found:
        missing = task.people - found
        text = f"{found} of {task.people} people found"
        binding = Binding("people", str(missing), None, text)
        return Refused(
            task.task_id, binding, None, Change("people", float(missing), "", None, f"{missing} fewer people")
        )
    judged = [
        j
        for squad in fleet.squads.values()
        if (j := _judge(fleet, squad, task, now)) is not None and len(j.slot)
    ]
    if not judged:
        return _nobody(fleet, task)
    ranked = sorted(
        (
            (
                int(j.broken[at]) > 1,
                int(j.weight[at]),
                fleet.id_at(j.squad.mode, int(j.row[at])),
                int(j.slot[at]),
                q,
                int(at),
            )
            for q, j in enumerate(judged)
            for at in _nearest(j)
        )
    )
    first: tuple[Rider, list[Binding]] | None = None
    for _, _, rider_id, _, q, at in ranked[:LOOKED_AT]:
        rider = fleet.rider(rider_id)
        found_rules = [*_rider_rules(fleet, rider, task), *_time_rules(fleet, rider, judged[q], at)]
        if not found_rules:
            continue
        if first is None:
            first = rider, found_rules
        if len(found_rules) == 1 and found_rules[0].rule != "position":
            binding = found_rules[0]
            return Refused(task.task_id, binding, rider_id, _change(binding, rider_id))
    if first is None:
        return _nobody(fleet, task)
    rider, found_rules = first
    text = "no single change is enough: " + "; ".join(rule.text for rule in found_rules)
    return Refused(
        task.task_id, found_rules[0], rider.rider_id, Change("none", None, "", rider.rider_id, text)
    )


def _nearest(judged: _Judged) -> Int64Array:
    weight = judged.weight + np.where(judged.broken > 1, UNKNOWN, 0)
    size = min(LOOKED_AT, len(weight))
    chosen = np.argpartition(weight, size - 1)[:size]
    return np.asarray(chosen[np.argsort(weight[chosen], kind="stable")])


def _nobody(fleet: Fleet, task: Task) -> Refused:
    if not len(fleet):
        binding = Binding("people", "", None, "there is no rider")
        return Refused(task.task_id, binding, None, Change("people", 1.0, "", None, "at least one rider"))
    modes = sorted(task.modes & fleet.squads.keys()) or sorted(fleet.squads)
    away = [float(fleet.table(mode, [task]).places.walk_m[0]) for mode in modes]
    off = [m for mode, m in zip(modes, away, strict=True) if fleet.table(mode, [task]).places.edge[0] < 0]
    if len(off) == len(modes):
        over = min(off) - fleet.policy.walk_to_street_m
        limit_m = fleet.policy.walk_to_street_m
        text = f"the task is {min(off):.0f} m from every street; the policy allows {limit_m:.0f} m"
        change = Change("place", over, "", None, f"a place {over:.0f} m nearer to a street")
        return Refused(task.task_id, Binding("place", "", over, text), None, change)
    text = "no street leads from any rider to the task and on"
    return Refused(
        task.task_id, Binding("unreachable", "", None, text), None, Change("none", None, "", None, text)
    )


def why_not(fleet: Fleet, task: Task, rider_id: str, now_s: float) -> tuple[Binding, ...]:
    """Say which rules keep one rider from a single-place task; empty when he may do it.

    Parameters
    ----------
    fleet : Fleet
    task : Task
    rider_id : str
    now_s : float
        Epoch seconds.

    Returns
    -------
    tuple of Binding
        All rules that are broken at the place in his plan that comes nearest to being allowed.

    Raises
    ------
    InputError
        If the rider is not known.
    """
    squad, row = fleet.row_of(rider_id)
    rider = fleet.rider(rider_id)
    about_him = tuple(_rider_rules(fleet, rider, task))
    judged = _judge(fleet, squad, task, as_ms(now_s), row)
    if judged is None or not len(judged.slot):
        lost = Binding(
            "unreachable", rider_id, None, f"no street leads from rider {rider_id} to the task and on"
        )
        return (*about_him, lost)
    at = int(np.lexsort((judged.slot, judged.extra, judged.weight, judged.broken))[0])
    return (*about_him, *_time_rules(fleet, rider, judged, at))
