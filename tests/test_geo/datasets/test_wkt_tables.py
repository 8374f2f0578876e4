"""Grids and zones of tables: a column of WKT, below titles, in GBK, in metres with a CRS."""

from pathlib import Path

import numpy as np
import openpyxl
import pyproj
import pytest
import shapely

from api.study.studyfile.zones import read_zones
from geo.errors import InputError
from geo.grids import read_grids

BOX = shapely.box(116.30, 39.90, 116.31, 39.91)
CODES = ("110108001001001", "01108")


def rows(*shapes: str) -> list[tuple[str, str, str]]:
    return [(code, f"网格{n}", shape) for n, (code, shape) in enumerate(zip(CODES, shapes, strict=False), 1)]


def written(path: Path, shapes: list[tuple[str, str, str]], encoding: str = "utf-8") -> Path:
    head = ("网格编码", "名称", "WKT")
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        sheet.append(["海淀区单元网格"])
        sheet.merge_cells("A1:C1")
        for row in (head, *shapes):
            sheet.append(list(row))
        book.save(path)
        return path
    lines = ["海淀区单元网格,,"] + [",".join(f'"{cell}"' for cell in row) for row in (head, *shapes)]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


@pytest.mark.parametrize(("name", "encoding"), [("g.csv", "utf-8-sig"), ("g.csv", "gbk"), ("g.xlsx", "")])
def test_grids_and_zones_come_from_tables(tmp_path: Path, name: str, encoding: str) -> None:
    moved = shapely.transform(BOX, lambda xy: xy + np.array([0.01, 0.0]))
    path = written(tmp_path / name, rows(BOX.wkt, moved.wkt), encoding)
    grids = read_grids(path)
    assert (grids.codes, grids.names) == (CODES, ("网格1", "网格2"))
    assert [shape.equals(want) for shape, want in zip(grids.polygons, (BOX, moved), strict=True)] == [
        True
    ] * 2
    assert [shapely.to_wkt(zone) for zone in read_zones(path, "wgs84")] == [
        shapely.to_wkt(BOX),
        shapely.to_wkt(moved),
    ]


@pytest.mark.parametrize("tagged", [True, False])
def test_metres_are_brought_to_degrees(tmp_path: Path, tagged: bool) -> None:
    there = pyproj.Transformer.from_crs(4490, 4547, always_xy=True)
    metres = shapely.transform(BOX, lambda xy: np.column_stack(there.transform(*xy.T)))
    path = written(tmp_path / "g.csv", rows(f"SRID=4547;{metres.wkt}" if tagged else metres.wkt))
    (found,) = read_grids(path, crs=None if tagged else "EPSG:4547").polygons
    assert found.hausdorff_distance(BOX) < 1e-6
    if not tagged:
        with pytest.raises(InputError, match="row 3: the boundary is in metres") as caught:
            read_grids(path)
        assert 'crs = "EPSG:4547"' in caught.value.text("zh")


def test_all_bad_rows_are_told_with_their_numbers(tmp_path: Path) -> None:
    path = written(tmp_path / "g.csv", rows("POLYGON((1 2, 3", "here"))
    with pytest.raises(InputError) as caught:
        read_grids(path)
    assert str(caught.value).startswith("g.csv: 2 things are wrong: row 3: the boundary is no WKT")
    assert caught.value.text("zh").startswith("g.csv：共有2处问题：第3行：边界不是 WKT")
    twice = [(CODES[0], "A", BOX.wkt), (CODES[0], "B", BOX.wkt)]
    with pytest.raises(InputError, match=r"row 4: the grid code '1\d+' occurs twice \(first in row 3\)"):
        read_grids(written(tmp_path / "g.csv", twice))
    with pytest.raises(InputError, match="row 3: a valid polygon is needed"):
        read_zones(written(tmp_path / "g.csv", rows("POINT(116 39)")), "wgs84")


def test_a_code_that_excel_has_cut_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "g.xlsx", [(11010800100100123456, "A", BOX.wkt)])  # type: ignore[list-item]
    with pytest.raises(InputError, match="网格编码 has lost digits"):
        read_grids(path)


def test_a_table_without_boundaries_is_refused(tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text("code,name\n1,A\n", encoding="utf-8")
    with pytest.raises(InputError, match="has no column for WKT"):
        read_grids(tmp_path / "g.csv")


def test_a_boundary_longer_than_the_limit_of_python_is_read(tmp_path: Path) -> None:
    fine = BOX.centroid.buffer(0.01, quad_segs=2_000)
    assert len(fine.wkt) > 131_072
    (found,) = read_grids(written(tmp_path / "g.csv", rows(fine.wkt))).polygons
    assert found.equals(fine)
