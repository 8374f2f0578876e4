"""Which datum are these points in? Asked of the streets: under the right one, moving riders are on them.

A wrong datum moves every point by hundreds of metres. So the median distance of moving points to the nearest
street is some metres under the right hypothesis and more under the others: much more where streets are far
apart, two or three times as much where they are dense. There the share of moving kilometres on streets speaks
too. What is clear stands in `_clear`. The files of one declaration are asked together, since one ride alone
often says too little; a file that clearly speaks against the others of its table is not outvoted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from geo.datum import DATUMS, to_wgs84
from geo.earth import RADIUS_M
from geo.errors import InputError
from geo.sentences import Sentence
from geo.traces.formats import RawBatch
from geo.traces.points import Traces

if TYPE_CHECKING:
    from geo.streets.network import StreetNetwork

__all__ = [
    "DOUBTS",
    "FAR_M",
    "DatumEvidence",
    "Settled",
    "TraceFile",
    "detect_datum",
    "moving_share_on_streets",
    "moving_steps",
    "settle_datums",
    "street_distances_m",
]

#: Doubts about a datum that was taken, as codes of `geo.traces.files.hints.HINTS`.
DOUBTS: Final = ("datum_doubtful", "off_streets", "datum_mixed")

_FEWEST: Final = 60
_CLEAR_M: Final = 30.0
_TIMES, _APART_M = 3.0, 15.0
#: The same where streets are dense, with so many points and so much more of the way on streets.
_DENSE_TIMES, _DENSE_APART_M, _DENSE_SHARE = 2.0, 6.0, 0.2
#: Beyond it a street is no evidence of anything.
FAR_M: Final = 2_000.0
#: A declared datum is refused only with many points.
_MANY: Final = 200
_DOUBT_TIMES, _DOUBT_APART_M, _DOUBT_SHARE = 1.5, 3.0, 0.05
#: Half a street and a GPS error.
_ON_STREET_M: Final = 25.0
_HALF: Final = 0.5
#: Riders of two datums in one file: so many of the points off the streets lie on streets in another datum,
#: and so many more than of the points on streets, which do so by chance.
_MIXED, _MIXED_MORE = 0.7, 0.25
_SAMPLE, _POOL = 1_500, 30_000
_GATHER: Final = 200_000
_SLOW_MPS, _FAST_MPS, _LONGEST_S = 2.0, 30.0, 180


@dataclass(frozen=True, slots=True)
class DatumEvidence:
    """What the streets say."""

    datum: str | None
    """The clear answer, or None."""
    median_m: Mapping[str, float]
    """Median distance to the nearest street under each hypothesis; beyond 2 km it counts as 2 km."""
    on_streets: Mapping[str, float]
    """Share of the moving kilometres that end within 25 m of a street, under each hypothesis."""
    points: int
    """Moving points that were asked."""
    mixed: frozenset[str] = frozenset()
    """Hypotheses under which what lies off the streets lies on them in another datum."""

    @property
    def said(self) -> Sentence:
        """The evidence as a sentence part, in each language."""
        medians = ", ".join(f"{datum} {metres:.0f} m" for datum, metres in self.median_m.items())
        sentence = Sentence.of("datum_medians", points=self.points, medians=medians)
        if not self.points:
            return sentence
        shares = ", ".join(f"{datum} {100 * share:.0f}%" for datum, share in self.on_streets.items())
        return Sentence.of("datum_shares", what=sentence, shares=shares)

    @property
    def text(self) -> str:
        """The evidence in English."""
        return self.said.text()

    def against(self, said: str) -> bool:
        """Return whether many points clearly contradict a declared datum."""
        return self.datum not in (None, said) and self.points >= _MANY

    def doubts(self, said: str) -> tuple[str, ...]:
        """Return what speaks against a datum without being enough to refuse it, see `DOUBTS`."""
        if self.points < _FEWEST:
            return ()
        best = min(self.median_m, key=self.median_m.__getitem__)
        nearest_m = self.median_m[best]
        worse = (
            self.median_m[said] >= max(_DOUBT_TIMES * nearest_m, nearest_m + _DOUBT_APART_M)
            and self.on_streets[best] - self.on_streets[said] >= _DOUBT_SHARE
        )
        found = (worse, self.on_streets[said] < _HALF, said in self.mixed)
        return tuple(code for code, holds in zip(DOUBTS, found, strict=True) if holds)


def moving_steps(
    rider: NDArray[np.int64], t_s: NDArray[np.int64], lonlat: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return indices of points that were reached at 2-30 m/s within 3 min, and the metres of that step.

    The rows may come in any order.
    """
    order = np.lexsort((t_s, rider))
    a, b = order[:-1], order[1:]
    dt = t_s[b] - t_s[a]
    step = np.radians(lonlat[b] - lonlat[a]) * RADIUS_M
    step[:, 0] *= np.cos(np.radians(lonlat[b, 1]))
    step_m = np.hypot(step[:, 0], step[:, 1])
    speed = step_m / np.maximum(dt, 1)
    moving = (
        (rider[a] == rider[b]) & (dt > 0) & (dt <= _LONGEST_S) & (speed >= _SLOW_MPS) & (speed <= _FAST_MPS)
    )
    ascending = np.argsort(b[moving])
    return b[moving][ascending], step_m[moving][ascending]


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """Moving points of one platform in one file, held against the streets."""

    away_m: NDArray[np.float64]
    """(n, 3) to the nearest street under each of `DATUMS`."""
    step_m: NDArray[np.float64]

    @staticmethod
    def join(parts: "Sequence[_Measured]") -> "_Measured":
        return _Measured(np.concatenate([p.away_m for p in parts]), np.concatenate([p.step_m for p in parts]))


def _evenly(lonlat: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Choose points evenly over all of them, in an order that does not depend on the order of rows."""
    order = np.lexsort((lonlat[:, 1], lonlat[:, 0])).astype(np.int64)
    if len(order) <= most:
        return order
    return order[np.linspace(0, len(order) - 1, most).astype(np.int64)]


def street_distances_m(
    lonlat: NDArray[np.float64], network: "StreetNetwork", mode: str
) -> NDArray[np.float64]:
    """Return the metres from each point (WGS-84) to the nearest street; beyond 2 km they count as 2 km."""
    if len(lonlat) == 0:
        return np.zeros(0)
    walk_m = network.snap(lonlat, mode, max_m=FAR_M, fragments=True).walk_m
    return np.where(np.isfinite(walk_m), np.minimum(walk_m, FAR_M), FAR_M)


def _measure(
    lonlat: NDArray[np.float64], step_m: NDArray[np.float64], network: "StreetNetwork", mode: str, most: int
) -> _Measured:
    chosen = _evenly(lonlat, most)
    lonlat, step_m = lonlat[chosen], step_m[chosen]
    away_m = np.column_stack([street_distances_m(to_wgs84(lonlat, datum), network, mode) for datum in DATUMS])
    # What is far from every street in any datum lies beside the map and says nothing.
    near = (away_m < FAR_M).any(axis=1)
    return _Measured(away_m[near], step_m[near])


def _share(away_m: NDArray[np.float64], step_m: NDArray[np.float64]) -> float:
    total = float(step_m.sum())
    return round(float(step_m[away_m <= _ON_STREET_M].sum()) / total, 4) if total else 0.0


def _judge(measured: _Measured) -> DatumEvidence:
    points = len(measured.step_m)
    medians: dict[str, float] = dict.fromkeys(DATUMS, FAR_M)
    shares: dict[str, float] = dict.fromkeys(DATUMS, 0.0)
    if points:
        for column, datum in enumerate(DATUMS):
            medians[datum] = float(np.median(measured.away_m[:, column]))
            shares[datum] = _share(measured.away_m[:, column], measured.step_m)
    best = min(DATUMS, key=medians.__getitem__)
    clear = points >= _FEWEST and all(
        _clear(best, other, medians, shares, points) for other in DATUMS if other != best
    )
    mixed = frozenset(datum for column, datum in enumerate(DATUMS) if _is_mixed(measured.away_m, column))
    return DatumEvidence(best if clear else None, medians, shares, points, mixed)


def _is_mixed(away_m: NDArray[np.float64], said: int) -> bool:
    """Return whether many points that are off the streets under one datum are on them under another."""
    on = away_m <= _ON_STREET_M
    here, off = on[:, said], ~on[:, said]
    if min(int(here.sum()), int(off.sum())) < _FEWEST:
        return False
    among_off, by_chance = on[off].mean(axis=0), on[here].mean(axis=0)
    by_chance[said] = 1.0
    return bool(((among_off >= _MIXED) & (among_off >= by_chance + _MIXED_MORE)).any())


def _clear(
    best: str, other: str, median_m: Mapping[str, float], share: Mapping[str, float], points: int
) -> bool:
    """Return whether one hypothesis is clearly better than another."""
    if median_m[best] > _CLEAR_M:
        return False
    if median_m[other] >= max(_TIMES * median_m[best], median_m[best] + _APART_M):
        return True
    dense = median_m[other] >= max(_DENSE_TIMES * median_m[best], median_m[best] + _DENSE_APART_M)
    return dense and points >= _MANY and share[best] - share[other] >= _DENSE_SHARE


def detect_datum(
    lonlat: NDArray[np.float64],
    network: "StreetNetwork",
    mode: str = "ebike",
    step_m: NDArray[np.float64] | None = None,
) -> DatumEvidence:
    """Ask the streets about moving points.

    Parameters
    ----------
    lonlat
        (n, 2) degrees in an unknown datum, of moving riders.
    network
        Streets of the city, WGS-84.
    mode
        Mode whose streets count.
    step_m
        (n,) metres that led to each point, see `moving_steps`; none: all alike.

    Returns
    -------
    DatumEvidence
        The datum where the evidence is clear, the medians and the shares of moving kilometres.
    """
    steps = np.ones(len(lonlat)) if step_m is None else step_m
    return _judge(_measure(lonlat, steps, network, mode, _SAMPLE))


def moving_share_on_streets(
    traces: Traces, network: "StreetNetwork", mode: str = "ebike", *, k: int = 1
) -> float | None:
    """Return the share of moving kilometres of checked traces that end within 25 m of a street.

    Parameters
    ----------
    traces
        Points in WGS-84.
    network, mode
        Streets of the city, and the mode whose streets count.
    k
        Fewest riders on streets, and off them, that the share may tell of; nobody is no rider.

    Returns
    -------
    float or None
        Of an even sample of the moving points; None where nobody moves, or too few riders do.
    """
    index, step_m = moving_steps(traces.rider.astype(np.int64), traces.t_s, traces.lonlat)
    chosen = _evenly(traces.lonlat[index], _POOL)
    if not len(chosen):
        return None
    away_m = street_distances_m(traces.lonlat[index[chosen]], network, mode)
    rider, on_street = traces.rider[index[chosen]], away_m <= _ON_STREET_M
    if any(0 < len(np.unique(rider[part])) < k for part in (on_street, ~on_street)):
        return None
    return _share(away_m, step_m[chosen])


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


@dataclass(frozen=True, slots=True)
class TraceFile:
    """A file to be asked."""

    name: str
    """As errors call it."""
    read: Callable[[], Iterable[RawBatch]]


@dataclass(slots=True)
class Settled:
    """What was settled about one file."""

    datums: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Platform to (datum, evidence), for the platforms that were seen."""
    doubts: tuple[str, ...] = ()
    """See `DOUBTS`."""


def settle_datums(
    files: Sequence[TraceFile], network: "StreetNetwork | None", declared: Callable[[str], str]
) -> list[Settled]:
    """Find or check the datum of each platform in the files of one declaration.

    Parameters
    ----------
    files
        The files; each is read to its end only where a platform's datum is ``auto``.
    network
        Streets of the city; without them a declared datum is believed.
    declared
        What was declared about a platform: a datum or ``auto``.

    Returns
    -------
    list of Settled
        One a file.

    Raises
    ------
    InputError
        If there is no network to ask, the evidence about a platform is not clear, or it speaks against
        what was declared.
    """
    settled = [Settled() for _ in files]
    most = max(_MANY, min(_SAMPLE, _POOL // max(1, len(files))))
    asked: dict[str, dict[int, _Measured]] = {}
    for number, file in enumerate(files):
        for platform, group in sorted(_gather(file, network, declared).items()):
            if network is None:
                if declared(platform) == "auto":
                    raise InputError(Sentence.of("trace_datum_map", name=file.name))
                continue
            rider, t_s, lonlat = (np.concatenate(column) for column in zip(*group.parts, strict=True))
            index, step_m = moving_steps(rider, t_s, lonlat)
            measured = _measure(lonlat[index], step_m, network, "ebike", most)
            asked.setdefault(platform, {})[number] = measured
    for platform, measured_in in sorted(asked.items()):
        whose = Sentence.of("trace_of_platform", platform=platform) if platform else ""
        names = [files[number].name for number in measured_in]
        found = _settle(declared(platform), list(measured_in.values()), names, whose)
        for number, (datum, evidence, doubts) in zip(measured_in, found, strict=True):
            settled[number].datums[platform] = (datum, evidence)
            settled[number].doubts = tuple(dict.fromkeys((*settled[number].doubts, *doubts)))
    return settled


def _gather(
    file: TraceFile, network: "StreetNetwork | None", declared: Callable[[str], str]
) -> dict[str, _Gathered]:
    """Read points of each platform of a file: all of it where a datum is looked for, else its first rows."""
    gathered: dict[str, _Gathered] = {}
    for batch in file.read():
        good = (batch.fault == 0) & (np.abs(batch.lonlat) <= 180.0).all(axis=1)
        for code in np.unique(batch.platform[good]).tolist():
            group = gathered.setdefault(batch.platforms[code], _Gathered())
            if sum(len(t) for _, t, _ in group.parts) < 2 * _GATHER:
                group.add(batch, np.flatnonzero(good & (batch.platform == code)))
        if network is None or all(declared(platform) != "auto" for platform in batch.platforms[1:]):
            break
    return gathered


def _settle(
    said: str, measured: Sequence[_Measured], names: Sequence[str], whose: str | Sentence
) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return datum, evidence and doubts for each file of one platform."""
    pooled = _judge(_Measured.join(measured))
    own = [_judge(m) for m in measured] if len(measured) > 1 else [pooled]
    together = pooled.said
    if len(names) > 1:
        together = Sentence.of("trace_together", what=together, count=len(names))
    if said != "auto":
        _refuse_contradiction(said, pooled, own, names, whose)
        found = []
        for mine in own:
            alone = mine.points >= _MANY or len(own) == 1
            sentence = mine.said if alone else together
            evidence, judged = (
                (Sentence.of("trace_declared", what=sentence).text(), mine if alone else pooled)
                if pooled.points
                else ("declared", pooled)
            )
            found.append((said, evidence, judged.doubts(said)))
        return found
    # A file that is clear by itself is not outvoted; beside such files what is unclear stays so.
    clear = {e.datum for e in own if e.datum is not None and (e.points >= _MANY or pooled.datum is None)}
    agreed = pooled.datum is not None and clear <= {pooled.datum}
    found = []
    for mine, name in zip(own, names, strict=True):
        chosen, text = (
            (pooled.datum, together)
            if agreed
            else (mine.datum if mine.points >= _MANY or pooled.datum is None else None, mine.said)
        )
        if chosen is None:
            others = Sentence.of("trace_others") if len(clear) > 1 else ""
            raise InputError(
                Sentence.of(
                    "trace_datum_unclear",
                    name=name,
                    whose=whose,
                    what=mine.said if clear else together,
                    others=others,
                )
            )
        found.append((chosen, text.text(), (mine if not agreed else pooled).doubts(chosen)))
    return found


def _refuse_contradiction(
    said: str,
    pooled: DatumEvidence,
    own: Sequence[DatumEvidence],
    names: Sequence[str],
    whose: str | Sentence,
) -> None:
    """Raise InputError where all files together, or one by itself, clearly contradict a declared datum."""
    first: str | Sentence = names[0]
    if len(names) > 1:
        first = Sentence.of("trace_more_files", name=names[0], more=len(names) - 1)
    for name, evidence in ((first, pooled), *zip(names, own, strict=True)):
        if evidence.against(said):
            raise InputError(
                Sentence.of(
                    "trace_datum_against",
                    name=name,
                    whose=whose,
                    said=said,
                    datum=str(evidence.datum),
                    text=evidence.said,
                )
            )
