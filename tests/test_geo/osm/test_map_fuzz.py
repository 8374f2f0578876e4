"""Broken and odd maps: whatever the tags and the geometry, there is a network or one `InputError`.

Small towns, and windows cut out of the shared maps, with tags and geometry changed at random; each is read as
XML and as pbf, and both readings must agree. ``YILU_PROOF=full`` reads four times as many.
"""

import functools
import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import osmium
import pytest

from geo.errors import InputError
from geo.osm.describe import describe
from geo.osm.read import read_osm
from geo.streets.network import MODES

FULL = os.environ.get("YILU_PROOF") == "full"
TOWNS, WINDOWS = (150, 100) if FULL else (36, 25)
Tags = dict[str, str]
Member = tuple[str, int, str]

FREQUENT = {
    "highway": "residential service footway primary trunk motorway steps pedestrian cycleway corridor "
    "elevator construction platform living_street road busway path track",
    "access": "yes no private permissive destination delivery customers permit forestry unknown",
    "foot": "yes no private designated",
    "bicycle": "yes no dismount use_sidepath private",
    "motor_vehicle": "yes no private destination permissive",
    "vehicle": "no yes private",
    "barrier": "gate lift_gate bollard wall fence kerb retaining_wall hedge block yes no entrance",
    "landuse": "residential industrial commercial military grass",
    "amenity": "university school hospital parking",
    "oneway": "yes no -1 reversible alternating 1",
    "oneway:bicycle": "no yes",
    "junction": "roundabout circular",
    "area": "yes no",
    "gated": "yes no",
    "residential": "gated apartments",
    "locked": "yes no",
    "building": "yes apartments",
    "entrance": "yes main",
    "tunnel": "yes building_passage no",
    "bridge": "yes viaduct",
    "layer": "-1 1 -5 nonsense",
    "indoor": "yes no",
    "covered": "yes",
    "conveying": "yes forward backward reversible",
    "route": "ferry bus",
    "duration": "00:10 10 1:30 nonsense PT5M 99999999999",
    "maxspeed": "30 walk none CN:urban 5mph -1 1e9 nan",
    "maxspeed:conditional": "30 @ (22:00-06:00)",
    "sac_scale": "hiking mountain_hiking alpine_hiking",
    "mtb:scale": "0 1 2 3+",
    "cycleway": "lane track opposite separate",
    "type": "restriction multipolygon site building route restriction:bicycle",
    "restriction": "no_left_turn only_straight_on no_u_turn no_entry nonsense",
    "restriction:bicycle": "no_left_turn",
    "restriction:conditional": "no_left_turn @ (Mo-Fr 07:00-09:00)",
    "except": "bicycle;motorcar psv bicycle",
    "name": "中山路 A,B=C%@ x",
}
ROLES = ("outer", "inner", "from", "via", "to", "", "entrance", "label")


class City:
    """Objects of a map that can be changed and written."""

    def __init__(self) -> None:
        self.nodes: dict[int, tuple[float, float, Tags]] = {}
        self.ways: dict[int, tuple[list[int], Tags]] = {}
        self.relations: dict[int, tuple[list[Member], Tags]] = {}

    def write(self, path: Path) -> Path:
        """Write in the form that the ending names."""
        mutable = osmium.osm.mutable
        path.unlink(missing_ok=True)
        with osmium.SimpleWriter(osmium.io.File(str(path))) as writer:
            for ident, (lon, lat, tags) in self.nodes.items():
                at = osmium.osm.Location(lon, lat)
                writer.add_node(mutable.Node(id=ident, location=at, tags=tags))
            for ident, (refs, tags) in self.ways.items():
                writer.add_way(mutable.Way(id=ident, nodes=refs, tags=tags))
            for ident, (members, tags) in self.relations.items():
                writer.add_relation(mutable.Relation(id=ident, members=members, tags=tags))
        return path

    def tag_sets(self) -> list[Tags]:
        """Tags of all objects, to change in place."""
        return [thing[-1] for table in (self.nodes, self.ways, self.relations) for thing in table.values()]


def town(rng: random.Random) -> City:
    """A grid of streets, an estate inside it, a hole in that, and a few relations."""
    city = City()
    for row in range(5):
        for column in range(5):
            city.nodes[1 + 5 * row + column] = (118.78 + 0.001 * column, 32.04 + 0.001 * row, {})
    for number, line in enumerate(([1, 2, 3, 4, 5], [1, 6, 11, 16, 21], [11, 12, 13, 14, 15])):
        city.ways[1 + number] = (line, {"highway": "residential"})
    city.ways[4] = ([5, 10, 15, 20, 25], {"highway": "primary", "oneway": "yes"})
    city.ways[5] = ([21, 22, 23, 24, 25], {"highway": "service"})
    city.ways[6] = ([3, 8, 13, 18, 23], {"highway": "residential"})
    for ident, (west, south, size) in {7: (118.7805, 32.0405, 3e-3), 8: (118.781, 32.041, 1e-3)}.items():
        first = 100 * ident
        for corner, (x, y) in enumerate(((0, 0), (1, 0), (1, 1), (0, 1))):
            city.nodes[first + corner] = (west + size * x, south + size * y, {})
        city.ways[ident] = ([*range(first, first + 4), first], {"landuse": "residential"})
    city.relations[1] = ([("w", 1, "from"), ("n", 3, "via"), ("w", 6, "to")], {"type": "restriction"})
    city.relations[1][1]["restriction"] = "no_left_turn"
    rings = [("w", 7, "outer"), ("w", 8, "inner")]
    city.relations[2] = (rings, {"type": "multipolygon", "landuse": rng.choice(["residential", "grass"])})
    return city


@functools.cache
def shared_city(path: Path) -> City:
    """A whole shared map as objects."""
    city = City()
    for thing in osmium.FileProcessor(str(path)):
        tags = {tag.k: tag.v for tag in thing.tags}
        if isinstance(thing, osmium.osm.Node):
            city.nodes[thing.id] = (thing.location.lon, thing.location.lat, tags)
        elif isinstance(thing, osmium.osm.Way):
            city.ways[thing.id] = ([node.ref for node in thing.nodes], tags)
        elif isinstance(thing, osmium.osm.Relation):
            city.relations[thing.id] = ([(m.type, m.ref, m.role) for m in thing.members], tags)
    return city


def window(city: City, rng: random.Random, size: float = 0.0012) -> City:
    """What lies about a random node; ways and relations reach outside, as in any extract."""
    lon, lat, _ = city.nodes[rng.choice(list(city.nodes))]
    cut = City()
    inside = {i for i, (x, y, _) in city.nodes.items() if abs(x - lon) < size and abs(y - lat) < size}
    for ident, (refs, tags) in city.ways.items():
        if not inside.isdisjoint(refs):
            cut.ways[ident] = (list(refs), dict(tags))
            if rng.random() < 0.8:
                inside = inside.union(refs)
    cut.nodes = {i: (*city.nodes[i][:2], dict(city.nodes[i][2])) for i in inside if i in city.nodes}
    for ident, (members, tags) in city.relations.items():
        if any(kind == "w" and ref in cut.ways for kind, ref, _ in members):
            cut.relations[ident] = (list(members), dict(tags))
    return cut


def retag(city: City, rng: random.Random) -> None:
    """Set or drop a tag somewhere; a street by chance."""
    tags = rng.choice(city.tag_sets())
    key = rng.choice(list(FREQUENT))
    if tags and rng.random() < 0.2:
        tags.pop(rng.choice(list(tags)))
    elif key in ("restriction:conditional", "maxspeed:conditional"):
        tags[key] = FREQUENT[key]
    else:
        tags[key] = rng.choice(FREQUENT[key].split())


def bend(city: City, rng: random.Random) -> None:
    """Break the geometry of a way."""
    if not city.ways or not city.nodes:
        return
    ident = rng.choice(list(city.ways))
    refs = list(city.ways[ident][0])
    change = rng.randrange(8)
    if change == 0:
        refs = refs[:1]
    elif change == 1:
        refs = [ref for ref in refs for _ in range(2)]
    elif change == 2:
        rng.shuffle(refs)
    elif change == 3:
        refs = [*refs, *refs[:1]]
    elif change == 4:
        refs.insert(rng.randrange(len(refs) + 1), 10**12 + rng.randrange(9))
    elif change == 5:
        refs = []
    elif change == 6:
        refs = refs + refs[::-1]
    else:
        refs.append(rng.choice(list(city.nodes)))
    city.ways[ident] = (refs, city.ways[ident][1])


def move(city: City, rng: random.Random) -> None:
    """Lose a node, lay it on another, or throw it far away."""
    if len(city.nodes) < 2:
        return
    ident, other = rng.sample(list(city.nodes), 2)
    change = rng.randrange(4)
    if change == 0:
        del city.nodes[ident]
    elif change == 1:
        city.nodes[ident] = (*city.nodes[other][:2], city.nodes[ident][2])
    elif change == 2:
        city.nodes[ident] = (rng.uniform(-180, 180), rng.uniform(-90, 90), city.nodes[ident][2])
    else:
        lon, lat, tags = city.nodes[ident]
        city.nodes[ident] = (lon + rng.gauss(0, 1e-3), lat + rng.gauss(0, 1e-3), tags)


def relate(city: City, rng: random.Random) -> None:
    """Change the members of a relation, or add one."""
    if not city.ways or not city.nodes:
        return
    members = [
        (kind, rng.choice([*table, 10**12]), rng.choice(ROLES))
        for kind, table in (("w", list(city.ways)), ("n", list(city.nodes)), ("w", list(city.ways)))
        for _ in range(rng.randrange(3))
    ]
    tags: Tags = {"type": rng.choice(FREQUENT["type"].split())}
    for key in ("restriction", "highway", "landuse", "area"):
        if rng.random() < 0.5:
            tags[key] = rng.choice(FREQUENT[key].split())
    city.relations[rng.choice([*city.relations, 10**6 + rng.randrange(100)])] = (members, tags)


CHANGES: list[Callable[[City, random.Random], None]] = [retag, retag, retag, bend, move, relate]


def read(path: Path) -> tuple[object, ...] | str:
    """Numbers of what was read, or the sentence of the refusal."""
    try:
        network, places = read_osm(path)
    except InputError as error:
        return str(error).replace(str(path), "the map")
    assert len(network) > 0
    assert np.isfinite(network.geom_lonlat).all()
    assert np.isfinite(network.edge_length_m).all()
    numbers = describe(network, places)
    assert 0 < numbers.largest_share <= 1
    middle = network.geom_lonlat[:1]
    for mode in MODES:
        assert network.snap(middle, mode, fragments=True).ok.all() or not network.usable(mode).all()
    return numbers.nodes, numbers.edges, numbers.street_km, numbers.compounds, numbers.pois


def check(city: City, rng: random.Random, folder: Path) -> bool:
    """Change a map, read it in both forms; whether it gave a network."""
    for _ in range(rng.randrange(1, 12)):
        rng.choice(CHANGES)(city, rng)
    xml, pbf = read(city.write(folder / "a.osm")), read(city.write(folder / "a.osm.pbf"))
    assert xml == pbf
    assert not isinstance(xml, str) or "\n" not in xml
    return not isinstance(xml, str)


@pytest.mark.parametrize("part", range(4))
def test_any_small_map_is_a_network_or_one_input_error(tmp_path: Path, part: int) -> None:
    good = 0
    for seed in range(TOWNS * part, TOWNS * part + TOWNS):
        rng = random.Random(seed)
        good += check(town(rng), rng, tmp_path)
    assert good > 0.8 * TOWNS, "most of the changed maps are still maps"


SHARED = ("tsinghua-campus", "nanjing-xinjiekou", "shenzhen-longgang", "puyang-county-sparse")


@pytest.mark.parametrize("name", SHARED)
def test_windows_of_shared_maps(tmp_path: Path, shared_data: Path, name: str) -> None:
    whole = shared_city(shared_data / "osm" / f"{name}.osm.pbf")
    good = 0
    for seed in range(WINDOWS):
        rng = random.Random(seed)
        good += check(window(whole, rng), rng, tmp_path)
    assert good > WINDOWS / 2
