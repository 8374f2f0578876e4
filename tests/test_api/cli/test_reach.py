"""``yilu reach`` draws areas by legal streets, in the datum of the question."""

import json
from pathlib import Path
from typing import Any

import pytest
import shapely
import shapely.geometry
from click.testing import CliRunner, Result
from osm_xml import write_osm

from api.cli.commands import yilu
from geo.earth import DEGREE_M

STREET = {"highway": "residential", "oneway": "yes"}


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A one-way street of 2 km from west to east."""
    nodes = [(1, -1000.0, 0.0), (2, 0.0, 0.0), (3, 1000.0, 0.0)]
    return write_osm(tmp_path / "town.osm", nodes, [(1, [1, 2, 3], STREET)])


def _run(town: Path, *words: str, lat: str = "0") -> Result:
    return CliRunner().invoke(
        yilu, ["reach", str(town), "--lon", "0", "--lat", lat, "--datum", "wgs84", *words]
    )


def _areas(result: Result) -> dict[float, shapely.Geometry]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return {
        one["properties"]["minutes"]: shapely.geometry.shape(one["geometry"]) for one in found["features"]
    }


def test_the_area_lies_where_one_may_come_from(town: Path) -> None:
    west, east = (shapely.Point(x_m / DEGREE_M, 0.0) for x_m in (-150.0, 150.0))
    areas = _areas(_run(town, "--minutes", "1", "--minutes", "2"))
    assert list(areas) == [2.0, 1.0], "the widest lies below"
    assert areas[2.0].contains(areas[1.0])
    assert areas[1.0].contains(west)
    assert not areas[1.0].contains(east)
    (away,) = _areas(_run(town, "--minutes", "1", "--away")).values()
    assert away.contains(east)
    assert not away.contains(west)


def test_a_file_holds_what_the_screen_shows(town: Path, tmp_path: Path) -> None:
    shown = _run(town).stdout
    assert _run(town, "--out", str(tmp_path / "reach.geojson")).stdout == ""
    assert (tmp_path / "reach.geojson").read_text(encoding="utf-8") == shown


def test_a_place_off_the_streets_is_refused(town: Path) -> None:
    result = _run(town, lat="1")
    assert result.exit_code != 0
    assert "from every street for ebike" in result.output
