"""The same ``Idempotency-Key`` twice does the work once, wherever a process dies in between."""

import concurrent.futures
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from live_service import Service

from api.http.app import create_app
from api.http.live import carried_out
from api.store import SERVICE
from api.store.access import idempotency
from api.store.dispatch import events as stored

KEY = {"idempotency-key": "k-1"}


class PlugPulledError(Exception):
    """Stands for the death of the process."""


@pytest.fixture
def service(folder: Path, tmp_path: Path) -> Iterator[Service]:
    made = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}", webhooks_private=True)
    with made.client:
        yield made
    made.database.close()


def begin_again(service: Service, folder: Path) -> None:
    """Another process over the same store."""
    service.client.__exit__(None, None, None)
    before = service.app.state
    service.use(create_app(folder, settings=before.settings, access=before.access, clock=service.clock))
    service.client.__enter__()


def events_of(service: Service) -> list[str]:
    with service.database.reading() as connection:
        return [row.event.kind for row in stored.after(connection, SERVICE, 0, 1000)]


def dies(after: Callable[..., Any]) -> Callable[..., Any]:
    async def dying(*given: Any) -> Any:  # noqa: ANN401
        await after(*given)
        raise PlugPulledError

    return dying


Call = tuple[str, str, dict[str, Any]]


def calls_of(service: Service) -> dict[str, tuple[str, Call]]:
    """A POST of each kind that would do more, or say something else, the second time."""
    service.riders("red", "A", "F")
    reopened, declined = service.task("office", "one"), service.task("office", "two", "G")
    offer = reopened["offers"][0]["offer_id"]
    service.ask("red", "POST", f"/v1/offers/{offer}/accept", json={})
    service.ask("red", "POST", f"/v1/offers/{offer}/finish", json={})
    latest = reopened["place"]["latest"]
    no = declined["offers"][0]["offer_id"]
    raised = {"name": "fire", "lon": reopened["place"]["lon"], "lat": reopened["place"]["lat"]}
    hook = {"url": "http://127.0.0.1:9/yilu"}
    return {
        "reopen": (
            "office",
            ("POST", f"/v1/tasks/{reopened['id']}/reopen", {"reason": "x", "latest": latest}),
        ),
        "decline": ("red", ("POST", f"/v1/offers/{no}/decline", {"reason": "far"})),
        "raise": ("office", ("POST", "/v1/emergencies?datum=wgs84", raised)),
        "webhook": ("office", ("POST", "/v1/webhooks", hook)),
    }


@pytest.mark.parametrize("name", ["reopen", "decline", "raise", "webhook"])
def test_a_process_that_dies_before_it_answers_has_done_it_once(
    service: Service, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    who, (method, path, body) = calls_of(service)[name]
    headers = {"authorization": f"Bearer {service.keys[who]}", **KEY}
    client = TestClient(service.app, raise_server_exceptions=False)
    with monkeypatch.context() as patched:
        patched.setattr("api.http.repeats.carried_out", dies(carried_out))
        assert client.request(method, path, json=body, headers=headers).status_code == 500
    done = events_of(service)
    begin_again(service, folder)
    first = service.ask(
        who, method, path, 201 if name in ("raise", "webhook") else 200, json=body, headers=KEY
    )
    assert service.headers["idempotency-replayed"] == "true"
    assert events_of(service) == done
    if name == "webhook":
        (only,) = service.ask(who, "GET", "/v1/webhooks")["webhooks"]
        assert only["webhook_id"] == first["webhook_id"]


def test_a_store_that_fails_before_the_end_has_kept_nothing(
    service: Service, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the answer cannot be kept, neither is what was done; the next try does it."""
    who, (method, path, body) = calls_of(service)["reopen"]
    before = events_of(service)

    def full(*_: Any) -> None:  # noqa: ANN401
        raise OSError("no space left on device")

    headers = {"authorization": f"Bearer {service.keys[who]}", **KEY}
    client = TestClient(service.app, raise_server_exceptions=False)
    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "finish", full)
        assert client.request(method, path, json=body, headers=headers).status_code == 500
    assert events_of(service) == before
    service.ask(who, method, path, json=body, headers=KEY)
    assert "idempotency-replayed" not in service.headers
    assert events_of(service)[len(before)] == "task_reopened"


def test_many_at_once_under_one_key_do_it_once(service: Service) -> None:
    service.riders("red", "A", "F")
    hook = {"url": "http://127.0.0.1:9/yilu"}
    headers = {"authorization": f"Bearer {service.keys['office']}", **KEY}

    def send(_: int) -> tuple[int, str]:
        answer = service.client.post("/v1/webhooks", json=hook, headers=headers)
        return answer.status_code, answer.text

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(send, range(16)))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 201
    assert len(service.ask("office", "GET", "/v1/webhooks")["webhooks"]) == 1


def test_a_refusal_is_found_out_again(service: Service) -> None:
    service.riders("red", "A")
    task = service.task("office")
    path, offer = f"/v1/tasks/{task['id']}/verify", task["offers"][0]["offer_id"]
    service.ask("office", "POST", path, 409, json={}, headers=KEY)
    service.ask("red", "POST", f"/v1/offers/{offer}/accept", json={})
    service.ask("red", "POST", f"/v1/offers/{offer}/finish", json={})
    assert service.ask("office", "POST", path, json={}, headers=KEY)["status"] == "verified"
