"""How evenly a plan serves the unit grids: who gains, who loses, and how the worst off fare.

Everything here is computed from figures of unit grids, after the gate from published ones alone, so it tells
nothing that those do not.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from geo.inequality import gini
from siting.results import Fairness, Gains, GridFigures

__all__ = ["LEAST_CHANGE", "fairness_of", "gains_of", "worst_part"]

FloatArray = npt.NDArray[np.float64]

LEAST_CHANGE = 0.001
"""A grid gains or loses from a tenth of a point on: tables show no less."""
WORST = 0.1
"""The worst off are the tenth of the demand that is served least."""


def worst_part(share: npt.ArrayLike, weight: npt.ArrayLike, part: float = WORST) -> float | None:
    """Return the mean share of the ``part`` (0-1) of all demand that is served least; None without demand.

    Grids are taken from the worst on, the last one as far as it is needed.
    """
    shares, weights = np.asarray(share, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    most = part * float(weights.sum())
    if most <= 0:
        return None
    order = np.argsort(shares, kind="stable")
    before = np.r_[0.0, np.cumsum(weights[order])[:-1]]
    taken = np.clip(most - before, 0.0, weights[order])
    return min(1.0, float((taken * shares[order]).sum()) / most)


def _known(grids: Iterable[GridFigures]) -> list[tuple[str, float, float, float]]:
    """Return code, demand, share served today and share under the plan of the grids that tell all of them."""
    return [
        (grid.code, grid.rest_min_a_day, grid.served_today_share, grid.served_share)
        for grid in grids
        if grid.rest_min_a_day and grid.served_today_share is not None and grid.served_share is not None
    ]


def fairness_of(grids: Iterable[GridFigures]) -> tuple[Fairness, ...]:
    """Return how evenly the stations of today and the plan serve the unit grids.

    Only grids count that have demand and tell all their figures, the same ones for both; none, no rows.
    """
    known = _known(grids)
    if not known:
        return ()
    weight = np.array([row[1] for row in known])
    out = []
    for method, column in (("existing", 2), ("yilu", 3)):
        share = np.array([float(row[column]) for row in known])
        worst = int(share.argmin())
        tenth = worst_part(share, weight)
        out.append(
            Fairness(method, len(known), gini(share, weight), tenth, float(share[worst]), known[worst][0])
        )
    return tuple(out)


def gains_of(grids: Iterable[GridFigures]) -> Gains:
    """Return in how many unit grids a larger share is served than today, in how many a smaller one."""
    gain = [after - before for _, _, before, after in _known(grids)]
    up, down = sum(one >= LEAST_CHANGE for one in gain), sum(one <= -LEAST_CHANGE for one in gain)
    return Gains(up, down, len(gain) - up - down)
