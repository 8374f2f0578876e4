"""CPU time of the live service, command by command: what a machine under other load can still measure.

``python service_cpu.py [--riders N] [--postgres] [--http] [--profile CASE]`` prints one JSON object: CPU
milliseconds of the serving process for a task up to its offer, a yes and a position in a bulk of 50, one
command at a time and sixteen waiting together. Run it from two trees in turn to compare them.
"""

import argparse
import asyncio
import contextlib
import cProfile
import datetime
import functools
import gc
import json
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from bench_matching import CITY, SMALL, source_network
from fleets import NOW, city_riders, city_tasks
from service_load import Load, Plan
from service_state import durable_cluster, fill

from api.dispatch.commands import accept, on_task, publish, put_riders
from api.dispatch.desk import Desk
from api.dispatch.forms import RidersIn
from api.dispatch.translate import reports_of, rider_of
from api.store import Database, Scope
from geo.streets.network import StreetNetwork
from routing.dispatch import DispatchRules, RiderKey, Withdraw
from routing.model import Policy, Rider, Task

TOGETHER = 16
BULK = 50
DEV = Scope("dev", "platform")


class _InProcess:
    """The desk alone: commands as the handlers give them, without HTTP."""

    def __init__(self, url: str, network: StreetNetwork, riders: Sequence[Rider]) -> None:
        self.database, self.network, self.riders = Database(url), network, riders
        self.desk = Desk(
            self.database, network, Policy(), DispatchRules(), clock=lambda: NOW, rider_of=rider_of
        )
        began = time.process_time()
        self.desk.start()
        self.start_s = time.process_time() - began

    def publish(self, task: Task, label: str) -> Future[Any]:
        """Publish a task."""
        body = {"task_id": label, "place": {"lon": task.place.lonlat[0], "lat": task.place.lonlat[1]}}
        return self.desk.submit(lambda turn: publish(turn, DEV, task, label=label, grid_code=None, body=body))

    def accept(self, task_id: str, offer_id: str) -> Future[Any]:
        """Say yes."""
        return self.desk.submit(lambda turn: accept(turn, DEV, offer_id), task_id)

    def withdraw(self, task_id: str) -> Future[Any]:
        """Take a task back."""
        return self.desk.submit(lambda turn: on_task(turn, DEV, task_id, Withdraw()), task_id)

    def positions(self, number: int) -> Future[Any]:
        """Report where the next riders are."""
        count = len(self.riders)
        told = [
            {"rider_id": one.rider_id, "at": _iso(NOW + number), "lon": one.lonlat[0] + 1e-5 * (number % 7),
             "lat": one.lonlat[1]}
            for one in (self.riders[(number * BULK + q) % count] for q in range(BULK))
        ]  # fmt: skip
        request = RidersIn.model_validate({"datum": "wgs84", "riders": told})

        def work(turn: Any) -> Any:  # noqa: ANN401
            bodies = self.desk.memory.bodies
            known = {one.rider_id: bodies[RiderKey("dev", one.rider_id)] for one in request.riders}
            reports = reports_of(request, known, NOW + number, datetime.UTC, self.desk.policy)
            return put_riders(turn, DEV, "dev", reports)

        return self.desk.submit(work)


def _cpu_ms(calls: Sequence[Callable[[], Future[Any]]], together: int) -> tuple[float, list[Any]]:
    """Return CPU ms a call, `together` of them waiting at a time, and what they returned."""
    told, began = [], time.process_time()
    for first in range(0, len(calls), together):
        waiting = [call() for call in calls[first : first + together]]
        told += [one.result() for one in waiting]
    return (time.process_time() - began) * 1e3 / len(calls), told


def in_process(url: str, network: StreetNetwork, riders: Sequence[Rider], count: int) -> dict[str, float]:
    """Measure the desk of one database."""
    case = _InProcess(url, network, riders)
    tasks = iter(city_tasks(network, 4 * count + 200, 5))
    out = {"start_s": case.start_s}
    for name, together, number in (("warm", 1, 60), ("", 1, count), (f" x{TOGETHER}", TOGETHER, count)):
        mine = [next(tasks) for _ in range(number)]
        calls = [functools.partial(case.publish, task, f"{name}{task.task_id}") for task in mine]
        out[f"task to offer{name}"], made = _cpu_ms(calls, together)
        offers = [(one.state.task.task_id, one.state.open[0].offer_id) for one in made if one.state.open]
        half = offers[: len(offers) // 2]
        yes = [functools.partial(case.accept, *one) for one in half]
        out[f"yes{name}"], _ = _cpu_ms(yes, together)
        rest = {one.state.task.task_id for one in made} - {task_id for task_id, _ in half}
        back = [functools.partial(case.withdraw, one) for one in sorted(rest)]
        out[f"withdrawal{name}"], _ = _cpu_ms(back, together)
    # Of a rider whose hours were not counted before, the first report brings the whole plan again.
    for name, first in (("first position in a bulk", 1), ("position in a bulk", 101)):
        bulks = [functools.partial(case.positions, n) for n in range(first, first + 100)]
        spent, _ = _cpu_ms(bulks, 1)
        out[name] = spent / BULK
    case.desk.stop()
    case.database.close()
    return {name: round(value, 3) for name, value in out.items() if "warm" not in name}


def profiled(url: str, network: StreetNetwork, riders: Sequence[Rider], what: str) -> None:
    """Print where the time goes: `what` is task, yes or positions."""
    case = _InProcess(url, network, riders)
    tasks = city_tasks(network, 360, 5)
    _cpu_ms([functools.partial(case.publish, task, task.task_id) for task in tasks[:60]], 1)
    profile = cProfile.Profile()
    gc.collect()

    def seen(on: bool) -> None:
        case.desk.submit(lambda _: profile.enable() if on else profile.disable()).result()

    seen(what == "task")
    made = _cpu_ms([functools.partial(case.publish, task, task.task_id) for task in tasks[60:]], 1)[1]
    offers = [(one.state.task.task_id, one.state.open[0].offer_id) for one in made if one.state.open]
    seen(what == "yes")
    _cpu_ms([functools.partial(case.accept, *one) for one in offers[:150]], 1)
    seen(False)
    _cpu_ms([functools.partial(case.positions, n) for n in range(1, 101)], 1)
    seen(what == "positions")
    _cpu_ms([functools.partial(case.positions, n) for n in range(101, 201)], 1)
    seen(False)
    pstats.Stats(profile).sort_stats("tottime").print_stats(45)
    pstats.Stats(profile).sort_stats("cumtime").print_stats(70)
    case.desk.stop()


# -- over HTTP
# -------------------------------------------------------------------------------------------------


class _Asked(Load):
    """The same over loopback, in a process beside the service's."""

    async def phase(self, calls: Sequence[tuple[str, str, str, object]], together: int) -> list[Any]:
        """Send requests, so many under way at a time."""
        told = []
        for first in range(0, len(calls), together):
            asked = calls[first : first + together]
            told += await asyncio.gather(*(self.request(*one, time.perf_counter()) for one in asked))
        return told


def over_http(pid: int, plan: Plan, network: StreetNetwork, count: int) -> dict[str, float]:
    """Measure a running service by what its process used."""
    return asyncio.run(_over_http(pid, plan, network, count))


async def _over_http(pid: int, plan: Plan, network: StreetNetwork, count: int) -> dict[str, float]:
    load, out = _Asked(plan), {}
    for _ in range(TOGETHER):
        load.free.put_nowait(await asyncio.open_connection("127.0.0.1", plan.port))
    tasks = iter(city_tasks(network, 2 * count + 200, 5))
    bulks = 0
    for name, together, number in (("warm", 1, 60), ("", 1, count), (f" x{TOGETHER}", TOGETHER, count)):
        calls: list[tuple[str, str, str, object]] = []
        for task in (next(tasks) for _ in range(number)):
            lon, lat = task.place.lonlat
            place = {"lon": lon, "lat": lat, "service_s": 60.0, "latest": _iso(NOW + 7_200)}
            body = {"task_id": f"{name}{task.task_id}", "place": place, "skills": sorted(task.skills)}
            calls.append(("task", "POST", "/v1/tasks?datum=wgs84", body))
        before = _used_s(pid)
        made = await load.phase(calls, together)
        out[f"task to offer{name}"] = (_used_s(pid) - before) * 1e3 / len(calls)
        offers = [(one["id"], one["offers"][0]["offer_id"]) for one in made if one["offers"]]
        half = offers[: len(offers) // 2]
        before = _used_s(pid)
        calls = [("yes", "POST", f"/v1/offers/{offer_id}/accept", {}) for _, offer_id in half]
        await load.phase(calls, together)
        out[f"yes{name}"] = (_used_s(pid) - before) * 1e3 / len(calls)
        rest = {one["id"] for one in made} - {task_id for task_id, _ in half}
        await load.phase([("back", "POST", f"/v1/tasks/{one}/withdraw", {}) for one in sorted(rest)], 8)
        before = _used_s(pid)
        for _ in range(100):
            bulks += 1
            await load.positions(bulks, time.perf_counter())
        out[f"position in a bulk{name}"] = (_used_s(pid) - before) * 1e3 / 100 / BULK
    if load.wrong:
        print(dict(load.wrong), file=sys.stderr)
    return {name: round(value, 3) for name, value in out.items() if "warm" not in name}


def _used_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100.0


def _iso(epoch_s: float) -> str:
    return datetime.datetime.fromtimestamp(epoch_s, datetime.UTC).isoformat()


@contextlib.contextmanager
def _filled(postgres: bool, riders: Sequence[Rider]) -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        if postgres:
            from postgres import find_binaries

            binaries = find_binaries()
            assert binaries is not None
            url = stack.enter_context(durable_cluster(binaries))
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = f"sqlite:///{folder}/yilu.db"
        fill(url, list(riders))
        yield url


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--riders", type=int, default=5_000)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--profile", choices=["task", "yes", "positions"])
    told = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "helpers"))
    network = source_network(*(SMALL if told.quick else CITY))
    riders = city_riders(network, told.riders, 1)
    with _filled(told.postgres, riders) as url:
        if told.profile:
            profiled(url, network, riders, told.profile)
        elif told.http:
            from service_state import served

            with served(network, riders, url) as running:
                plan = Plan(
                    running.port, 0.0, 0.0, 0.0, BULK, [(one.rider_id, *one.lonlat) for one in riders], [],
                    NOW + time.monotonic() - running.began, "cpu",
                )  # fmt: skip
                print(json.dumps(over_http(running.pid, plan, network, told.count)))
        else:
            print(json.dumps(in_process(url, network, riders, told.count)))


if __name__ == "__main__":
    main()
