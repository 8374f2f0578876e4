"""What stands in the city: points of interest, gates, buildings, water and green, in columns."""

import dataclasses
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.arrays import BoolArray, FloatArray, Int32Array
from geo.errors import InputError
from geo.osm.access import GATE_KINDS
from geo.osm.areas import Areas, Rings
from geo.osm.opl import TaggedNodes, parse_tags
from geo.streets.raw import Compounds

__all__ = ["GREEN", "HOME_BUILDINGS", "POI_KEYS", "POI_KINDS", "WATER", "Places", "read_places"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


POI_KEYS = ("amenity", "shop", "office", "tourism", "leisure", "railway", "building")
"""Keys that make a point of interest; the first that fits wins."""

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


@dataclasses.dataclass(frozen=True, eq=False)
class Places:
    """Places of a map, one row each; positions are (lon, lat) in WGS-84 degrees.

    Attributes
    ----------
    poi_lonlat : float64 (p, 2)
        Points of interest: nodes, and centroids of areas.
    poi_kind, poi_key : int32 (p,)
        Index into `kinds` ("restaurant", "mall", "home", ...) and into `POI_KEYS` (the key that said so).
    poi_name, poi_name_zh, poi_name_en : tuple of str (p,)
        Names as tagged, an empty string where there is none.
    kinds : tuple of str
    gate_lonlat : float64 (g, 2)
        Gates (``barrier``), entrances of buildings (``entrance``), and the crossings of compound outlines by
        streets that have no gate on the map.
    gate_kind : int32 (g,)
        Index into `gate_kinds`, such as "gate", "lift_gate", "entrance", "crossing".
    gate_kinds : tuple of str
    compounds : Compounds
        Closed compounds, as in the street network.
    buildings : Rings
    building_home : bool (b,)
        Buildings where people live.
    water, green : Rings
    """

    poi_lonlat: FloatArray
    poi_kind: Int32Array
    poi_key: Int32Array
    poi_name: tuple[str, ...]
    poi_name_zh: tuple[str, ...]
    poi_name_en: tuple[str, ...]
    kinds: tuple[str, ...]
    gate_lonlat: FloatArray
    gate_kind: Int32Array
    gate_kinds: tuple[str, ...]
    compounds: Compounds
    buildings: Rings
    building_home: BoolArray
    water: Rings
    green: Rings

    def __post_init__(self) -> None:
        count = len(self.poi_kind)
        columns = (self.poi_lonlat, self.poi_key, self.poi_name, self.poi_name_zh, self.poi_name_en)
        if any(len(column) != count for column in columns):
            raise InputError(f"the columns of points of interest must have {count} rows each")
        if len(self.gate_lonlat) != len(self.gate_kind):
            raise InputError("gates need as many positions as kinds")
        if len(self.building_home) != len(self.buildings):
            raise InputError("building_home needs one row for each building")

    def __len__(self) -> int:
        """Count the points of interest."""
        return len(self.poi_kind)

    def of(self, *kinds: str) -> BoolArray:
        """Mask (p,) of the points of interest of any of these kinds."""
        wanted = [index for index, kind in enumerate(self.kinds) if kind in kinds]
        return np.isin(self.poi_kind, wanted)

    def best_name(self, index: int, lang: str = "zh") -> str:
        """Name of a point of interest in ``zh`` or ``en`` where tagged, else the local name."""
        own = self.poi_name_zh if lang == "zh" else self.poi_name_en
        return own[index] or self.poi_name[index]

    def save(self, folder: Path) -> None:
        """Write the places into `folder` (created if need be)."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, column in self._arrays().items():
            np.save(folder / f"places_{name}.npy", column)
        words = {
            "poi_name": self.poi_name,
            "poi_name_zh": self.poi_name_zh,
            "poi_name_en": self.poi_name_en,
            "kinds": self.kinds,
            "gate_kinds": self.gate_kinds,
            "compound_names": self.compounds.names,
            "compound_kind": self.compounds.kind,
            "compound_wkb": [shapely.to_wkb(p, hex=True) for p in self.compounds.polygons],
        }
        (folder / "places.json").write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")

    @staticmethod
    def load(folder: Path) -> "Places":
        """Read places that `save` wrote; numeric columns are memory-mapped."""
        words = json.loads((folder / "places.json").read_text(encoding="utf-8"))

        def column(name: str) -> Any:  # noqa: ANN401 - each column has its own type
            return np.load(folder / f"places_{name}.npy", mmap_mode="r")

        def rings(name: str) -> Rings:
            return Rings(column(f"{name}_ptr"), column(f"{name}_lonlat"), column(f"{name}_polygon"))

        return Places(
            poi_lonlat=column("poi_lonlat"),
            poi_kind=column("poi_kind"),
            poi_key=column("poi_key"),
            poi_name=tuple(words["poi_name"]),
            poi_name_zh=tuple(words["poi_name_zh"]),
            poi_name_en=tuple(words["poi_name_en"]),
            kinds=tuple(words["kinds"]),
            gate_lonlat=column("gate_lonlat"),
            gate_kind=column("gate_kind"),
            gate_kinds=tuple(words["gate_kinds"]),
            compounds=Compounds(
                names=tuple(words["compound_names"]),
                polygons=tuple(shapely.from_wkb(text) for text in words["compound_wkb"]),
                gate_delay_s=np.array(column("compound_delay")),
                kind=tuple(words["compound_kind"]),
            ),
            buildings=rings("buildings"),
            building_home=column("building_home"),
            water=rings("water"),
            green=rings("green"),
        )

    def _arrays(self) -> dict[str, NDArray[Any]]:
        names = ("poi_lonlat", "poi_kind", "poi_key", "gate_lonlat", "gate_kind", "building_home")
        columns = {name: getattr(self, name) for name in names}
        columns["compound_delay"] = self.compounds.gate_delay_s
        for name in ("buildings", "water", "green"):
            rings: Rings = getattr(self, name)
            columns |= {f"{name}_ptr": rings.ptr, f"{name}_lonlat": rings.lonlat}
            columns[f"{name}_polygon"] = rings.polygon
        return columns


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


def read_places(nodes: TaggedNodes, areas: Areas, compounds: Compounds, crossings: FloatArray) -> Places:
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
