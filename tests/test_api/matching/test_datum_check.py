"""A request in the wrong datum is answered, and the doubt is told with its evidence."""

import datetime

import numpy as np
import pytest
from lattice import lattice

from api.matching.datum_check import datum_warnings, place_warnings
from api.matching.datum_watch import DatumWatch
from api.matching.forms import (
    AlertRequest,
    MatchRequest,
    RiderIn,
    StopIn,
    TaskIn,
    UnplannedRiderIn,
    VisitIn,
)
from api.matching.slots import SlotsRequest, WindowIn, offered
from api.matching.translate import alerts, answer
from geo.datum import Datum, from_wgs84

TOWN = lattice(12)
NOW = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)


def request(real: Datum, declared: Datum, count: int = 40) -> MatchRequest:
    """Riders 0-20 m beside streets, in one datum, said to be in another."""
    rng = np.random.default_rng(5)
    rows = rng.integers(0, len(TOWN.geom_lonlat), count)
    lonlat = TOWN.geom_lonlat[rows] + rng.uniform(-2e-4, 2e-4, (count, 2))
    shown = from_wgs84(lonlat, real).tolist()
    riders = tuple(RiderIn(rider_id=f"r{n}", lon=lon, lat=lat) for n, (lon, lat) in enumerate(shown[1:]))
    lon, lat = shown[0]
    tasks = (TaskIn(task_id="t", place=VisitIn(lon=lon, lat=lat)),)
    return MatchRequest(datum=declared, now=NOW, riders=riders, tasks=tasks, geometry=False)


@pytest.mark.parametrize("real", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize("declared", ["wgs84", "gcj02", "bd09"])
def test_the_wrong_datum_is_told_and_the_right_one_is_not(real: Datum, declared: Datum) -> None:
    response = answer(TOWN, request(real, declared))
    if real == declared:
        assert response.warnings == []
        assert [match.way for match in response.matches] == [None], "no way was asked for"
        return
    (warning,) = response.warnings
    assert (warning.declared, warning.likely) == (declared, real)
    assert real in warning.text
    assert warning.median_m is not None
    assert warning.median_m[real] < 25 < warning.median_m[declared]


def test_the_warning_speaks_chinese() -> None:
    (warning,) = answer(TOWN, request("gcj02", "wgs84"), "zh").warnings
    assert "坐标声明" in warning.text


def test_an_emergency_beyond_the_map_is_answered_and_told() -> None:
    """A city whose latitudes and longitudes can be swapped; one that is far; one that is at the edge."""
    town = lattice(6, origin=(23.7, 38.0), compound=False)
    lon, lat = town.node_lonlat[0].tolist()
    for at, code in (((lat, lon), "swapped"), ((lon + 0.5, lat), "far"), ((lon - 0.005, lat), None)):
        told = place_warnings(town, at, "en")
        assert [one.code for one in told] == ([] if code is None else [code])
    assert "43,206 m" in place_warnings(town, (lon + 0.5, lat), "en")[0].text
    task = TaskIn(task_id="t", place=VisitIn(lon=lat, lat=lon))
    rider = RiderIn(rider_id="r", lon=lon, lat=lat)
    asked = AlertRequest(datum="wgs84", now=NOW, riders=(rider,), task=task)
    found = alerts(town, asked, "zh")
    assert (found.alerts, len(found.warnings)) == ([], 1)
    assert found.street_m is not None
    assert found.street_m > 1e6
    assert "颠倒" in found.warnings[0].text


def test_alerts_tell_of_a_wrong_datum_too() -> None:
    sent = request("gcj02", "wgs84")
    asked = AlertRequest(datum="wgs84", now=NOW, riders=sent.riders, task=sent.tasks[0])
    assert [one.code for one in alerts(TOWN, asked).warnings] == ["datum"]


def mixed(riders: Datum, stops: Datum, tasks: Datum, declared: Datum = "wgs84") -> MatchRequest:
    """30 riders with two stops each and 25 tasks beside streets, each kind in a datum of its own."""
    rng = np.random.default_rng(8)
    rows = rng.integers(0, len(TOWN.geom_lonlat), 115)
    lonlat = TOWN.geom_lonlat[rows] + rng.uniform(-2e-4, 2e-4, (115, 2))
    parts = ((lonlat[:30], riders), (lonlat[30:90], stops), (lonlat[90:], tasks))
    shown = [one for part, kind in parts for one in from_wgs84(part, kind).tolist()]
    at = [{"lon": lon, "lat": lat} for lon, lat in shown]
    plans = [tuple(StopIn(stop_id=str(s), **at[30 + 2 * n + s]) for s in (0, 1)) for n in range(30)]
    told = tuple(RiderIn(rider_id=f"r{n}", **at[n], stops=plans[n]) for n in range(30))
    wanted = tuple(TaskIn(task_id=f"t{n}", place=VisitIn(**at[90 + n])) for n in range(25))
    return MatchRequest(datum=declared, now=NOW, riders=told, tasks=wanted, geometry=False)


@pytest.mark.parametrize(
    ("kinds", "wrong", "word"),
    [
        (("gcj02", "wgs84", "wgs84"), ["riders"], "骑手位置"),
        (("wgs84", "gcj02", "wgs84"), ["stops"], "停靠点"),
        (("wgs84", "wgs84", "gcj02"), ["tasks"], "任务地点"),
        (("wgs84", "bd09", "bd09"), ["stops", "tasks"], "停靠点和任务地点"),
        (("wgs84", "wgs84", "wgs84"), None, ""),
    ],
)
def test_positions_from_several_systems_are_each_held_against_the_streets(
    kinds: tuple[Datum, Datum, Datum], wrong: list[str] | None, word: str
) -> None:
    """Phones tell GPS, orders come from AMap, tasks from an office: a mixture is as wrong as all of them."""
    found = answer(TOWN, mixed(*kinds), "zh").warnings
    assert [one.positions for one in found] == ([] if wrong is None else [wrong])
    assert word in "".join(one.text for one in found)


def test_two_wrong_datums_are_two_warnings() -> None:
    found = answer(TOWN, mixed("bd09", "gcj02", "wgs84")).warnings
    assert {one.likely: one.positions for one in found} == {"bd09": ["riders"], "gcj02": ["stops"]}


def test_slots_tell_of_a_wrong_datum_too() -> None:
    sent = request("gcj02", "wgs84")
    window = WindowIn(earliest=NOW, latest=NOW + datetime.timedelta(hours=1))
    asked = SlotsRequest(datum="wgs84", now=NOW, riders=sent.riders, task=sent.tasks[0], windows=(window,))
    assert [one.code for one in offered(TOWN, asked).warnings] == ["datum"]


def test_riders_without_a_plan_speak_too() -> None:
    sent = request("gcj02", "wgs84")
    at = [UnplannedRiderIn(rider_id=one.rider_id, lon=one.lon, lat=one.lat) for one in sent.riders]
    asked = sent.model_copy(update={"riders": (), "unplanned": tuple(at)})
    assert [one.likely for one in answer(TOWN, asked).warnings] == ["gcj02"]


@pytest.mark.parametrize("real", ["wgs84", "gcj02", "bd09"])
def test_few_places_that_agree_speak(real: Datum) -> None:
    """Ten doors are enough, however they are shared among riders and tasks; two never are."""
    response = answer(TOWN, request(real, "wgs84", 10))
    assert [one.likely for one in response.warnings] == ([] if real == "wgs84" else [real])
    rng = np.random.default_rng(11)
    rows = rng.choice(len(TOWN.geom_lonlat), 12, replace=False)
    sent = from_wgs84(TOWN.geom_lonlat[rows] + rng.uniform(-1e-4, 1e-4, (12, 2)), real)
    kinds = datum_warnings(TOWN, {"riders": sent[:4], "stops": sent[4:8], "tasks": sent[8:]}, "wgs84", "en")
    assert [(one.likely, one.positions) for one in kinds] == ([] if real == "wgs84" else [(real, None)])
    assert datum_warnings(TOWN, {"riders": sent[:2]}, "wgs84", "en") == []


def test_many_orders_of_one_restaurant_are_one_voice() -> None:
    """A door 60 m off its street that lies on one in GCJ-02 by chance."""
    lonlat = np.repeat(from_wgs84(TOWN.geom_lonlat[:1], "gcj02"), 40, axis=0)
    lonlat = lonlat + np.random.default_rng(2).uniform(-1e-5, 1e-5, lonlat.shape)
    assert datum_warnings(TOWN, {"tasks": lonlat}, "wgs84", "en") == []


def test_places_beside_no_street_in_any_datum_say_nothing() -> None:
    """Corners of a grid, on a map of few streets."""
    town = lattice(6, 600.0, compound=False)
    rng = np.random.default_rng(4)
    low, high = town.node_lonlat.min(axis=0), town.node_lonlat.max(axis=0)
    for count in (5, 12, 19, 40):
        for _ in range(20):
            places = rng.uniform(low, high, (count, 2))
            assert datum_warnings(town, {"tasks": places}, "wgs84", "en") == []


def test_riders_who_were_fine_beyond_doubt_are_not_asked_about_again_for_a_minute() -> None:
    rows = np.random.default_rng(3).integers(0, len(TOWN.geom_lonlat), 60)
    sent, names = TOWN.geom_lonlat[rows], [f"r{n}" for n in range(60)]
    watch = DatumWatch()

    def look(real: Datum, count: int = 60, platform: str = "red", now_s: float = 0.0) -> bool:
        riders = {"riders": from_wgs84(sent[:count], real)}
        of = platform, names[:count]
        return bool(watch.look(TOWN, riders, "wgs84", "en", of=of, now_s=now_s))  # type: ignore[arg-type]

    # Too few to be sure of, and in the wrong datum: asked about again.
    assert not look("wgs84", 10)
    assert not watch.was_fine("wgs84", ("red", names[:10]), 1.0)
    assert look("bd09")
    assert not watch.was_fine("wgs84", ("red", names), 1.0)
    assert not look("wgs84")
    assert watch.was_fine("wgs84", ("red", names[5:30]), 59.0)
    for datum, platform, riders, now_s in (
        ("gcj02", "red", names, 1.0),
        ("wgs84", "blue", names, 1.0),
        ("wgs84", "red", [*names, "new"], 1.0),
        ("wgs84", "red", names, 61.0),
    ):
        assert not watch.was_fine(datum, (platform, riders), now_s)  # type: ignore[arg-type]
