"""Pick-up points on a plane of straight lines: groups, gates from waits, minutes saved, walks."""

import numpy as np
import pytest
from plane import FENCE, SCALE, Plane

from geo.errors import InputError
from maps.texts import Wording
from siting.demand.asked import Asked
from siting.demand.names import proper_name
from siting.plans.plan import near_place
from siting.report import pickup_place, reason_of
from siting.stations.pickup_inputs import CompoundMap, DropOffs, GateWaits, PickupRules, RiderWays
from siting.stations.pickups import group_drop_offs, next_drop_off, pick_up_points

GARDEN = (("Garden Court", FENCE),)
RIDERS = RiderWays("ebike", Plane(), Plane())


def scene(riders: int) -> tuple[DropOffs, GateWaits]:
    """Two deliveries a rider to doors 100 m inside the west gate, with 300 s of waiting before each."""
    count = 2 * riders
    rider = np.repeat(np.arange(riders), 2)
    start = np.arange(count) * 5000
    doors = np.array([[100.0, 100.0 + k % 5] for k in range(count)])
    gates = np.array([[-2.0 + k % 3, 100.0] for k in range(count)])
    street = np.tile([[-300.0, 100.0]], (count, 1))
    return (
        DropOffs(doors * SCALE, rider, start + 400, np.full(count, 105.0), street * SCALE, street * SCALE),
        GateWaits(gates * SCALE, rider, start, np.full(count, 300.0)),
    )


def test_the_gate_of_a_compound_is_learned_and_the_minutes_add_up() -> None:
    drops, waits = scene(12)
    found = pick_up_points(
        drops,
        waits,
        CompoundMap(GARDEN, np.array([[0.0, 100.0]]) * SCALE),
        RIDERS,
        PickupRules(least_a_day=1),
        days=2,
        asked=Asked(10),
    )
    assert len(found) == 1
    point = found[0]
    assert point.pickup_id == "P01"
    assert point.compound == "Garden Court"
    assert point.gates[0].in_osm
    assert point.gates[0].share == pytest.approx(1.0)
    # 300 s at the gate, 105 - 45 s at the door, 2 x 100 m at 5 m/s
    each = 300 + 60 + 2 * 100 / 5
    assert point.drop_offs_a_day == pytest.approx(12)
    assert point.saved_min_a_day == pytest.approx(12 * each / 60, rel=0.02)
    assert point.walk_median_m == pytest.approx(130, rel=0.02)
    assert point.stopping_area[0] == point.stopping_area[-1]


def test_too_few_riders_give_no_point() -> None:
    drops, waits = scene(9)
    city = CompoundMap(GARDEN, np.empty((0, 2)))
    assert (
        pick_up_points(drops, waits, city, RIDERS, PickupRules(least_a_day=1), days=2, asked=Asked(10)) == ()
    )


def test_nobody_walks_farther_than_allowed() -> None:
    drops, waits = scene(12)
    rules = PickupRules(walk_m=100, least_a_day=1)
    city = CompoundMap(GARDEN, np.empty((0, 2)))
    for point in pick_up_points(drops, waits, city, RIDERS, rules, days=2, asked=Asked(10)):
        assert (point.walk_max_m or 0) <= 100


def test_towers_are_gathered_by_density_and_scattered_doors_are_left_out() -> None:
    rng = np.random.default_rng(0)
    east = np.array([300.0, 0.0])
    xy = np.concatenate([rng.normal(0, 4, (40, 2)), rng.normal(0, 4, (40, 2)) + east, [[900.0, 900.0]]])
    compound = np.full(81, -1)
    label = group_drop_offs(xy, compound, 25.0, 10)
    assert label[:40].tolist() == [0] * 40
    assert label[40:80].tolist() == [1] * 40
    assert label[80] == -1


def test_a_wait_belongs_to_the_next_delivery_of_the_same_rider() -> None:
    place = np.zeros((3, 2))
    drops = DropOffs(place, np.array([1, 1, 2]), np.array([100, 900, 120]), np.ones(3), place, place)
    waits = GateWaits(place[:3], np.array([1, 2, 2]), np.array([200, 90, 130]), np.ones(3))
    assert next_drop_off(waits, place, drops, place).tolist() == [1, 2, -1]


def test_rules_name_their_range() -> None:
    with pytest.raises(InputError, match="walk_m is 5000, it must lie in 20-1000"):
        PickupRules(walk_m=5000)


def two_towers(apart_m: float) -> tuple[DropOffs, GateWaits]:
    """Twelve riders deliver twice each to both of two towers on open ground, `apart_m` from one another."""
    rider = np.tile(np.repeat(np.arange(12), 2), 2)
    start = np.arange(48) * 5000
    doors = np.array([[500.0 + (k >= 24) * apart_m + k % 3, 600.0] for k in range(48)])
    street = np.tile([[200.0, 600.0]], (48, 1))
    none = np.empty(0)
    return (
        DropOffs(doors * SCALE, rider, start, np.full(48, 200.0), street * SCALE, street * SCALE),
        GateWaits(np.empty((0, 2)), none.astype(np.int64), none.astype(np.int64), none),
    )


@pytest.mark.parametrize(("apart_m", "points"), [(28.0, 1), (90.0, 2)])
def test_points_at_one_place_are_one_for_the_deliveries_of_both(apart_m: float, points: int) -> None:
    drops, waits = two_towers(apart_m)
    rules = PickupRules(least_a_day=1, near_m=10)
    city = CompoundMap((), np.empty((0, 2)))
    found = pick_up_points(drops, waits, city, RIDERS, rules, days=2, asked=Asked(10))
    assert len(found) == points
    assert sum(point.drop_offs_a_day or 0 for point in found) == pytest.approx(24)
    places = np.array([point.lonlat for point in found]) / SCALE
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))[np.triu_indices(len(found), 1)]
    assert (apart > 30).all()


def test_the_gate_is_said_in_words() -> None:
    drops, waits = scene(12)
    city = CompoundMap(GARDEN, np.array([[0.0, 100.0]]) * SCALE)
    (point,) = pick_up_points(drops, waits, city, RIDERS, PickupRules(least_a_day=1), days=2, asked=Asked(10))
    assert point.side == ("gate", "west")
    for lang, words in (("en", "Garden Court, west gate"), ("zh", "Garden Court西门")):
        assert Wording.of(lang, 10).words(pickup_place(point)) == words


@pytest.mark.parametrize(
    "label",
    [
        "41",
        "西南2",
        "3号楼",
        "A座",
        "B2",
        "东门",
        "北2门",
        "Gate 2",
        "No. 3",
        "2-1",
        "十二号楼",
        " ",
        "North Gate",
        "11公寓",
        "地下停车场",
        "停车场",
        "Car Park",
    ],
)
def test_labels_of_doors_and_buildings_are_no_names(label: str) -> None:
    assert proper_name(label) == ""


@pytest.mark.parametrize(
    "name",
    [
        "锦秋家园",
        "北门烤鸭店",
        "东方广场",
        "KFC",
        "7-Eleven",
        "清华大学西门",
        "中关村大街",
        "Aleksi 13",
        "Northgate Hall",
        "二食堂",
        "停车场宾馆",
    ],
)
def test_names_of_places_are_names(name: str) -> None:
    assert proper_name(name) == name


def test_a_station_called_after_a_place_near_by_says_what_it_stands_in() -> None:
    for share in (("share", "3.1"),), ():
        key = "site_new" if share else "site_new_hidden"
        said = near_place((key, (("place", "parking"), *share)), "肯德基")
        zh, en = (Wording.of(lang, 10).say(reason_of(said)) for lang in ("zh", "en"))
        assert zh.startswith("依托肯德基附近的停车场设站")
        assert en.startswith("place: car park near 肯德基; ")
