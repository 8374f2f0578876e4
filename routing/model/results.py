"""What a match says: the rider, the place in their plan, the price, the proof and the runner-up; or why not.

There are no sentences here: a `Said` names one of the text catalogue, with the facts that belong in it.
"""

import dataclasses
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from routing.model.riders import Rider

__all__ = [
    "RULES",
    "Amount",
    "Answer",
    "Binding",
    "Count",
    "LateStop",
    "Match",
    "MatchResult",
    "Metres",
    "Refused",
    "Route",
    "RunnerUp",
    "Said",
    "Seconds",
    "SmallestChange",
    "Step",
    "StopSlack",
]

RULES = (
    "late",
    "window",
    "max_extra",
    "hour_budget",
    "shift",
    "day",
    "break",
    "skill",
    "mode",
    "status",
    "capacity",
    "platform",
    "place",
    "position",
    "unreachable",
    "dead_end",
    "people",
)
"""The binding constraint of a refusal. ``late``: a stop would get late. ``place``: it lies on no street.
``position``: the rider has a stop that the rider cannot reach. ``unreachable``: no legal way to the task and
on. ``dead_end``: the plan would end where no legal way leads out."""


Fact = str | int | float
"""Seconds where the name ends in ``_s``, metres where it ends in ``_m``; else a name or a number."""


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """A sentence of the text catalogue: its key, the facts in it, and other sentences that it lists."""

    key: str
    facts: tuple[tuple[str, Fact], ...] = ()
    reasons: tuple["Said", ...] = ()

    @staticmethod
    def of(key: str, **facts: Fact) -> "Said":
        """Make a sentence without others in it."""
        return Said(key, tuple(facts.items()))


@dataclasses.dataclass(frozen=True, slots=True)
class StopSlack:
    """One stop of the plan, before and after the insertion. Epoch seconds; slack negative: late."""

    stop_id: str
    start_before_s: float
    start_after_s: float
    slack_before_s: float
    """``latest_s - start`` before; inf without a due instant."""
    slack_after_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class LateStop:
    """A stop that is late already before any task is inserted."""

    rider_id: str
    stop_id: str
    late_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class RunnerUp:
    """The second best rider."""

    rider_id: str
    extra_s: float
    difference_s: float
    """How much more than the chosen rider, in rank (extra seconds and fairness)."""


@dataclasses.dataclass(frozen=True, eq=False)
class Match:
    """One rider for one task (or one of the people that it needs), with its price and its proof."""

    task_id: str
    rider_id: str
    place: int
    """The task goes before ``stops[place]``; ``len(stops)``: to the end."""
    dropoff_place: int | None
    """The same for the drop-off of a pair, counted without the pick-up."""
    arrival_s: float
    start_s: float
    leave_s: float
    """Epoch seconds at the task (of a pair: at its pick-up)."""
    extra_s: float
    extra_m: float
    yuan: float
    points: float
    stops: tuple[StopSlack, ...]
    """Every stop of the plan without the task, in order; of a settled match: every stop that was promised."""
    way_lonlat: NDArray[np.float64]
    """(k, 2) degrees: from the place before the task, by the task, to the stop after it."""
    way_edges: tuple[NDArray[np.int32], ...]
    """Directed edges (``2 * edge + against``) of each leg of that way."""
    before_m: float
    after_m: float
    """Metres of the way from the place before the task to it, and from it on to the next stop (0 at the
    end)."""
    runner_up: RunnerUp | None
    plan: Rider
    """The rider with the task among their stops; of a settled match: with all tasks of the answer."""
    own: tuple[int, ...]
    """Numbers of the task's stops among those of `plan`."""
    starts_s: tuple[float, ...]
    """Epoch seconds at which each stop of `plan` starts."""


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One stop of a rider's plan as it is after all matches. Epoch seconds."""

    stop_id: str
    """The promised stop; of a task, the name that its stop got in the plan."""
    task_id: str | None
    """The task that the step belongs to, None for a promised stop."""
    part: str
    """``stop``, or of a task ``visit``, ``pickup`` or ``dropoff``."""
    lonlat: tuple[float, float]
    arrival_s: float
    start_s: float
    leave_s: float
    wait_s: float
    slack_s: float
    """How much later it could start; inf without a due instant."""
    load: int
    """Parcels on board when the step is left."""


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """The final plan of one rider who got a task."""

    rider_id: str
    leave_s: float
    """When the rider leaves their position."""
    steps: tuple[Step, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Seconds:
    """A change of time."""

    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Metres:
    """A change of place."""

    metres: float


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """A change of number: people, or parcels."""

    count: int


Amount: TypeAlias = Seconds | Metres | Count


@dataclasses.dataclass(frozen=True, slots=True)
class SmallestChange:
    """The smallest single change that would make a match possible, enough alone.

    ==============  ======================================================================================
    ``what``        the change
    ==============  ======================================================================================
    ``due``         stop ``subject`` of the rider due `Seconds` later
    ``start``       the window that the rider waits for opens `Seconds` sooner (``subject``: pickup or dropoff
                    of a pair)
    ``longer``      of several windows, the one just missed closes `Seconds` later (``subject`` as above)
    ``latest``      the task's (last) window closes `Seconds` later (``subject`` as above)
    ``max_extra``   `Policy.max_extra_s` more by `Seconds`
    ``hour_budget`` `Policy.max_extra_per_hour_s` more by `Seconds`
    ``shift``       the rider's shift ends `Seconds` later
    ``day``         `Policy.day_work_s` more by `Seconds`
    ``break``       `Policy.continuous_work_s` more by `Seconds`
    ``skill``       the rider has the skill ``subject``
    ``mode``        the task is open to the mode ``subject``
    ``status``      `Policy.statuses` has the status ``subject``
    ``capacity``    the rider can carry `Count` parcels more
    ``place``       `Policy.walk_to_street_m` more by `Metres`, or the task so much nearer
    ``people``      `Count` people fewer
    ``none``        no single change is enough
    ==============  ======================================================================================
    """

    what: str
    amount: Amount | None
    """By how much; None for a change that is no matter of amount."""
    subject: str
    """The stop, skill, mode or status that the change is about; may be empty."""
    rider_id: str | None
    """The rider who could then do it."""
    said: Said


@dataclasses.dataclass(frozen=True, slots=True)
class Binding:
    """The rule that stands in the way of one rider (or of all)."""

    rule: str
    """One of `RULES`."""
    subject: str
    """Stop id, skill, mode, status ... that it is about; may be empty."""
    by_s: float | None
    """Seconds (metres for ``place``) by which the limit would have to give way; None where it is not a matter
    of amount."""
    said: Said


@dataclasses.dataclass(frozen=True, slots=True)
class Refused:
    """A task without a rider, with the reason and the smallest change that would help."""

    task_id: str
    binding: Binding
    rider_id: str | None
    """The rider who came nearest to doing it; None when nobody could be judged."""
    change: SmallestChange
    others: tuple[Binding, ...] = ()
    """What else is broken there: rules that would have to give way together with the binding one."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """Why not this rider for this task? As the plans were given, before any match of the request."""

    task_id: str
    rider_id: str
    refused: Refused | None
    """None: the rider may do it."""


@dataclasses.dataclass(frozen=True, eq=False)
class MatchResult:
    """The answer to one request: its matches hold together, also where one rider got several tasks."""

    matches: tuple[Match, ...]
    """Settled: every figure but the price is that of the final plans, see `routing.routes`."""
    refused: tuple[Refused, ...]
    late_before: tuple[LateStop, ...]
    """Stops that are late without any task."""
    off_network: tuple[tuple[str, float], ...]
    """Riders left out because their position or a stop lies on no street: (rider id, nearest street in
    metres)."""
    routes: tuple[Route, ...]
    """The final plans of the riders who got tasks, by the first match of each."""
    insertions: tuple[Match, ...]
    """The matches as they were made, each on the plan that the earlier ones left: the proof of the prices."""
    answers: tuple[Answer, ...] = ()
    """To the questions of the request, in their order."""
