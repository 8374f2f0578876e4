"""The frozen result of one study: all that maps, reports and the service may show.

What `siting.study.run_study` returns is safe to publish: no rider id, and every figure that stands for fewer
than ``k`` riders, or from which one that does could be worked out, is ``None`` (redacted), never zero
(`siting.published`). Positions are (lon, lat) in WGS-84 degrees;
hours are local hours of the city, 0-23; figures "a day" are means over the days of the period.
"""

import dataclasses

from siting.changing import Changing
from siting.observed import BlindSpots, Meetings, TravelTimes
from siting.proposed import InnerWays

__all__ = [
    "Alternative",
    "AuditFinding",
    "BudgetPoint",
    "Coverage",
    "DemandCell",
    "Estimate",
    "Fairness",
    "FileAccount",
    "FrontPoint",
    "Gains",
    "Gate",
    "GridFigures",
    "HotSpot",
    "KindFigures",
    "LayerFigures",
    "MatchTotals",
    "PickupPoint",
    "Refusal",
    "Ring",
    "Site",
    "Solution",
    "StreetFlow",
    "Study",
]

LonLat = tuple[float, float]
Hours = tuple[float | None, ...]
"""24 figures, one for each local hour of the day; None where redacted."""
Ring = tuple[LonLat, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """One rest station: an existing one or a suggested one."""

    site_id: str
    """``E01`` (existing) or ``S01`` (suggested); stable for one input and seed."""
    name: str
    lonlat: LonLat
    kind: str
    """``micro``, ``standard`` or ``hub24``."""
    existing: bool
    opening_hours: str
    """In the form of the OSM key, such as ``Mo-Su 07:00-23:00`` or ``24/7``; of today where it stands."""
    facilities: tuple[str, ...]
    street: str
    rest_min_a_day: float | None
    """Rider-minutes of rest a training day that this site serves in the plan; 0 where the plan shuts it."""
    rest_min_by_hour: Hours
    only_here_share: float | None
    """Share (0-1) of all rest demand that is in reach of no other station of the plan."""
    extra_rest_hours_if_longer: float | None
    """Rest-hours a day gained if it were open round the clock."""
    cost_yuan: float | None
    chosen_share: float | None
    """How often (0-1) this site is chosen when days and riders are resampled."""
    reach: tuple[tuple[int, tuple[Ring, ...]], ...]
    """(seconds, outer rings) of the area from where it is reached within 180, 300 and 600 s."""
    reason: tuple[str, tuple[tuple[str, str], ...]]
    """Key in the text catalogue and its parameters."""
    until: tuple[tuple[int, float | None], ...] = ()
    """(closing hour, rest-hours a day) that it serves more at the least, than when shut at 18:00."""
    due_break_min_a_day: float | None = None
    """Rider-minutes a training day of breaks that fall due where this is the nearest station in reach."""
    passing_riders_a_day: float | None = None
    """Riders a day who ride by without a detour; None also where passing riders do not count."""
    plan: str = "stay"
    """What the plan does with it: ``new``, or for an existing one ``stay``, ``close`` or ``move``."""
    planned_hours: str | None = None
    """Opening hours of the plan where an existing station shall keep other ones than today."""
    moves_to: str | None = None
    """Id of the new station that its equipment moves to."""
    open_by_hour: tuple[bool, ...] = (True,) * 24
    """In which local hours the plan has it open; one that closes or moves: as today."""
    near: tuple[tuple[str, float], ...] = ()
    """(name, metres in a straight line) of the compounds near it, the nearest first."""
    others: tuple[tuple[str, float], ...] = ()
    """(id, seconds) of the other stations of the plan that are reached soonest from a station of
    today; it tells of streets, not of riders."""


@dataclasses.dataclass(frozen=True, slots=True)
class Alternative:
    """Where a suggested station may stand if its room cannot be had, and what the plan then serves."""

    site_id: str
    """The station that it takes the place of, with the same kind and hours."""
    name: str
    lonlat: LonLat
    kind: str
    """What the place is: ``mall``, ``street``, ..., a key ``place.`` of the text catalogue."""
    away_m: float
    """From the station, in a straight line."""
    served_share: float | None
    """Of rest demand on training days, by the whole plan with this place instead."""


@dataclasses.dataclass(frozen=True, slots=True)
class AuditFinding:
    """What to do with one existing station, and why."""

    site_id: str
    rank: int
    action: str
    """``keep``, ``open_longer``, ``move``, ``merge`` or ``close``."""
    visits_a_day: float | None
    visitors_a_day: float | None
    rest_min_within_reach_by_hour: Hours
    open_by_hour: tuple[bool, ...]
    overlap_site_id: str | None
    overlap_share: float | None
    missing_facilities: tuple[str, ...]
    gain_rest_hours_a_day: float | None
    better_hours: str | None
    move_to: LonLat | None
    busiest_half_hours: tuple[str, ...]
    """Local half hours in which most riders rest there, such as ``14:00``."""
    reason: tuple[str, tuple[tuple[str, str], ...]]
    check_ins_a_day: float | None = None
    """Riders who checked in there, in weeks of at least k riders each; None: no such week is known."""
    check_in_weeks: int = 0
    """How many such weeks."""


@dataclasses.dataclass(frozen=True, slots=True)
class Gate:
    """One gate of a compound as riders use it."""

    lonlat: LonLat
    share: float | None
    in_osm: bool


@dataclasses.dataclass(frozen=True, slots=True)
class PickupPoint:
    """One suggested pick-up point or locker at a compound or tower."""

    pickup_id: str
    compound: str
    lonlat: LonLat
    kind: str
    """``pickup_point`` or ``locker``."""
    drop_offs_a_day: float | None
    saved_min_a_day: float | None
    """Rider-minutes a day."""
    walk_median_m: float | None
    walk_max_m: float | None
    residents_walk_m_a_day: float | None
    gates: tuple[Gate, ...]
    entry_route: tuple[LonLat, ...]
    stopping_area: Ring
    side: tuple[str, str] = ("", "")
    """Where it stands at the compound or tower: ``gate`` or ``kerb``, and on which side, such as
    ``south_east``; (``door``, "") before the doors, (``street``, "") where ``compound`` is a street."""


@dataclasses.dataclass(frozen=True, slots=True)
class HotSpot:
    """A place where rests are dense, for reading only: sites are chosen by fine demand points."""

    spot_id: str
    """``H01``: most rest first."""
    name: str
    """Compound, place or street; empty where the map knows none."""
    lonlat: LonLat
    radius_m: float
    ring: Ring
    """A circle that holds nine tenths of its rest."""
    riders: int | None
    rest_min_a_day: float | None
    rest_min_by_hour: Hours
    site_id: str
    """Nearest station of the plan within the limit, empty for none."""


@dataclasses.dataclass(frozen=True, slots=True)
class LayerFigures:
    """One layer of demand: what it counts in the choice, how large it is, and what the plan serves of it."""

    name: str
    """``rest``, ``due_break`` or ``passing``."""
    weight: float
    limit_s: float
    """In reach is what a station is so near to."""
    riders: int | None
    min_a_day: float | None
    """Of a training day, as all of these."""
    served_share: float | None
    in_reach_share: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class KindFigures:
    """One kind of station as the study counted with it."""

    name: str
    seats: int
    fixed_yuan: float
    hour_yuan: float
    opening_hours: tuple[str, ...]
    facilities: tuple[str, ...]
    assumed: bool
    """True: round figures of the program; False: the planner's own."""


@dataclasses.dataclass(frozen=True, slots=True)
class DemandCell:
    """One published cell of rest demand; figures are None where fewer than k riders stand behind it."""

    cell_id: str
    ring: Ring
    centre: LonLat
    riders: int | None
    rest_min_by_hour: Hours
    due_break_min_by_hour: Hours


@dataclasses.dataclass(frozen=True, slots=True)
class StreetFlow:
    """Riders a day along one street; only streets with at least k riders are listed."""

    line: tuple[LonLat, ...]
    name: str
    riders_a_day: float
    by_hour: Hours


@dataclasses.dataclass(frozen=True, slots=True)
class GridFigures:
    """One unit grid with its code as text."""

    code: str
    name: str
    rings: tuple[Ring, ...]
    riders: int | None
    rest_min_a_day: float | None
    """Of a training day, as the shares."""
    served_share: float | None
    in_reach_share: float | None
    site_ids: tuple[str, ...]
    pickup_ids: tuple[str, ...]
    served_today_share: float | None = None
    """By the stations of today, as they are run today."""
    station_id: str = ""
    """Station of the plan that is reached soonest from the middle of the grid; empty where none is."""
    station_s: float | None = None
    """How long that takes, seconds; it tells of streets, not of riders."""

    @property
    def gain_points(self) -> float | None:
        """Points (hundredths) of the rest demand here that the plan serves more than is served today."""
        if self.served_share is None or self.served_today_share is None:
            return None
        return 100.0 * (self.served_share - self.served_today_share)


@dataclasses.dataclass(frozen=True, slots=True)
class Fairness:
    """How evenly one way of choosing serves the unit grids, of those whose figures may be told."""

    method: str
    """``existing`` or ``yilu``."""
    grids: int
    """How many count."""
    gini: float | None
    """Gini coefficient of the served shares, each counted by its demand; None where nothing is served."""
    worst_tenth: float | None
    """Mean served share of the tenth of the demand that is served least."""
    least_share: float | None
    """Served share of the worst grid."""
    worst_grid: str
    """Its code; the first of several."""


@dataclasses.dataclass(frozen=True, slots=True)
class Gains:
    """In how many unit grids a larger share, a smaller share, or the same is served as today."""

    gaining: int
    losing: int
    same: int


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """A candidate that may not become a station, and the reason (key in the text catalogue)."""

    name: str
    lonlat: LonLat
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Solution:
    """How the solver ended."""

    status: str
    objective: float | None
    bound: float | None
    gap: float
    """(bound - objective) / bound, 0 when proven optimal."""


@dataclasses.dataclass(frozen=True, slots=True)
class Coverage:
    """Shares (0-1) of rest demand served and in reach, for one way of choosing the sites.

    *In reach* is within the time limit of a station; *served* finds it open in that hour, with a free seat.
    """

    method: str
    """``yilu``, ``existing``, ``kmeans``, ``busiest`` or ``random`` (mean of 100)."""
    sites: int
    served_training: float | None
    served_held_out: float | None
    """None also where no days were held out."""
    in_reach_training: float | None
    in_reach_held_out: float | None
    in_reach_5_min_training: float | None
    """Within 5 minutes, whatever the limit of the study."""
    in_reach_5_min_held_out: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Estimate:
    """One figure with the interval in which 95 in 100 resamples of days and riders lie."""

    measure: str
    """``served_share`` (0-1) or ``served_min_a_day`` (rider-minutes a day), of rest demand."""
    method: str
    """``yilu`` or ``existing``."""
    days: str
    """``training`` or ``held_out``."""
    value: float | None
    low: float | None
    high: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class BudgetPoint:
    """One point of the curve of what is served against the budget."""

    cost_yuan: float
    sites: int
    """In business: existing ones that stay, and new ones."""
    served_share: float | None
    """Of the weighted demand of all layers, on training days."""
    gap: float
    """To the bound of what was chosen by: served under a budget, in reach without one."""
    new_sites: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class FrontPoint:
    """One plan of the front of coverage, money and fairness: none beats another in all three."""

    names: tuple[str, ...]
    """``coverage``, ``fairest``, ``cheapest``, ``balanced``; empty between them."""
    chosen: bool
    """Whether it is the plan of the study; that may lie beside the front, as the last one."""
    cost_yuan: float
    sites: int
    new_sites: int
    served_share: float | None
    """Of the weighted demand of all layers, on training days."""
    worst_share: float | None
    """Of the rest in the unit grid that is served least, of those in which k riders rest."""
    gaps: tuple[tuple[str, float], ...] = ()
    """How far (0-1, of the bound) each end may be from the best there is of its aim, by its name."""


@dataclasses.dataclass(frozen=True, slots=True)
class FileAccount:
    """What became of the rows of one trace file: accepted + rejected = read."""

    file: str
    datum: str
    datum_evidence: str
    read: int | None
    """None, as `accepted`: rows of fewer than k riders, and there are no others."""
    accepted: int | None
    rejected: tuple[tuple[str, int], ...]
    """(reason, rows); empty where they are withheld."""
    notes: tuple[tuple[str, str, int | None], ...] = ()
    """(file, code of a text ``file_note``, rows): files that were not read, and what a refused file looks
    like."""


@dataclasses.dataclass(frozen=True, slots=True)
class MatchTotals:
    """What became of the sample of civic tasks."""

    matched: int
    refused: int
    median_extra_s: float | None
    late_deliveries: int


@dataclasses.dataclass(frozen=True, slots=True)
class Study:
    """All that one study found."""

    title: str
    city: str
    timezone: str
    period: tuple[str, str]
    """First and last local day, ISO, both included."""
    days: int
    held_out_days: int
    seed: int
    k: int
    limit_s: float
    mode: str
    map_attribution: str
    synthetic: bool
    bounds: tuple[float, float, float, float]
    """West, south, east, north."""
    riders: int | None
    stay_points: int | None
    stay_points_by_kind: tuple[tuple[str, int | None], ...]
    demand_min_a_day: float | None
    """Rider-minutes of rest a day in the training days."""
    sites: tuple[Site, ...]
    audit: tuple[AuditFinding, ...]
    pickups: tuple[PickupPoint, ...]
    cells: tuple[DemandCell, ...]
    flows: tuple[StreetFlow, ...]
    grids: tuple[GridFigures, ...]
    refusals: tuple[Refusal, ...]
    solution: Solution
    coverage: tuple[Coverage, ...]
    budget_curve: tuple[BudgetPoint, ...]
    accounts: tuple[FileAccount, ...]
    matching: MatchTotals | None
    hot_spots: tuple[HotSpot, ...] = ()
    layers: tuple[LayerFigures, ...] = ()
    kinds: tuple[KindFigures, ...] = ()
    moving_km_on_streets: float | None = None
    """Share of the moving kilometres within 25 m of a street; None where nobody moves or riders are fewer
    than k."""
    existing_stations: str = "keep"
    """What may become of the stations of today: ``keep``, ``may_close`` or ``may_move``."""
    budget_yuan: float | None = None
    """A year, for all stations; None: places were chosen by demand in reach, without a budget."""
    closed_from: str | None = None
    """Local day (ISO) from which stations that close or move are shut; None: not set yet."""
    training_period: tuple[str, str] = ("", "")
    """First and last local day on which the choice was made, ISO, both included."""
    estimates: tuple[Estimate, ...] = ()
    draws: int = 0
    """Resamples behind the estimates."""
    silent_rest_share: float | None = None
    """Share of the minutes of rest in stays that hold a long silence of the phone; None where withheld."""
    plan: str = "coverage"
    """Which plan was asked for: ``coverage``, ``cheapest``, ``fairest`` or ``balanced``."""
    least_grid_share: float = 0.0
    """Share (0-1) of the rest of every unit grid with k riders that had to be served; 0: none."""
    front: tuple[FrontPoint, ...] = ()
    """The one that serves most first; empty without unit grids in which k riders rest."""
    fairness: tuple[Fairness, ...] = ()
    """Of the stations of today and of the plan; empty without unit grids."""
    alternatives: tuple[Alternative, ...] = ()
    """Of each suggested station, the one that loses least first."""
    input_notes: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """What looks wrong in the planner's own lists: key in the text catalogue and its parameters."""
    travel_times: TravelTimes | None = None
    """Whether travel times were learned from the traces, how good they are, and what that changed."""
    blind_spots: BlindSpots | None = None
    """Streets that nobody passes; None where the traces were not matched to streets."""
    meetings: Meetings | None = None
    """Dates at stations on which most different riders can be met."""
    changing: Changing | None = None
    """Seasons and parts of the week, and forecasts."""
    inner_ways: InnerWays | None = None
    """Waits at gates and proposed edits of the map; None where the traces were not matched to streets."""

    @property
    def standing(self) -> tuple[Site, ...]:
        """The stations that are in business under the plan."""
        return tuple(site for site in self.sites if site.plan in ("new", "stay"))
