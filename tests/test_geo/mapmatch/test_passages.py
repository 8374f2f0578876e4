"""Passages of all riders are those of each rider matched alone."""

import numpy as np
import pytest
from ascii_map import ascii_map

from geo.mapmatch import MatchOptions, traversals
from geo.mapmatch.flows import STEPS
from geo.mapmatch.matcher import Matcher
from geo.traces.points import Traces

TOWN = ascii_map(
    """
    A---B---C
    |   |   |
    D---E---F
    """,
    {"ABC": {}, "DEF": {}, "AD": {}, "BE": {}, "CF": {}},
)


def _traces(riders: int) -> Traces:
    """Each rider goes A-B-E-F or back, one point every 10 s, each on another day."""
    there = TOWN.lonlat(["A", "AB", "B", "BE", "E", "EF", "F"])
    size = riders * len(there)
    lonlat = np.array([there if n % 2 == 0 else there[::-1] for n in range(riders)]).reshape(-1, 2)
    rider = np.repeat(np.arange(riders, dtype=np.int32), len(there))
    return Traces(
        rider=rider,
        t_s=1_774_000_000 + 86_400 * rider.astype(np.int64) + 10 * (np.arange(size) % len(there)),
        lonlat=lonlat,
        rider_ptr=len(there) * np.arange(riders + 1, dtype=np.int64),
        pseudonyms=tuple(f"{n:03d}" for n in range(riders)),
        platform=np.zeros(size, np.int16),
        platforms=("blue",),
        event=np.zeros(size, np.int16),
    )


@pytest.mark.parametrize("riders", [0, 1, 3, STEPS + 5])
def test_passages_are_those_of_each_rider_alone(riders: int) -> None:
    network, traces = TOWN.network(), _traces(riders)
    seen: list[tuple[int, int]] = []
    ridden = traversals(
        network, traces, MatchOptions(sigma_m=5.0), lambda done, total: seen.append((done, total))
    )
    found = ridden.passages()
    rows = []
    for n in range(riders):
        part = slice(int(traces.rider_ptr[n]), int(traces.rider_ptr[n + 1]))
        alone = Matcher(network, MatchOptions(sigma_m=5.0)).match(
            np.array([0, part.stop - part.start]), traces.t_s[part], traces.lonlat[part]
        )
        assert len(alone.path) >= 3
        rows += [(int(p) >> 1, n, int(t)) for p, t in zip(alone.path, alone.enter_s, strict=True)]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == rows
    assert not seen or seen[-1] == (riders, riders)


def test_whole_streets_take_the_time_between_their_ends() -> None:
    network, traces = TOWN.network(), _traces(4)
    ridden = traversals(network, traces, MatchOptions(sigma_m=5.0))
    again = np.flatnonzero(ridden.piece[1:] == ridden.piece[:-1])
    assert (ridden.leave_s[again] == ridden.enter_s[again + 1]).all()
    # A-B-E-F or back: the first and the last street begin and end at a junction here, the middle one always.
    middle = ridden.whole & (ridden.leave_s - ridden.enter_s > 0)
    assert middle.sum() >= 4
    assert ridden.leave_s[middle] - ridden.enter_s[middle] == pytest.approx(20.0, abs=4.0)
