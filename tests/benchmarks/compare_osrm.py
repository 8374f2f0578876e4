"""Distances of random trips beside OSRM's, and why they differ.

    python tests/benchmarks/compare_osrm.py --osrm-python PYTHON MAP.osm.pbf [MAP.osm.pbf ...]

PYTHON is one in which ``osrm-bindings`` is installed (Python 3.12); its wheel carries the tools and profiles.
Each map is prepared with the profiles ``car`` and ``bicycle``: as they are; by the shortest distance
(``weight_name = 'distance'``), where only access counts; and for bicycles without pushing them along footways
and against one-way streets, and without turn restrictions, which may be tagged for cars. 500 pairs of points
that lie exactly on a street of ours are routed by both; a pair whose distance differs by more than 5 % is put
in the first class that fits:

- *not the same streets*: OSRM puts an end more than 1 m away, since its profile closes the street there;
- *only one finds a way*;
- *we forbid*: OSRM's way holds a segment, node or turn that ours does not allow, by the reason;
- *OSRM forbids*: our way holds a street that OSRM's profile closes (nothing of it within 3 m);
- *ours shorter, all streets open to OSRM*: its turn or barrier rules;
- *other choice*: both ways are open to both; speeds and turn penalties differ.
"""

import argparse
import collections
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.arrays import FloatArray
from geo.osm.read import read_raw
from geo.osm.rules.access import CLASSES
from geo.streets.build import build_network
from geo.streets.network import StreetNetwork
from geo.streets.raw import RawWays, mode_bit
from geo.travel.paths import Path as Way
from geo.travel.paths import find_path

__all__ = ["main"]

PROFILES = {"car": "car", "bike": "bicycle"}
LIMIT = 0.05
SNAP_M = 1.0

VARIANTS = {
    "car": ("as is", "shortest"),
    "bike": ("as is", "not pushed", "not pushed, shortest", "not pushed, shortest, turns free"),
}
WRAPPER = """
api_version = 4
local profile = dofile("{profile}.lua")
local setup = profile.setup
profile.setup = function()
  local given = setup()
  if {shortest} then given.properties.weight_name = 'distance' end
  if {turns_free} then given.properties.use_turn_restrictions = false end
  return given
end
if {ridden} then
  local process_way = profile.process_way
  profile.process_way = function(profile, way, result, relations)
    process_way(profile, way, result, relations)
    if way:get_value_by_key('bicycle') ~= 'dismount' then
      if result.forward_mode == mode.pushing_bike then result.forward_mode = mode.inaccessible end
      if result.backward_mode == mode.pushing_bike then result.backward_mode = mode.inaccessible end
    end
  end
end
return profile
"""

WORKER = """
import json, sys
import osrm
task = json.load(open(sys.argv[1]))
engine = osrm.OSRM(storage_config=task["graph"], use_shared_memory=False, algorithm="CH")
out = []
for pair in task["pairs"]:
    ask = osrm.RouteParameters(
        coordinates=[tuple(p) for p in pair], annotations=["nodes"], overview="false", continue_straight=False
    )
    try:
        answer = engine.Route(ask)
    except RuntimeError:
        out.append(None)
        continue
    route = answer["routes"][0]
    snaps = [float(waypoint["distance"]) for waypoint in answer["waypoints"]]
    out.append([float(route["distance"]), snaps, [int(n) for n in route["legs"][0]["annotation"]["nodes"]]])
near = []
for points in task["points"]:
    asked = [osrm.NearestParameters(coordinates=[tuple(p)]) for p in points]
    near.append(max((float(engine.Nearest(a)["waypoints"][0]["distance"]) for a in asked), default=0.0))
json.dump({"routes": out, "near": near}, open(sys.argv[2], "w"))
"""

Pair = tuple[list[float], list[float]]


class Route(NamedTuple):
    """OSRM's answer: metres, how far it moved the two ends, and the OSM nodes on the way."""

    distance_m: float
    moved_m: list[float]
    nodes: list[int]


class Peer:
    """OSRM for one map and profile, in a Python of its own."""

    def __init__(self, python: str, file: Path, profile: str, variant: str, folder: Path) -> None:
        self.python, self.folder = python, folder
        where = [python, "-c", "import osrm; print(osrm.__path__[0])"]
        package = Path(subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip())
        shutil.copytree(package / "share" / "profiles", folder / "profiles")
        lua = folder / "profiles" / "variant.lua"
        choices = {
            "shortest": "shortest" in variant,
            "ridden": "not pushed" in variant,
            "turns_free": "turns free" in variant,
        }
        words = {name: str(chosen).lower() for name, chosen in choices.items()}
        lua.write_text(WRAPPER.format(profile=profile, **words), encoding="utf-8")
        map_file = folder / "map.osm.pbf"
        shutil.copy(file, map_file)
        self.graph = folder / "map.osrm"
        extract = [str(package / "bin" / "osrm-extract"), "-p", str(lua), str(map_file)]
        contract = [str(package / "bin" / "osrm-contract"), str(self.graph)]
        for command in (extract, contract):
            subprocess.run(command, cwd=folder / "profiles", capture_output=True, check=True)

    def ask(
        self, pairs: list[Pair], points: list[list[list[float]]]
    ) -> tuple[list[Route | None], list[float]]:
        """Route the pairs, and find how far each group of points is from OSRM's streets at most."""
        task, answer = self.folder / "task.json", self.folder / "answer.json"
        given = {"graph": str(self.graph), "pairs": pairs, "points": points}
        task.write_text(json.dumps(given), encoding="utf-8")
        subprocess.run([self.python, "-c", WORKER, str(task), str(answer)], check=True)
        out = json.loads(answer.read_text(encoding="utf-8"))
        return [None if route is None else Route(*route) for route in out["routes"]], list(out["near"])


class Rules:
    """What our network says about single segments, nodes and turns of the map."""

    def __init__(self, raw: RawWays, mode: str) -> None:
        bit = mode_bit(mode)
        self.raw = raw
        self.blocked = {int(n) for n in raw.node_id[raw.node_blocked & bit > 0]}
        self.along: dict[tuple[int, int], tuple[bool, bool, str, int]] = {}
        ids = raw.node_id[raw.way_ref]
        for way in range(len(raw.way_id)):
            first, last = int(raw.way_ptr[way]), int(raw.way_ptr[way + 1])
            forward, backward = (bool(raw.way_access[side, way] & bit) for side in (0, 1))
            private = bool(raw.way_private[way] & bit)
            name = CLASSES[raw.way_class[way]]
            for a, b in zip(ids[first : last - 1].tolist(), ids[first + 1 : last].tolist(), strict=True):
                self.along[a, b] = (forward, private, name, way)
                self.along[b, a] = (backward, private, name, way)
        bound = raw.restriction_modes & bit != 0
        self.turns = {
            (int(a), int(v), int(b)) for (a, v, b) in raw.restrictions[bound & ~raw.restriction_only]
        }
        self.only = collections.defaultdict(set)
        for a, v, b in raw.restrictions[bound & raw.restriction_only]:
            self.only[int(a), int(v)].add(int(b))
        self.number = {int(n): i for i, n in enumerate(raw.node_id)}

    def why_not(self, nodes: list[int]) -> str:
        """First reason why OSRM's way is not one of ours, an empty string where it is."""
        steps = list(itertools.pairwise(nodes))
        found = [self.along.get(step) for step in steps]
        for step, here in zip(steps, found, strict=True):
            if here is None:
                cut = step[0] in self.number and step[1] in self.number
                return "enters a compound" if cut else "street we do not have"
            if not here[0]:
                back = self.along[step[1], step[0]][0]
                return f"against the one-way ({here[2]})" if back else f"class closed to the mode ({here[2]})"
        for node in nodes[1:-1]:
            if node in self.blocked:
                return "barrier"
        private = [here is not None and here[1] for here in found]
        inside = [i for i, p in enumerate(private) if p]
        if inside and not (all(private[: inside[-1] + 1]) or all(private[inside[0] :])):
            return "through a private street or compound"
        for (_, via), one, two in zip(steps, found, found[1:], strict=False):
            if one is None or two is None or one[3] == two[3]:
                continue
            turn = (one[3], self.number[via], two[3])
            if turn in self.turns or (self.only[turn[:2]] and turn[2] not in self.only[turn[:2]]):
                return "turn restriction"
        if any(a == c for a, c in zip(nodes, nodes[2:], strict=False)):
            return "U-turn in mid-street"
        return ""


def random_places(network: StreetNetwork, mode: str, count: int, rng: np.random.Generator) -> FloatArray:
    """Points exactly on public streets between which the mode can go there and back; (count, 2) lon, lat."""
    bit = mode_bit(mode)
    public = network.edge_private & bit == 0
    ends = [(network.edge_u, network.edge_v), (network.edge_v, network.edge_u)]
    pairs = [[end[public & (network.edge_access[side] & bit > 0)] for end in ends[side]] for side in (0, 1)]
    start, end = (np.concatenate([pairs[0][k], pairs[1][k]]) for k in (0, 1))
    nodes = len(network.node_id)
    graph = coo_array((np.ones(len(start), np.int8), (start, end)), shape=(nodes, nodes))
    _, label = connected_components(graph, directed=True, connection="strong")
    inside = label == np.bincount(label).argmax()
    both = inside[network.edge_u] & inside[network.edge_v] & public
    usable = np.flatnonzero(both & ((network.edge_access[0] | network.edge_access[1]) & bit > 0))
    edges = rng.choice(usable, count, p=network.edge_length_m[usable] / network.edge_length_m[usable].sum())
    points = []
    for edge in edges.tolist():
        line = network.edge_part(edge, 0.0, float(rng.uniform(0.2, 0.8)) * float(network.edge_length_m[edge]))
        points.append(line[-1])
    return np.array(points)


def classify(ours: Way | None, theirs: Route | None, rules: Rules, near_m: float) -> str:
    """Class of one pair; "same" within the limit."""
    if ours is None and theirs is None:
        return "same"
    if theirs is None:
        return "only one finds a way: ours"
    if ours is not None and abs(ours.length_m - theirs.distance_m) <= LIMIT * max(theirs.distance_m, 1.0):
        return "same"
    if max(theirs.moved_m) > SNAP_M:
        return "not the same streets at an end"
    reason = rules.why_not(theirs.nodes)
    if reason:
        return f"we forbid: {reason}"
    if ours is None:
        return "only one finds a way: OSRM"
    if near_m > 3.0:
        return "OSRM forbids a street we use"
    return f"other choice: ours {'shorter' if ours.length_m < theirs.distance_m else 'longer'}"


def compare(
    python: str, file: Path, mode: str, variant: str, count: int, seed: int
) -> tuple[dict[str, int], list[dict[str, object]]]:
    """Count the classes of `count` random pairs; and the pairs that differ, for a closer look."""
    raw = read_raw(file)
    network = build_network(raw, gate_delay_s=0.0)
    if "shortest" in variant:
        network = network.with_speeds(mode, np.full(len(network), 1.0))
    rng = np.random.default_rng(seed)
    a, b = (random_places(network, mode, count, rng) for _ in range(2))
    one, two = (network.snap(ends, mode, fragments=True) for ends in (a, b))
    ours = [find_path(network, mode, one.take([i]), two.take([i])) for i in range(count)]
    # A point in the middle of every piece of our way: is that street open to OSRM?
    middles: list[list[list[float]]] = [
        [] if p is None else ((p.lonlat[:-1] + p.lonlat[1:]) / 2)[::2].tolist() for p in ours
    ]
    with tempfile.TemporaryDirectory(prefix="yilu-osrm-") as folder:
        peer = Peer(python, file, PROFILES[mode], variant, Path(folder))
        pairs: list[Pair] = [(p.tolist(), q.tolist()) for p, q in zip(a, b, strict=True)]
        routes, near = peer.ask(pairs, middles)
    rules = Rules(raw, mode)
    counts: collections.Counter[str] = collections.Counter()
    differing: list[dict[str, object]] = []
    for i, (path, route) in enumerate(zip(ours, routes, strict=True)):
        label = classify(path, route, rules, near[i])
        counts[label] += 1
        if label != "same":
            lengths = {
                "ours_m": None if path is None else round(path.length_m),
                "osrm_m": None if route is None else round(route.distance_m),
            }
            ends = {"from": a[i].round(6).tolist(), "to": b[i].round(6).tolist()}
            differing.append({**ends, **lengths, "class": label})
    return dict(counts), differing


def main() -> None:
    """Print one table a map, and write the differing pairs where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("maps", nargs="+", type=Path)
    parser.add_argument("--osrm-python", required=True)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    details = {}
    for file in given.maps:
        for mode in PROFILES:
            for variant in VARIANTS[mode]:
                counts, differing = compare(given.osrm_python, file, mode, variant, given.pairs, given.seed)
                case = f"{file.name} {mode}, {variant}"
                details[case] = differing
                print(
                    f"{case}: {1 - counts.get('same', 0) / given.pairs:.1%} of {given.pairs} differ by > 5 %"
                )
                for label, n in sorted(counts.items(), key=lambda item: -item[1]):
                    print(f"    {n:4} {label}")
                sys.stdout.flush()
    if given.json is not None:
        given.json.write_text(json.dumps(details, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
