"""GeoJSON and GeoPackage read back equal the study."""

import json
from pathlib import Path
from xml.etree import ElementTree

import geopandas
import pyogrio
import pytest
from study_sample import FORMULA, HOSTILE, sample_study

from geo.datum import from_wgs84
from geo.errors import InputError
from maps.exports.geodata import LAYERS, write_geojson, write_gpkg
from siting.results import Study


@pytest.fixture(scope="module")
def study() -> Study:
    return sample_study()


@pytest.fixture(scope="module")
def package(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gpkg") / "s.gpkg"
    write_gpkg(study, path)
    return path


def test_every_layer_is_there_with_its_rows(study: Study, package: Path) -> None:
    names = [str(name) for name, _ in pyogrio.list_layers(package)]
    assert names == [*LAYERS, "layer_styles"]
    for name, rows in (("sites", study.sites), ("pickups", study.pickups), ("grids", study.grids),
                       ("hot_spots", study.hot_spots), ("cells", study.cells),
                       ("flows", study.flows)):  # fmt: skip
        frame = geopandas.read_file(package, layer=name)
        assert len(frame) == len(rows)
        assert frame.crs.to_epsg() == 4326


def test_sites_read_back_equal_the_study(study: Study, package: Path) -> None:
    frame = geopandas.read_file(package, layer="sites")
    for site, row in zip(study.sites, frame.itertuples(), strict=True):
        assert (row.id, row.name) == (site.site_id, site.name)
        assert row.rest_min_a_day == site.rest_min_a_day
        assert (row.geometry.x, row.geometry.y) == pytest.approx(site.lonlat, abs=1e-7)
        assert (row.status == "existing") == site.existing
    assert {HOSTILE, FORMULA} <= set(frame["name"])


def test_codes_are_text_and_redacted_figures_are_empty(study: Study, package: Path) -> None:
    frame = geopandas.read_file(package, layer="grids")
    assert frame["code"].tolist() == [grid.code for grid in study.grids]
    for grid, riders in zip(study.grids, frame["riders"], strict=True):
        assert (riders == grid.riders) if grid.riders is not None else riders != riders
    fields = dict(
        zip(*(pyogrio.read_info(package, layer="cells")[key] for key in ("fields", "dtypes")), strict=True)
    )
    assert fields["riders"].startswith("int")
    assert fields["rest_min_14"].startswith("float")


def test_qgis_finds_a_style_for_every_layer(package: Path) -> None:
    styles = pyogrio.read_dataframe(package, layer="layer_styles")
    assert styles["f_table_name"].tolist() == list(LAYERS)
    assert styles["useAsDefault"].all()
    for qml in styles["styleQML"]:
        root = ElementTree.fromstring(qml.split("'SYSTEM'>")[1])  # noqa: S314 - our own text
        assert root.find("renderer-v2/symbols/symbol") is not None


def test_same_study_same_bytes(study: Study, package: Path, tmp_path: Path) -> None:
    write_gpkg(study, tmp_path / "again.gpkg")
    assert (tmp_path / "again.gpkg").read_bytes() == package.read_bytes()
    write_gpkg(study, tmp_path / "again.gpkg")
    assert (tmp_path / "again.gpkg").read_bytes() == package.read_bytes()
    write_geojson(study, tmp_path / "1.geojson")
    write_geojson(study, tmp_path / "2.geojson")
    assert (tmp_path / "1.geojson").read_bytes() == (tmp_path / "2.geojson").read_bytes()


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_shifted_positions_say_so(study: Study, datum: str, tmp_path: Path) -> None:
    expected = from_wgs84([study.sites[0].lonlat], datum)[0]
    write_gpkg(study, tmp_path / "s.gpkg", datum)
    frame = geopandas.read_file(tmp_path / "s.gpkg", layer="sites")
    point = frame.geometry[0]
    assert (point.x, point.y) == pytest.approx(tuple(expected), abs=1e-7)
    assert frame.crs.to_epsg() is None
    assert "shifted from WGS 84" in frame.crs.name
    write_geojson(study, tmp_path / "s.geojson", datum)
    content = json.loads((tmp_path / "s.geojson").read_text(encoding="utf-8"))
    assert content["datum"] == datum
    assert content["features"][0]["geometry"]["coordinates"] == pytest.approx(list(expected), abs=1e-7)


def test_geojson_holds_every_place_and_its_origin(study: Study, tmp_path: Path) -> None:
    write_geojson(study, tmp_path / "s.geojson")
    content = json.loads((tmp_path / "s.geojson").read_text(encoding="utf-8"))
    assert content["datum"] == "wgs84"
    assert content["k"] == study.k
    assert content["attribution"] == study.map_attribution
    assert len(content["features"]) == len(study.sites) + len(study.pickups) + len(study.hot_spots)
    for site, feature in zip(study.sites, content["features"], strict=False):
        assert feature["geometry"]["coordinates"] == pytest.approx(list(site.lonlat), abs=1e-7)
        assert feature["properties"]["rest_min_a_day"] == site.rest_min_a_day


def test_unknown_datum_is_refused(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="datum 'mars' is not known, allowed: wgs84, gcj02, bd09"):
        write_geojson(study, tmp_path / "x.geojson", "mars")
