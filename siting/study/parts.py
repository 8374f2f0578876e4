"""What the stages of a study hand on: what is wanted, what was chosen, how sure that is, what is told."""

import dataclasses

from geo.arrays import BoolArray, FloatArray
from siting.changing import Changing
from siting.demand.asked import Asked
from siting.demand.weighted import Demand, Events
from siting.evaluation.compare import Days
from siting.plans.plan import Plan
from siting.plans.served import Service
from siting.plans.tradeoffs import Choice
from siting.problems.define import MaxCover, SitingResult
from siting.results import (
    Alternative,
    AuditFinding,
    BudgetPoint,
    Coverage,
    Estimate,
    FrontPoint,
    HotSpot,
    PickupPoint,
    Site,
    Solution,
)
from siting.solvers.robust import RobustCover

__all__ = ["Checked", "Chosen", "Described", "Wanted"]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Wanted:
    """What the traces say is wanted, and what of it the choice sees."""

    rests: Events
    demand: Demand
    training: BoolArray
    """(days,) the days that the choice sees."""
    held_out: BoolArray
    """(days,) the others."""
    days: dict[str, Days]
    """Demand a day of "training" and, where days were held out, "held_out"."""
    asked: Asked
    """The figures that ask to be published."""

    @property
    def weight(self) -> FloatArray:
        """(n, 24) weighted rider-minutes a training day."""
        return self.days["training"].weight

    @property
    def seen(self) -> Demand:
        """The demand of the training days."""
        return self.demand.on(self.training)

    @property
    def asked_seen(self) -> Asked:
        """The same as ``asked``, for figures of the training days."""
        return self.asked.on(self.training)


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Chosen:
    """The answer, with the problem that it solves."""

    plan: Plan
    problem: MaxCover
    """Places alone; where kinds and hours were chosen too, ``joint`` was solved instead."""
    joint: Choice | None
    result: SitingResult
    service: Service
    """Who is served on training days, by the stations of the plan in their order."""
    front: tuple[FrontPoint, ...]
    solution: Solution
    scenarios: dict[str, Days]
    """Demand of the seasons and parts of the week that the days of the choice tell of."""
    robust: RobustCover | None
    """Where the study asked for a plan that fails least in the worst of them."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Checked:
    """How sure the plan is, and what it is worth beside others."""

    chosen_share: FloatArray | None
    """(sites,) how often (0-1) each is chosen in resamples, None when not asked for."""
    coverage: tuple[Coverage, ...]
    estimates: tuple[Estimate, ...]
    draws: int
    budget_curve: tuple[BudgetPoint, ...]
    changing: Changing


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Described:
    """What is told of the plan and of what stands today."""

    sites: tuple[Site, ...]
    hot_spots: tuple[HotSpot, ...]
    audit: tuple[AuditFinding, ...]
    pickups: tuple[PickupPoint, ...]
    alternatives: tuple[Alternative, ...] = ()
