"""Proposed edits of the map as files: GeoJSON, and an OSM change file for JOSM; nothing is applied."""

from pathlib import Path
from typing import Final

from api.outputs import write_json
from geo.osm import NewLink, known_nodes, osm_change
from maps.study import edit_sentence
from maps.texts import LANGUAGES, Wording
from siting.proposed import GateDelay, MapEdit
from siting.results import Study

__all__ = ["EDITS_CHANGE", "EDITS_JSON", "write_edits"]

EDITS_JSON: Final = "edits.geojson"
EDITS_CHANGE: Final = "edits.osc"
_WAY_TAGS: Final = {
    "ebike": {"highway": "path", "bicycle": "yes"},
    "bike": {"highway": "path", "bicycle": "yes"},
    "car": {"highway": "service"},
    "foot": {"highway": "path"},
}
_SHUT_TAG: Final = {"ebike": "electric_bicycle", "bike": "bicycle", "car": "motorcar", "foot": "foot"}
"""Keys that speak of one mode alone."""


def write_edits(study: Study, map_file: str | None, folder: Path) -> None:
    """Write the proposed edits of a study, and with them the waits at gates.

    Parameters
    ----------
    study : Study
        The frozen result.
    map_file : str, optional
        The OSM file of the study: it alone tells the versions of nodes, without which a gate cannot stand in
        the change file.
    folder : Path
        Of the results.
    """
    found = study.inner_ways
    if found is None:
        return
    features = [_edit_feature(edit, study.k) for edit in found.edits]
    features += [_gate_feature(gate) for gate in found.gates]
    content = {"type": "FeatureCollection", "k": study.k, "attribution": study.map_attribution}
    write_json(folder / EDITS_JSON, content | {"features": features})
    (folder / EDITS_CHANGE).write_bytes(_change(study, found.edits, map_file))


def _change(study: Study, edits: tuple[MapEdit, ...], map_file: str | None) -> bytes:
    say = Wording.of("en", study.k)
    links = [
        NewLink(
            (edit.line[0], edit.line[1]),
            (edit.node_ids[0], edit.node_ids[1]),
            _WAY_TAGS[study.mode] | {"fixme": edit_sentence(edit, say)},
        )
        for edit in edits
        if edit.kind == "cut_through"
    ]
    gates = {edit.node_ids[0]: edit for edit in edits if edit.kind == "shut_gate"}
    known = {}
    if map_file is not None:
        known = known_nodes(map_file, [number for number in gates if number is not None])
    changed = [
        (known[number], {_SHUT_TAG[study.mode]: "no", "fixme": edit_sentence(edit, say)})
        for number, edit in gates.items()
        if number in known
    ]
    return osm_change(links, changed, "yilu")


def _edit_feature(edit: MapEdit, k: int) -> dict[str, object]:
    line = [list(place) for place in edit.line]
    geometry = {"type": "Point", "coordinates": line[0]}
    if len(line) > 1:
        geometry = {"type": "LineString", "coordinates": line}
    said = {f"text_{lang}": edit_sentence(edit, Wording.of(lang, k)) for lang in LANGUAGES}
    properties = {
        "id": edit.edit_id,
        "layer": edit.kind,
        "osm_nodes": list(edit.node_ids),
        "compound": edit.compound,
        "riders": edit.riders,
        "days": edit.days,
        "passes": edit.passes,
        "seconds": edit.seconds,
    }
    return {"type": "Feature", "geometry": geometry, "properties": properties | said}


def _gate_feature(gate: GateDelay) -> dict[str, object]:
    properties = {
        "id": gate.gate_id,
        "layer": "gate_wait",
        "compound": gate.compound,
        "riders": gate.riders,
        "passes": gate.passes,
        "wait_s": gate.wait_s,
        "default_s": gate.default_s,
        "wait_s_by_hour": list(gate.by_hour),
    }
    geometry = {"type": "Point", "coordinates": list(gate.lonlat)}
    return {"type": "Feature", "geometry": geometry, "properties": properties}
