"""kill -9 of the service while a study runs: the study dies with it, runs again, the second time it fails."""

import contextlib
import functools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from job_studies import LONG
from live_process import Process
from tiny_map import write_city
from tiny_study import write_study

from api.store import SERVICE, Database, jobs
from api.store.access import keys, tenants


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'yilu.db'}")
    made.migrate()
    yield made
    made.close()


def until(true: Callable[[], Any], within_s: float, what: str) -> Any:  # noqa: ANN401
    end = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


def workers(process: Process) -> list[int]:
    """Processes of studies that the service has begun."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            # It is a process group of its own; its log lies beside its results.
            if b"api.jobs.worker" in words and _parent(int(path.parent.name)) == process.pid:
                found.append(int(path.parent.name))
    return found


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()[1])


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].startswith("Z")


def test_a_service_that_is_killed_leaves_no_study_running_for_ever(
    tmp_path: Path, database: Database
) -> None:
    with database.transaction() as connection:
        tenants.add(connection, SERVICE, tenants.Tenant("office", "Office", "office", 0.0))
        key = keys.create(connection, SERVICE, keys.NewKey("office", "planner"), time.time())[1]
    write_city(tmp_path / "city.osm")
    url = database.url.render_as_string(hide_password=False)
    process = Process(write_study(tmp_path / "out"), url)
    client = httpx2.Client(headers={"authorization": f"Bearer {key}"}, timeout=60)

    def state() -> jobs.Job | None:
        with database.reading() as connection:
            return jobs.get(connection, SERVICE, study_id)

    try:
        process.start()
        files = [
            ("files", ("study.toml", LONG.encode())),
            ("files", ("city.osm", (tmp_path / "city.osm").read_bytes())),
        ]
        sent = client.post(f"{process.url}/v1/studies/upload", data={"name": "long"}, files=files)
        assert sent.status_code == 201, sent.text
        study_id = sent.json()["study_id"]
        for left in range(2):
            (pid,) = until(lambda: workers(process), 120, "the study does not begin")
            process.kill()
            until(functools.partial(gone, pid), 20, "the study outlives the service")
            found = state()
            assert found is not None
            assert (found.state, found.left_running) == ("running", left)
            process.start()
        until(lambda: (found := state()) is not None and found.state == "failed", 60, "it does not fail")
        seen = client.get(f"{process.url}/v1/studies/{study_id}").json()
        assert seen["state"] == "failed"
        assert "stopped twice while this study ran" in seen["error"]
        # Whoever wants to may try once more.
        again = client.post(f"{process.url}/v1/studies/{study_id}/start")
        assert again.json()["state"] == "queued"
    finally:
        process.kill()
        client.close()
