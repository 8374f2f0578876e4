"""Rows of lists of places, as offices keep them: tables and vector files of points."""

from pathlib import Path

from geo.datasets import LAYER_ENDINGS, TABLE_ENDINGS, Heading, PlaceTable, Row, read_layer, read_table
from geo.errors import InputError, all_at_once
from geo.sentences import Sentence

__all__ = ["read_rows"]


def read_rows(path: Path, heading: Heading, layer: str | None = None, crs: str | None = None) -> PlaceTable:
    """Read the rows of a list.

    Parameters
    ----------
    path : Path
        ``.csv`` (UTF-8 or GBK), ``.xlsx``, ``.geojson``, ``.gpkg``, ``.shp`` or a zip of the last three.
    heading : callable
        Finds our columns among the headings of the file, or raises `InputError`.
    layer : str, optional
        Layer or sheet, of files in which several fit.
    crs : str, optional
        Of vector files that do not name theirs.

    Raises
    ------
    InputError
        For a file that cannot be read, or in which no row is a heading.
    """
    ending = path.suffix.lower()
    if ending not in (*TABLE_ENDINGS, *LAYER_ENDINGS):
        raise InputError(Sentence.of("ending", file=path.name))
    if ending in LAYER_ENDINGS:
        return _points(path, heading, layer, crs)
    return read_table(path, heading, layer)


def _points(path: Path, heading: Heading, layer: str | None, crs: str | None) -> PlaceTable:
    features = read_layer(path, layer=layer, crs=crs)
    if not features:
        raise InputError(Sentence.of("no_points", file=path.name))
    rows: list[Row] = []
    wrong: list[Sentence] = []
    for number, feature in enumerate(features, 1):
        try:
            geometry = feature["geometry"]
            if geometry["type"] == "MultiPoint" and len(geometry["coordinates"]) == 1:
                # as programs export points by default
                geometry = {"type": "Point", "coordinates": geometry["coordinates"][0]}
            if geometry["type"] != "Point":
                shape = str(geometry["type"])
                wrong.append(Sentence.of("not_point", number=number, shape=shape))
                continue
            lon, lat = geometry["coordinates"][:2]
            rows.append((number, {**(feature.get("properties") or {}), "lon": lon, "lat": lat}))
        except (KeyError, TypeError, ValueError, AttributeError):
            wrong.append(Sentence.of("no_point", number=number))
    if wrong:
        raise all_at_once(path.name, wrong)
    names = dict.fromkeys(name for _, row in rows for name in row)
    try:
        columns = heading(list(names))
    except InputError as error:
        raise InputError(Sentence.of("in_file", file=path.name, what=error.said)) from None
    return PlaceTable(rows, {**columns, "lon": "lon", "lat": "lat"})
