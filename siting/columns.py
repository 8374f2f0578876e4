"""Columns that a study takes from outside: stays, due breaks, passing flows and unit grids."""

import dataclasses
from typing import Protocol

import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import InputError

__all__ = ["DueBreakColumns", "GridColumns", "PassingFlows", "StayColumns"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class StayColumns(Protocol):
    """Classified stay points, as `geo.staypoints.StayPoints` has them."""

    @property
    def rider(self) -> npt.NDArray[np.integer]: ...  # noqa: D102
    @property
    def start_s(self) -> npt.NDArray[np.number]: ...  # noqa: D102
    @property
    def end_s(self) -> npt.NDArray[np.number]: ...  # noqa: D102
    @property
    def lonlat(self) -> FloatArray: ...  # noqa: D102
    @property
    def kind(self) -> npt.NDArray[np.integer]: ...  # noqa: D102


class DueBreakColumns(Protocol):
    """Where riders are when a break falls due, as `geo.staypoints.DueBreaks` has them."""

    @property
    def rider(self) -> npt.NDArray[np.integer]: ...  # noqa: D102
    @property
    def t_s(self) -> npt.NDArray[np.number]: ...  # noqa: D102
    @property
    def lonlat(self) -> FloatArray: ...  # noqa: D102


class GridColumns(Protocol):
    """Unit grids, as `geo.grids.UnitGrids` has them."""

    @property
    def codes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def polygons(self) -> tuple[shapely.Geometry, ...]: ...  # noqa: D102


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class PassingFlows:
    """Riders passing along streets, from matched paths: columns, one row a (rider, street edge, time).

    ``edge`` (f,) of the street network, ``rider`` (f,), ``t_s`` (f,) epoch seconds of entering it.
    """

    edge: IntArray
    rider: IntArray
    t_s: IntArray

    def __post_init__(self) -> None:
        if not len(self.edge) == len(self.rider) == len(self.t_s):
            raise InputError("passing flows: the columns do not have the same length.")
