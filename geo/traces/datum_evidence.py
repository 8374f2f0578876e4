"""Which datum are these points in? Asked of the streets: under the right one, moving riders are on them.

A wrong datum moves every point by hundreds of metres. So the median distance of moving points to the
nearest street is some metres
under the right hypothesis and much more under the others. It is taken as clear only with at least 60
moving points, a median below 30 m,
and every other hypothesis at least 3 times and 15 m farther off.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from geo.datum import DATUMS, to_wgs84
from geo.earth import RADIUS_M
from geo.errors import InputError
from geo.traces.formats import RawBatch

if TYPE_CHECKING:
    from geo.streets.network import StreetNetwork

__all__ = ["DatumEvidence", "detect_datum", "moving_points", "settle_datums"]

_FEWEST: Final = 60
_CLEAR_M: Final = 30.0
_TIMES: Final = 3.0
_APART_M: Final = 15.0
_FAR_M: Final = 2_000.0
#: A declared datum is refused only with many points and far from every street.
_MANY: Final = 200
_WRONG_M: Final = 60.0
_SAMPLE: Final = 1_500
_GATHER: Final = 200_000
_SLOW_MPS, _FAST_MPS, _LONGEST_S = 2.0, 30.0, 180


@dataclass(frozen=True, slots=True)
class DatumEvidence:
    """What the streets say."""

    datum: str | None
    """The clear answer, or None."""
    median_m: Mapping[str, float]
    """Median distance to the nearest street under each hypothesis; beyond 2 km it counts as 2 km."""
    points: int
    """Moving points that were asked."""

    @property
    def text(self) -> str:
        """The evidence as a sentence part."""
        medians = ", ".join(f"{datum} {metres:.0f} m" for datum, metres in self.median_m.items())
        return f"median distance of {self.points:,} moving points to the nearest street: {medians}"


def moving_points(
    rider: NDArray[np.int64], t_s: NDArray[np.int64], lonlat: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return indices of points that were reached at 2-30 m/s within 3 min; any order of rows."""
    order = np.lexsort((t_s, rider))
    a, b = order[:-1], order[1:]
    dt = t_s[b] - t_s[a]
    step = np.radians(lonlat[b] - lonlat[a]) * RADIUS_M
    step[:, 0] *= np.cos(np.radians(lonlat[b, 1]))
    speed = np.hypot(step[:, 0], step[:, 1]) / np.maximum(dt, 1)
    moving = (
        (rider[a] == rider[b]) & (dt > 0) & (dt <= _LONGEST_S) & (speed >= _SLOW_MPS) & (speed <= _FAST_MPS)
    )
    return np.sort(b[moving])


def detect_datum(lonlat: NDArray[np.float64], network: "StreetNetwork", mode: str = "ebike") -> DatumEvidence:
    """Ask the streets about moving points.

    Parameters
    ----------
    lonlat
        (n, 2) degrees in an unknown datum, of moving riders.
    network
        Streets of the city, WGS-84.
    mode
        Mode whose streets count.

    Returns
    -------
    DatumEvidence
        The datum where the evidence is clear, and the medians.
    """
    if len(lonlat) > _SAMPLE:
        # Evenly over all of them, in an order that does not depend on the order of rows.
        order = np.lexsort((lonlat[:, 1], lonlat[:, 0]))
        lonlat = lonlat[order[np.linspace(0, len(order) - 1, _SAMPLE).astype(np.int64)]]
    medians: dict[str, float] = {}
    for datum in DATUMS:
        if len(lonlat) == 0:
            medians[datum] = _FAR_M
            continue
        snapped = network.snap(to_wgs84(lonlat, datum), mode, max_m=_FAR_M, fragments=True)
        away_m = np.where(np.isfinite(snapped.walk_m), np.minimum(snapped.walk_m, _FAR_M), _FAR_M)
        medians[datum] = float(np.median(away_m))
    best, second = sorted(medians, key=medians.__getitem__)[:2]
    clear = (
        len(lonlat) >= _FEWEST
        and medians[best] <= _CLEAR_M
        and medians[second] >= max(_TIMES * medians[best], medians[best] + _APART_M)
    )
    return DatumEvidence(best if clear else None, medians, len(lonlat))


@dataclass(slots=True)
class _Gathered:
    ids: dict[str, int] = field(default_factory=dict)
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = field(
        default_factory=list
    )
    count: int = 0

    def add(self, batch: RawBatch, rows: NDArray[np.int64]) -> None:
        """Keep the rows of riders seen so far, and of new ones while there is room."""
        codes = np.full(len(batch.rider_ids) + 1, -1, np.int64)
        for local in np.unique(batch.rider[rows]).tolist():
            name = batch.rider_ids[local]
            if name not in self.ids and self.count < _GATHER:
                self.ids[name] = len(self.ids)
                self.count += int((batch.rider[rows] == local).sum())
            codes[local] = self.ids.get(name, -1)
        rider = codes[batch.rider[rows]]
        chosen = rows[rider >= 0][: 2 * _GATHER]
        self.parts.append((rider[rider >= 0][: 2 * _GATHER], batch.t_s[chosen], batch.lonlat[chosen]))


def settle_datums(
    batches: Iterable[RawBatch], network: "StreetNetwork | None", declared: Callable[[str], str], file: str
) -> dict[str, tuple[str, str]]:
    """Find or check the datum of each platform in one file.

    Parameters
    ----------
    batches
        The file; read to its end only where a platform's datum is ``auto``.
    network
        Streets of the city; without them a declared datum is believed.
    declared
        What was declared about a platform: a datum or ``auto``.
    file
        Name for the error.

    Returns
    -------
    dict
        Platform to (datum, evidence), for the platforms that were seen.

    Raises
    ------
    InputError
        If there is no network to ask, the evidence about a platform is not clear, or it speaks against
        what was declared.
    """
    gathered: dict[str, _Gathered] = {}
    for batch in batches:
        good = (batch.fault == 0) & (np.abs(batch.lonlat) <= 180.0).all(axis=1)
        for code in np.unique(batch.platform[good]).tolist():
            group = gathered.setdefault(batch.platforms[code], _Gathered())
            if sum(len(t) for _, t, _ in group.parts) < 2 * _GATHER:
                group.add(batch, np.flatnonzero(good & (batch.platform == code)))
        if network is None or all(declared(platform) != "auto" for platform in batch.platforms[1:]):
            break
    found = {}
    for platform, group in sorted(gathered.items()):
        said = declared(platform)
        if network is None:
            if said == "auto":
                raise InputError(f"{file}: the datum auto needs the map of the city")
            continue
        rider, t_s, lonlat = (np.concatenate(column) for column in zip(*group.parts, strict=True))
        evidence = detect_datum(lonlat[moving_points(rider, t_s, lonlat)], network)
        whose = f" of platform {platform!r}" if platform else ""
        if said == "auto" and evidence.datum is None:
            raise InputError(
                f"{file}: the datum{whose} is not clear ({evidence.text}); name it: wgs84, gcj02 or bd09"
            )
        against = evidence.datum not in (None, said) and evidence.points >= _MANY
        if said != "auto" and against and evidence.median_m[said] > _WRONG_M:
            raise InputError(
                f"{file}: the datum{whose} is said to be {said}, but the streets say {evidence.datum}"
                f" ({evidence.text})"
            )
        if said == "auto":
            found[platform] = (str(evidence.datum), evidence.text)
        else:
            found[platform] = (said, f"declared; {evidence.text}" if evidence.points else "declared")
    return found
