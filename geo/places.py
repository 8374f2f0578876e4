"""What stands in the city: points of interest, gates, buildings, water and green, in columns."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.arrays import BoolArray, FloatArray, Int32Array
from geo.errors import InputError
from geo.rings import Rings
from geo.streets.raw import Compounds

__all__ = ["POI_KEYS", "Places"]

POI_KEYS = ("amenity", "shop", "office", "tourism", "leisure", "railway", "building")
"""Keys that make a point of interest; the first that fits wins."""


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
    def empty(compounds: Compounds) -> "Places":
        """Return no places at all, as for a map that holds streets only."""
        nowhere, none = np.empty((0, 2)), np.empty(0, np.int32)
        rings = Rings.empty()
        return Places(
            poi_lonlat=nowhere,
            poi_kind=none,
            poi_key=none,
            poi_name=(),
            poi_name_zh=(),
            poi_name_en=(),
            kinds=(),
            gate_lonlat=nowhere,
            gate_kind=none,
            gate_kinds=(),
            compounds=compounds,
            buildings=rings,
            building_home=np.empty(0, np.bool_),
            water=rings,
            green=rings,
        )

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
