"""Readers of GPX files and of GeoLife .plt files, and the walk through XML that other tracks share."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final, Protocol
from xml.parsers import expat

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geo.traces.files.batches import HDOP_M, make_batch
from geo.traces.files.tables.columns import rider_of_file
from geo.traces.files.text import Decoder, utf8_blocks
from geo.traces.formats import RawBatch, TraceFormat

__all__ = ["Fix", "fixes_batch", "in_utc", "read_gpx", "read_plt", "read_walk", "track_rider"]

Fix = tuple[str, str, str, str]
"""Longitude, latitude, time, and metres of accuracy, as texts."""

_PIECE_BYTES: Final = 1 << 20
_NO_ZONE: Final = re.compile(r"^\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?$")
#: What apps call the accuracy of a point, inside extensions.
_ACCURACY: Final = ("accuracy", "hacc", "horizontalaccuracy", "horizontal_accuracy")
_XML_ENCODING: Final = re.compile(rb"""<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']""")


class _After:
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        self._head, self._stream = head, stream

    def read(self, count: int) -> bytes:
        head, self._head = self._head, b""
        return head or self._stream.read(count)


class _Walk(Protocol):
    """What is told of each tag while expat walks through a file."""

    fixes: list[Fix]

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin a tag."""

    def text(self, piece: str) -> None:
        """Take a piece of text."""

    def end(self, tag: str) -> None:
        """End a tag."""


class _TrackPoints:
    """Gathers the track points of a GPX file while expat walks through it."""

    def __init__(self) -> None:
        self.fixes: list[Fix] = []
        self._at: tuple[str, str] | None = None
        self._depth = 0
        self._time: list[str] | None = None
        self._text = ""
        self._error: list[str] | None = None
        self._accuracy = self._hdop = ""
        self._of_hdop = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "trkpt":
            self._at, self._text = (attributes.get("lon", ""), attributes.get("lat", "")), ""
            self._accuracy = self._hdop = ""
            self._depth = 0
        elif self._at is not None:
            self._depth += 1
            # A time inside extensions is another one than that of the point.
            if tag == "time" and self._depth == 1:
                self._time = []
            elif tag.casefold() in _ACCURACY or (tag == "hdop" and self._depth == 1):
                self._error, self._of_hdop = [], tag == "hdop"

    def text(self, piece: str) -> None:
        if self._time is not None:
            self._time.append(piece)
        elif self._error is not None:
            self._error.append(piece)

    def end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "trkpt" and self._at is not None:
            self.fixes.append((*self._at, self._text, self._accuracy or _from_hdop(self._hdop)))
            self._at = None
        elif self._at is not None:
            self._depth -= 1
            if self._error is not None:
                text, self._error = "".join(self._error).strip(), None
                if self._of_hdop:
                    self._hdop = text
                else:
                    self._accuracy = text
            if self._time is not None:
                # Times of GPX are UTC; some writers leave the Z out.
                text, self._time = "".join(self._time).strip(), None
                self._text = in_utc(text)


def in_utc(text: str) -> str:
    """Return a time of GPX or KML, which is UTC where it says no zone."""
    return text + "Z" if _NO_ZONE.match(text) else text


def _from_hdop(text: str) -> str:
    """Return the metres that an HDOP stands for, as text; what is no number says nothing."""
    try:
        return str(HDOP_M * float(text))
    except ValueError:
        return ""


def _refuse_entity(*_: object) -> None:
    raise expat.ExpatError("entities are not allowed")


def fixes_batch(
    fixes: Sequence[Fix],
    rows: NDArray[np.int64],
    rider: str,
    lost: Sequence[int],
    fmt: TraceFormat,
    name: str,
) -> RawBatch:
    """Make a batch of fixes; ``rows`` are their numbers in the file, ``lost`` those of what is none."""
    lon, lat, time, accuracy = zip(*fixes, strict=True) if fixes else ((), (), (), ())
    columns = {
        "lon": pa.array(lon, pa.string()),
        "lat": pa.array(lat, pa.string()),
        "time": pa.array(time, pa.string()),
    }
    if any(accuracy):
        columns["accuracy"] = pa.array(accuracy, pa.string())
    return make_batch(columns, {"rider_id": rider}, rows, lost, fmt, name)


def _gpx_encoding(head: bytes, declared: str) -> str:
    """Return the encoding that the XML declaration names, where none was declared; UTF-8 is to be found."""
    found = _XML_ENCODING.search(head[:200])
    word = found.group(1).decode("ascii").lower() if found and declared == "auto" else declared
    try:
        "".encode(word if word != "auto" else "utf-8")
    except LookupError:
        return "auto"
    return "auto" if word in ("utf-8", "utf8") or word.startswith("utf-16") else word


def read_gpx(stream: IO[bytes], path: Path, name: str, trace_format: TraceFormat) -> Iterator[RawBatch]:
    """Read the track points of a GPX file; its rider is its name, unless another rule was named."""
    return read_walk((b"", stream), _TrackPoints(), path, name, trace_format)


def track_rider(path: Path, name: str, trace_format: TraceFormat) -> str:
    """Return the rider of a file of tracks."""
    rule = trace_format.rider
    return rider_of_file(path, "file" if rule in ("auto", "column") else rule, name)


def read_walk(
    parts: tuple[bytes, IO[bytes]], points: _Walk, path: Path, name: str, trace_format: TraceFormat
) -> Iterator[RawBatch]:
    """Read a file of XML: what was read of it already and the rest, and who gathers its points."""
    rider = track_rider(path, name, trace_format)
    begin, stream = parts
    # The text is handed over in UTF-8, since expat knows no encoding of several bytes but Unicode.
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = points.start
    parser.EndElementHandler = points.end
    parser.CharacterDataHandler = points.text
    parser.EntityDeclHandler = _refuse_entity
    first = 1
    broken = False
    head = begin + stream.read(_PIECE_BYTES)
    decoder = Decoder(_gpx_encoding(head, trace_format.encoding))
    pieces = utf8_blocks(_After(head, stream), decoder, _PIECE_BYTES, ends=b">")  # type: ignore[arg-type]
    while not broken:
        piece = next(pieces, b"")
        try:
            parser.Parse(piece, not piece)
        except expat.ExpatError:
            broken = True
        fixes, points.fixes = points.fixes, []
        # The rest of a broken file counts as one row that could not be read.
        lost = [first + len(fixes)] if broken else []
        if fixes or lost:
            rows = np.arange(first, first + len(fixes))
            yield fixes_batch(fixes, rows, rider, lost, trace_format, name)
        first += len(fixes)
        if not piece:
            break


def read_plt(stream: IO[bytes], path: Path, name: str, trace_format: TraceFormat) -> Iterator[RawBatch]:
    """Read GeoLife: six lines of header, then lat, lon, 0, feet, days, date, time in GMT.

    The rider is the folder above ``Trajectory``, as in the published set, else the folder of the file.
    """
    if trace_format.rider in ("auto", "column"):
        folders = [part for part in path.parts[:-1] if part.casefold() != "trajectory"]
        rider = folders[-1] if folders else path.stem
    else:
        rider = rider_of_file(path, trace_format.rider, name)
    header, first = 6, 1
    for block in utf8_blocks(stream, Decoder(trace_format.encoding)):
        lines = block.decode("utf-8", "replace").removesuffix("\n").split("\n")
        lines, header = lines[header:], max(0, header - len(lines))
        fixes, rows, lost = [], [], []
        for number, line in enumerate(lines, first):
            fields = line.split(",")
            if not line.strip():
                continue
            if len(fields) != 7:
                lost.append(number)
                continue
            rows.append(number)
            fixes.append((fields[1], fields[0], f"{fields[5].strip()} {fields[6].strip()}Z", ""))
        first += len(lines)
        yield fixes_batch(fixes, np.array(rows, np.int64), rider, lost, trace_format, name)
