"""Service: requests to ``yilu serve`` on the result of the demo, the same in process, and live riders."""

import concurrent.futures
import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
from harness import OURS, Row, compare, value
from service_state import stateful

from api.matching.forms import MatchRequest
from api.matching.translate import answer
from api.study.finished import load_finished

__all__ = ["run"]

BENCH = "service"
YILU = [sys.executable, "-c", "from api.cli.commands import main; main()"]
START_S = 600.0
NOON = "2026-03-09T12:00:00+02:00"


def run(quick: bool) -> list[Row]:
    """Measure latency and throughput; `quick` sends fewer requests."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "demo"
        subprocess.run([*YILU, "demo", "--out", str(result)], check=True, capture_output=True)
        whole = json.loads((result / "data" / "match-request.json").read_text(encoding="utf-8"))
        calls = 20 if quick else 300
        with _service(result) as address, httpx2.Client(base_url=address) as client:
            rows = _latency(client, whole, calls)
            rows += _throughput(client, whole, calls)
            rows += _many_riders(client, whole, 3 if quick else 30)
            rows += _under_load(address, whole)
        rows += _beside_in_process(result, whole)
    return rows + stateful(quick)


@contextlib.contextmanager
def _service(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([*YILU, "serve", str(folder), "--port", str(port)], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + START_S
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the service did not start")
            time.sleep(0.2)
        yield address
    finally:
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/readyz").is_success
    except httpx2.TransportError:
        return False


def _with_tasks(whole: dict[str, object], first: int, count: int) -> dict[str, object]:
    tasks = whole["tasks"]
    assert isinstance(tasks, list)
    return {**whole, "tasks": [tasks[(first + number) % len(tasks)] for number in range(count)]}


def _matching(client: httpx2.Client, request: dict[str, object]) -> Callable[[], object]:
    def call() -> object:
        return client.post("/v1/matches", json=request).raise_for_status()

    return call


def _nearest(client: httpx2.Client, rider: dict[str, object]) -> Callable[[], object]:
    here = {"lon": str(rider["lon"]), "lat": str(rider["lat"])}
    asked = {**here, "datum": "wgs84", "suggested": "true", "at": NOON}

    def call() -> object:
        return client.get("/v1/stations/nearest", params=asked).raise_for_status()

    return call


def _ms(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def _latency(client: httpx2.Client, whole: dict[str, object], calls: int) -> list[Row]:
    riders = whole["riders"]
    assert isinstance(riders, list)
    one = [_matching(client, _with_tasks(whole, number, 1)) for number in range(calls)]
    near = [_nearest(client, riders[number % len(riders)]) for number in range(calls)]
    cases = {f"POST /v1/matches, {len(riders)} riders, 1 task": one, "GET /v1/stations/nearest": near}
    rows = []
    for case, wanted in cases.items():
        wanted[0]()
        rows.append(value(BENCH, case, OURS, "latency", "ms", [_ms(call) for call in wanted]))
    return rows


def _throughput(client: httpx2.Client, whole: dict[str, object], calls: int) -> list[Row]:
    """Four clients at once; the service is one process."""
    wanted = [_matching(client, _with_tasks(whole, number, 1)) for number in range(calls)]
    rates = []
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            start = time.perf_counter()
            list(pool.map(lambda call: call(), wanted))
            rates.append(calls / (time.perf_counter() - start))
    return [value(BENCH, "POST /v1/matches, 1 task, 4 clients", OURS, "requests", "1/s", rates)]


def _with_riders(whole: dict[str, object], count: int) -> bytes:
    """The request with so many riders, those of the demo again and again, and one task."""
    riders = whole["riders"]
    assert isinstance(riders, list)
    many = [{**riders[number % len(riders)], "rider_id": f"r{number}"} for number in range(count)]
    return json.dumps({**_with_tasks(whole, 0, 1), "riders": many}).encode()


JSON = {"content-type": "application/json"}


def _many_riders(client: httpx2.Client, whole: dict[str, object], calls: int) -> list[Row]:
    body = _with_riders(whole, 5_000)

    def call() -> object:
        return client.post("/v1/matches", content=body, headers=JSON, timeout=START_S).raise_for_status()

    call()
    spent = [_ms(call) for _ in range(calls)]
    return [value(BENCH, "POST /v1/matches, 5000 riders, 1 task", OURS, "latency", "ms", spent)]


_PROBE = """
import sys, time, httpx2
client, spent = httpx2.Client(base_url=sys.argv[1], timeout=600), []
while not sys.stdin.closed and time.monotonic() < float(sys.argv[2]):
    start = time.perf_counter()
    client.get("/healthz").raise_for_status()
    spent.append((time.perf_counter() - start) * 1e3)
    time.sleep(0.01)
print(*spent)
"""
PROBED_S = 30.0


def _under_load(address: str, whole: dict[str, object]) -> list[Row]:
    """Ten requests of 20,000 riders at once; another process asks for `/healthz` all the while."""
    body = _with_riders(whole, 20_000)

    def post(_: int) -> int:
        sent = httpx2.post(f"{address}/v1/matches", content=body, headers=JSON, timeout=START_S)
        return sent.status_code

    end = str(time.monotonic() + PROBED_S)
    probe = subprocess.Popen(
        [sys.executable, "-c", _PROBE, address, end], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(post, range(10)))
    told, _ = probe.communicate()
    spent = sorted(float(word) for word in told.split())
    if not set(answers) <= {200, 503} or 200 not in answers or not spent:
        raise RuntimeError(f"the service answered {sorted(answers)} under load")
    case = "GET /healthz while ten requests of 20,000 riders come"
    return [
        value(BENCH, case, OURS, "latency", "ms", spent),
        value(BENCH, case, OURS, "worst", "ms", spent[-1:]),
    ]


def _beside_in_process(folder: Path, whole: dict[str, object]) -> list[Row]:
    served = load_finished(folder)
    request = _with_tasks(whole, 0, 1)
    text = json.dumps(request)

    def parsed() -> object:
        return answer(served.network, MatchRequest.model_validate_json(text)).model_dump_json()

    with _service(folder) as address, httpx2.Client(base_url=address) as client:
        subjects = {OURS: _matching(client, request), f"{OURS} in process": parsed}
        return compare(BENCH, "1 task, HTTP or not", subjects, metric="latency", unit="ms", scale=1e3)
