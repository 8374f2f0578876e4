"""Proposed edits as an OSM change file (osmChange 0.6), which JOSM opens as a layer; nothing is uploaded.

New objects have negative ids. Of what is on the map only nodes change, and only those of which the map file
tells the version: without it an upload could undo what others did since.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import osmium

__all__ = ["KnownNode", "NewLink", "known_nodes", "osm_change"]


class KnownNode(NamedTuple):
    """A node as the map file has it."""

    node_id: int
    version: int
    lonlat: tuple[float, float]
    tags: Mapping[str, str]


class NewLink(NamedTuple):
    """A way of two nodes that the map lacks.

    ``ends`` are (lon, lat) in degrees; ``node_ids`` the nodes of the map at which it begins and ends, None
    where there is none.
    """

    ends: tuple[tuple[float, float], tuple[float, float]]
    node_ids: tuple[int | None, int | None]
    tags: Mapping[str, str]


def known_nodes(path: Path | str, node_ids: Iterable[int]) -> dict[int, KnownNode]:
    """Return those of some nodes that an OSM file holds with their version.

    Parameters
    ----------
    path : Path
        With one of the endings that `geo.osm.read_osm` reads; a GraphML file tells no versions.
    node_ids : iterable of int
    """
    wanted = {number for number in node_ids if number > 0}
    if not wanted or str(path).endswith(".graphml"):
        return {}
    found = {}
    nodes = osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(osmium.filter.IdFilter(wanted))
    for node in nodes:
        if isinstance(node, osmium.osm.Node) and node.version > 0:
            tags = {tag.k: tag.v for tag in node.tags}
            found[node.id] = KnownNode(node.id, node.version, (node.location.lon, node.location.lat), tags)
    return found


def osm_change(
    links: Sequence[NewLink], changed: Sequence[tuple[KnownNode, Mapping[str, str]]], generator: str
) -> bytes:
    """Return an OSM change file.

    Parameters
    ----------
    links : sequence of NewLink
        To be created.
    changed : sequence of (KnownNode, mapping)
        Nodes of the map, and the tags that they shall have besides theirs.
    generator : str
        Who made the file.
    """
    root = ElementTree.Element("osmChange", version="0.6", generator=generator)
    if links:
        create = ElementTree.SubElement(root, "create")
        ways, last = [], 0
        for link in links:
            refs: list[int] = []
            for (lon, lat), known in zip(link.ends, link.node_ids, strict=True):
                if known is None:
                    last -= 1
                    ElementTree.SubElement(create, "node", {"id": str(last), **_place(lon, lat)})
                refs.append(last if known is None else known)
            ways.append((refs, link.tags))
        for number, (refs, tags) in enumerate(ways, start=1):
            way = ElementTree.SubElement(create, "way", id=str(-number))
            for ref in refs:
                ElementTree.SubElement(way, "nd", ref=str(ref))
            _tags(way, tags)
    if changed:
        modify = ElementTree.SubElement(root, "modify")
        for node, tags in changed:
            named = {"id": str(node.node_id), "version": str(node.version)}
            one = ElementTree.SubElement(modify, "node", named | _place(*node.lonlat))
            _tags(one, {**node.tags, **tags})
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _place(lon: float, lat: float) -> dict[str, str]:
    return {"lat": f"{lat:.7f}", "lon": f"{lon:.7f}"}


def _tags(element: ElementTree.Element, tags: Mapping[str, str]) -> None:
    for key, value in tags.items():
        ElementTree.SubElement(element, "tag", k=key, v=value)
