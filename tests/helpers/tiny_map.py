"""A small made city as an .osm file: a grid of streets with shops, offices and homes beside them."""

from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from geo.earth import DEGREE_M

__all__ = ["BEIJING", "FAR_AWAY", "write_city"]

BEIJING = (116.30, 39.98)
FAR_AWAY = (113.26, 23.13)
"""Another city, 1,900 km to the south."""
KINDS = (
    ("amenity", "restaurant", 24),
    ("amenity", "fast_food", 8),
    ("building", "apartments", 60),
    ("office", "company", 12),
    ("shop", "convenience", 14),
    ("shop", "mall", 3),
    ("amenity", "bank", 5),
    ("amenity", "cafe", 6),
    ("leisure", "park", 3),
)


def write_city(
    path: Path, origin: tuple[float, float] = BEIJING, size: int = 9, block_m: float = 160.0
) -> Path:
    """Write a grid of `size` x `size` junctions, one-way streets among them, with seeded places."""
    lon_m = DEGREE_M * np.cos(np.radians(origin[1]))
    rng = np.random.default_rng(5)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6">']

    def node(number: int, x_m: float, y_m: float, **tags: str) -> None:
        lon, lat = origin[0] + x_m / lon_m, origin[1] + y_m / DEGREE_M
        inner = "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())
        lines.append(f'<node id="{number}" version="1" lon="{lon:.7f}" lat="{lat:.7f}">{inner}</node>')

    def way(number: int, refs: list[int], **tags: str) -> None:
        inner = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        inner += "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())
        lines.append(f'<way id="{number}" version="1">{inner}</way>')

    for row in range(size):
        for column in range(size):
            node(1 + row * size + column, column * block_m, row * block_m)
    number = 1_000
    extent = (size - 1) * block_m
    for key, value, count in KINDS:
        for _ in range(count):
            along, line = rng.uniform(0, extent), block_m * rng.integers(size) + rng.choice([-12.0, 12.0])
            x_m, y_m = (along, line) if rng.random() < 0.5 else (line, along)
            node(number, x_m, y_m, **{key: value, "name": f"{value} {number}"})
            number += 1
    for k in range(size):
        across = [1 + k * size + column for column in range(size)]
        along_refs = [1 + row * size + k for row in range(size)]
        one_way = {"oneway": "yes"} if k % 3 == 1 else {}
        kind = "secondary" if k % 4 == 0 else "residential"
        way(10_000 + k, across, highway=kind, name=f"East Street {k}", **one_way)
        way(20_000 + k, along_refs, highway=kind, name=f"North Street {k}")
    lines.append("</osm>")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
