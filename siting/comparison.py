"""Two plans of one city beside each other: what moves, what it costs, which unit grids gain and lose.

Everything is computed from figures that two studies have published, so it tells nothing that those do not;
where one of two figures is withheld, so is their difference.
"""

import dataclasses

from geo.earth import near_metres
from geo.errors import InputError
from geo.sentences import Sentence
from siting.fairness import LEAST_CHANGE
from siting.results import Gains, GridFigures, Ring, Site, Study
from siting.values import Unit

__all__ = ["Comparison", "GridChange", "PairedStations", "PlanFigure", "compare_studies"]

MOVED_M = 500.0
"""A station of the second plan this near to one that the first alone has is where that one moves to."""
_MAP_TOLERANCE = 1e-6


@dataclasses.dataclass(frozen=True, slots=True)
class PlanFigure:
    """One figure of two plans."""

    key: str
    unit: Unit
    first: float | None
    second: float | None
    """None where it is withheld or does not apply."""

    @property
    def difference(self) -> float | None:
        """What the second has more than the first; None where either is not known."""
        return None if self.first is None or self.second is None else self.second - self.first


@dataclasses.dataclass(frozen=True, slots=True)
class PairedStations:
    """One station of two plans."""

    change: str
    """``only_first``, ``only_second``, ``moved``, ``changed`` (kind, hours or fate) or ``same``."""
    first: Site | None
    second: Site | None
    moved_m: float | None = None
    """As the crow flies, in metres, where it moves."""


@dataclasses.dataclass(frozen=True, slots=True)
class GridChange:
    """One unit grid under two plans. Shares (0-1) are of its rest demand served, None where withheld."""

    code: str
    name: str
    rings: tuple[Ring, ...]
    demand_min_a_day: float | None
    """Of the first study."""
    first_share: float | None
    second_share: float | None

    @property
    def points(self) -> float | None:
        """Hundredths of its demand that the second plan serves more."""
        if self.first_share is None or self.second_share is None:
            return None
        return 100.0 * (self.second_share - self.first_share)

    @property
    def verdict(self) -> str:
        """``gains``, ``loses``, ``same``, or ``withheld`` where a figure is not published."""
        if self.points is None:
            return "withheld"
        if abs(self.points) < 100.0 * LEAST_CHANGE:
            return "same"
        return "gains" if self.points > 0 else "loses"


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """The second of two plans beside the first."""

    figures: tuple[PlanFigure, ...]
    stations: tuple[PairedStations, ...]
    """Those that differ first."""
    grids: tuple[GridChange, ...]
    """The largest loss first, those without published figures last."""
    gains: Gains
    notes: tuple[str, ...]
    """What else differs, so that not all of the change is the plan's: ``period``, ``limit``, ``mode``, ``k``,
    ``riders``, ``synthetic``."""

    @property
    def cost(self) -> PlanFigure:
        """Of all stations, or of the new ones alone where only these have a price in both."""
        return next(one for one in self.figures if one.key.startswith("cost"))

    def figure(self, key: str) -> PlanFigure:
        """Return the figure of a key."""
        return next(one for one in self.figures if one.key == key)


def compare_studies(first: Study, second: Study) -> Comparison:
    """Hold the plan of a second study against that of a first one of the same map and unit grids.

    Parameters
    ----------
    first, second : Study
        As published.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If the maps, their area or the unit grids differ, or fewer than k riders tell the studies apart.
    """
    _same_area(first, second)
    _same_grids(first, second)
    _apart(first, second)
    pairs = zip(_figures(first), _figures(second), strict=True)
    figures = [PlanFigure(key, unit, one, other) for (key, unit, one), (_, _, other) in pairs]
    after = {grid.code: grid for grid in second.grids}
    grids = [_grid(grid, after[grid.code]) for grid in first.grids]
    verdicts = [grid.verdict for grid in grids]
    same_by_key = {
        "period": first.period == second.period and first.training_period == second.training_period,
        "limit": first.limit_s == second.limit_s,
        "mode": first.mode == second.mode,
        "k": first.k == second.k,
        "riders": first.riders == second.riders,
        "synthetic": first.synthetic == second.synthetic,
    }
    return Comparison(
        (*figures[:3], _cost(first, second), *figures[3:]),
        _stations(first, second),
        tuple(sorted(grids, key=lambda g: (g.points is None, g.points or 0.0, g.code))),
        Gains(verdicts.count("gains"), verdicts.count("loses"), verdicts.count("same")),
        tuple(key for key, same in same_by_key.items() if not same),
    )


def _same_area(first: Study, second: Study) -> None:
    if all(abs(a - b) <= _MAP_TOLERANCE for a, b in zip(first.bounds, second.bounds, strict=True)):
        return

    def said(bounds: tuple[float, float, float, float]) -> str:
        west, south, east, north = bounds
        return f"{west:.4f}, {south:.4f} – {east:.4f}, {north:.4f}"

    raise InputError(
        f"the two studies lie on different maps (streets within {said(first.bounds)}, and within "
        f"{said(second.bounds)}): only plans of one map can be compared"
    )


def _apart(first: Study, second: Study) -> None:
    """Refuse studies of the same days whose riders are the same but for a few.

    Each is safe for itself; what one has more than the other is what these few did.
    """
    k = max(first.k, second.k)
    days = (first.period[0] <= second.period[1]) and (second.period[0] <= first.period[1])
    if first.riders is None or second.riders is None or not days:
        return
    more = abs(first.riders - second.riders)
    if 0 < more < k:
        raise InputError(Sentence.of("compare_few_riders", more=more, k=k))


def _same_grids(first: Study, second: Study) -> None:
    left, right = ({grid.code: grid.rings for grid in study.grids} for study in (first, second))
    only_left, only_right = sorted(left.keys() - right.keys()), sorted(right.keys() - left.keys())
    if only_left or only_right:
        raise InputError(
            f"the two studies have different unit grids ({len(only_left)} only in the first, "
            f"{len(only_right)} only in the second, such as {(only_left or only_right)[0]}): only plans with "
            "the same unit grids can be compared"
        )
    moved = sorted(code for code in left if not _same_rings(left[code], right[code]))
    if moved:
        raise InputError(
            f"the two studies have unit grids of one code and different outlines ({len(moved)}, such as "
            f"{moved[0]}): only plans with the same unit grids can be compared"
        )


def _same_rings(left: tuple[Ring, ...], right: tuple[Ring, ...]) -> bool:
    if [len(ring) for ring in left] != [len(ring) for ring in right]:
        return False
    points = zip((p for ring in left for p in ring), (p for ring in right for p in ring), strict=True)
    return all(abs(a[0] - b[0]) <= _MAP_TOLERANCE and abs(a[1] - b[1]) <= _MAP_TOLERANCE for a, b in points)


def _grid(one: GridFigures, other: GridFigures) -> GridChange:
    return GridChange(one.code, one.name, one.rings, one.rest_min_a_day, one.served_share, other.served_share)


def _figures(study: Study) -> list[tuple[str, Unit, float | None]]:
    own = next((row for row in study.coverage if row.method == "yilu"), None)
    fair = next((row for row in study.fairness if row.method == "yilu"), None)
    share = None if own is None else own.served_training
    minutes = None if share is None or study.demand_min_a_day is None else share * study.demand_min_a_day
    return [
        ("stations_new", "count", float(sum(not site.existing for site in study.sites))),
        ("stations_stay", "count", float(sum(s.existing and s.plan == "stay" for s in study.sites))),
        ("stations_gone", "count", float(sum(site.plan in ("close", "move") for site in study.sites))),
        ("demand", "min_a_day", study.demand_min_a_day),
        ("served_min", "min_a_day", minutes),
        ("served_training", "share", share),
        ("served_held_out", "share", None if own is None else own.served_held_out),
        ("reach_training", "share", None if own is None else own.in_reach_training),
        ("reach_held_out", "share", None if own is None else own.in_reach_held_out),
        ("worst_tenth", "share", None if fair is None else fair.worst_tenth),
        ("gap", "share", study.solution.gap),
    ]


def _cost(first: Study, second: Study) -> PlanFigure:
    """Return yuan a year of all stations that run; of the new ones alone where a study prices no others."""

    def total(sites: list[Site]) -> float | None:
        known = [site.cost_yuan for site in sites if site.cost_yuan is not None]
        return sum(known) if known and len(known) == len(sites) else None

    whole = [total(list(study.standing)) for study in (first, second)]
    if None not in whole:
        return PlanFigure("cost", "yuan", whole[0], whole[1])
    new = [total([site for site in study.standing if not site.existing]) for study in (first, second)]
    return PlanFigure("cost_new", "yuan", new[0], new[1])


def _stations(first: Study, second: Study) -> tuple[PairedStations, ...]:
    """Return the stations in pairs: the same name and place is one; one moves to the nearest new one."""
    left = {(site.name, site.lonlat): site for site in first.sites}
    right = {(site.name, site.lonlat): site for site in second.sites}
    gone = [site for key, site in left.items() if key not in right]
    come = [site for key, site in right.items() if key not in left]
    near = sorted(
        (metres, one.site_id, other.site_id)
        for one in gone
        for other in come
        if not one.existing
        and not other.existing
        and (metres := near_metres(one.lonlat, other.lonlat)) <= MOVED_M
    )
    paired: dict[str, tuple[str, float]] = {}
    for metres, one_id, other_id in near:
        if one_id not in paired and all(other_id != taken for taken, _ in paired.values()):
            paired[one_id] = (other_id, metres)
    by_id = {site.site_id: site for site in come}
    taken = {other_id for other_id, _ in paired.values()}
    out = [
        PairedStations("moved", one, by_id[paired[one.site_id][0]], paired[one.site_id][1])
        if one.site_id in paired
        else PairedStations("only_first", one, None)
        for one in gone
    ]
    out += [PairedStations("only_second", None, site) for site in come if site.site_id not in taken]
    both = [(site, right[key]) for key, site in left.items() if key in right]
    out += [PairedStations("changed", one, other) for one, other in both if _differs(one, other)]
    out += [PairedStations("same", one, other) for one, other in both if not _differs(one, other)]
    return tuple(out)


def _differs(one: Site, other: Site) -> bool:
    def run(site: Site) -> tuple[object, ...]:
        return (site.plan, site.kind, site.planned_hours or site.opening_hours, site.existing)

    return run(one) != run(other)
