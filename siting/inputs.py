"""What one study needs, and its settings: frozen, checked on creation."""

import dataclasses

import numpy as np
import numpy.typing as npt

from geo.errors import InputError
from geo.places import Places
from geo.sentences import Sentence
from geo.streets import MODES, StreetNetwork
from siting.columns import DueBreakColumns, GridColumns, PassingFlows, StayColumns
from siting.demand.hotspots import HotSpotRules
from siting.demand.weighted import DemandWeights
from siting.results import FileAccount
from siting.stations.candidates import CandidateRules, CandidateSites
from siting.stations.kinds import KINDS, ExistingStation, StationKind
from siting.stations.pickup_inputs import PickupRules

__all__ = ["PLANS", "StudyInputs", "StudySettings"]

PLANS = ("coverage", "cheapest", "fairest", "balanced")

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StudySettings:
    """What is to be chosen and how.

    Attributes
    ----------
    timezone : IANA name of the city's zone
    new_sites : stations to add to the existing ones, 1-5000
    limit_s : a rest counts as served within so many seconds on the way, 30-3600
    mode : how riders travel, one of `geo.streets.network.MODES`
    k : least number of riders behind a published figure, 1-1000
    held_out_days : last days that the choice does not see, 0-365; with 0 nothing is said of
        held-out days
    seed : of every random draw
    weights : what the layers of demand count
    passing_limit_s : a rider who passes reaches a station without a detour within so many seconds, 5-600
    kinds : kinds of stations
    candidates, pickups, hot_spots : rules
    cell_m : side of the cells that make demand points, 10-1000 m
    publish_cell_m : side of the cells of published demand, 50-5000 m
    budget_yuan : yuan a year for all stations: places, kinds and hours are then chosen together, at most
        ``new_sites`` new ones whatever becomes of the others; None for no limit (places first, then kinds
        and hours)
    existing_stations : ``keep``, ``may_close`` or ``may_move``; the latter two need a budget
    closed_from : local day (ISO) from which stations that close or move are shut; None: not set yet, and
        always with ``keep``
    close_yuan : yuan a year that closing one existing station costs
    move_share : share (0-1) of its fixed cost that a moved station saves at the new site
    least_grid_share : share (0-1) of the rest in every unit grid in which k riders rest that must be *served*
        on the days of the choice; places, kinds and hours are then chosen together; needs grids
    plan : ``coverage`` (most served), ``cheapest`` (least money that serves no less than today), ``fairest``
        (most served in the unit grid that is served least) or ``balanced`` (between the three); all but
        ``coverage`` choose places, kinds and hours together, ``fairest`` and ``balanced`` need grids
    robust : places are chosen so that the plan falls least behind in the worst season or part of the week;
        with ``coverage``, no budget and no least share
    draws : resamples of days and riders, 0-1000
    random_draws : random plans whose mean is a baseline, 1-1000
    node_limit : branch-and-bound nodes of the solver, 1 or more (repeatable, unlike seconds)
    """

    timezone: str
    new_sites: int = 8
    limit_s: float = 300.0
    mode: str = "ebike"
    k: int = 10
    held_out_days: int = 2
    seed: int = 1
    weights: DemandWeights = dataclasses.field(default_factory=DemandWeights)
    passing_limit_s: float = 60.0
    kinds: tuple[StationKind, ...] = KINDS
    candidates: CandidateRules = dataclasses.field(default_factory=CandidateRules)
    pickups: PickupRules = dataclasses.field(default_factory=PickupRules)
    hot_spots: HotSpotRules = dataclasses.field(default_factory=HotSpotRules)
    cell_m: float = 50.0
    publish_cell_m: float = 250.0
    budget_yuan: float | None = None
    existing_stations: str = "keep"
    closed_from: str | None = None
    close_yuan: float = 10_000.0
    move_share: float = 0.5
    least_grid_share: float = 0.0
    plan: str = "coverage"
    robust: bool = False
    draws: int = 40
    random_draws: int = 100
    node_limit: int = 20_000

    def __post_init__(self) -> None:
        for name, low, high in (
            ("new_sites", 1, 5000),
            ("limit_s", 30, 3600),
            ("passing_limit_s", 5, 600),
            ("k", 1, 1000),
            ("held_out_days", 0, 365),
            ("cell_m", 10, 1000),
            ("publish_cell_m", 50, 5000),
            ("draws", 0, 1000),
            ("random_draws", 1, 1000),
            ("node_limit", 1, 10**9),
            ("close_yuan", 0, 10**9),
            ("move_share", 0, 1),
            ("least_grid_share", 0, 1),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"study setting {name} is {value}, it must lie in {low}-{high}.")
        if self.mode not in MODES:
            raise InputError(f"study setting mode is {self.mode!r}, it must be one of {', '.join(MODES)}.")
        if not self.kinds:
            raise InputError("study setting kinds must name at least one kind of station.")
        if self.plan not in PLANS:
            raise InputError(f"study setting plan is {self.plan!r}, it must be one of {', '.join(PLANS)}.")
        if self.plan != "coverage" and self.least_grid_share > 0:
            raise InputError(
                f"study settings plan = {self.plan!r} and least_grid_share ask for two plans: give one."
            )
        if self.robust and (
            self.plan != "coverage" or self.budget_yuan is not None or self.least_grid_share > 0
        ):
            raise InputError(Sentence.of("study_robust"))
        if self.existing_stations not in ("keep", "may_close", "may_move"):
            raise InputError(
                f"study setting existing_stations is {self.existing_stations!r}, "
                "it must be keep, may_close or may_move."
            )
        if self.existing_stations != "keep" and self.budget_yuan is None:
            raise InputError("study setting existing_stations other than keep needs a budget_yuan.")
        if self.existing_stations == "keep" and self.closed_from is not None:
            raise InputError(
                f"study setting closed_from is {self.closed_from}, but existing_stations is 'keep':"
                " no station closes; leave it out, or set existing_stations to may_close or may_move."
            )
        if self.budget_yuan is not None and not self.budget_yuan > 0:
            raise InputError(f"study setting budget_yuan is {self.budget_yuan}, it must be above 0.")


@dataclasses.dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class StudyInputs:
    """One study's data.

    Attributes
    ----------
    network, places : the city
    stays : classified stay points of all days
    silent : (stays,) which of them hold a long silence of the phone; None where nobody knows
    due_breaks : where riders are when a break falls due; None leaves that layer empty
    flows : riders passing by; None leaves that layer empty
    riders : riders in the traces
    accounts : what became of the trace files
    existing : stations that stand today
    own_sites : the planner's own list of candidates
    grids : unit grids, None for none
    title, city, attribution : texts shown as they are
    synthetic : whether the traces were made by a program
    settings : what is to be chosen and how
    """

    network: StreetNetwork
    places: Places
    stays: StayColumns
    riders: int
    settings: StudySettings
    silent: npt.NDArray[np.bool_] | None = None
    due_breaks: DueBreakColumns | None = None
    flows: PassingFlows | None = None
    accounts: tuple[FileAccount, ...] = ()
    existing: tuple[ExistingStation, ...] = ()
    own_sites: CandidateSites | None = None
    grids: GridColumns | None = None
    title: str = ""
    city: str = ""
    attribution: str = "© OpenStreetMap contributors, ODbL 1.0"
    synthetic: bool = False

    def __post_init__(self) -> None:
        if self.riders < 1:
            raise InputError(Sentence.of("no_rider"))
