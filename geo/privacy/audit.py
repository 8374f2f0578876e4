"""Which sums may be shown together, so that no arithmetic on them tells of fewer than k riders.

**Promise.** Whoever adds, subtracts and scales the shown sums in any way gets either nothing (0 of every
row) or something in which at least k different riders have a part. That covers a cell told by its
neighbours and a total, a share by its rest, an hour by a day, a place by overlapping areas.

**Primary suppression.** A sum with rows of fewer than k riders is withheld (the threshold rule: Willenborg
and de Waal, Elements of Statistical Disclosure Control, 2001, ch. 1; tau-argus manual, ch. 2).

**Secondary suppression.** Let M be the matrix of the shown sums (one row each) over the classes of rows that
the same sums hold. A combination x M that is not zero must touch classes of at least k riders. This is the
audit of sum queries by an echelon form (Chin and Oezsoyoglu, Auditing and inference control in statistical
databases, IEEE TSE 8(6), 1982), with k riders in the place of one record:

1. Classes whose columns in M are proportional are one class: a combination touches all or none of them.
2. A combination that tells of fewer than k riders is zero on every class with at least k riders. So rows are
   eliminated with pivots in such classes only: whoever uses a row with a pivot touches the pivot's class or
   a later pivot's, and is safe. What has no pivot is what combinations could hide in.
3. Steps 1 and 2 are repeated on the rows without pivot, whose columns may now be proportional, until no row
   is left (then the sums are safe) or no class is large enough. In the latter case the least worthy sum that
   takes part in such a row is withheld too, and all begins again.

The rule is sufficient, not necessary: it may withhold a sum too many, never one too few. It looks at who
stands behind sums and never at their values, so what is withheld says nothing of values.

Numbers are counted modulo a prime: a sum that is told over the rationals is told over the prime field too but
for primes that divide a minor of M, of which 2^61 - 1 is none in practice.
"""

import heapq
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Sums", "unsafe"]

IntArray = npt.NDArray[np.int64]
Row = dict[int, int]

_PRIME: Final = (1 << 61) - 1


class Sums:
    """Sums over rows: sum ``s`` adds ``times[i]`` times row ``row[i]`` for every ``i`` with ``of[i] == s``.

    Parameters
    ----------
    of, row, times
        (e,) entries; ``times`` are whole numbers other than 0.
    rider
        (r,) the rider of each row.
    count
        Number of sums.
    """

    def __init__(self, of: IntArray, row: IntArray, times: IntArray, rider: IntArray, count: int) -> None:
        self.of, self.row, self.times, self.rider, self.count = of, row, times, rider, count

    def riders(self) -> IntArray:
        """Return (count,) how many different riders have a part in each sum."""
        if len(self.of) == 0:
            return np.zeros(self.count, dtype=np.int64)
        span = int(self.rider.max()) + 1
        pairs = np.unique(self.of * span + self.rider[self.row])
        return np.bincount(pairs // span, minlength=self.count)

    def classes(self, shown: npt.NDArray[np.bool_]) -> tuple[list[Row], list[frozenset[int]]]:
        """Return the rows of the shown sums over classes of equal columns, and the riders of each class."""
        kept = shown[self.of]
        of, row, times = self.of[kept], self.row[kept], self.times[kept]
        # rows in the same sums, as often, get the same code; two codes of 64 bits never meet by chance
        draws = np.random.default_rng(0).integers(1, 2**63, (2, self.count), dtype=np.uint64)
        codes = np.zeros((2, len(self.rider)), dtype=np.uint64)
        for code, draw in zip(codes, draws, strict=True):
            np.add.at(code, row, draw[of] * times.astype(np.uint64))
        used = np.zeros(len(self.rider), dtype=np.bool_)
        used[row] = True
        at = np.nonzero(used)[0]
        _, label = np.unique(codes[:, at], axis=1, return_inverse=True)
        label_of = np.full(len(self.rider), -1, dtype=np.int64)
        label_of[at] = label.ravel()
        size = int(label_of.max(initial=-1)) + 1
        riders: list[set[int]] = [set() for _ in range(size)]
        for c, who in zip(label_of[at].tolist(), self.rider[at].tolist(), strict=True):
            riders[c].add(who)
        out: list[Row] = [{} for _ in range(self.count)]
        pair, first = np.unique(of * max(1, size) + label_of[row], return_index=True)
        for s, c, t in zip(
            (pair // max(1, size)).tolist(),
            (pair % max(1, size)).tolist(),
            times[first].tolist(),
            strict=True,
        ):
            out[s][c] = t % _PRIME
        return out, [frozenset(who) for who in riders]


def unsafe(sums: Sums, shown: npt.NDArray[np.bool_], k: int) -> tuple[list[list[int]], int]:
    """Look for combinations of the shown sums that may tell of fewer than k riders.

    Returns
    -------
    list of list of int, int
        The sums that take part in each such combination (none: all shown sums are safe together), and the
        fewest riders of a class that the proof leans on: it holds for every k up to that.
    """
    matrix, riders = sums.classes(shown)
    rows = [(row, {s: 1}) for s, row in enumerate(matrix) if row]
    least = np.iinfo(np.int64).max
    while rows:
        merged = _merged(rows, riders)
        heavy = {c for c, who in merged.items() if len(who) >= k}
        if not heavy:
            break
        # the others of a group follow its first class
        slim = [({c: v for c, v in row.items() if c in merged}, using) for row, using in rows]
        rows, pivots = _eliminated(slim, heavy)
        least = min([least, *(len(merged[c]) for c in pivots)])
        riders = [merged.get(c, frozenset()) for c in range(len(riders))]
    return _culprits(rows, riders), int(least)


def _merged(rows: Sequence[tuple[Row, Row]], riders: Sequence[frozenset[int]]) -> dict[int, frozenset[int]]:
    """Return by first class the riders of each group of classes whose columns are proportional."""
    columns: dict[int, list[tuple[int, int]]] = {}
    for number, (row, _) in enumerate(rows):
        for c, value in row.items():
            columns.setdefault(c, []).append((number, value))
    groups: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for c in sorted(columns):
        column = columns[c]
        if column[0][1] != 1:
            scale = pow(column[0][1], -1, _PRIME)
            column = [(number, value * scale % _PRIME) for number, value in column]
        groups.setdefault(tuple(column), []).append(c)
    return {
        members[0]: riders[members[0]]
        if len(members) == 1
        else frozenset().union(*(riders[c] for c in members))
        for members in groups.values()
    }


def _eliminated(rows: Sequence[tuple[Row, Row]], heavy: set[int]) -> tuple[list[tuple[Row, Row]], list[int]]:
    """Eliminate with pivots in heavy classes; return the rows that have none left, and the pivots."""
    seen: dict[int, int] = {}
    for row, _ in rows:
        for c in row:
            seen[c] = seen.get(c, 0) + 1
    basis: list[tuple[int, Row, Row]] = []
    place: dict[int, int] = {}
    left = []
    # short rows first: they are nearly disjoint, and long ones lose by them
    for at in sorted(range(len(rows)), key=lambda i: (len(rows[i][0]), i)):
        row, using = dict(rows[at][0]), dict(rows[at][1])
        todo = [place[c] for c in row if c in place]
        heapq.heapify(todo)
        while todo:
            pivot, other, others = basis[heapq.heappop(todo)]
            factor = row.get(pivot, 0)
            if factor == 0:
                continue
            for c in _subtract(row, other, factor):
                if c in place:
                    heapq.heappush(todo, place[c])
            _subtract(using, others, factor)
        able = [c for c in row if c in heavy]
        if able:
            pivot = min(able, key=lambda c: (seen[c], c))
            scale = pow(row[pivot], -1, _PRIME)
            place[pivot] = len(basis)
            basis.append((pivot, {c: v * scale % _PRIME for c, v in row.items()},
                          {s: v * scale % _PRIME for s, v in using.items()}))  # fmt: skip
        elif row:
            left.append((row, using))
    return left, [pivot for pivot, _, _ in basis]


def _subtract(row: Row, other: Row, factor: int) -> list[int]:
    """Take ``factor`` times another row away in place; return the classes that are new."""
    new = []
    for c, value in other.items():
        old = row.get(c)
        result = ((old or 0) - factor * value) % _PRIME
        if result:
            row[c] = result
            if old is None:
                new.append(c)
        elif old is not None:
            del row[c]
    return new


def _culprits(rows: Sequence[tuple[Row, Row]], riders: Sequence[frozenset[int]]) -> list[list[int]]:
    """Return who takes part in the rows that are left: of rows that share a class only the smallest one."""
    taken: set[int] = set()
    out = []
    for row, using in sorted(
        rows, key=lambda r: (len(frozenset().union(*(riders[c] for c in r[0]))), sorted(r[1]))
    ):
        if not taken & row.keys():
            out.append(sorted(using))
        taken |= row.keys()
    return out
