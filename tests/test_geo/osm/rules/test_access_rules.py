"""The access table, rule by rule."""

import pytest
from access_tags import names, rule, tags

from geo.osm.rules.access import CLASS_SPEEDS_KMH, CLASSES, IF_THROUGH, NOT_PUBLIC, PUBLIC, way_rule
from geo.osm.rules.barriers import node_rule
from geo.osm.rules.restrictions import turn_rule
from geo.streets.raw import MODES


@pytest.mark.parametrize(
    ("text", "along", "against"),
    [
        ("highway=residential", "ebike bike car foot", "ebike bike car foot"),
        # Non-motor vehicles keep off motorways and, where no lane is tagged, e-bikes off trunk roads.
        ("highway=motorway", "car", ""),
        ("highway=motorway oneway=no", "car", "car"),
        ("highway=motorway_link", "car", "car"),
        ("highway=trunk", "bike car", "bike car"),
        ("highway=trunk cycleway:right=track", "ebike bike car", "ebike bike car"),
        ("highway=trunk bicycle=yes", "ebike bike car", "ebike bike car"),
        ("highway=trunk cycleway=separate", "bike car", "bike car"),
        ("highway=trunk_link", "bike car", "bike car"),
        ("highway=trunk sidewalk=both", "bike car foot", "bike car foot"),
        ("highway=trunk motorroad=yes cycleway=lane", "car", "car"),
        # Ways that are not for cars.
        ("highway=cycleway", "ebike bike foot", "ebike bike foot"),
        ("highway=cycleway foot=no", "ebike bike", "ebike bike"),
        ("highway=footway", "foot", "foot"),
        ("highway=footway bicycle=designated", "ebike bike foot", "ebike bike foot"),
        ("highway=pedestrian access=yes", "foot", "foot"),
        ("highway=pedestrian motor_vehicle=delivery", "car foot", "car foot"),
        ("highway=steps", "foot", "foot"),
        ("highway=pedestrian area=yes", "foot", "foot"),
        ("highway=service area=yes", "ebike bike car foot", "ebike bike car foot"),
        ("highway=track", "ebike bike foot", "ebike bike foot"),
        ("highway=track motor_vehicle=yes", "ebike bike car foot", "ebike bike car foot"),
        ("highway=busway bicycle=yes", "ebike bike", "ebike bike"),
        # The hierarchy: the most specific key that says anything wins.
        ("highway=residential vehicle=no", "foot", "foot"),
        ("highway=residential vehicle=no bicycle=yes", "ebike bike foot", "ebike bike foot"),
        ("highway=residential motor_vehicle=no", "ebike bike foot", "ebike bike foot"),
        ("highway=residential motor_vehicle=no motorcar=yes", "ebike bike car foot", "ebike bike car foot"),
        ("highway=residential access=no foot=yes", "foot", "foot"),
        ("highway=residential bicycle=no", "car foot", "car foot"),
        ("highway=residential bicycle=use_sidepath", "car foot", "car foot"),
        ("highway=residential electric_bicycle=no", "bike car foot", "bike car foot"),
        ("highway=residential access=no;yes", "ebike bike car foot", "ebike bike car foot"),
        ("highway=residential access=unheard_of", "ebike bike car foot", "ebike bike car foot"),
        ("highway=service service=emergency_access", "foot", "foot"),
        # One-way streets.
        ("highway=residential oneway=yes", "ebike bike car foot", "foot"),
        ("highway=residential oneway=-1", "foot", "ebike bike car foot"),
        ("highway=residential junction=roundabout", "ebike bike car foot", "foot"),
        ("highway=residential junction=circular", "ebike bike car foot", "foot"),
        ("highway=residential junction=roundabout oneway=no", "ebike bike car foot", "ebike bike car foot"),
        ("highway=residential oneway=yes oneway:bicycle=no", "ebike bike car foot", "ebike bike foot"),
        ("highway=residential oneway=yes cycleway=opposite", "ebike bike car foot", "ebike bike foot"),
        (
            "highway=residential oneway=yes cycleway:left=opposite_lane",
            "ebike bike car foot",
            "ebike bike foot",
        ),
        (
            "highway=residential oneway=yes cycleway:left=lane cycleway:left:oneway=-1",
            "ebike bike car foot",
            "ebike bike foot",
        ),
        ("highway=residential oneway=yes cycleway=lane", "ebike bike car foot", "foot"),
        ("highway=residential oneway=yes bicycle:backward=yes", "ebike bike car foot", "ebike bike foot"),
        ("highway=residential oneway:motor_vehicle=yes", "ebike bike car foot", "ebike bike foot"),
        ("highway=residential oneway=reversible", "foot", "foot"),
        ("highway=residential oneway=alternating", "ebike bike car foot", "ebike bike car foot"),
        ("highway=footway oneway=yes", "foot", "foot"),
        ("highway=footway oneway:foot=yes", "foot", ""),
        ("highway=residential vehicle:backward=no", "ebike bike car foot", "foot"),
    ],
)
def test_who_may_go_where(text: str, along: str, against: str) -> None:
    found = rule(text)
    assert (names(found.forward), names(found.backward)) == (along, against)


@pytest.mark.parametrize(
    "highway", ["construction", "proposed", "abandoned", "raceway", "escape", "rest_area", ""]
)
def test_what_is_no_street(highway: str) -> None:
    assert way_rule({"highway": highway}) is None


def test_closed_to_everybody() -> None:
    assert way_rule(tags("highway=service access=no")) is None


@pytest.mark.parametrize("value", ["private", "destination", "customers", "delivery", "permit"])
def test_private_streets_lead_to_their_places(value: str) -> None:
    found = rule(f"highway=service access={value}")
    assert names(found.forward) == names(found.private) == "ebike bike car foot"


def test_private_only_for_the_mode_that_the_key_names() -> None:
    found = rule("highway=service motor_vehicle=destination")
    assert names(found.private) == "car"
    assert names(rule("highway=service access=private foot=yes").private) == "ebike bike car"


def test_no_mode_is_private_where_it_may_not_go() -> None:
    found = rule("highway=footway access=private")
    assert names(found.private) == "foot"


def test_pushing_a_bicycle_is_walking() -> None:
    found = rule("highway=footway bicycle=dismount")
    assert names(found.forward) == "ebike bike foot"
    assert found.speed_mps[0] == found.speed_mps[1] == pytest.approx(4.5 / 3.6)


@pytest.mark.parametrize("highway", [name for name in CLASSES if name != "busway"])
def test_ebikes_promise_at_most_15_km_h(highway: str) -> None:
    for extra in ("", " bicycle=yes", " bicycle=designated maxspeed=80"):
        found = rule(f"highway={highway}{extra} foot=yes")
        assert found.speed_mps[0] <= 15 / 3.6 + 1e-9


@pytest.mark.parametrize(
    ("text", "kmh"),
    [
        ("highway=primary", 65.0),
        ("highway=primary maxspeed=50", 40.0),
        ("highway=residential maxspeed=50", 25.0),
        ("highway=primary maxspeed=30_mph", 38.6242560),
        ("highway=primary maxspeed=none", 65.0),
        ("highway=primary maxspeed=CN:urban", 65.0),
        ("highway=service service=parking_aisle", 7.5),
    ],
)
def test_speed_of_cars(text: str, kmh: float) -> None:
    given = {
        key: value.replace("_", " ") if key == "maxspeed" else value for key, value in tags(text).items()
    }
    found = way_rule(given)
    assert found is not None
    assert found.speed_mps[2] == pytest.approx(kmh / 3.6)


def test_road_of_unknown_class_is_usable_and_marked() -> None:
    found = rule("highway=road")
    assert names(found.forward) == "ebike bike car foot"
    assert CLASSES[found.highway] == "road"


def test_every_speed_of_the_table_is_possible() -> None:
    for name, speeds in CLASS_SPEEDS_KMH.items():
        assert len(speeds) == len(MODES), name
        assert all(0 <= speed <= 130 for speed in speeds), name


@pytest.mark.parametrize(
    ("text", "standing"),
    [
        ("highway=trunk", PUBLIC),
        ("highway=service access=yes", PUBLIC),
        ("highway=service tunnel=yes", PUBLIC),
        ("highway=tertiary", IF_THROUGH),
        ("highway=service access=permissive", NOT_PUBLIC),
        ("highway=residential", NOT_PUBLIC),
    ],
)
def test_standing_inside_a_compound(text: str, standing: int) -> None:
    assert rule(text).public == standing


@pytest.mark.parametrize(
    ("text", "blocked", "gate"),
    [
        ("barrier=gate", "", True),
        ("barrier=lift_gate", "", True),
        ("barrier=gate access=no", "ebike bike car foot", True),
        ("barrier=gate access=no bicycle=yes", "car foot", True),
        ("barrier=gate access=private", "", True),
        ("barrier=gate locked=yes", "ebike bike car foot", True),
        ("barrier=bollard", "car", False),
        ("barrier=bollard access=yes", "car", False),
        ("barrier=bollard motor_vehicle=yes", "", False),
        ("barrier=cycle_barrier", "car", False),
        ("barrier=motorcycle_barrier", "ebike car", False),
        ("barrier=stile", "ebike bike car", False),
        ("barrier=wall", "ebike bike car foot", False),
        ("barrier=kerb", "", False),
        ("barrier=never_seen", "car", False),
        ("highway=crossing bicycle=no", "", False),
    ],
)
def test_barriers(text: str, blocked: str, gate: bool) -> None:
    found = node_rule(tags(text))
    assert (names(found.blocked), found.gate) == (blocked, gate)


@pytest.mark.parametrize(
    ("text", "no", "only", "timed"),
    [
        ("restriction=no_left_turn", "ebike bike car", "", False),
        ("restriction=only_straight_on", "", "ebike bike car", False),
        ("restriction=give_way", "", "", False),
        ("restriction:bicycle=no_left_turn", "ebike bike", "", False),
        ("restriction:hgv=no_left_turn", "", "", False),
        ("restriction:motorcar=no_u_turn", "car", "", False),
        ("restriction:vehicle=no_entry", "ebike bike car", "", False),
        ("restriction=no_left_turn restriction:bicycle=only_straight_on", "car", "ebike bike", False),
        ("restriction=no_left_turn restriction:bicycle=none", "car", "", False),
        ("type=restriction:hgv restriction=no_left_turn", "", "", False),
        ("type=restriction:bicycle restriction=no_left_turn", "ebike bike", "", False),
        ("restriction=no_left_turn except=bicycle", "car", "", False),
        ("restriction=no_left_turn except=bicycle;|motorcar", "", "", False),
        ("restriction=no_left_turn except=|psv|;|motorcar|", "ebike bike", "", False),
        ("restriction=no_left_turn except=motor_vehicle,bicycle", "", "", False),
        ("restriction=no_left_turn hour_on=07:00 hour_off=09:00", "", "", True),
        ("restriction=no_left_turn day_on=Monday", "", "", True),
        ("restriction=give_way day_on=Monday", "", "", False),
        ("restriction:conditional=no_left_turn|@|(07:00-09:00)", "", "", True),
        ("restriction=no_left_turn restriction:conditional=no_left_turn|@|(Mo-Fr)", "", "", True),
        (
            "restriction=no_left_turn restriction:conditional=none|@|(22:00-05:00)",
            "ebike bike car",
            "",
            False,
        ),
        (
            "restriction:conditional=no_left_turn|@|(Mo) restriction:bicycle=no_left_turn",
            "ebike bike",
            "",
            True,
        ),
    ],
)
def test_whom_a_turn_restriction_binds(text: str, no: str, only: str, timed: bool) -> None:
    found = turn_rule({key: value.replace("|", " ") for key, value in tags(text).items()})
    assert (names(found.no), names(found.only), found.timed) == (no, only, timed)


@pytest.mark.parametrize(
    ("text", "blocked", "private"),
    [
        ("barrier=gate locked=yes", "ebike bike car foot", ""),
        ("barrier=gate locked=yes foot=yes bicycle=yes", "car", ""),
        ("barrier=gate locked=yes access=private foot=yes", "ebike bike car", ""),
        ("barrier=gate locked=yes motor_vehicle=private", "ebike bike foot", "car"),
        ("barrier=gate locked=yes vehicle=yes", "foot", ""),
        ("barrier=gate access=private", "", "ebike bike car foot"),
        ("barrier=gate access=private foot=yes bicycle=permissive", "", "car"),
        ("barrier=lift_gate motor_vehicle=private", "", "car"),
        ("barrier=lift_gate access=customers", "", "ebike bike car foot"),
        ("barrier=bollard access=private", "car", "ebike bike foot"),
        ("barrier=bollard motor_vehicle=private", "", "car"),
        ("barrier=gate vehicle=destination", "", "ebike bike car"),
        ("barrier=gate", "", ""),
        ("highway=elevator", "ebike bike car", ""),
        ("highway=elevator bicycle=yes", "car", ""),
        ("highway=elevator foot=no", "ebike bike car foot", ""),
        ("highway=elevator access=private", "ebike bike car", "foot"),
        ("highway=elevator access=no foot=yes bicycle=yes", "car", ""),
        ("highway=crossing", "", ""),
    ],
)
def test_gates_and_lifts(text: str, blocked: str, private: str) -> None:
    found = node_rule(tags(text))
    assert (names(found.blocked), names(found.private)) == (blocked, private)


@pytest.mark.parametrize(
    ("text", "along", "against"),
    [
        ("highway=steps conveying=forward", "foot", ""),
        ("highway=steps conveying=backward", "", "foot"),
        ("highway=steps conveying=yes", "foot", "foot"),
        # A belt or a boat that goes one way takes people one way; a street does not.
        ("highway=steps conveying=yes oneway=-1", "", "foot"),
        ("highway=steps conveying=backward oneway=yes", "", "foot"),
        ("highway=footway conveying=no oneway=yes", "foot", "foot"),
        ("highway=steps oneway=yes", "foot", "foot"),
        ("route=ferry oneway=yes bicycle=yes", "ebike bike foot", ""),
        ("route=ferry oneway=-1", "", "foot"),
        ("route=ferry oneway=yes oneway:foot=no", "foot", "foot"),
        ("highway=steps conveying=reversible", "foot", "foot"),
        ("highway=path sac_scale=hiking", "ebike bike foot", "ebike bike foot"),
        ("highway=path sac_scale=mountain_hiking bicycle=yes", "bike foot", "bike foot"),
        ("highway=path sac_scale=alpine_hiking electric_bicycle=yes", "ebike bike foot", "ebike bike foot"),
        ("highway=path mtb:scale=1", "ebike bike foot", "ebike bike foot"),
        ("highway=path mtb:scale=2+ bicycle=designated", "bike foot", "bike foot"),
        ("highway=track mtb:scale=4 bicycle:backward=yes", "bike foot", "bike foot"),
    ],
)
def test_escalators_and_trails(text: str, along: str, against: str) -> None:
    found = rule(text)
    assert (names(found.forward), names(found.backward)) == (along, against)


@pytest.mark.parametrize(
    ("text", "off"),
    [
        ("highway=service tunnel=yes", True),
        ("highway=service tunnel=building_passage", False),
        ("highway=service tunnel=no", False),
        ("highway=primary bridge=viaduct", True),
        ("highway=footway layer=-1", True),
        ("highway=footway layer=1", False),
        ("highway=footway indoor=yes", True),
        ("highway=corridor", True),
        ("highway=service level=-2", True),
        ("highway=footway level=-2;-1", True),
        ("highway=footway level=-1;0", False),
        ("highway=footway level=1", False),
        ("highway=service location=underground", True),
        ("highway=footway location=indoor", True),
        ("highway=service location=overground", False),
        ("highway=residential", False),
        ("route=ferry", True),
    ],
)
def test_what_is_off_the_ground(text: str, off: bool) -> None:
    assert rule(text).off_ground == off


@pytest.mark.parametrize(
    ("text", "who", "seconds"),
    [
        ("route=ferry", "foot", 0),
        ("route=ferry bicycle=yes duration=00:12", "ebike bike foot", 720),
        ("route=ferry foot=no motor_vehicle=yes duration=PT1H5M", "car", 3900),
        ("route=ferry duration=8", "foot", 480),
        ("route=ferry duration=P0DT0H10M", "foot", 600),
        ("route=ferry duration=P0Y0M0DT1H", "foot", 3600),
        ("route=ferry duration=P1D", "foot", 86400),
        ("route=ferry duration=P", "foot", 0),
        ("route=ferry duration=01:00:30", "foot", 3630),
        ("route=ferry duration=soon", "foot", 0),
        ("route=ferry duration=min", "foot", 0),
        ("route=ferry duration=5min", "foot", 300),
        ("route=ferry duration=00:05-00:10", "foot", 0),
        ("route=ferry duration=1:2:3:4", "foot", 0),
        ("route=ferry duration=99:00", "foot", 0),
        ("route=ferry duration=", "foot", 0),
    ],
)
def test_ferries(text: str, who: str, seconds: float) -> None:
    found = rule(text)
    assert (names(found.forward), found.duration_s) == (who, seconds)
    assert found.public == PUBLIC


def test_other_routes_are_no_streets() -> None:
    assert way_rule(tags("route=bus bicycle=yes")) is None
    assert rule("highway=residential route=ferry").duration_s == 0
