"""The decoder of pbf blocks beside osmium: random objects in every form of pbf, and broken bytes."""

import contextlib
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.osm.files.opl import OsmColumns, Selection, parse_tags, scan_opl
from geo.osm.files.pbf import UnsupportedError, scan_pbf
from geo.osm.read import read_raw

SLOW_FIXTURE = [HealthCheck.function_scoped_fixture]
# Not from U+100000 on: osmium writes these wrongly as text.
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), max_codepoint=0xFFFFF) | st.sampled_from("%,=@ "),
    max_size=6,
)
TAGS = st.dictionaries(
    st.sampled_from(["highway", "name", "junk", "x"]) | TEXT.filter(bool), TEXT, max_size=4
)
IDS = st.integers(-(10**12), 10**12).filter(lambda n: n != 0)
MEMBERS = st.lists(st.tuples(st.sampled_from("nwr"), IDS, TEXT), max_size=4)
WANTED = Selection(frozenset({"highway"}), frozenset({"highway", "name"}), drop=frozenset({"junk"}))
FORMS = ["", "pbf_compression=none", "pbf_dense_nodes=false", "pbf_dense_nodes=false,pbf_compression=none"]


def write(path: Path, form: str, objects: dict[str, Any]) -> Path:
    path.unlink(missing_ok=True)
    with osmium.SimpleWriter(osmium.io.File(str(path), f"{form},add_metadata=none")) as writer:
        for ident, (x, tags) in objects["nodes"].items():
            location = osmium.osm.Location(x / 1e7, x / 4e7)
            writer.add_node(osmium.osm.mutable.Node(id=ident, location=location, tags=tags))
        for ident, (refs, tags) in objects["ways"].items():
            writer.add_way(osmium.osm.mutable.Way(id=ident, nodes=refs, tags=tags))
        for ident, (members, tags) in objects["relations"].items():
            writer.add_relation(osmium.osm.mutable.Relation(id=ident, members=members, tags=tags))
    return path


def plain(file: OsmColumns) -> dict[str, object]:
    """Everything in the file, tags read."""
    found: dict[str, object] = {"relations": file.relations}
    for name in ("node_id", "node_x", "node_y"):
        found[name] = getattr(file, name).tolist()
    for name, objects in (("nodes", file.nodes), ("ways", file.ways)):
        found[name] = (
            objects.id.tolist(),
            [parse_tags(text) for text in objects.texts()],
            objects.ref_ptr.tolist(),
            objects.ref.tolist(),
            objects.street.tolist(),
        )
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW_FIXTURE)
@given(
    form=st.sampled_from(FORMS),
    objects=st.fixed_dictionaries(
        {
            "nodes": st.dictionaries(
                IDS, st.tuples(st.integers(-1_799_999_999, 1_799_999_999), TAGS), max_size=6
            ),
            "ways": st.dictionaries(IDS, st.tuples(st.lists(IDS, max_size=6), TAGS), max_size=5),
            "relations": st.dictionaries(IDS, st.tuples(MEMBERS, TAGS), max_size=3),
        }
    ),
)
def test_pbf_equals_the_text_form(tmp_path: Path, form: str, objects: dict[str, Any]) -> None:
    binary = scan_pbf(write(tmp_path / "a.osm.pbf", f"pbf,{form}".rstrip(","), objects), WANTED, WANTED)
    text = scan_opl(write(tmp_path / "a.opl", "opl", objects), WANTED, WANTED)
    assert plain(binary) == plain(text)


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW_FIXTURE)
@given(data=st.data())
def test_broken_bytes_raise_and_never_read_beyond(tmp_path: Path, data: st.DataObject) -> None:
    objects: dict[str, Any] = {
        "nodes": {n: (n * 1000, {"highway": "crossing", "name": "桥"}) for n in range(1, 9)},
        "ways": {1: ([1, 2, 3, 4], {"highway": "service", "name": "a=b"})},
        "relations": {7: ([("w", 1, "from"), ("n", 2, "via")], {"type": "restriction"})},
    }
    form = data.draw(st.sampled_from(FORMS[1::2]))
    content = bytearray(write(tmp_path / "a.osm.pbf", f"pbf,{form}", objects).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "b.osm.pbf").write_bytes(content)
    with contextlib.suppress(ValueError, UnsupportedError):
        scan_pbf(tmp_path / "b.osm.pbf", WANTED, WANTED)


def blob(kind: bytes, body: bytes) -> bytes:
    """A block as it stands in a file; `kind` and `body` short enough for lengths of one byte."""
    header = b"\x0a" + bytes([len(kind)]) + kind + b"\x18" + bytes([len(body)])
    return struct.pack(">I", len(header)) + header + body


def raw(content: bytes) -> bytes:
    return b"\x0a" + bytes([len(content)]) + content


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (blob(b"OSMData", raw(b"")), "does not begin"),
        (blob(b"OSMHeader", raw(b"")) + b"\x00\x00", "cut off"),
        (blob(b"OSMHeader", b"\x10\x05\x1a\x02xx"), "cannot be inflated"),
        (blob(b"OSMHeader", b"\x10\x05\x1a\x0c" + zlib.compress(b"1234")), "another size"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "a.osm.pbf"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        scan_pbf(path, WANTED, WANTED)


def test_rare_forms_are_left_to_osmium(tmp_path: Path) -> None:
    path = tmp_path / "a.osm.pbf"
    path.write_bytes(blob(b"OSMHeader", raw(b"\x22\x08Whatever")))
    with pytest.raises(UnsupportedError, match="Whatever"):
        scan_pbf(path, WANTED, WANTED)
    path.write_bytes(blob(b"OSMHeader", b"\x32\x02xx"))
    with pytest.raises(UnsupportedError, match="compressed"):
        scan_pbf(path, WANTED, WANTED)


def test_pbf_with_another_compression(tmp_path: Path) -> None:
    objects: dict[str, Any] = {
        "nodes": {1: (1000, {}), 2: (2000, {})},
        "ways": {1: ([1, 2], {"highway": "service"})},
        "relations": {},
    }
    try:
        path = write(tmp_path / "a.osm.pbf", "pbf,pbf_compression=lz4", objects)
    except ValueError:
        pytest.skip("this osmium writes no lz4")
    assert np.array_equal(read_raw(path).node_id, [1, 2])
