"""Who may use which street, in which direction, how fast: the rules as tables.

Sources, all of the OpenStreetMap wiki:

- classes and their usual users: *Key:highway*, *OSM tags for routing/Access restrictions* (worldwide row);
- the hierarchy of access keys, most general first: *Key:access* ("Land-based transportation");
- one-way streets: *Key:oneway*, *Key:oneway:bicycle*, *Key:cycleway*, *Tag:junction=roundabout*.

Barriers and turn restrictions have modules of their own beside this one.

Car speeds are those of OSRM's ``profiles/car.lua``. Where the wiki leaves a choice, it is made here:

- An **e-bike** is a non-motor vehicle in China (Road Traffic Safety Law, art. 18, 57-58, 67): it uses cycle
  lanes and tracks, keeps one-way streets unless a contraflow lane is tagged, is kept off motorways, and its
  promised speed is at most 15 km/h (art. 58, and the platform standard in DOMAIN.md). In China ``trunk`` is
  an urban expressway or a national road; the carriageway of the former is closed to non-motor vehicles and
  the map does not tell the two apart, so a trunk road is open to it only where a cycle lane or track, or
  ``bicycle=yes``, is tagged. Trunk links are treated alike. A trunk road that is wrongly closed costs a
  detour, one that is wrongly open costs the rider a fine. A plain bicycle keeps the worldwide default.
- ``highway=road`` (class unknown to the mapper) is open to everyone at a low speed and keeps its class name.
- Pushing: ``bicycle=dismount`` lets both kinds of bicycle pass at walking speed. Footways, pedestrian streets
  and steps without a bicycle tag stay closed to them: the last metres are walked anyway.
- ``access=yes`` does not open a class to a mode it is not made for (cars on a footway); the mode's key does.
- ``area=yes`` (a square, a forecourt) is a street along its outline for whoever may use its class.
- A **gate that is private** (``access=private``, ``motor_vehicle=private``) on a public street makes what is
  behind it private for those modes (`geo.streets.gates`). ``locked=yes`` shuts out who is not named by a key
  of their own.
- ``sac_scale`` from mountain_hiking up and ``mtb:scale`` from 2 up close a path to e-bikes, whatever
  ``bicycle`` says of mountain bikes.
- **Ferries** (``route=ferry``) take people on foot, and vehicles where a tag says so; their time is that of
  ``duration``, else a slow boat's, and the wait for the next one: half of ``interval``, else
  `geo.osm.ferries.FERRY_WAIT_S`. Nobody changes boats where two lines cross on the water.
- A lift mapped as a node (``highway=elevator``) is passed on foot, and by bicycles where they are named.
- Reversible lanes (``oneway=reversible``) are closed: their direction cannot be known. Conditional tags
  and hours are not read, but counted; a turn restriction that holds at certain hours is not heeded at all.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from geo.osm.rules.words import ACCESS_KEYS, CAR, EBIKE, FOOT, KEYS, OPEN, WHEELS, meaning, words
from geo.streets.raw import MODES

__all__ = [
    "AT_HOURS",
    "CLASSES",
    "CLASS_SPEEDS_KMH",
    "CONDITIONAL_ACCESS",
    "CONDITIONAL_SPEED",
    "FERRY",
    "IF_THROUGH",
    "NOT_PUBLIC",
    "PUBLIC",
    "WAY_KEYS",
    "WayRule",
    "way_rule",
]


KMH = 1 / 3.6
EBIKE_LIMIT_KMH = 15.0
PUSHING_KMH = 4.5
OPENED_CAR_KMH = 10.0
FERRY, FERRY_KMH = "ferry", 8.0
"""Class of ``route=ferry``, and the speed of a ferry without ``duration``: a slow boat over a river."""
TAGGED_SHARE = 0.8
"""A driver reaches this share of a tagged speed limit (``speed_reduction`` in OSRM's car profile)."""

_ = 0.0
CLASS_SPEEDS_KMH: dict[str, tuple[float, float, float, float]] = {
    # highway          ebike  bike    car   foot
    "motorway":       (_,     _,     90.0,  _),
    "motorway_link":  (_,     _,     45.0,  _),
    "trunk":          (_,    16.0,   85.0,  _),
    "trunk_link":     (_,    16.0,   40.0,  _),
    "primary":        (15.0, 16.0,   65.0, 4.5),
    "primary_link":   (15.0, 16.0,   30.0, 4.5),
    "secondary":      (15.0, 16.0,   55.0, 4.5),
    "secondary_link": (15.0, 16.0,   25.0, 4.5),
    "tertiary":       (15.0, 16.0,   40.0, 4.5),
    "tertiary_link":  (15.0, 16.0,   20.0, 4.5),
    "unclassified":   (15.0, 16.0,   25.0, 4.5),
    "residential":    (15.0, 16.0,   25.0, 4.5),
    "living_street":  (12.0, 12.0,   10.0, 4.5),
    "service":        (12.0, 14.0,   15.0, 4.5),
    "road":           (10.0, 12.0,   15.0, 4.5),
    "cycleway":       (15.0, 16.0,    _,   4.5),
    "path":           (10.0, 12.0,    _,   4.5),
    "track":          (10.0, 12.0,    _,   4.5),
    "pedestrian":     (_,     _,      _,   4.5),
    "footway":        (_,     _,      _,   4.5),
    "bridleway":      (_,     _,      _,   4.5),
    "crossing":       (_,     _,      _,   4.5),
    "corridor":       (_,     _,      _,   4.0),
    "platform":       (_,     _,      _,   4.0),
    "elevator":       (_,     _,      _,   1.0),
    "steps":          (_,     _,      _,   2.5),
    "busway":         (_,     _,      _,    _),
    "ferry":          (_,     _,      _,   8.0),
}  # fmt: skip
"""Usual speed of each mode of `MODES` on each class; 0 where the mode is not allowed by default.

``ferry`` stands for ``route=ferry``; vehicles go aboard where a tag says so. A class that is not listed
(construction, proposed, raceway, escape, rest_area ...) is no street at all."""

CLASSES = tuple(CLASS_SPEEDS_KMH)
_CLASS_INDEX = {name: index for index, name in enumerate(CLASSES)}

NOT_PUBLIC, IF_THROUGH, PUBLIC = 0, 1, 2
"""Standing of a street inside a closed compound, see `WayRule.public`."""

_ALWAYS_PUBLIC = words("motorway motorway_link trunk trunk_link")
_THROUGH = words("primary primary_link secondary secondary_link tertiary tertiary_link")

SERVICE_FACTOR = {"parking_aisle": 0.5, "driveway": 0.5, "alley": 0.7, "drive-through": 0.5}
"""Speed of wheeled modes on a service road of this kind, as a share of the class."""

_FORWARD = frozenset({"yes", "true", "1"})
_BACKWARD = frozenset({"-1", "reverse"})
_SIDES = ("", ":left", ":right", ":both")
_LANES = words("lane track shared_lane share_busway opposite opposite_lane opposite_track")

_HARD_HIKES = words(
    "mountain_hiking demanding_mountain_hiking alpine_hiking demanding_alpine_hiking difficult_alpine_hiking"
)

_ISO_DURATION = re.compile(r"P(?:0+Y)?(?:0+M)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d+)M)?(?:(\d+)S)?)?")

_MINUTES = re.compile(r" *min(ute)?s?$")

_CONDITIONAL = ("", ":forward", ":backward")
WAY_KEYS = frozenset(
    ["highway", "area", "junction", "oneway", "oneway:bicycle", "oneway:electric_bicycle", "oneway:foot"]
    + ["oneway:motor_vehicle", "oneway:motorcar", "oneway:vehicle"]
    + ["service", "motorroad", "maxspeed", "tunnel", "conveying", "sac_scale", "mtb:scale"]
    + ["smoothness"]
    + ["bridge", "layer", "level", "location", "indoor", "route", "duration", "interval"]
    + [key + suffix for key in ACCESS_KEYS for suffix in _CONDITIONAL]
    + [f"cycleway{side}{suffix}" for side in _SIDES for suffix in ("", ":oneway")]
    + [f"sidewalk{side}" for side in _SIDES]
)
"""Tags of a way that `way_rule` reads."""


_ONE_WAY_KEYS = ("oneway", *(f"oneway:{key}" for key in ACCESS_KEYS if key != "access"))
CONDITIONAL_ACCESS = frozenset(
    [f"{key}{side}:conditional" for key in ACCESS_KEYS for side in _CONDITIONAL]
    + [f"{key}:conditional" for key in _ONE_WAY_KEYS]
)
AT_HOURS = frozenset({"opening_hours", "service_times", "seasonal", "hour_on"})
"""Tags by which a way, a gate or a ferry is there at certain times only."""
CONDITIONAL_SPEED = frozenset(
    f"maxspeed{whose}{side}:conditional"
    for whose in ("", *(f":{key}" for key in ACCESS_KEYS if key not in ("access", "foot")))
    for side in _CONDITIONAL
)
"""Tags of a way that are counted as not read, as those of `AT_HOURS` are."""


class WayRule(NamedTuple):
    """What a way allows.

    Attributes
    ----------
    forward, backward : int
        Modes that may go along and against the way (bits as in `geo.streets.raw.MODES`).
    private : int
        Modes that may use it only to reach or leave a place on it.
    speed_mps : tuple of float
        For each mode; 0 where it may not go at all.
    highway : int
        Index into `CLASSES`.
    off_ground : bool
        Tunnel, bridge, ferry, inside of a building or below the ground: a place is snapped to it last.
    duration_s : float
        Time that a ferry takes, without waiting; 0 where it is not known, and for streets.
    interval_s : float
        Time from one ferry to the next; 0 where it is not known, and for streets.
    public : int
        Standing inside a closed compound: `PUBLIC` (motorways and trunk roads, an underpass, an explicit
        ``access=yes``), `IF_THROUGH` (primary to tertiary: public where the street leads through without a
        gate) or `NOT_PUBLIC`. ``access=permissive`` is the owner's leave, not a right: it does not make a
        street public.
    """

    forward: int
    backward: int
    private: int
    speed_mps: tuple[float, float, float, float]
    highway: int
    public: int
    off_ground: bool = False
    duration_s: float = 0.0
    interval_s: float = 0.0


def way_rule(tags: Mapping[str, str]) -> WayRule | None:
    """Access of a way by its tags; None where it is no street or nobody may use it.

    Parameters
    ----------
    tags : mapping
        The OSM tags; only those of `WAY_KEYS` are read.
    """
    highway = tags.get("highway") or (FERRY if tags.get("route") == FERRY else "")
    if highway not in _CLASS_INDEX:
        return None
    speeds = list(CLASS_SPEEDS_KMH[highway])
    forward = backward = private = 0
    for index in range(len(MODES)):
        mode = 1 << index
        usual = _usual(mode, highway, speeds[index], tags)
        along, against = (_verdict(mode, usual, tags, suffix) for suffix in (":forward", ":backward"))
        goes_along, goes_against = _directions(mode, highway, tags)
        if (mode == EBIKE and _trail(tags)) or (mode != FOOT and tags.get("smoothness") == "impassable"):
            along = against = "no"
        # A tag that names one direction wins over the one-way rule, e.g. bicycle:backward=yes.
        goes_along |= bool(mode & WHEELS) and _named(mode, tags, ":forward") in OPEN
        goes_against |= bool(mode & WHEELS) and _named(mode, tags, ":backward") in OPEN
        forward |= mode * bool(along != "no" and goes_along)
        backward |= mode * bool(against != "no" and goes_against)
        private |= mode * ("private" in (along, against))
        if not (forward | backward) & mode:
            speeds[index] = 0.0
        else:
            speeds[index] = _speed_kmh(mode, highway, speeds[index], tags)
    if not forward | backward:
        return None
    return WayRule(
        forward,
        backward,
        private & (forward | backward),
        (speeds[0] * KMH, speeds[1] * KMH, speeds[2] * KMH, speeds[3] * KMH),
        _CLASS_INDEX[highway],
        _standing(highway, tags),
        highway == FERRY or _off_ground(highway, tags),
        *(_duration_s(tags.get(key)) if highway == FERRY else 0.0 for key in ("duration", "interval")),
    )


def _off_ground(highway: str, tags: Mapping[str, str]) -> bool:
    """Whether the street lies below, above or inside of what one sees from the air."""
    return (
        tags.get("tunnel", "no") not in ("no", "building_passage")
        or tags.get("bridge", "no") not in ("no", "boardwalk", "low_water_crossing")
        or tags.get("layer", "0").startswith("-")
        or all(level.strip().startswith("-") for level in tags.get("level", "0").split(";"))
        or tags.get("location") in ("underground", "indoor")
        or tags.get("indoor", "no") != "no"
        or highway == "corridor"
    )


def _duration_s(value: str | None) -> float:
    """Seconds of ``duration`` or ``interval`` (``hh:mm``, ``hh:mm:ss``, minutes, ISO 8601); 0: none."""
    if value is None:
        return 0.0
    value = _MINUTES.sub("", value.strip())
    iso = _ISO_DURATION.fullmatch(value.upper())
    parts = (
        [str(24 * int(iso[1] or 0) + int(iso[2] or 0)), iso[3] or "0", iso[4] or "0"]
        if iso
        else value.split(":")
    )
    if not all(part.isdecimal() and len(part) < 5 for part in parts) or len(parts) > 3:
        return 0.0
    numbers = [int(part) for part in parts]
    # A single number is minutes; two are hours and minutes.
    hours, minutes, seconds = [0, *numbers, 0] if len(numbers) == 1 else (*numbers, 0)[:3]
    total = 3600 * hours + 60 * minutes + seconds
    return float(total) if total <= 86_400 else 0.0


def _standing(highway: str, tags: Mapping[str, str]) -> int:
    said = (tags.get(key) in ("yes", "public", "official") for key in ("access", "vehicle", "motor_vehicle"))
    if highway in _ALWAYS_PUBLIC or highway == FERRY or tags.get("tunnel") == "yes" or any(said):
        return PUBLIC
    return IF_THROUGH if highway in _THROUGH else NOT_PUBLIC


def _usual(mode: int, highway: str, speed_kmh: float, tags: Mapping[str, str]) -> bool:
    """Whether the class is open to the mode where no access key says otherwise."""
    if tags.get("motorroad") == "yes" and mode != CAR:
        return False
    if mode != FOOT and tags.get("service") == "emergency_access":
        return False
    if highway in ("trunk", "trunk_link"):
        if mode == EBIKE:
            return any(tags.get(f"cycleway{side}") in _LANES for side in _SIDES)
        if mode == FOOT:
            values = [tags.get(f"sidewalk{side}", "no") for side in _SIDES]
            return any(value in ("both", "left", "right", "yes") for value in values)
    return speed_kmh > 0


def _trail(tags: Mapping[str, str]) -> bool:
    """Whether a path is for hiking boots or mountain bikes: no place for a loaded e-bike."""
    if meaning(tags.get("electric_bicycle")) in ("yes", "private"):
        return False
    return tags.get("sac_scale") in _HARD_HIKES or tags.get("mtb:scale", "0")[:1] in tuple("23456")


def _verdict(mode: int, usual: bool, tags: Mapping[str, str], suffix: str) -> str:
    """Return "yes", "private" or "no": the most specific access key that says anything wins."""
    verdict = "yes" if usual else "no"
    for depth, key in enumerate(KEYS[mode]):
        for name in (key, key + suffix):
            said = meaning(tags.get(name))
            if said == "no":
                verdict = "no"
            elif said and (usual or depth >= (1 if mode == FOOT else 2) or (mode != FOOT and depth == 1)):
                verdict = said
    return verdict


def _named(mode: int, tags: Mapping[str, str], suffix: str) -> str | None:
    return next((tags[k + suffix] for k in reversed(KEYS[mode][2:]) if k + suffix in tags), None)


def _directions(mode: int, highway: str, tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether the mode may go along and against the way by the one-way rules."""
    if mode == FOOT:
        belt = tags.get("conveying", "no")
        # A belt or a boat that goes one way takes people one way.
        carried = _one_way(tags.get("oneway")) if belt != "no" or highway == FERRY else None
        return _one_way(tags.get("oneway:foot")) or _CONVEYING.get(belt) or carried or (True, True)
    roundabout = tags.get("junction") in ("roundabout", "circular")
    implied = (True, False) if roundabout or highway == "motorway" else (True, True)
    base = _one_way(tags.get("oneway")) or implied
    base = _one_way(tags.get("oneway:vehicle")) or base
    if mode == CAR:
        return _one_way(tags.get("oneway:motorcar")) or _one_way(tags.get("oneway:motor_vehicle")) or base
    own = _one_way(tags.get("oneway:electric_bicycle")) if mode == EBIKE else None
    own = own or _one_way(tags.get("oneway:bicycle"))
    back = ("yes", "1") if base == (False, True) else ("-1",)
    if own is None and base != (True, True) and _contraflow(tags, back):
        own = (True, True)
    return own or base


_CONVEYING = {"forward": (True, False), "backward": (False, True)}
"""Directions of an escalator; one that runs either way by the hour stays open both ways."""


def _one_way(value: str | None) -> tuple[bool, bool] | None:
    if value is None:
        return None
    if value in _FORWARD:
        return True, False
    if value in _BACKWARD:
        return False, True
    if value in ("no", "false", "0", "alternating"):
        return True, True
    if value == "reversible":
        return False, False
    return None


def _contraflow(tags: Mapping[str, str], against: tuple[str, ...]) -> bool:
    """Whether a one-way street has a cycle lane against its direction.

    `against`: values of ``cycleway:...:oneway`` that say so, beside ``no``. What is said of both sides holds
    for each that says nothing of its own.
    """
    for side in (":left", ":right"):
        lane, one_way = (
            next((tags[key] for at in (side, ":both", "") if (key := f"cycleway{at}{what}") in tags), "")
            for what in ("", ":oneway")
        )
        if lane.startswith("opposite") or (lane in _LANES and one_way in (*against, "no")):
            return True
    return False


def _speed_kmh(mode: int, highway: str, usual_kmh: float, tags: Mapping[str, str]) -> float:
    if highway == FERRY:
        return FERRY_KMH
    limit = _limit_kmh(tags.get("maxspeed"))
    if mode == FOOT:
        return usual_kmh or 4.5
    if mode == CAR:
        speed = usual_kmh or OPENED_CAR_KMH
        speed = min(speed, TAGGED_SHARE * limit) if limit else speed
    else:
        speed = usual_kmh or (PUSHING_KMH if highway == "steps" else 10.0 if highway in _SHARED else 15.0)
        speed = min(speed, limit) if limit else speed
        if tags.get("bicycle") == "dismount" or highway == "steps":
            return PUSHING_KMH if highway != "steps" else 2.0
    if highway == "service":
        speed *= SERVICE_FACTOR.get(tags.get("service", ""), 1.0)
    return min(speed, EBIKE_LIMIT_KMH) if mode == EBIKE else speed


_SHARED = frozenset({"pedestrian", "footway", "bridleway", "crossing", "corridor", "platform", "elevator"})
"""Streets shared with people on foot: a permitted bicycle goes at 10 km/h."""


def _limit_kmh(value: str | None) -> float | None:
    """Tagged speed limit, None where it is no number (``none``, ``CN:urban``, several values)."""
    if value is None:
        return None
    number, _, unit = value.partition(" ")
    factor = 1.609344 if unit == "mph" or number.endswith("mph") else 1.0
    number = number.removesuffix("mph").removesuffix("km/h").removesuffix("kmh")
    try:
        limit = float(number) * factor
    except ValueError:
        return 7.0 if value == "walk" else None
    return limit if 3 <= limit <= 200 else None
