"""Layers of grids and zones: any format and CRS, all digits of codes, broken files in one sentence."""

import json
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from geo.datasets import read_layer
from geo.errors import InputError
from geo.grids import read_grids

CODES = ["110108001001001", "110108001001002"]
SQUARES = [shapely.box(116.3, 39.9, 116.31, 39.91), shapely.box(116.31, 39.9, 116.32, 39.91)]


def _grids(crs: str, **more: list[object]) -> geopandas.GeoDataFrame:
    frame = geopandas.GeoDataFrame(
        {"code": CODES, "名称": ["一格", "二格"], **more}, geometry=SQUARES, crs=4490
    )
    return frame.to_crs(crs)


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:4547"])
@pytest.mark.parametrize("name", ["g.gpkg", "g.shp", "g.zip", "g.geojson"])
def test_grids_of_every_format_are_the_same(tmp_path: Path, name: str, crs: str) -> None:
    frame = _grids(crs)
    if name == "g.gpkg":
        frame.to_file(tmp_path / name, driver="GPKG")
    elif name == "g.geojson":
        content = json.loads(frame.to_json(drop_id=True))
        content["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{crs.replace(':', '::')}"}}
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    else:
        frame.to_file(tmp_path / "g.shp", driver="ESRI Shapefile", encoding="GBK")
        with zipfile.ZipFile(tmp_path / "g.zip", "w") as packed:
            for ending in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
                packed.write(tmp_path / f"g{ending}", f"g{ending}")
    grids = read_grids(tmp_path / name)
    assert (list(grids.codes), grids.names) == (CODES, ("一格", "二格"))
    for polygon, square in zip(grids.polygons, SQUARES, strict=True):
        assert np.abs(np.array(polygon.bounds) - np.array(square.bounds)).max() < 1e-6


def test_metres_without_a_crs_are_refused(tmp_path: Path) -> None:
    _grids("EPSG:4547").to_file(tmp_path / "g.shp", encoding="UTF-8")
    (tmp_path / "g.prj").unlink()
    with pytest.raises(InputError, match=r"g.shp: its numbers are metres, .* no coordinate reference system"):
        read_grids(tmp_path / "g.shp")
    grids = read_grids(tmp_path / "g.shp", crs="EPSG:4547")
    assert grids.polygons[0].bounds == pytest.approx(SQUARES[0].bounds, abs=1e-6)


def test_all_bad_grids_are_told_at_once(tmp_path: Path) -> None:
    square = shapely.geometry.mapping(SQUARES[0])
    features = [
        {"properties": {"code": "1"}, "geometry": square},
        {"properties": {"code": "1"}, "geometry": square},
        {"properties": {"code": ""}, "geometry": square},
        {"properties": {"code": "4"}, "geometry": {"type": "Point", "coordinates": [1, 2]}},
    ]
    (tmp_path / "g.geojson").write_text(json.dumps({"features": features}), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_grids(tmp_path / "g.geojson")
    assert str(caught.value) == (
        "g.geojson: 3 things are wrong: feature 2: the grid code '1' occurs twice (first in feature 1);"
        " feature 3: the grid has no code; feature 4: a grid must be a polygon, not Point"
    )


def test_codes_that_lost_digits_are_refused(tmp_path: Path) -> None:
    frame = _grids("EPSG:4490").assign(code=[11010800100100112345.0, 1.0])
    frame.to_file(tmp_path / "g.gpkg", driver="GPKG")
    with pytest.raises(InputError, match=r"g.gpkg: code has lost digits"):
        read_grids(tmp_path / "g.gpkg")


def test_several_layers_are_asked_for(tmp_path: Path) -> None:
    for layer in ("old", "new"):
        _grids("EPSG:4490").to_file(tmp_path / "g.gpkg", driver="GPKG", layer=layer)
    with pytest.raises(InputError, match=r"has 2 layers; .* layer = \(allowed: "):
        read_grids(tmp_path / "g.gpkg")
    assert len(read_grids(tmp_path / "g.gpkg", layer="new")) == 2


@pytest.mark.parametrize("name", ["b.gpkg", "b.shp", "b.zip", "e.zip", "none.gpkg", "none.zip"])
def test_broken_files_are_one_sentence(tmp_path: Path, name: str) -> None:
    if name.startswith("b"):
        (tmp_path / name).write_bytes(b"not a layer at all")
    elif name == "e.zip":
        with zipfile.ZipFile(tmp_path / name, "w") as packed:
            packed.writestr("readme.txt", "nothing")
    with pytest.raises(InputError, match=name):
        read_layer(tmp_path / name)


def test_a_crs_without_an_accurate_way_is_refused(tmp_path: Path) -> None:
    frame = _grids("EPSG:4490").set_crs('LOCAL_CS["site plan",UNIT["metre",1]]', allow_override=True)
    frame.to_file(tmp_path / "g.gpkg", driver="GPKG")
    with pytest.raises(InputError, match=r"g.gpkg: .*WGS-84"):
        read_layer(tmp_path / "g.gpkg")
