"""Per-file accounts: how many rows were read, accepted, refused for which reason, and whose they are."""

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.traces.formats import REASONS
from geo.traces.points import ENOUGH_RIDERS, Account
from geo.traces.rows.rejects import RejectsFile

__all__ = ["ROW_BITS", "Ledger"]

ROW_BITS: Final = 40
"""The number of a row takes the lower bits of its source, the number of its file the upper ones."""
_UNPARSABLE: Final = REASONS.index("unparsable_row")


class Ledger:
    """Counts by file and reason, and the file of refused rows."""

    def __init__(self, rejects: RejectsFile) -> None:
        self.labels: list[str] = []
        self.datums: list[dict[str, tuple[str, str]]] = []
        self.doubts: list[tuple[str, ...]] = []
        self.counts = np.zeros((0, len(REASONS)), np.int64)
        self.read: list[int] = []
        self.riders: list[set[str]] = []
        """Pseudonyms behind the accepted rows of each file, until there are enough."""
        self.outside_sum = np.zeros(2)
        self.skipped: dict[str, str] = {}
        """Files and members of archives that were not read, with the reason."""
        self._rejects = rejects
        # Rows are read in one thread and judged in another.
        self._lock = threading.Lock()

    def open_file(self, label: str) -> int:
        """Begin the account of a file and return its number."""
        self.labels.append(label)
        self.datums.append({})
        self.doubts.append(())
        self.read.append(0)
        self.riders.append(set())
        self.counts = np.vstack([self.counts, np.zeros((1, len(REASONS)), np.int64)])
        return len(self.labels) - 1

    def skip(self, name: str, why: str) -> None:
        """Note a file, or a member of an archive, that holds no traces."""
        self.skipped.setdefault(name, why)

    def lose(self, file: int, rows: Sequence[int]) -> None:
        """Book rows that could not be cut into columns."""
        self.read[file] += len(rows)
        with self._lock:
            self.counts[file, _UNPARSABLE] += len(rows)
        self._rejects.lost(self.labels[file], rows)

    def refuse(
        self,
        source: NDArray[np.int64],
        reason: NDArray[np.uint8],
        t_s: NDArray[np.int64],
        lonlat: NDArray[np.float64],
        *,
        late: bool = False,
    ) -> None:
        """Book and write refused rows; `late` are those that were good by themselves, and judged together."""
        file, row = source >> ROW_BITS, source & ((1 << ROW_BITS) - 1)
        with self._lock:
            np.add.at(self.counts, (file, reason), 1)
        self._rejects.rows(self.labels, file, row, reason, t_s, lonlat, late=late)

    def accept(self, source: NDArray[np.int64], rider: NDArray[np.int32], pseudonyms: Sequence[str]) -> None:
        """Book accepted rows, by rider; `rider` is an index into `pseudonyms`."""
        if len(source) == 0:
            return
        # Rows of a rider stand together, so that few of them differ from the one before.
        turn = np.r_[True, rider[1:] != rider[:-1]]
        low, high = int(source.min()) >> ROW_BITS, int(source.max()) >> ROW_BITS
        if low != high:
            file = source >> ROW_BITS
            turn[1:] |= file[1:] != file[:-1]
        with self._lock:
            if low == high:
                self.counts[low, 0] += len(source)
            else:
                self.counts[:, 0] += np.bincount(file, minlength=len(self.labels))
        turns = np.flatnonzero(turn)
        pairs = np.unique(np.stack([source[turns] >> ROW_BITS, rider[turns]], axis=1), axis=0)
        starts = np.flatnonzero(np.r_[True, np.diff(pairs[:, 0]) != 0])
        for mine in np.split(pairs, starts[1:]):
            known = self.riders[int(mine[0, 0])]
            if len(known) < ENOUGH_RIDERS:
                known.update(pseudonyms[one] for one in mine[:ENOUGH_RIDERS, 1].tolist())

    def accounts(self) -> tuple[Account, ...]:
        """Return the account of each file."""
        accounts = []
        for file, label in enumerate(self.labels):
            datums = self.datums[file]
            names = {datum for datum, _ in datums.values()}
            datum = (
                names.pop()
                if len(names) == 1
                else ", ".join(f"{p}: {d}" for p, (d, _) in sorted(datums.items()))
            )
            evidence = "; ".join(dict.fromkeys(text for _, (_, text) in sorted(datums.items())))
            rejected = {
                why: int(n) for why, n in zip(REASONS[1:], self.counts[file, 1:], strict=True) if n > 0
            }
            accounts.append(
                Account(
                    label,
                    datum,
                    evidence,
                    self.read[file],
                    int(self.counts[file, 0]),
                    rejected,
                    hints=self.doubts[file],
                    riders=frozenset(self.riders[file]),
                )
            )
        return tuple(accounts)
