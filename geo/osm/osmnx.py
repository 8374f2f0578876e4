"""`StreetNetwork` to and from the graphs of OSMnx, so that its users feel at home.

An OSMnx graph is a ``networkx.MultiDiGraph``: nodes with ``x`` (lon) and ``y`` (lat), one edge a direction.
What OSMnx has no attribute for travels in three of our own, as text so that GraphML keeps them: ``modes``
and ``private`` (names of `geo.streets.raw.MODES`) and ``speeds_mps`` (one number a mode). Turn restrictions
and compounds are not carried over: private streets stay private, without the outline around them.
"""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import networkx
import numpy as np
import shapely

from geo.errors import InputError
from geo.osm.rules.access import CLASSES, WAY_KEYS, WayRule, way_rule
from geo.osm.rules.barriers import NODE_KEYS, node_rule
from geo.streets.build import build_network
from geo.streets.network import StreetNetwork
from geo.streets.raw import ALL_MODES, GATE_DELAY_S, MODES, RawWays, mode_bit

__all__ = ["from_osmnx", "to_osmnx", "write_graphml"]


def to_osmnx(network: StreetNetwork, mode: str | None = None) -> networkx.MultiDiGraph:
    """Give the network as a graph that the functions of OSMnx accept.

    Parameters
    ----------
    network : StreetNetwork
    mode : str, optional
        Only what this mode may use, with ``speed_kph`` and ``travel_time`` (seconds) on each edge; barriers
        are left to the reader of the nodes' ``blocked``. Without it every direction that anybody may use.

    Returns
    -------
    networkx.MultiDiGraph
        CRS EPSG:4326; node keys are OSM ids, edges have ``osmid``, ``highway``, ``name``, ``length`` (m),
        ``oneway``, ``reversed``, ``geometry``.
    """
    wanted = ALL_MODES if mode is None else mode_bit(mode)
    row = 0 if mode is None else MODES.index(mode)
    graph = networkx.MultiDiGraph(crs="epsg:4326", created_with="yilu")
    node_id = network.node_id.tolist()
    used = (network.edge_access[0] | network.edge_access[1]) & wanted > 0
    ends = np.concatenate([network.edge_u[used], network.edge_v[used]])
    streets = np.bincount(ends, minlength=len(node_id)).tolist()
    for number, (lon, lat) in enumerate(network.node_lonlat.tolist()):
        if not streets[number]:
            continue
        data: dict[str, object] = {"x": lon, "y": lat, "street_count": streets[number]}
        if network.node_gate[number]:
            data["barrier"] = "gate"
        if network.node_blocked[number]:
            data["blocked"] = _mode_names(int(network.node_blocked[number]))
        graph.add_node(node_id[number], **data)
    for edge in range(len(network.edge_u)):
        along, against = (int(bits) & wanted for bits in network.edge_access[:, edge])
        u, v = node_id[network.edge_u[edge]], node_id[network.edge_v[edge]]
        line = network.edge_lonlat(edge)
        for bits, start, end, is_reversed in ((along, u, v, False), (against, v, u, True)):
            if not bits:
                continue
            data = {
                "osmid": int(network.edge_way_id[edge]),
                "highway": network.classes[network.edge_class[edge]],
                "length": float(network.edge_length_m[edge]),
                "oneway": not (along and against),
                "reversed": is_reversed,
                "geometry": shapely.LineString(line[::-1] if is_reversed else line),
                "modes": _mode_names(bits),
                "private": _mode_names(int(network.edge_private[edge])),
                "speeds_mps": " ".join(repr(float(s)) for s in network.edge_speed_mps[:, edge]),
            }
            if network.edge_name[edge] >= 0:
                data["name"] = network.names[network.edge_name[edge]]
            if mode is not None:
                speed = float(network.edge_speed_mps[row, edge])
                seconds = float(network.edge_length_m[edge]) / speed
                data |= {"speed_kph": speed * 3.6, "travel_time": seconds}
            graph.add_edge(start, end, **data)
    return graph


def from_osmnx(graph: networkx.MultiDiGraph, gate_delay_s: float = GATE_DELAY_S) -> StreetNetwork:
    """Build a network of an OSMnx graph (simplified or not).

    A direction that the graph holds is open to the modes that the tags of the edge allow; one that it does
    not hold is open to people on foot and, by a contraflow tag, to bicycles. Tags that OSMnx was not told to
    keep (``useful_tags_way``) cannot be heeded.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        In EPSG:4326.
    gate_delay_s : float
        Seconds lost at a gate.

    Raises
    ------
    InputError
        The graph is projected, empty, or its nodes lack ``x`` and ``y``.
    """
    crs = str(graph.graph.get("crs", "epsg:4326")).lower()
    if "4326" not in crs and "crs84" not in crs:
        raise InputError(f"the graph is in {crs}: give it in WGS-84 degrees (epsg:4326), not projected.")
    if not graph.number_of_edges():
        raise InputError("the graph holds no street.")
    return build_network(_raw(graph), gate_delay_s=gate_delay_s)


def write_graphml(network: StreetNetwork, path: Path) -> None:
    """Write the network as a GraphML file that OSMnx and `geo.osm.read.read_graphml` read.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    # OSMnx takes seconds to import and is needed for this door only.
    import osmnx

    try:
        osmnx.save_graphml(to_osmnx(network), path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({(error.strerror or 'output error').lower()})."
        ) from error


class _Street(NamedTuple):
    """One street with both directions; `alone` goes against it where there is no backward edge."""

    start: int
    end: int
    line: tuple[tuple[float, float], ...]
    forward: WayRule | None
    backward: WayRule | None
    alone: int
    osmid: int
    name: str


def _raw(graph: networkx.MultiDiGraph) -> RawWays:
    keys = list(graph.nodes)
    index = {key: number for number, key in enumerate(keys)}
    try:
        lonlat = [(float(data["x"]), float(data["y"])) for _, data in graph.nodes(data=True)]
    except KeyError as error:
        raise InputError("every node of the graph needs x (longitude) and y (latitude).") from error
    streets = _streets(graph, index, lonlat)
    names = sorted({street.name for street in streets} - {""})
    named = {name: number for number, name in enumerate(names)}
    ids = [key if isinstance(key, int) else -1 - index[key] for key in keys]
    lowest = min(0, *ids) - 1
    refs: list[int] = []
    ptr, access, private, speeds, classes, way_ids, way_names = [0], [], [], [], [], [], []
    for street in streets:
        rule = street.forward or street.backward
        if rule is None:
            continue
        along = street.forward.forward if street.forward else 0
        against = street.backward.forward if street.backward else 0
        if street.backward is None:
            against = street.alone
        ends = range(len(lonlat), len(lonlat) + len(street.line) - 2)
        lonlat.extend(street.line[1:-1])
        ids.extend(range(lowest - len(ids), lowest - len(ids) - len(ends), -1))
        refs += [street.start, *ends, street.end]
        ptr.append(len(refs))
        access.append((along, against))
        private.append(rule.private)
        both = [r.speed_mps for r in (street.forward, street.backward) if r is not None]
        speeds.append(np.max(both, axis=0))
        classes.append(rule.highway)
        way_ids.append(street.osmid)
        way_names.append(named.get(street.name, -1))
    if not way_ids:
        raise InputError("the graph holds no street that anybody may use (edges with a highway attribute).")
    barriers = [node_rule(_tags(data, NODE_KEYS)) for _, data in graph.nodes(data=True)]
    blocked = np.zeros(len(lonlat), dtype=np.uint8)
    blocked[: len(keys)] = [rule.blocked for rule in barriers]
    for number, (_, data) in enumerate(graph.nodes(data=True)):
        if "blocked" in data:
            blocked[number] = _mode_bits(str(data["blocked"]))
    gate = np.zeros(len(lonlat), dtype=np.bool_)
    gate[: len(keys)] = [rule.gate for rule in barriers]
    behind = np.zeros(len(lonlat), dtype=np.uint8)
    behind[: len(keys)] = [rule.private for rule in barriers]
    return RawWays(
        node_id=np.array(ids, dtype=np.int64),
        node_lonlat=np.array(lonlat, dtype=np.float64),
        way_id=np.array(way_ids, dtype=np.int64),
        way_ptr=np.array(ptr, dtype=np.int64),
        way_ref=np.array(refs, dtype=np.int32),
        ref_compound=np.full(len(refs), -1, dtype=np.int32),
        way_access=np.array(access, dtype=np.uint8).T.copy(),
        way_private=np.array(private, dtype=np.uint8),
        way_speed_mps=np.array(speeds, dtype=np.float32).T.copy(),
        way_name=np.array(way_names, dtype=np.int32),
        way_class=np.array(classes, dtype=np.uint8),
        names=tuple(names),
        classes=CLASSES,
        node_blocked=blocked,
        node_gate=gate,
        node_private=behind,
    )


def _streets(
    graph: networkx.MultiDiGraph, index: Mapping[Any, int], lonlat: list[tuple[float, float]]
) -> list[_Street]:
    """Pair the two directions of each street: same ends, way and points, read the other way round."""
    waiting: dict[tuple[object, ...], list[int]] = {}
    streets: list[_Street] = []
    for u, v, data in graph.edges(data=True):
        start, end = index[u], index[v]
        geometry = data.get("geometry")
        line = tuple(geometry.coords) if geometry is not None else (lonlat[start], lonlat[end])
        rule = _rule(data)
        partners = waiting.get((end, start, line[::-1], str(_first(data.get("osmid")))), [])
        if partners:
            number = partners.pop()
            streets[number] = streets[number]._replace(backward=rule)
            continue
        osmid = _first(data.get("osmid"))
        name = _first(data.get("name"))
        waiting.setdefault((start, end, line, str(osmid)), []).append(len(streets))
        streets.append(
            _Street(
                start,
                end,
                line,
                rule,
                None,
                _against(data),
                int(osmid) if isinstance(osmid, int | str) and str(osmid).lstrip("-").isdigit() else 0,
                str(name) if name is not None else "",
            )
        )
    return streets


def _against(data: Mapping[str, Any]) -> int:
    """Modes that may go against an edge of which the graph lacks the other direction."""
    if "modes" in data:
        return 0
    rule = way_rule(_tags(data, WAY_KEYS) | {"oneway": "yes"})
    return rule.backward if rule is not None else 0


def _rule(data: Mapping[str, Any]) -> WayRule | None:
    """Rule of one directed edge; its direction is "forward"."""
    tags = _tags(data, WAY_KEYS)
    if "modes" in data and tags.get("highway") in CLASSES:
        bits = _mode_bits(str(data["modes"]))
        a, b, c, d = (float(speed) for speed in str(data["speeds_mps"]).split())
        private = _mode_bits(str(data["private"]))
        return WayRule(bits, 0, private, (a, b, c, d), CLASSES.index(tags["highway"]), 0)
    # The graph has already resolved the one-way tags into directions.
    plain = {key: value for key, value in tags.items() if not key.startswith("oneway") and key != "junction"}
    plain["oneway"] = "no"
    return way_rule(plain)


def _tags(data: Mapping[str, Any], keys: frozenset[str]) -> dict[str, str]:
    return {key: str(_first(value)) for key, value in data.items() if key in keys and value is not None}


def _first(value: Any) -> Any:  # noqa: ANN401 - attributes of a foreign graph
    """First of several values: OSMnx joins the tags of merged ways in a list, GraphML writes that as text."""
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        value = ast.literal_eval(value)
    return value[0] if isinstance(value, list) and value else value


def _mode_names(bits: int) -> str:
    return " ".join(mode for mode in MODES if bits & mode_bit(mode))


def _mode_bits(names: str) -> int:
    return sum(mode_bit(name) for name in names.split())
