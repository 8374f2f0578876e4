"""A task in a rider's plan: on which terms it was accepted, and where its stops stand in the plan."""

import dataclasses

from routing.dispatch.events import Terms
from routing.match import Priced
from routing.model import Task
from routing.model.riders import Stop
from routing.model.tasks import stops_of

__all__ = ["Taken", "beginning_at", "rejoined", "terms_of"]


@dataclasses.dataclass(frozen=True, slots=True)
class Taken:
    """A task that a rider has accepted and not done."""

    offer_id: str
    task: Task
    terms: Terms
    accepted_s: float
    picked_up: bool = False
    """Of a pair: the pick-up is behind the rider."""

    @property
    def stops(self) -> tuple[Stop, ...]:
        """What the task still asks of the rider."""
        return stops_of(beginning_at(self.task, self.terms.begins_s))[self.picked_up :]


def terms_of(match: Priced, task: Task) -> Terms:
    """Return what a rider is told of a match."""
    names = ["", *(stop.stop_id for stop in match.plan.stops)]
    own = match.own
    together = len(own) > 1 and own[1] == own[0] + 1
    return Terms(
        match.arrival_s,
        match.start_s,
        match.leave_s,
        match.extra_s,
        match.extra_m,
        match.yuan,
        match.points,
        names[own[0]],
        "" if len(own) < 2 or together else names[own[1]],
        match.start_s if task.people > 1 else None,
    )


def beginning_at(task: Task, begins_s: float | None) -> Task:
    """Return a task that begins at an instant, where one has been agreed."""
    if begins_s is None:
        return task
    window = dataclasses.replace(task.place, earliest_s=begins_s, latest_s=begins_s)
    return dataclasses.replace(task, place=window)


def rejoined(stops: tuple[Stop, ...], taken: Taken) -> tuple[Stop, ...]:
    """Return a plan with the stops that an accepted task still asks for.

    Parameters
    ----------
    stops : tuple of Stop
        The plan as the platform sends it.
    taken : Taken

    Returns
    -------
    tuple of Stop
        A stop that the platform has put in itself (same id) is left where it is.
    """
    after, dropoff_after = taken.terms.after_stop_id, taken.terms.dropoff_after_stop_id
    # A drop-off right behind its pick-up keeps that one's place when the pick-up is done.
    follows = (dropoff_after or after,) if taken.picked_up else (after, dropoff_after)
    previous = ""
    for stop, after in zip(taken.stops, follows, strict=False):
        names = [one.stop_id for one in stops]
        if stop.stop_id not in names:
            # Of a pair the drop-off comes after the pick-up, whatever else is done by now.
            place = max(
                names.index(after) + 1 if after in names else 0,
                names.index(previous) + 1 if previous else 0,
            )
            stops = (*stops[:place], stop, *stops[place:])
        previous = stop.stop_id
    return stops
