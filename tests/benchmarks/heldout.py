"""Held-out coverage on fresh fleets: the plan beside existing stations, k-means, busiest cells and random.

    python tests/benchmarks/heldout.py [--seeds 101 102 103] [--cities helsinki nanjing beijing] [--json FILE]

The whole pipeline of `yilu study` (fleet, platform files, traces, stays, kinds, study), 7 days of which the
last 2 are held out, 4 existing stations put away from rest. Every way of choosing adds the same number of
stations to the existing ones. The rules for candidates were found on fleets of the seeds 1-7; the default
seeds were not looked at before. Helsinki comes with the ``demo`` extra, the other maps are those of
``../shared/data``; a map that is not there is named and skipped.
"""

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
from pathlib import Path

from harness import helsinki_map

from api.settings import Settings
from api.study.studyfile.given_places import given_places
from api.study.studyfile.inputs import (
    made_fleet,
    pseudonym_key,
    read_here,
    read_map,
    read_platform_files,
    trace_inputs,
)
from api.study.studyfile.settings import settings_of
from api.study.studyfile.tables import StudyFile
from geo.stays import classify_stays, due_breaks, find_stay_points
from siting.results import Study
from siting.study import StudyInputs, measured_study

__all__ = ["main"]

METHODS = ("yilu", "kmeans", "busiest", "random", "existing")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "osm"


@dataclasses.dataclass(frozen=True, slots=True)
class City:
    """One map, its fleet, and the cases (new stations, limit in minutes) asked of it."""

    map_file: Path | None
    timezone: str
    riders: int
    datum: str
    cases: tuple[tuple[int, float], ...]


def _cities() -> dict[str, City]:
    return {
        "helsinki": City(
            helsinki_map(), "Europe/Helsinki", 150, "wgs84", ((4, 2), (4, 3), (8, 5)),
        ),
        "nanjing": City(
            SHARED / "nanjing-xinjiekou.osm.pbf", "Asia/Shanghai", 150, "gcj02", ((3, 2), (4, 2.5))
        ),
        "beijing": City(
            SHARED / "beijing-haidian-composite.osm.pbf", "Asia/Shanghai", 300, "gcj02", ((6, 4), (8, 5))
        ),
    }  # fmt: skip


def studies_of(city: City, map_file: Path, seed: int) -> list[Study]:
    """Run the pipeline once and the study once a case."""
    study_settings = StudyFile.model_validate(
        {
            "title": "held out", "city": "held out", "timezone": city.timezone, "seed": seed,
            "held_out_days": 2, "map": {"file": str(map_file)},
            "synthetic": {"riders": city.riders, "days": 7, "datum": city.datum, "existing_stations": 4},
        }
    )  # fmt: skip
    settings = Settings()
    assert study_settings.synthetic is not None
    network, places = read_map(study_settings, settings)
    fleet = made_fleet(study_settings, study_settings.synthetic, network, places)
    with tempfile.TemporaryDirectory(prefix="yilu-") as folder:
        given = trace_inputs(study_settings, fleet, Path(folder))
        rejects = Path(folder) / "rejects.csv"
        key = pseudonym_key(study_settings, settings)
        traces, _ = read_platform_files(given, network, key, rejects, "held out", read_here)
    stays = classify_stays(find_stay_points(traces), traces, places, network, study_settings.timezone)
    inputs = StudyInputs(
        network=network,
        places=places,
        stays=stays,
        due_breaks=due_breaks(traces, stays, study_settings.timezone),
        riders=len(traces.pseudonyms),
        existing=given_places(study_settings, network, fleet).existing,
        synthetic=True,
        settings=dataclasses.replace(settings_of(study_settings), draws=0),
    )
    return [
        measured_study(
            dataclasses.replace(
                inputs, settings=dataclasses.replace(inputs.settings, new_sites=new, limit_s=60 * limit_min)
            )
        )[0]
        for new, limit_min in city.cases
    ]


def main(arguments: list[str] | None = None) -> None:
    """Print the table; write every single run as JSON where asked."""
    cities = _cities()
    parser = argparse.ArgumentParser(description="Held-out coverage of rest demand on fresh fleets.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103])
    parser.add_argument("--cities", nargs="+", default=list(cities), choices=list(cities))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    runs: list[dict[str, object]] = []
    print("| city (riders) | new, limit | " + " | ".join(METHODS) + " |")
    print("|---|---|" + "---|" * len(METHODS))
    for name in given.cities:
        city = cities[name]
        if city.map_file is None or not city.map_file.is_file():
            print(f"skipped {name}: its map is not there", file=sys.stderr)
            continue
        found: list[list[dict[str, float]]] = [[] for _ in city.cases]
        for seed in given.seeds:
            for case, study in enumerate(studies_of(city, city.map_file, seed)):
                shares = {
                    c.method: c.served_held_out for c in study.coverage if c.served_held_out is not None
                }
                found[case].append(shares)
                new, limit_min = city.cases[case]
                runs.append({"city": name, "seed": seed, "new": new, "limit_s": 60 * limit_min, **shares})
        for (new, limit_min), rows in zip(city.cases, found, strict=True):
            cells = []
            for method in METHODS:
                shares_of = [100 * row[method] for row in rows]
                cells.append(f"{statistics.mean(shares_of):.1f} ({min(shares_of):.1f}-{max(shares_of):.1f})")
            head = f"| {name} ({city.riders}) | {new}, {60 * limit_min:.0f} s | "
            print(head + " | ".join(cells) + " |", flush=True)
    if given.json is not None:
        given.json.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
