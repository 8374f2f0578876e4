"""Stations, rooms, unit grids and zones of a study: read, held against the map, brought to WGS-84."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from api.study.studyfile.check_ins import StationVisits, with_check_ins, with_own_check_ins
from api.study.studyfile.placing import (
    datum_note,
    distinct_places,
    place_areas,
    place_points,
    place_stations,
)
from api.study.studyfile.station_files import read_places, read_stations
from api.study.studyfile.tables import StudyFile
from api.study.studyfile.zones import read_zones, to_wgs84_zones
from geo.grids import UnitGrids, h3_grids, read_grids
from geo.sentences import Sentence
from geo.streets import StreetNetwork
from geo.synthetic import SyntheticFleet, existing_stations
from geo.travel import Extent
from siting.stations import CandidateSites, ExistingStation, clock

__all__ = ["GivenGrids", "GivenPlaces", "given_places"]

HOUR_MIN = 60
H3_RESOLUTION = 9


@dataclasses.dataclass(frozen=True, slots=True)
class GivenGrids:
    """Unit grids as the siting room takes them; polygons in WGS-84 degrees."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    polygons: tuple[shapely.Geometry, ...]


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class GivenPlaces:
    """What a planner gives besides traces, WGS-84 degrees."""

    existing: tuple[ExistingStation, ...] = ()
    own_sites: CandidateSites | None = None
    grids: GivenGrids | None = None
    forbidden: tuple[shapely.Geometry, ...] = ()
    notes: tuple[Sentence, ...] = ()
    """What looks wrong in the files, without being refused."""


def given_places(
    study_settings: StudyFile,
    network: StreetNetwork,
    fleet: SyntheticFleet | None,
    visits: Sequence[StationVisits] = (),
) -> GivenPlaces:
    """Read the lists of a study; those of a made fleet are made.

    Parameters
    ----------
    study_settings : StudyFile
    network : StreetNetwork
    fleet : SyntheticFleet or None
    visits : sequence of StationVisits
        What the service that runs the study told of its stations; a file that the study names counts instead.

    Raises
    ------
    InputError
        For files that cannot be used, in the languages of the sentences.
    """
    existing, about_existing = _existing(study_settings, network, fleet)
    if study_settings.existing is None or study_settings.existing.check_ins is None:
        # The service may show studies of other cities, too.
        away = Extent.of(network).outside(np.array([one.lonlat for one in visits]))
        here = [one for one, far in zip(visits, away.tolist(), strict=True) if not far]
        existing, about_visits = with_own_check_ins(here, existing, study_settings.k)
        about_existing += about_visits
    own_sites, about_own = _own_sites(study_settings, network)
    grids, about_grids = _grids_of(study_settings, network)
    forbidden, about_zones = _forbidden(study_settings, network)
    notes = (*about_existing, *about_own, *about_grids, *about_zones)
    return GivenPlaces(existing, own_sites, grids, forbidden, notes)


def _existing(
    study_settings: StudyFile, network: StreetNetwork, fleet: SyntheticFleet | None
) -> tuple[tuple[ExistingStation, ...], list[Sentence]]:
    """Return the stations that stand today: from the planner's list, or made for a made fleet."""
    table = study_settings.existing
    if table is None:
        return _made_stations(study_settings, network, fleet), []
    path = Path(table.file)
    extent = Extent.of(network)
    rows = read_stations(path, table.datum, _named(table.columns), table.layer, table.crs, extent)
    kept, notes = place_stations(path.name, rows, network)
    notes += datum_note(path.name, np.array([row.lonlat for row in kept]), table.datum, network)
    stations = tuple(
        ExistingStation(row.name, row.lonlat, row.opening_hours, row.kind, row.facilities) for row in kept
    )
    if table.check_ins is not None:
        stations, about = with_check_ins(Path(table.check_ins), stations, study_settings.k)
        notes += about
    return stations, notes


def _made_stations(
    study_settings: StudyFile, network: StreetNetwork, fleet: SyntheticFleet | None
) -> tuple[ExistingStation, ...]:
    if fleet is None or study_settings.synthetic is None or study_settings.synthetic.existing_stations == 0:
        return ()
    made = existing_stations(network, fleet, study_settings.synthetic.existing_stations, study_settings.seed)
    # Named after the street, as a name in one language would stand in the reports of the other.
    edge = network.snap(made.lonlat, "foot").edge
    named = np.where(edge >= 0, network.edge_name[edge], -1)
    return tuple(
        ExistingStation(
            f"{network.names[named[number]]} {number + 1}" if named[number] >= 0 else f"E{number + 1:02d}",
            (float(made.lonlat[number, 0]), float(made.lonlat[number, 1])),
            f"Mo-Su {_clock(made.open_h[number])}-{_clock(made.close_h[number])}",
            facilities=("room", "seats", "water"),
        )
        for number in range(len(made.names))
    )


def _named(columns: Mapping[Any, str]) -> dict[str, str]:
    return {str(ours): theirs for ours, theirs in columns.items()}


def _clock(hour: float) -> str:
    return clock(round(float(hour) * HOUR_MIN))


def _grids_of(study_settings: StudyFile, network: StreetNetwork) -> tuple[GivenGrids | None, list[Sentence]]:
    table = study_settings.grids
    if table is None:
        return None, []
    if table.file is None:
        return _grids(h3_grids(network.bounds, table.h3_resolution or H3_RESOLUTION)), []
    path = Path(table.file)
    grids = read_grids(path, table.code_field, table.name_field, table.layer, table.crs)
    datum = table.datum or "wgs84"
    polygons = to_wgs84_zones(tuple(grids.polygons), datum)
    inside, notes = place_areas(path.name, polygons, network, "grids_outside")
    kept = np.nonzero(inside)[0].tolist()
    shown = GivenGrids(
        tuple(grids.codes[g] for g in kept),
        tuple(grids.names[g] for g in kept),
        tuple(polygons[g] for g in kept),
    )
    return shown, notes + datum_note(path.name, shown.polygons, datum, network)


def _grids(grids: UnitGrids) -> GivenGrids:
    return GivenGrids(grids.codes, grids.names, tuple(grids.polygons))


def _own_sites(
    study_settings: StudyFile, network: StreetNetwork
) -> tuple[CandidateSites | None, list[Sentence]]:
    """Return the planner's own list of rooms, or None."""
    table = study_settings.siting.own_sites
    if table is None:
        return None, []
    path = Path(table.file)
    extent = Extent.of(network)
    numbers, names, lonlat = read_places(
        path, table.datum, _named(table.columns), table.layer, table.crs, extent
    )
    inside, notes = place_points(path.name, numbers, names, lonlat, network)
    once, about_twice = distinct_places(path.name, numbers, names, lonlat)
    inside, notes = inside & once, notes + about_twice
    shown = tuple(name for name, here in zip(names, inside, strict=True) if here)
    notes += datum_note(path.name, lonlat[inside], table.datum, network)
    return CandidateSites(lonlat[inside], shown, ("own",) * len(shown)), notes


def _forbidden(
    study_settings: StudyFile, network: StreetNetwork
) -> tuple[tuple[shapely.Geometry, ...], list[Sentence]]:
    """Return the zones in which no station may stand."""
    table = study_settings.siting.forbidden
    if table is None:
        return (), []
    path = Path(table.file)
    zones = read_zones(path, table.datum, table.layer, table.crs)
    inside, notes = place_areas(path.name, zones, network, "zones_outside")
    kept = tuple(zone for zone, here in zip(zones, inside, strict=True) if here)
    return kept, notes + datum_note(path.name, kept, table.datum, network)
