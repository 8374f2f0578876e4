"""How well kinds of stays are predicted: against synthetic days on held-out cities, and against GOAL.

``python stay_quality.py`` prints the confusion matrices that RESULTS.md shows.
"""

import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo.osm.read import read_osm
from geo.privacy import Pseudonymiser
from geo.stays import KINDS, StayPoints, classify_stays, find_stay_points
from geo.synthetic.make import FleetOptions, SyntheticFleet, make_fleet, write_fleet_parquet
from geo.traces.read import TraceFormat, Traces, read_traces
from geo.traces.walking import on_foot

__all__ = ["FEET", "HELD_OUT", "HeldOut", "Quality", "goal_matrix", "quality_of", "table"]

KEY = bytes(16)
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
#: Share of a true stay that must be covered, and of a found one that must be true.
HALF = 0.5
FEET = ("driving", "on foot")
SIMULATED = (
    "Kinds of stays: tables counted and matrices scored on the same simulator (other cities, days, seeds); "
    "real labels exist for on foot or driving only (GOAL, below)"
)


@dataclasses.dataclass(frozen=True, slots=True)
class HeldOut:
    """A city, days and a seed that had no part in the tables of `geo.stays.count_tables`."""

    city: str
    file: str
    timezone: str
    datum: str = "wgs84"
    seed: int = 9001
    first_day: date = date(2026, 6, 11)
    interval_s: int = 20
    phones: tuple[str, ...] = ("plain",)
    """See `geo.synthetic.phones`."""


HELD_OUT = (
    HeldOut("Tsinghua campus", "tsinghua-campus.osm.pbf", "Asia/Shanghai", "gcj02"),
    HeldOut("Puyang", "puyang-county-sparse.osm.pbf", "Asia/Shanghai", "bd09", interval_s=15),
    HeldOut("Shenzhen Longgang", "shenzhen-longgang.osm.pbf", "Asia/Shanghai", "gcj02"),
    HeldOut("Macau", "macau-roads.osm.pbf", "Asia/Macau"),
    HeldOut("Malta", "malta-2016.osm.pbf", "Europe/Malta", interval_s=30),
)


PHONES = tuple(
    dataclasses.replace(HELD_OUT[0], city=f"Tsinghua campus, phones: {name}", phones=(name,))
    for name in ("motion", "drift", "pacing", "network")
)
"""The same fleet with phones that are silent at rest, drift, are carried about, or show cell towers."""


@dataclasses.dataclass(frozen=True, slots=True)
class Quality:
    """Rows are the true kinds (the last one: nothing happened there), columns the predicted ones."""

    matrix: NDArray[np.int64]
    rest_precision: float
    rest_recall: float
    pieces: float
    """Stays of the kind rest within a true rest that was found, on average."""

    @property
    def accuracy(self) -> float:
        """Share of the stays that are true stays at all whose kind was predicted right."""
        inner = self.matrix[:-1]
        return float(np.trace(inner) / max(1, inner.sum()))


def fleet_of(
    case: HeldOut, folder: Path, riders: int, days: int, max_silence_s: int = 7_200
) -> tuple[SyntheticFleet, Traces, StayPoints]:
    """Make a silent fleet (no order events), read it back as a platform's file and classify its stays."""
    network, places = read_osm(SHARED / "osm" / case.file)
    options = FleetOptions(
        riders=riders, days=days, first_day=case.first_day, timezone=case.timezone, seed=case.seed,
        interval_s=case.interval_s, datum=case.datum, silent_events=("blue", "yellow"),
        phones=case.phones,
    )  # fmt: skip
    fleet = make_fleet(network, places, options)
    path = folder / "fleet.parquet"
    write_fleet_parquet(fleet, path)
    trace_format = TraceFormat(datum=case.datum, timezone=case.timezone)
    traces = read_traces(path, trace_format, key=KEY, network=network).traces
    found = find_stay_points(traces, max_silence_s=max_silence_s)
    return fleet, traces, classify_stays(found, traces, places, network, case.timezone)


def _owners(fleet: SyntheticFleet, pseudonyms: Sequence[str]) -> NDArray[np.int64]:
    coder = Pseudonymiser(KEY)
    names = fleet.options.platforms
    code = {}
    for k, (raw, platform) in enumerate(zip(fleet.rider_ids, fleet.rider_platform.tolist(), strict=True)):
        code[coder.code(f"{len(names[platform])}:{names[platform]}{raw}", "study")] = k
    return np.array([code[name] for name in pseudonyms], np.int64)


def quality_of(case: HeldOut, riders: int = 100, days: int = 3, max_silence_s: int = 7_200) -> Quality:
    """Compare predicted with true stays of a fleet."""
    with tempfile.TemporaryDirectory() as folder:
        fleet, traces, stays = fleet_of(case, Path(folder), riders, days, max_silence_s)
    true, owner = fleet.stays, _owners(fleet, traces.pseudonyms)
    matrix = np.zeros((len(KINDS) + 1, len(KINDS)), np.int64)
    covered = np.zeros(len(true.kind))
    seen = np.zeros(len(true.kind), np.int64)
    pieces = np.zeros(len(true.kind), np.int64)
    ptr = np.searchsorted(true.rider, np.arange(len(fleet.rider_ids) + 1))
    for k in range(len(stays)):
        r = owner[stays.rider[k]]
        own = np.arange(ptr[r], ptr[r + 1])
        shared = np.minimum(true.end_s[own], stays.end_s[k]) - np.maximum(true.start_s[own], stays.start_s[k])
        best = int(np.argmax(shared)) if len(own) else -1
        real = best >= 0 and shared[best] >= HALF * max(1, stays.end_s[k] - stays.start_s[k])
        matrix[true.kind[own[best]] if real else len(KINDS), stays.kind[k]] += 1
        if stays.kind[k] == 0:
            covered[own] += np.maximum(shared, 0.0)
            pieces[own] += shared > 0
    for r in range(len(traces.pseudonyms)):
        t = traces.t_s[traces.rider_ptr[r] : traces.rider_ptr[r + 1]]
        own = np.arange(ptr[owner[r]], ptr[owner[r] + 1])
        seen[own] = np.searchsorted(t, true.end_s[own]) - np.searchsorted(t, true.start_s[own])
    length = true.end_s - true.start_s
    # A rest that the phone did not report, or shorter than any stay, cannot be found by anybody.
    rests = (true.kind == 0) & (seen >= 2) & (length >= 120)
    found = covered >= HALF * length
    predicted = matrix[:, 0].sum()
    return Quality(
        matrix,
        float(matrix[0, 0] / max(1, predicted)),
        float(found[rests].mean()),
        float(pieces[rests & found].mean()),
    )


def goal_matrix() -> NDArray[np.int64]:
    """Driving and on foot in the odd-numbered trajectories of GOAL (the even ones made the tables)."""
    trace_format = TraceFormat(
        datum="wgs84", kind="goal", timezone="UTC", origin_lonlat=(10.0, 50.0), period_s=(-(10**10), 10**10)
    )
    traces = read_traces(SHARED / "traces" / "goal-trajectories.zip", trace_format, key=KEY).traces
    coder = Pseudonymiser(KEY)
    odd = {coder.code(f"0:trajectory_{k:04d}", "study") for k in range(1, 2000, 2)}
    held_out = np.array([name in odd for name in traces.pseudonyms])[traces.rider]
    walked, true = on_foot(traces), traces.event == traces.events.index("OnFoot")
    matrix = np.zeros((2, 2), np.int64)
    np.add.at(matrix, (true[held_out].astype(int), walked[held_out].astype(int)), 1)
    return matrix


def table(matrix: NDArray[np.int64], rows: Sequence[str], columns: Sequence[str]) -> str:
    """Lay a matrix out as text, with the recall of each row and the precision of each column."""
    lines = ["true \\ pred.".ljust(13) + "".join(c.rjust(11) for c in (*columns, "recall"))]
    for k, name in enumerate(rows):
        recall = f"{matrix[k, k] / max(1, matrix[k].sum()):.3f}" if k < len(columns) else ""
        lines.append(name.ljust(13) + "".join(str(n).rjust(11) for n in matrix[k]) + recall.rjust(11))
    precision = [f"{matrix[k, k] / max(1, matrix[:, k].sum()):.3f}" for k in range(len(columns))]
    lines.append("precision".ljust(13) + "".join(p.rjust(11) for p in precision))
    return "\n".join(lines)


def main() -> None:
    """Print every matrix; with ``phones`` only those of the phones that are not plain."""
    sys.stdout.write(f"{SIMULATED}\n")
    for case in PHONES:
        quality = quality_of(case)
        sys.stdout.write(
            f"{case.city}: rest precision {quality.rest_precision:.3f}, recall {quality.rest_recall:.3f},"
            f" pieces {quality.pieces:.2f}, accuracy {quality.accuracy:.3f}\n"
            f"{table(quality.matrix, (*KINDS, 'nothing'), KINDS)}\n"
        )
    if "phones" in sys.argv[1:]:
        return
    total = np.zeros((len(KINDS) + 1, len(KINDS)), np.int64)
    for case in HELD_OUT:
        quality = quality_of(case)
        total += quality.matrix
        sys.stdout.write(
            f"{case.city} ({case.interval_s} s): rest precision {quality.rest_precision:.3f}, recall"
            f" {quality.rest_recall:.3f}, pieces {quality.pieces:.2f}, accuracy {quality.accuracy:.3f}\n"
            f"{table(quality.matrix, (*KINDS, 'nothing'), KINDS)}\n"
        )
    sys.stdout.write(f"\nall\n{table(total, (*KINDS, 'nothing'), KINDS)}\n")
    sys.stdout.write(f"\nGOAL\n{table(goal_matrix(), FEET, FEET)}\n")


if __name__ == "__main__":
    main()
