"""Closed compounds: which areas are fenced off, and the streets cut at their outlines.

A housing estate, campus or works is on the map as an area; whether a fence stands around it mostly is not. An
area counts as **closed** when its tags do not open it (``access=yes/permissive/public``) and one of these
holds:

1. its own tags say so: ``access=private/no/customers/permit ...``, ``gated=yes`` or ``residential=gated``;
2. its outline is itself a barrier (``barrier=wall/fence/hedge ...``), its use is one of `KINDS`, and a street
   enters it;
3. of the places where a street enters it, at least one and at least half are gates: a barrier node of
   `GATE_KINDS` (`geo.osm.rules.barriers`) on that street, no junction between, within `GATE_REACH_M` of the
   outline.

Streets count that an e-bike or a car may use; where only footways enter, those. An area inside a larger
closed one belongs to that one. Streets inside a closed compound may be used only to reach or leave a place
there. Public they stay as `WayRule.public` says: motorways and trunk roads, an explicit ``access=yes``, an
underpass; and primary to tertiary streets that cross the outline at least twice without a gate on them, so
that a campus with an open through road does not block the traffic. ``access=permissive`` does not count: on
gated campuses it is tagged on every path, and the gate turns riders away all the same.

The compound begins at the gate node where one stands near the outline on the street that enters, else where
the street crosses the outline; there a node with a negative id is put in. A strip of `MARGIN_M` inside the
outline counts as outside, since outlines are often drawn along, or share the nodes of, the public street
around them. How long a gate takes is not on the map: ``gate_delay_s`` is NaN, the default of the network.
"""

from typing import NamedTuple

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely.geometry.base import BaseGeometry

from geo.arrays import BoolArray, FloatArray
from geo.earth import DEGREE_M
from geo.osm.areas import Areas
from geo.osm.columns import StreetColumns
from geo.osm.crossings import Segments, Spans, Walks, length_m, segments_near, spans_inside
from geo.osm.files.opl import parse_tags
from geo.osm.rules.access import IF_THROUGH, NOT_PUBLIC, PUBLIC, WayRule
from geo.streets.raw import Compounds, mode_bit

__all__ = ["FENCED", "GATE_REACH_M", "KINDS", "MARGIN_M", "close_compounds"]

GATE_REACH_M = 25.0
"""A gate on a street this near to the outline is a gate of the compound."""
MARGIN_M = 4.0
"""Strip along the outline that counts as outside."""
SHORT_M = 3.0
"""Pieces shorter than this are not cut off."""
REACH_M = GATE_REACH_M + MARGIN_M
LEAST_AREA_M2 = 1_500.0
"""Smaller areas are gardens and yards, not compounds."""
LARGEST_DEGREES = 0.5
"""A wider area is a district, or has a corner in the wrong place; nobody shuts it with a gate."""
NESTED_SHARE = 0.8

KINDS = {
    "landuse": frozenset(
        {"residential", "industrial", "commercial", "military", "education", "institutional"}
    ),
    "amenity": frozenset({"university", "college", "school", "kindergarten", "hospital", "prison"}),
}
"""Uses of land that may be closed; a bare fence around other land makes a compound of kind `FENCED`."""
FENCED = "fenced"
_FENCES = frozenset({"wall", "fence", "hedge", "wire_fence", "yes"})
_VEHICLES = mode_bit("ebike") | mode_bit("car")
_CLOSED = frozenset({"private", "no", "customers", "permit", "residents", "members", "employees", "students"})
_OPEN = frozenset({"yes", "permissive", "public", "designated"})


class _Candidate(NamedTuple):
    area: int
    name: str
    kind: str
    tagged: bool
    fenced: bool
    gates: FloatArray
    outline: BaseGeometry
    inner: BaseGeometry


def close_compounds(areas: Areas, streets: StreetColumns) -> tuple[Compounds, StreetColumns]:
    """Decide which areas are closed compounds, and cut the streets at their outlines.

    Parameters
    ----------
    areas : Areas
        All areas of the map.
    streets : StreetColumns
        Usable ways, not cut before.

    Returns
    -------
    Compounds, StreetColumns
        The compounds, largest first, and the streets with ``ref_compound`` set, ways split where the
        privacy changes, and ``private`` rules inside.
    """
    inside: dict[int, list[tuple[float, float, int]]] = {}
    closed: list[_Candidate] = []
    gate_lonlat = streets.node_lonlat[streets.node_gate]
    candidates = _candidates(areas, gate_lonlat)
    if not candidates:
        return Compounds(), streets
    segments = segments_near(streets, np.array([candidate.outline.bounds for candidate in candidates]))
    walks = Walks(streets)
    lengths = length_m(segments)
    parts_of = spans_inside([candidate.inner for candidate in candidates], segments)
    tree = shapely.STRtree([candidate.outline for candidate in candidates])
    taken: set[int] = set()
    for own, candidate in enumerate(candidates):
        over = taken.intersection(tree.query(candidate.outline).tolist())
        if any(_share(candidate.outline, candidates[i].outline) > NESTED_SHARE for i in over):
            continue
        parts = parts_of[own]
        gated = _gated(parts, candidate.gates, segments, walks)
        private = _not_public(parts, gated, segments, streets)
        if not _is_closed(candidate, [gated[row] for row in private], private, segments, streets):
            continue
        number = len(closed)
        closed.append(candidate)
        taken.add(own)
        for row, spans in private.items():
            at = int(segments.at[row])
            mine = [(low, high, number) for low, high in _to_gates(spans, at, float(lengths[row]), streets)]
            inside.setdefault(at, []).extend(
                span for span in mine if all(span[1] <= o[0] or span[0] >= o[1] for o in inside.get(at, []))
            )
    compounds = Compounds(
        names=tuple(candidate.name for candidate in closed),
        polygons=tuple(candidate.outline for candidate in closed),
        gate_delay_s=np.full(len(closed), np.nan),
        kind=tuple(candidate.kind for candidate in closed),
    )
    return compounds, _cut(streets, inside)


def _candidates(areas: Areas, gates: FloatArray) -> list[_Candidate]:
    """Areas that may be closed, largest first."""
    used = [n for n, t in enumerate(areas.texts) if "landuse=" in t or "amenity=" in t or "barrier=" in t]
    low, high = areas.rings.boxes()
    m2 = np.prod(high - low, axis=1) * np.cos(np.radians(low[:, 1])) * DEGREE_M**2
    small = (high - low).max(axis=1, initial=0.0) <= LARGEST_DEGREES
    used = [number for number in used if m2[number] >= LEAST_AREA_M2 and small[number]]
    if not used:
        return []
    reach = (REACH_M) / DEGREE_M / np.cos(np.radians(low[used, 1]))[:, None]
    boxes = shapely.box(*(low[used] - reach).T, *(high[used] + reach).T)
    points = shapely.points(gates)
    owner, gate = shapely.STRtree(points).query(boxes)
    near = np.split(gate, np.searchsorted(owner, np.arange(1, len(used))))
    found = []
    for number, close in zip(used, near, strict=True):
        text = areas.texts[number]
        if not len(close) and not ("access=" in text or "barrier=" in text or "gated" in text):
            continue
        tags = parse_tags(text)
        kind = next((tags[key] for key, values in KINDS.items() if tags.get(key) in values), "")
        fenced = tags.get("barrier") in _FENCES
        if not kind and (not fenced or "building" in tags or "leisure" in tags or "natural" in tags):
            continue
        access = tags.get("access", "")
        tagged = access in _CLOSED or tags.get("gated") == "yes" or tags.get("residential") == "gated"
        if access in _OPEN:
            continue
        degree_m = float(np.cos(np.radians(low[number, 1]))) * DEGREE_M
        if not (tagged or fenced):
            if not len(close):
                continue
            # Metres of the shorter degree, that of longitude: the true distance is at least this.
            rings = [shapely.LinearRing(areas.rings.ring(row)) for row in areas.rings.of(number)]
            apart = [shapely.distance(ring, points[close]).min() * degree_m for ring in rings]
            if min(apart) > REACH_M:
                continue
        outline = areas.rings.shape(number)
        if outline.is_empty or outline.area * degree_m * DEGREE_M < LEAST_AREA_M2:
            continue
        name = tags.get("name", "") or tags.get("name:zh", "") or tags.get("name:en", "")
        here = gates[np.sort(close)]
        found.append(_Candidate(number, name, kind or FENCED, tagged, fenced, here, outline, outline))
    outlines = np.array([candidate.outline for candidate in found], dtype=object)
    inner = shapely.buffer(outlines, -MARGIN_M / DEGREE_M, quad_segs=16)
    found = [one._replace(inner=part) for one, part in zip(found, inner, strict=True) if not part.is_empty]
    return sorted(found, key=lambda candidate: (-candidate.outline.area, candidate.area))


def _share(part: BaseGeometry, whole: BaseGeometry) -> float:
    return float(part.intersection(whole).area / part.area)


def _gated(
    parts: dict[int, Spans], gates: FloatArray, segments: Segments, walks: Walks
) -> dict[int, list[bool]]:
    """Whether each entry of each segment has a gate, walking along its street to the next junctions.

    A gate near by on another street does not count: dense blocks are full of gates to back yards.
    """
    found: dict[int, list[bool]] = {row: [] for row in parts}
    crossing = [
        (row, share) for row, spans in parts.items() for span in spans for share in span if 0 < share < 1
    ]
    if not crossing:
        return found
    rows, shares = (np.array(column) for column in zip(*crossing, strict=True))
    ends = segments.ends[rows]
    entry = ends[:, 0] + shares[:, None] * (ends[:, 1] - ends[:, 0])
    scale = DEGREE_M * np.array([np.cos(np.radians(entry[0, 1])), 1.0])
    apart = np.hypot(*((entry[:, None] - gates[None]) * scale).transpose(2, 0, 1))
    close = (apart <= REACH_M).any(axis=1) if len(gates) else np.zeros(len(rows), np.bool_)
    for (row, _), lonlat, has_gate in zip(crossing, entry, close, strict=True):
        found[row].append(bool(has_gate) and walks.meets_gate(int(segments.at[row]), lonlat, REACH_M))
    return found


def _not_public(
    parts: dict[int, Spans], gated: dict[int, list[bool]], segments: Segments, streets: StreetColumns
) -> dict[int, Spans]:
    """Leave out the segments that stay public: always, or because they lead through without a gate."""
    standing = {row: _rule(streets, segments, row).public for row in parts}
    through = [row for row in parts if standing[row] == IF_THROUGH]
    if through:
        refs = streets.way_ref[np.add.outer(segments.at[through], [0, 1])]
        names, ends = np.unique(refs, return_inverse=True)
        ends = ends.reshape(-1, 2)
        links = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(names), len(names)))
        _, label = connected_components(links, directed=False)
        part = label[ends[:, 0]]
        open_entries = np.zeros(len(names), dtype=np.int64)
        for row, number in zip(through, part, strict=True):
            open_entries[number] += sum(not gate for gate in gated[row])
        for row, number in zip(through, part, strict=True):
            standing[row] = PUBLIC if open_entries[number] >= 2 else NOT_PUBLIC
    return {row: spans for row, spans in parts.items() if standing[row] == NOT_PUBLIC}


def _rule(streets: StreetColumns, segments: Segments, row: int) -> WayRule:
    return streets.rules[int(streets.rule[segments.way[row]])]


def _is_closed(
    candidate: _Candidate,
    gated: list[list[bool]],
    private: dict[int, Spans],
    segments: Segments,
    streets: StreetColumns,
) -> bool:
    if candidate.tagged:
        return True
    entries: dict[bool, list[bool]] = {True: [], False: []}
    for row, gates in zip(private, gated, strict=True):
        rule = _rule(streets, segments, row)
        entries[bool((rule.forward | rule.backward) & _VEHICLES)] += gates
    counted = entries[True] or entries[False]
    if candidate.fenced and candidate.kind != FENCED:
        return bool(counted)
    return any(counted) and 2 * sum(counted) >= len(counted)


def _to_gates(spans: Spans, at: int, length: float, streets: StreetColumns) -> Spans:
    """Move the ends of the stretches to a gate or a node nearby, so that no sliver is cut off."""
    gate = [bool(streets.node_gate[streets.way_ref[at + i]]) for i in (0, 1)]
    moved = []
    for low, high in spans:
        if low > 0 and low * length <= (GATE_REACH_M if gate[0] else SHORT_M):
            low = 0.0
        if high < 1 and (1 - high) * length <= (GATE_REACH_M if gate[1] else SHORT_M):
            high = 1.0
        # The gate stands a little inside: what lies before it is still the street outside.
        if low == 0 and high < 1 and high * length <= (GATE_REACH_M if gate[0] else SHORT_M):
            continue
        if high == 1 and low > 0 and (1 - low) * length <= (GATE_REACH_M if gate[1] else SHORT_M):
            continue
        if (high - low) * length >= SHORT_M or (low, high) == (0.0, 1.0):
            moved.append((low, high))
    return moved


def _cut(streets: StreetColumns, inside: dict[int, list[tuple[float, float, int]]]) -> StreetColumns:
    """Split the ways where a compound begins or ends; inner parts become private for everybody."""
    inside = {at: sorted(spans) for at, spans in inside.items() if spans}
    if not inside:
        return streets
    way_of = np.repeat(np.arange(len(streets.way_id)), np.diff(streets.way_ptr))
    affected = sorted({int(way_of[at]) for at in inside})
    rules = list(streets.rules)
    rule_index = {rule: index for index, rule in enumerate(rules)}
    pieces: list[tuple[int, int, list[int], int]] = []
    new_lonlat: list[FloatArray] = []
    nodes = len(streets.node_id)
    for way in affected:
        first, last = int(streets.way_ptr[way]), int(streets.way_ptr[way + 1]) - 1
        refs, compounds = [int(streets.way_ref[first])], []
        for at in range(first, last):
            here, end = streets.node_lonlat[streets.way_ref[at]], streets.node_lonlat[streets.way_ref[at + 1]]
            done = 0.0
            for low, high, number in inside.get(at, []):
                for share, compound in ((low, -1), (high, number)):
                    if share > done:
                        compounds.append(compound)
                        if share < 1:
                            refs.append(nodes + len(new_lonlat))
                            new_lonlat.append(here + share * (end - here))
                        done = share
            if done < 1:
                compounds.append(-1)
            refs.append(int(streets.way_ref[at + 1]))
        start = 0
        for stop in range(1, len(compounds) + 1):
            if stop == len(compounds) or compounds[stop] != compounds[start]:
                rule = rules[int(streets.rule[way])]
                if compounds[start] >= 0:
                    rule = rule._replace(private=rule.forward | rule.backward)
                if rule not in rule_index:
                    rule_index[rule] = len(rules)
                    rules.append(rule)
                pieces.append((way, rule_index[rule], refs[start : stop + 1], compounds[start]))
                start = stop
    return _joined(streets, affected, pieces, rules, np.array(new_lonlat).reshape(-1, 2))


def _joined(
    streets: StreetColumns,
    affected: list[int],
    pieces: list[tuple[int, int, list[int], int]],
    rules: list[WayRule],
    new_lonlat: FloatArray,
) -> StreetColumns:
    kept = np.ones(len(streets.way_id), dtype=np.bool_)
    kept[affected] = False
    lengths = np.diff(streets.way_ptr)
    kept_refs: BoolArray = np.repeat(kept, lengths)
    source = np.array([piece[0] for piece in pieces], dtype=np.int64)
    all_lengths = np.concatenate([lengths[kept], [len(piece[2]) for piece in pieces]])
    compound = [n for piece in pieces for n in [piece[3]] * (len(piece[2]) - 1) + [-1]]
    lowest = min(0, int(streets.node_id.min()))
    return streets._replace(
        way_id=np.concatenate([streets.way_id[kept], streets.way_id[source]]),
        way_ptr=np.concatenate([[0], np.cumsum(all_lengths)]).astype(np.int64),
        way_ref=np.concatenate([streets.way_ref[kept_refs], [n for p in pieces for n in p[2]]]).astype(
            np.int32
        ),
        ref_compound=np.concatenate([streets.ref_compound[kept_refs], compound]).astype(np.int32),
        rule=np.concatenate([streets.rule[kept], [piece[1] for piece in pieces]]).astype(np.int32),
        rules=tuple(rules),
        name=np.concatenate([streets.name[kept], streets.name[source]]),
        node_id=np.concatenate([streets.node_id, lowest - 1 - np.arange(len(new_lonlat))]),
        node_lonlat=np.concatenate([streets.node_lonlat, new_lonlat]),
        node_blocked=np.concatenate([streets.node_blocked, np.zeros(len(new_lonlat), dtype=np.uint8)]),
        node_gate=np.concatenate([streets.node_gate, np.ones(len(new_lonlat), dtype=np.bool_)]),
        node_private=np.concatenate([streets.node_private, np.zeros(len(new_lonlat), dtype=np.uint8)]),
    )
