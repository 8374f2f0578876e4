"""The graph of one mode: states, arcs, and how trips enter and leave it in the middle of a street.

A directed edge is ``2 * edge + against``. A state is a node (car: the start of a directed edge) on
one of four layers:

* public streets;
* OUT: private streets as used by a trip that began on them;
* IN, outside of compounds, and IN, inside one: private streets as used by a trip that ends on them.

A trip leaves OUT for the public layer, and the public layer for IN, where the gate delay is paid.
Nothing leads from IN back to public: no route cuts through a private place.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.arrays import BoolArray, Int32Array, Int64Array, UInt8Array, UInt32Array
from geo.jit import kernel

__all__ = ["IN_COMPOUND", "IN_PRIVATE", "NO", "OUT", "PUBLIC", "ModeGraph", "assemble", "counting_sort"]

NO = np.uint32(0xFFFFFFFF)
"""Not reached, or not allowed."""
PUBLIC, OUT, IN_PRIVATE, IN_COMPOUND = 0, 1, 2, 3


@dataclasses.dataclass(frozen=True, eq=False)
class ModeGraph:
    """Arrays of one mode; durations are integer milliseconds, so that sums are exact.

    Attributes
    ----------
    mode : str
    n_states : int
    indptr, head, cost_ms : int32 (n_states + 1,), int32 (m,), uint32 (m,)
        Arcs forward, in the order of their tail.
    rev_indptr, rev_head, rev_cost_ms
        The same arcs backward.
    rev_arc : int32 (m,)
        Forward number of each backward arc.
    arc_edge : int32 (m,)
        Directed edge that the arc runs over, -1 where it only changes the layer.
    arc_extra_ms : uint32 (m,)
        Part of the cost that is not driving (gate delay).
    state_node : int32 (n_states,)
        Node where the state stands.
    state_layer : uint8 (n_states,)
    directed_cost_ms : uint32 (2E,)
        Cost of each whole directed edge, `NO` where the mode may not go.
    depart_ptr, depart_state, depart_extra_ms : int32 (2E + 1,), int32, uint32
        States reached at the end of a directed edge by a trip that began on it.
    arrive_ptr, arrive_state, arrive_extra_ms : int32 (2E + 1,), int32, uint32
        States from which a trip that ends on a directed edge enters it.
    """

    mode: str
    n_states: int
    indptr: Int32Array
    head: Int32Array
    cost_ms: UInt32Array
    rev_indptr: Int32Array
    rev_head: Int32Array
    rev_cost_ms: UInt32Array
    rev_arc: Int32Array
    arc_edge: Int32Array
    arc_extra_ms: UInt32Array
    state_node: Int32Array
    state_layer: UInt8Array
    directed_cost_ms: UInt32Array
    depart_ptr: Int32Array
    depart_state: Int32Array
    depart_extra_ms: UInt32Array
    arrive_ptr: Int32Array
    arrive_state: Int32Array
    arrive_extra_ms: UInt32Array

    @property
    def max_cost_ms(self) -> int:
        """Cost of the longest arc, 0 without arcs."""
        return int(self.cost_ms.max()) if len(self.cost_ms) else 0

    def pack(self) -> tuple[dict[str, npt.NDArray[Any]], int]:
        """Return the columns by name, and the number of states."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: v for name, v in values.items() if isinstance(v, np.ndarray)}, self.n_states

    @staticmethod
    def unpack(mode: str, n_states: int, columns: Mapping[str, npt.NDArray[Any]]) -> "ModeGraph":
        """Return the graph that was packed."""
        return ModeGraph(mode=mode, n_states=n_states, **columns)

    def with_costs(self, directed_cost_ms: UInt32Array) -> "ModeGraph":
        """Return the same graph with other costs of the directed edges; what is `NO` must stay so."""
        drive = np.where(self.arc_edge >= 0, directed_cost_ms[self.arc_edge], 0)
        cost_ms = (drive + self.arc_extra_ms).astype(np.uint32)
        return dataclasses.replace(
            self, cost_ms=cost_ms, rev_cost_ms=cost_ms[self.rev_arc], directed_cost_ms=directed_cost_ms
        )


@kernel
def counting_sort(key: Int32Array, count: int, ptr: Int32Array, order: Int32Array) -> None:
    """Group the positions of `key` (0 to count - 1), stable; fills `ptr` (count + 1,) and `order`."""
    ptr[:] = 0
    for i in range(len(key)):
        ptr[key[i] + 1] += 1
    for k in range(count):
        ptr[k + 1] += ptr[k]
    fill = ptr[:-1].copy()
    for i in range(len(key)):
        k = key[i]
        order[fill[k]] = i
        fill[k] += 1


@dataclasses.dataclass(frozen=True, eq=False)
class Arcs:
    """Arcs of a graph in any order, and its states."""

    tail: Int32Array
    head: Int32Array
    edge: Int32Array
    extra_ms: UInt32Array
    state_node: Int32Array
    state_layer: UInt8Array


def _sorted(key: Int32Array, count: int) -> tuple[Int32Array, Int32Array]:
    ptr = np.empty(count + 1, np.int32)
    order = np.empty(len(key), np.int32)
    counting_sort(key, count, ptr, order)
    return ptr, order


def assemble(
    mode: str,
    arcs: Arcs,
    directed_cost_ms: UInt32Array,
    depart: tuple[Int32Array, Int32Array, UInt32Array],
    arrive: tuple[Int32Array, Int32Array, UInt32Array],
) -> ModeGraph:
    """Sort arcs, departures and arrivals (each: directed edge, state, extra) into a `ModeGraph`."""
    n_states = len(arcs.state_node)
    indptr, order = _sorted(arcs.tail, n_states)
    head, edge, extra = arcs.head[order], arcs.edge[order], arcs.extra_ms[order]
    tail = arcs.tail[order]
    drive = np.where(edge >= 0, directed_cost_ms[edge], 0)
    cost_ms = (drive + extra).astype(np.uint32)
    rev_indptr, rev_arc = _sorted(head, n_states)
    depart_ptr, depart_order = _sorted(depart[0], len(directed_cost_ms))
    arrive_ptr, arrive_order = _sorted(arrive[0], len(directed_cost_ms))
    return ModeGraph(
        mode=mode,
        n_states=n_states,
        indptr=indptr,
        head=head,
        cost_ms=cost_ms,
        rev_indptr=rev_indptr,
        rev_head=tail[rev_arc],
        rev_cost_ms=cost_ms[rev_arc],
        rev_arc=rev_arc,
        arc_edge=edge,
        arc_extra_ms=extra,
        state_node=arcs.state_node,
        state_layer=arcs.state_layer,
        directed_cost_ms=directed_cost_ms,
        depart_ptr=depart_ptr,
        depart_state=depart[1][depart_order],
        depart_extra_ms=depart[2][depart_order],
        arrive_ptr=arrive_ptr,
        arrive_state=arrive[1][arrive_order],
        arrive_extra_ms=arrive[2][arrive_order],
    )


@dataclasses.dataclass(frozen=True, eq=False)
class ModeStreets:
    """What the graph of one mode is made of.

    Attributes
    ----------
    ends : int32 (E, 2)
        Nodes ``u`` and ``v`` of each edge.
    directed_cost_ms : uint32 (2E,)
    private : bool (E,)
    compound : int32 (E,)
    blocked, gate : bool (n,)
    compound_delay_ms : int64 (c,)
    gate_delay_ms : int
    turns_banned : int32 (k, 2)
    drives_banned : tuple of tuples
        Sequences of three directed edges or more that may not be driven.
    """

    ends: Int32Array
    directed_cost_ms: UInt32Array
    private: BoolArray
    compound: Int32Array
    blocked: BoolArray
    gate: BoolArray
    compound_delay_ms: Int64Array
    gate_delay_ms: int
    turns_banned: Int32Array
    drives_banned: tuple[tuple[int, ...], ...] = ()

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.gate)

    @property
    def usable(self) -> BoolArray:
        """Directed edges that the mode may take."""
        return np.asarray(self.directed_cost_ms != NO)

    @property
    def edge_private(self) -> BoolArray:
        """Edges that the mode may use for their own sake only."""
        return np.asarray(self.private & self.usable.reshape(-1, 2).any(axis=1))
