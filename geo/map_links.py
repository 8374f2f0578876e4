"""Links that open a place in a map app, in the datum that each wants.

``geo:`` is WGS-84 (RFC 5870; the query with a label is what Android and OsmAnd understand). Amap takes GCJ-02
with longitude first (``coordinate=gaode``), Baidu BD-09 with latitude first (``coord_type=bd09ll``).
"""

import dataclasses
from urllib.parse import quote, urlencode

import numpy as np

from geo.datum import from_wgs84, in_mainland_china

__all__ = ["MapLinks", "map_links"]

SOURCE = "yilu"
"""Both services want to know who sends people to them."""


@dataclasses.dataclass(frozen=True, slots=True)
class MapLinks:
    """Addresses that open one place; None where the app has no map of it."""

    geo: str
    amap: str | None
    baidu: str | None


def map_links(lonlat: tuple[float, float], name: str) -> MapLinks:
    """Return the links to a place.

    Parameters
    ----------
    lonlat : tuple of float
        WGS-84, degrees.
    name : str
        Label of the place.

    Returns
    -------
    MapLinks
        Those of Amap and Baidu in mainland China only.
    """
    # half a surrogate pair is no character, and no address holds it
    name = name.encode("utf-8", "replace").decode("utf-8")
    place = np.array([lonlat])
    lon, lat = lonlat
    geo = f"geo:{lat:.6f},{lon:.6f}?q={lat:.6f},{lon:.6f}({quote(name, safe='')})"
    if not in_mainland_china(place)[0]:
        return MapLinks(geo, None, None)
    (amap,), (baidu,) = from_wgs84(place, "gcj02").tolist(), from_wgs84(place, "bd09").tolist()
    to_amap = {
        "position": f"{amap[0]:.6f},{amap[1]:.6f}",
        "name": name,
        "coordinate": "gaode",
        "callnative": "1",
        "src": SOURCE,
    }
    to_baidu = {
        "location": f"{baidu[1]:.6f},{baidu[0]:.6f}",
        "title": name,
        "content": name,
        "coord_type": "bd09ll",
        "output": "html",
        "src": f"webapp.{SOURCE}.{SOURCE}",
    }
    return MapLinks(
        geo,
        f"https://uri.amap.com/marker?{urlencode(to_amap, quote_via=quote, safe=',')}",
        f"https://api.map.baidu.com/marker?{urlencode(to_baidu, quote_via=quote, safe=',')}",
    )
