"""Small OSM XML files for tests, so that a case can be read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from geo.earth import DEGREE_M

Tags = Mapping[str, str]
Node = tuple[int, float, float, Tags] | tuple[int, float, float]
Way = tuple[int, Sequence[int], Tags]
Member = tuple[str, int, str]
Relation = tuple[int, Sequence[Member], Tags]

"""Degrees of one metre of latitude; at the equator also of longitude."""


def write_osm(
    path: Path, nodes: Sequence[Node], ways: Sequence[Way] = (), relations: Sequence[Relation] = ()
) -> Path:
    """Write an OSM XML file; nodes are (id, x_m, y_m[, tags]) in metres about (0, 0) and return the path."""
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", '<osm version="0.6">']
    for ident, x_m, y_m, *rest in nodes:
        tags: Tags = rest[0] if rest else {}
        at = f'lon="{x_m / DEGREE_M:.7f}" lat="{y_m / DEGREE_M:.7f}"'
        lines += [f'<node id="{ident}" version="1" {at}>', *_tags(tags), "</node>"]
    for ident, refs, tags in ways:
        lines += [f'<way id="{ident}" version="1">', *(f'<nd ref="{ref}"/>' for ref in refs)]
        lines += [*_tags(tags), "</way>"]
    for ident, members, tags in relations:
        lines.append(f'<relation id="{ident}" version="1">')
        names = {"n": "node", "w": "way", "r": "relation"}
        lines += [f'<member type="{names[kind]}" ref="{ref}" role="{role}"/>' for kind, ref, role in members]
        lines += [*_tags(tags), "</relation>"]
    path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
    return path


def _tags(tags: Tags) -> list[str]:
    return [f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items()]
