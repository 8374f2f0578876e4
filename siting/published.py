"""The gate of a study: what may not be shown is None from here on, in every field that stands for riders.

`run_study` is the only one to call it, at its end: reports, maps, files and the service see nothing else. A
figure that nobody asked to publish (`siting.demand.asked.Asked`) is withheld.
"""

import dataclasses
from typing import Any, Final

from siting.changing import Changing
from siting.fairness import fairness_of
from siting.plans.plan import until
from siting.results import AuditFinding, Hours, PickupPoint, Site, Study

__all__ = ["FIGURES", "published"]

FIGURES: Final[dict[str, tuple[str, ...]]] = {
    "sites": (
        "rest_min_a_day", "only_here_share", "extra_rest_hours_if_longer", "due_break_min_a_day",
        "passing_riders_a_day", "chosen_share",
    ),
    "audit": ("visits_a_day", "visitors_a_day", "overlap_share", "gain_rest_hours_a_day"),
    "pickups": (
        "drop_offs_a_day", "saved_min_a_day", "walk_median_m", "walk_max_m", "residents_walk_m_a_day"
    ),
    "cells": ("riders",),
    "flows": ("riders_a_day",),
    "grids": ("riders", "rest_min_a_day", "served_share", "in_reach_share", "served_today_share"),
    "hot_spots": ("riders", "rest_min_a_day"),
    "layers": ("riders", "min_a_day", "served_share", "in_reach_share"),
    "coverage": (
        "served_training", "served_held_out", "in_reach_training", "in_reach_held_out",
        "in_reach_5_min_training", "in_reach_5_min_held_out",
    ),
    "estimates": ("value", "low", "high"),
    "budget_curve": ("served_share",),
    "front": ("served_share", "worst_share"),
    "alternatives": ("served_share",),
    "solution": ("objective", "bound"),
    "": ("riders", "stay_points", "demand_min_a_day", "silent_rest_share"),
}  # fmt: skip
"""Fields of a study that are figures about riders, by the part of the study they stand in."""

HOURS: Final[dict[str, tuple[str, ...]]] = {
    "sites": ("rest_min_by_hour",),
    "audit": ("rest_min_within_reach_by_hour",),
    "cells": ("rest_min_by_hour", "due_break_min_by_hour"),
    "flows": ("by_hour",),
    "hot_spots": ("rest_min_by_hour",),
}
"""Fields that hold 24 of them."""


def published(study: Study, shown: frozenset[str]) -> Study:
    """Return the study with None for every figure whose path is not ``shown``.

    Paths are ``part/id/field`` (and ``/hour``), such as ``sites/S01/rest_min_by_hour/13``.
    """

    def gated(part: str, name: str, item: Any) -> Any:  # noqa: ANN401 - any frozen dataclass of results
        path = f"{part}/{name}".rstrip("/")
        changes: dict[str, object] = {
            field: None for field in FIGURES[part] if f"{path}/{field}".lstrip("/") not in shown
        }
        for field in HOURS.get(part, ()):
            changes[field] = _hours(getattr(item, field), f"{path}/{field}", shown)
        return dataclasses.replace(item, **changes)

    share_of_all = "layers/rest/min_a_day" in shown
    grids = tuple(gated("grids", g.code, g) for g in study.grids)
    changes: dict[str, Any] = {
        "sites": tuple(_site(gated("sites", s.site_id, s), share_of_all) for s in study.sites),
        "audit": tuple(
            _finding(gated("audit", f.site_id, f), f"audit/{f.site_id}/busiest_half_hours" in shown)
            for f in study.audit
        ),
        "pickups": tuple(_gates(gated("pickups", p.pickup_id, p), shown) for p in study.pickups),
        "cells": tuple(gated("cells", c.cell_id, c) for c in study.cells),
        # a street is on the list or not
        "flows": tuple(
            gated("flows", str(number), f)
            for number, f in enumerate(study.flows)
            if f"flows/{number}/riders_a_day" in shown
        ),
        "grids": grids,
        "fairness": fairness_of(grids),
        "hot_spots": tuple(gated("hot_spots", h.spot_id, h) for h in study.hot_spots),
        "layers": tuple(gated("layers", layer.name, layer) for layer in study.layers),
        "coverage": tuple(gated("coverage", c.method, c) for c in study.coverage),
        "budget_curve": tuple(gated("budget_curve", str(n), b) for n, b in enumerate(study.budget_curve)),
        "front": tuple(gated("front", str(n), p) for n, p in enumerate(study.front)),
        "alternatives": tuple(gated("alternatives", str(n), a) for n, a in enumerate(study.alternatives)),
        "estimates": tuple(gated("estimates", str(n), e) for n, e in enumerate(study.estimates)),
        "solution": gated("solution", "", study.solution),
        "stay_points_by_kind": tuple(
            (kind, count if f"stay_points_by_kind/{kind}" in shown else None)
            for kind, count in study.stay_points_by_kind
        ),
    }
    if study.changing is not None:
        changes["changing"] = _changing(study.changing, shown)
    out: Study = dataclasses.replace(gated("", "", study), **changes)
    return out


def _changing(found: Changing, shown: frozenset[str]) -> Changing:
    """Keep of each scenario, plan and forecast what may be shown."""
    scenarios = tuple(
        dataclasses.replace(
            one,
            rest_min_a_day=_if(one.rest_min_a_day, f"scenarios/{one.name}/rest_min_a_day" in shown),
            served_share=_if(one.served_share, f"scenarios/{one.name}/served_share" in shown),
        )
        for one in found.scenarios
    )
    elsewhere = tuple(
        dataclasses.replace(
            one,
            served_share=_if(
                one.served_share, f"elsewhere/{one.chosen_on}/{one.judged_on}/served_share" in shown
            ),
        )
        for one in found.elsewhere
    )
    robust = found.robust
    if robust is not None and "robust/largest_regret" not in shown:
        robust = dataclasses.replace(robust, largest_regret=None, bound=None)
    # A unit grid in which fewer than k riders rest is not on the list.
    forecasts = tuple(one for one in found.forecasts if f"forecasts/{one.series}" in shown)
    return dataclasses.replace(
        found, scenarios=scenarios, elsewhere=elsewhere, robust=robust, forecasts=forecasts
    )


def _if(value: float | None, shown: bool) -> float | None:
    return value if shown else None


def _hours(hours: Hours, path: str, shown: frozenset[str]) -> Hours:
    return tuple(value if f"{path}/{hour}" in shown else None for hour, value in enumerate(hours))


def _site(site: Site, share_of_all: bool) -> Site:
    """Keep what follows from the figures of a station in step with those that are left."""
    key, params = site.reason
    if key in ("site_new", "site_new_near") and not (share_of_all and site.rest_min_a_day is not None):
        key, params = f"{key}_hidden", tuple(p for p in params if p[0] != "share")
    return dataclasses.replace(site, until=until(site.rest_min_by_hour), reason=(key, params))


def _finding(finding: AuditFinding, busiest: bool) -> AuditFinding:
    reason = finding.reason
    if reason[0] == "audit_merge" and finding.overlap_share is None:
        reason = ("audit_merge_hidden", ())
    half_hours = finding.busiest_half_hours if busiest else ()
    return dataclasses.replace(finding, reason=reason, busiest_half_hours=half_hours)


def _gates(point: PickupPoint, shown: frozenset[str]) -> PickupPoint:
    gates = tuple(
        gate
        if f"pickups/{point.pickup_id}/gates/{number}/share" in shown
        else dataclasses.replace(gate, share=None)
        for number, gate in enumerate(point.gates)
    )
    return dataclasses.replace(point, gates=gates)
