"""Runs in the Python of the peers: one matching engine for each map, asked over standard input.

Arguments: engine ("meili" or "osrm") and a job file,
{"mode", "maps": [{"base", "cases": {name: {"sigma", "traces"}}}]}. A line "NAME" matches all traces of a case
on all maps; a line "NAME FILE" also writes the lines that were found.
"""

import importlib
import importlib.metadata
import json
import pathlib
import sys
from collections.abc import Callable
from typing import Any

Line = list[list[float]]
Run = Callable[[], object]


def decode(text: str) -> Line:
    """Read a polyline of six decimals as (lon, lat)."""
    out: Line = []
    at, here = 0, [0, 0]
    while at < len(text):
        for axis in (0, 1):
            shift = value = 0
            while True:
                byte = ord(text[at]) - 63
                at += 1
                value |= (byte & 31) << shift
                shift += 5
                if byte < 32:
                    break
            here[axis] += ~(value >> 1) if value & 1 else value >> 1
        out.append([here[1] / 1e6, here[0] / 1e6])
    return out


def meili(base: str, mode: str) -> tuple[Callable[[Line, float], Run], Callable[[Any], list[Line]]]:
    valhalla = importlib.import_module("valhalla")
    actor = valhalla.Actor(str(pathlib.Path(base) / "config.json"))

    def prepare(trace: Line, sigma: float) -> Run:
        request = json.dumps(
            {
                "shape": [{"lon": x, "lat": y, "time": t} for x, y, t in trace],
                "costing": {"car": "auto", "bike": "bicycle"}[mode],
                "shape_match": "map_snap",
                "gps_accuracy": sigma,
                "search_radius": 4 * sigma + 10,
                "filters": {"attributes": ["edge.way_id", "shape"], "action": "include"},
            }
        )
        return lambda: actor.trace_attributes(request)

    return prepare, lambda answer: [decode(json.loads(answer)["shape"])]


def osrm(base: str, mode: str) -> tuple[Callable[[Line, float], Run], Callable[[Any], list[Line]]]:
    library = importlib.import_module("osrm")
    engine = library.OSRM(
        storage_config=str(pathlib.Path(base) / "map.osrm"),
        algorithm="CH",
        use_shared_memory=False,
        max_locations_map_matching=-1,
        max_radius_map_matching=-1,
    )

    def prepare(trace: Line, sigma: float) -> Run:
        query = library.MatchParameters(
            coordinates=[(x, y) for x, y, _ in trace],
            timestamps=[int(t) for _, _, t in trace],
            radiuses=[sigma] * len(trace),
            overview="full",
            geometries="geojson",
            gaps="split",
            tidy=True,
            generate_hints=False,
        )
        return lambda: engine.Match(query)

    return prepare, lambda answer: [
        [[float(x), float(y)] for x, y in piece["geometry"]["coordinates"]] for piece in answer["matchings"]
    ]


def main() -> None:
    """Answer until the input ends."""
    engine, job = sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text())
    cases: dict[str, list[tuple[Run, Callable[[Any], list[Line]]]]] = {}
    for one in job["maps"]:
        prepare, lines = {"meili": meili, "osrm": osrm}[engine](one["base"], job["mode"])
        for name, case in one["cases"].items():
            for trace in case["traces"]:
                cases.setdefault(name, []).append((prepare(trace, case["sigma"]), lines))
    name = {"meili": "pyvalhalla", "osrm": "osrm-bindings"}[engine]
    sys.stdout.write(importlib.metadata.version(name) + "\n")
    sys.stdout.flush()
    for request in sys.stdin:
        case_name, _, file = request.strip().partition(" ")
        found: list[list[Line]] = []
        for run, lines in cases[case_name]:
            try:
                answer = run()
            except RuntimeError:
                found.append([])
                continue
            if file:
                found.append(lines(answer))
        if file:
            pathlib.Path(file).write_text(json.dumps(found))
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
