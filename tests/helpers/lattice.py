"""A square town of any size for tests: streets every 120 m, some one-way, and one gated compound."""

import numpy as np
import shapely

from geo.earth import DEGREE_M
from geo.streets.build import build_network
from geo.streets.network import ALL_MODES, MODES, Compounds, RawWays, StreetNetwork


def lattice(
    side: int = 12,
    step_m: float = 120.0,
    *,
    origin: tuple[float, float] = (116.3, 39.98),
    one_way: bool = True,
    compound: bool = True,
    wobble_m: float = 15.0,
    seed: int = 0,
) -> StreetNetwork:
    """`side` x `side` junctions; every third row is a tertiary street, every fifth column is one-way."""
    rng = np.random.default_rng(seed)
    east = 1.0 / (DEGREE_M * np.cos(np.radians(origin[1])))
    column, row = np.meshgrid(np.arange(side), np.arange(side))
    xy = np.column_stack([column.ravel(), row.ravel()]) * step_m + rng.uniform(
        -wobble_m, wobble_m, (side * side, 2)
    )
    lonlat = np.asarray(origin) + xy * np.array([east, 1.0 / DEGREE_M])
    ways: list[list[int]] = [[r * side + c for c in range(side)] for r in range(side)]
    ways += [[r * side + c for r in range(side)] for c in range(side)]
    kind = [1 if r % 3 == 0 else 0 for r in range(side)] + [0] * side
    against = [ALL_MODES] * side + [0 if one_way and c % 5 == 2 else ALL_MODES for c in range(side)]
    names = tuple(f"Row {r}" for r in range(side)) + tuple(f"Column {c}" for c in range(side))
    refs = [ref for way in ways for ref in way]
    # The compound covers one block in the north-east; its lane hangs on the corner (side - 3, side - 3).
    extra, inner = [], []
    if compound and side >= 8:
        corner = (side - 3) * side + side - 3
        middle = xy[corner] + [step_m * 0.45, step_m * 0.45]
        far = xy[corner] + [step_m * 0.75, step_m * 0.55]
        lonlat = np.vstack([lonlat, np.asarray(origin) + np.array([middle, far]) * [east, 1.0 / DEGREE_M]])
        inner = [corner, side * side, side * side + 1]
        names += ("Inner lane",)
        low, high = xy[corner] + 0.1 * step_m, xy[corner] + 0.85 * step_m
        extra = [np.asarray(origin) + np.array([x, y]) * [east, 1.0 / DEGREE_M] for x, y in (
            (low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]))]  # fmt: skip
    count = len(ways) + bool(inner)
    compounds = (
        Compounds(("Garden",), (shapely.Polygon(extra),), np.array([np.nan]), ("residential",))
        if inner
        else Compounds()
    )
    nodes = len(lonlat)
    gate = np.zeros(nodes, np.bool_)
    if inner:
        gate[inner[0]] = True
    private = np.zeros(count, np.uint8)
    private[len(ways) :] = ALL_MODES
    return build_network(
        RawWays(
            node_id=np.arange(1, nodes + 1, dtype=np.int64),
            node_lonlat=lonlat,
            way_id=np.arange(1, count + 1, dtype=np.int64),
            way_ptr=np.cumsum([0] + [len(w) for w in ways] + ([3] if inner else []), dtype=np.int64),
            way_ref=np.array(refs + inner, np.int32),
            ref_compound=np.array([-1] * len(refs) + ([0, 0, -1] if inner else []), np.int32),
            way_access=np.array([[ALL_MODES] * count, against + [ALL_MODES] * bool(inner)], np.uint8),
            way_private=private,
            way_speed_mps=np.full((len(MODES), count), 4.2, np.float32),
            way_name=np.arange(count, dtype=np.int32),
            way_class=np.array(kind + [0] * (count - len(kind)), np.uint8),
            names=names,
            classes=("residential", "tertiary"),
            node_blocked=np.zeros(nodes, np.uint8),
            node_gate=gate,
            compounds=compounds,
        )
    )
