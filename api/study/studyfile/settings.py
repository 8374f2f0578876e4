"""From the tables of a study file to the settings that the siting room takes."""

import shapely

from api.study.studyfile.tables import StudyFile
from siting.demand import DemandWeights, HotSpotRules
from siting.stations import KINDS, CandidateRules, PickupRules, StationKind
from siting.study import StudySettings

__all__ = ["settings_of"]


def settings_of(study_settings: StudyFile, forbidden: tuple[shapely.Geometry, ...] = ()) -> StudySettings:
    """Return what is to be chosen and how; no station may stand in ``forbidden``, WGS-84 degrees."""
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
        candidates=CandidateRules(spacing_m=siting.spacing_m, walk_m=siting.walk_m, forbidden=forbidden),
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
        robust=siting.robust,
        plan=siting.plan,
        draws=siting.draws,
    )
