"""Files of each layout, cut, flipped, mixed and with columns dropped: one sentence, or sums that add up.

``YILU_PROOF=full`` breaks a thousand.
"""

import io
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pytest
from trace_layouts import ENDING, GPX, KEY, LAT, TEXTS, features, form, gpx, rows, write_workbook

from geo.errors import InputError
from geo.traces.formats import REASONS
from geo.traces.inspect import inspect_file, paste_table
from geo.traces.read import map_traces
from geo.traces.rows.riders import Pseudonyms

FILES = 1_000 if os.environ.get("YILU_PROOF") == "full" else 200
ID = "13812345678"


def mutilate(content: bytes, rng: np.random.Generator) -> bytes:
    """Do to a file what disks, editors and exports do to files."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, len(data) + 1))
        what = int(rng.integers(0, 9))
        if what == 0:
            data = data[:at]
        elif what == 1 and data:
            data[min(at, len(data) - 1)] ^= 1 << int(rng.integers(0, 8))
        elif what == 2:
            data[at:at] = rng.bytes(int(rng.integers(1, 40)))
        elif what == 3:
            del data[at : at + int(rng.integers(1, 60))]
        elif what == 4:
            pieces = [b'"', b"\n", b"\r", b",", b"\x00", b",,,", b"[" * 3000, "骑".encode("gbk"), b"\xff\xfe"]
            data[at:at] = pieces[int(rng.integers(0, len(pieces)))]
        elif what == 5:
            data[at:at] = data[at // 2 : at]
        elif what == 6:
            # A column is dropped from every line.
            k = int(rng.integers(0, 4))
            lines = bytes(data).split(b"\n")
            data = bytearray(
                b"\n".join(b",".join(f for i, f in enumerate(x.split(b",")) if i != k) for x in lines)
            )
        elif what == 7:
            # The second half comes from a tool with another encoding.
            half = len(data) // 2
            text = "骑手甲,2026年03月02日 05:25:00\n" + bytes(data[half:]).decode("utf-8", "replace")
            data[half:] = text.encode(str(rng.choice(["gbk", "utf-16-le", "utf-8"])), "replace")
        else:
            data = bytearray(data.replace(b"116.", rng.choice([b"", b"-116.", b"1e999", b"nan"]), 3))
    return bytes(data)


def _packed(content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.csv", content)
    return held.getvalue()


def layouts(folder: Path) -> list[tuple[str, bytes, Mapping[str, Any]]]:
    """Ending, content and keys of every layout; the rider is a phone number."""
    made = [
        (ENDING.get(name, "csv"), re.sub(rb"\b7\b", ID.encode(), content), keys)
        for name, (content, keys) in TEXTS.items()
    ]
    made += [(ending, features(ending).encode(), {}) for ending in ("geojson", "json", "geojsonl")]
    made += [("gpx", gpx("骑手", "utf-8"), {}), ("gpx", gpx("骑手", "gb2312"), {})]
    write_workbook(folder / "book.xlsx")
    made.append(("xlsx", (folder / "book.xlsx").read_bytes(), {}))
    columns = {
        "rider_id": [ID] * 4,
        "time": [r["time"] for r in rows()],
        "lon": [116.3] * 4,
        "lat": [LAT] * 4,
    }
    feather.write_feather(pa.table(columns), folder / "a.feather", compression="uncompressed")
    made.append(("feather", (folder / "a.feather").read_bytes(), {}))
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("doc.kml", TEXTS["KML track"][0])
    made.append(("kmz", held.getvalue(), {}))
    made.append(("zip", _packed(TEXTS["T-Drive"][0]), TEXTS["T-Drive"][1]))
    return made


def test_broken_files_of_every_layout(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    made = layouts(tmp_path)
    usable, said = 0, list[str]()
    for number in range(FILES):
        ending, content, keys = made[number % len(made)]
        path = tmp_path / f"a.{ending}"
        path.write_bytes(mutilate(content, rng))
        rejects = tmp_path / "rejects.csv"
        try:
            mapped = map_traces(path, form(**keys), len, pseudonyms=Pseudonyms(KEY), rejects=rejects)
        except InputError as error:
            said.append(str(error))
            continue
        usable += 1
        account = mapped.accounts[0]
        assert account.accepted + sum(account.rejected.values()) == account.read
        assert sum(mapped.values) == account.accepted
        assert set(account.rejected) <= set(REASONS[1:])
        lines = rejects.read_text("utf-8-sig")
        assert lines.count("\n") - 1 == account.read - account.accepted
        assert ID not in lines
    assert usable > FILES // 3
    assert len(said) > FILES // 20
    shown = "\n".join(said)
    assert ID not in shown
    assert not re.search(r"116\.3\d", shown)


def test_the_inspector_survives_broken_files_and_shows_nobody(tmp_path: Path) -> None:
    rng = np.random.default_rng(12)
    made = layouts(tmp_path)
    for number in range(2 * len(made)):
        ending, content, _ = made[number % len(made)]
        path = tmp_path / f"a.{ending}"
        path.write_bytes(content if number < len(made) else mutilate(content, rng))
        found = inspect_file(path, form(datum="auto", year=2026))
        shown = repr(found) + paste_table(path, found)
        assert ID not in shown
        assert not re.search(r"116\.3\d", shown), shown
        assert found.read == found.accepted + sum((found.rejected or {}).values())


def test_a_gpx_file_of_waypoints_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.gpx"
    path.write_text(GPX.format("utf-8", "").replace("<trk>", '<wpt lat="1" lon="2"/><trk>'), "utf-8")
    found = inspect_file(path, form(datum="auto"))
    assert found.hints == ("only_waypoints",)
    assert "\nrider = " not in paste_table(path, found), "whose a track is, nobody guesses"
    mapped = map_traces(path, form(), len, pseudonyms=Pseudonyms(KEY))
    assert mapped.accounts[0].hints == ("only_waypoints",)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_the_table_to_paste_reads_the_file(tmp_path: Path, name: str) -> None:
    """What the inspector prints, put into a study file, is enough wherever the file itself tells."""
    import tomllib

    content, keys = TEXTS[name]
    path = tmp_path / f"a.{ENDING.get(name, 'csv')}"
    path.write_bytes(content)
    found = inspect_file(path, form(datum="auto", year=2026))
    table = tomllib.loads(paste_table(path, found))["traces"][0]
    asked = set(keys) - {"columns", "year"}
    # Whose a row is no value tells, so a rider's column without a known name is asked for.
    if asked or (keys and not found.look.columns) or name == "positions below a header":
        assert found.look.problem or found.hints, "what is not clear is said"
        return
    assert found.accepted == 4, found
    read = {k: v for k, v in table.items() if k not in ("files", "datum")}
    mapped = map_traces(
        path, form(**read, **({"year": 2026} if "year" in keys else {})), len, pseudonyms=Pseudonyms(KEY)
    )
    assert mapped.accounts[0].accepted == 4
