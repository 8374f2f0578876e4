"""The audit of existing stations: each action in the case made for it."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from siting.demand.asked import Asked
from siting.demand.hourly import hourly_figures
from siting.demand.weighted import Demand, DemandLayer
from siting.results import AuditFinding
from siting.stations.audit import Fate, Offered, Rests, Standing, audit_stations, follow_plan
from siting.stations.kinds import SEVEN_ONES, ExistingStation

HOUR = 3600


def demand_of(hours: list[int], riders: int = 20, minutes: float = 30.0) -> Demand:
    """One rest a rider and point, at the given hour of each point."""
    n = len(hours)
    point = np.repeat(np.arange(n), riders)
    layer = DemandLayer(
        point,
        np.tile(np.arange(riders), n),
        np.zeros(n * riders, dtype=np.int64),
        np.repeat(np.array(hours), riders),
        np.full(n * riders, minutes),
    )
    none = np.empty(0, dtype=np.int64)
    empty = DemandLayer(none, none, none, none, np.empty(0))
    return Demand(np.zeros((n, 2)), ("2026-03-02",), layer, empty, empty)


def audit(
    demand: Demand,
    stations: list[str],
    within: list[list[int]],
    candidates: list[list[int]],
    new: tuple[int, ...] = (),
    rests: Rests | None = None,
    k: int = 10,
    check_ins: Sequence[float | None] = (),
) -> dict[str, AuditFinding]:
    none = np.empty(0, dtype=np.int64)
    count = len(stations)
    standing = Standing(
        tuple(
            ExistingStation(
                f"s{e}", (116.0, 39.0), hours, facilities=("room",), check_ins_a_day=a_day, check_in_weeks=1
            )
            for e, (hours, a_day) in enumerate(zip(stations, check_ins or [None] * count, strict=True))
        ),
        tuple(f"E{e + 1:02d}" for e in range(count)),
        np.column_stack([np.arange(count) * 1000.0, np.zeros(count)]),
        np.array(within, dtype=np.bool_).T.reshape(len(demand.lonlat), count),
    )
    offered = Offered(
        np.zeros((len(candidates), 2)),
        np.array(candidates, dtype=np.bool_).T.reshape(len(demand.lonlat), len(candidates)),
        new,
    )
    found = audit_stations(
        standing,
        offered,
        rests or Rests(np.empty((0, 2)), none, none, none),
        demand,
        timezone="Asia/Shanghai",
        asked=Asked(k),
    )
    assert [f.rank for f in found] == list(range(1, count + 1))
    return {f.site_id: f for f in found}


def test_a_used_station_with_good_hours_is_kept() -> None:
    finding = audit(demand_of([12, 13, 14]), ["8:00-18:00"], [[1, 1, 1]], [[0, 0, 0]])["E01"]
    assert finding.action == "keep"
    assert finding.gain_rest_hours_a_day is None
    assert finding.missing_facilities == tuple(f for f in SEVEN_ONES if f != "room")
    assert finding.open_by_hour[8]
    assert not finding.open_by_hour[18]


def test_a_station_shut_when_riders_rest_opens_longer() -> None:
    finding = audit(demand_of([12, 20, 21]), ["8:00-18:00"], [[1, 1, 1]], [[0, 0, 0]])["E01"]
    assert finding.action == "open_longer"
    assert finding.better_hours is not None
    assert finding.gain_rest_hours_a_day == pytest.approx(2 * 20 * 30 / 60)


def test_a_station_in_the_wrong_place_moves_and_gains() -> None:
    demand = demand_of([12] * 10)
    nine = [0] + [1] * 9
    findings = audit(demand, ["8:00-18:00", "8:00-18:00"], [[1] + [0] * 9, [0] * 10], [nine])
    assert findings["E02"].action == "move"
    assert findings["E02"].gain_rest_hours_a_day == pytest.approx(9 * 20 * 30 / 60)
    assert findings["E02"].move_to == (0.0, 0.0)
    assert findings["E02"].rank == 1


def test_twins_merge_once() -> None:
    demand = demand_of([12] * 4)
    findings = audit(demand, ["8:00-18:00"] * 2, [[1, 1, 1, 0], [1, 1, 1, 1]], [[0] * 4])
    assert findings["E01"].action == "merge"
    assert findings["E01"].overlap_site_id == "E02"
    assert findings["E02"].action == "keep"


def test_a_station_nobody_needs_closes() -> None:
    findings = audit(demand_of([12] * 4), ["8:00-18:00"], [[0] * 4], [[1] * 4], new=(0,))
    assert findings["E01"].action == "close"


def test_visits_and_busy_half_hours_are_counted_and_redacted() -> None:
    count = 12
    start = 1_772_420_400 + np.arange(count)  # 11:00 in Shanghai
    near: npt.NDArray[np.float64] = np.tile([[3.0, 4.0]], (count, 1))
    rests = Rests(near, np.arange(count), start, start + 2400)
    shown = audit(demand_of([11]), ["8:00-18:00"], [[1]], [[0]], rests=rests)["E01"]
    assert shown.visits_a_day == 12
    assert shown.visitors_a_day == 12
    assert shown.busiest_half_hours == ("11:00", "11:30")
    hidden = audit(demand_of([11]), ["8:00-18:00"], [[1]], [[0]], rests=rests, k=13)["E01"]
    assert hidden.visits_a_day is None
    assert hidden.busiest_half_hours == ()


def test_hours_behind_too_few_riders_are_hidden() -> None:
    demand = demand_of([12, 13], riders=9)
    hours, total = hourly_figures(demand.rest, np.array([True, True]), 1, 10)
    assert total is None
    assert all(v is None for v in hours)
    hours, total = hourly_figures(demand.rest, np.array([True, True]), 1, 9)
    assert total == pytest.approx(2 * 9 * 30)
    assert hours[12] == pytest.approx(270)
    assert hours[14] is None


def visits_at(station: int, count: int) -> Rests:
    """`count` riders who rested at one station (they stand 1 km apart)."""
    start = 1_772_420_400 + np.arange(count)
    near: npt.NDArray[np.float64] = np.tile([[station * 1000.0 + 3.0, 4.0]], (count, 1))
    return Rests(near, np.arange(count), start, start + 1800)


def test_of_twins_the_one_that_riders_use_stays() -> None:
    demand = demand_of([12] * 20)
    wide, narrow = [1] * 20, [1] * 18 + [0] * 2
    findings = audit(demand, ["8:00-18:00"] * 2, [wide, narrow], [[0] * 20], rests=visits_at(1, 12))
    assert (findings["E01"].action, findings["E01"].overlap_site_id) == ("merge", "E02")
    assert findings["E02"].action == "keep"


def test_of_twins_alike_the_one_that_is_open_stays() -> None:
    demand = demand_of([12, 20, 21])
    findings = audit(demand, ["24/7", "8:00-18:00"], [[1] * 3, [1] * 3], [[0] * 3])
    assert (findings["E01"].action, findings["E02"].action) == ("keep", "merge")


def test_nobody_merges_into_a_station_that_goes_away() -> None:
    demand = demand_of([12] * 40)
    little = [1] + [0] * 39
    findings = audit(demand, ["8:00-18:00"] * 3, [little, little, [0] + [1] * 39], [[0] * 40])
    assert [findings[e].action for e in ("E01", "E02", "E03")] == ["close", "close", "keep"]
    # a chain: 1 would merge into 2, and 2 into 3, which does not reach what 1 did
    first, second, third = [1] * 10 + [0] * 3, [1] * 12 + [0], [0] * 3 + [1] * 10
    chain = audit(demand_of([12] * 13), ["8:00-18:00"] * 3, [first, second, third], [[0] * 13])
    partners = {e: f.overlap_site_id for e, f in chain.items() if f.action == "merge"}
    assert not set(partners) & set(partners.values())


def test_nobody_moves_for_fewer_than_k_riders() -> None:
    demand = demand_of([12] * 10, riders=9)
    findings = audit(demand, ["8:00-18:00"] * 2, [[1] + [0] * 9, [0] * 10], [[0] + [1] * 9])
    assert findings["E02"].action == "close"
    assert findings["E02"].move_to is None


def finding(site_id: str, rank: int, action: str, gain: float | None = None) -> AuditFinding:
    return AuditFinding(
        site_id=site_id, rank=rank, action=action, visits_a_day=None, visitors_a_day=None,
        rest_min_within_reach_by_hour=(None,) * 24, open_by_hour=(True,) * 24, overlap_site_id=None,
        overlap_share=None, missing_facilities=(), gain_rest_hours_a_day=gain,
        better_hours="Mo-Su 06:00-24:00" if action == "open_longer" else None,
        move_to=(1.0, 2.0) if action == "move" else None, busiest_half_hours=(),
        reason=(f"audit_{action}", ()),
    )  # fmt: skip


def test_the_advice_follows_the_plan_where_stations_may_go() -> None:
    findings = (
        finding("E01", 1, "open_longer", 5.0),
        finding("E02", 2, "close"),
        finding("E03", 3, "move", 1.0),
        finding("E04", 4, "keep"),
    )
    fates = {
        "E01": Fate("close", None),
        "E02": Fate("stay", None),
        "E03": Fate("stay", "Mo-Su 08:00-22:00"),
        "E04": Fate("move", None, "S02", (3.0, 4.0)),
    }
    told = {one.site_id: one for one in follow_plan(findings, fates, free=True)}
    assert {key: one.action for key, one in told.items()} == {
        "E01": "close", "E02": "keep", "E03": "open_longer", "E04": "move"
    }  # fmt: skip
    assert told["E03"].better_hours == "Mo-Su 08:00-22:00"
    assert told["E04"].move_to == (3.0, 4.0)
    assert told["E04"].reason == ("plan_move", (("to", "S02"),))
    assert all(one.gain_rest_hours_a_day is None for one in told.values())
    assert sorted(one.rank for one in told.values()) == [1, 2, 3, 4]


def test_a_plan_that_keeps_all_leaves_the_advice_but_for_hours() -> None:
    findings = (finding("E01", 1, "close"), finding("E02", 2, "keep"))
    stay = {"E01": Fate("stay", None), "E02": Fate("stay", None)}
    assert follow_plan(findings, stay, free=False) == findings
    longer = {**stay, "E02": Fate("stay", "24/7")}
    told = {one.site_id: one.action for one in follow_plan(findings, longer, free=False)}
    assert told == {"E01": "close", "E02": "open_longer"}


def test_a_station_shut_on_holidays_is_shut_in_a_study_of_holidays() -> None:
    rests = demand_of([12, 12])
    hours, within = ["Mo-Su 08:00-18:00; PH off"], [[1, 1]]
    golden_week = dataclasses.replace(rests, days=("2025-10-01",))
    on_holiday, usual = (audit(demand, hours, within, [[0, 0]])["E01"] for demand in (golden_week, rests))
    assert (on_holiday.action, usual.action) == ("open_longer", "keep")
    assert (any(on_holiday.open_by_hour), usual.open_by_hour[12]) == (False, True)


def test_check_ins_speak_for_a_station_that_the_traces_do_not_see() -> None:
    """The traces are of one platform; ten check-ins a day say that others rest there."""
    for a_day, wanted in ((None, "close"), (9.9, "close"), (12.4, "keep")):
        findings = audit(
            demand_of([12] * 4), ["8:00-18:00"], [[0] * 4], [[1] * 4], new=(0,), check_ins=[a_day]
        )
        assert findings["E01"].action == wanted
        assert findings["E01"].check_ins_a_day == a_day
    assert findings["E01"].reason == ("audit_used", (("visits", "12"),))


def test_of_twins_the_one_with_fewer_check_ins_merges() -> None:
    """Without them E01 would: it reaches less."""
    demand, within = demand_of([12] * 8), [[1] * 7 + [0], [1] * 8]
    plain = audit(demand, ["8:00-18:00"] * 2, within, [[0] * 8])
    assert (plain["E01"].action, plain["E02"].action) == ("merge", "keep")
    told = audit(demand, ["8:00-18:00"] * 2, within, [[0] * 8], check_ins=[30.0, 4.0])
    assert (told["E01"].action, told["E02"].action) == ("keep", "merge")
