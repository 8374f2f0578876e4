"""What went wrong in other routers, each case in our own words; whom a way or a node lets pass."""

import pytest
from access_tags import names, rule, tags

from geo.osm.rules.barriers import node_rule


@pytest.mark.parametrize(
    ("text", "along", "against"),
    [
        # OSRM #323: closed to everybody but bicycles; taken as closed to all.
        ("highway=residential access=no bicycle=yes", "ebike bike", "ebike bike"),
        # OSRM #28: a foot bridge on which one may ride.
        ("highway=footway bridge=yes bicycle=yes", "ebike bike foot", "ebike bike foot"),
        # OSRM #4943: a track on the left of a one-way street leads the same way as the street.
        ("highway=primary oneway=yes cycleway:left=track", "ebike bike car foot", "foot"),
        # GraphHopper #2775: the left track of a two-way street is one-way; the street is not.
        (
            "highway=residential cycleway:both=track cycleway:left:oneway=-1",
            "ebike bike car foot",
            "ebike bike car foot",
        ),
        # The same on a one-way street: tracks on both sides, of which the left one leads back.
        (
            "highway=secondary oneway=yes cycleway:both=track cycleway:left:oneway=-1",
            "ebike bike car foot",
            "ebike bike foot",
        ),
        # GraphHopper #3162: two lanes with opposite directions are both directions.
        (
            "highway=secondary oneway=yes cycleway:both=lane cycleway:left:oneway=-1 cycleway:right:oneway=1",
            "ebike bike car foot",
            "ebike bike foot",
        ),
        (
            "highway=secondary oneway=yes cycleway=track cycleway:right:oneway=no",
            "ebike bike car foot",
            "ebike bike foot",
        ),
        # GraphHopper #2694: a track for both directions on one side of a one-way road.
        (
            "highway=primary oneway=yes cycleway:right=track cycleway:right:oneway=no",
            "ebike bike car foot",
            "ebike bike foot",
        ),
        # A street drawn against its direction: a lane "along" the way leads against the traffic.
        (
            "highway=secondary oneway=-1 cycleway:left=lane cycleway:left:oneway=yes",
            "ebike bike foot",
            "ebike bike car foot",
        ),
        ("highway=road oneway=-1 cycleway:left=lane cycleway:left:oneway=-1", "foot", "ebike bike car foot"),
        ("highway=residential oneway=-1 bicycle:forward=yes", "ebike bike foot", "ebike bike car foot"),
        # No lane, no contraflow, whatever is said of its direction.
        ("highway=road oneway=yes cycleway:left=no cycleway:left:oneway=no", "ebike bike car foot", "foot"),
        ("highway=residential oneway=yes cycleway=track cycleway:left=no", "ebike bike car foot", "foot"),
        # Valhalla #5528: a driveway that is a public footpath.
        (
            "highway=service service=driveway foot=yes bicycle=permissive motor_vehicle=permissive",
            "ebike bike car foot",
            "ebike bike car foot",
        ),
        # Valhalla #5232: bridleways may be walked.
        ("highway=bridleway", "foot", "foot"),
        # OpenTripPlanner #5354: an area keeps the rules of its class.
        ("highway=footway area=yes", "foot", "foot"),
        # GraphHopper #3068, Valhalla #4935: a way that no wheel can pass was ridden.
        ("highway=track smoothness=impassable", "foot", "foot"),
        ("highway=residential smoothness=impassable bicycle=yes", "foot", "foot"),
        ("highway=track smoothness=very_horrible", "ebike bike foot", "ebike bike foot"),
        # Valhalla #372: a tunnel that says it is no area was thrown away for the key.
        ("highway=residential tunnel=yes area=no", "ebike bike car foot", "ebike bike car foot"),
        # OSMnx #1216: a street that is two-way for buses only.
        ("highway=residential oneway=yes oneway:bus=no oneway:psv=no", "ebike bike car foot", "foot"),
        # Valhalla #4503: a street for walking that vehicles may use.
        ("highway=pedestrian vehicle=yes", "ebike bike car foot", "ebike bike car foot"),
        # Valhalla #3135: who may walk there takes nothing from those who may ride.
        ("highway=cycleway foot=designated", "ebike bike foot", "ebike bike foot"),
        # GraphHopper #429: both ways of saying contraflow at once.
        (
            "highway=service oneway=yes oneway:bicycle=no cycleway=opposite",
            "ebike bike car foot",
            "ebike bike foot",
        ),
        # Valhalla #6001: advised against is not forbidden.
        ("highway=path access=discouraged", "ebike bike foot", "ebike bike foot"),
        # Valhalla #2093: an easy hiking path stays rideable.
        ("highway=path mtb:scale=1 sac_scale=hiking", "ebike bike foot", "ebike bike foot"),
        # Organic Maps #6962: a path for both.
        ("highway=path foot=designated bicycle=designated", "ebike bike foot", "ebike bike foot"),
    ],
)  # fmt: skip
def test_who_may_go_where(text: str, along: str, against: str) -> None:
    found = rule(text)
    assert (names(found.forward), names(found.backward)) == (along, against)


@pytest.mark.parametrize(
    ("text", "private"),
    [
        # Valhalla #5142, #4394: private ways are not gone through, on foot neither.
        ("highway=service access=private", "ebike bike car foot"),
        # OpenTripPlanner #2669: a right of way on foot over private ground.
        ("highway=service access=private foot=yes", "ebike bike car"),
        ("highway=residential access=private foot=yes bicycle=yes", "car"),
        # GraphHopper #3199: bicycles are vehicles too.
        ("highway=residential vehicle=destination", "ebike bike car"),
        ("highway=service service=driveway foot=yes bicycle=permissive motor_vehicle=permissive", ""),
    ],
)
def test_who_may_not_go_through(text: str, private: str) -> None:
    assert names(rule(text).private) == private


@pytest.mark.parametrize(
    ("text", "blocked", "private"),
    [
        # OSRM #3806: traps for the width of a bus or a car let bicycles pass.
        ("barrier=bus_trap", "car", ""),
        ("barrier=sump_buster", "car", ""),
        # Organic Maps #713: a gate of which nothing else is known stands in the middle of a cycle route.
        ("barrier=gate", "", ""),
        # OpenTripPlanner #3550: a gate for people on foot.
        ("barrier=gate bicycle=no foot=yes", "ebike bike", ""),
        # Valhalla #4676: a rising bollard for residents was a private gate for everybody.
        ("barrier=bollard bollard=rising motor_vehicle=destination", "", "car"),
        ("barrier=bollard bollard=rising motor_vehicle=destination foot=yes", "", "car"),
        # GraphHopper #407: who is named passes, whatever the barrier.
        ("barrier=kissing_gate bicycle=yes", "car", ""),
        ("barrier=stile bicycle=yes", "car", ""),
        ("barrier=turnstile bicycle=designated electric_bicycle=no", "ebike car", ""),
        # GraphHopper #2816: a grid for cattle is driven over.
        ("barrier=cattle_grid", "", ""),
        # GraphHopper #3289: bollards on a crossing of cycleways.
        ("barrier=bollard access=yes", "car", ""),
        # OSRM #464: closed to all but those who are named.
        ("barrier=gate access=no foot=yes bicycle=yes", "car", ""),
        # OSRM #6006: a bar across the road keeps nobody from walking.
        ("barrier=lift_gate", "", ""),
        # OSRM #6757: but a private one is private.
        ("barrier=lift_gate access=private", "", "ebike bike car foot"),
        # OSRM #3890: barriers that are spelt wrong, or meant for others, let people on foot pass.
        ("barrier=swing:gate", "car", ""),
        ("barrier=kissing_gate", "ebike bike car", ""),
        # OSRM #1492: nobody rides over the crossing, but along the street it lies on.
        ("highway=crossing bicycle=no", "", ""),
        # OsmAnd #2021: a checkpoint that is open to all.
        ("barrier=checkpoint access=yes", "", ""),
        # BRouter #480: no bicycles, though nobody is kept from walking.
        ("barrier=gate bicycle=no", "ebike bike", ""),
    ],
)
def test_whom_a_node_stops(text: str, blocked: str, private: str) -> None:
    found = node_rule(tags(text))
    assert (names(found.blocked), names(found.private)) == (blocked, private)
