"""Studies as jobs over HTTP: from files to results, in a process of their own that nobody waits for."""

import datetime
import io
import json
import os
import signal
import statistics
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from job_studies import LONG, STUDY
from migrated import migrated
from tiny_map import write_city
from tiny_study import place, write_study

from api.http.access.auth import Access
from api.http.app import create_app
from api.jobs.worker import NICENESS
from api.settings import Settings
from api.store import SERVICE, jobs
from api.store.access import keys, tenants


class Service:
    """One application over HTTP with a key for everybody."""

    def __init__(self, folder: Path, place: Path, **settings: Any) -> None:  # noqa: ANN401
        self.database = migrated(f"sqlite:///{place / 'yilu.db'}")
        now_s = time.time()
        with self.database.transaction() as connection:
            known = tenants.get(connection, SERVICE, "office") is not None
            for name, kind in (
                () if known else (("office", "office"), ("other", "office"), ("red", "platform"))
            ):
                tenants.add(connection, SERVICE, tenants.Tenant(name, name, kind, 0.0))  # type: ignore[arg-type]
            self.keys = {
                name: keys.create(connection, SERVICE, wanted, now_s)[1]
                for name, wanted in {
                    "office": keys.NewKey("office", "planner"),
                    "other": keys.NewKey("other", "planner"),
                    "grid": keys.NewKey("office", "grid_staff", grid_codes=("G1",)),
                    "red": keys.NewKey("red", "platform"),
                    "admin": keys.NewKey("office", "admin"),
                }.items()
            }
        self.jobs = place / "jobs"
        made = Settings(rate_per_s=1e6, rate_burst=1_000_000, jobs_dir=self.jobs, **settings)
        access = Access(made, self.database, dev=False)
        self.app = create_app(folder, settings=made, access=access)
        self.client = TestClient(self.app)

    def ask(self, who: str, method: str, path: str, expect: int = 200, **more: Any) -> Any:  # noqa: ANN401
        headers = {"authorization": f"Bearer {self.keys[who]}", **more.pop("headers", {})}
        answer = self.client.request(method, path, headers=headers, **more)
        assert answer.status_code == expect, answer.text
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer

    def upload(
        self, toml: str, expect: int = 201, who: str = "office", name: str = "spring", **more: str
    ) -> Any:  # noqa: ANN401
        files = [("files", ("study.toml", toml.encode())), ("files", ("city.osm", CITY.read_bytes()))]
        data = {"name": name, **more}
        return self.ask(who, "POST", "/v1/studies/upload", expect, data=data, files=files)

    def until(self, study_id: str, reached: Callable[[Any], bool], within_s: float = 180.0) -> Any:  # noqa: ANN401
        end = time.monotonic() + within_s
        while True:
            seen = self.ask("office", "GET", f"/v1/studies/{study_id}")
            if reached(seen):
                return seen
            assert time.monotonic() < end, seen
            assert seen["state"] not in ("failed",), seen
            time.sleep(0.1)

    def running(self, toml: str = LONG, name: str = "long") -> tuple[str, int]:
        study_id = self.upload(toml, name=name)["study_id"]
        self.until(study_id, lambda seen: seen["state"] == "running" and seen["progress"] is not None)
        (pid,) = self.app.state.runner.pids
        return study_id, pid


CITY = Path()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] == "Z"


def wait_for(true: Callable[[], bool], within_s: float = 20.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    global CITY
    CITY = tmp_path_factory.mktemp("city") / "city.osm"
    write_city(CITY)
    return write_study(tmp_path_factory.mktemp("study") / "out")


@pytest.fixture
def service(folder: Path, tmp_path: Path) -> Iterator[Service]:
    service = Service(folder, tmp_path)
    with service.client:
        yield service
    service.database.close()


def test_from_files_to_results_and_a_name(service: Service) -> None:
    made = service.upload(STUDY)
    assert (made["state"], made["source"], made["title"]) == ("queued", "upload", "Small town")
    path = f"/v1/studies/{made['study_id']}"
    assert service.upload(STUDY, expect=200)["study_id"] == made["study_id"]
    assert "another study" in service.upload(STUDY + "# more\n", expect=409)["detail"]
    with service.client.stream(
        "GET", f"{path}/stream", headers={"authorization": f"Bearer {service.keys['office']}"}
    ) as stream:
        told = [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
    assert told[-1]["state"] == "done", told[-1]
    assert {one["state"] for one in told} <= {"queued", "running", "done"}
    assert any(one["progress"] for one in told)
    files = {one["path"]: one["bytes"] for one in service.ask("office", "GET", f"{path}/files")["files"]}
    assert {"map.html", "report.docx", "summary.json", "data/study.json"} <= files.keys()
    assert not any("unfinished" in name or "worker" in name for name in files)
    got = service.ask("office", "GET", f"{path}/files/map.html")
    assert len(got.content) == files["map.html"]
    for name in ("../input/study.toml", "..%2Finput%2Fstudy.toml", "%2Fetc%2Fpasswd", "../worker.log", ""):
        answer = service.client.get(
            f"{path}/files/{name}", headers={"authorization": f"Bearer {service.keys['office']}"}
        )
        assert "root:" not in answer.text
        assert answer.status_code in (200, 404)
        assert "title = " not in answer.text
    # Others do not even learn that there is one.
    for who in ("other",):
        for method, where in (
            ("GET", path),
            ("GET", f"{path}/files"),
            ("DELETE", path),
            ("POST", f"{path}/start"),
        ):
            service.ask(who, method, where, 404)
        assert service.ask(who, "GET", "/v1/studies")["studies"] == []
    for who in ("red", "grid"):
        service.ask(who, "GET", path, 403)
        service.ask(who, "GET", "/v1/studies", 403)
    assert [one["name"] for one in service.ask("admin", "GET", "/v1/studies")["studies"]] == ["spring"]
    service.ask("office", "POST", f"{path}/cancel", 409)
    again = service.ask("office", "POST", f"{path}/start")
    assert again["state"] == "queued"
    service.ask("office", "DELETE", path, 409)
    service.ask("office", "POST", f"{path}/cancel")
    service.ask("office", "DELETE", path, 204)
    service.ask("office", "GET", path, 404)
    wait_for(lambda: not (service.jobs / made["study_id"]).exists())


def test_a_zip_and_a_study_that_cannot_run(service: Service) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("study.toml", STUDY)
        archive.writestr("city.osm", "no map")
    files = [("files", ("all.zip", packed.getvalue()))]
    data = {"name": "zip", "start": "false"}
    made = service.ask("office", "POST", "/v1/studies/upload", 201, data=data, files=files)
    assert made["state"] == "registered"
    path = f"/v1/studies/{made['study_id']}"
    assert service.ask("office", "GET", f"{path}/files") == {"files": []}
    service.ask("office", "POST", f"{path}/start")
    wait_for(lambda: service.ask("office", "GET", path)["state"] == "failed", 60.0)
    error = service.ask("office", "GET", path)["error"]
    assert error.startswith("city.osm")
    assert str(service.jobs) not in error
    service.ask("office", "DELETE", path, 204)


def test_uploads_that_are_refused_leave_nothing(folder: Path, tmp_path: Path) -> None:
    service = Service(folder, tmp_path, max_upload_mb=0.5)
    with service.client:
        outside = STUDY.replace("city.osm", "/etc/passwd")
        assert "outside" in service.upload(outside, 422)["detail"]
        assert "TOML" in service.upload("[", 422)["detail"]
        files = [("files", ("../study.toml", b"x"))]
        problem = service.ask("office", "POST", "/v1/studies/upload", 422, data={"name": "a"}, files=files)
        assert "names are relative" in problem["detail"]
        big = [("files", ("study.toml", b"x" * 700_000))]
        service.ask("office", "POST", "/v1/studies/upload", 422, data={"name": "a"}, files=big)
        huge = [("files", ("study.toml", b"x" * 3_000_000))]
        service.ask("office", "POST", "/v1/studies/upload", 413, data={"name": "a"}, files=huge)
        service.ask("office", "POST", "/v1/studies/upload", 422, data={"name": "a"})
        service.ask("office", "POST", "/v1/studies/upload", 422, json={"name": "a"})
        service.ask("office", "POST", "/v1/studies/upload", 422, content=b"--x", headers={
            "content-type": "multipart/form-data; boundary=x"
        })  # fmt: skip
        service.upload(STUDY, 403, who="red")
        # Without a declared length what arrives is counted.
        head = b'--x\r\ncontent-disposition: form-data; name="files"; filename="study.toml"\r\n\r\n'

        def endless() -> Iterator[bytes]:
            yield head
            for _ in range(100):
                yield b"x" * 100_000

        kind = {"content-type": "multipart/form-data; boundary=x"}
        service.ask("office", "POST", "/v1/studies/upload", 413, content=endless(), headers=kind)
        assert not service.jobs.exists() or list(service.jobs.iterdir()) == []
        assert service.ask("office", "GET", "/v1/studies")["studies"] == []
    service.database.close()


def test_folders_of_the_operator(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    mine = root / "office" / "spring"
    mine.mkdir(parents=True)
    (mine / "study.toml").write_text(STUDY, encoding="utf-8")
    (mine / "city.osm").write_bytes(CITY.read_bytes())
    service = Service(folder, tmp_path, studies=root)
    with service.client:
        body = {"name": "spring", "folder": "spring", "start": False}
        made = service.ask("office", "POST", "/v1/studies", 201, json=body)
        assert (made["state"], made["source"]) == ("registered", "folder")
        assert service.ask("office", "POST", "/v1/studies", 200, json=body)["study_id"] == made["study_id"]
        for who, name in (
            ("other", "spring"),
            ("office", "../office/spring"),
            ("office", "/etc"),
            ("office", "x"),
        ):
            problem = service.ask(who, "POST", "/v1/studies", 422, json=body | {"name": "b", "folder": name})
            assert str(tmp_path) not in json.dumps(problem)
        service.ask("office", "DELETE", f"/v1/studies/{made['study_id']}", 204)
        assert (mine / "study.toml").is_file()
    service.database.close()


def test_who_did_what_to_a_study_is_on_record(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "root" / "office" / "spring"
    mine.mkdir(parents=True)
    (mine / "study.toml").write_text(STUDY, encoding="utf-8")
    (mine / "city.osm").write_bytes(CITY.read_bytes())
    service = Service(folder, tmp_path, studies=tmp_path / "root", studies_kept=1)
    with service.client:
        body = {"name": "spring", "folder": "spring", "start": False}
        study_id = service.ask("office", "POST", "/v1/studies", 201, json=body)["study_id"]
        path = f"/v1/studies/{study_id}"
        service.ask("office", "POST", "/v1/studies", 200, json=body)
        service.ask("office", "POST", "/v1/studies", 409, json=body | {"name": "second"})
        service.ask("office", "POST", f"{path}/publish", 409, json={"name": "spring"})
        service.ask("office", "POST", f"{path}/cancel", 409)
        service.ask("other", "DELETE", path, 404)
        service.ask("office", "DELETE", path, 204)
        service.ask("office", "POST", f"{path}/start", 404)
        acts = service.ask("admin", "GET", "/v1/audit")["acts"]
    told = [(one["tenant_id"], one["action"], one["object_id"], one["outcome"]) for one in acts[::-1]]
    assert told == [
        ("office", "study.register", study_id, "done"),
        ("office", "study.register", study_id, "done"),
        ("office", "study.register", None, "conflict"),
        ("office", "study.publish", study_id, "conflict"),
        ("office", "study.cancel", study_id, "conflict"),
        ("other", "study.delete", study_id, "not_found"),
        ("office", "study.delete", study_id, "done"),
        ("office", "study.start", study_id, "not_found"),
    ]
    assert all(one["request_id"] and one["key_id"] and one["object_kind"] == "study" for one in acts)


def test_a_study_that_is_cancelled_dies_at_once(service: Service) -> None:
    study_id, pid = service.running()
    assert os.getpriority(os.PRIO_PROCESS, pid) == min(os.getpriority(os.PRIO_PROCESS, 0) + NICENESS, 19)
    assert service.keys["office"].encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    # One at a time.
    waiting = service.upload(STUDY, name="second")["study_id"]
    time.sleep(1.0)
    assert service.ask("office", "GET", f"/v1/studies/{waiting}")["state"] == "queued"
    service.ask("office", "POST", f"/v1/studies/{waiting}/cancel")
    assert service.ask("office", "POST", f"/v1/studies/{study_id}/cancel")["state"] == "cancelled"
    wait_for(lambda: gone(pid), 5.0)
    out = service.jobs / study_id / "out"
    wait_for(lambda: list(out.glob(".unfinished-*")) == [])


def test_a_process_that_dies_fails_with_a_sentence(service: Service) -> None:
    study_id, pid = service.running()
    os.killpg(pid, signal.SIGKILL)
    wait_for(lambda: service.ask("office", "GET", f"/v1/studies/{study_id}")["state"] == "failed")
    assert "killed (SIGKILL)" in service.ask("office", "GET", f"/v1/studies/{study_id}")["error"]


def test_a_service_that_stops_takes_its_studies_with_it_and_goes_on_later(
    folder: Path, tmp_path: Path
) -> None:
    service = Service(folder, tmp_path)
    with service.client:
        study_id, pid = service.running()
    assert gone(pid)
    with service.database.reading() as connection:
        job = jobs.get(connection, SERVICE, study_id)
    assert job is not None
    assert (job.state, job.left_running) == ("queued", 0)
    # As after a power cut: it is still called running.
    with service.database.transaction() as connection:
        jobs.take_next(connection, SERVICE, "study", 0.0)
    again = Service(folder, tmp_path)
    with again.client:
        again.until(study_id, lambda seen: seen["state"] == "running" and seen["progress"] is not None)
        again.ask("office", "POST", f"/v1/studies/{study_id}/cancel")
    again.database.close()
    service.database.close()


def test_matches_stay_quick_while_a_study_runs(service: Service) -> None:
    """p50 of a match and of /healthz beside a study, against the same without."""
    lon, lat = place("B")
    now = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC).isoformat()
    body = {
        "datum": "wgs84",
        "now": now,
        "riders": [{"rider_id": "r", "lon": place("A")[0], "lat": place("A")[1]}],
        "tasks": [{"task_id": "t", "place": {"lon": lon, "lat": lat}}],
    }

    def measured() -> tuple[float, float]:
        matches, health = [], []
        for _ in range(60):
            began = time.perf_counter()
            service.ask("office", "POST", "/v1/matches", json=body)
            matches.append(time.perf_counter() - began)
            began = time.perf_counter()
            service.client.get("/healthz")
            health.append(time.perf_counter() - began)
        return statistics.median(matches), statistics.median(health)

    service.ask("office", "POST", "/v1/matches", json=body)
    alone = measured()
    study_id, _ = service.running()
    beside = measured()
    assert service.ask("office", "GET", f"/v1/studies/{study_id}")["state"] == "running"
    service.ask("office", "POST", f"/v1/studies/{study_id}/cancel")
    for quiet_s, beside_s in zip(alone, beside, strict=True):
        assert beside_s < 3 * quiet_s + 0.02
    assert not any(thread.name.startswith("job-") and not thread.daemon for thread in threading.enumerate())
