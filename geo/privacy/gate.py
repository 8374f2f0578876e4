"""The gate: every figure that a study publishes passes here, with the riders who stand behind it.

Figures are named by a path and handed in with what they count: sums over rows (minutes of rest, stays),
or different riders. ``Figures.shown`` says which may be published together. Everything else is withheld: it
is None, which is not zero.

- Sums are safe against any arithmetic on all of them (`geo.privacy.disclosure`); k = 10 by default, as in the
  Mobility Data Specification.
- A number of different riders is no sum. It is shown from k on, where the larger group that it is declared
  to be a part of and is shown too has no fewer than k riders more (or none): else the difference is a
  number of fewer than k.
- What is shown with a larger k is shown with every smaller one from `DEFAULT_K` on, so two runs of one plan
  with different k tell no more than the run with the smaller k.

Not promised: that nothing can be guessed. The gate knows no values, so it does not look at how narrow a range
the shown sums leave, nor at what somebody knows from elsewhere (a rider of the study, for instance). Two
studies of different days, files or plans are two releases, each safe for itself.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from geo.errors import InputError
from geo.privacy.disclosure import Sums, withheld

__all__ = ["DEFAULT_K", "Figures", "riders_in_groups", "suppress"]

IntArray = npt.NDArray[np.int64]

DEFAULT_K: Final = 10


class Figures:
    """The figures of one study that ask to be published.

    Parameters
    ----------
    k
        Fewest riders that may be shown, at least 1.
    """

    def __init__(self, k: int) -> None:
        if k < 1:
            raise InputError(f"k is {k}; it must be at least 1")
        self.k = k
        self._riders: list[IntArray] = []
        self._first: dict[str, int] = {}
        self._size = 0
        self._paths: dict[str, int] = {}
        self._rank: list[int] = []
        self._of: list[int] = []
        """Figure of each sum."""
        self._nobody: list[bool] = []
        self._entries: list[tuple[int, IntArray, IntArray]] = []
        self._groups: dict[str, tuple[frozenset[int], str | None]] = {}

    def rows(self, measure: str, rider: ArrayLike) -> None:
        """Declare the rows of one measure.

        Parameters
        ----------
        measure
            What the rows are, such as ``rest``; sums are over rows of one or more measures.
        rider
            (r,) number of the rider of each row, the same person under the same number in all measures.
        """
        column = np.asarray(rider, dtype=np.int64)
        self._first[measure] = self._size
        self._riders.append(column)
        self._size += len(column)

    def add(
        self,
        path: str,
        measure: str,
        rows: ArrayLike,
        times: ArrayLike | None = None,
        *,
        rank: int = 0,
        nobody: bool = False,
    ) -> None:
        """Ask to publish a figure that tells a sum over rows of one measure.

        Called again with the same path: whoever knows the figure knows this sum as well (a share tells its
        part and its whole), so both are shown or none.

        Parameters
        ----------
        path
            Name of the figure.
        measure
            As declared.
        rows
            Numbers of rows of the measure, each once at most, or (r,) a mask.
        times
            How often each of them counts: whole numbers, one for each entry of ``rows`` (of a mask: each
            row).
        rank
            0 is dearest; what has a higher one is withheld first.
        nobody
            Whether it may be shown when nobody stands behind it (nought of a share).
        """
        self.add_mixed(path, ((measure, rows, times),), rank=rank, nobody=nobody)

    def add_mixed(
        self,
        path: str,
        parts: Sequence[tuple[str, ArrayLike, ArrayLike | None]],
        *,
        rank: int = 0,
        nobody: bool = False,
    ) -> None:
        """Ask to publish a figure that tells one sum over rows of several measures (as `add`)."""
        figure = self._paths.setdefault(path, len(self._paths))
        if figure == len(self._rank):
            self._rank.append(rank)
        all_rows, all_times = [], []
        for measure, rows, times in parts:
            at, count = np.asarray(rows), None if times is None else np.asarray(times, dtype=np.int64)
            if at.dtype == np.bool_:
                count = None if count is None else count[at]
                at = np.nonzero(at)[0]
            at = at.astype(np.int64) + self._first[measure]
            count = np.ones(len(at), dtype=np.int64) if count is None else count
            all_rows.append(at[count != 0])
            all_times.append(count[count != 0])
        self._entries.append((len(self._of), np.concatenate(all_rows), np.concatenate(all_times)))
        self._of.append(figure)
        self._nobody.append(nobody)

    def add_riders(self, path: str, rider: ArrayLike, within: str | None = None) -> None:
        """Ask to publish how many different riders there are.

        Parameters
        ----------
        path
            Name of the figure.
        rider
            Their numbers, in any order and number.
        within
            Path of the group that they all belong to, added before.
        """
        self._groups[path] = (frozenset(np.unique(np.asarray(rider, dtype=np.int64)).tolist()), within)

    def shown(self) -> frozenset[str]:
        """Return the paths of the figures that may be published together."""
        names = list(self._paths)
        figures = np.zeros(len(names), dtype=np.bool_)
        if names:
            figures = self._shown_sums()
        return frozenset(name for name, ok in zip(names, figures, strict=True) if ok) | self._shown_groups()

    def _shown_sums(self) -> npt.NDArray[np.bool_]:
        rider = np.concatenate(self._riders) if self._riders else np.empty(0, dtype=np.int64)
        sums = Sums(
            np.repeat(
                np.array([s for s, _, _ in self._entries], dtype=np.int64),
                [len(rows) for _, rows, _ in self._entries],
            ),
            np.concatenate([rows for _, rows, _ in self._entries]),
            np.concatenate([times for _, _, times in self._entries]),
            np.unique(rider, return_inverse=True)[1].astype(np.int64),
            len(self._of),
        )
        behind, of = sums.riders(), np.array(self._of, dtype=np.int64)
        allowed = np.array(self._nobody) & (behind == 0)
        shown = np.ones(len(self._rank), dtype=np.bool_)
        # dearest last; among equals the one with the fewest riders goes first
        fewest = np.full(len(shown), np.iinfo(np.int64).max)
        np.minimum.at(fewest, of, np.where(allowed, np.iinfo(np.int64).max, behind))
        worth = np.empty(len(shown), dtype=np.int64)
        worth[np.lexsort((-np.arange(len(shown)), fewest, -np.array(self._rank)))] = np.arange(len(shown))
        step = min(self.k, DEFAULT_K)
        while True:
            shown &= fewest >= step
            gone, least = withheld(sums, shown[of], worth[of], step)
            shown[of[gone]] = False
            least = min([least, *fewest[shown].tolist()])
            if least >= self.k:
                return shown
            step = min(self.k, least + 1)

    def _shown_groups(self) -> frozenset[str]:
        shown, step = set(self._groups), min(self.k, DEFAULT_K)
        while True:
            least = np.iinfo(np.int64).max
            kept: set[str] = set()
            for path, (riders, within) in self._groups.items():
                around = within
                while around is not None and around not in kept:
                    around = self._groups[around][1]
                more = 0 if around is None else len(self._groups[around][0] - riders)
                if path in shown and len(riders) >= step and (more == 0 or more >= step):
                    kept.add(path)
                    least = min(least, len(riders), more or len(riders))
            shown = kept
            if least >= self.k:
                return frozenset(shown)
            step = min(self.k, int(least) + 1)


def riders_in_groups(group: IntArray, rider: IntArray, groups: int) -> IntArray:
    """Return (groups,) how many different riders stand in each group; rows are (n,) group and rider."""
    span = int(rider.max(initial=0)) + 1
    return np.bincount(np.unique(group * span + rider) // span, minlength=groups)


def suppress(values: ArrayLike, riders: ArrayLike, k: int = DEFAULT_K) -> list[float | None]:
    """Withhold every figure behind which fewer than k riders stand: for tables whose figures share no rows.

    Parameters
    ----------
    values
        (n,) figures.
    riders
        (n,) number of different riders behind each figure.
    k
        Fewest riders that may be shown, at least 1.

    Returns
    -------
    list
        (n,) figures; None (redacted, which is not zero) where ``riders < k`` or the figure is not finite.

    Raises
    ------
    InputError
        If the lengths differ or k is below 1.
    """
    figures = np.asarray(values, dtype=np.float64)
    counts = np.asarray(riders)
    if k < 1:
        raise InputError(f"k is {k}; it must be at least 1")
    if figures.ndim != 1 or figures.shape != counts.shape:
        raise InputError(f"figures {figures.shape} and riders {counts.shape} must be two lists of one length")
    shown = (counts >= k) & np.isfinite(figures)
    return [float(v) if ok else None for v, ok in zip(figures, shown, strict=True)]
