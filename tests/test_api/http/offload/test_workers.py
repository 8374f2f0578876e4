"""Large requests are answered by other processes, as this one would; they come back when they are lost."""

import datetime
import functools
import json
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tiny_study import place

from api.http.app import create_app
from api.http.offload import bodies
from api.http.offload.workers import AskedRequest, Workers
from api.http.problems.errors import WorkerLostError
from api.settings import Settings
from geo.streets import StreetNetwork, StreetOverride

NOW = "2026-03-04T12:00:00+08:00"
EARLIER = "2026-03-04T11:00:00+08:00"
NOON = datetime.datetime.fromisoformat(NOW)
ZH = {"accept-language": "zh", "content-type": "application/json"}


@pytest.fixture(scope="module")
def app(folder: Path) -> FastAPI:
    return create_app(folder, named={"town": folder}, settings=Settings(), clock=lambda: NOON)


@pytest.fixture(autouse=True)
def in_this_process(app: FastAPI) -> None:
    app.state.workers = None


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    made = Workers(functools.partial(create_app, settings=Settings()), 1)
    yield made
    made.stop()


def at(letter: str) -> dict[str, float]:
    lon, lat = place(letter)
    return {"lon": lon, "lat": lat}


RIDER = {
    "rider_id": "r",
    **at("A"),
    "stops": [{"stop_id": "s", **at("J"), "due": "2026-03-04T12:20:00+08:00"}],
}
TASK = {"task_id": "t", "place": {**at("B"), "service_s": 30}}
MATCH = {"datum": "wgs84", "now": NOW, "riders": [RIDER], "tasks": [TASK]}
SLOTS = {"datum": "wgs84", "now": NOW, "riders": [RIDER], "task": TASK, "day": "2026-03-04", "every_min": 60}
VROOM = {
    "vehicles": [{"id": 1, "start": list(place("A"))}],
    "jobs": [{"id": 1, "location": list(place("B"))}],
}
CASES: list[tuple[str, object]] = [
    ("/v1/matches", MATCH),
    ("/v1/matches", {**MATCH, "tasks": [{**TASK, "skills": ["aid"]}]}),
    ("/s/town/v1/matches", MATCH),
    ("/s/town/v1/matches", {**MATCH, "riders": [{**RIDER, "lon": 500}]}),
    ("/v1/matches", {**MATCH, "riders": [RIDER, RIDER]}),
    ("/v1/matches", {**MATCH, "riders": [{**RIDER, "shift_start": NOW, "shift_end": EARLIER}]}),
    ("/v1/matches", []),
    ("/v1/alerts", {"datum": "wgs84", "now": NOW, "riders": [RIDER], "task": TASK}),
    ("/v1/slots", SLOTS),
    ("/v1/vroom?datum=gcj02", VROOM),
    ("/v1/vroom?datum=mars", VROOM),
]  # fmt: skip


@pytest.mark.parametrize(("path", "sent"), CASES)
def test_answers_are_those_of_this_process(
    app: FastAPI, workers: Workers, monkeypatch: pytest.MonkeyPatch, path: str, sent: object
) -> None:
    client = TestClient(app)
    here = client.post(path, json=sent, headers=ZH)
    monkeypatch.setattr(bodies, "LARGE_BYTES", 0)
    app.state.workers = workers
    there = client.post(path, json=sent, headers=ZH)
    assert there.content == here.content
    assert there.status_code == here.status_code
    plain = {"x-request-id"}
    assert {k: v for k, v in there.headers.items() if k not in plain} == {
        k: v for k, v in here.headers.items() if k not in plain
    }


class _Streets:
    """Streets as they are now, with North Street shut between A and B."""

    def __init__(self, network: StreetNetwork) -> None:
        now_s = NOON.timestamp()
        middle = np.mean([place("A"), place("B")], axis=0)
        edge = int(network.snap(middle[None, :], "ebike").edge[0])
        self.put = (StreetOverride(now_s - 60, now_s + 3600, edge=edge),), now_s
        self.network = network.with_overrides(*self.put)

    def is_known(self, now_s: float) -> bool:
        return True

    def network_at(self, now_s: float) -> StreetNetwork:
        return self.network

    def overrides_at(self, now_s: float) -> tuple[tuple[StreetOverride, ...], float]:
        return self.put


def test_streets_that_are_shut_now_are_shut_for_large_requests_too(
    app: FastAPI, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = TestClient(app)
    before = client.post("/v1/matches", json=MATCH).json()
    app.state.civic = types.SimpleNamespace(streets=_Streets(app.state.served.network))
    try:
        here = client.post("/v1/matches", json=MATCH).json()
        monkeypatch.setattr(bodies, "LARGE_BYTES", 0)
        app.state.workers = workers
        there = client.post("/v1/matches", json=MATCH).json()
        elsewhere = client.post("/s/town/v1/matches", json=MATCH).json()
    finally:
        app.state.civic = None
    assert there == here != before
    # What is said of the streets of the city holds there only, and no longer than it is said.
    assert elsewhere == before
    assert client.post("/v1/matches", json=MATCH).json() == before


def test_small_bodies_stay_here_and_broken_ones_are_told_by_line(
    app: FastAPI, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.state.workers = workers
    client, sent = TestClient(app), []
    answer = workers.answer

    async def noted(asked: AskedRequest) -> Any:  # noqa: ANN401
        sent.append(asked.path)
        return await answer(asked)

    monkeypatch.setattr(workers, "answer", noted)
    assert client.post("/v1/matches", json=MATCH).status_code == 200
    assert sent == []
    broken = json.dumps(MATCH) + " " * bodies.LARGE_BYTES + "}"
    told = client.post("/v1/matches", content=broken, headers={"content-type": "application/json"})
    assert sent == ["/v1/matches"]
    assert told.status_code == 422
    assert "line 1" in told.json()["errors"][0]["detail"]


def test_this_process_does_next_to_nothing_for_a_large_request(
    app: FastAPI, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop is free: what the answer costs is spent elsewhere."""
    many = json.dumps({**MATCH, "riders": [{**RIDER, "rider_id": f"r{k}"} for k in range(4_000)]}).encode()
    client, spent_s = TestClient(app), []
    for own in (None, workers):
        app.state.workers = own
        for _ in range(3):
            began_s = time.process_time()
            answer = client.post("/v1/matches", content=many, headers={"content-type": "application/json"})
            spent_s.append(time.process_time() - began_s)
            assert answer.json()["matches"][0]["rider_id"] == "r0"
    assert min(spent_s[3:]) < 0.2 * min(spent_s[:3])


def test_a_worker_that_is_lost_is_told_and_replaced(
    app: FastAPI, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "LARGE_BYTES", 0)
    app.state.workers = workers
    client = TestClient(app)
    assert client.post("/v1/matches", json=MATCH).status_code == 200
    for pid in workers.pids:
        os.kill(pid, signal.SIGKILL)
    until_s, statuses = time.monotonic() + 60, list[int]()
    while not statuses or statuses[-1] != 200:
        assert time.monotonic() < until_s
        lost = client.post("/v1/matches", json=MATCH, headers=ZH)
        statuses.append(lost.status_code)
        if lost.status_code == 503:
            assert lost.headers["retry-after"] == str(WorkerLostError.retry_after_s)
            assert lost.json()["detail"] == "处理此请求的进程已中断；请重试"
    assert set(statuses) <= {200, 503}


SCRIPT = """
import asyncio, functools, sys
from pathlib import Path
from api.http.app import create_app
from api.http.offload.workers import AskedRequest, Workers
from api.settings import Settings
if __name__ == "__main__":
    workers = Workers(functools.partial(create_app, settings=Settings()), 1)
    asked = AskedRequest(Path(sys.argv[1]), "/v1/matches", "", b"", None, "application/json", b"[]")
    asyncio.run(workers.answer(asked))
    print(*workers.pids, flush=True)
    sys.stdin.read()
"""


def test_workers_end_with_the_service_however_it_goes(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "service.py"
    script.write_text(SCRIPT)
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}
    process = subprocess.Popen(
        [sys.executable, script, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=here,
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    os.kill(pid, 0)
    process.kill()
    process.wait(10)
    until_s = time.monotonic() + 20
    while _runs(pid):
        assert time.monotonic() < until_s
        time.sleep(0.05)
    process.communicate()


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    # Where nobody takes note of its end it stays as a zombie.
    return state != "Z"
