"""Seeded sample studies for tests of reports and maps: no traces, no solver, only plausible figures."""

import functools
import math

import numpy as np
from learned_sample import CHANGING, INNER, TIMES, blind_of, meetings_at

from geo.earth import DEGREE_M
from siting.fairness import fairness_of
from siting.results import (
    Alternative,
    AuditFinding,
    BudgetPoint,
    Coverage,
    DemandCell,
    Estimate,
    FileAccount,
    FrontPoint,
    Gate,
    GridFigures,
    HotSpot,
    KindFigures,
    LayerFigures,
    LonLat,
    MatchTotals,
    PickupPoint,
    Refusal,
    Ring,
    Site,
    Solution,
    StreetFlow,
    Study,
)

__all__ = ["big_study", "sample_study"]

CENTRE: LonLat = (116.330, 39.985)
FACILITIES = ("room", "table", "microwave", "hot_water", "air_conditioning", "toilet", "first_aid")
ACTIONS = ("keep", "open_longer", "move", "merge", "close")
REASONS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "keep": ("audit_keep", ()),
    "open_longer": ("audit_open_longer", (("hours", "Mo-Su 08:00-22:00"),)),
    "move": ("audit_move", ()),
    "merge": ("audit_merge", (("share", "72"),)),
    "close": ("audit_close", ()),
}
EVIDENCE = "median distance of 9,876 moving points to the nearest street: wgs84 412 m, gcj02 4 m"
PLACES = (
    "中关村",
    "五道口",
    "学院路",
    "清华东门",
    "知春里",
    "大钟寺",
    "双榆树",
    "苏州街",
    "万泉庄",
    "北太平庄",
)
STREETS = ("成府路", "知春路", "中关村大街", "学院路", "海淀路", "双清路")
HOSTILE = "<script>alert(1)</script>"
FORMULA = "=cmd|'/c calc'!A1"


def _disc(centre: LonLat, radius_m: float, corners: int = 6, turn: float = 0.0) -> Ring:
    lon, lat = centre
    k_lat = radius_m / DEGREE_M
    k_lon = k_lat / math.cos(math.radians(lat))
    angles = [turn + 2 * math.pi * i / corners for i in range(corners)]
    ring = tuple((lon + k_lon * math.cos(a), lat + k_lat * math.sin(a)) for a in angles)
    return (*ring, ring[0])


def _square(west: float, south: float, east: float, north: float) -> Ring:
    return ((west, south), (east, south), (east, north), (west, north), (west, south))


def _profile(rng: np.random.Generator, scale: float, hide_below: float = 0.0) -> tuple[float | None, ...]:
    hours = np.arange(24)
    shape = np.exp(-((hours - 14.5) ** 2) / 5) + 0.5 * np.exp(-((hours - 21) ** 2) / 6) + 0.02
    values = np.round(scale * shape * rng.uniform(0.7, 1.3, 24), 1)
    return tuple(float(v) if v >= hide_below else None for v in values)


def _total(hours: tuple[float | None, ...]) -> float:
    return round(sum(v for v in hours if v is not None), 1)


def _site(rng: np.random.Generator, number: int, existing: bool, lonlat: LonLat, name: str) -> Site:
    hours = _profile(rng, float(rng.uniform(5, 60)))
    reach = tuple(
        (seconds, (_disc(lonlat, metres * float(rng.uniform(0.8, 1.1)), corners=24, turn=0.1),))
        for seconds, metres in ((180, 500), (300, 850), (600, 1700))
    )
    return Site(
        site_id=f"{'E' if existing else 'S'}{number:02d}",
        name=name,
        lonlat=lonlat,
        kind=("micro", "standard", "hub24")[number % 3],
        existing=existing,
        opening_hours=("Mo-Fr 08:00-18:00", "Mo-Su 07:00-23:00", "24/7")[number % 3],
        facilities=FACILITIES[: 3 + number % 5],
        street=STREETS[number % len(STREETS)],
        rest_min_a_day=_total(hours),
        rest_min_by_hour=hours,
        only_here_share=round(float(rng.uniform(0, 0.05)), 4),
        extra_rest_hours_if_longer=round(float(rng.uniform(0, 8)), 1),
        cost_yuan=None if existing else float(30_000 + 10_000 * (number % 4)),
        chosen_share=None if existing else round(float(rng.uniform(0.4, 1)), 2),
        until=((20, 0.4), (22, 1.2), (24, 1.3)) if number % 4 else ((20, None), (22, None), (24, None)),
        due_break_min_a_day=None if number % 3 == 0 else 42.5,
        reach=reach,
        plan="stay" if existing else "new",
        open_by_hour=tuple(not existing or 8 <= h < 18 for h in range(24)),
        near=(("芙蓉里", 120.0), ("知春里小区", 310.0)),
        others=(("S01", 150.0 + number), ("S02", 420.0)) if existing and number != 4 else (),
        reason=("site_existing", ())
        if existing
        else ("site_new", (("place", "convenience"), ("share", f"{rng.uniform(1, 9):.1f}"))),
    )


def _hot_spots(sites: list[Site], count: int) -> tuple[HotSpot, ...]:
    """A hot spot about every other site, and one that no station serves, with a hostile name."""
    spots = []
    for number, site in enumerate(sites[:count:2], start=1):
        name = HOSTILE if number == 2 else site.name
        radius = 20.0 + 10.0 * (number % 4)
        spots.append(
            HotSpot(
                f"H{number:02d}",
                name,
                site.lonlat,
                radius,
                _disc(site.lonlat, radius, corners=24),
                12 + number,
                site.rest_min_a_day,
                site.rest_min_by_hour,
                "" if number % 5 == 0 else site.site_id,
            )
        )
    return tuple(spots)


def _study(
    rng: np.random.Generator,
    *,
    suggested: int,
    existing: int,
    pickups: int,
    cells: int,
    flows: int,
    grid_side: int,
    half_deg: float,
) -> Study:
    lon0, lat0 = CENTRE
    west, south, east, north = lon0 - half_deg, lat0 - half_deg, lon0 + half_deg, lat0 + half_deg

    def place() -> LonLat:
        lon, lat = rng.uniform((west, south), (east, north))
        return (round(float(lon), 6), round(float(lat), 6))

    sites = []
    for number in range(1, existing + 1):
        name = f"{PLACES[number % len(PLACES)]}工会驿站{'' if number <= len(PLACES) else number}"
        name = {2: HOSTILE, 3: FORMULA}.get(number, name)
        sites.append(_site(rng, number, True, place(), name))
    for number in range(1, suggested + 1):
        name = f"{PLACES[(3 * number) % len(PLACES)]}便利店{'' if number <= len(PLACES) else number}"
        sites.append(_site(rng, number, False, place(), name))

    audit = []
    for rank, site in enumerate((s for s in sites if s.existing), start=1):
        action = ACTIONS[(rank - 1) % len(ACTIONS)]
        audit.append(
            AuditFinding(
                site_id=site.site_id,
                rank=rank,
                action=action,
                visits_a_day=None if rank % 4 == 0 else round(float(rng.uniform(2, 40)), 1),
                visitors_a_day=None if rank % 4 == 0 else round(float(rng.uniform(2, 25)), 1),
                rest_min_within_reach_by_hour=_profile(rng, 20.0, hide_below=2.0),
                open_by_hour=tuple(8 <= h < 18 for h in range(24)),
                overlap_site_id="E01" if action == "merge" else None,
                overlap_share=0.72 if action == "merge" else None,
                missing_facilities=FACILITIES[3 + (rank % 5) :],
                gain_rest_hours_a_day=round(float(rng.uniform(0, 6)), 1) if action != "keep" else None,
                better_hours="Mo-Su 08:00-22:00" if action == "open_longer" else None,
                move_to=place() if action == "move" else None,
                busiest_half_hours=("14:00", "14:30", "21:00"),
                reason=REASONS[action],
                check_ins_a_day=21.5 if rank == 1 else None,
                check_in_weeks=6 if rank == 1 else 0,
            )
        )

    points = []
    for number in range(1, pickups + 1):
        lonlat = place()
        area = _disc(lonlat, 12, corners=4, turn=math.pi / 4)
        gates = (
            Gate(_disc(lonlat, 90)[1], 0.62, True),
            Gate(_disc(lonlat, 110)[4], None, False),
        )
        points.append(
            PickupPoint(
                pickup_id=f"P{number:02d}",
                compound=f"{PLACES[number % len(PLACES)]}小区{number}",
                lonlat=lonlat,
                kind=("pickup_point", "locker")[number % 2],
                drop_offs_a_day=None if number % 5 == 0 else round(float(rng.uniform(10, 90)), 1),
                saved_min_a_day=None if number % 5 == 0 else round(float(rng.uniform(10, 300)), 1),
                walk_median_m=80.0,
                walk_max_m=210.0,
                residents_walk_m_a_day=4200.0,
                gates=gates,
                entry_route=(gates[0].lonlat, lonlat),
                stopping_area=area,
            )
        )

    side = math.ceil(math.sqrt(cells))
    step = 2 * half_deg / side
    demand = []
    for index in range(cells):
        row, col = divmod(index, side)
        centre = (west + (col + 0.5) * step, south + (row + 0.5) * step)
        scale = float(rng.gamma(0.7, 8))
        riders = int(scale * 2)
        hidden = riders < 10
        hours = (None,) * 24 if hidden else _profile(rng, scale, hide_below=0.5)
        due = (None,) * 24 if hidden else _profile(rng, scale / 3, hide_below=0.5)
        half = step / 2
        ring = _square(centre[0] - half, centre[1] - half, centre[0] + half, centre[1] + half)
        demand.append(DemandCell(f"c{index}", ring, centre, None if hidden else riders, hours, due))

    streets = []
    for index in range(flows):
        start = place()
        end = (start[0] + float(rng.normal(0, 0.004)), start[1] + float(rng.normal(0, 0.003)))
        middle = ((start[0] + end[0]) / 2 + 0.0004, (start[1] + end[1]) / 2)
        riders_a_day = round(float(rng.gamma(2, 60)) + 10, 1)
        by_hour = _profile(rng, riders_a_day / 6, hide_below=1.0)
        streets.append(
            StreetFlow((start, middle, end), STREETS[index % 6] if index % 7 else "", riders_a_day, by_hour)
        )

    grids = []
    width = 2 * half_deg / grid_side
    for row in range(grid_side):
        for col in range(grid_side):
            box = (
                west + col * width,
                south + row * width,
                west + (col + 1) * width,
                south + (row + 1) * width,
            )

            def inside(lonlat: LonLat, box: tuple[float, float, float, float] = box) -> bool:
                return box[0] <= lonlat[0] < box[2] and box[1] <= lonlat[1] < box[3]

            number = row * grid_side + col + 1
            hidden = number % 7 == 0
            grids.append(
                GridFigures(
                    code=f"110108001{number:06d}",
                    name=f"第{number}网格",
                    rings=(_square(*box),),
                    riders=None if hidden else int(rng.integers(10, 900)),
                    rest_min_a_day=None if hidden else round(float(rng.uniform(50, 900)), 1),
                    served_share=None if hidden else round(float(rng.uniform(0.1, 0.95)), 3),
                    in_reach_share=None if hidden else 0.96,
                    served_today_share=None if hidden else round(0.1 * (number % 7), 3),
                    site_ids=tuple(s.site_id for s in sites if inside(s.lonlat)),
                    pickup_ids=tuple(p.pickup_id for p in points if inside(p.lonlat)),
                    station_id="" if number == 3 else "S01",
                    station_s=None if number == 3 else 60.0 * number,
                )
            )

    return Study(
        fairness=fairness_of(grids),
        travel_times=TIMES,
        changing=CHANGING,
        inner_ways=INNER,
        blind_spots=blind_of(grids[0].code),
        meetings=meetings_at([site.site_id for site in sites]),
        title="海淀区骑手驿站与取餐点布局研究",
        city="北京市海淀区",
        timezone="Asia/Shanghai",
        period=("2026-06-01", "2026-06-07"),
        days=7,
        held_out_days=2,
        seed=7,
        k=10,
        limit_s=300.0,
        mode="ebike",
        map_attribution="© OpenStreetMap contributors, ODbL 1.0",
        synthetic=True,
        bounds=(west, south, east, north),
        riders=1200,
        stay_points=18_450,
        stay_points_by_kind=(("rest", 4100), ("pickup", 6200), ("dropoff", 6150), ("gate", 1300),
                             ("traffic", 700)),
        demand_min_a_day=21_840.5,
        sites=tuple(sites),
        audit=tuple(audit),
        pickups=tuple(points),
        cells=tuple(demand),
        flows=tuple(streets),
        grids=tuple(grids),
        refusals=(
            Refusal("某小区配电房", place(), "inside_compound"),
            Refusal("+1-800 corner", place(), "too_close"),
            Refusal("未名路口", place(), "a_reason_of_the_future"),
        ),
        solution=Solution("optimal", 15_300.0, 15_300.0, 0.0),
        coverage=(
            Coverage("yilu", suggested + existing, 0.713, 0.689, 0.763, 0.739, 0.763, 0.739),
            Coverage("existing", existing, 0.214, 0.209, 0.264, 0.259, 0.264, 0.259),
            Coverage("kmeans", suggested + existing, 0.604, 0.588, 0.654, 0.638, 0.654, 0.638),
            Coverage("busiest", suggested + existing, 0.552, 0.547, 0.602, 0.597, 0.602, 0.597),
            Coverage("random", suggested + existing, 0.401, 0.398, 0.451, 0.448, 0.451, 0.448),
        ),
        budget_curve=(
            BudgetPoint(0.0, existing, 0.214, 0.0, 0),
            BudgetPoint(120_000.0, existing + 3, 0.455, 0.0, 3),
            BudgetPoint(240_000.0, existing + 6, 0.634, 0.001, 6),
            BudgetPoint(400_000.0, existing + 10, 0.713, 0.002, 10),
        ),
        front=(
            FrontPoint(
                ("coverage",), True, 400_000.0, existing + suggested, suggested, 0.713, 0.134,
                (("coverage", 0.002),),
            ),
            FrontPoint((), False, 380_000.0, existing + suggested, suggested, 0.69, 0.31),
            FrontPoint(
                ("fairest",), False, 390_000.0, existing + suggested, suggested, 0.662, 0.43,
                (("fairest", 0.01),),
            ),
            FrontPoint(("balanced",), False, 240_000.0, existing + 6, 6, 0.6, 0.28),
            FrontPoint(("cheapest",), False, 30_000.0, existing, 0, 0.214, None, (("cheapest", 0.0),)),
        ),
        accounts=(
            FileAccount("traces-a.csv", "gcj02", EVIDENCE, 812_345, 812_000,
                        (("unparsable_time", 45), ("outside_map", 300))),
            FileAccount("traces-b.parquet", "wgs84", "declared", 100, 100, ()),
        ),
        training_period=("2026-06-01", "2026-06-05"),
        estimates=(
            Estimate("served_share", "yilu", "training", 0.713, 0.68, 0.74),
            Estimate("served_min_a_day", "yilu", "training", 15_572.3, 14_200.0, 16_900.0),
            Estimate("served_share", "yilu", "held_out", 0.689, 0.65, 0.73),
            Estimate("served_min_a_day", "yilu", "held_out", 15_048.1, 13_800.0, 16_500.0),
        ),
        draws=200,
        matching=MatchTotals(96, 4, 83.0, 0),
        hot_spots=_hot_spots(sites, existing + suggested),
        layers=(
            LayerFigures("rest", 1.0, 300.0, 1150, 21_840.5, 0.713, 0.763),
            LayerFigures("due_break", 0.5, 300.0, 900, 9_120.0, None, 0.7),
            LayerFigures("passing", 0.0, 60.0, None, None, None, None),
        ),
        alternatives=tuple(
            Alternative(s.site_id, f"{HOSTILE if n == 1 else '银行'}{m}", place(), "bank", 150.0 * m,
                        None if n == 2 else round(0.713 - 0.011 * m, 3))
            for n, s in enumerate(s for s in sites if not s.existing) for m in (1, 2)
        ),
        kinds=(
            KindFigures("micro", 6, 20_000.0, 1_000.0, ("Mo-Su 08:00-20:00",), FACILITIES[:2], True),
            KindFigures("hub24", 40, 90_000.0, 5_000.0, ("24/7",), FACILITIES, False),
        ),
    )  # fmt: skip


def sample_study(seed: int = 7) -> Study:
    """Make a small study: 10 suggested and 6 existing stations, hostile names among them."""
    rng = np.random.default_rng(seed)
    return _study(rng, suggested=10, existing=6, pickups=6, cells=400, flows=60, grid_side=3, half_deg=0.02)


@functools.cache
def big_study(seed: int = 7) -> Study:
    """Make a city: 500 stations, 50,000 demand cells, 3,000 streets with flow, 400 unit grids."""
    rng = np.random.default_rng(seed)
    return _study(
        rng, suggested=300, existing=200, pickups=300, cells=50_000, flows=3000, grid_side=20, half_deg=0.15
    )
