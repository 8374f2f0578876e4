"""What JOSM saves as deleted: objects with ``action="delete"``, which osmium reads as if they were there."""

import bz2
import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

__all__ = ["josm_deleted"]

CHUNK_BYTES = 1 << 22
LONGEST_HEAD = 1 << 12
"""Bytes of an opening tag with its attributes."""

_OPENERS: dict[str, Callable[[Path], object]] = {
    ".osm": lambda path: path.open("rb"),
    ".osm.gz": gzip.open,
    ".osm.bz2": bz2.open,
}
_HEAD = re.compile(rb"<(node|way|relation)\b([^<>]*)>")
_DELETED = re.compile(rb"\baction\s*=\s*[\"']delete[\"']")
_ID = re.compile(rb"\bid\s*=\s*[\"'](-?[0-9]+)[\"']")


def josm_deleted(path: Path) -> set[tuple[str, int]]:
    """Type letter and id of each object that an OSM XML file marks as deleted; none of other formats."""
    opener = next((one for ending, one in _OPENERS.items() if path.name.endswith(ending)), None)
    found: set[tuple[str, int]] = set()
    if opener is None:
        return found
    with cast("BinaryIO", opener(path)) as file:
        rest = b""
        while block := file.read(CHUNK_BYTES):
            text = rest + block
            if b"action" in text:
                for head in _HEAD.finditer(text):
                    ident = _ID.search(head[2])
                    if ident is not None and _DELETED.search(head[2]):
                        found.add((head[1][:1].decode(), int(ident[1])))
            # An opening tag that is cut off at the end of the block is looked at with the next one.
            rest = text[max(text.rfind(b"<"), len(text) - LONGEST_HEAD, 0) :]
    return found
