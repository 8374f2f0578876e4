"""A change file is XML with right ids, keeps the tags of nodes, and does to a map what it says."""

from pathlib import Path
from xml.etree import ElementTree

import osmium
from osm_xml import Node, write_osm

from geo.osm import NewLink, known_nodes, osm_change

GATE = {"barrier": "gate", "name": "East & <west>"}


def _map(folder: Path) -> Path:
    nodes: list[Node] = [(1, 0, 0), (2, 100, 0, GATE), (3, 200, 0), (4, 200, 100)]
    return write_osm(folder / "map.osm", nodes, [(9, [1, 2, 3, 4], {"highway": "service"})])


def test_new_objects_have_negative_ids_and_old_ones_their_version(tmp_path: Path) -> None:
    known = known_nodes(_map(tmp_path), [2, 77, -5])
    assert list(known) == [2]
    links = [
        NewLink(((0.0, 0.0), (0.001, 0.001)), (1, None), {"highway": "path"}),
        NewLink(((0.5, 0.5), (0.501, 0.501)), (None, None), {"highway": "path", "fixme": "look"}),
    ]
    content = osm_change(links, [(known[2], {"electric_bicycle": "no"})], "yilu")
    root = ElementTree.fromstring(content)  # noqa: S314 - made here
    assert (root.tag, root.get("version")) == ("osmChange", "0.6")
    created = root.find("create")
    assert created is not None
    ids = [node.get("id") for node in created.findall("node")]
    assert ids == ["-1", "-2", "-3"]
    refs = [[nd.get("ref") for nd in way.findall("nd")] for way in created.findall("way")]
    assert refs == [["1", "-1"], ["-2", "-3"]]
    assert [way.get("id") for way in created.findall("way")] == ["-1", "-2"]
    node = root.find("modify/node")
    assert node is not None
    assert (node.get("id"), node.get("version")) == ("2", "1")
    assert {tag.get("k"): tag.get("v") for tag in node.findall("tag")} == {**GATE, "electric_bicycle": "no"}


def test_osmium_reads_the_file_as_changes(tmp_path: Path) -> None:
    known = known_nodes(_map(tmp_path), [2])
    path = tmp_path / "edits.osc"
    path.write_bytes(osm_change([], [(known[2], {"electric_bicycle": "no"})], "yilu"))
    found = [
        (node.type_str(), dict(node.tags)["electric_bicycle"]) for node in osmium.FileProcessor(str(path))
    ]
    assert found == [("n", "no")]


def test_without_versions_nothing_on_the_map_is_changed(tmp_path: Path) -> None:
    path = _map(tmp_path)
    bare = tmp_path / "bare.osm"
    bare.write_text(path.read_text(encoding="utf-8").replace(' version="1"', ""), encoding="utf-8")
    assert known_nodes(bare, [2]) == {}
    assert known_nodes(tmp_path / "map.graphml", [2]) == {}
    root = ElementTree.fromstring(osm_change([], [], "yilu"))  # noqa: S314 - likewise
    assert len(root) == 0
