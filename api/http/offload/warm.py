"""Machine code made at start: small made requests of every form, so that no real one waits for it."""

import contextlib
import datetime
from pathlib import Path

import numpy as np

from api.http.stations.nearest import StationQuery, nearest_station
from api.matching.forms import (
    AlertRequest,
    MatchRequest,
    QuestionIn,
    RiderIn,
    StopIn,
    TaskIn,
    VisitIn,
)
from api.matching.slots import SlotsRequest, WindowIn, offered
from api.matching.translate import alerts, answer
from api.study.finished import FinishedStudy, load_finished
from api.vroom.answer import vroom
from api.vroom.forms import VroomRequest
from geo.errors import YiluError
from geo.streets import StreetNetwork
from routing.dispatch import City, DispatchRules, Finish, RiderKey, Start
from routing.model import Policy, Rider, Stop, Task, Visit

__all__ = ["PARTS", "compile_part", "warm_up"]

AT = datetime.datetime(2026, 3, 4, 10, tzinfo=datetime.UTC)
PARTS = ("visit", "many", "pair", "people", "refused", "alerts", "slots", "vroom", "nearest", "live")
"""What is asked; each brings kernels of its own."""
MANY = 80
"""Riders of the live city that is made: with more than 64 the nearest are looked for."""
A_CITY = 500
"""Riders of a request from which on those far from a task are passed over."""


def compile_part(folder: Path, part: str) -> None:
    """Make the machine code that one of `PARTS` needs, on the streets of the study in a folder."""
    warm_up(load_finished(folder), (part,))


def warm_up(served: FinishedStudy, parts: tuple[str, ...] = PARTS) -> None:
    """Answer made requests on the streets of a study.

    Parameters
    ----------
    served : FinishedStudy
    parts : tuple of str
        Some of `PARTS`.
    """
    network, mode = served.network, served.meta.mode
    edge = int(np.argmax(network.usable(mode)))
    lon, lat = network.edge_lonlat(edge)[0].tolist()
    here = VisitIn(lon=lon, lat=lat)
    stops = (StopIn(stop_id="s", lon=lon, lat=lat),)
    riders = tuple(RiderIn(rider_id=name, lon=lon, lat=lat, mode=mode, stops=stops) for name in "ab")
    task = TaskIn(task_id="visit", place=here)
    tasks = {
        "visit": task,
        "pair": TaskIn(task_id="pair", place=here, dropoff=here),
        "people": TaskIn(task_id="people", place=here, people=2),
        "refused": TaskIn(task_id="refused", place=here, skills=("none has it",)),
    }
    for part in parts:
        # Whatever the answer, the way to it has been gone.
        with contextlib.suppress(YiluError):
            if part == "many":
                one = {"lon": lon, "lat": lat, "mode": mode, "stops": stops}
                crowd = [RiderIn(rider_id=str(number), **one) for number in range(A_CITY)]
                answer(network, MatchRequest(datum="wgs84", now=AT, riders=tuple(crowd), tasks=(task,)))
            elif part in tasks:
                question = QuestionIn(task_id=part, rider_id="a")
                whole = MatchRequest(
                    datum="wgs84", now=AT, riders=riders, tasks=(tasks[part],), questions=(question,)
                )
                answer(network, whole)
                answer(network, whole.model_copy(update={"assignment": "in_order"}))
            elif part == "alerts":
                alerts(network, AlertRequest(datum="wgs84", now=AT, riders=riders, task=task))
            elif part == "slots":
                window = WindowIn(earliest=AT, latest=AT)
                asked = SlotsRequest(datum="wgs84", now=AT, riders=riders, task=task, windows=(window,))
                offered(network, asked)
            elif part == "vroom":
                vehicle = {"id": 1, "profile": mode, "start": [lon, lat]}
                job = {"id": 1, "location": [lon, lat]}
                vroom(network, VroomRequest.model_validate({"vehicles": [vehicle], "jobs": [job]}))
            elif part == "live":
                _live(network, mode, (lon, lat))
            else:
                nearest_station(served, StationQuery((lon, lat), "wgs84", mode, AT, (), suggested=True))


def _live(network: StreetNetwork, mode: str, here: tuple[float, float]) -> None:
    """Have tasks offered, accepted and done, and one refused to more riders than are looked at each."""
    now_s = AT.timestamp()
    city = City(network, Policy(), DispatchRules())
    riders = [
        (RiderKey("warm", str(number)), Rider(str(number), here, mode, (Stop("s", here),)))
        for number in range(MANY)
    ]
    city.restore({}, riders, now_s)
    city.board.move([riders[0][0]], np.array([here]), now_s)
    pair = Task("pair", Visit(here), Visit(here))
    for task in (Task("visit", Visit(here)), pair):
        city.publish(task, "warm", now_s)
        for offer in city.tasks[task.task_id].open:
            city.accept(task.task_id, offer.offer_id, now_s)
            city.board.put(riders[:1], now_s)
            for command in (Start(offer.offer_id), Finish(offer.offer_id)):
                city.handle(task.task_id, command, now_s)
    city.publish(Task("refused", Visit(here), skills=frozenset({"none has it"})), "warm", now_s)
