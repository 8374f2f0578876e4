"""Real matches in a drawn town become pictures that say what the match says."""

import dataclasses
import json

import numpy as np
import pytest
import shapely
from lattice import lattice
from towns import NOW, some_riders, some_tasks

from geo.earth import DEGREE_M
from geo.errors import InputError
from geo.streets.network import StreetNetwork
from maps.match.page import match_map
from maps.match.view import match_picture
from maps.page.basemap import Backdrop
from routing.match import match_tasks
from routing.model.policy import Policy
from routing.model.results import Match


@pytest.fixture(scope="module")
def town() -> StreetNetwork:
    return lattice(10)


@pytest.fixture(scope="module")
def matches(town: StreetNetwork) -> tuple[Match, ...]:
    rng = np.random.default_rng(3)
    riders = some_riders(town, rng, 25, everything=False)
    tasks = some_tasks(town, rng, 6, everything=False)
    found = match_tasks(town, riders, tasks, Policy(max_extra_s=3000.0, max_extra_per_hour_s=3600.0), NOW)
    assert len(found.matches) >= 3
    return found.matches


def test_picture_says_what_the_match_says(town: StreetNetwork, matches: tuple[Match, ...]) -> None:
    for match in matches:
        names = {stop.stop_id: f"第{stop.stop_id}家" for stop in match.stops}
        picture = match_picture(
            match, town, task="查看井盖", timezone="Asia/Shanghai", attribution="x", names=names
        )
        assert len(picture.stops) == len(match.plan.stops)
        assert [stop.kind for stop in picture.stops].count("task") == 1
        assert (picture.extra_s, picture.extra_m) == (match.extra_s, match.extra_m)
        assert picture.late_deliveries == 0
        promised = {stop.stop_id for stop in match.stops}
        old = [
            shown
            for shown, stop in zip(picture.stops, match.plan.stops, strict=True)
            if stop.stop_id in promised
        ]
        for shown, slack in zip(old, match.stops, strict=True):
            assert shown.name == names[slack.stop_id]
            assert (shown.due is None) == np.isinf(slack.slack_after_s)
            if shown.slack_after_s is not None:
                assert shown.slack_after_s == slack.slack_after_s
        for way, stops in ((picture.way_before, old), (picture.way_after, picture.stops)):
            ends = town.snap(np.array([match.plan.lonlat, *(stop.lonlat for stop in stops)]), match.plan.mode)
            line = shapely.LineString(way)
            assert all(line.distance(shapely.Point(street)) * DEGREE_M < 0.5 for street in ends.lonlat)
        # every place off the street is joined to it by a walk of its own, and no other is
        places = [match.plan.lonlat, *(stop.lonlat for stop in picture.stops)]
        far = town.snap(np.array(places), match.plan.mode).walk_m >= 2.0
        assert [walk[1] for walk in picture.walks] == [
            place for place, off in zip(places, far, strict=True) if off
        ]


def test_page_of_a_match_carries_no_rider_id(town: StreetNetwork, matches: tuple[Match, ...]) -> None:
    match = matches[0]
    secret = dataclasses.replace(match.plan, rider_id="secret-4711")
    hidden = Match(**{f.name: getattr(match, f.name) for f in dataclasses.fields(match)} | {"plan": secret})
    picture = match_picture(hidden, town, task="task", timezone="Asia/Shanghai", attribution="x")
    page = match_map(picture, Backdrop.build(town), "en")
    assert "secret-4711" not in page
    assert "secret-4711" not in json.dumps(dataclasses.asdict(picture))


def test_unknown_time_zone_is_refused(town: StreetNetwork, matches: tuple[Match, ...]) -> None:
    with pytest.raises(InputError, match="time zone 'Mars/Base' is not known"):
        match_picture(matches[0], town, task="x", timezone="Mars/Base", attribution="x")
