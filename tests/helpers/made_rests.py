"""Made rests at exact places of the small made city, so that anyone can count who stands behind a figure."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import shapely
from tiny_map import write_city

from geo.osm.read import read_osm
from geo.stays import KINDS
from siting.inputs import StudyInputs, StudySettings
from siting.stations.kinds import ExistingStation

__all__ = ["CASES", "Rest", "made_inputs"]

DAY_1 = 1_772_380_800
"""2026-03-02 00:00 in Shanghai."""
DAYS = 3
CASES = ("one", "nine", "twelve", "many")


@dataclasses.dataclass(frozen=True, slots=True)
class Rest:
    """One stay: who, at which spot, of which kind, on which day (0 to 2), from which hour, how long."""

    rider: int
    spot: int
    kind: str
    day: int
    hour: int
    minutes: int = 30


def _stays(case: str) -> tuple[int, list[Rest]]:
    """Riders and their stays; in ``twelve`` one rests alone at spot 8, in hour 3, and waits at a gate."""
    riders = {"one": 1, "nine": 9, "twelve": 12, "many": 120}[case]
    rng = np.random.default_rng(len(case))
    out: list[Rest] = []
    for rider in range(riders):
        for day in range(DAYS):
            if case == "many":
                for _ in range(3):
                    spot, hour = int(rng.choice(12, p=_POPULAR)), int(rng.choice([11, 13, 14, 15, 21, 23]))
                    out.append(Rest(rider, spot, "rest", day, hour, int(rng.integers(10, 50))))
                out.append(Rest(rider, int(rng.integers(0, 4)), "dropoff", day, 12, 2))
            else:
                out.append(Rest(rider, 1, "rest", day, 13, 20 + rider))
                out.append(Rest(rider, 2, "rest", day, 14, 30))
                out.append(Rest(rider, 3, "dropoff", day, 12, 2))
    if case == "twelve":
        out += [Rest(0, 8, "rest", 0, 3, 41), Rest(0, 9, "gate", 0, 4, 5), Rest(1, 1, "rest", 1, 22, 17)]
    return riders, out


_POPULAR = np.array([20, 16, 12, 10, 9, 8, 7, 6, 5, 4, 2, 1]) / 100.0


def made_inputs(
    case: str, folder: Path, k: int = 10, more: Sequence[Rest] = ()
) -> tuple[StudyInputs, list[Rest], npt.NDArray[np.float64]]:
    """Return the inputs of a study, its stays, and (12, 2) where the spots are."""
    network, places = read_osm(write_city(folder / "city.osm"))
    west, south, east, north = network.bounds
    at = np.linspace(0.12, 0.88, 4)
    spots = np.array([[west + x * (east - west), south + y * (north - south)] for y in at[:3] for x in at])
    riders, stays = _stays(case)
    stays += more
    start = np.array([DAY_1 + 86_400 * s.day + 3600 * s.hour + 60 * (s.rider % 7) for s in stays])
    columns = SimpleNamespace(
        rider=np.array([s.rider for s in stays]),
        start_s=start,
        end_s=start + 60 * np.array([s.minutes for s in stays]),
        lonlat=spots[[s.spot for s in stays]],
        kind=np.array([KINDS.index(s.kind) for s in stays]),
    )
    middle = (west + east) / 2
    boxes = (shapely.box(west, south, middle, north), shapely.box(middle, south, east, north))
    inputs = StudyInputs(
        network=network,
        places=places,
        stays=columns,
        riders=riders,
        existing=(
            ExistingStation("Old", (float(spots[1, 0]), float(spots[1, 1])), "8:00-18:00"),
            ExistingStation("Far", (float(spots[8, 0]), float(spots[8, 1])), "8:00-20:00"),
        ),
        grids=SimpleNamespace(codes=("G1", "G2"), names=("West", "East"), polygons=boxes),
        title="Made",
        city="Town",
        synthetic=True,
        settings=StudySettings(
            timezone="Asia/Shanghai", new_sites=2, limit_s=60, k=k, held_out_days=1, draws=2, random_draws=5
        ),
    )
    return inputs, stays, spots
