"""Whether what a planner gives lies on the map, and in the datum that is declared: said, never silent."""

from collections.abc import Sequence

import numpy as np
import shapely

from api.study.studyfile.station_files import StationRow
from geo.arrays import BoolArray, FloatArray
from geo.datum import Datum, from_wgs84
from geo.earth import near_metres
from geo.errors import InputError, all_at_once
from geo.sentences import Sentence
from geo.streets import StreetNetwork
from geo.traces import PlaceEvidence
from geo.travel import Extent

__all__ = ["datum_note", "distinct_places", "place_areas", "place_points", "place_stations"]

TOGETHER_M = 5.0
"""Stations so near to each other under two names may be one."""
SAME_M = 30.0
OFF_STREET_M = 150.0
"""Beyond this walk no street reaches a station."""
FAR_M = 2_000.0
MOST_NAMED = 20
MOST_VERTICES = 2_000


def place_stations(
    file: str, rows: Sequence[StationRow], network: StreetNetwork
) -> tuple[tuple[StationRow, ...], list[Sentence]]:
    """Leave out stations that lie outside the map or repeat others, and say what looks wrong.

    Parameters
    ----------
    file : str
        Name of the list.
    rows : sequence of StationRow
    network : StreetNetwork

    Returns
    -------
    tuple of StationRow, list of Sentence
        Those that count, and what is to be said.

    Raises
    ------
    InputError
        When none of them lies on the map.
    """
    lonlat = np.array([row.lonlat for row in rows])
    inside, notes = place_points(
        file, [row.number for row in rows], [row.name for row in rows], lonlat, network, "stations_outside"
    )
    kept: list[StationRow] = []
    repeated: list[int] = []
    together: list[int] = []
    for row in (row for row, here in zip(rows, inside, strict=True) if here):
        apart_m = {other: near_metres(other.lonlat, row.lonlat) for other in kept}
        if any(other.name == row.name and metres <= SAME_M for other, metres in apart_m.items()):
            repeated.append(row.number)
            continue
        if any(other.name != row.name and metres <= TOGETHER_M for other, metres in apart_m.items()):
            together.append(row.number)
        kept.append(row)
    if repeated:
        notes.append(Sentence.of("stations_repeated", file=file, rows=_listed(repeated)))
    if together:
        metres = f"{TOGETHER_M:g}"
        notes.append(Sentence.of("stations_together", file=file, rows=_listed(together), metres=metres))
    notes += _off_street(file, kept, network)
    return tuple(kept), notes


def distinct_places(
    file: str, numbers: Sequence[int], names: Sequence[str], lonlat: FloatArray
) -> tuple[BoolArray, list[Sentence]]:
    """Return which rooms of a planner's list count, (n,), and what is to be said of those given twice.

    A room that stands in the list twice would take two of the new stations.

    Parameters
    ----------
    file, numbers, names, lonlat
        As in `place_points`.
    """
    first = np.ones(len(names), dtype=np.bool_)
    together: list[int] = []
    places = [(float(lon), float(lat)) for lon, lat in lonlat]
    for row, name in enumerate(names):
        near = [k for k in range(row) if first[k] and near_metres(places[k], places[row]) <= SAME_M]
        first[row] = all(names[k] != name for k in near)
        if first[row] and any(near_metres(places[k], places[row]) <= TOGETHER_M for k in near):
            together.append(numbers[row])
    notes = []
    repeated = [number for number, once in zip(numbers, first, strict=True) if not once]
    if repeated:
        notes.append(Sentence.of("places_repeated", file=file, rows=_listed(repeated)))
    if together:
        metres = f"{TOGETHER_M:g}"
        notes.append(Sentence.of("places_together", file=file, rows=_listed(together), metres=metres))
    return first, notes


def place_points(
    file: str,
    numbers: Sequence[int],
    names: Sequence[str],
    lonlat: FloatArray,
    network: StreetNetwork,
    key: str = "places_outside",
) -> tuple[BoolArray, list[Sentence]]:
    """Return which places lie on the map, (n,), and what is to be said of the others.

    Parameters
    ----------
    file : str
        Name of the list.
    numbers, names : sequence
        Row and name of each place.
    lonlat : (n, 2) float64
        WGS-84 degrees.
    network : StreetNetwork
    key : str
        Of the sentence about places outside.

    Raises
    ------
    InputError
        When none of them lies on the map.
    """
    away_m = Extent.of(network).away_m(lonlat)
    out = Extent.of(network).outside(lonlat)
    if out.all():
        raise _all_outside(file, away_m)
    if not out.any():
        return ~out, []
    rows = np.nonzero(out)[0].tolist()
    said = Sentence.of(
        key,
        file=file,
        rows=_listed([numbers[row] for row in rows]),
        km=f"{away_m.max() / 1000:,.0f}",
        names=_listed([names[row] for row in rows]),
    )
    return ~out, [said]


def place_areas(
    file: str, areas: Sequence[shapely.Geometry], network: StreetNetwork, key: str
) -> tuple[BoolArray, list[Sentence]]:
    """Return which polygons touch the map, (n,), and what is to be said of the others.

    Parameters
    ----------
    file : str
        Name of the file.
    areas : sequence of shapely geometries
        WGS-84 degrees, in the order of the file.
    network : StreetNetwork
    key : {"grids_outside", "zones_outside"}
        Of the sentence about those outside.

    Raises
    ------
    InputError
        When none touches the map, for those with lon and lat swapped, and for a zone over all of the map.
    """
    extent = Extent.of(network)
    box = shapely.box(extent.west, extent.south, extent.east, extent.north)
    shapes = np.array(areas, dtype=object)
    # the nearest corner of the box about each polygon tells how far it is
    west, south, east, north = shapely.bounds(shapes).T
    nearest = np.column_stack([
        np.clip((extent.west + extent.east) / 2, west, east),
        np.clip((extent.south + extent.north) / 2, south, north),
    ])  # fmt: skip
    away_m = extent.away_m(nearest)
    out = ~shapely.intersects(shapes, box)
    wrong = []
    for index in np.nonzero(out)[0].tolist():
        if extent.swapped((float(nearest[index, 0]), float(nearest[index, 1]))):
            what = Sentence.of("swapped_area", km=away_m[index] / 1000)
            wrong.append(Sentence.of("feature", number=index + 1, what=what))
    if key == "zones_outside":
        over = np.nonzero(shapely.covers(shapes, box))[0].tolist()
        wrong += [Sentence.of("feature", number=n + 1, what=Sentence.of("whole_map")) for n in over]
    if wrong:
        raise all_at_once(file, wrong)
    if out.all():
        raise _all_outside(file, away_m)
    if not out.any():
        return ~out, []
    said = Sentence.of(
        key,
        file=file,
        features=_listed((np.nonzero(out)[0] + 1).tolist()),
        count=str(int(out.sum())),
        all=str(len(out)),
        km=f"{away_m[out].max() / 1000:,.1f}",
    )
    return ~out, [said]


def datum_note(
    file: str, given: FloatArray | Sequence[shapely.Geometry], datum: Datum, network: StreetNetwork
) -> list[Sentence]:
    """Say where the streets speak for another datum than the declared one.

    Parameters
    ----------
    file : str
        Name of the file.
    given : (n, 2) float64, or sequence of shapely geometries
        Positions, or areas whose corners are asked about; WGS-84 degrees, brought there as declared.
    datum : str
        Declared.
    network : StreetNetwork

    Returns
    -------
    list of Sentence
        Empty, or one with the evidence.
    """
    lonlat = given if isinstance(given, np.ndarray) else _corners(given)
    doubt = PlaceEvidence.of(from_wgs84(lonlat, datum), network).doubt(datum) if len(lonlat) else None
    if doubt is None:
        return []
    likely, median_m = doubt
    return [
        Sentence.of(
            "datum",
            file=file,
            declared=datum,
            likely=likely,
            declared_m=f"{median_m[datum]:,.0f}",
            likely_m=f"{median_m[likely]:,.0f}",
        )
    ]


def _corners(areas: Sequence[shapely.Geometry]) -> FloatArray:
    """Return the corners of areas, each once: neighbours share theirs."""
    corners = np.unique(shapely.get_coordinates(list(areas)), axis=0)
    chosen = np.linspace(0, len(corners) - 1, min(len(corners), MOST_VERTICES)).astype(np.int64)
    return np.asarray(corners[chosen])


def _off_street(file: str, rows: Sequence[StationRow], network: StreetNetwork) -> list[Sentence]:
    lonlat = np.array([row.lonlat for row in rows])
    walk_m = network.snap(lonlat, "foot", max_m=FAR_M, fragments=True).walk_m
    walk_m = np.where(np.isfinite(walk_m), walk_m, FAR_M)
    far = np.nonzero(walk_m > OFF_STREET_M)[0].tolist()
    if not far:
        return []
    metres = f"{walk_m.max():,.0f}"
    listed = _listed([rows[row].number for row in far])
    return [Sentence.of("stations_off_street", file=file, rows=listed, metres=metres)]


def _all_outside(file: str, away_m: FloatArray) -> InputError:
    return InputError(Sentence.of("all_outside", file=file, km=float(away_m.min()) / 1000))


def _listed(items: Sequence[object]) -> str:
    told = ", ".join(str(item) for item in items[:MOST_NAMED])
    return told + (", …" if len(items) > MOST_NAMED else "")
