"""Places of a map file: points of interest, gates, buildings, water and green, by their tags."""

from typing import NamedTuple

import numpy as np
import shapely

from geo.arrays import BoolArray, FloatArray
from geo.osm.areas import Areas
from geo.osm.files.opl import TaggedNodes, parse_tags
from geo.osm.rules.barriers import GATE_KINDS
from geo.places import POI_KEYS, Places
from geo.streets.raw import Compounds

__all__ = ["GREEN", "HOME_BUILDINGS", "PLACE_NODE_KEYS", "POI_KINDS", "WATER", "places_of_map"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SAME = {
    "amenity": (
        "restaurant fast_food cafe food_court bar pub marketplace bank post_office post_depot parcel_locker "
        "fuel charging_station toilets drinking_water shelter parking bicycle_parking motorcycle_parking "
        "community_centre social_centre social_facility townhall police fire_station library school "
        "kindergarten college university hospital clinic doctors pharmacy cinema theatre arts_centre "
        "place_of_worship bus_station courthouse"
    ),
    "shop": "mall supermarket convenience bakery greengrocer",
    "leisure": "park sports_centre fitness_centre",
    "railway": "station subway_entrance",
    "tourism": "museum hotel",
}
POI_KINDS: dict[tuple[str, str], str] = {
    **{(key, value): value for key, values in _SAME.items() for value in values.split()},
    ("amenity", "public_building"): "townhall",
    ("amenity", "ice_cream"): "cafe",
    ("amenity", "dormitory"): "home",
    ("shop", "department_store"): "mall",
    ("shop", "kiosk"): "convenience",
    ("tourism", "hostel"): "hotel",
    ("tourism", "motel"): "hotel",
    ("tourism", "guest_house"): "hotel",
    ("office", "government"): "government",
    ("building", "office"): "office",
    ("building", "commercial"): "office",
}
"""Kind of a place by its tag; any other ``shop`` is a "shop", any other ``office`` an "office"."""

HOME_BUILDINGS = _words(
    "apartments residential dormitory house detached semidetached_house terrace bungalow villa"
)
"""Buildings where people live; as a plain building on residential land, each is a place of kind "home"."""

WATER = frozenset(
    ("natural=water", "waterway=riverbank", "waterway=dock", "landuse=reservoir", "landuse=basin")
)
GREEN = _words(
    "leisure=park leisure=garden leisure=golf_course leisure=nature_reserve leisure=pitch "
    "leisure=common landuse=grass landuse=forest landuse=meadow landuse=recreation_ground "
    "landuse=village_green landuse=cemetery landuse=orchard natural=wood natural=scrub "
    "natural=grassland natural=heath"
)
PLACE_NODE_KEYS = frozenset({*POI_KEYS, "barrier", "entrance"})


class _Poi(NamedTuple):
    kind: str
    key: int
    names: tuple[str, str, str]


class _AreaClass(NamedTuple):
    building: bool
    home: bool
    plain: bool
    residential: bool
    water: bool
    green: bool


class _Flags(NamedTuple):
    """The same in columns (a,)."""

    building: BoolArray
    home: BoolArray
    plain: BoolArray
    residential: BoolArray
    water: BoolArray
    green: BoolArray


def places_of_map(nodes: TaggedNodes, areas: Areas, compounds: Compounds, crossings: FloatArray) -> Places:
    """Collect the places of a map file; `crossings` (x, 2) are entries of compounds without a mapped gate."""
    pois: list[_Poi] = []
    poi_node: list[int] = []
    gate_node, gate_kind = [], []
    for number, text in enumerate(nodes.texts):
        tags = parse_tags(text)
        poi = _poi(tags)
        if poi is not None:
            pois.append(poi)
            poi_node.append(number)
        gate = tags.get("barrier", "")
        if gate in GATE_KINDS or tags.get("entrance", "no") != "no":
            gate_node.append(number)
            gate_kind.append(gate if gate in GATE_KINDS else "entrance")
    node_lonlat = nodes.lonlat

    classes: dict[str, tuple[_AreaClass, bool]] = {}
    class_of: list[_AreaClass] = []
    poi_area: list[int] = []
    for number, text in enumerate(areas.texts):
        known = classes.get(text)
        if known is None:
            tags = parse_tags(text)
            known = classes[text] = (_area_class(tags), _poi(tags) is not None)
        class_of.append(known[0])
        if known[1]:
            poi = _poi(parse_tags(text))
            if poi is not None:
                pois.append(poi)
                poi_area.append(number)
    flags = _Flags(*np.array(class_of, dtype=np.bool_).reshape(-1, len(_AreaClass._fields)).T)
    centres = areas.rings.centroids()
    lived_in = _on_residential_land(areas, flags, centres)
    for number in np.flatnonzero(lived_in).tolist():
        pois.append(_Poi("home", POI_KEYS.index("building"), _names(parse_tags(areas.texts[number]))))
        poi_area.append(number)
    homes = flags.home | lived_in
    kinds = tuple(sorted({poi.kind for poi in pois}))
    gate_kind += ["crossing"] * len(crossings)
    gates = tuple(sorted(set(gate_kind)))
    return Places(
        poi_lonlat=np.concatenate([node_lonlat[np.array(poi_node, dtype=np.int64)], centres[poi_area]]),
        poi_kind=np.array([kinds.index(poi.kind) for poi in pois], dtype=np.int32),
        poi_key=np.array([poi.key for poi in pois], dtype=np.int32),
        poi_name=tuple(poi.names[0] for poi in pois),
        poi_name_zh=tuple(poi.names[1] for poi in pois),
        poi_name_en=tuple(poi.names[2] for poi in pois),
        kinds=kinds,
        gate_lonlat=np.concatenate([node_lonlat[np.array(gate_node, dtype=np.int64)], crossings]),
        gate_kind=np.array([gates.index(kind) for kind in gate_kind], dtype=np.int32),
        gate_kinds=gates,
        compounds=compounds,
        buildings=areas.rings.take(flags.building),
        building_home=homes[flags.building],
        water=areas.rings.take(flags.water),
        green=areas.rings.take(flags.green),
    )


def _on_residential_land(areas: Areas, flags: "_Flags", centres: FloatArray) -> BoolArray:
    """Mask of plain buildings (``building=yes``, no other use) whose centre lies on residential land."""
    found = np.zeros(len(areas), dtype=np.bool_)
    plain, land = np.flatnonzero(flags.plain), np.flatnonzero(flags.residential)
    if len(plain) and len(land):
        tree = shapely.STRtree(shapely.points(centres[plain]))
        shapes = [areas.rings.shape(int(number)) for number in land]
        found[plain[tree.query(shapes, predicate="intersects")[1]]] = True
    return found


def _poi(tags: dict[str, str]) -> _Poi | None:
    for number, key in enumerate(POI_KEYS):
        value = tags.get(key)
        if value is None or value == "no":
            continue
        kind = POI_KINDS.get((key, value)) or (key if key in ("shop", "office") else "")
        if not kind and key == "building" and value in HOME_BUILDINGS:
            kind = "home"
        if kind:
            return _Poi(kind, number, _names(tags))
    return None


def _names(tags: dict[str, str]) -> tuple[str, str, str]:
    return tags.get("name", ""), tags.get("name:zh", ""), tags.get("name:en", "")


def _area_class(tags: dict[str, str]) -> _AreaClass:
    building = tags.get("building", "no")
    pairs = {f"{key}={value}" for key, value in tags.items()}
    return _AreaClass(
        building=building != "no",
        home=building in HOME_BUILDINGS,
        plain=building == "yes" and not any(key in tags for key in POI_KEYS if key != "building"),
        residential=tags.get("landuse") == "residential",
        water=not WATER.isdisjoint(pairs),
        green=not GREEN.isdisjoint(pairs),
    )
