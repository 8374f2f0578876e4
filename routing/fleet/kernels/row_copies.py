"""One row of the columns written into others of the same form, with its legs and its schedule."""

from geo.jit import kernel
from routing.fleet.kernels.context import KernelContext
from routing.fleet.kernels.tables import Ms

__all__ = ["copy_row"]


@kernel
def copy_row(source: KernelContext, target: KernelContext, row: Ms, width: Ms, here: Ms, there: Ms) -> None:
    """Write row `row` (of `width` slots) of one fleet into row `here` (of `there` slots) of another.

    The lists of streets and of long legs are not touched: the row is still to be adopted.
    """
    c, t = source.c, target.c
    first, base = row * width, here * there
    for j in range(c.stops[row] + 1):
        a, b = first + j, base + j
        t.edge[b], t.from_u[b], t.from_v[b], t.walk[b] = c.edge[a], c.from_u[a], c.from_v[a], c.walk[a]
        t.x[b], t.y[b], t.ahead_x[b], t.ahead_y[b] = c.x[a], c.y[a], c.ahead_x[a], c.ahead_y[a]
        for side in range(2):
            t.ahead_state[b, side], t.ahead_ms[b, side] = c.ahead_state[a, side], c.ahead_ms[a, side]
            t.lonlat[b, side] = c.lonlat[a, side]
        t.ahead_edge[b], t.ahead_walk[b] = c.ahead_edge[a], c.ahead_walk[a]
        t.offset_m[b], t.walk_m[b] = c.offset_m[a], c.walk_m[a]
        t.service[b], t.earliest[b], t.latest[b] = c.service[a], c.earliest[a], c.latest[a]
        t.rest[b], t.change[b], t.gaps[b], t.leg[b] = c.rest[a], c.change[a], c.gaps[a], c.leg[a]
        t.arrive[b], t.start[b], t.leave[b] = c.arrive[a], c.start[a], c.leave[a]
        t.room[b], t.until[b] = c.room[a], c.until[a]
    t.stops[here], t.factor[here], t.ready[here], t.at[here] = (
        c.stops[row], c.factor[row], c.ready[row], c.at[row]
    )  # fmt: skip
    t.ok[here], t.skills[here], t.platform[here] = c.ok[row], c.skills[row], c.platform[row]
    t.cap[here], t.penalty[here], t.order[here] = c.cap[row], c.penalty[row], c.order[row]
    t.limit[here], t.break_due[here] = c.limit[row], c.break_due[row]
    t.capacity[here], t.load[here] = c.capacity[row], c.load[row]
