"""Map matching next to Valhalla Meili and OSRM Match: route mismatch and points a second.

Every matcher gets the same traces, the same map and the same standard deviation of the noise; speed is that
of one thread. Mismatch is measured on geometry (`mapmatch_cases.mismatch`), for all alike.
"""

import json
import pathlib
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import numpy as np
from harness import Row, compare, skipped, value
from mapmatch_cases import Floats, TrackMap, kubicka_maps, mismatch, simulated_map
from mapmatch_peers import MatchPeer, engine_python, prepare_map

from geo.mapmatch.matcher import Matcher, MatchOptions
from geo.osm.read import read_osm
from geo.streets.network import StreetNetwork

BENCH = "mapmatch"
DATA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"
ENGINES = {"meili": "pyvalhalla", "osrm": "osrm-bindings"}


def run(quick: bool) -> list[Row]:
    """Simulated rides on Porto, and real car tracks with corrected routes."""
    if not DATA.is_dir():
        return [skipped(BENCH, "all", "yilu", "the folder ../shared/data is not there")]
    folder = pathlib.Path(tempfile.gettempdir()) / "yilu-mapmatch"
    folder.mkdir(exist_ok=True)
    pbf = DATA / "osm" / "porto-centre.osm.pbf"
    network, _ = read_osm(pbf)
    rows = _group([simulated_map(pbf, network, 15 if quick else 60)], folder)
    archive = DATA / "mapmatch" / "kubicka-even.tar.xz"
    return rows + _group(kubicka_maps(archive, folder, 6 if quick else 50), folder)


def _group(maps: list[TrackMap], folder: pathlib.Path) -> list[Row]:
    """All cases of maps that share a mode."""
    rows: list[Row] = []
    mode = maps[0].mode
    with ExitStack() as stack:
        peers: dict[str, MatchPeer] = {}
        for engine, name in ENGINES.items():
            python = engine_python(engine)
            if python is None:
                rows.append(skipped(BENCH, mode, name, "no environment of its own: make bench-peers"))
                continue
            job = {"mode": mode, "maps": [_job(one, engine, python, folder) for one in maps]}
            file = folder / f"{engine}-{mode}.json"
            file.write_text(json.dumps(job))
            peers[name] = stack.enter_context(MatchPeer(engine, python, file))
        for case in maps[0].cases:
            rows += _case(case, maps, peers, folder)
    return rows


def _job(one: TrackMap, engine: str, python: str, folder: pathlib.Path) -> dict[str, object]:
    base = folder / f"{engine}-{one.name}"
    prepare_map(engine, python, one.pbf, base, one.mode)
    cases = {
        name: {"sigma": sigma, "traces": [track.trace.tolist() for track in tracks]}
        for name, (sigma, tracks) in one.cases.items()
    }
    return {"base": str(base), "cases": cases}


def _case(case: str, maps: list[TrackMap], peers: dict[str, MatchPeer], folder: pathlib.Path) -> list[Row]:
    points = sum(len(track.trace) for one in maps for track in one.cases[case][1])
    truth = [
        [one.network.project(line) for line in track.truth] for one in maps for track in one.cases[case][1]
    ]
    ours = [_matcher(one, case) for one in maps]
    found = {"yilu": [lines for match in ours for lines in match()]}
    for name, peer in peers.items():
        answers = iter(peer.lines(case, folder / "answer.json"))
        found[name] = [
            [one.network.project(np.array(line, np.float64).reshape(-1, 2)) for line in next(answers)]
            for one in maps
            for _ in one.cases[case][1]
        ]
    errors = {
        name: [mismatch(right, lines) for right, lines in zip(truth, all_lines, strict=True)]
        for name, all_lines in found.items()
    }
    rows = []
    for metric, fold in (("mismatch median", np.median), ("mismatch mean", np.mean)):
        figures = {name: float(fold(values)) for name, values in errors.items()}
        for name, figure in figures.items():
            ratio = None if name == "yilu" or figures["yilu"] == 0 else figure / figures["yilu"]
            rows.append(value(BENCH, f"{case}, {len(truth)} tracks", name, metric, "", [figure], ratio))
    calls: dict[str, Callable[[], object]] = {"yilu": lambda: [match(False) for match in ours]}
    calls |= {name: partial(peer.match, case) for name, peer in peers.items()}
    return rows + compare(BENCH, f"{case}, {points} points", calls, unit="us a point", scale=1e6 / points)


def _matcher(one: TrackMap, case: str) -> Callable[..., list[list[Floats]]]:
    sigma, tracks = one.cases[case]
    matcher = Matcher(one.network, MatchOptions(mode=one.mode, sigma_m=sigma, threads=1))
    ptr = np.cumsum([0] + [len(track.trace) for track in tracks])
    t_s = np.concatenate([np.maximum.accumulate(track.trace[:, 2]) for track in tracks]).astype(np.int64)
    lonlat = np.ascontiguousarray(np.concatenate([track.trace[:, :2] for track in tracks]))

    def match(geometry: bool = True) -> list[list[Floats]]:
        found = matcher.match(ptr, t_s, lonlat)
        lines: list[list[Floats]] = [[] for _ in tracks]
        if geometry:
            rider = np.repeat(found.piece_rider, np.diff(found.piece_ptr))
            for i, directed in enumerate(found.path.tolist()):
                lines[rider[i]].append(_ridden(one.network, directed >> 1, *found.span_m[i]))
        return lines

    return match


def _ridden(network: StreetNetwork, edge: int, start_m: float, stop_m: float) -> Floats:
    """Part of an edge between two distances from its start, in plane metres."""
    along = network.geom_along_m[network.geom_ptr[edge] : network.geom_ptr[edge + 1]]
    xy = network.project(network.edge_lonlat(edge))
    low, high = min(start_m, stop_m), max(start_m, stop_m)
    at = np.r_[low, along[(along > low) & (along < high)], high]
    return np.column_stack([np.interp(at, along, xy[:, k]) for k in range(2)])
