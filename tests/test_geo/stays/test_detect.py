"""Stay points against a slow plain reference, and against gaps, drift and the end of a trace; due breaks."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_traces import T0, ride, stand, traces_of
from trace_parts import concat_stays, riders_of

from geo.earth import DEGREE_M
from geo.errors import InputError
from geo.stays import KINDS, DueBreaks, StayPoints, due_breaks, find_stay_points, silent_stays
from geo.stays.signs import CLOSES, DELIVERED, OPENS, PICKED, SHIFT, SILENT, TALKS
from geo.traces.read import Traces


def plain(rows: list[tuple[int, float, float]], radius: float, least: int, gap: int) -> list[tuple[int, int]]:
    """Write down the rules of `geo.stays.detect` word by word."""
    stays, i = [], 0
    while i < len(rows) - 1:
        inside, end, j = [i], i, i + 1
        while j < len(rows) and rows[j][0] - rows[j - 1][0] <= gap:
            anchor = np.mean([[rows[k][1] - rows[i][1], rows[k][2] - rows[i][2]] for k in inside[:8]], axis=0)
            away = np.hypot(rows[j][1] - rows[i][1] - anchor[0], rows[j][2] - rows[i][2] - anchor[1])
            if away <= radius:
                inside.append(j)
                end = j
            elif len(inside) < 3 or j - end > 3 or rows[j][0] - rows[end][0] > 120:
                break
            j += 1
        middle = np.mean([rows[k][1:] for k in inside], axis=0)
        core = [k for k in range(i, end + 1) if np.hypot(*(rows[k][1:] - middle)) <= 0.6 * radius]
        if core and rows[core[-1]][0] - rows[core[0]][0] >= least:
            stays.append((rows[core[0]][0], rows[core[-1]][0]))
            i = end + 1
        else:
            i += 1
    return stays


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(1, 90), st.integers(-50, 50), st.integers(-50, 50)), min_size=2, max_size=60
    ),
    radius=st.integers(20, 80),
    least=st.integers(20, 300),
    gap=st.integers(30, 100),
)
def test_the_kernel_does_what_the_rules_say(
    steps: list[tuple[int, int, int]], radius: int, least: int, gap: int
) -> None:
    rows, t, x, y = [], 0, 0.0, 0.0
    for dt, dx, dy in steps:
        # Odd offsets keep every distance off the limit itself.
        t, x, y = t + dt, x + dx + 0.123, y + dy + 0.077
        rows.append((t, x, y))
    stays = find_stay_points(traces_of(rows), radius + 0.5, least, gap, max_silence_s=0, joined=False)
    expected = plain(rows, radius + 0.5, least, gap)
    assert [
        (a - T0, b - T0) for a, b in zip(stays.start_s.tolist(), stays.end_s.tolist(), strict=True)
    ] == expected
    assert (stays.start_s[1:] > stays.end_s[:-1]).all()
    assert (stays.duration_s >= least).all()


def test_a_stop_between_two_rides() -> None:
    rows = ride(0, 300, 0) + stand(310, 910, 1800) + ride(920, 1200, 1860)
    stays = find_stay_points(traces_of(rows))
    assert len(stays) == 1
    assert abs(stays.start_s[0] - T0 - 310) <= 10
    assert abs(stays.end_s[0] - T0 - 910) <= 10
    assert abs(stays.lonlat[0, 0] * DEGREE_M - 1800) < 5


def test_the_last_stay_counts() -> None:
    stays = find_stay_points(traces_of(ride(0, 300, 0) + stand(310, 910, 1800)))
    assert stays.end_s.tolist() == [T0 + 910]
    assert stays.signs[0] & CLOSES


def test_drift_indoors_does_not_cut_a_stay() -> None:
    rows = stand(0, 1200)
    for k in (30, 31, 32, 70):
        rows[k] = (rows[k][0], 140.0, 60.0)
    stays = find_stay_points(traces_of(rows))
    assert stays.duration_s.tolist() == [1200]
    assert np.hypot(*stays.lonlat[0]) * DEGREE_M < 1.0, "points that drifted off do not move the place"


def test_gaps_join_what_is_at_one_place_up_to_the_limit() -> None:
    asleep = stand(0, 300) + stand(1100, 1400)
    assert find_stay_points(traces_of(asleep)).duration_s.tolist() == [1400]
    assert find_stay_points(traces_of(asleep), max_gap_s=600, max_silence_s=0).duration_s.tolist() == [
        300,
        300,
    ]
    elsewhere = stand(0, 300) + stand(1100, 1400, 500)
    assert find_stay_points(traces_of(elsewhere)).duration_s.tolist() == [300, 300]
    assert len(find_stay_points(traces_of([(0, 0.0, 0.0)]))) == 0, "one point is no stay"
    assert len(find_stay_points(traces_of([(0, 0.0, 0.0)], []))) == 0


def test_signs_of_sessions_and_orders() -> None:
    day = (
        stand(0, 600)
        + ride(610, 900, 60)
        + stand(910, 1300, 1900)
        + ride(1310, 1500, 1960)
        + stand(1510, 1800, 3200)
    )
    rows = {t: k for k, (t, _, _) in enumerate(day)}
    words = {rows[610]: "online", rows[920]: "arrived", rows[1310]: "picked_up", rows[1800]: "delivered"}
    home, shop, door = find_stay_points(traces_of(day, events=words)).signs.tolist()
    assert home == OPENS | SHIFT | TALKS
    assert shop == PICKED | TALKS
    assert door == DELIVERED | CLOSES | TALKS
    silent = find_stay_points(traces_of(day)).signs.tolist()
    assert silent == [OPENS, 0, CLOSES]


def test_joining_stays_of_parts() -> None:
    riders = [stand(0, 600, 10.0 * k) for k in range(5)]
    whole = traces_of(*riders)
    parts = [find_stay_points(riders_of(whole, [k])) for k in (3, 0)] + [
        find_stay_points(riders_of(whole, [1, 2, 4]))
    ]
    joined, expected = concat_stays(parts), find_stay_points(whole)
    for column in ("rider", "start_s", "end_s", "lonlat", "n_points", "kind", "signs", "pseudonyms"):
        np.testing.assert_array_equal(getattr(joined, column), getattr(expected, column))
    with pytest.raises(InputError, match="different riders"):
        concat_stays([parts[0], parts[0]])


@pytest.mark.parametrize(
    "bad", [{"radius_m": 1}, {"min_stay_s": 0}, {"max_gap_s": 10**6}, {"max_silence_s": 10**6}]
)
def test_parameters_out_of_range_are_named(bad: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(bad))} is .* must lie within"):
        find_stay_points(traces_of(stand(0, 100)), **bad)


def with_kinds(traces: Traces, *kinds: str) -> StayPoints:
    stays = find_stay_points(traces)
    assert len(stays) == len(kinds)
    return replace(stays, kind=np.array([KINDS.index(kind) for kind in kinds], np.int8))


def due(traces: Traces, *kinds: str) -> DueBreaks:
    return due_breaks(traces, with_kinds(traces, *kinds), "Asia/Shanghai")


def test_a_break_falls_due_after_four_hours_on_the_way() -> None:
    work = ride(0, 5 * 3600, 0.0, step=60)
    breaks = due(traces_of(work))
    assert breaks.t_s.tolist() == [T0 + 4 * 3600]
    np.testing.assert_allclose(breaks.lonlat[0] * DEGREE_M, (6.0 * 4 * 3600, 0.0), atol=0.1)
    assert breaks.worked_s.tolist() == [4 * 3600]


def test_the_order_in_hand_is_brought_first() -> None:
    work = (
        ride(0, 14_700, 0.0, step=60)
        + stand(14_760, 15_000, 88_500, step=60)
        + ride(15_060, 18_000, 88_900, step=60)
    )
    assert due(traces_of(work), "dropoff").t_s.tolist() == [T0 + 15_000]
    assert due(traces_of(work), "traffic").t_s.tolist() == [T0 + 4 * 3600]


def test_breaks_and_silence_start_the_count_anew() -> None:
    half = ride(0, 3 * 3600, 0.0, step=60)
    rest = stand(10_860, 12_120, 64_900, step=60)
    more = ride(12_180, 12_180 + 3 * 3600, 65_300, step=60)
    assert len(due(traces_of(half + rest + more), "rest")) == 0
    assert len(due(traces_of(half + rest + more), "pickup")) == 1, "waiting for food is work"
    assert len(due(traces_of(half + more), *[])) == 0, "twenty silent minutes are a break"


def test_who_works_on_is_due_again() -> None:
    breaks = due(traces_of(ride(0, 9 * 3600, 0.0, step=60)))
    assert breaks.t_s.tolist() == [T0 + 4 * 3600, T0 + 8 * 3600 + 20 * 60]


def test_breaks_need_classified_stays_of_the_same_riders() -> None:
    traces = traces_of(stand(0, 600))
    with pytest.raises(InputError, match="must be classified"):
        due_breaks(traces, find_stay_points(traces), "Asia/Shanghai")
    with pytest.raises(InputError, match="same riders"):
        due_breaks(traces_of(stand(0, 600), stand(0, 600)), with_kinds(traces, "rest"), "Asia/Shanghai")
    with pytest.raises(InputError, match=r"time zone .* is not known"):
        due_breaks(traces, with_kinds(traces, "rest"), "Asia/Atlantis")


@settings(max_examples=40, deadline=None)
@given(blocks=st.lists(st.tuples(st.integers(5, 620), st.integers(21, 90)), min_size=1, max_size=6))
def test_every_block_of_work_is_counted_by_itself(blocks: list[tuple[int, int]]) -> None:
    """Blocks of work (minutes) with rests between: due after 240 min, and again 260 min later."""
    rows: list[tuple[int, float, float]] = []
    t, x = 0, 0.0
    expected = []
    for work, rest in blocks:
        start = t
        rows += [(t + 60 * k, x + 360.0 * k, 0.0) for k in range(work)]
        t, x = t + 60 * work, x + 360.0 * work
        expected += [start + 60 * due for due in range(240, work, 260)]
        rows += [(t + 60 * k, x, 0.0) for k in range(rest + 1)]
        # The rest ends with its last point; work begins there.
        t += 60 * rest
        rows.pop()
    rows.append((t, x, 0.0))
    traces = traces_of(rows)
    found = find_stay_points(traces, radius_m=30.0, min_stay_s=900)
    rests = replace(found, kind=np.zeros(len(found), np.int8))
    breaks = due_breaks(traces, rests, "Asia/Shanghai")
    assert len(found) == len(blocks)
    assert np.abs(breaks.t_s - T0 - np.array(expected, np.int64)).max(initial=0) <= 60
    assert len(breaks) == len(expected)
    assert (breaks.worked_s >= 4 * 3600).all()


def moved(rows: list[tuple[int, float, float]], x: float) -> list[tuple[int, float, float]]:
    return [(t, x + a, b) for t, a, b in rows]


def test_a_silence_at_one_place_is_a_stay_with_its_own_evidence() -> None:
    came, went = ride(0, 300, -1800.0), ride(2700, 3000, 40.0)
    (stay,) = range(len(find_stay_points(traces_of(came + went))))
    stays = find_stay_points(traces_of(came + went))
    assert stays.start_s.tolist() == [T0 + 300]
    assert stays.end_s.tolist() == [T0 + 2700]
    assert stays.signs[stay] & SILENT
    assert stays.n_points.tolist() == [2]
    assert abs(stays.lonlat[0, 0] * DEGREE_M - 20.0) < 1
    assert len(find_stay_points(traces_of(came + went), max_silence_s=2399)) == 0
    assert len(find_stay_points(traces_of(came + moved(went, 70.0)))) == 0, "110 m on: they may have ridden"
    seen = find_stay_points(traces_of(stand(0, 600)))
    assert not (seen.signs & SILENT).any()


def test_stays_beside_a_silence_are_one_stay_with_it() -> None:
    rows = stand(0, 300) + stand(2000, 2300, 30.0) + stand(4000, 4300, 20.0) + ride(4310, 4600, 60.0)
    stays = find_stay_points(traces_of(rows))
    assert stays.duration_s.tolist() == [4300]
    assert stays.signs[0] & SILENT
    long_away = stand(0, 300) + stand(300 + 7201, 300 + 7600)
    apart = find_stay_points(traces_of(long_away))
    assert apart.duration_s.tolist() == [300, 390]
    assert not (apart.signs & SILENT).any()
    longer = find_stay_points(traces_of(long_away), max_silence_s=8000)
    assert len(longer) == 1
    two = find_stay_points(traces_of(stand(0, 300), stand(2000, 2300)))
    assert two.duration_s.tolist() == [300, 300], "a silence between two riders is none"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([10, 60, 1000, 3000, 9000]), st.integers(-60, 60)), min_size=1, max_size=40
    )
)
def test_with_silences_stays_never_overlap(steps: list[tuple[int, int]]) -> None:
    t, x, rows = 0, 0.0, [(0, 0.0, 0.0)]
    for dt, dx in steps:
        t, x = t + dt, x + dx
        rows.append((t, x, 0.0))
    stays = find_stay_points(traces_of(rows, rows))
    plain_ones = find_stay_points(traces_of(rows, rows), max_silence_s=0)
    same = stays.rider[1:] == stays.rider[:-1]
    assert (stays.start_s[1:][same] >= stays.end_s[:-1][same]).all()
    assert stays.duration_s.sum() >= plain_ones.duration_s.sum()
    silent = (stays.signs & SILENT) > 0
    long = np.diff([row[0] for row in rows])
    if not ((long > 900) & (long <= 7200) & (np.abs(np.diff([row[1] for row in rows])) <= 100)).any():
        assert not silent.any()


def test_a_phone_that_reports_at_rest_and_then_no_more_was_switched_off() -> None:
    rows = stand(0, 3000) + ride(3010, 3300, 60.0) + moved(stand(3310, 3600), 1800.0)
    rows += moved(stand(5600, 5900), 1800.0)
    stays = find_stay_points(traces_of(rows))
    assert stays.duration_s.tolist() == [3000, 300, 300]
    assert not (stays.signs & SILENT).any()
    asleep = [row for row in rows if row[0] % 600 < 60 or 3010 <= row[0] <= 3300 or row[0] > 5850]
    assert (find_stay_points(traces_of(asleep)).signs & SILENT).any(), "the same day of a phone that sleeps"


def test_stays_that_rest_on_silence_are_named() -> None:
    rows = ride(0, 300, -1800.0) + ride(2700, 3000, 40.0)
    found = find_stay_points(traces_of(*[rows] * 4, *[stand(0, 800)] * 3))
    assert found.duration_s[silent_stays(found)].tolist() == [2400] * 4
    assert found.duration_s[~silent_stays(found)].tolist() == [800] * 3
