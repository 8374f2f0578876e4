"""The OGC door as clients see it: GDAL's driver (QGIS has one like it) and OWSLib, over loopback."""

import json
from collections.abc import Iterator
from typing import Any

import pyogrio
import pyproj
import pytest
import shapely
from live_process import Process
from owslib.ogcapi.features import Features
from study_sample import sample_study
from tiny_study import write_study

from api.ogc import COLLECTIONS
from api.store import Database
from siting.results import Study


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service in a process of its own: GDAL holds this one's interpreter while it waits for an answer."""
    folder = tmp_path_factory.mktemp("served")
    url = f"sqlite:///{folder / 'yilu.db'}"
    database = Database(url)
    database.migrate()
    database.close()
    process = Process(write_study(folder / "out"), url)
    process.start()
    try:
        yield process.url
    finally:
        process.kill()


@pytest.fixture(scope="module")
def study() -> Study:
    return sample_study()


def test_gdal_reads_each_collection(address: str, study: Study) -> None:
    source = f"OAPIF:{address}/ogc"
    layers = {name for name, _ in pyogrio.list_layers(source)}
    assert layers == set(COLLECTIONS)
    stations = pyogrio.read_dataframe(source, layer="stations")
    expected = {site.site_id: site for site in study.sites if site.existing}
    assert sorted(stations["id"]) == sorted(expected)
    for row in stations.itertuples():
        assert (row.geometry.x, row.geometry.y) == pytest.approx(expected[row.id].lonlat, abs=1e-6)
        assert row.name == expected[row.id].name
    grids = pyogrio.read_dataframe(source, layer="unit_grids")
    # Codes with many digits stay text.
    assert set(grids["code"]) == {grid.code for grid in study.grids}
    assert set(grids.geom_type) <= {"Polygon", "MultiPolygon"}


def test_gdal_pages_and_asks_for_a_box(address: str, study: Study) -> None:
    """GDAL #8653: a driver that takes a short page for the last one loses the rest."""
    source = f"OAPIF:{address}/ogc"
    flows = pyogrio.read_dataframe(source, layer="flows", PAGE_SIZE=7)
    assert len(flows) == len(study.flows)
    west, south, east, north = study.bounds
    half = (west, south, (west + east) / 2, north)
    part = pyogrio.read_dataframe(source, layer="flows", bbox=half)
    area = shapely.box(*half)
    assert len(part) == sum(shapely.LineString(flow.line).intersects(area) for flow in study.flows)
    assert 0 < len(part) < len(flows)


@pytest.mark.parametrize("code", [4490, 32650, 4548])
def test_gdal_reads_in_another_system(address: str, study: Study, code: int) -> None:
    frame = pyogrio.read_dataframe(f"OAPIF:{address}/ogc", layer="stations", CRS=f"EPSG:{code}")
    assert frame.crs.to_epsg() == code
    to_map = pyproj.Transformer.from_crs("OGC:CRS84", f"EPSG:{code}", always_xy=True)
    expected = {site.site_id: to_map.transform(*site.lonlat) for site in study.sites if site.existing}
    for row in frame.itertuples():
        near = 1e-6 if code == 4490 else 0.05
        assert (row.geometry.x, row.geometry.y) == pytest.approx(expected[row.id], abs=near)


def test_owslib_walks_from_the_landing_page(address: str, study: Study) -> None:
    # Its annotations ask for dictionaries where it takes values.
    door: Any = Features(f"{address}/ogc")
    assert door.feature_collections() == list(COLLECTIONS)
    assert door.api()["openapi"] == "3.0.3"
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in door.conformance()["conformsTo"]
    assert door.collection("stations")["id"] == "stations"
    assert "kind" in door.collection_queryables("stations")["properties"]
    west, south, east, north = study.bounds
    page = door.collection_items("flows", bbox=[west, south, east, north], limit=5, offset=5)
    assert (page["numberReturned"], page["numberMatched"]) == (5, len(study.flows))
    assert door.collection_item("stations", "E01")["id"] == "E01"
    assert json.dumps(door.collection_items("stations", datetime_="2026-03-04T00:00:00Z/.."))
