"""OpenStreetMap files and place names into a `StreetNetwork` and `Places`; the only door to osmium and osmnx.

A file (``.osm.pbf``, ``.osm``, ``.osm.gz``, ``.osm.bz2``, ``.opl``) is turned by osmium, in C++, into one
line of text an object, in a temporary file about six times the size of the pbf; `geo.opl` scans that text
into columns. Ids may be synthetic, negative or unsorted; a way that lacks a node loses only the segments
there.
"""

import tempfile
from pathlib import Path

import osmium

from geo.access import NODE_KEYS
from geo.areas import AREA_KEYS, Areas, read_areas
from geo.compounds import close_compounds
from geo.errors import InputError
from geo.mapways import STREET_KEYS, raw_ways, read_streets
from geo.opl import OplFile, Wanted, scan
from geo.places import PLACE_NODE_KEYS, POI_KEYS, Places, read_places
from geo.rawways import GATE_DELAY_S, RawWays
from geo.streets import StreetNetwork

__all__ = ["SUFFIXES", "read_osm", "read_raw"]

SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2", ".opl")
"""Endings of the map files that can be read."""

_NAMES = frozenset({"name", "name:zh", "name:en"})
_STREET_NODES = Wanted(select=frozenset({"barrier"}), keep=NODE_KEYS)
_STREET_WAYS = Wanted(
    select=frozenset({"highway", "landuse", "amenity", "barrier"}),
    keep=STREET_KEYS | {"landuse", "amenity", "barrier", "gated", "residential"},
)
_PLACE_NODES = Wanted(select=PLACE_NODE_KEYS, keep=PLACE_NODE_KEYS | NODE_KEYS | _NAMES)
_PLACE_WAYS = Wanted(
    select=frozenset({"highway", *AREA_KEYS}),
    keep=STREET_KEYS | set(AREA_KEYS) | set(POI_KEYS) | {"gated", "residential"},
)


def read_raw(path: Path | str) -> RawWays:
    """Streets of an OSM file with their rules, barriers, compounds and turn restrictions.

    Parameters
    ----------
    path : Path
        Local file with one of the endings `SUFFIXES`.

    Raises
    ------
    InputError
        The file is missing, broken, of another kind, or holds no street.
    """
    file = _scan(Path(path), _STREET_NODES, _STREET_WAYS)
    return _raw(Path(path), file, read_areas(file))


def read_osm(
    path: Path | str, cache_dir: Path | None = None, gate_delay_s: float = GATE_DELAY_S
) -> tuple[StreetNetwork, Places]:
    """Street network and places of an OSM file."""
    path = Path(path)
    file = _scan(path, _PLACE_NODES, _PLACE_WAYS)
    areas = read_areas(file)
    raw = _raw(path, file, areas)
    network = StreetNetwork.build(raw, gate_delay_s=gate_delay_s)
    return network, read_places(file, areas, raw.compounds)


def _raw(path: Path, file: OplFile, areas: Areas) -> RawWays:
    streets = read_streets(file)
    if not len(streets.way_id):
        raise InputError(f"{path} holds no street that anybody may use (ways with a highway tag).")
    compounds, streets = close_compounds(areas, streets)
    return raw_ways(file, streets, compounds)


def _scan(path: Path, nodes: Wanted, ways: Wanted) -> OplFile:
    if not path.is_file():
        raise InputError(f"{path} is not there or not a file.")
    if not path.name.endswith(SUFFIXES):
        raise InputError(f"{path} has no ending of an OSM map file ({', '.join(SUFFIXES)}).")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty.")
    with tempfile.TemporaryDirectory(prefix="yilu-") as folder:
        text = Path(folder) / "map.opl"
        try:
            with osmium.SimpleWriter(osmium.io.File(str(text), "opl,add_metadata=none")) as writer:
                osmium.apply(osmium.io.Reader(str(path)), writer)
        except (RuntimeError, ValueError, OSError) as error:
            raise InputError(f"{path} cannot be read as an OSM map: {error}.") from error
        return scan(text, nodes, ways)
