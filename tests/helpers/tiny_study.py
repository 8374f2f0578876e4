"""The folder of a finished study on a drawn town, for tests of the service and the command line."""

import json
from collections.abc import Callable
from pathlib import Path

from ascii_map import AsciiMap, ascii_map
from study_sample import sample_study

from api.study.finished import RESULT
from geo.streets.network import StreetNetwork

# One column is 25 m: the town is about 1 km wide. X-Y is joined to nothing; C-D-E is one-way eastwards.
TOWN = ascii_map(
    """
    A-------B-------C-------D-------E
    |       |       |       |       |
    F-------G-------H-------I-------J

                                            X---Y
    """,
    {
        "ABC": {"name": "North Street"},
        "CDE": {"name": "North Street", "oneway": True},
        "FGHIJ": {"name": "South Street"},
        "AF": {}, "BG": {}, "CH": {}, "DI": {}, "EJ": {},
        "XY": {},
    },
)  # fmt: skip

__all__ = ["TOWN", "place", "write_study"]


def place(letter: str, town: AsciiMap = TOWN) -> tuple[float, float]:
    """Longitude and latitude of a letter, WGS-84."""
    lon, lat = town.lonlat([letter])[0]
    return float(lon), float(lat)


def write_study(
    folder: Path,
    languages: tuple[str, ...] = ("zh", "en"),
    network: StreetNetwork | None = None,
    where: Callable[[str], tuple[float, float]] = place,
) -> Path:
    """Write what ``yilu study`` would leave in `folder`; stations stand at A, B, J and X."""
    data = folder / "data"
    data.mkdir(parents=True)
    (network or TOWN.network()).save(data / "network")
    meta = {
        "titles": dict.fromkeys(languages, "<b>Town</b>"),
        "cities": dict.fromkeys(languages, "Town"),
        "timezone": "Asia/Shanghai",
        "languages": languages,
        "mode": "ebike",
        "period": ["2026-03-02", "2026-03-07"],
        "synthetic": True,
        "attribution": "OpenStreetMap",
    }
    (data / "study.json").write_text(json.dumps(meta), encoding="utf-8")
    stations = [
        ("E01", "Near, by day", "B", True, "Mo-Su 08:00-18:00", ["hot_water", "toilet"]),
        ("E02", "Far, always", "J", True, "24/7", ["hot_water"]),
        ("S01", "Not built yet", "A", False, "24/7", ["hot_water"]),
        ("E03", "On the island", "X", True, "24/7", ["smoking_area"]),
    ]
    rows = [
        {
            "station_id": number, "name": name, "lonlat": where(letter), "kind": "micro",
            "existing": existing, "opening_hours": hours, "facilities": facilities, "street": "North Street",
            "plan": "stay" if existing else "new", "closed_from": None,
        }
        for number, name, letter, existing, hours, facilities in stations
    ]  # fmt: skip
    (data / "stations.json").write_text(json.dumps(rows), encoding="utf-8")
    (data / "result.json").write_bytes(RESULT.dump_json(sample_study()))
    for language in languages:
        middle = "" if language == languages[0] else f".{language}"
        (folder / f"map{middle}.html").write_text(f"<html lang={language}>map</html>", encoding="utf-8")
        for form in ("docx", "xlsx", "html"):
            (folder / f"report{middle}.{form}").write_bytes(f"{language} {form}".encode())
    collection = {"type": "FeatureCollection", "features": []}
    (folder / "sites.geojson").write_text(json.dumps(collection), encoding="utf-8")
    (folder / "edits.geojson").write_text(json.dumps(collection), encoding="utf-8")
    (folder / "edits.osc").write_text('<osmChange version="0.6"/>', encoding="utf-8")
    (folder / "sites.gpkg").write_bytes(b"SQLite format 3")
    return folder
