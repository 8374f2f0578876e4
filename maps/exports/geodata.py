"""A study for other programs: GeoJSON and GeoPackage, with a style that QGIS applies by itself."""

import dataclasses
import json
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio
import shapely

from geo.datum import DATUMS, from_wgs84
from geo.errors import InputError
from maps.exports.qgis import style_table
from maps.texts.safe_text import plain
from siting.results import AuditFinding, DemandCell, GridFigures, HotSpot, PickupPoint, Ring, Site, Study

__all__ = ["LAYERS", "Layer", "study_layers", "write_geojson", "write_gpkg"]

LAYERS = ("sites", "pickups", "gates", "grids", "hot_spots", "cells", "flows", "reach")
"""Layers of the GeoPackage, each written only where it has rows."""

LonLat = tuple[float, float]
Shift = Callable[[Sequence[LonLat]], list[list[float]]]
Shapes = npt.NDArray[np.object_]

_SHIFTED_WKT = (
    'GEOGCRS["{name} (shifted from WGS 84)",DATUM["{name}",ELLIPSOID["Krassowsky 1940",6378245,298.3,'
    'LENGTHUNIT["metre",1]]],PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],CS[ellipsoidal,2],'
    'AXIS["longitude",east],AXIS["latitude",north],ANGLEUNIT["degree",0.0174532925199433]]'
)
_GDAL = threading.Lock()
"""GDAL options are global to the process: one writer at a time."""


def write_geojson(study: Study, path: Path | str, datum: str = "wgs84") -> None:
    """Write stations, pick-up points and hot spots as GeoJSON (RFC 7946).

    Parameters
    ----------
    study
        The result.
    path
        File to write.
    datum
        Of the positions: ``wgs84`` (what RFC 7946 means), ``gcj02`` or ``bd09``; stated in the file.

    Raises
    ------
    InputError
        If the datum is not known.
    """
    shift = _shift(datum)
    audit = {finding.site_id: finding for finding in study.audit}
    features = [
        _feature(site.lonlat, {"layer": "site", **_site_columns(site, audit.get(site.site_id))}, shift)
        for site in study.sites
    ]
    features += [
        _feature(
            point.lonlat,
            {"layer": "pickup", **_pickup_columns(point)},
            shift,
        )
        for point in study.pickups
    ]
    features += [
        _feature(spot.lonlat, {"layer": "hot_spot", **_spot_columns(spot)}, shift) for spot in study.hot_spots
    ]
    content = {
        "type": "FeatureCollection",
        "name": plain(study.title),
        "datum": datum,
        "period": list(study.period),
        "k": study.k,
        "synthetic": study.synthetic,
        "attribution": plain(study.map_attribution),
        "features": features,
    }
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    Path(path).write_text(text + "\n", encoding="utf-8")


def write_gpkg(study: Study, path: Path | str, datum: str = "wgs84") -> None:
    """Write all layers of the study as a GeoPackage that QGIS opens with colours.

    Parameters
    ----------
    study
        The result.
    path
        File to write; an old file is replaced.
    datum
        Of the positions; ``wgs84`` is EPSG:4326, the shifted ones carry a CRS of their own name.

    Raises
    ------
    InputError
        If the datum is not known.
    """
    shift = _shift(datum)
    crs = (
        "EPSG:4326"
        if datum == "wgs84"
        else _SHIFTED_WKT.format(name={"gcj02": "GCJ-02", "bd09": "BD-09"}[datum])
    )
    target = Path(path)
    target.unlink(missing_ok=True)
    stamp = f"{study.period[1]}T00:00:00.000Z"
    tables = _Tables(shift, crs)
    frames = {name: tables.frame(layer) for name, layer in _layers(study, tables).items() if layer.rows}
    with _GDAL:
        before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
        try:
            for name, frame in frames.items():
                pyogrio.write_dataframe(frame, target, layer=name, driver="GPKG", append=target.exists())
            pyogrio.write_dataframe(
                style_table(list(frames), study.period[1]),
                target,
                layer="layer_styles",
                driver="GPKG",
                append=target.exists(),
            )
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _shift(datum: str) -> Shift:
    if datum not in DATUMS:
        raise InputError(f"datum {datum!r} is not known, allowed: {', '.join(DATUMS)}")

    def shifted(points: Sequence[LonLat]) -> list[list[float]]:
        out: list[list[float]] = np.round(from_wgs84(np.asarray(points, np.float64), datum), 7).tolist()
        return out

    return shifted


def _feature(lonlat: LonLat, properties: dict[str, Any], shift: Shift) -> dict[str, Any]:
    clean = {key: plain(value) if isinstance(value, str) else value for key, value in properties.items()}
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": shift([lonlat])[0]},
        "properties": clean,
    }


def _site_columns(site: Site, finding: AuditFinding | None) -> dict[str, Any]:
    return {
        "id": site.site_id,
        "name": site.name,
        "kind": site.kind,
        "status": "existing" if site.existing else "suggested",
        "plan": site.plan,
        "planned_hours": site.planned_hours,
        "moves_to": site.moves_to,
        "opening_hours": site.opening_hours,
        "facilities": ";".join(site.facilities),
        "street": site.street,
        "rest_min_a_day": site.rest_min_a_day,
        "only_here_share": site.only_here_share,
        "chosen_share": site.chosen_share,
        **{f"rest_hours_until_{closing}": gain for closing, gain in site.until},
        "extra_rest_hours_if_longer": site.extra_rest_hours_if_longer,
        "due_break_min_a_day": site.due_break_min_a_day,
        "passing_riders_a_day": site.passing_riders_a_day,
        "cost_yuan": site.cost_yuan,
        "action": finding.action if finding else None,
        "rank": finding.rank if finding else None,
        "gain_rest_hours_a_day": finding.gain_rest_hours_a_day if finding else None,
        "better_hours": finding.better_hours if finding else None,
    }


def _spot_columns(spot: HotSpot) -> dict[str, Any]:
    return {
        "id": spot.spot_id,
        "name": spot.name,
        "radius_m": spot.radius_m,
        "riders": spot.riders,
        "rest_min_a_day": spot.rest_min_a_day,
        "site_id": spot.site_id or None,
    }


def _pickup_columns(point: PickupPoint) -> dict[str, Any]:
    return {
        "id": point.pickup_id,
        "compound": point.compound,
        "kind": point.kind,
        "drop_offs_a_day": point.drop_offs_a_day,
        "saved_min_a_day": point.saved_min_a_day,
        "walk_median_m": point.walk_median_m,
        "walk_max_m": point.walk_max_m,
    }


def _grid_columns(grid: GridFigures) -> dict[str, Any]:
    return {
        "code": grid.code,
        "name": grid.name,
        "riders": grid.riders,
        "rest_min_a_day": grid.rest_min_a_day,
        "served_share": grid.served_share,
        "in_reach_share": grid.in_reach_share,
        "served_today_share": grid.served_today_share,
        "site_ids": ";".join(grid.site_ids),
        "pickup_ids": ";".join(grid.pickup_ids),
    }


def _cell_columns(cell: DemandCell) -> dict[str, Any]:
    return {
        "cell_id": cell.cell_id,
        "riders": cell.riders,
        **{f"rest_min_{h:02d}": v for h, v in enumerate(cell.rest_min_by_hour)},
        **{f"due_min_{h:02d}": v for h, v in enumerate(cell.due_break_min_by_hour)},
    }


@dataclasses.dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a study: a row of columns and a shape for each thing in it."""

    rows: list[dict[str, Any]]
    """The same columns in each; None where a figure is withheld or not known."""
    shapes: Shapes
    """One shapely geometry for each row."""


def study_layers(study: Study) -> dict[str, Layer]:
    """Return all layers of the study by name, in WGS-84 (lon, lat); those of the GeoPackage, empty ones too.

    Parameters
    ----------
    study
        The result.

    Returns
    -------
    dict
        One `Layer` for each of `LAYERS`.
    """
    return _layers(study, _Tables(_shift("wgs84"), "EPSG:4326"))


@dataclasses.dataclass(frozen=True, slots=True)
class _Tables:
    """Makes the tables of one file: its datum, and the CRS of that name."""

    shift: Shift
    crs: str

    def points(self, rows: Iterable[LonLat]) -> Shapes:
        found = list(rows)
        return np.asarray(shapely.points(self.shift(found))) if found else np.empty(0, object)

    def areas(self, groups: Sequence[Sequence[Ring]]) -> Shapes:
        """Make one multipolygon a group of outer rings, all in one go."""
        rings = [ring for group in groups for ring in group]
        if not rings:
            return np.empty(0, object)
        coords = self.shift([point for ring in rings for point in ring])
        owner = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
        polygons = shapely.polygons(shapely.linearrings(coords, indices=owner))
        group_of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        return np.asarray(shapely.multipolygons(polygons, indices=group_of))

    def lines(self, rows: Iterable[Sequence[LonLat]]) -> Shapes:
        return np.array([shapely.LineString(self.shift(row)) for row in rows], object)

    def frame(self, layer: Layer) -> geopandas.GeoDataFrame:
        columns = {key: [row[key] for row in layer.rows] for key in layer.rows[0]}
        table = pd.DataFrame({key: _column(values) for key, values in columns.items()})
        return geopandas.GeoDataFrame(table, geometry=list(layer.shapes), crs=self.crs)


def _layers(study: Study, tables: _Tables) -> dict[str, Layer]:
    points, areas = tables.points, tables.areas
    audit = {finding.site_id: finding for finding in study.audit}
    gates = [(point.pickup_id, gate) for point in study.pickups for gate in point.gates]
    reach = [(site.site_id, seconds, rings) for site in study.sites for seconds, rings in site.reach if rings]
    return {
        "sites": Layer(
            [_site_columns(site, audit.get(site.site_id)) for site in study.sites],
            points(site.lonlat for site in study.sites),
        ),
        "pickups": Layer(
            [
                {**_pickup_columns(point), "residents_walk_m_a_day": point.residents_walk_m_a_day}
                for point in study.pickups
            ],
            points(point.lonlat for point in study.pickups),
        ),
        "gates": Layer(
            [{"pickup_id": pickup, "share": gate.share, "in_osm": gate.in_osm} for pickup, gate in gates],
            points(gate.lonlat for _, gate in gates),
        ),
        "grids": Layer(
            [_grid_columns(grid) for grid in study.grids], areas([grid.rings for grid in study.grids])
        ),
        "hot_spots": Layer(
            [_spot_columns(spot) for spot in study.hot_spots],
            areas([[spot.ring] for spot in study.hot_spots]),
        ),
        "cells": Layer(
            [_cell_columns(cell) for cell in study.cells], areas([[cell.ring] for cell in study.cells])
        ),
        "flows": Layer(
            [{"name": flow.name, "riders_a_day": flow.riders_a_day} for flow in study.flows],
            tables.lines(flow.line for flow in study.flows),
        ),
        "reach": Layer(
            [{"site_id": site_id, "seconds": seconds} for site_id, seconds, _ in reach],
            areas([rings for _, _, rings in reach]),
        ),
    }


def _column(values: list[Any]) -> Any:  # noqa: ANN401 - a pandas array of whichever kind fits
    """Text, whole numbers, numbers or yes/no, with empty places; codes stay text."""
    known = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in known) and known:
        return pd.array(values, dtype="boolean")
    if all(isinstance(value, int) for value in known) and known:
        return pd.array(values, dtype="Int64")
    if all(isinstance(value, int | float) for value in known) and known:
        return pd.array([None if value is None else float(value) for value in values], dtype="Float64")
    return pd.array([None if value is None else plain(str(value)) for value in values], dtype="string")
