"""Readers of tracks of KML (``gx:Track``, points with a time, KMZ) and of the RMC sentences of NMEA 0183."""

import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import IO, Final

import numpy as np

from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.files.batches import HDOP_M
from geo.traces.files.gpx_plt import Fix, fixes_batch, in_utc, read_walk, track_rider
from geo.traces.files.text import Decoder, utf8_blocks
from geo.traces.formats import RawBatch, TraceFormat

__all__ = ["read_kml", "read_nmea"]

_ZIP: Final = b"PK\x03\x04"
_MOST_KML_BYTES: Final = 1 << 30
_SENTENCE: Final = re.compile(r"\$([A-Z]{2})([A-Z]{3}),([^*$]*)(?:\*([0-9A-Fa-f]{2}))?\s*$")
_OF_MAKERS: Final = re.compile(r"\$P[A-Z]|![A-Z]{5},")
"""Sentences of makers, and of ships about others."""
_RMC_FIELDS: Final = 9
_GGA_FIELDS: Final = 8


class _KmlTracks:
    """Gathers the timed points of a KML file while expat walks through it."""

    def __init__(self) -> None:
        self.fixes: list[Fix] = []
        self._whens: list[str] = []
        self._coords: list[str] = []
        self._point = ""
        self._inside: list[str] = []
        self._text: list[str] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        del attributes
        tag = tag.rpartition(":")[2]
        self._inside.append(tag)
        if tag in ("Track", "Placemark"):
            self._whens, self._coords, self._point = [], [], ""
        if tag in ("when", "coord", "coordinates"):
            self._text = []

    def text(self, piece: str) -> None:
        if self._text is not None:
            self._text.append(piece)

    def end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        self._inside.pop()
        said, self._text = "".join(self._text or ()).strip(), None
        if tag == "when" and ("Track" in self._inside or "TimeStamp" in self._inside):
            self._whens.append(said)
        elif tag == "coord":
            self._coords.append(said)
        elif tag == "coordinates" and "Point" in self._inside:
            self._point = said.replace(",", " ")
        elif tag == "Track":
            whole = len(self._whens) == len(self._coords)
            # Times and places are listed apart: with one too few, nobody knows which belong together.
            for when, place in itertools.zip_longest(self._whens, self._coords, fillvalue=""):
                self._take(when, place if whole else "")
            self._whens, self._coords = [], []
        elif tag == "Placemark" and self._point and len(self._whens) == 1:
            self._take(self._whens[0], self._point)

    def _take(self, when: str, place: str) -> None:
        lon, lat, *_ = [*place.split(), "", ""]
        self.fixes.append((lon, lat, in_utc(when), ""))


def read_kml(stream: IO[bytes], path: Path, name: str, trace_format: TraceFormat) -> Iterator[RawBatch]:
    """Read the tracks of a KML or KMZ file; its rider is its name, unless another rule was named."""
    head = stream.read(len(_ZIP))
    rest = stream.read(_MOST_KML_BYTES) if head == _ZIP else b""
    if rest:
        with zipfile.ZipFile(io.BytesIO(head + rest)) as packed:
            # The first KML file is the one that is meant (OGC 12-007r2, annex C).
            inner = next((n for n in packed.namelist() if n.lower().endswith(".kml")), None)
            if inner is None:
                raise InputError(Sentence.of("trace_archive_empty", name=name))
            with packed.open(inner) as member:
                first = member.read(len(_ZIP))
                yield from read_walk((first, member), _KmlTracks(), path, name, trace_format)
        return
    yield from read_walk((head, stream), _KmlTracks(), path, name, trace_format)


def _degrees(text: str, side: str) -> str:
    """Return degrees of ddmm.mmmm with its side of the equator or of Greenwich; empty where it is none."""
    found = re.fullmatch(r"(\d{2,3})(\d{2}(?:\.\d+)?)", text)
    if found is None or side not in "NSEW" or not side or float(found[2]) >= 60:
        return ""
    value = int(found[1]) + float(found[2]) / 60.0
    return repr(-value if side in "SW" else value)


def _is_whole(line: str, checksum: str | None) -> bool:
    """Return whether a sentence is as it was sent; one without a checksum cannot tell."""
    if not checksum:
        return True
    body = line[line.index("$") + 1 : line.rindex("*")]
    return reduce(lambda a, b: a ^ b, body.encode("utf-8", "replace"), 0) == int(checksum, 16)


class _Sentences:
    """Fixes of RMC sentences, which have a date; the HDOP of a GGA of the same second goes with them."""

    def __init__(self) -> None:
        self._hdop: tuple[str, str] = ("", "")

    def fix(self, line: str) -> Fix | bool:
        """Return the fix of a line, True for a damaged one, False for one that holds no fix."""
        found = _SENTENCE.search(line)
        if found is None:
            return _OF_MAKERS.search(line) is None
        if not _is_whole(line, found[4]):
            return True
        fields = found[3].split(",")
        if found[2] == "GGA" and len(fields) >= _GGA_FIELDS:
            self._hdop = fields[0], fields[7]
        if found[2] != "RMC":
            return False
        if len(fields) < _RMC_FIELDS:
            return True
        clock, status, lat, north, lon, east, _, _, date = fields[:9]
        time = ""
        if re.fullmatch(r"\d{6}(\.\d+)?", clock) and re.fullmatch(r"\d{6}", date):
            year, month, day = date[4:], date[2:4], date[:2]
            time = f"20{year}-{month}-{day} {clock[:2]}:{clock[2:4]}:{clock[4:6]}Z"
        accuracy = ""
        if status != "A":
            accuracy = "-1"  # the receiver warns of this fix
        elif self._hdop[0] == clock and re.fullmatch(r"\d+(\.\d+)?", self._hdop[1]):
            accuracy = str(HDOP_M * float(self._hdop[1]))
        return _degrees(lon, east), _degrees(lat, north), time, accuracy


def read_nmea(stream: IO[bytes], path: Path, name: str, trace_format: TraceFormat) -> Iterator[RawBatch]:
    """Read the RMC sentences of a log of a receiver; its rider is its name, unless another rule was named.

    A record is an RMC sentence, or a line that is damaged; other sentences hold no date or no place.
    """
    rider = track_rider(path, name, trace_format)
    sentences = _Sentences()
    number = 0
    for block in utf8_blocks(stream, Decoder(trace_format.encoding)):
        fixes: list[Fix] = []
        rows: list[int] = []
        lost: list[int] = []
        for line in block.decode("utf-8", "replace").removesuffix("\n").split("\n"):
            number += 1
            fix = sentences.fix(line) if line.strip() else False
            if fix is True:
                lost.append(number)
            elif fix is not False:
                rows.append(number)
                fixes.append(fix)
        yield fixes_batch(fixes, np.array(rows, np.int64), rider, lost, trace_format, name)
