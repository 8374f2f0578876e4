"""The frozen result of one study: all that maps, reports and the service may show.

What `siting.study.run_study` returns is safe to publish: no rider id, and every figure that stands for fewer
than ``k`` riders, or from which one that does could be worked out, is ``None`` (redacted), never zero
(`siting.published`). Positions are (lon, lat) in WGS-84 degrees;
hours are local hours of the city, 0-23; figures "a day" are means over the days of the period.
"""

import dataclasses

__all__ = [
    "AuditFinding",
    "BudgetPoint",
    "Coverage",
    "DemandCell",
    "FileAccount",
    "Flow",
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
    """In the form of the OSM key, such as ``Mo-Su 07:00-23:00`` or ``24/7``."""
    facilities: tuple[str, ...]
    street: str
    rest_min_a_day: float | None
    """Rider-minutes of rest a day that this site is the nearest chosen one for, within the limit."""
    rest_min_by_hour: Hours
    only_here_share: float | None
    """Share (0-1) of all rest demand that no other station of the plan reaches."""
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
    """Rider-minutes a day of breaks that fall due where this is the nearest chosen site within the limit."""
    passing_riders_a_day: float | None = None
    """Riders a day who ride by without a detour; None also where passing riders do not count."""


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
    """Served is what a station is so near to."""
    riders: int | None
    min_a_day: float | None
    covered_share: float | None


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
class Flow:
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
    covered_share: float | None
    site_ids: tuple[str, ...]
    pickup_ids: tuple[str, ...]


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
    """Share (0-1) of rest demand within the limit, for one way of choosing the sites."""

    method: str
    """``yilu``, ``existing``, ``kmeans``, ``busiest`` or ``random`` (mean of 100)."""
    sites: int
    training: float | None
    held_out: float | None
    """None also where no days were held out."""
    training_5_min: float | None
    """The same within 5 minutes, whatever the limit of the study."""
    held_out_5_min: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class BudgetPoint:
    """One point of the coverage-against-budget curve."""

    cost_yuan: float
    sites: int
    covered_share: float | None
    gap: float


@dataclasses.dataclass(frozen=True, slots=True)
class FileAccount:
    """What became of the rows of one trace file: accepted + rejected = read."""

    file: str
    datum: str
    datum_evidence: str
    read: int
    accepted: int
    rejected: tuple[tuple[str, int], ...]
    """(reason, rows)."""
    notes: tuple[tuple[str, str, int], ...] = ()
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
    flows: tuple[Flow, ...]
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
    silent_rest_share: float | None = None
    """Share of the minutes of rest in stays that hold a long silence of the phone; None where withheld."""
