"""The calls of the live service, with retries that carry nothing out twice."""

import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import httpx2
from pydantic import BaseModel

from api.civic.points.forms import KeySet, StatementOut
from api.client.problems import ProblemError
from api.client.stream import Received, messages
from api.dispatch.forms import (
    EventOut,
    OfferForRider,
    OfferList,
    RiderOut,
    RiderPage,
    RidersIn,
    RidersOut,
    RiderStateIn,
    TaskOut,
    TaskPage,
    TaskPublishIn,
)
from geo.datum import Datum

__all__ = ["Client"]

T = TypeVar("T", bound=BaseModel)
MOST_RIDERS = 5_000
TRIES = 5
AGAIN = (429, 502, 503, 504)
"""Refused for now: asked again after `Retry-After`."""
LONGEST_WAIT_S = 30.0
SILENCE_S = 45.0
"""A stream says something every 15 s; so much silence is a broken line."""


class Client:
    """A key's view of one live service.

    Every command carries an ``Idempotency-Key``, so a command whose answer was lost is sent again without
    being carried out twice. What the service or the line refuses for now is asked again, five times in all.

    Parameters
    ----------
    url : str
        Address of the service, such as ``https://yilu.example``.
    key : str, optional
        An API key; None where the service asks for none (``yilu serve --dev``).
    datum : {"wgs84", "gcj02", "bd09"}
        Of all positions, sent and received.
    http : httpx2.Client, optional
        Another client, with certificates or a proxy for instance; `url` and `key` are put into each call.
    sleep : callable
        Waits for so many seconds.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        datum: Datum = "wgs84",
        http: httpx2.Client | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._url, self.datum, self._sleep = url.rstrip("/"), datum, sleep
        self._headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._http = http or httpx2.Client(timeout=30.0)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    # -- riders

    def report(self, riders: Sequence[RiderStateIn]) -> RidersOut:
        """Report riders; more than 5,000 go in several requests."""
        written, ignored, off, warnings = 0, list[str](), [], []
        for first in range(0, len(riders), MOST_RIDERS):
            form = RidersIn(datum=self.datum, riders=tuple(riders[first : first + MOST_RIDERS]))
            done = self._ask(RidersOut, "PUT", "/v1/riders", form.model_dump(mode="json", exclude_none=True))
            written += done.written
            ignored += done.ignored
            off += done.off_network
            warnings += done.warnings
        return RidersOut(written=written, ignored=ignored, off_network=off, warnings=warnings)

    def rider(self, rider_id: str) -> RiderOut:
        """Return one rider, accepted tasks in the plan."""
        return self._ask(RiderOut, "GET", f"/v1/riders/{rider_id}", datum=self.datum)

    def riders(self) -> Iterator[RiderOut]:
        """Return all riders that the key sees, page by page."""
        after: str | None = ""
        while after is not None:
            page = self._ask(
                RiderPage, "GET", "/v1/riders", limit=1000, datum=self.datum, after=after or None
            )
            yield from page.riders
            after = page.next

    def take_off(self, rider_id: str) -> None:
        """Offer a rider no task any more."""
        self._send("DELETE", f"/v1/riders/{rider_id}")

    # -- tasks

    def publish(self, task: TaskPublishIn) -> TaskOut:
        """Publish a task; published before under the same name, it is returned as it stands."""
        body = task.model_dump(mode="json", exclude_none=True)
        return self._ask(TaskOut, "POST", "/v1/tasks", body, datum=self.datum)

    def change(self, name: str, task: TaskPublishIn, *, version: int | None = None) -> TaskOut:
        """Change a task that nobody has accepted; with `version` only while it is that."""
        body = task.model_dump(mode="json", exclude_none=True)
        match = {} if version is None else {"if-match": f'"{version}"'}
        return self._ask(TaskOut, "PUT", f"/v1/tasks/{name}", body, match, datum=self.datum)

    def task(self, name: str) -> TaskOut:
        """Return a task by the service's name of it (`id`)."""
        return self._ask(TaskOut, "GET", f"/v1/tasks/{name}", datum=self.datum)

    def tasks(self, status: Iterable[str] = ()) -> Iterator[TaskOut]:
        """Return all tasks that the key sees, page by page."""
        after: str | None = ""
        more: dict[str, Any] = {"status": list(status), "limit": 1000, "datum": self.datum}
        while after is not None:
            page = self._ask(TaskPage, "GET", "/v1/tasks", **more, after=after or None)
            yield from page.tasks
            after = page.next

    def withdraw(self, name: str, reason: str = "") -> TaskOut:
        """Withdraw a task."""
        return self._command(TaskOut, f"/v1/tasks/{name}/withdraw", {"reason": reason})

    def verify(self, name: str, note: str = "") -> TaskOut:
        """Say that a task is done."""
        return self._command(TaskOut, f"/v1/tasks/{name}/verify", {"note": note})

    def reopen(self, name: str, reason: str, latest: str) -> TaskOut:
        """Open a task again, until `latest` (ISO 8601 with an offset)."""
        return self._command(TaskOut, f"/v1/tasks/{name}/reopen", {"reason": reason, "latest": latest})

    # -- offers

    def offers(
        self, rider_id: str | None = None, *, wait_s: float = 0.0, status: Iterable[str] = ("open",)
    ) -> list[OfferForRider]:
        """Return offers; with `wait_s` wait so long (60 s at most) for the first one."""
        more: dict[str, Any] = {
            "rider_id": rider_id,
            "wait_s": wait_s,
            "status": list(status),
            "datum": self.datum,
        }
        return self._ask(OfferList, "GET", "/v1/offers", timeout_s=wait_s + 30.0, **more).offers

    def offer(self, offer_id: str) -> OfferForRider:
        """Return one offer."""
        return self._ask(OfferForRider, "GET", f"/v1/offers/{offer_id}", datum=self.datum)

    def accept(self, offer_id: str) -> OfferForRider:
        """Say yes. Where it is too late, or a stop would be late now, `ProblemError` says so (409)."""
        return self._command(OfferForRider, f"/v1/offers/{offer_id}/accept", {})

    def decline(self, offer_id: str, reason: str = "") -> OfferForRider:
        """Say no."""
        return self._command(OfferForRider, f"/v1/offers/{offer_id}/decline", {"reason": reason})

    def give_back(self, offer_id: str, reason: str = "") -> OfferForRider:
        """Give an accepted task back."""
        return self._command(OfferForRider, f"/v1/offers/{offer_id}/return", {"reason": reason})

    def start(self, offer_id: str) -> OfferForRider:
        """Say that the rider is there."""
        return self._command(OfferForRider, f"/v1/offers/{offer_id}/start", {})

    def finish(
        self, offer_id: str, note: str = "", photo: str = "", *, there: bool | None = None
    ) -> OfferForRider:
        """Say that it is done; of a look at a street report, whether what was reported is `there`."""
        said = {"note": note, "photo": photo, "there": there}
        return self._command(OfferForRider, f"/v1/offers/{offer_id}/finish", said)

    def statement(self, offer_id: str) -> StatementOut:
        """Return the signed public-benefit time of a verified task."""
        return self._ask(StatementOut, "GET", f"/v1/offers/{offer_id}/statement")

    def statement_keys(self) -> dict[str, Any]:
        """Return the public keys for `read_statement`; keep them, and check statements without asking."""
        return self._ask(KeySet, "GET", "/v1/statements/keys").model_dump()

    # -- events

    def events(self, mark: str | None = None) -> Iterator[Received]:
        """Return events as they happen, without end; a broken line is taken up where it broke.

        Parameters
        ----------
        mark : str, optional
            Go on after this event; None: from now on.

        Raises
        ------
        ProblemError
            When the service refuses: the key has ended, for instance.
        """
        failures = 0
        while True:
            headers = {**self._headers, **({} if mark is None else {"last-event-id": mark})}
            try:
                with self._http.stream(
                    "GET", f"{self._url}/v1/events/stream", headers=headers, timeout=SILENCE_S
                ) as answer:
                    if answer.status_code != 200:
                        answer.read()
                        if answer.status_code not in AGAIN:
                            raise ProblemError.of(answer)
                        failures += 1
                        self._sleep(_wait_s(answer, failures))
                        continue
                    failures = 0
                    for message in messages(answer.iter_lines()):
                        mark = message.event_id or mark
                        if not message.data:
                            continue
                        yield Received(
                            message.event_id, EventOut.model_validate_json(message.data, extra="ignore")
                        )
            except httpx2.TransportError:
                failures += 1
            # The service has ended the stream, or the line broke.
            self._sleep(min(0.5 * 2**failures, LONGEST_WAIT_S))

    # -- the line

    def _command(self, form: type[T], path: str, body: dict[str, Any]) -> T:
        return self._ask(form, "POST", path, body, datum=self.datum)

    def _ask(
        self,
        form: type[T],
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        *,
        timeout_s: float = 30.0,
        **query: Any,  # noqa: ANN401 - what a query may hold
    ) -> T:
        params = {name: value for name, value in query.items() if value is not None}
        content = None if body is None else json.dumps(body).encode()
        answer = self._send(method, path, content, headers, params, timeout_s)
        # A newer service may say more than this client knows.
        return form.model_validate_json(answer.content, extra="ignore")

    def _send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        params: dict[str, Any] | None = None,
        timeout_s: float = 30.0,
    ) -> httpx2.Response:
        sent = {**self._headers, **(headers or {})}
        if content is not None:
            sent["content-type"] = "application/json"
        if method == "POST":
            # The same for all tries: the service answers the second as it answered the first.
            sent["idempotency-key"] = uuid.uuid4().hex
        for tried in range(1, TRIES + 1):
            try:
                answer = self._http.request(
                    method, self._url + path, content=content, headers=sent, params=params, timeout=timeout_s
                )
            except httpx2.TransportError:
                if tried == TRIES:
                    raise
                self._sleep(min(0.5 * 2**tried, LONGEST_WAIT_S))
                continue
            in_work = answer.status_code == 409 and ProblemError.of(answer).kind == "in-work"
            if tried < TRIES and (answer.status_code in AGAIN or in_work):
                self._sleep(_wait_s(answer, tried))
                continue
            if answer.status_code >= 400:
                raise ProblemError.of(answer)
            return answer
        raise AssertionError("every try returns or raises")


def _wait_s(answer: httpx2.Response, tried: int) -> float:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else min(0.5 * 2**tried, LONGEST_WAIT_S)
