"""Peers that run in a process, or even a Python, of their own."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np

__all__ = ["RESOLVE", "OsrmTables", "PeerProcess", "fresh_seconds", "peers_python"]

Points: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.float64]]

RECIPES = {
    "yilu": """
from geo.osm.read import read_raw
from geo.streets.network import StreetNetwork
def work(file):
    build_network(read_raw(file)).graph("ebike")
""",
    "pyrosm": """
import warnings; warnings.simplefilter("ignore")
import pyrosm
def work(file):
    osm = pyrosm.OSM(file)
    nodes, edges = osm.get_network(network_type="cycling", nodes=True)
    osm.to_graph(nodes, edges, graph_type="networkx", network_type="cycling")
""",
    "osmnx": """
import pathlib, warnings; warnings.simplefilter("ignore")
import osmium, osmnx
def work(file):
    xml = pathlib.Path(file).with_name("yilu-osmnx.osm")
    if not xml.exists():
        with osmium.SimpleWriter(str(xml)) as writer:
            for item in osmium.FileProcessor(file):
                writer.add(item)
    global start
    start = time.perf_counter()
    osmnx.graph_from_xml(xml)
""",
    "first answer": """
import pathlib
def work(file):
    global load
    from geo.streets.network import StreetNetwork
    from geo.travel.times import travel_times_s
    before = time.perf_counter()
    network = StreetNetwork.load(pathlib.Path(file))
    load = time.perf_counter() - before
    places = network.snap(network.node_lonlat[:50], "ebike")
    travel_times_s(network, "ebike", places.take([0]), places, 900.0)
""",
}
FRAME = """
import sys, time
load = None
{recipe}
start = time.perf_counter()
work(sys.argv[1])
taken = time.perf_counter() - start
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
print(*((load, taken) if load else (taken, peak)))
"""


def fresh_seconds(recipe: str, argument: str) -> tuple[float, float]:
    """Run a recipe in a new process; returns (seconds, peak MB), of "first answer" (load s, whole s)."""
    code = FRAME.format(recipe=RECIPES[recipe])
    done = subprocess.run([sys.executable, "-c", code, argument], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    one, two = done.stdout.split()[-2:]
    return float(one), float(two)


def peers_python() -> str | None:
    """Python of the environment for peers: $YILU_PEERS_PYTHON, or .venv-peers in the checkout."""
    named = os.environ.get("YILU_PEERS_PYTHON")
    usual = pathlib.Path(__file__).resolve().parents[2] / ".venv-peers" / "bin" / "python"
    if named is None and usual.exists():
        named = str(usual)
    if named is None:
        return None
    probe = subprocess.run([named, "-c", "import osrm"], capture_output=True, check=False)
    return None if probe.returncode else named


WORKER = """
import json, sys
import importlib.metadata, osrm
base, lonlat = sys.argv[1], json.load(open(sys.argv[2]))
engine = osrm.OSRM(
    storage_config=base, algorithm="CH", use_shared_memory=False, max_locations_distance_table=-1
)
query = osrm.TableParameters(coordinates=[tuple(p) for p in lonlat])
print(importlib.metadata.version("osrm-bindings"), flush=True)
for line in sys.stdin:
    engine.Table(query)
    print("done", flush=True)
"""


BOTH_WAYS = """
import json, sys
import importlib.metadata, osrm
base, given = sys.argv[1], json.load(open(sys.argv[2]))
engine = osrm.OSRM(
    storage_config=base, algorithm="CH", use_shared_memory=False, max_locations_distance_table=-1
)
n = len(given["stops"])
queries = []
for task in given["tasks"]:
    places = [tuple(p) for p in (*given["stops"], task)]
    for sources, ends in ((list(range(n)), [n]), ([n], list(range(n)))):
        queries.append(osrm.TableParameters(coordinates=places, sources=sources, destinations=ends))
print(importlib.metadata.version("osrm-bindings"), flush=True)
for line in sys.stdin:
    for query in queries:
        engine.Table(query)
    print("done", flush=True)
"""
RESOLVE = """
import json, sys
import ortools
from ortools.constraint_solver import pywrapcp, routing_enums_pb2
given = json.load(open(sys.argv[1]))
search = pywrapcp.DefaultRoutingSearchParameters()
search.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
def solve(rider):
    # The last row is an end that costs nothing: routes stay open.
    size = len(rider["leg"])
    manager = pywrapcp.RoutingIndexManager(size, 1, [0], [size - 1])
    model = pywrapcp.RoutingModel(manager)
    transit = model.RegisterTransitMatrix(rider["leg"])
    model.SetArcCostEvaluatorOfAllVehicles(transit)
    model.AddDimension(transit, 86400, 86400, False, "time")
    time = model.GetDimensionOrDie("time")
    for row, due in enumerate(rider["due"], 1):
        time.CumulVar(manager.NodeToIndex(row)).SetMax(due)
    for row in range(1, size - 1):
        model.AddDisjunction([manager.NodeToIndex(row)], 10**6)
    return model.SolveWithParameters(search)
print(ortools.__version__, flush=True)
for line in sys.stdin:
    for rider in given:
        solve(rider)
    print("done", flush=True)
"""


class PeerProcess:
    """A peer in a process of its own that says its version, then answers each line with a line."""

    def __init__(self, python: str, code: str, *arguments: str) -> None:
        self._worker = subprocess.Popen(
            [python, "-c", code, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.version = self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._worker.kill()
        self._worker.communicate()

    def _answer(self) -> str:
        out = self._worker.stdout
        line = "" if out is None else out.readline().strip()
        if not line:
            raise RuntimeError("the peer's process ended without an answer")
        return line

    def ask(self) -> None:
        """Let the peer do its work once and wait."""
        if self._worker.stdin is not None:
            self._worker.stdin.write("again\n")
            self._worker.stdin.flush()
        self._answer()


class OsrmTables(PeerProcess):
    """An OSRM engine (contraction hierarchy, bicycle profile) in its own process.

    Asked for the table between all points; or, given tasks, for those to each task and from it.
    """

    def __init__(self, source: pathlib.Path, points: Points, tasks: Points | None = None) -> None:
        python = peers_python()
        if python is None:
            raise RuntimeError("no environment with osrm-bindings")
        folder = pathlib.Path(tempfile.gettempdir()) / f"yilu-osrm-{source.name.split('.')[0]}"
        base = folder / "map.osrm"
        self.prepare_s = 0.0
        if not (folder / "ready").exists():
            self.prepare_s = self._prepare(python, source, folder)
        places = folder / "places.json"
        given = points.tolist() if tasks is None else {"stops": points.tolist(), "tasks": tasks.tolist()}
        places.write_text(json.dumps(given))
        super().__init__(python, WORKER if tasks is None else BOTH_WAYS, str(base), str(places))

    @staticmethod
    def _prepare(python: str, source: pathlib.Path, folder: pathlib.Path) -> float:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        file = folder / "map.osm.pbf"
        shutil.copy(source, file)
        code = "import osrm, pathlib; print(pathlib.Path(osrm.__file__).parent / 'share' / 'profiles')"
        profiles = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        start = time.perf_counter()
        for step in (
            ["extract", "-p", f"{profiles}/bicycle.lua", str(file)],
            ["contract", str(folder / "map.osrm")],
        ):
            done = subprocess.run([python, "-m", "osrm", *step], capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"osrm {step[0]} failed: {(done.stderr or done.stdout).strip()[-200:]}")
        (folder / "ready").touch()
        return time.perf_counter() - start
