"""What siting asks of the streets: times between places, streets that riders may use, ways and reach.

`Ways` is the seam: `StreetWays` answers from a street network, a test answers from straight lines.
"""

import dataclasses
from typing import Protocol

import numpy as np
import numpy.typing as npt
import shapely

from geo.streets import Snapped, StreetNetwork, mode_bit
from geo.travel import BESIDE_M, find_path, part_lines, reached_parts, travel_times_s

__all__ = ["StreetWays", "Ways"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Ring = tuple[tuple[float, float], ...]
Parts = tuple[IntArray, FloatArray, FloatArray]

_NO_PARTS: Parts = (np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))


class Ways(Protocol):
    """Times and ways between places given as (n, 2) lon/lat degrees, WGS-84."""

    def project(self, lonlat: FloatArray) -> FloatArray:
        """Return (n, 2) local metres."""
        ...

    def unproject(self, xy_m: FloatArray) -> FloatArray:
        """Return (n, 2) degrees."""
        ...

    def seconds(self, mode: str, sources: FloatArray, targets: FloatArray, limit_s: float) -> FloatArray:
        """Return (s, t) seconds, both walks included, inf beyond the limit."""
        ...

    def public(self, mode: str, lonlat: FloatArray, walk_m: float) -> BoolArray:
        """Return (n,) whether a street that anybody may use is within the walk."""
        ...

    def compound_of(self, lonlat: FloatArray) -> IntArray:
        """Return (n,) the compound each place lies in, -1 for none."""
        ...

    def route(self, mode: str, source: tuple[float, float], target: tuple[float, float]) -> Ring:
        """Return the fastest way as (lon, lat) points, empty when there is none."""
        ...

    def street(self, lonlat: FloatArray) -> tuple[str, ...]:
        """Return the name of the nearest street of each place, empty where it has none."""
        ...

    def kerb(self, mode: str, lonlat: FloatArray) -> FloatArray:
        """Return (n, 2) the nearest places on a street, degrees."""
        ...

    def public_kerb(self, mode: str, lonlat: FloatArray, walk_m: float) -> FloatArray:
        """Return (n, 2) the nearest places on streets that anybody may use and reach, NaN where too far."""
        ...

    def walk_s(self, mode: str, lonlat: FloatArray) -> FloatArray:
        """Return (n,) seconds of the walk between each place and its street, a part of `seconds`."""
        ...

    def reach(self, mode: str, lonlat: FloatArray, limits_s: tuple[int, ...]) -> list[list[tuple[Ring, ...]]]:
        """Return for each place and limit the outer rings of the area from where it is reached."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class StreetWays:
    """Answers from a street network; places farther than ``walk_m`` from any street are out of reach."""

    network: StreetNetwork
    walk_m: float = 150.0

    def project(self, lonlat: FloatArray) -> FloatArray:
        """Return (n, 2) local metres."""
        return self.network.project(lonlat)

    def unproject(self, xy_m: FloatArray) -> FloatArray:
        """Return (n, 2) degrees."""
        return self.network.unproject(xy_m)

    def seconds(self, mode: str, sources: FloatArray, targets: FloatArray, limit_s: float) -> FloatArray:
        """Return (s, t) seconds, both walks included, inf beyond the limit."""
        a, b = (self.network.snap(points, mode, self.walk_m) for points in (sources, targets))
        return travel_times_s(self.network, mode, a, b, limit_s)

    def public(self, mode: str, lonlat: FloatArray, walk_m: float) -> BoolArray:
        """Return (n,) whether a street that anybody may use is within the walk."""
        snapped = self.network.snap(lonlat, mode, walk_m)
        private = self.network.edge_private[np.maximum(snapped.edge, 0)] & mode_bit(mode) != 0
        return np.asarray(snapped.ok & ~private)

    def compound_of(self, lonlat: FloatArray) -> IntArray:
        """Return (n,) the compound each place lies in, -1 for none."""
        return self.network.compound_of(lonlat).astype(np.int64)

    def route(self, mode: str, source: tuple[float, float], target: tuple[float, float]) -> Ring:
        """Return the fastest way as (lon, lat) points, empty when there is none."""
        a, b = (self._one(mode, point) for point in (source, target))
        path = find_path(self.network, mode, a, b)
        return () if path is None else tuple((float(x), float(y)) for x, y in path.lonlat)

    def street(self, lonlat: FloatArray) -> tuple[str, ...]:
        """Return the name of the nearest street of each place, empty where it has none."""
        snapped = self.network.snap(lonlat, "foot", self.walk_m)
        names = self.network.edge_name[np.maximum(snapped.edge, 0)]
        known = snapped.ok & (names >= 0)
        return tuple(
            self.network.names[name] if ok else ""
            for name, ok in zip(names.tolist(), known.tolist(), strict=True)
        )

    def kerb(self, mode: str, lonlat: FloatArray) -> FloatArray:
        """Return (n, 2) the nearest places on a street, degrees."""
        return self.network.snap(lonlat, mode, self.walk_m).lonlat

    def public_kerb(self, mode: str, lonlat: FloatArray, walk_m: float) -> FloatArray:
        """Return (n, 2) the nearest places on streets that anybody may use and reach, NaN where too far.

        Streets of the largest connected part only: nobody rides to a part that is cut off.
        """
        open_edges = (self.network.edge_private & mode_bit(mode) == 0) & (self.network.components(mode) == 0)
        snapped = self.network.snap(lonlat, mode, walk_m, among=open_edges)
        return np.where(snapped.ok[:, None], snapped.lonlat, np.nan)

    def walk_s(self, mode: str, lonlat: FloatArray) -> FloatArray:
        """Return (n,) seconds of the walk between each place and its street, a part of `seconds`."""
        return np.asarray(self.network.snap(lonlat, mode, self.walk_m).walk_ms / 1000.0)

    def reach(self, mode: str, lonlat: FloatArray, limits_s: tuple[int, ...]) -> list[list[tuple[Ring, ...]]]:
        """Return for each place and limit the outer rings of the area from where it is reached."""
        known: dict[tuple[bytes, ...], tuple[shapely.Geometry, tuple[Ring, ...]]] = {}
        out: list[list[tuple[Ring, ...]]] = []
        for place in lonlat:
            snapped = self._one(mode, (float(place[0]), float(place[1])))
            if not snapped.ok[0]:
                out.append([() for _ in limits_s])
                continue
            rings: dict[int, tuple[Ring, ...]] = {}
            within: shapely.Geometry = shapely.Polygon()
            before = _NO_PARTS
            for limit_s in sorted(set(limits_s)):
                parts = reached_parts(self.network, mode, snapped, limit_s, towards=True)
                # in a small town all of it is reached from everywhere
                key = tuple(column.tobytes() for column in parts)
                if key not in known:
                    area = self._widened(within, _added(before, parts))
                    outline = shapely.transform(area.simplify(6.0), self.network.unproject)
                    known[key] = area, _outer_rings(outline)
                (within, rings[limit_s]), before = known[key], parts
            out.append([rings[limit_s] for limit_s in limits_s])
        return out

    def _widened(self, area: shapely.Geometry, parts: Parts) -> shapely.Geometry:
        """Return an area with some parts of streets and what lies beside them, plane metres.

        Each line is widened for itself and the union taken after: ten times faster than all at once.
        """
        lines = part_lines(self.network, parts)
        return (
            shapely.union_all([area, *shapely.buffer(lines, BESIDE_M, quad_segs=2)]) if len(lines) else area
        )

    def _one(self, mode: str, point: tuple[float, float]) -> Snapped:
        return self.network.snap(np.array([point]), mode, self.walk_m)


def _added(before: Parts, parts: Parts) -> Parts:
    """Return the parts that were not there before in the same length."""
    old, new = (np.rec.fromarrays(columns) for columns in (before, parts))
    fresh = ~np.isin(new, old)
    return parts[0][fresh], parts[1][fresh], parts[2][fresh]


def _outer_rings(shape: shapely.Geometry) -> tuple[Ring, ...]:
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and not p.is_empty]
    rings: list[Ring] = [
        tuple((round(float(x), 6), round(float(y), 6)) for x, y in p.exterior.coords) for p in parts
    ]
    return tuple(sorted(rings))
