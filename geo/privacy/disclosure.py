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
   is left (then the sums are safe) or no class is large enough.
4. The rows without pivot are brought into a form in which each is led by the least worthy sum that takes part
   in it and no other row has that sum. From the dearest leader on, a sum whose row would make those before
   unsafe is withheld.

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
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["Sums", "withheld"]

IntArray = npt.NDArray[np.int64]
Row = dict[int, int]
Riders = dict[int, frozenset[int]]

_PRIME: Final = (1 << 61) - 1
_EFFORT: Final = 500_000
"""Entries of rows to look at again to give back what was withheld needlessly."""


class Sums:
    """Sums over rows: sum ``s`` adds ``times[i]`` times row ``row[i]`` for every ``i`` with ``of[i] == s``.

    Rows that stand in the same sums, as often, are kept as one class with its riders.

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
        self.count = count
        label = _alike(of, row, times, len(rider), count)
        size = int(label.max(initial=-1)) + 1
        pair, first = np.unique(of * max(1, size) + label[row], return_index=True)
        self.of, self.row, self.times = pair // max(1, size), pair % max(1, size), times[first]
        inside = label >= 0
        self._who = np.unique(np.column_stack([label[inside], rider[inside]]), axis=0)
        self._size = size

    def __len__(self) -> int:
        return len(self.of)

    def riders(self) -> IntArray:
        """Return (count,) how many different riders have a part in each sum."""
        if len(self.of) == 0:
            return np.zeros(self.count, dtype=np.int64)
        cuts = np.searchsorted(self._who[:, 0], np.arange(self._size + 1))
        size = np.diff(cuts)[self.row]
        at = np.repeat(cuts[:-1][self.row] - np.cumsum(size) + size, size) + np.arange(size.sum())
        span = int(self._who[:, 1].max()) + 1
        pairs = np.unique(np.repeat(self.of, size) * span + self._who[at, 1])
        return np.bincount(pairs // span, minlength=self.count)

    def classes(self, shown: npt.NDArray[np.bool_], k: int) -> tuple[list[Row], IntArray, Riders]:
        """Return the shown sums over their classes, how many riders each has, and the riders of small ones.

        A small class has fewer than k riders.
        """
        kept = shown[self.of]
        of, row, times = self.of[kept], self.row[kept], self.times[kept]
        label = _alike(of, row, times, self._size, self.count)
        size = int(label.max(initial=-1)) + 1
        pair, first = np.unique(of * max(1, size) + label[row], return_index=True)
        rows: list[Row] = [{} for _ in range(self.count)]
        columns = (*divmod(pair, max(1, size)), times[first])
        for s, c, t in zip(*(column.tolist() for column in columns), strict=True):
            rows[s][c] = t % _PRIME
        who = np.column_stack([label[self._who[:, 0]], self._who[:, 1]])
        who = np.unique(who[who[:, 0] >= 0], axis=0)
        many = np.bincount(who[:, 0], minlength=size)
        riders: dict[int, set[int]] = {}
        for c, r in who[many[who[:, 0]] < k].tolist():
            riders.setdefault(c, set()).add(r)
        return rows, many, {c: frozenset(found) for c, found in riders.items()}


def _alike(of: IntArray, row: IntArray, times: IntArray, rows: int, count: int) -> IntArray:
    """Return (rows,) one number for all rows that stand in the same sums as often, -1 for those in none."""
    # two of n codes of 64 random bits are the same by chance about n^2 / 2^65 times
    draw = np.random.default_rng(0).integers(1, 2**63, count, dtype=np.uint64)
    code = np.zeros(rows, dtype=np.uint64)
    np.add.at(code, row, draw[of] * times.astype(np.uint64))
    used = np.zeros(rows, dtype=np.bool_)
    used[row] = True
    out = np.full(rows, -1, dtype=np.int64)
    out[used] = np.unique(code[used], return_inverse=True)[1].ravel()
    return out


def withheld(sums: Sums, shown: npt.NDArray[np.bool_], worth: IntArray, k: int) -> tuple[list[int], int]:
    """Return what of the shown sums must be withheld, so that no combination tells of fewer than k riders.

    Parameters
    ----------
    sums, shown
        All sums, and (count,) which of them ask to be shown.
    worth
        (count,) those with the smallest numbers are withheld first.
    k
        Fewest riders.

    Returns
    -------
    list of int, int
        Sums to withhold: with any one of them more the others are not proven safe. And the fewest riders of a
        class that the proof leans on: it holds for every k up to that.
    """
    matrix, many, riders = sums.classes(shown, k)
    gone: list[int] = []
    least = int(np.iinfo(np.int64).max)
    # what shares no class can tell nothing together
    for part in _apart(matrix, len(many)):
        more, proven = _withheld_of({s: matrix[s] for s in part}, many, riders, worth, k)
        gone += more
        least = min(least, proven)
    return gone, least


def _apart(matrix: Sequence[Row], classes: int) -> list[list[int]]:
    """Return the sums that hang together by classes that they share, part by part."""
    pairs = [(s, c) for s, row in enumerate(matrix) for c in row]
    if not pairs:
        return []
    of, c = np.array(pairs, dtype=np.int64).T
    size = len(matrix) + classes
    graph = coo_array((np.ones(len(of), dtype=np.bool_), (of, len(matrix) + c)), shape=(size, size))
    label = connected_components(graph, directed=False)[1]
    parts: dict[int, list[int]] = {}
    for s, row in enumerate(matrix):
        if row:
            parts.setdefault(int(label[s]), []).append(s)
    return list(parts.values())


def _withheld_of(
    matrix: dict[int, Row], many: IntArray, riders: Riders, worth: IntArray, k: int
) -> tuple[list[int], int]:
    """Return what to withhold of sums that hang together, as `withheld` does."""
    inside = {c for row in matrix.values() for c in row}
    heavy = {c for c in inside if many[c] >= k}
    left, pivots = _eliminated([(row, {s: 1}) for s, row in matrix.items()], heavy)
    least = min((int(many[c]) for c in pivots), default=int(np.iinfo(np.int64).max))
    by_worth = _led(left, worth)
    rows = dict(by_worth)
    gone = [lead for lead, row in by_worth if row and len(_behind(row, riders)) < k]
    shown_leads = [lead for lead, row in by_worth if row and lead not in set(gone)]
    while True:
        found, proven = _doubtful({lead: rows[lead] for lead in shown_leads}, riders, k)
        if not found:
            break
        more: set[int] = set()
        for taking_part in found:
            if not more & set(taking_part):
                more.add(min(taking_part, key=lambda s: (int(worth[s]), -s)))
        gone += sorted(more)
        shown_leads = [lead for lead in shown_leads if lead not in more]
    # what a later one made needless comes back, dearest first, as far as trying is cheap
    size = sum(len(row) for row in rows.values())
    for lead in sorted(gone, key=lambda s: (-int(worth[s]), s))[: _EFFORT // max(1, size)]:
        found, now = _doubtful({s: rows[s] for s in (*shown_leads, lead)}, riders, k)
        if not found:
            shown_leads.append(lead)
            gone.remove(lead)
            proven = now
    return gone, min(least, proven)


def _doubtful(rows: dict[int, Row], riders: Riders, k: int) -> tuple[list[list[int]], int]:
    """Return which rows take part in combinations that may tell of fewer than k riders.

    Returns
    -------
    list of list of int, int
        None where all rows are proven safe together, and the fewest riders of a class that shows it.
    """
    least = int(np.iinfo(np.int64).max)
    todo: list[tuple[Row, Row]] = [(row, {lead: 1}) for lead, row in rows.items()]
    while todo:
        riders = _merged(todo, riders)
        # the others of a group follow its first class
        todo = [({c: v for c, v in row.items() if c in riders}, using) for row, using in todo]
        heavy = {c for c, who in riders.items() if len(who) >= k}
        if not heavy:
            return _culprits(todo, riders, k), least
        todo, pivots = _eliminated(todo, heavy)
        todo = [(row, using) for row, using in todo if row]
        least = min([least, *(len(riders[c]) for c in pivots)])
    return [], least


def _culprits(rows: Sequence[tuple[Row, Row]], riders: Riders, k: int) -> list[list[int]]:
    """Return who takes part in the rows that are left: in each that tells of fewer than k riders.

    Where none does by itself, together they may: then the smallest of those that share classes.
    """
    behind = [len(_behind(row, riders)) for row, _ in rows]
    order = sorted(range(len(rows)), key=lambda i: (behind[i], sorted(rows[i][1])))
    few = [sorted(rows[i][1]) for i in order if behind[i] < k]
    if few:
        return few
    taken: set[int] = set()
    out = []
    for i in order:
        row, using = rows[i]
        if not taken & row.keys():
            out.append(sorted(using))
        taken |= row.keys()
    return out


def _led(left: Sequence[tuple[Row, Row]], worth: IntArray) -> list[tuple[int, Row]]:
    """Bring rows into a form in which each has a leader: the least worthy sum in it, which no other row has.

    Whoever does not have some of the leaders gets at the rows of the other leaders, and no more.

    Returns
    -------
    list
        (leader, row over the classes), the dearest leader first.
    """
    led: dict[int, tuple[Row, Row]] = {}
    for one, using in left:
        row, mine = dict(one), dict(using)
        for s in [s for s in mine if s in led]:
            factor = mine[s]
            _subtract(row, led[s][0], factor)
            _subtract(mine, led[s][1], factor)
        lead = min(mine, key=lambda s: (int(worth[s]), -s))
        scale = pow(mine[lead], -1, _PRIME)
        row = {c: v * scale % _PRIME for c, v in row.items()}
        mine = {s: v * scale % _PRIME for s, v in mine.items()}
        for other, others in led.values():
            factor = others.get(lead, 0)
            if factor:
                _subtract(other, row, factor)
                _subtract(others, mine, factor)
        led[lead] = (row, mine)
    return [(lead, led[lead][0]) for lead in sorted(led, key=lambda s: (-int(worth[s]), s))]


def _behind(row: Row, riders: Riders) -> frozenset[int]:
    return frozenset().union(*(riders[c] for c in row))


def _merged(rows: Sequence[tuple[Row, Row]], riders: Riders) -> Riders:
    """Return by first class the riders of each group of classes whose columns are proportional."""
    # proportional columns have the same code once their first entry is 1; others have it by chance about
    # n^2 / 2^62 times, as in `_alike`
    draw = np.random.default_rng(0).integers(1, _PRIME, len(rows)).tolist()
    code: dict[int, int] = {}
    head: dict[int, tuple[int, int]] = {}
    for number, (row, _) in enumerate(rows):
        times = draw[number]
        for c, value in row.items():
            if c in code:
                code[c] += times * value
            else:
                code[c] = times * value
                head[c] = number, value
    groups: dict[tuple[int, int], list[int]] = {}
    for c in sorted(code):
        number, value = head[c]
        one = code[c] if value == 1 else code[c] * pow(value, -1, _PRIME)
        groups.setdefault((number, one % _PRIME), []).append(c)
    return {
        members[0]: riders[members[0]]
        if len(members) == 1
        else frozenset().union(*(riders[c] for c in members))
        for members in groups.values()
    }


def _eliminated(rows: Sequence[tuple[Row, Row]], heavy: set[int]) -> tuple[list[tuple[Row, Row]], list[int]]:
    """Eliminate with pivots in heavy classes; return the rows that have none left, and the pivots.

    With each row goes a row of the sums that it is a combination of.
    """
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
        elif row or using:
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
