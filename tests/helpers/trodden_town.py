"""Riders of a drawn town, matched by hand: each rides some nodes, waits at some, and halts at the end."""

import dataclasses

import numpy as np
from ascii_map import AsciiMap

from geo.inner_ways import Trodden
from geo.mapmatch import traversals
from geo.stays import KINDS, StayPoints
from geo.streets import StreetNetwork
from geo.traces import Traces

__all__ = ["Ride", "trodden_town"]

MONDAY_8 = 1_772_409_600
"""Monday 2 March 2026, 8:00 in Shanghai."""
MPS = 4.0


@dataclasses.dataclass(frozen=True)
class Ride:
    """One ride: whose, when, past which letters (or places), and the seconds waited at some of them."""

    rider: int
    start_s: int
    way: str
    waits: dict[str, float] = dataclasses.field(default_factory=dict)
    halts: bool = True


def trodden_town(town: AsciiMap, network: StreetNetwork, rides: list[Ride], seed: int = 1) -> Trodden:
    """Return what phones say of the rides, every 10 s with 3 m of noise, matched to the streets."""
    rng = np.random.default_rng(seed)
    rides = sorted(rides, key=lambda ride: (ride.rider, ride.start_s))
    rows: list[tuple[int, int, float, float]] = []
    halts: list[tuple[int, int, int, float, float]] = []
    for ride in rides:
        xy = network.project(np.array([town.letters[letter] for letter in ride.way]))
        t, at = [float(ride.start_s)], [xy[0]]
        for number, letter in enumerate(ride.way):
            if number:
                t.append(t[-1] + float(np.hypot(*(xy[number] - xy[number - 1]))) / MPS)
                at.append(xy[number])
            if letter in ride.waits:
                t.append(t[-1] + ride.waits[letter])
                at.append(xy[number])
        times = np.arange(ride.start_s, int(t[-1]) + 10, 10)
        places = np.column_stack([np.interp(times, t, np.array(at)[:, axis]) for axis in (0, 1)])
        places += rng.normal(0.0, 3.0, places.shape)
        rows += [(ride.rider, int(s), x, y) for s, (x, y) in zip(times, places, strict=True)]
        if ride.halts:
            # Who halts stands a minute before setting out, and four where they arrive.
            stands = ((ride.start_s - 60, ride.start_s, xy[0]), (int(t[-1]), int(t[-1]) + 240, xy[-1]))
            for begins, ends, place in stands:
                halts.append((ride.rider, begins, ends, *network.unproject(place)))
    rider, t_s, x, y = (np.array(column) for column in zip(*rows, strict=True))
    riders = int(rider.max()) + 1
    traces = Traces(
        rider=rider.astype(np.int32),
        t_s=t_s.astype(np.int64),
        lonlat=network.unproject(np.column_stack([x, y])),
        rider_ptr=np.searchsorted(rider, np.arange(riders + 1)).astype(np.int64),
        pseudonyms=tuple(f"{number:03d}" for number in range(riders)),
        platform=np.zeros(len(t_s), np.int16),
        platforms=("blue",),
        event=np.zeros(len(t_s), np.int16),
    )
    who, begin, end, lon, lat = (
        np.array(column) for column in zip(*(halts or [(0, 0, 0, 0.0, 0.0)]), strict=True)
    )
    count = len(halts)
    stays = StayPoints(
        who[:count].astype(np.int32),
        begin[:count].astype(np.int64),
        end[:count].astype(np.int64),
        np.column_stack([lon, lat])[:count],
        np.full(count, 5, np.int32),
        np.full(count, KINDS.index("dropoff"), np.int8),
        np.zeros(count, np.uint8),
        traces.pseudonyms,
    )
    return Trodden(network, "ebike", traces, traversals(network, traces), stays, "Asia/Shanghai")
