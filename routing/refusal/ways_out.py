"""How much of the streets trips that begin on one of them reach: the search behind `dead_ends`."""

import numpy as np

from geo.arrays import FloatArray, Int32Array, UInt8Array
from geo.jit import kernel
from geo.streets import OUT, PUBLIC

__all__ = ["reaches"]


@kernel
def reaches(
    indptr: Int32Array,
    head: Int32Array,
    arc_edge: Int32Array,
    layer: UInt8Array,
    length_m: FloatArray,
    begin: Int32Array,
    edge: int,
    beyond_m: float,
) -> bool:
    """Whether trips that begin in the states `begin` of an edge reach more than so much of public streets."""
    # What is found is little: lists are looked through quicker than the city could be marked.
    states, streets = np.empty(64, np.int32), np.empty(64, np.int32)
    seen = counted = 0
    for state in begin:
        if seen == len(states):
            states = np.append(states, np.empty(seen, np.int32))
        if not (states[:seen] == state).any():
            states[seen] = state
            seen += 1
    streets[0], counted, metres, at = edge, 1, 0.0, 0
    while at < seen and metres <= beyond_m:
        state = states[at]
        at += 1
        if layer[state] != PUBLIC and layer[state] != OUT:
            continue
        for arc in range(indptr[state], indptr[state + 1]):
            street = arc_edge[arc] // 2
            public = arc_edge[arc] >= 0 and layer[head[arc]] == PUBLIC
            if public and not (streets[:counted] == street).any():
                if counted == len(streets):
                    streets = np.append(streets, np.empty(counted, np.int32))
                streets[counted] = street
                counted += 1
                metres += length_m[street]
            if not (states[:seen] == head[arc]).any():
                if seen == len(states):
                    states = np.append(states, np.empty(seen, np.int32))
                states[seen] = head[arc]
                seen += 1
    return metres > beyond_m
