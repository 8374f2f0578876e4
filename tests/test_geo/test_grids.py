"""Grid codes are text; every figure keeps the k rule."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from geo.errors import InputError
from geo.grids import UnitGrids, h3_grids, read_grids


def square(lon: float, lat: float, size: float = 0.01) -> list[list[list[float]]]:
    ring = [(lon, lat), (lon + size, lat), (lon + size, lat + size), (lon, lat + size), (lon, lat)]
    return [[list(p) for p in ring]]


def write(path: Path, features: list[tuple[str, list[list[list[float]]]]]) -> Path:
    """Write grids; the properties are given as JSON text."""
    rows = [
        f'{{"type": "Feature", "properties": {properties}, '
        f'"geometry": {{"type": "Polygon", "coordinates": {json.dumps(ring)}}}}}'
        for properties, ring in features
    ]
    path.write_text(f'{{"type": "FeatureCollection", "features": [{", ".join(rows)}]}}', encoding="utf-8")
    return path


def test_codes_keep_every_digit(tmp_path: Path) -> None:
    path = write(
        tmp_path / "g.geojson",
        [
            ('{"网格编码": "010108001001001", "网格名称": "东里一"}', square(116.30, 39.90)),
            ('{"网格编码": 11010800100100100012, "网格名称": null}', square(116.31, 39.90)),
        ],
    )
    grids = read_grids(path)
    assert grids.codes == ("010108001001001", "11010800100100100012")
    assert grids.names == ("东里一", "")


def test_assign_matches_a_plain_look(tmp_path: Path) -> None:
    path = write(
        tmp_path / "g.json", [(f'{{"code": "{i}"}}', square(116.3 + 0.01 * i, 39.9)) for i in range(5)]
    )
    grids = read_grids(path)
    at = np.random.default_rng(1).uniform((116.29, 39.89), (116.36, 39.92), (300, 2))
    expected = [
        next((i for i, p in enumerate(grids.polygons) if p.intersects(shapely.Point(q))), -1) for q in at
    ]
    assert grids.assign(at).tolist() == expected
    assert grids.assign(np.array([[116.31, 39.905]])).tolist() == [0]
    assert len(grids.assign(np.zeros((0, 2)))) == 0


def test_counts_hide_few_riders_and_never_say_zero(tmp_path: Path) -> None:
    grids = read_grids(
        write(tmp_path / "g.json", [(f'{{"code": "{i}"}}', square(116.3 + 0.01 * i, 39.9)) for i in range(3)])
    )
    lonlat = np.array([[116.305, 39.905]] * 12 + [[116.315, 39.905]] * 12 + [[120.0, 30.0]])
    rider = [*range(12), *([7] * 12), 99]
    full, few, none = grids.count(lonlat, rider, np.full(25, 2.5))
    assert (full.riders, full.total) == (12, 30.0)
    assert (few.riders, few.total) == (None, None)
    assert (none.riders, none.total) == (None, None)
    assert grids.count(lonlat, rider, k=1)[1].total == 12.0


def test_h3_cells_cover_their_bounds() -> None:
    grids = h3_grids((116.30, 39.90, 116.34, 39.93), 9)
    at = np.random.default_rng(2).uniform((116.305, 39.905), (116.335, 39.925), (200, 2))
    assert (grids.assign(at) >= 0).all()
    assert list(grids.codes) == sorted(set(grids.codes))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "no GeoJSON"),
        ("[]", "FeatureCollection"),
        ('{"features": [{"properties": {"area": 3}, "geometry": null}]}', "no property code"),
        ('{"features": [{"properties": {"code": ""}, "geometry": null}]}', "feature 1: the grid has no code"),
        ('{"features": [{"properties": {"code": "1"}, "geometry": null}]}', "cannot be read"),
        ('{"features": [{"properties": {"code": "1"}, "geometry": {"type": "Point",'
         ' "coordinates": [1, 2]}}]}', "polygon"),
    ],
)  # fmt: skip
def test_bad_files_say_what_is_wrong(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "g.geojson"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_grids(path)


def test_metres_are_no_degrees(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no degrees"):
        read_grids(write(tmp_path / "g.json", [('{"code": "1"}', square(500_000.0, 4_400_000.0))]))
    with pytest.raises(InputError, match="occurs twice"):
        UnitGrids(("1", "1"), ("", ""), np.array([shapely.box(0, 0, 1, 1)] * 2, dtype=object))
    with pytest.raises(InputError, match="too fine"):
        h3_grids((100.0, 20.0, 120.0, 40.0), 12)
