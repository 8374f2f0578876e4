"""The encoded polyline of Google and OSRM, precision 5: how VROOM tells a geometry."""

from collections.abc import Iterable, Sequence

__all__ = ["encoded"]


def encoded(lonlat: Iterable[Sequence[float]]) -> str:
    """Return a line of (lon, lat) in degrees as an encoded polyline (lat before lon, 1e-5 degrees)."""
    out: list[str] = []
    before = (0, 0)
    for lon, lat in lonlat:
        here = round(lat * 1e5), round(lon * 1e5)
        if here == before:
            continue
        for now, was in zip(here, before, strict=True):
            step = now - was
            value = ~(step << 1) if step < 0 else step << 1
            while value >= 0x20:
                out.append(chr((0x20 | value & 0x1F) + 63))
                value >>= 5
            out.append(chr(value + 63))
        before = here
    return "".join(out)
