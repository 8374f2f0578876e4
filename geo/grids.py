"""Unit grids and the counting in them: polygons of a file with their codes as text, or H3 cells.

A grid code is text whatever it looks like ("110108001001001" has 15 digits, another standard 20): it never
becomes a number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h3
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry import shape

from geo.datasets import numbered, read_layer
from geo.errors import InputError, all_at_once
from geo.privacy import DEFAULT_K, suppress
from geo.sentences import Sentence

__all__ = ["CellFigures", "UnitGrids", "h3_grids", "read_grids", "refuse_no_degrees"]

_CODE_FIELDS: Final = ("code", "grid_code", "gridcode", "grid_id", "编码", "网格编码", "网格代码", "id")
_NAME_FIELDS: Final = ("name", "grid_name", "名称", "网格名称", "网格")
_MOST_CELLS: Final = 500_000


@dataclass(frozen=True, slots=True)
class CellFigures:
    """Figures of one grid; None is withheld, which is not zero."""

    code: str
    riders: int | None
    total: float | None


@dataclass(frozen=True, slots=True, eq=False)
class UnitGrids:
    """Unit grids of a city, one polygon (or several parts) each, in WGS-84 degrees."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    polygons: NDArray[np.object_]
    """(g,) shapely polygons or multipolygons."""

    def __post_init__(self) -> None:
        if not len(self.codes) == len(self.names) == len(self.polygons):
            raise InputError("grids must have as many codes and names as polygons")
        seen: set[str] = set()
        for code in self.codes:
            if code in seen:
                raise InputError(f"the grid code {code!r} occurs twice")
            seen.add(code)

    def __len__(self) -> int:
        return len(self.codes)

    def assign(self, lonlat: NDArray[np.float64]) -> NDArray[np.int32]:
        """Return for each position, (n, 2) WGS-84 degrees, the index of its grid; -1 where there is none.

        On a common border the grid that stands first in the file counts.
        """
        out = np.full(len(lonlat), -1, np.int32)
        if len(self.codes) == 0 or len(lonlat) == 0:
            return out
        tree = shapely.STRtree(self.polygons)
        points, grids = tree.query(shapely.points(lonlat), predicate="intersects")
        order = np.lexsort((grids, points))
        points, grids = points[order], grids[order]
        first = np.r_[True, points[1:] != points[:-1]]
        out[points[first]] = grids[first]
        return out

    def count(
        self,
        lonlat: NDArray[np.float64],
        rider: ArrayLike,
        value: ArrayLike | None = None,
        k: int = DEFAULT_K,
    ) -> tuple[CellFigures, ...]:
        """Add up values by grid, and withhold what fewer than k riders stand behind.

        Parameters
        ----------
        lonlat
            (n, 2) WGS-84 degrees.
        rider
            (n,) whose value it is: any labels, equal for one rider.
        value
            (n,) what to add; None counts rows.
        k
            Fewest riders whose figures may be shown.

        Returns
        -------
        tuple of CellFigures
            One for each grid, in their order.

        Raises
        ------
        InputError
            If the columns differ in length or k is below 1.
        """
        riders = np.unique(np.asarray(rider), return_inverse=True)[1].astype(np.int64)
        values = np.ones(len(riders)) if value is None else np.asarray(value, dtype=np.float64)
        if not len(lonlat) == len(riders) == len(values):
            raise InputError("positions, riders and values must have one length")
        grid = self.assign(lonlat)
        inside = grid >= 0
        g = len(self.codes)
        totals = np.bincount(grid[inside], weights=values[inside], minlength=g)
        pairs = np.unique(np.column_stack([grid[inside], riders[inside]]), axis=0)
        counts = np.bincount(pairs[:, 0].astype(np.int64), minlength=g)
        shown = suppress(totals, counts, k)
        return tuple(
            CellFigures(code, int(n) if total is not None else None, total)
            for code, n, total in zip(self.codes, counts, shown, strict=True)
        )


def _field(features: Sequence[dict[str, Any]], wanted: str | None, known: Sequence[str]) -> str | None:
    names = {key for feature in features for key in feature.get("properties") or {}}
    if wanted is not None:
        return wanted if wanted in names else None
    folded = {name.casefold(): name for name in sorted(names)}
    return next((folded[k] for k in known if k in folded), None)


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def read_grids(
    path: Path,
    code_field: str | None = None,
    name_field: str | None = None,
    layer: str | None = None,
    crs: str | None = None,
) -> UnitGrids:
    """Read unit grids from GeoJSON, a GeoPackage, a Shapefile, or CSV or Excel with a column of WKT.

    Parameters
    ----------
    path
        Polygons, as `geo.datasets.read_layer` takes them.
    code_field, name_field
        Properties with code and name; None finds the usual names. Codes written as numbers are kept digit
        by digit.
    layer
        Of files with several layers.
    crs
        Of files that do not name theirs.

    Returns
    -------
    UnitGrids

    Raises
    ------
    InputError
        If the file is missing or cannot be read, a code is missing or occurs twice, or a shape is no valid
        polygon; all bad features are told at once.
    """
    # Numbers stay text, so that a code of 15 or 20 digits keeps all of them.
    features = read_layer(path, _Digits, layer, crs)
    if not features or not all(isinstance(f, dict) for f in features):
        raise InputError(Sentence.of("grid_lacking", file=path.name))
    code_name = _field(features, code_field, _CODE_FIELDS)
    if code_name is None:
        wanted = code_field or " or ".join(_CODE_FIELDS[:3])
        raise InputError(Sentence.of("grid_field", file=path.name, wanted=wanted))
    label = _field(features, name_field, _NAME_FIELDS)
    codes, names, polygons, wrong = [], [], [], []
    first: dict[str, int] = {}
    for unit, number, feature in numbered(features):
        properties = feature.get("properties") or {}
        code = _text(properties.get(code_name))
        try:
            if not code:
                raise InputError(Sentence.of("grid_code", field=code_name))
            if first.setdefault(code, number) != number:
                raise InputError(
                    Sentence.of("grid_twice", code=code, first=Sentence.of(f"at_{unit}", number=first[code]))
                )
            polygons.append(_polygon(feature))
        except InputError as error:
            wrong.append(Sentence.of(unit, number=number, what=error.said))
            continue
        codes.append(code)
        names.append(_text(properties.get(label)) if label else "")
    if wrong:
        raise all_at_once(path.name, wrong)
    return UnitGrids(tuple(codes), tuple(names), np.array(polygons, dtype=object))


class _Digits(str):
    """A JSON number as it is written; shapely may read it as a number."""

    __slots__ = ()

    def __float__(self) -> float:
        return float(str(self))


def _numbers(value: object) -> object:
    if isinstance(value, list):
        return [_numbers(v) for v in value]
    return float(value) if isinstance(value, _Digits) else value


def _polygon(feature: dict[str, Any]) -> shapely.Geometry:
    try:
        geometry = feature["geometry"]
        polygon = shape({"type": geometry["type"], "coordinates": _numbers(geometry["coordinates"])})
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        shapely.errors.ShapelyError,
    ) as error:
        raise InputError(Sentence.of("grid_shape")) from error
    if polygon.geom_type not in ("Polygon", "MultiPolygon") or polygon.is_empty:
        raise InputError(Sentence.of("grid_polygon", shape=polygon.geom_type))
    refuse_no_degrees(polygon)
    # Grids drawn by hand touch themselves now and then.
    return polygon if polygon.is_valid else shapely.make_valid(polygon)


def refuse_no_degrees(area: shapely.Geometry) -> None:
    """Refuse an area whose corners are no (lon, lat) degrees.

    Raises
    ------
    InputError
        Which says so where they would be degrees the other way round.
    """
    west, south, east, north = area.bounds
    if west >= -180 and east <= 180 and south >= -90 and north <= 90:
        return
    turned = west >= -90 and east <= 90 and south >= -180 and north <= 180
    key = "area_swapped" if turned else "area_degrees"
    raise InputError(Sentence.of(key, west=west, east=east, south=south, north=north))


def h3_grids(bounds: tuple[float, float, float, float], resolution: int = 9) -> UnitGrids:
    """Return the H3 cells whose centres lie within bounds.

    Parameters
    ----------
    bounds
        West, south, east, north in WGS-84 degrees.
    resolution
        0-15; 9 has cells of about 0.1 km2, 8 of 0.7.

    Returns
    -------
    UnitGrids
        Ordered by code; names are empty.

    Raises
    ------
    InputError
        If the resolution is out of range, the bounds are empty, or there would be more than 500,000 cells.
    """
    west, south, east, north = bounds
    if not 0 <= resolution <= 15:
        raise InputError(f"the H3 resolution is {resolution}; it must lie within 0 to 15")
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InputError(f"the bounds {bounds} must be west, south, east, north in degrees")
    area_km2 = (east - west) * (north - south) * 111.2**2 * float(np.cos(np.radians((south + north) / 2)))
    if area_km2 / h3.average_hexagon_area(resolution, unit="km^2") > _MOST_CELLS:
        raise InputError(
            f"H3 resolution {resolution} is too fine for these bounds: more than {_MOST_CELLS:,} cells"
        )
    ring = [(south, west), (south, east), (north, east), (north, west)]
    codes = sorted(h3.polygon_to_cells(h3.LatLngPoly(ring), resolution))
    polygons = np.empty(len(codes), dtype=object)
    for i, code in enumerate(codes):
        polygons[i] = shapely.Polygon([(lng, lat) for lat, lng in h3.cell_to_boundary(code)])
    return UnitGrids(tuple(codes), ("",) * len(codes), polygons)
