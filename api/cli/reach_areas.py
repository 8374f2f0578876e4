"""``yilu reach``: the areas from where a place is reached in so many minutes, as GeoJSON."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geo.errors import InputError

if TYPE_CHECKING:
    from geo.datum import Datum
    from geo.streets import StreetNetwork

__all__ = ["reach"]

FILE = click.Path(path_type=Path)


@click.command("reach")
@click.argument("map_file", metavar="MAP.osm.pbf", type=FILE)
@click.option("--lon", type=click.FloatRange(-180, 180), required=True, help="Of the place, in degrees.")
@click.option("--lat", type=click.FloatRange(-90, 90), required=True)
@click.option("--datum", type=click.Choice(["wgs84", "gcj02", "bd09"]), required=True, help="In and out.")
@click.option(
    "--mode", type=click.Choice(["ebike", "bike", "foot", "car"]), default="ebike", show_default=True
)
@click.option(
    "--minutes", type=click.FloatRange(0, 120, min_open=True), multiple=True, default=(5.0, 10.0),
    show_default=True, help="One area each; may be given several times.",
)  # fmt: skip
@click.option("--away", is_flag=True, help="Trips that begin at the place, not those that end there.")
@click.option("--out", type=FILE, default=None, help="File to write; on the screen by default.")
def reach(
    map_file: Path, lon: float, lat: float, datum: "Datum", mode: str, minutes: tuple[float, ...],
    away: bool, out: Path | None,
) -> None:  # fmt: skip
    """Draw the areas from where a place is reached, by legal streets, in so many minutes (isochrones)."""
    from geo.osm import read_osm

    network, _ = read_osm(map_file)
    found = _areas(network, (lon, lat), datum, mode, sorted(set(minutes)), towards=not away)
    text = json.dumps(found, ensure_ascii=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


def _areas(
    network: "StreetNetwork",
    place: tuple[float, float],
    datum: "Datum",
    mode: str,
    minutes: Sequence[float],
    *,
    towards: bool,
) -> dict[str, Any]:
    """Return the areas as a GeoJSON feature collection, the widest first, in the datum of the question."""
    import numpy as np
    import shapely

    from geo.datum import from_wgs84, to_wgs84
    from geo.travel import isochrone

    origin = network.snap(to_wgs84(np.array([place]), datum), mode)
    if not origin.ok[0]:
        raise InputError(
            f"{place[0]}, {place[1]} lies {origin.walk_m[0]:.0f} m from every street for {mode} on this map"
        )
    areas = isochrone(network, mode, origin, [60 * one for one in minutes], towards=towards)
    features = []
    for one, area in reversed(list(zip(minutes, areas, strict=True))):
        shown = shapely.set_precision(shapely.transform(area, lambda xy: from_wgs84(xy, datum)), 1e-6)
        features.append(
            {
                "type": "Feature",
                "properties": {"minutes": one, "mode": mode, "towards": towards, "datum": datum},
                "geometry": json.loads(shapely.to_geojson(shown)),
            }
        )
    return {"type": "FeatureCollection", "features": features}
