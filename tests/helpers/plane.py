"""A plane of straight lines in place of streets, for tests of siting."""

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["FENCE", "SCALE", "Plane"]

FloatArray = npt.NDArray[np.float64]
SCALE = 1e-5
FENCE = shapely.box(0, 0, 200 * SCALE, 200 * SCALE)


class Plane:
    """Straight lines at 5 m/s; one compound from (0, 0) to (200, 200) m; every place is on a street."""

    def project(self, lonlat: FloatArray) -> FloatArray:
        return np.asarray(lonlat) / SCALE

    def unproject(self, xy_m: FloatArray) -> FloatArray:
        return np.asarray(xy_m) * SCALE

    def seconds(self, mode: str, sources: FloatArray, targets: FloatArray, limit_s: float) -> FloatArray:
        apart = self.project(sources)[:, None] - self.project(targets)[None]
        return np.asarray(np.hypot(apart[..., 0], apart[..., 1]) / 5.0)

    def public(self, mode: str, lonlat: FloatArray, walk_m: float) -> npt.NDArray[np.bool_]:
        return np.ones(len(lonlat), dtype=np.bool_)

    def compound_of(self, lonlat: FloatArray) -> npt.NDArray[np.int64]:
        return np.where(shapely.contains(FENCE, shapely.points(lonlat)), 0, -1).astype(np.int64)

    def route(
        self, mode: str, source: tuple[float, float], target: tuple[float, float]
    ) -> tuple[tuple[float, float], ...]:
        return (source, target)

    def street(self, lonlat: FloatArray) -> tuple[str, ...]:
        return ("Gate Street",) * len(lonlat)

    def kerb(self, mode: str, lonlat: FloatArray) -> FloatArray:
        return lonlat

    def public_kerb(self, mode: str, lonlat: FloatArray, walk_m: float) -> FloatArray:
        return lonlat

    def walk_s(self, mode: str, lonlat: FloatArray) -> FloatArray:
        return np.zeros(len(lonlat))

    def reach(
        self, mode: str, lonlat: FloatArray, limits_s: tuple[int, ...]
    ) -> list[list[tuple[tuple[tuple[float, float], ...], ...]]]:
        return [[() for _ in limits_s] for _ in lonlat]
