"""What pick-up points would truly have saved a synthetic fleet, from the truth that it keeps.

For each delivery that a point takes over: the wait at gates on the ride to the door, the time at the door
beyond a handover, and the detour of the ride over the door instead of over the point, by the travel times of
the network without any gate delay (the true wait is counted instead).
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from geo.stays import KINDS
from geo.streets.network import StreetNetwork
from geo.synthetic.made_fleet import SyntheticFleet
from geo.travel.times import travel_times_s

__all__ = ["Deliveries", "deliveries_of", "saved_s"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
DROPOFF, GATE, TRAFFIC = (KINDS.index(kind) for kind in ("dropoff", "gate", "traffic"))


@dataclasses.dataclass(frozen=True, eq=False)
class Deliveries:
    """True deliveries, one row each: door, the visits before and after, and the gates on the ride there."""

    lonlat: FloatArray
    rider: IntArray
    start_s: FloatArray
    stay_s: FloatArray
    before: FloatArray
    after: FloatArray
    gate_s: FloatArray
    gate: FloatArray
    """(d, 2) the last gate waited at on the ride, NaN for none."""


def deliveries_of(fleet: SyntheticFleet) -> Deliveries:
    """Read the deliveries and their gates off the true stays."""
    stays = fleet.stays
    visit = ~np.isin(stays.kind, (GATE, TRAFFIC))
    number: IntArray = np.cumsum(visit) - visit  # visits before each row: a gate belongs to the next visit
    rows = np.flatnonzero(visit)
    gates = np.flatnonzero(stays.kind == GATE)
    wait = np.bincount(number[gates], (stays.end_s - stays.start_s)[gates], minlength=len(rows))
    gate = np.full((len(rows), 2), np.nan)
    gate[number[gates]] = stays.lonlat[gates]
    drops = np.flatnonzero(stays.kind[rows] == DROPOFF)
    # a delivery at the end of the data, or of a rider, has no visit after it
    drops = drops[(drops > 0) & (drops < len(rows) - 1)]
    drops = drops[
        (stays.rider[rows[drops - 1]] == stays.rider[rows[drops]])
        & (stays.rider[rows[drops + 1]] == stays.rider[rows[drops]])
    ]
    at = rows[drops]
    return Deliveries(
        lonlat=stays.lonlat[at],
        rider=stays.rider[at].astype(np.int64),
        start_s=stays.start_s[at],
        stay_s=(stays.end_s - stays.start_s)[at],
        before=stays.lonlat[rows[drops - 1]],
        after=stays.lonlat[rows[drops + 1]],
        gate_s=wait[drops],
        gate=gate[drops],
    )


def saved_s(
    network: StreetNetwork,
    mode: str,
    deliveries: Deliveries,
    rows: IntArray,
    point: tuple[float, float],
    handover_s: float,
) -> FloatArray:
    """Return the seconds that each of `rows` would have saved by handing over at `point`."""
    snap = [
        network.snap(places, mode, 150.0)
        for places in (deliveries.before[rows], deliveries.lonlat[rows], deliveries.after[rows])
    ]
    at = network.snap(np.array([point]), mode, 150.0)
    by_door = np.array(
        [
            sum(
                travel_times_s(network, mode, a.take(row), b.take(row), 7200.0)[0, 0]
                for a, b in ((snap[0], snap[1]), (snap[1], snap[2]))
            )
            for row in np.arange(len(rows)).reshape(-1, 1)
        ]
    )
    by_point = travel_times_s(network, mode, snap[0], at, 7200.0)[:, 0]
    from_point = travel_times_s(network, mode, at, snap[2], 7200.0)[0]
    # the stay begins and ends at the kerb, so the walk to the door is in the stay and not in the ride
    walk = 2 * snap[1].walk_ms / 1000.0
    ride = by_door - walk - by_point - from_point
    stay = deliveries.stay_s[rows] - handover_s
    return np.asarray(deliveries.gate_s[rows] + stay + ride)
