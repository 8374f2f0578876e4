"""The list of refused rows: file, row, reason and what was wrong, never an id.

A field that could hold a shifted id (a phone number in the column of times, say) is never copied.
Positions are cut to one decimal,
about ten kilometres: enough to see which city they belong to.
"""

import math
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.formats import REASONS

__all__ = ["RejectsFile", "cut_degrees"]

_OUT_OF_RANGE = REASONS.index("out_of_range")
_TIME_OUT_OF_RANGE = REASONS.index("time_out_of_range")
_FIRST_WITH_PLACE = REASONS.index("outside_map")
_PLAUSIBLE_DEG = 1000.0
_YEAR_S = 31_556_952


class RejectsFile:
    """CSV writer for refused rows (UTF-8 with a byte order mark, so that Excel shows Chinese names).

    Parameters
    ----------
    path
        Where to write; None to count only.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._late: IO[str] | None = None
        """What is refused beside the reading, in a thread of its own; it follows at the end."""

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("w", encoding="utf-8-sig", newline="")
            except OSError as error:
                raise InputError(Sentence.of("trace_rejects", path=str(self._path))) from error
            self._file.write("file,row,reason,value\r\n")
            self._late = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None and self._late is not None:
            with self._file, self._late:
                self._late.seek(0)
                shutil.copyfileobj(self._late, self._file)

    def lost(self, file: str, rows: Sequence[int]) -> None:
        """Write rows that could not be cut into columns."""
        self._write(f"{_quoted(file)},{row},unparsable_row,\r\n" for row in rows)

    def rows(
        self,
        files: Sequence[str],
        file: NDArray[np.int64],
        row: NDArray[np.int64],
        reason: NDArray[np.uint8],
        t_s: NDArray[np.int64],
        lonlat: NDArray[np.float64],
        *,
        late: bool = False,
    ) -> None:
        """Write refused rows given as columns of one length; `file` is an index into `files`.

        What is refused `late` comes after all others, so that the list does not tell how threads took turns.
        """
        if self._file is None:
            return
        names = [_quoted(name) for name in files]
        columns = (file.tolist(), row.tolist(), reason.tolist(), t_s.tolist(), lonlat.tolist())
        self._write(
            (
                f"{names[f]},{r},{REASONS[why]},{_value(why, t, at)}\r\n"
                for f, r, why, t, at in zip(*columns, strict=True)
            ),
            late=late,
        )

    def _write(self, lines: Iterable[str], *, late: bool = False) -> None:
        file = self._late if late else self._file
        if file is not None:
            file.writelines(lines)


def _quoted(name: str) -> str:
    safe = "'" + name if name[:1] in "=+-@" else name
    return '"' + safe.replace('"', '""') + '"'


def _value(reason: int, t_s: int, lonlat: Sequence[float]) -> str:
    if reason == _TIME_OUT_OF_RANGE:
        return f"year {1970 + t_s // _YEAR_S}"
    if reason != _OUT_OF_RANGE and reason < _FIRST_WITH_PLACE:
        return ""
    if not all(abs(c) <= _PLAUSIBLE_DEG for c in lonlat):
        return ""
    return f"{cut_degrees(lonlat[0])} {cut_degrees(lonlat[1])}"


def cut_degrees(degrees: float) -> str:
    """Return an angle by shape: its first decimal, such as ``118.7*``."""
    return f"{math.trunc(degrees * 10) / 10:.1f}*"
