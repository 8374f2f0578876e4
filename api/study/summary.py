"""``summary.json``: one study in figures, for scripts and for the table in the terminal.

The key ``seconds`` (time spent a stage) is the only thing in all output files that may differ between two
runs on the same input with the same seed.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping

from api.forms import Language
from geo.osm import Description
from maps.texts import catalogue
from siting.changing import Changing
from siting.fairness import gains_of
from siting.observed import BlindSpots, TravelTimes
from siting.proposed import InnerWays
from siting.report import rows_told
from siting.results import Study

__all__ = ["VARYING_KEY", "summary_of"]

VARYING_KEY = "seconds"
DECIMALS = 6


def summary_of(
    study: Study,
    city: Description,
    off_ground: Mapping[str, int | None],
    seconds: Mapping[str, float],
    language: Language,
) -> dict[str, object]:
    """Return the figures of one study.

    Parameters
    ----------
    study : Study
        The frozen result.
    city : Description
        The numbers of the map.
    off_ground : mapping of str to int
        Places that were snapped to a tunnel, bridge or the like, since no street on the ground was near; None
        where withheld.
    seconds : mapping of str to float
        Wall seconds a stage.
    language : {"zh", "en"}
        Of what is said about input.

    Returns
    -------
    dict
        Ready for JSON; shares 0-1, demand in rider-minutes a day.
    """
    rejected: Counter[str] = Counter()
    for account in study.accounts:
        rejected.update(dict(account.rejected))
    matching = study.matching
    return {
        "title": study.title,
        "city": study.city,
        "period": list(study.period),
        "days": study.days,
        "held_out_days": study.held_out_days,
        "synthetic": study.synthetic,
        "seed": study.seed,
        "k": study.k,
        "mode": study.mode,
        "map": _rounded(dataclasses.asdict(city)),
        "snapped_off_ground": dict(off_ground),
        "riders": study.riders,
        **dict(
            zip(("points_read", "points_accepted", "points_rejected"), rows_told(study.accounts), strict=True)
        ),
        "points_rejected_by_reason": dict(sorted(rejected.items())),
        "moving_km_on_streets": _round(study.moving_km_on_streets),
        "files": _files(study),
        "input_notes": [
            {"code": key.partition(".")[2], "text": catalogue(language).text(key, **dict(params))}
            for key, params in study.input_notes
        ],
        "stay_points": study.stay_points,
        "stay_points_by_kind": dict(study.stay_points_by_kind),
        "rest_from_silence": _round(study.silent_rest_share),
        "demand_minutes_a_day": _round(study.demand_min_a_day),
        "layers": _layers(study),
        "hot_spots": len(study.hot_spots),
        "sites_chosen": sum(not site.existing for site in study.sites),
        "sites_existing": sum(site.existing for site in study.sites),
        "sites_closing": sum(site.plan == "close" for site in study.sites),
        "sites_moving": sum(site.plan == "move" for site in study.sites),
        "existing_stations": study.existing_stations,
        "closed_from": study.closed_from,
        "solver": {
            "status": study.solution.status,
            "objective": _round(study.solution.objective),
            "bound": _round(study.solution.bound),
            "gap": _round(study.solution.gap),
        },
        "limit_s": study.limit_s,
        "travel_times": None if study.travel_times is None else _travel_times(study.travel_times),
        "blind_spots": None if study.blind_spots is None else _blind_spots(study.blind_spots),
        "changing": None if study.changing is None else _changing(study.changing),
        "inner_ways": None if study.inner_ways is None else _inner_ways(study.inner_ways),
        "meetings": None if study.meetings is None else _rounded(dataclasses.asdict(study.meetings)),
        "coverage": _coverage(study),
        "grids": _grids(study),
        "fairness": _fairness(study),
        "estimates": _estimates(study),
        "budget_curve": [_rounded(dataclasses.asdict(point)) for point in study.budget_curve],
        "plan": study.plan,
        "least_grid_share": study.least_grid_share,
        "front": [
            _rounded({**dataclasses.asdict(p), "names": list(p.names), "gaps": dict(p.gaps)})
            for p in study.front
        ],
        "tasks_matched": None if matching is None else matching.matched,
        "tasks_refused": None if matching is None else matching.refused,
        "median_extra_s": None
        if matching is None or matching.median_extra_s is None
        else _round(matching.median_extra_s),
        "late_deliveries": None if matching is None else matching.late_deliveries,
        VARYING_KEY: {stage: round(spent, 3) for stage, spent in seconds.items()},
    }


def _files(study: Study) -> list[dict[str, object]]:
    return [
        {
            "file": a.file,
            "datum": a.datum,
            "datum_evidence": a.datum_evidence,
            "read": a.read,
            "accepted": a.accepted,
        }
        for a in study.accounts
    ]


def _travel_times(times: TravelTimes) -> dict[str, object]:
    """Which travel times the study went by, how far they were off, and what they change."""
    figures = _rounded(dataclasses.asdict(times))
    figures["classes"] = {row.name: _rounded(dataclasses.asdict(row)) for row in times.classes}
    return figures


def _blind_spots(spots: BlindSpots) -> dict[str, object]:
    """Streets that nobody passes, by grid and hour, and the rounds that would change it."""
    patrols = [dataclasses.replace(patrol, line=()) for patrol in spots.patrols]
    return {
        "seldom_passed_share": _round(spots.streets_share),
        "unseen_by_weekday_and_hour": [[_round(share) for share in day] for day in spots.hours],
        "grids": {grid.code: _rounded(dataclasses.asdict(grid)) for grid in spots.grids},
        "patrols": [
            {key: value for key, value in _rounded(dataclasses.asdict(one)).items() if key != "line"}
            for one in patrols
        ],
    }


def _changing(found: Changing) -> dict[str, object]:
    """Return what days tell of seasons and parts of the week, and what is expected next."""
    figures = _rounded(dataclasses.asdict(found))
    figures["scenarios"] = {one.name: _rounded(dataclasses.asdict(one)) for one in found.scenarios}
    figures["elsewhere"] = [_rounded(dataclasses.asdict(one)) for one in found.elsewhere]
    figures["forecasts"] = {one.series: _rounded(dataclasses.asdict(one)) for one in found.forecasts}
    return figures


def _inner_ways(found: InnerWays) -> dict[str, object]:
    """Return the waits at gates, and the proposed edits of the map with their evidence."""
    return {
        "gates": {gate.gate_id: _rounded(dataclasses.asdict(gate)) for gate in found.gates},
        "edits": {edit.edit_id: _rounded(dataclasses.asdict(edit)) for edit in found.edits},
    }


def _layers(study: Study) -> dict[str, object]:
    return {
        layer.name: {
            "weight": layer.weight,
            "minutes_a_day": _round(layer.min_a_day),
            "served": _round(layer.served_share),
            "in_reach": _round(layer.in_reach_share),
        }
        for layer in study.layers
    }


def _coverage(study: Study) -> dict[str, object]:
    return {
        row.method: {
            "sites": row.sites,
            "served_training": _round(row.served_training),
            "served_held_out": _round(row.served_held_out),
            "in_reach_training": _round(row.in_reach_training),
            "in_reach_held_out": _round(row.in_reach_held_out),
            "in_reach_5_min_training": _round(row.in_reach_5_min_training),
            "in_reach_5_min_held_out": _round(row.in_reach_5_min_held_out),
        }
        for row in study.coverage
    }


def _grids(study: Study) -> dict[str, object]:
    """Each unit grid by its code: what is served today and under the plan, of its rest demand."""
    return {
        grid.code: {
            "rest_min_a_day": _round(grid.rest_min_a_day),
            "served_today": _round(grid.served_today_share),
            "served": _round(grid.served_share),
            "gain_points": _round(grid.gain_points),
        }
        for grid in study.grids
    }


def _fairness(study: Study) -> dict[str, object]:
    """How evenly the unit grids are served, and how many gain and lose: of the grids told in full above."""
    gains = gains_of(study.grids)
    rows = {row.method: _rounded(dataclasses.asdict(row)) for row in study.fairness}
    return {
        **{method: {key: row[key] for key in row if key != "method"} for method, row in rows.items()},
        "grids_gaining": gains.gaining,
        "grids_losing": gains.losing,
        "grids_same": gains.same,
    }


def _estimates(study: Study) -> list[dict[str, object]]:
    """Figures with the interval in which 95 of 100 resamples of days and riders lie."""
    return [_rounded(dataclasses.asdict(row)) for row in study.estimates]


def _rounded(figures: Mapping[str, object]) -> dict[str, object]:
    return {
        key: _rounded(value)
        if isinstance(value, Mapping)
        else _round(value)
        if isinstance(value, float)
        else value
        for key, value in figures.items()
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(float(value), DECIMALS)
