"""A small builder between siting problems and HiGHS: columns, tagged rows, and what stands in the way.

Every row carries the family of constraints it comes from ("budget", "sites", ...). When a model has
no solution, each family is relaxed alone, at the least total slack, so that the answer can say
which constraint stands in the way and by how much.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from geo.errors import InfeasibleError
from geo.sentences import Sentence

__all__ = ["Limits", "LimitsEndedError", "LinearModel", "Outcome", "infeasible"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FAMILIES: Final = ("sites", "new_sites", "budget", "capacity", "reach", "share")
"""Constraints that may stand in the way; rows of other families begin with ``_`` and are never relaxed."""


class LimitsEndedError(InfeasibleError):
    """The limits ended the search before any choice was found: nothing is known about feasibility."""

    def __init__(self) -> None:
        super().__init__(Sentence.of("limits_ended"))


def infeasible(
    broken: Sequence[tuple[str, float]], *, or_less: Sequence[str] = (), or_more: Sequence[str] = ()
) -> InfeasibleError:
    """Return the error that says which constraint stands in the way, and by how much.

    Parameters
    ----------
    broken : families (`FAMILIES`), each with what it alone would have to give; none: no one alone would help
    or_less, or_more : families for which that amount is not proven
    """
    conflict: Sentence | None = None
    for family, amount in broken:
        one = Sentence.of("relax", what=Sentence.of(f"relax_{family}"), by=f"{amount:.6g}")
        if family in or_less:
            one = Sentence.of("relax_or_less", what=one)
        if family in or_more:
            one = Sentence.of("relax_or_more", what=one)
        conflict = one if conflict is None else Sentence.of("relax_or", a=conflict, b=one)
    return InfeasibleError(
        Sentence.of("infeasible_together") if conflict is None else Sentence.of("infeasible", what=conflict)
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """When the solver may stop early.

    Attributes
    ----------
    gap : relative gap at which an answer is good enough (0 asks for proof)
    time_limit_s : wall seconds; None for none. With a time limit an answer may differ between runs
    node_limit : branch-and-bound nodes; None for none. Repeatable
    """

    gap: float = 0.0
    time_limit_s: float | None = None
    node_limit: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """Values of the columns, objective and bound of a minimisation; values None when none was found."""

    values: FloatArray | None
    objective: float
    bound: float
    optimal: bool


class LinearModel:
    """Minimise a linear objective over bounded columns, some of them whole numbers."""

    def __init__(self) -> None:
        self._objective: list[FloatArray] = []
        self._lower: list[FloatArray] = []
        self._upper: list[FloatArray] = []
        self._whole: list[npt.NDArray[np.uint8]] = []
        self._rows: list[IntArray] = []
        self._columns: list[IntArray] = []
        self._values: list[FloatArray] = []
        self._row_lower: list[FloatArray] = []
        self._row_upper: list[FloatArray] = []
        self._row_family: list[tuple[str, int]] = []
        self.n_columns = 0
        self.n_rows = 0

    def add_columns(
        self,
        count: int,
        objective: float | FloatArray = 0.0,
        lower: float | FloatArray = 0.0,
        upper: float | FloatArray = 1.0,
        whole: bool = False,
    ) -> IntArray:
        """Append columns and return their numbers."""
        for store, value in (
            (self._objective, objective),
            (self._lower, lower),
            (self._upper, upper),
        ):
            store.append(np.broadcast_to(np.asarray(value, dtype=np.float64), (count,)))
        self._whole.append(np.full(count, whole, dtype=np.uint8))
        first = self.n_columns
        self.n_columns += count
        return np.arange(first, self.n_columns, dtype=np.int64)

    def add_rows(
        self,
        family: str,
        count: int,
        parts: list[tuple[npt.NDArray[np.integer], npt.NDArray[np.integer], float | FloatArray]],
        lower: float | FloatArray = -np.inf,
        upper: float | FloatArray = np.inf,
    ) -> None:
        """Append ``count`` rows; each part is (row numbers from 0, columns, coefficients)."""
        for rows, columns, values in parts:
            self._rows.append(np.asarray(rows, dtype=np.int64) + self.n_rows)
            self._columns.append(np.asarray(columns, dtype=np.int64))
            self._values.append(np.broadcast_to(np.asarray(values, dtype=np.float64), (len(rows),)))
        self._row_lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), (count,)))
        self._row_upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), (count,)))
        self._row_family.append((family, count))
        self.n_rows += count

    def _matrix(self, extra: tuple[IntArray, FloatArray] | None = None) -> scipy.sparse.csc_array:
        rows, columns, values = (_join(parts) for parts in (self._rows, self._columns, self._values))
        width = self.n_columns
        if extra is not None:
            extra_rows, signs = extra
            rows = np.r_[rows, extra_rows]
            columns = np.r_[columns, width + np.arange(len(extra_rows))]
            values = np.r_[values, signs]
            width += len(extra_rows)
        shape = (self.n_rows, width)
        return scipy.sparse.csc_array(
            (values, (rows.astype(np.int64), columns.astype(np.int64))), shape=shape
        )

    def minimise(self, limits: Limits = Limits()) -> Outcome:
        """Solve with HiGHS.

        Raises
        ------
        InfeasibleError
            When no column values satisfy all rows; the sentence names the families in the way.
        """
        outcome = self._solve(limits)
        if outcome is None:
            raise self._in_the_way(limits)
        return outcome

    def _solve(self, limits: Limits) -> Outcome | None:
        objective, lower, upper = (_join(parts) for parts in (self._objective, self._lower, self._upper))
        options: dict[str, Any] = {"mip_rel_gap": limits.gap}
        if limits.time_limit_s is not None:
            options["time_limit"] = limits.time_limit_s
        if limits.node_limit is not None:
            options["node_limit"] = limits.node_limit
        answer = milp(
            objective,
            integrality=np.concatenate(self._whole),
            bounds=Bounds(lower, upper),
            constraints=LinearConstraint(self._matrix(), _join(self._row_lower), _join(self._row_upper)),
            options=cast("Any", options),
        )
        if answer.status == 2:
            return None
        bound = getattr(answer, "mip_dual_bound", None)
        if answer.x is None:
            return Outcome(None, np.inf, -np.inf if bound is None else float(bound), optimal=False)
        value = float(answer.fun)
        # without whole columns HiGHS reports no bound of its own: an optimal LP is its own bound
        floor = (
            value if bound is None or (answer.status == 0 and limits.gap == 0) else min(float(bound), value)
        )
        return Outcome(np.asarray(answer.x), value, floor, optimal=answer.status == 0)

    def minimise_or_none(self, limits: Limits = Limits()) -> Outcome | None:
        """Solve as `minimise`, but return None where no column values satisfy all rows."""
        return self._solve(limits)

    def _in_the_way(self, limits: Limits) -> InfeasibleError:
        families = list(dict.fromkeys(name for name, _ in self._row_family if not name.startswith("_")))
        found, unproven = [], []
        for family in families:
            slack, proven = self._least_slack(family, limits)
            if slack is not None and slack > 1e-6:
                found.append((family, slack))
                unproven += [] if proven else [family]
        return infeasible(found, or_less=unproven)

    def _least_slack(self, family: str, limits: Limits) -> tuple[float | None, bool]:
        """Return the least total slack of one family that makes the model solvable, and whether it is proven.

        None when no slack of this family does, or none was found within the seconds.
        """
        starts = np.cumsum([0] + [count for _, count in self._row_family])
        rows = np.concatenate(
            [
                np.arange(starts[k], starts[k + 1])
                for k, (name, _) in enumerate(self._row_family)
                if name == family
            ]
        ).astype(np.int64)
        row_lower, row_upper = _join(self._row_lower), _join(self._row_upper)
        up = rows[np.isfinite(row_upper[rows])]
        down = rows[np.isfinite(row_lower[rows])]
        extra = (np.r_[up, down], np.r_[-np.ones(len(up)), np.ones(len(down))])
        count = len(extra[0])
        options: dict[str, Any] = {"mip_rel_gap": 1e-6}
        if limits.time_limit_s is not None:
            options["time_limit"] = limits.time_limit_s
        if limits.node_limit is not None:
            options["node_limit"] = limits.node_limit
        answer = milp(
            np.r_[np.zeros(self.n_columns), np.ones(count)],
            integrality=np.r_[np.concatenate(self._whole), np.zeros(count, dtype=np.uint8)],
            bounds=Bounds(
                np.r_[_join(self._lower), np.zeros(count)], np.r_[_join(self._upper), np.full(count, np.inf)]
            ),
            constraints=LinearConstraint(self._matrix(extra), row_lower, row_upper),
            options=cast("Any", options),
        )
        return (None, True) if answer.x is None else (float(answer.fun), answer.status == 0)


def _join(parts: list[FloatArray] | list[IntArray]) -> FloatArray:
    return np.concatenate(parts) if parts else np.empty(0)
