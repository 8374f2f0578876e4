"""Random small towns for property tests."""

import numpy as np
import shapely

from geo.streets.network import ALL_MODES, Compounds, RawWays, StreetNetwork
from geo.streets.snapping import Snapped


def random_ways(seed: int, *, fences: bool = True) -> RawWays:
    """Streets between a few nodes with one-ways, barriers, gates, private ways and compounds."""
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(3, 11))
    ways = int(rng.integers(2, 14))
    paths = [
        rng.choice(nodes, size=int(rng.integers(2, min(nodes, 4) + 1)), replace=False) for _ in range(ways)
    ]
    lengths = np.array([len(path) for path in paths])
    ref = np.concatenate(paths).astype(np.int32)
    access = rng.choice([0, 1, 4, 8, 5, ALL_MODES], p=[0.05, 0.05, 0.05, 0.05, 0.2, 0.6], size=(2, ways))
    private = rng.choice([0, 5, ALL_MODES], p=[0.6, 0.2, 0.2], size=ways) if fences else np.zeros(ways)
    compound = np.where(private > 0, rng.integers(-1, 2, ways), -1)
    ref_compound = np.repeat(compound, lengths).astype(np.int32)
    ref_compound[np.cumsum(lengths) - 1] = -1
    blocked = rng.choice([0, 4, 5], p=[0.8, 0.1, 0.1], size=nodes)
    off_ground = rng.random(ways) < 0.2
    gate = rng.random(nodes) < (0.3 if fences else 0.0)
    turns, only = _restrictions(rng, paths)
    square = shapely.box(116.29, 39.97, 116.33, 40.0)
    return RawWays(
        node_id=np.arange(nodes, dtype=np.int64),
        node_lonlat=np.stack([rng.uniform(116.3, 116.32, nodes), rng.uniform(39.98, 39.99, nodes)], axis=1),
        way_id=np.arange(ways, dtype=np.int64),
        way_ptr=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        way_ref=ref,
        ref_compound=ref_compound,
        way_access=access.astype(np.uint8),
        way_private=private.astype(np.uint8),
        way_speed_mps=rng.choice([1.4, 4.0, 8.0], size=(4, ways)).astype(np.float32),
        way_name=np.full(ways, -1, np.int32),
        way_class=np.zeros(ways, np.uint8),
        way_off_ground=off_ground,
        names=(),
        classes=("residential",),
        node_blocked=blocked.astype(np.uint8),
        node_gate=gate,
        compounds=Compounds(("A", "B"), (square, square), np.array([np.nan, 60.0]), ("x", "x")),
        restrictions=turns,
        restriction_only=only,
        restriction_modes=rng.integers(1, 8, len(only)).astype(np.uint8),
    )


def _restrictions(
    rng: np.random.Generator, paths: list[np.ndarray[tuple[int], np.dtype[np.int64]]]
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    rows = []
    for _ in range(int(rng.integers(0, 4))):
        one, two = (int(x) for x in rng.integers(0, len(paths), 2))
        shared = sorted(set(paths[one].tolist()) & set(paths[two].tolist()))
        if shared:
            rows.append((one, shared[0], two))
    return np.array(rows, np.int64).reshape(-1, 3), rng.random(len(rows)) < 0.3


def random_places(network: StreetNetwork, seed: int, count: int, *, ends: bool = False) -> Snapped:
    """Places anywhere on the edges (`ends`: at their ends), with a walk; one of them refused."""
    rng = np.random.default_rng(seed)
    edge = rng.integers(0, len(network), count).astype(np.int32)
    share = rng.choice([0.0, 1.0], size=count) if ends else rng.choice([0.0, 0.25, 0.5, 0.9, 1.0], size=count)
    walk_m = rng.choice([0.0, 12.0, 60.0], size=count)
    if count > 3 and not ends:
        edge[-1] = -1
    ok = edge >= 0
    offset = np.where(ok, network.edge_length_m[edge] * share, 0.0)
    walk_ms = np.where(ok, np.round(walk_m / 1.2 * 1000), 0).astype(np.int64)
    lonlat = np.array(
        [
            network.edge_part(e, o, network.edge_length_m[e])[0] if e >= 0 else (116.3, 39.98)
            for e, o in zip(edge.tolist(), offset.tolist(), strict=True)
        ]
    )
    return Snapped(edge, offset, lonlat, np.where(ok, walk_m, np.inf), walk_ms)
