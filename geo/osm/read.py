"""OpenStreetMap files and place names into a `StreetNetwork` and `Places`; the only door to osmium and osmnx.

A pbf file is decoded block by block (`geo.osm.files.pbf`). Another one (``.osm``, ``.osm.gz``, ``.osm.bz2``,
``.opl``,
or a pbf in a rare form) is turned by osmium, in C++, into one line of text an object, in a temporary file
about six times the size of the pbf; `geo.osm.files.opl` scans that text. Ids may be synthetic, negative or
unsorted; a way that lacks a node loses only the segments there.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import osmium

from geo.arrays import FloatArray
from geo.errors import InputError, YiluError
from geo.osm.areas import AREA_KEYS, Areas, read_areas
from geo.osm.compounds import close_compounds
from geo.osm.ferries import FERRY_WAIT_S, FERRY_WAY_KEYS
from geo.osm.files.josm import josm_deleted
from geo.osm.files.opl import OsmColumns, Selection, TaggedNodes, scan_opl
from geo.osm.files.pbf import UnsupportedError, scan_pbf
from geo.osm.places import PLACE_NODE_KEYS, places_of_map
from geo.osm.rules.access import WAY_KEYS
from geo.osm.rules.barriers import NODE_KEYS
from geo.osm.ways import STREET_KEYS, raw_ways, read_streets, squares_not_whole
from geo.places import POI_KEYS, Places
from geo.streets.build import build_network
from geo.streets.network import VERSION as NETWORK_FORMAT
from geo.streets.network import StreetNetwork
from geo.streets.raw import GATE_DELAY_S, RawWays

__all__ = ["SUFFIXES", "read_graphml", "read_osm", "read_place", "read_raw"]

SUFFIXES = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2", ".opl")
"""Endings of the map files that can be read."""

FORMAT = 11
"""Raised when the meaning of what this module reads changes, so that older caches are not used."""

_NAMES = frozenset({"name", "name:zh", "name:en"})
_STREET_NODES = Selection(select=frozenset({"barrier", "highway"}), keep=NODE_KEYS)
_STREET_WAYS = Selection(
    select=frozenset({"highway", "route", "landuse", "amenity", "barrier"}) | FERRY_WAY_KEYS,
    keep=STREET_KEYS | {"landuse", "amenity", "barrier", "gated", "residential"},
    drop=frozenset({"building"}),
)
_PLACE_NODES = Selection(select=PLACE_NODE_KEYS | {"highway"}, keep=PLACE_NODE_KEYS | NODE_KEYS | _NAMES)
_PLACE_WAYS = Selection(
    select=frozenset({"highway", "route", *AREA_KEYS}) | FERRY_WAY_KEYS,
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
    return _read(Path(path), _STREET_NODES, _STREET_WAYS).raw


def read_osm(
    path: Path | str,
    cache_dir: Path | str | None = None,
    gate_delay_s: float = GATE_DELAY_S,
    ferry_wait_s: float = FERRY_WAIT_S,
) -> tuple[StreetNetwork, Places]:
    """Street network and places of an OSM file.

    Parameters
    ----------
    path : Path
        Local file with one of the endings `SUFFIXES`; or ``.graphml`` of OSMnx, which holds no places.
    cache_dir : Path, optional
        Folder for the finished network and places, one subfolder for each content and parameters; a second
        reading maps them into memory. A subfolder that cannot be read is written anew.
    gate_delay_s : float
        Seconds lost at the gate of a compound, 0 or more.
    ferry_wait_s : float
        Seconds until the next ferry leaves, 0 or more; counted over the crossing.

    Returns
    -------
    StreetNetwork, Places

    Raises
    ------
    InputError
        The file is missing, broken, of another kind, or holds no street.
    """
    path = Path(path)
    if not 0 <= ferry_wait_s < 86_400:
        raise InputError(f"the wait for a ferry must be 0 to 86400 s, not {ferry_wait_s}")
    if path.name.endswith(".graphml"):
        network = read_graphml(path, gate_delay_s)
        return network, Places.empty(network.compounds)
    _check(path)
    folder = None
    if cache_dir is not None:
        folder = Path(cache_dir) / _cache_key(path, gate_delay_s, ferry_wait_s)
        if (folder / "complete").is_file():
            try:
                return StreetNetwork.load(folder / "network"), Places.load(folder / "places")
            except (YiluError, OSError, ValueError, KeyError):
                shutil.rmtree(folder, ignore_errors=True)
    read = _read(path, _PLACE_NODES, _PLACE_WAYS, ferry_wait_s)
    network = build_network(read.raw, gate_delay_s=gate_delay_s)
    if not network.edge_length_m.sum() > 0:
        raise InputError(f"{path} holds no street of any length: nodes are missing or misplaced.")

    places = places_of_map(read.nodes, read.areas, read.raw.compounds, read.crossings)
    if folder is not None:
        _store(folder, network, places)
    return network, places


def read_place(query: str, cache_dir: Path | str | None = None) -> StreetNetwork:
    """Street network of a place by its name, downloaded by OSMnx.

    Parameters
    ----------
    query : str
        A name that Nominatim knows, such as ``"Haidian, Beijing, China"``.
    cache_dir : Path, optional
        Where OSMnx keeps its downloads; without it nothing is kept.

    Raises
    ------
    InputError
        There is no internet, or no such place.
    """
    # OSMnx takes seconds to import and is needed for this door only.
    import osmnx

    from geo.osm.osmnx import from_osmnx

    before = {
        name: getattr(osmnx.settings, name) for name in ("useful_tags_way", "use_cache", "cache_folder")
    }
    try:
        osmnx.settings.useful_tags_way = sorted({*before["useful_tags_way"], *WAY_KEYS, "name"})
        osmnx.settings.use_cache = cache_dir is not None
        osmnx.settings.cache_folder = str(cache_dir or "")
        graph = osmnx.graph_from_place(query, network_type="all", simplify=False, retain_all=True)
    except OSError as error:
        raise InputError(f"the streets of {query!r} cannot be downloaded: no internet here.") from error
    except (ValueError, TypeError, osmnx._errors.InsufficientResponseError) as error:
        raise InputError(f"OpenStreetMap knows no place {query!r} with streets: {error}") from error
    finally:
        for name, value in before.items():
            setattr(osmnx.settings, name, value)
    return from_osmnx(graph)


def read_graphml(path: Path | str, gate_delay_s: float = GATE_DELAY_S) -> StreetNetwork:
    """Street network of a GraphML file that OSMnx saved.

    Raises
    ------
    InputError
        The file is missing or not such a graph.
    """
    import osmnx

    from geo.osm.osmnx import from_osmnx

    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} is not there or not a file.")
    try:
        graph = osmnx.load_graphml(path, edge_dtypes={"oneway": str, "reversed": str})
    except (ValueError, KeyError, OSError, SyntaxError) as error:
        raise InputError(f"{path} is not a GraphML file of OSMnx: {error}.") from error
    return from_osmnx(graph, gate_delay_s)


def _cache_key(path: Path, gate_delay_s: float, ferry_wait_s: float) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    settings = f"{FORMAT}|{NETWORK_FORMAT}|{gate_delay_s!r}|{ferry_wait_s!r}"
    digest.update(f"|{settings}|{path.name.split('.', 1)[-1]}".encode())
    return digest.hexdigest()[:32]


def _store(folder: Path, network: StreetNetwork, places: Places) -> None:
    """Write beside the final name first: a reader never sees half a cache."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as work:
        fresh = Path(work) / "fresh"
        network.save(fresh / "network")
        places.save(fresh / "places")
        (fresh / "complete").touch()
        if not folder.exists():
            fresh.rename(folder)


class _Read(NamedTuple):
    """A map file: streets, tagged nodes, areas, and where streets cross the outline of a compound."""

    raw: RawWays
    nodes: TaggedNodes
    areas: Areas
    crossings: FloatArray


def _read(path: Path, nodes: Selection, ways: Selection, ferry_wait_s: float = FERRY_WAIT_S) -> _Read:
    file = _scan(path, nodes, ways)
    streets, areas = read_streets(file, ferry_wait_s), read_areas(file)
    left_out = {**streets.left_out, "areas_not_whole": areas.not_whole + squares_not_whole(file)}
    streets = streets._replace(left_out=left_out)
    if not len(streets.way_id):
        raise InputError(f"{path} holds no street that anybody may use (ways with a highway tag).")
    if np.isnan(streets.node_lonlat).any(axis=1).all():
        raise InputError(f"{path} holds streets but the positions of none of their nodes.")
    tagged, relations = file.tagged(), file.relations
    # The positions of all nodes are the largest part; they are not needed any more.
    del file
    mapped = len(streets.node_id)
    compounds, streets = close_compounds(areas, streets)
    raw = raw_ways(relations, streets, compounds)
    return _Read(raw, tagged, areas, raw.node_lonlat[mapped:])


def _check(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path} is not there or not a file.")
    if not path.name.endswith(SUFFIXES):
        raise InputError(f"{path} has no ending of an OSM map file ({', '.join((*SUFFIXES, '.graphml'))}).")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty.")


def _scan(path: Path, nodes: Selection, ways: Selection) -> OsmColumns:
    _check(path)
    try:
        if path.name.endswith(".pbf"):
            try:
                return scan_pbf(path, nodes, ways)
            except UnsupportedError:
                pass
        with tempfile.TemporaryDirectory(prefix="yilu-") as folder:
            text = Path(folder) / "map.opl"
            # With the version comes the mark of what is not visible any more.
            with osmium.SimpleWriter(osmium.io.File(str(text), "opl,add_metadata=version")) as writer:
                deleted = josm_deleted(path)
                if deleted:
                    for thing in osmium.FileProcessor(str(path)):
                        if (thing.type_str(), thing.id) not in deleted:
                            writer.add(thing)
                else:
                    osmium.apply(osmium.io.Reader(str(path)), writer)
            return scan_opl(text, nodes, ways)
    except (RuntimeError, ValueError, OSError, EOFError) as error:
        raise InputError(f"{path} cannot be read as an OSM map: {error}.") from error
