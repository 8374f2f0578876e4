"""The live service under load, on SQLite and on PostgreSQL: what `bench_service` adds for riders and tasks.

5,000 riders with plans on 68,000 nodes. A rate of tasks is doubled until the 99th of a hundred offers or
yeses comes later than aimed at, and what lies between is halved; half the rate that holds then goes on.
Latencies count from when a request was due.

``python service_state.py [--database NAME] [--soak-s S]`` measures this alone, with a longer load.
"""

import argparse
import contextlib
import dataclasses
import datetime
import http.server
import json
import math
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench_matching import CITY, SMALL, source_network
from fleets import NOW, city_riders, city_tasks
from harness import OURS, Row, skipped, value
from service_load import REFUSED, Plan

from api.dispatch.desk import Desk
from api.dispatch.translate import rider_of
from api.store import SERVICE, Database
from api.store.access import tenants
from api.store.dispatch import riders as rider_rows
from geo.streets.network import StreetNetwork
from routing.dispatch import City, DispatchRules, RiderKey, Withdraw
from routing.model.policy import Policy
from routing.model.riders import Rider

__all__ = ["durable_cluster", "fill", "served", "stateful"]

BENCH = "service"
HERE = Path(__file__).resolve().parent
AIM_MS = 10.0
YES_AIM_MS = 15.0
AIM_PER_S = 500.0
FIRST_PER_S = 16.0
NARROWED = 2
"""How often the span between a rate that holds and one that does not is halved."""
SOAK_S = 30.0
DATABASES = ("SQLite", "PostgreSQL")
START_S = 300.0


def stateful(quick: bool, soak_s: float = SOAK_S) -> list[Row]:
    """Measure; `quick` takes a small map and fleet, to see that all works."""
    with _city(quick, soak_s) as case:
        rows = case.in_process(100 if quick else 1_000)
        for name in DATABASES:
            rows += _on(case, name)
        return rows + case.start(4 * len(case.riders))


@contextlib.contextmanager
def _city(quick: bool, soak_s: float) -> Iterator["_Case"]:
    sys.path.insert(0, str(HERE.parent / "helpers"))
    from tiny_study import write_study

    network, count = source_network(*(SMALL if quick else CITY)), 300 if quick else 5_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_study(folder / "study")
        network.save(folder / "streets")
        yield _Case(folder, network, city_riders(network, count, 1), quick, soak_s)


def _on(case: "_Case", name: str) -> list[Row]:
    """Return the rows of one kind of database."""
    from postgres import find_binaries

    if name == "SQLite":
        return case.measured(f"sqlite:///{case.folder / 'yilu.db'}", name)
    binaries = find_binaries()
    if binaries is None:
        return [skipped(BENCH, "live service", name, "initdb and pg_ctl are not installed")]
    with durable_cluster(binaries) as url:
        return case.measured(url, name)


@contextlib.contextmanager
def durable_cluster(binaries: Path) -> Iterator[str]:
    """Yield the address of a database whose server waits for the disk."""
    from postgres import run, running_cluster

    with running_cluster(binaries) as cluster:
        # That of the tests does not wait for the disk.
        cluster.stop()
        options = f"-c listen_addresses= -c unix_socket_directories={cluster.folder} -c max_connections=60"
        words = ("-D", str(cluster.folder / "data"), "-w", "start", "-l", str(cluster.folder / "log"))
        run(binaries / "pg_ctl", *words, "-o", options)
        yield cluster.url(cluster.create())


@dataclasses.dataclass(frozen=True, eq=False)
class _Case:
    folder: Path
    network: StreetNetwork
    riders: list[Rider]
    quick: bool
    soak_s: float

    def measured(self, url: str, name: str) -> list[Row]:
        """Return the rows of one database."""
        fill(url, self.riders)
        with self.service(url) as running:
            rows, held = self._held(running, name)
            bulks = running.load("bulk", 3.0 if self.quick else 6.0, 0.0, 2_000.0)
            case = "2,000 positions/s in bulks of 50"
            rows.append(_row(case, name, "latency", "ms", bulks["ms"]["positions"]))
            rows += self._soak(running, url, name, max(held, FIRST_PER_S) / 2)
        return rows

    def _held(self, running: "_Running", name: str) -> tuple[list[Row], float]:
        """Look for the highest rate at which the aims hold; what was tried, and that rate."""
        running.load("warm", 5.0, 4.0, 100.0)
        rows: list[Row] = []
        held, missed = 0.0, math.inf
        rate, narrowed = FIRST_PER_S, 0
        while rate <= AIM_PER_S and narrowed <= NARROWED:
            told = self._tried(running, rate)
            case = f"{len(self.riders)} riders, {rate:.0f} tasks/s beside {rate:.0f} positions/s"
            rows += _answers(told, case, name)
            if _holds(told):
                held = rate
            else:
                missed = rate
            narrowed += missed < math.inf
            # Where not even the first rate holds there is nothing to look for below it.
            if held == AIM_PER_S or missed <= FIRST_PER_S:
                break
            rate = min(2 * rate, AIM_PER_S) if missed == math.inf else round((held + missed) / 2)
        case = f"{len(self.riders)} riders, tasks/s beside as many positions/s within the aims"
        return [*rows, _row(case, name, "rate", "1/s", [held])], held

    def _tried(self, running: "_Running", rate: float) -> dict[str, Any]:
        """Measure one rate; a second time where it did not hold, for others use the machine too."""
        told: dict[str, Any] = {}
        for attempt in "ab":
            told = running.load(f"r{rate:.0f}{attempt}", 4.0 if self.quick else 6.0, rate, rate)
            if _holds(told):
                break
        return told

    def _soak(self, running: "_Running", url: str, name: str, rate: float) -> list[Row]:
        """Run on at a rate that holds: memory, errors, and events that an address did not get."""
        with _receiver() as (address, heard):
            seconds = 10.0 if self.quick else self.soak_s
            running.load("soak0", min(seconds / 4, 30.0), rate, rate)
            # It is told of what happens from now on.
            running.post("/v1/webhooks", {"url": address})
            before, began, used = running.rss_mb(), _last_seq(url), running.cpu_s()
            told = running.load("soak", seconds, rate, rate)
            after, used, end = running.rss_mb(), running.cpu_s() - used, time.monotonic() + 60.0
            happened = _happened_after(url, began)
            while len(heard) < happened and time.monotonic() < end:
                time.sleep(0.5)
        case = f"{seconds:.0f} s at {rate:.0f} tasks/s beside {rate:.0f} positions/s"
        lost = max(happened - len(heard), 0)
        wrong = {**told["wrong"], "not answered in the end": told["left"]}
        # Nobody may be able to do a task: that is an answer.
        alone, refused = wrong.pop("task without an offer", 0), wrong.pop(REFUSED, 0)
        tasks = max(len(told["ms"].get("task", [])), 1)
        return [
            *_answers(told, case, name),
            _row(case, name, "CPU of the service a task, with all that follows", "ms", [used * 1e3 / tasks]),
            _row(case, name, "memory after / before", "", [after / before]),
            _row(case, name, "memory before", "MB", [before]),
            _row(case, name, "memory after", "MB", [after]),
            _row(case, name, "events lost", "", [float(lost)]),
            _row(case, name, "events", "", [float(happened)]),
            _row(case, name, "tasks that nobody could be asked for", "", [float(alone)]),
            _row(case, name, "yeses that the plan allowed no more", "", [float(refused)]),
            _row(case, name, "errors", "", [float(sum(wrong.values()))]),
            *(_row(case, name, f"errors: {what}", "", [float(n)]) for what, n in wrong.items() if n),
        ]

    def in_process(self, count: int) -> list[Row]:
        """Do the same without network, forms and disk: what of an answer is matching."""
        city = City(self.network, Policy(), DispatchRules())
        city.restore({}, [(RiderKey("dev", rider.rider_id), rider) for rider in self.riders], NOW)
        asked, accepted = [], []
        for number, task in enumerate(city_tasks(self.network, count + 20, 5)):
            began = time.perf_counter()
            city.publish(task, "dev", NOW)
            asked.append((time.perf_counter() - began) * 1e3)
            for offer in city.tasks[task.task_id].open[:1] if number % 2 == 0 else ():
                began = time.perf_counter()
                city.accept(task.task_id, offer.offer_id, NOW)
                accepted.append((time.perf_counter() - began) * 1e3)
            city.handle(task.task_id, Withdraw(), NOW)
            city.forget(task.task_id)
        # The first ones find no machine code.
        figures = {"task to offer": asked[20:], "acceptance": accepted[10:]}
        case = f"{len(self.riders)} riders, the same in process"
        return [
            value(BENCH, case, f"{OURS} in process", told_as, "ms", values)
            for told_as, values in figures.items()
        ]

    def start(self, count: int) -> list[Row]:
        """Read a city from the store, in process."""
        url = f"sqlite:///{self.folder / 'many.db'}"
        fill(url, city_riders(self.network, count, 3))
        database = Database(url)
        seconds = []
        for _ in range(3 if self.quick else 5):
            desk = Desk(
                database, self.network, Policy(), DispatchRules(), clock=lambda: NOW, rider_of=rider_of
            )
            began = time.perf_counter()
            desk.start()
            seconds.append(time.perf_counter() - began)
            desk.stop()
        database.close()
        return [_row(f"start with {count} riders", "SQLite", "time", "s", seconds)]

    @contextlib.contextmanager
    def service(self, url: str) -> Iterator["_Running"]:
        """Yield a service in a process of its own."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        words = [str(self.folder / "study"), str(self.folder / "streets"), url, str(port)]
        process = subprocess.Popen([sys.executable, str(HERE / "service_worker.py"), *words])
        running = _Running(self, port, process.pid, time.monotonic())
        try:
            running.wait(process)
            yield running
        finally:
            process.kill()
            process.wait()


@dataclasses.dataclass(eq=False)
class _Running:
    case: _Case
    port: int
    pid: int
    began: float

    def wait(self, process: "subprocess.Popen[bytes]") -> None:
        """Return when the service answers."""
        end = time.monotonic() + START_S
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz")
                return
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("the service did not start") from None
                time.sleep(0.2)

    def load(self, run: str, seconds: float, tasks_per_s: float, positions_per_s: float) -> dict[str, Any]:
        """Put the service under load from another process; returns what that measured."""
        case = self.case
        tasks = [
            task.place.lonlat for task in city_tasks(case.network, 2_000, zlib.crc32(run.encode()) % 1_000)
        ]
        riders = [(rider.rider_id, *rider.lonlat) for rider in case.riders]
        now_s = NOW + time.monotonic() - self.began
        plan = Plan(self.port, seconds, tasks_per_s, positions_per_s, 50, riders, tasks, now_s, run)
        file = case.folder / "plan.json"
        file.write_text(json.dumps(dataclasses.asdict(plan)), encoding="utf-8")
        words = [sys.executable, str(HERE / "service_load.py"), str(file)]
        done = subprocess.run(words, check=True, capture_output=True, timeout=seconds + 120.0)
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def post(self, path: str, body: object) -> None:
        """Send one request."""
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(), headers
        )
        urllib.request.urlopen(request).close()  # noqa: S310

    def cpu_s(self) -> float:
        """Return the CPU time that the service has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Return the memory of the service."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def fill(url: str, riders: list[Rider]) -> None:
    """Write riders as their platform would have reported them."""
    database = Database(url)
    database.migrate()
    with database.transaction() as connection:
        if tenants.get(connection, SERVICE, "dev") is None:
            tenants.add(connection, SERVICE, tenants.Tenant("dev", "dev", "platform", 0.0))
        rows = [rider_rows.RiderUpdate(rider.rider_id, NOW, _body(rider)) for rider in riders]
        rider_rows.put(connection, SERVICE, "dev", rows)
    database.close()


@contextlib.contextmanager
def served(network: StreetNetwork, riders: list[Rider], url: str) -> Iterator["_Running"]:
    """Yield a service on a filled database."""
    sys.path.insert(0, str(HERE.parent / "helpers"))
    from tiny_study import write_study

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_study(folder / "study")
        network.save(folder / "streets")
        with _Case(folder, network, riders, False, SOAK_S).service(url) as running:
            yield running


def _body(rider: Rider) -> dict[str, Any]:
    lon, lat = rider.lonlat
    stops = [
        {"stop_id": one.stop_id, "lon": one.lonlat[0], "lat": one.lonlat[1], "service_s": one.service_s,
         "due": _iso(one.latest_s), "kind": one.kind, "load_change": one.load_change}
        for one in rider.stops
    ]  # fmt: skip
    return {
        "lon": lon, "lat": lat, "mode": rider.mode, "stops": stops, "status": rider.status, "at_s": NOW,
        "speed_factor": rider.speed_factor, "skills": sorted(rider.skills),
        "shift_end": _iso(rider.shift_end_s),
        "worked_since_break_s": rider.worked_since_break_s,
    }  # fmt: skip


def _iso(epoch_s: float) -> str:
    return datetime.datetime.fromtimestamp(epoch_s, datetime.UTC).isoformat()


def _happened_after(url: str, seq: int) -> int:
    """Return how many events there are after a number; numbers may have gaps."""
    from api.store.dispatch import events

    database, count = Database(url), 0
    with database.reading() as connection:
        while rows := events.tasks_after(connection, SERVICE, seq, 10_000):
            count, seq = count + len(rows), rows[-1][0]
    database.close()
    return count


def _last_seq(url: str) -> int:
    from api.store.dispatch import events

    database = Database(url)
    with database.reading() as connection:
        seq = events.last_seq(connection, SERVICE)
    database.close()
    return seq


@contextlib.contextmanager
def _receiver() -> Iterator[tuple[str, set[str]]]:
    """An address for events, and the names of those that came."""
    heard: set[str] = set()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            heard.add(self.headers["webhook-id"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", heard
    finally:
        server.shutdown()
        server.server_close()


def _row(case: str, database: str, metric: str, unit: str, values: list[float]) -> Row:
    return value(BENCH, f"{case} ({database})", OURS, metric, unit, values)


def _answers(told: dict[str, Any], case: str, name: str) -> list[Row]:
    ms = told["ms"]
    kinds = {"task": "task to offer", "accept": "acceptance", "positions": "bulk of 50 positions"}
    return [_row(case, name, told_as, "ms", ms[kind]) for kind, told_as in kinds.items() if ms.get(kind)]


def _p99(values: list[float]) -> float:
    ordered = sorted(values) or [math.inf]
    return ordered[round(0.99 * (len(ordered) - 1))]


def _holds(told: dict[str, Any]) -> bool:
    ms = told["ms"]
    return _p99(ms.get("task", [])) <= AIM_MS and _p99(ms.get("accept", [])) <= YES_AIM_MS


def main() -> None:
    """Print the rows of chosen databases, with a load as long as is wanted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--soak-s", type=float, default=SOAK_S)
    parser.add_argument("--database", choices=DATABASES, action="append")
    parser.add_argument("--quick", action="store_true")
    told = parser.parse_args()
    print(f"load of the machine before: {os.getloadavg()}")
    with _city(told.quick, told.soak_s) as case:
        for name in told.database or DATABASES:
            for row in _on(case, name):
                figures = f"median {row.median:.4g}, p99 {row.p99 or math.nan:.4g}, n {row.n}"
                print(f"{row.case} | {row.metric} | {row.unit} | {figures}", flush=True)
    print(f"and after: {os.getloadavg()}")


if __name__ == "__main__":
    main()
