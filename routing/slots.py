"""Which windows can be offered for a task: the rider with the least extra cost at each of many windows."""

import dataclasses
from collections.abc import Sequence

from geo.errors import InputError
from geo.streets import StreetNetwork
from routing.fleet.fleet import Candidate, Fleet
from routing.match import apply
from routing.model.policy import Policy
from routing.model.results import Match, Refused
from routing.model.riders import Rider
from routing.model.tasks import Task
from routing.refusal.explain import left_out
from routing.refusal.windows import at_windows, with_window

__all__ = ["Slots", "slots"]


@dataclasses.dataclass(frozen=True, eq=False)
class Slots:
    """What can be offered, and who was left out of the question."""

    found: tuple[Match | Refused, ...]
    """For each window, in order: the match as it would be, or why there is none."""
    off_network: tuple[tuple[str, float], ...]
    """Riders whose position or a stop lies on no street: (rider id, nearest street in metres)."""


def slots(
    network: StreetNetwork,
    riders: Sequence[Rider],
    task: Task,
    windows: Sequence[tuple[float, float]],
    policy: Policy,
    now_s: float,
    *,
    dropoff: bool = False,
) -> Slots:
    """Say for each window whether a rider can do the task, and at which least extra cost; nothing is booked.

    Parameters
    ----------
    network : StreetNetwork
    riders : sequence of Rider
        With their plans at `now_s`.
    task : Task
        For one person.
    windows : sequence of (earliest, latest)
        Epoch seconds, closed.
    policy : Policy
    now_s : float
        Epoch seconds.
    dropoff : bool
        The windows are those of the drop-off; the pick-up keeps its own.

    Returns
    -------
    Slots

    Raises
    ------
    InputError
        If the task needs several people, or two riders have the same id.
    """
    if task.people > 1:
        raise InputError(f"task {task.task_id} needs {task.people} people; windows are offered for one only")
    fleet = Fleet(network, policy)
    off = fleet.put(riders, now_s)
    # The account of an offer is that of the match itself, made on a fleet of one rider that is thrown away.
    alone = Fleet(network, policy)
    accounts: list[Match | Refused] = []
    offers = at_windows(fleet, task, windows, now_s, dropoff=dropoff)
    for window, offer in zip(windows, offers, strict=True):
        if isinstance(offer, Candidate):
            alone.put([fleet.rider(offer.rider_id)], now_s)
            asked = with_window(task, window, dropoff=dropoff)
            accounts.append(apply(alone, asked, offer, None, now_s))
        else:
            accounts.append(left_out(offer, task, riders, dict(off)))
    return Slots(tuple(accounts), off)
