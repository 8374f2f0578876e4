"""From the tables of a study file to what the siting room takes."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from api.study.studyfile.station_files import read_places, read_stations
from api.study.studyfile.tables import ForbiddenTable, StudyFile
from api.study.studyfile.zones import read_zones, to_wgs84_zones
from geo.grids import UnitGrids, h3_grids, read_grids
from geo.streets import StreetNetwork
from geo.synthetic import SyntheticFleet, existing_stations
from siting.demand import DemandWeights, HotSpotRules
from siting.stations import (
    KINDS,
    CandidateRules,
    CandidateSites,
    ExistingStation,
    PickupRules,
    StationKind,
    clock,
)
from siting.study import StudySettings

__all__ = ["Grids", "existing_stations_of", "grids_of", "own_sites_of", "settings_of"]

HOUR_MIN = 60
H3_RESOLUTION = 9


@dataclasses.dataclass(frozen=True, slots=True)
class Grids:
    """Unit grids as the siting room takes them; polygons in WGS-84 degrees."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    polygons: tuple[shapely.Geometry, ...]


def settings_of(study_settings: StudyFile) -> StudySettings:
    """Return what is to be chosen and how."""
    siting = study_settings.siting
    own = {kind.name: kind for kind in study_settings.station_kinds}
    kinds = tuple(
        StationKind(
            table.name, table.seats, table.fixed_yuan, table.hour_yuan, table.patterns, table.facilities
        )
        for table in own.values()
    )
    return StudySettings(
        timezone=study_settings.timezone,
        new_sites=siting.sites,
        limit_s=60.0 * siting.limit_min,
        mode=study_settings.mode,
        k=study_settings.k,
        held_out_days=study_settings.held_out_days,
        seed=study_settings.seed,
        weights=DemandWeights(siting.weights.rest, siting.weights.due_break, siting.weights.passing),
        kinds=kinds or KINDS,
        passing_limit_s=siting.passing_limit_s,
        candidates=CandidateRules(
            spacing_m=siting.spacing_m, walk_m=siting.walk_m, forbidden=_forbidden(siting.forbidden)
        ),
        pickups=PickupRules(most=siting.pickups),
        hot_spots=HotSpotRules(most=siting.hot_spots, least_min_a_day=siting.hot_spot_min),
        cell_m=siting.cell_m,
        publish_cell_m=siting.publish_cell_m,
        budget_yuan=siting.budget_yuan,
        existing_stations=siting.existing_stations,
        closed_from=None if siting.closed_from is None else siting.closed_from.isoformat(),
        close_yuan=siting.close_yuan,
        move_share=siting.move_share,
        least_grid_share=siting.least_grid_share,
        draws=siting.draws,
    )


def _forbidden(table: ForbiddenTable | None) -> tuple[shapely.Geometry, ...]:
    """Return the zones in which no station may stand, WGS-84."""
    return () if table is None else read_zones(Path(table.file), table.datum, table.layer, table.crs)


def existing_stations_of(
    study_settings: StudyFile, network: StreetNetwork, fleet: SyntheticFleet | None
) -> tuple[ExistingStation, ...]:
    """Return the stations that stand today: from the planner's list, or made for a made fleet."""
    if study_settings.existing is not None:
        table = study_settings.existing
        rows = read_stations(Path(table.file), table.datum, _named(table.columns), table.layer, table.crs)
        return tuple(
            ExistingStation(row.name, row.lonlat, row.opening_hours, row.kind, row.facilities) for row in rows
        )
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


def grids_of(study_settings: StudyFile, network: StreetNetwork) -> Grids | None:
    """Return the unit grids in WGS-84, or None."""
    table = study_settings.grids
    if table is None:
        return None
    if table.file is None:
        return _grids(h3_grids(network.bounds, table.h3_resolution or H3_RESOLUTION))
    grids = read_grids(Path(table.file), table.code_field, table.name_field, table.layer, table.crs)
    datum = table.datum or "wgs84"
    shifted = np.array(to_wgs84_zones(tuple(grids.polygons), datum), dtype=object)
    return _grids(UnitGrids(grids.codes, grids.names, shifted))


def _grids(grids: UnitGrids) -> Grids:
    return Grids(grids.codes, grids.names, tuple(grids.polygons))


def own_sites_of(study_settings: StudyFile) -> CandidateSites | None:
    """Return the planner's own list of rooms, or None."""
    table = study_settings.siting.own_sites
    if table is None:
        return None
    names, lonlat = read_places(Path(table.file), table.datum, _named(table.columns), table.layer, table.crs)
    return CandidateSites(np.asarray(lonlat), names, ("own",) * len(names))
