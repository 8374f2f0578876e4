"""Flows per street and hour: counted like a slow loop would."""

from collections import defaultdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.mapmatch.flows import street_flows
from geo.mapmatch.matcher import Matched


def matched_of(rows: list[tuple[int, int, int, bool]]) -> Matched:
    """Build a result from (rider, directed edge, epoch second, wrong way), one piece a row."""
    rows = sorted(rows)
    n = len(rows)
    table = np.array([row[:3] for row in rows], np.int64).reshape(-1, 3)
    return Matched(
        directed=np.empty(0, np.int32),
        offset_m=np.empty(0),
        away_m=np.empty(0),
        piece_ptr=np.arange(n + 1, dtype=np.int64),
        piece_rider=table[:, 0].astype(np.int32),
        piece_end_s=table[:, 2].astype(np.float64),
        path=table[:, 1].astype(np.int32),
        enter_s=table[:, 2].astype(np.float64),
        span_m=np.zeros((n, 2)),
        wrong_way=np.array([row[3] for row in rows], np.bool_),
        sigma_m=np.empty(0),
    )


passages = st.tuples(
    st.integers(0, 4), st.integers(0, 6), st.integers(1_774_000_000, 1_776_000_000), st.booleans()
)


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(passages, max_size=40),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Helsinki", "Asia/Kolkata"]),
)
def test_flows_are_what_a_loop_counts(rows: list[tuple[int, int, int, bool]], zone: str) -> None:
    counts: dict[tuple[int, int], int] = defaultdict(int)
    wrong: dict[tuple[int, int], int] = defaultdict(int)
    riders: dict[tuple[int, int], set[int]] = defaultdict(set)
    for rider, directed, t_s, against in rows:
        cell = (directed, datetime.fromtimestamp(t_s, UTC).astimezone(ZoneInfo(zone)).hour)
        counts[cell] += 1
        wrong[cell] += against
        riders[cell].add(rider)
    flows = street_flows(matched_of(rows), zone)
    cells = list(zip(flows.directed.tolist(), flows.hour.tolist(), strict=True))
    assert cells == sorted(counts)
    assert flows.passages.tolist() == [counts[c] for c in cells]
    assert flows.riders.tolist() == [len(riders[c]) for c in cells]
    assert flows.wrong_way.tolist() == [wrong[c] for c in cells]
