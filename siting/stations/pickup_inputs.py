"""What pick-up points are chosen from, and by what rules: deliveries, waits at gates, compounds, ways."""

import dataclasses

import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import InputError
from siting.travel_times import Ways

__all__ = ["CompoundMap", "DropOffs", "GateWaits", "PickupRules", "RiderWays"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class PickupRules:
    """What a pick-up point must satisfy.

    Attributes
    ----------
    most : points to suggest, 0-1000
    walk_m : longest walk of a resident one way, 20-1000 m
    handover_s : seconds a rider needs at a pick-up point, 5-600
    near_m : drop-offs closer than this belong to one tower, 5-200 m
    least_a_day : fewest drop-offs a day that are worth a point, 0-10000
    locker_from : drop-offs a day from which a locker is suggested, 1-10000
    """

    most: int = 20
    walk_m: float = 250.0
    handover_s: float = 45.0
    near_m: float = 25.0
    least_a_day: float = 2.0
    locker_from: float = 30.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("most", 0, 1000),
            ("walk_m", 20, 1000),
            ("handover_s", 5, 600),
            ("near_m", 5, 200),
            ("least_a_day", 0, 10_000),
            ("locker_from", 1, 10_000),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"pick-up {name} is {value}, it must lie in {low}-{high}.")


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class DropOffs:
    """Stays at doors: columns of equal length."""

    lonlat: FloatArray
    rider: IntArray
    start_s: IntArray
    stay_s: FloatArray
    before: FloatArray
    """(d, 2) where the rider stopped before (not at a gate, not in traffic), NaN where that is not known."""
    after: FloatArray
    """(d, 2) where the rider stopped next, NaN where that is not known."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class GateWaits:
    """Stays at gates: columns of equal length."""

    lonlat: FloatArray
    rider: IntArray
    start_s: IntArray
    stay_s: FloatArray


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class CompoundMap:
    """What the map knows of compounds."""

    compounds: tuple[tuple[str, shapely.Geometry], ...]
    """(name, outline) of each compound, as numbered by ``ways.compound_of``."""
    gates_lonlat: FloatArray
    """(g, 2) gates, degrees."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class RiderWays:
    """How riders get about."""

    mode: str
    ways: Ways
    free_ways: Ways
    """The same without any delay at gates: the waits there are observed, not assumed."""
