"""Readers of GPX files and of GeoLife .plt files."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO
from xml.parsers import expat

import numpy as np
import pyarrow as pa

from geo.traces.batches import make_batch
from geo.traces.formats import RawBatch, TraceFormat
from geo.traces.text import text_blocks

__all__ = ["read_gpx", "read_plt"]


class _TrackPoints:
    """Gathers the track points of a GPX file while expat walks through it."""

    def __init__(self) -> None:
        self.fixes: list[tuple[str, str, str]] = []
        self._at: tuple[str, str] | None = None
        self._time: list[str] | None = None
        self._text = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "trkpt":
            self._at, self._text = (attributes.get("lon", ""), attributes.get("lat", "")), ""
        elif tag == "time" and self._at is not None:
            self._time = []

    def text(self, piece: str) -> None:
        if self._time is not None:
            self._time.append(piece)

    def end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "time" and self._time is not None:
            self._text, self._time = "".join(self._time), None
        elif tag == "trkpt" and self._at is not None:
            self.fixes.append((*self._at, self._text))
            self._at = None

    def take(self) -> list[tuple[str, str, str]]:
        fixes, self.fixes = self.fixes, []
        return fixes


def _refuse_entity(*_: object) -> None:
    raise expat.ExpatError("entities are not allowed")


def _from_fixes(
    fixes: list[tuple[str, str, str]],
    first: int,
    rider: str,
    lost: Sequence[int],
    fmt: TraceFormat,
    name: str,
) -> RawBatch:
    lon, lat, time = zip(*fixes, strict=True) if fixes else ((), (), ())
    columns = {
        "lon": pa.array(lon, pa.string()),
        "lat": pa.array(lat, pa.string()),
        "time": pa.array(time, pa.string()),
    }
    return make_batch(columns, {"rider_id": rider}, np.arange(first, first + len(fixes)), lost, fmt, name)


def read_gpx(stream: IO[bytes], path: Path, name: str, trace_format: TraceFormat) -> Iterator[RawBatch]:
    """Read the track points of a GPX file; the rider is the name of the file."""
    points = _TrackPoints()
    parser = expat.ParserCreate()
    parser.StartElementHandler = points.start
    parser.EndElementHandler = points.end
    parser.CharacterDataHandler = points.text
    parser.EntityDeclHandler = _refuse_entity
    first = 1
    broken = False
    while not broken:
        piece = stream.read(1 << 20)
        try:
            parser.Parse(piece, not piece)
        except expat.ExpatError:
            broken = True
        fixes = points.take()
        # The rest of a broken file counts as one row that could not be read.
        lost = [first + len(fixes)] if broken else []
        if fixes or lost:
            yield _from_fixes(fixes, first, path.stem, lost, trace_format, name)
        first += len(fixes)
        if not piece:
            break


def read_plt(stream: IO[bytes], path: Path, name: str, trace_format: TraceFormat) -> Iterator[RawBatch]:
    """Read GeoLife: six lines of header, then lat, lon, 0, feet, days, date, time in GMT.

    The rider is the folder above ``Trajectory``, as in the published set, else the folder of the file.
    """
    folders = [part for part in path.parts[:-1] if part.casefold() != "trajectory"]
    rider = folders[-1] if folders else path.stem
    header, first = 6, 1
    for block in text_blocks(stream, "utf-8-sig"):
        lines = block.removesuffix("\n").split("\n")
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
            fixes.append((fields[1], fields[0], f"{fields[5].strip()} {fields[6].strip()}Z"))
        first += len(lines)
        batch = _from_fixes(fixes, 1, rider, lost, trace_format, name)
        batch.row[:] = rows
        yield batch
