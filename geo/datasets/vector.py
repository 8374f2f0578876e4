"""Features of vector files in degrees: GeoJSON, GeoPackage, Shapefiles also zipped, tables with a WKT column.

The datum (WGS-84, GCJ-02, BD-09) is another question: what a file calls degrees is taken as it stands.
"""

import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
import pyogrio
import pyogrio.errors
import pyproj
import pyproj.exceptions
import shapely
import shapely.geometry
from numpy.typing import NDArray

from geo.datasets.geojson import read_features
from geo.datasets.tables import TABLE_ENDINGS, cell_text, read_table
from geo.errors import InputError, all_at_once
from geo.sentences import Sentence

__all__ = ["LAYER_ENDINGS", "numbered", "read_layer", "to_degrees"]

LAYER_ENDINGS: Final = (".geojson", ".json", ".gpkg", ".shp", ".zip")
_GEODETIC: Final = (4326, 4979, 4490, 4480)  # WGS-84 and CGCS2000 are one to a few centimetres
_MOST_BYTES: Final = 2**30
_EXACT_FLOAT: Final = 2.0**53
_EXACT_EXCEL: Final = 10**15
_EXCEL_CELL: Final = 32_767
_MOST_ANGLE: Final = 1_000.0
_WKT: Final = (
    "wkt", "geometry", "geom", "the_geom", "shape", "polygon", "boundary", "边界", "范围", "空间范围", "几何",
    "图形", "面", "坐标",
)  # fmt: skip
_EWKT: Final = re.compile(r"\s*SRID\s*=\s*(\d+)\s*;\s*(.*)", re.IGNORECASE | re.DOTALL)


def read_layer(
    path: Path,
    number: Callable[[str], object] | None = None,
    layer: str | None = None,
    crs: str | None = None,
) -> list[Any]:
    """Return features as in GeoJSON, positions as (lon, lat) in degrees.

    Parameters
    ----------
    path : Path
        ``.geojson``, ``.json``, ``.gpkg``, ``.shp``, or a ``.zip`` that holds one of them; ``.csv`` or
        ``.xlsx`` with a column of WKT, whose features have the number of their row as ``row``.
    number : callable, optional
        Makes a value of the text of each number of a GeoJSON file, instead of ``int`` and ``float``.
    layer : str, optional
        Of files with several layers, or sheets.
    crs : str, optional
        Such as ``EPSG:4547``, for files that do not name theirs.

    Raises
    ------
    InputError
        If the file cannot be read, several layers fit, or its numbers are no degrees and it names no CRS.
    """
    ending = path.suffix.lower()
    if ending in TABLE_ENDINGS:
        return _from_table(path, layer, crs)
    if ending == ".zip":
        return _zipped(path, number, layer, crs)
    if ending in (".gpkg", ".shp"):
        return _vector(path, path.name, layer, crs)
    return _from_geojson(path, number, crs)


def to_degrees(xy: NDArray[np.float64], crs: str | pyproj.CRS, name: str) -> NDArray[np.float64]:
    """Return (n, 2) positions of a CRS, east before north, as (lon, lat) in WGS-84 degrees.

    Raises
    ------
    InputError
        If the CRS is not known, or there is no accurate way from it to WGS-84.
    """
    try:
        source = pyproj.CRS.from_user_input(crs)
        base = source.geodetic_crs
        same = base is not None and base.to_epsg(min_confidence=70) in _GEODETIC
        if same and source.is_geographic:
            return xy
        target = base.to_2d() if same and base is not None else pyproj.CRS(4326)
        transformer = pyproj.Transformer.from_crs(source, target, always_xy=True, allow_ballpark=False)
        lon, lat = transformer.transform(xy[:, 0], xy[:, 1])
    except pyproj.exceptions.CRSError:
        raise InputError(Sentence.of("no_crs", file=name, crs=str(crs))) from None
    except pyproj.exceptions.ProjError:
        lon = lat = np.full(len(xy), np.inf)
    out = np.column_stack([lon, lat])
    if not np.isfinite(out[np.isfinite(xy).all(axis=1)]).all():
        raise InputError(Sentence.of("crs_rough", file=name, crs=source.name))
    return out


def numbered(features: Sequence[Any]) -> Iterator[tuple[str, int, Any]]:
    """Yield each feature with what it is called in its file: ``row`` or ``feature``, and its number."""
    for number, feature in enumerate(features, 1):
        row = feature.get("row") if isinstance(feature, dict) else None
        yield ("feature", number, feature) if row is None else ("row", row, feature)


def _from_table(path: Path, layer: str | None, crs: str | None) -> list[Any]:
    table = read_table(path, _wkt_column, layer)
    out, wrong = [], []
    for number, row in table.rows:
        name = f"{path.name}, {number}"
        try:
            shape = _of_wkt(cell_text(row.get(table.columns["wkt"])), crs, path.name)
            cells = {key: _whole(cell, key) for key, cell in row.items() if key != table.columns["wkt"]}
        except InputError as error:
            wrong.append(Sentence.of("row", number=number, what=error.said))
            continue
        geometry = dict(shapely.geometry.mapping(shape)) if crs is None else _degrees(shape, crs, name)
        out.append({"type": "Feature", "geometry": geometry, "properties": cells, "row": number})
    if wrong:
        raise all_at_once(path.name, wrong)
    return out


def _wkt_column(headings: Sequence[str]) -> dict[str, str]:
    present = {heading.strip().casefold(): heading for heading in headings}
    found = next((present[name] for name in _WKT if name in present), None)
    if found is None:
        raise InputError(Sentence.of("lacking_column", ours="WKT", known=", ".join(_WKT)))
    return {"wkt": found}


def _of_wkt(text: str, crs: str | None, name: str) -> shapely.Geometry:
    """Return a shape as it stands, or in degrees where its text names a CRS and the study does not."""
    tagged = _EWKT.fullmatch(text)
    try:
        shape = shapely.from_wkt(tagged[2] if tagged else text)
    except shapely.errors.ShapelyError:
        shape = None
    if shape is None or shape.is_empty:
        raise InputError(Sentence.of("wkt_cut" if len(text) >= _EXCEL_CELL else "wkt"))
    if tagged and crs is None:
        return shapely.transform(
            shapely.force_2d(shape), lambda xy: to_degrees(xy, f"EPSG:{tagged[1]}", name)
        )
    west, south, east, north = shape.bounds
    # Angles may be swapped; what is no angle either way is metres.
    if crs is None and max(abs(west), abs(south), abs(east), abs(north)) > _MOST_ANGLE:
        raise InputError(Sentence.of("wkt_metres"))
    return shape


def _whole(cell: object, field: str) -> object:
    """Return a cell of a table; codes that Excel has cut to 15 digits are refused."""
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return cell_text(cell)
    if abs(cell) >= _EXACT_EXCEL:
        raise InputError(Sentence.of("cell_digits", field=field))
    return int(cell) if float(cell).is_integer() else cell


def _from_geojson(path: Path, number: Callable[[str], object] | None, crs: str | None) -> list[Any]:
    features = read_features(path, number)
    named = _named_crs(path) if crs is None else crs
    if named is None or named.upper().replace("::", ":").endswith(("CRS84", "EPSG:4326", "EPSG:4490")):
        return features
    return [_placed(feature, named, f"{path.name}, feature {n}") for n, feature in enumerate(features, 1)]


def _named_crs(path: Path) -> str | None:
    """Return the CRS that a GeoJSON file of before RFC 7946 names."""
    content = path.read_text(encoding="utf-8-sig")
    if '"crs"' not in content:
        return None
    whole = json.loads(content)
    member = whole.get("crs") if isinstance(whole, dict) else None
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return name if isinstance(name, str) else None


def _placed(feature: dict[str, Any], crs: str, name: str) -> dict[str, Any]:
    """Return a feature with its geometry in degrees; what is no geometry is left for the caller's check."""
    try:
        geometry = feature["geometry"]
        shape = shapely.geometry.shape(
            {"type": geometry["type"], "coordinates": _floats(geometry["coordinates"])}
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, shapely.errors.ShapelyError):
        return feature
    return {**feature, "geometry": _degrees(shape, crs, name)}


def _floats(value: object) -> object:
    return [_floats(part) for part in value] if isinstance(value, list) else float(value)  # type: ignore[arg-type]


def _degrees(shape: shapely.Geometry, crs: str | pyproj.CRS, name: str) -> dict[str, Any]:
    moved = shapely.transform(shapely.force_2d(shape), lambda xy: to_degrees(xy, crs, name))
    return dict(shapely.geometry.mapping(moved))


def _zipped(
    path: Path, number: Callable[[str], object] | None, layer: str | None, crs: str | None
) -> list[Any]:
    """Read the one layer of a zip; its members get plain names, as theirs may be in any encoding."""
    try:
        with zipfile.ZipFile(path) as packed, tempfile.TemporaryDirectory() as folder:
            if sum(member.file_size for member in packed.infolist()) > _MOST_BYTES:
                raise InputError(Sentence.of("zip_large", file=path.name))
            members = {PurePosixPath(m.filename): m for m in packed.infolist() if not m.is_dir()}
            found = [
                m for m in members if m.suffix.lower() in LAYER_ENDINGS[:-1] and m.parts[0] != "__MACOSX"
            ]
            chosen = _one([m.stem for m in found], layer, path.name, "several_files") if found else None
            if chosen is None:
                raise InputError(Sentence.of("zip_empty", file=path.name))
            main = found[chosen]
            for member, info in members.items():
                if member.parent == main.parent and member.stem.casefold() == main.stem.casefold():
                    inside = Path(folder) / f"layer{member.suffix.lower()}"
                    inside.write_bytes(packed.read(info))
            file = Path(folder) / f"layer{main.suffix.lower()}"
            if file.suffix in (".gpkg", ".shp"):
                return _vector(file, f"{path.name}/{main.name}", None if len(found) > 1 else layer, crs)
            return _from_geojson(file, number, crs)
    except FileNotFoundError:
        raise InputError(Sentence.of("no_file", path=str(path))) from None
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError):
        raise InputError(Sentence.of("no_zip", file=path.name)) from None


def _one(names: list[str], wanted: str | None, file: str, several: str) -> int:
    if wanted is not None and wanted in names:
        return names.index(wanted)
    if len(names) == 1:
        return 0
    raise InputError(Sentence.of(several, file=file, count=len(names), allowed=", ".join(names)))


def _vector(path: Path, name: str, layer: str | None, crs: str | None) -> list[Any]:
    if not path.is_file():
        raise InputError(Sentence.of("no_file", path=str(path)))
    try:
        layers = [str(row[0]) for row in pyogrio.list_layers(path) if row[1] is not None]
        if not layers:
            raise InputError(Sentence.of("no_layer", file=name))
        encoding = _dbf_encoding(path)
        meta, _, shapes, columns = pyogrio.raw.read(
            path, layer=layers[_one(layers, layer, name, "several_layers")], encoding=encoding, force_2d=True
        )
    except UnicodeDecodeError:
        raise InputError(Sentence.of("field_cut", file=name)) from None
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError):
        raise InputError(Sentence.of("no_vector", file=name)) from None
    geometry = shapely.from_wkb(shapes)
    declared = crs or meta["crs"]
    west, south, east, north = shapely.total_bounds(geometry)
    if declared is None and (max(-west, east) > 180 or max(-south, north) > 90):
        raise InputError(Sentence.of("layer_metres", file=name))
    if declared is not None:
        geometry = shapely.transform(geometry, lambda xy: to_degrees(xy, declared, name))
    values = [_plain(column, name, str(field)) for field, column in zip(meta["fields"], columns, strict=True)]
    return [
        {
            "type": "Feature",
            "geometry": None if shape is None else shapely.geometry.mapping(shape),
            "properties": dict(zip(map(str, meta["fields"]), row, strict=True)),
        }
        for shape, row in zip(
            geometry, zip(*values, strict=True) if values else [()] * len(geometry), strict=True
        )
    ]


def _plain(column: NDArray[Any], name: str, field: str) -> list[object]:
    """Return the values of one field; whole numbers stay whole, and none of their digits is made up."""
    if column.dtype.kind != "f":
        return [None if value is None else value for value in column.tolist()]
    if (np.abs(column[np.isfinite(column)]) > _EXACT_FLOAT).any():
        raise InputError(Sentence.of("field_digits", file=name, field=field))
    return [
        None if np.isnan(value) else int(value) if float(value).is_integer() else float(value)
        for value in column
    ]


def _dbf_encoding(path: Path) -> str | None:
    """Return the encoding of a Shapefile's table where no ``.cpg`` file says it: UTF-8, else GBK."""
    table = path.with_suffix(".dbf")
    if path.suffix.lower() != ".shp" or path.with_suffix(".cpg").is_file() or not table.is_file():
        return None
    content = table.read_bytes()
    # The header says with its length where the rows begin; names of fields are ASCII nearly always.
    rows = content[int.from_bytes(content[8:10], "little") :]
    try:
        rows.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"
