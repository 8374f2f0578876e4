"""Street maps drawn in text, so that a test case can be seen.

Letters and digits are nodes; lines between them are for the eye only. Ways say which nodes they join::

    town = ascii_map(
        '''
        A---B---C
            |
            D
        ''',
        {"ABC": {"name": "Main", "oneway": True}, "BD": {"modes": "foot"}},
    )
    town.network().snap(town.lonlat("AD"), "ebike")

Keys of a way: ``modes`` (all), ``oneway`` (False), ``contraflow`` (modes that may go against a one-way
street), ``private`` (modes, or True), ``compound`` (name), ``name``, ``class`` (residential),
``off_ground`` (False), ``speed`` (m/s for all modes, 4). Keys of a node: ``blocked`` and ``private`` (modes),
``gate``. A compound has ``delay_s``
and ``fence``, the letters around it. A restriction is (from way, via node, to way, "no" or "only"); one over
ways stands in `drives` (nodes from the last one before to the first one after, "no" or "only").
They bind the modes `bound`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from geo.arrays import FloatArray
from geo.earth import DEGREE_M
from geo.streets.build import build_network
from geo.streets.network import ALL_MODES, MODES, Compounds, RawWays, StreetNetwork, mode_bit


@dataclasses.dataclass(frozen=True)
class AsciiMap:
    """A drawn map: the ways, and where each letter stands."""

    raw: RawWays
    letters: dict[str, tuple[float, float]]

    def network(self, gate_delay_s: float = 360.0) -> StreetNetwork:
        return build_network(self.raw, gate_delay_s)

    def lonlat(self, letters: Sequence[str]) -> FloatArray:
        """Positions of nodes; "AB" within a list stands for the middle between A and B."""
        places = [np.mean([self.letters[letter] for letter in name], axis=0) for name in letters]
        return np.array(places, np.float64).reshape(-1, 2)


def ascii_map(
    drawing: str,
    ways: Mapping[str, Mapping[str, Any]],
    *,
    nodes: Mapping[str, Mapping[str, Any]] | None = None,
    compounds: Mapping[str, Mapping[str, Any]] | None = None,
    restrictions: Sequence[tuple[str, str, str, str]] = (),
    drives: Sequence[tuple[str, str]] = (),
    bound: str = "car",
    cell_m: float = 25.0,
    origin: tuple[float, float] = (116.3, 39.98),
) -> AsciiMap:
    """Read a drawing; one character is `cell_m` metres wide and one line as many high."""
    letters = _letters(drawing, cell_m, origin)
    order = {letter: number for number, letter in enumerate(sorted(letters))}
    fenced = dict(compounds or {})
    compound_order = {name: number for number, name in enumerate(fenced)}
    names: list[str] = []
    classes: list[str] = []
    columns: dict[str, list[Any]] = {key: [] for key in ("ref", "compound", "along", "against", "private")}
    for key in ("speed", "name", "class", "off_ground"):
        columns[key] = []
    for path, tags in ways.items():
        modes = _modes(tags.get("modes", True))
        columns["ref"] += [order[letter] for letter in path]
        inside = compound_order[tags["compound"]] if "compound" in tags else -1
        columns["compound"] += [inside] * (len(path) - 1) + [-1]
        columns["along"].append(modes)
        columns["against"].append(_modes(tags.get("contraflow", "")) if tags.get("oneway") else modes)
        columns["private"].append(_modes(tags.get("private", "")))
        columns["speed"].append(tags.get("speed", 4.0))
        columns["off_ground"].append(bool(tags.get("off_ground", False)))
        columns["name"].append(_index(names, tags.get("name")))
        columns["class"].append(_index(classes, tags.get("class", "residential")))
    way_order = {path: number for number, path in enumerate(ways)}
    turns = [(way_order[a], order[via], way_order[b]) for a, via, b, _ in restrictions]
    extra = dict(nodes or {})
    raw = RawWays(
        node_id=np.arange(1, len(order) + 1, dtype=np.int64),
        node_lonlat=np.array([letters[letter] for letter in order], np.float64),
        way_id=np.arange(101, 101 + len(ways), dtype=np.int64),
        way_ptr=np.cumsum([0, *map(len, ways)], dtype=np.int64),
        way_ref=np.array(columns["ref"], np.int32),
        ref_compound=np.array(columns["compound"], np.int32),
        way_access=np.array([columns["along"], columns["against"]], np.uint8),
        way_private=np.array(columns["private"], np.uint8),
        way_speed_mps=np.tile(np.array(columns["speed"], np.float32), (len(MODES), 1)),
        way_name=np.array(columns["name"], np.int32),
        way_class=np.array(columns["class"], np.uint8),
        way_off_ground=np.array(columns["off_ground"], np.bool_),
        names=tuple(names),
        classes=tuple(classes),
        node_blocked=np.array([_modes(extra.get(n, {}).get("blocked", "")) for n in order], np.uint8),
        node_gate=np.array([bool(extra.get(n, {}).get("gate", False)) for n in order], np.bool_),
        node_private=np.array([_modes(extra.get(n, {}).get("private", "")) for n in order], np.uint8),
        compounds=Compounds(
            names=tuple(fenced),
            polygons=tuple(shapely.Polygon([letters[c] for c in tags["fence"]]) for tags in fenced.values()),
            gate_delay_s=np.array([tags.get("delay_s", np.nan) for tags in fenced.values()], np.float64),
            kind=("residential",) * len(fenced),
        ),
        restrictions=np.array(turns, np.int64).reshape(-1, 3),
        restriction_only=np.array([kind == "only" for *_, kind in restrictions], np.bool_),
        restriction_modes=np.full(len(restrictions), _modes(bound), np.uint8),
        drive_ptr=np.cumsum([0, *(len(nodes) for nodes, _ in drives)], dtype=np.int64),
        drive_node=np.array([order[letter] for nodes, _ in drives for letter in nodes], np.int32),
        drive_only=np.array([kind == "only" for _, kind in drives], np.bool_),
        drive_modes=np.full(len(drives), _modes(bound), np.uint8),
    )
    return AsciiMap(raw, letters)


def _letters(drawing: str, cell_m: float, origin: tuple[float, float]) -> dict[str, tuple[float, float]]:
    east = cell_m / (DEGREE_M * np.cos(np.radians(origin[1])))
    found: dict[str, tuple[float, float]] = {}
    for row, line in enumerate(drawing.splitlines()):
        for column, letter in enumerate(line):
            if letter.isalnum():
                if letter in found:
                    raise ValueError(f"node {letter} is drawn twice")
                found[letter] = (origin[0] + column * east, origin[1] - row * cell_m / DEGREE_M)
    return found


def _modes(value: bool | str) -> int:
    if isinstance(value, bool):
        return ALL_MODES if value else 0
    return sum(mode_bit(mode) for mode in value.split())


def _index(table: list[str], value: str | None) -> int:
    if value is None:
        return -1
    if value not in table:
        table.append(value)
    return table.index(value)
