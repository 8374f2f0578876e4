"""One request of a whole city: 5,000 riders with 6 to 10 stops each and one task, from bytes to bytes.

``python large_request.py [--quick] [--save FOLDER] [--same FOLDER]`` prints, of twelve requests with one task
each, the median of milliseconds for reading, answering, writing and all, and the CPU time of the process.
``--save`` keeps the answers, ``--same`` compares with those kept by another state of the tree.
"""

import argparse
import datetime
import gc
import itertools
import json
import statistics
import time
from pathlib import Path
from typing import cast

from bench_matching import CITY, SMALL, source_network
from fleets import NOW, city_riders, city_tasks

from api.http.offload.bodies import body_as
from api.matching.forms import MatchRequest
from api.matching.translate import answer
from geo.streets.network import StreetNetwork
from routing.model import Rider, Task

TASKS = 12
STEPS = ("read", "answer", "write", "all", "CPU")


def bodies(network: StreetNetwork, riders: int) -> list[bytes]:
    """The same riders in every body, each with another task."""
    told = [_rider(one) for one in city_riders(network, riders, 1)]
    head = {"datum": "wgs84", "now": _iso(NOW), "riders": told}
    tasks = city_tasks(network, TASKS, 5)
    return [json.dumps({**head, "tasks": [_task(one)]}).encode() for one in tasks]


def _rider(rider: Rider) -> dict[str, object]:
    stops = [
        {"stop_id": one.stop_id, "lon": one.lonlat[0], "lat": one.lonlat[1], "service_s": one.service_s,
         "due": _iso(one.latest_s)}
        for one in rider.stops
    ]  # fmt: skip
    names = ("worked_since_break_s", "speed_factor", "extra_last_hour_s", "status", "load", "platform")
    plain = {name: getattr(rider, name) for name in names}
    place = {"rider_id": rider.rider_id, "lon": rider.lonlat[0], "lat": rider.lonlat[1]}
    return {
        **place,
        **plain,
        "skills": sorted(rider.skills),
        "shift_end": _iso(rider.shift_end_s),
        "stops": stops,
    }


def _task(task: Task) -> dict[str, object]:
    lon, lat = task.place.lonlat
    place = {"lon": lon, "lat": lat, "service_s": 60.0, "latest": _iso(NOW + 7_200)}
    return {"task_id": task.task_id, "place": place, "skills": sorted(task.skills)}


def _iso(epoch_s: float) -> str:
    return datetime.datetime.fromtimestamp(epoch_s, datetime.UTC).isoformat()


def measured(network: StreetNetwork, body: bytes) -> tuple[str, list[float]]:
    """The answer to a body, and milliseconds by `STEPS`."""
    cpu_s, at = time.process_time(), [time.perf_counter()]
    request = cast(MatchRequest, body_as(MatchRequest, body))
    at.append(time.perf_counter())
    found = answer(network, request)
    at.append(time.perf_counter())
    text = found.model_dump_json()
    at.append(time.perf_counter())
    spent = [b - a for a, b in itertools.pairwise(at)]
    return text, [one * 1e3 for one in (*spent, at[-1] - at[0], time.process_time() - cpu_s)]


def main() -> None:
    """Measure, and keep or compare the answers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--same", type=Path)
    told = parser.parse_args()
    network = source_network(*(SMALL if told.quick else CITY))
    sent = bodies(network, 500 if told.quick else 5_000)
    # As the processes of the service do.
    gc.set_threshold(100_000, 50, 100)
    measured(network, sent[0])
    spent = []
    for number, body in enumerate(sent):
        text, one = measured(network, body)
        spent.append(one)
        if told.save:
            told.save.mkdir(exist_ok=True)
            (told.save / f"{number}.json").write_text(text)
        if told.same and (told.same / f"{number}.json").read_text() != text:
            print(f"the answer to request {number} is another one")
    for name, column in zip(STEPS, zip(*spent, strict=True), strict=True):
        print(f"{name}: median {statistics.median(column):.0f} ms, least {min(column):.0f} ms")


if __name__ == "__main__":
    main()
