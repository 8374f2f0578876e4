"""The client in process and over a line: what it sends, what it does when it is refused or cut off."""

import datetime
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from loopback import served
from pydantic import TypeAdapter
from tiny_study import place, write_study

from api.client import Client, ProblemError, verified
from api.client.stream import messages
from api.dispatch.forms import EventOut, RiderStateIn, TaskPublishIn
from api.dispatch.webhooks import message
from api.http.access.auth import open_access
from api.http.app import create_app
from api.settings import Settings
from api.store.dispatch import webhooks as hooks
from geo.errors import InputError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the example of Standard Webhooks


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = write_study(tmp_path_factory.mktemp("study") / "out")
    app = create_app(folder, settings=Settings())
    app.state.access = open_access(Settings(), folder, "127.0.0.1", _now().timestamp(), dev=True)
    with served(app) as url:
        yield url
    app.state.access.database.close()


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url) as client:
        yield client
        for rider in list(client.riders()):
            client.take_off(rider.rider_id)


def _rider(name: str, letter: str) -> RiderStateIn:
    lon, lat = place(letter)
    return RiderStateIn(rider_id=name, at=_now(), lon=lon, lat=lat, stops=())


def _task(name: str, letter: str = "B") -> TaskPublishIn:
    lon, lat = place(letter)
    return TaskPublishIn.model_validate(
        {"task_id": name, "place": {"lon": lon, "lat": lat, "service_s": 30}, "kind": "hazard"}
    )


def test_a_task_from_publishing_to_verification(client: Client) -> None:
    assert client.report([_rider("r-1", "A"), _rider("r-2", "J")]).written == 2
    task = client.publish(_task("lamp"))
    assert client.publish(_task("lamp")).id == task.id
    (offer,) = client.offers("r-1", wait_s=10)
    assert client.offer(offer.offer_id) == offer
    assert client.accept(offer.offer_id).status == "accepted"
    assert client.rider("r-1").stops == [task.id]
    assert client.start(offer.offer_id).status == "started"
    assert client.finish(offer.offer_id, "out", "photo-8").status == "done"
    assert client.verify(task.id).status == "verified"
    assert client.task(task.id).offers[0].note == "out"
    with pytest.raises(ProblemError, match="verified") as caught:
        client.withdraw(task.id)
    assert (caught.value.status, caught.value.kind, caught.value.code) == (409, "conflict", "ended")
    later = (_now() + datetime.timedelta(hours=1)).isoformat()
    assert client.reopen(task.id, "still out", later).status in ("offered", "published")
    assert client.withdraw(task.id).status == "withdrawn"


def test_no_changes_and_what_is_given_back(client: Client) -> None:
    client.report([_rider("r-1", "A"), _rider("r-2", "J")])
    task = client.publish(_task("bin"))
    with pytest.raises(ProblemError) as caught:
        client.change(task.id, _task("bin", "G"), version=task.version + 7)
    assert caught.value.status == 412
    client.decline(task.offers[0].offer_id, "no")
    (offer,) = client.offers()
    client.accept(offer.offer_id)
    assert client.give_back(offer.offer_id, "flat tyre").reason == "flat tyre"
    changed = client.change(task.id, _task("bin", "G"))
    assert changed.version > task.version
    assert task.id in [one.id for one in client.tasks(["published", "offered"])]
    client.withdraw(task.id)


def test_the_lag_of_a_stream_that_is_up_to_date_is_measured(client: Client, url: str) -> None:
    def figure(name: str) -> float:
        text = httpx2.get(f"{url}/metrics").text
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} "))

    def until(true: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not true():
            assert time.monotonic() < end
            time.sleep(0.02)

    counted, open_now = 'yilu_event_lag_seconds_count{reader="stream"}', "yilu_event_streams"
    until(lambda: figure(open_now) == 0)
    before = figure(counted)
    client.publish(_task("seen-late"))
    reader = Client(url)
    stream = reader.events("0")
    seen = next(stream)
    while seen.event.kind != "task_published":
        seen = next(stream)
    until(lambda: figure(open_now) == 1)
    time.sleep(0.2)
    # What was there before the reader came tells nothing of us.
    assert figure(counted) == before
    name = client.publish(_task("seen-now")).id
    while seen.event.id != name:
        seen = next(stream)
    until(lambda: figure(counted) > before)
    assert figure('yilu_event_lag_seconds_sum{reader="stream"}') < 5.0 * figure(counted)
    reader.close()
    until(lambda: figure(open_now) == 0)


def test_the_stream_goes_on_where_it_broke(client: Client, url: str) -> None:
    """Every second connection breaks after one message; nothing is lost and nothing comes twice."""
    client.report([_rider("r-1", "A")])
    before = next(iter(Client(url).events("0"))).mark
    names = [client.publish(_task(f"t{number}")).id for number in range(3)]
    cuts = itertools.count()

    class Cut(httpx2.SyncByteStream):
        def __init__(self, inner: httpx2.SyncByteStream) -> None:
            self.inner, self.number = inner, next(cuts)

        def __iter__(self) -> Iterator[bytes]:
            text = b""
            for piece in self.inner:
                text += piece
                if self.number % 2 == 0 and text.count(b"\n\n") >= 3:
                    yield text[: text.index(b"\n\n", text.index(b"\n\n") + 2) + 20]
                    raise httpx2.ReadError("cut")
                if self.number % 2:
                    yield piece

        def close(self) -> None:
            self.inner.close()

    class Cutting(httpx2.HTTPTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            answer = super().handle_request(request)
            assert isinstance(answer.stream, httpx2.SyncByteStream)
            return httpx2.Response(
                answer.status_code, headers=answer.headers, stream=Cut(answer.stream), request=request
            )

    whole = Client(url).events(before)
    wanted = [next(whole) for _ in range(5)]
    cut = Client(url, http=httpx2.Client(transport=Cutting()), sleep=lambda _: None).events(before)
    assert [next(cut) for _ in range(5)] == wanted
    assert next(cuts) > 1
    for name in names:
        client.withdraw(name)


def _scripted(*answers: httpx2.Response | Exception) -> tuple[httpx2.Client, list[httpx2.Request]]:
    left, asked = list(answers), list[httpx2.Request]()

    def handle(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx2.Client(transport=httpx2.MockTransport(handle)), asked


def test_a_command_is_sent_again_under_the_same_key() -> None:
    problem = {"type": "/problems#in-work", "detail": "wait"}
    offer = Path(__file__).parents[3] / "api/http/openapi/examples/live.json"
    kept = TypeAdapter(dict[str, dict[str, object]]).validate_json(offer.read_bytes())
    good = kept["POST /v1/offers/{offer_id}/accept"]["response"]
    assert isinstance(good, dict)
    http, asked = _scripted(
        httpx2.ConnectError("away"),
        httpx2.Response(503, headers={"retry-after": "7"}),
        httpx2.Response(409, json=problem),
        httpx2.Response(200, json={**good, "unknown": 1}),
    )
    waits: list[float] = []
    client = Client("http://yilu.example/", "yl_key", http=http, sleep=waits.append)
    assert client.accept("t-1").status == "accepted"
    assert len({request.headers["idempotency-key"] for request in asked}) == 1
    assert {request.headers["authorization"] for request in asked} == {"Bearer yl_key"}
    assert waits == [1.0, 7.0, 4.0]


def test_what_stays_refused_is_an_error() -> None:
    http, asked = _scripted(*(httpx2.Response(503, text="<html>") for _ in range(5)))
    with pytest.raises(ProblemError, match="status 503"):
        Client("http://yilu.example", http=http, sleep=lambda _: None).offers()
    assert len(asked) == 5
    http, asked = _scripted(httpx2.Response(401, json={"title": "no key", "type": "/problems#unauthorized"}))
    with pytest.raises(ProblemError, match="no key"):
        next(Client("http://yilu.example", http=http).events())
    assert len(asked) == 1


def test_a_line_that_broke_before_its_first_event_loses_none() -> None:
    opened = httpx2.Response(200, text="retry: 2000\nid: m1\n\n: still here\n\n")
    event = EventOut(seq="m2", at=_now(), kind="offer_made", id="k", rider_id="r", body={"a": 1})
    second = httpx2.Response(200, text=f"retry: 2000\nid: m1\n\nid: m2\ndata: {event.model_dump_json()}\n\n")
    http, asked = _scripted(opened, second)
    received = next(Client("http://yilu.example", http=http, sleep=lambda _: None).events())
    assert (received.mark, received.event) == ("m2", event)
    assert [one.headers.get("last-event-id") for one in asked] == [None, "m1"]


def test_a_stream_begins_with_a_mark_to_come_back_to(client: Client, url: str) -> None:
    with httpx2.stream("GET", f"{url}/v1/events/stream", headers=client._headers) as answer:
        opening = next(messages(answer.iter_lines()))
    assert opening.data == ""
    # While nobody listens something happens.
    task = client.publish(_task("meanwhile"))
    received = next(client.events(opening.event_id))
    assert (received.event.kind, received.event.id) == ("task_published", task.id)
    client.withdraw(task.id)


def test_messages_of_a_stream() -> None:
    lines = [": still here", "", "retry: 2", "", "id: 4", "event: a", "data: x", "data:y", "", "data: cut"]
    (one,) = messages(lines)
    assert (one.event_id, one.kind, one.data) == ("4", "a", "x\ny")


def test_a_webhook_is_believed_only_with_its_signature() -> None:
    event = EventOut(seq="w4", at=_now(), kind="offer_made", id="k", rider_id="r", body={"a": 1})
    hook = hooks.Webhook("w", "blue", "https://blue.example", SECRET, [], "active", 0, 0, None, 0.0)
    body, headers = message(event, hook, _now().timestamp())
    assert verified(SECRET, {name.title(): value for name, value in headers.items()}, body) == event
    with pytest.raises(InputError, match="not from the service"):
        verified(SECRET, headers, body.replace(b"offer_made", b"offer_gone"))
    old, stale = message(event, hook, _now().timestamp() - 600)
    with pytest.raises(InputError, match="not from the service"):
        verified(SECRET, stale, old)
