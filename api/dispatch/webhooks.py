"""Events sent to addresses that tenants named: signed, in order, again until they arrive.

Headers and signature are those of Standard Webhooks. Each address has the number of the last event that it
took; it is sent one event after the other, so the events of a task arrive in their order, each at least once.
"""

import base64
import collections
import contextlib
import dataclasses
import datetime
import ipaddress
import json
import logging
import secrets
import socket
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence

import httpx2 as httpx
import sqlalchemy as sa
from standardwebhooks import Webhook as Signer

from api.dispatch.forms import EventOut
from api.dispatch.translate import event_out
from api.dispatch.turn import KeptTurn
from api.store import SERVICE, Database, Role, Scope, StoreUnavailable
from api.store.access import tenants
from api.store.dispatch import events as stored
from api.store.dispatch import webhooks as hooks
from api.store.numbers import Numbers
from api.store.processes import Leadership
from geo.errors import InputError

__all__ = [
    "AFTER_S",
    "MOST_FAILURES",
    "Deliveries",
    "Sender",
    "after_failure",
    "check_address",
    "deliveries",
    "message",
    "new_secret",
    "rotated",
]

LOG = logging.getLogger("yilu.webhooks")
AFTER_S = (5.0, 30.0, 120.0, 600.0, 3_600.0, 3_600.0, 14_400.0, 14_400.0, 43_200.0)
"""How long after each failure in a row it is tried again; Standard Webhooks advises days, not minutes."""
MOST_FAILURES = len(AFTER_S) + 1
"""After so many in a row, some 22 hours, the address is switched off until its owner switches it on."""
AT_ONCE = 100
IDLE_S = 1.0
GATHERED_S = 0.05
"""What is kept is looked for no more often: to note how far an address came is a transaction of its own."""
ANSWER_S = 10.0
MOST_RETIRED = 3
"""So many secrets that were replaced may sign beside the newest."""
GONE = 410
"""By this answer a receiver says that it wants no more (Standard Webhooks)."""


def check_address(url: str, *, private: bool) -> tuple[str, ...]:
    """Refuse an address that events may not go to.

    Parameters
    ----------
    url : str
    private : bool
        Whether addresses of this machine and of private networks are allowed, and plain http with them.

    Returns
    -------
    tuple of str
        The machines that it names now, to be asked by these numbers: asked by its name, another one may
        answer. Empty where private ones are allowed.

    Raises
    ------
    InputError
        When it is no https address, or one of a private network: events would be sent to machines beside
        this one that trust it.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("https", *(["http"] if private else [])) or not parts.hostname:
        raise InputError("url must be an https address, such as https://platform.example/yilu")
    if parts.username or parts.password:
        raise InputError("url must not hold a name or a password; events are signed instead")
    if private:
        return ()
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError:
        raise InputError(f"url: the name {parts.hostname} is not known") from None
    numbers = tuple(dict.fromkeys(str(one[4][0]) for one in found))
    if not all(map(_is_public, numbers)):
        raise InputError("url must be reachable from the internet, not an address of a private network")
    return numbers


_IN_OTHER_CLOTHES = tuple(
    map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10"))
)
"""Translated and tunnelled addresses lead wherever the IPv4 address in them does (RFC 6052, 3056, 4380)."""


def _is_public(number: str) -> bool:
    address = ipaddress.ip_address(number.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    address = address if mapped is None else mapped
    hidden = any(address in network for network in _IN_OTHER_CLOTHES if network.version == address.version)
    return address.is_global and not address.is_multicast and not hidden


def message(event: EventOut, webhook: hooks.Webhook, now_s: float) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of one event for one address."""
    whole = {"type": event.kind, "timestamp": event.at.isoformat(), "data": event.model_dump(mode="json")}
    body = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    name = f"evt_{event.seq}"
    # The library takes the naive instant for one in UTC.
    at = datetime.datetime.fromtimestamp(int(now_s), datetime.UTC).replace(tzinfo=None)
    headers = {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(now_s)),
        # One for each secret that is good now: a receiver needs to know one of them.
        "webhook-signature": " ".join(
            Signer(secret).sign(name, at, body) for secret in webhook.secrets_at(now_s)
        ),
    }
    return body.encode(), headers


def new_secret() -> str:
    """Return a secret as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def rotated(webhook: hooks.Webhook, secret: str, now_s: float, overlap_s: float) -> hooks.Webhook:
    """Return an address with another secret; the one so far signs too for `overlap_s` from now.

    So its receiver may change at any moment meanwhile and loses nothing. Of older ones those go on that were
    still good, `MOST_RETIRED` in all. Without any time, as after a leak, all end at once.
    """
    if overlap_s <= 0.0:
        return dataclasses.replace(webhook, secret=secret, retired=None)
    good = [[old, until_s] for old, until_s in webhook.retired or () if now_s < until_s]
    so_far = [webhook.secret, now_s + overlap_s]
    return dataclasses.replace(webhook, secret=secret, retired=[so_far, *good][:MOST_RETIRED])


def after_failure(webhook: hooks.Webhook, now_s: float, status: int | None = None) -> hooks.Webhook:
    """Return an address after one more failure: tried again later, or switched off.

    `status` is what it answered; None: nothing.
    """
    failures = webhook.failures + 1
    if failures >= MOST_FAILURES or status == GONE:
        return dataclasses.replace(webhook, state="disabled", failures=failures, retry_at_s=None)
    wait_s = AFTER_S[failures - 1]
    return dataclasses.replace(webhook, state="failing", failures=failures, retry_at_s=now_s + wait_s)


def _rows_for(connection: sa.Connection, webhook: hooks.Webhook, limit: int) -> list[stored.EventRow]:
    """Return the events that an address is sent next."""
    tenant = tenants.get(connection, SERVICE, webhook.tenant_id)
    role: Role = "platform" if tenant is not None and tenant.kind == "platform" else "planner"
    return stored.after(connection, Scope(webhook.tenant_id, role), webhook.next_seq, limit)


@dataclasses.dataclass(frozen=True, slots=True)
class Deliveries:
    """How the addresses fare."""

    states: Mapping[str, int]
    """How many are active, failing or disabled."""
    behind_s: float
    """Age of the oldest event that waits for an address which fails; 0 where none does."""


def deliveries(database: Database, now_s: float) -> Deliveries:
    """Return how all addresses fare.

    Raises
    ------
    StoreUnavailable
    """
    with database.reading() as connection:
        every = hooks.list_all(connection, SERVICE)
        failing = [one for one in every if one.state == "failing"]
        first = [row for one in failing for row in _rows_for(connection, one, 1)]
    states = collections.Counter[str](one.state for one in every)
    return Deliveries(states, max((now_s - row.event.at_s for row in first), default=0.0))


def _sent(
    client: httpx.Client, url: str, numbers: Sequence[str], body: bytes, headers: Mapping[str, str]
) -> httpx.Response:
    """Send to a machine that was looked at, under the name that its certificate must have; opens a stream."""
    address = httpx.URL(url)
    named = {"host": address.netloc.decode(), **headers}
    told = {"sni_hostname": address.host}
    for number in numbers[:-1]:
        with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
            there = address.copy_with(host=number)
            asked = client.build_request("POST", there, content=body, headers=named, extensions=told)
            return client.send(asked, stream=True)
    there = address.copy_with(host=numbers[-1]) if numbers else address
    asked = client.build_request("POST", there, content=body, headers=named, extensions=told)
    return client.send(asked, stream=True)


class Sender:
    """Sends what is due, in a thread of its own.

    Parameters
    ----------
    database : Database
    numbers : callable
        Returns how events are named to their readers.
    clock : callable
        Returns the present moment in epoch seconds.
    zone : tzinfo
        Of the instants that are told.
    private : bool
        As for `check_address`; it is asked again before each delivery, for names move.
    delivered : callable, optional
        Is told how many seconds each event waited to be delivered.
    """

    def __init__(
        self,
        database: Database,
        numbers: Callable[[], Numbers],
        clock: Callable[[], float],
        zone: datetime.tzinfo,
        *,
        private: bool,
        delivered: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._database, self._clock, self._zone, self._private = database, clock, zone, private
        self._numbers, self._delivered = numbers, delivered
        self._leadership = Leadership(database, "webhooks")
        self._wake, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="yilu-webhooks", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self, kept: KeptTurn | None = None) -> None:
        """Look at once: something has been kept, and not just riders' reports."""
        if kept is None or kept.events:
            self._wake.set()

    def stop(self, timeout_s: float = ANSWER_S) -> None:
        """End after the delivery at hand."""
        self._closed.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._leadership.release()

    def _run(self) -> None:
        with httpx.Client(timeout=ANSWER_S, follow_redirects=False) as client:
            while not self._closed.is_set():
                began = time.monotonic()
                self._wake.clear()
                try:
                    # Of several processes one sends: two would bring the events of a task out of order.
                    more = self._leadership.try_lead() and self.send_due(client)
                except StoreUnavailable:
                    more = False
                except Exception:
                    LOG.exception("webhooks go on after an error")
                    more = False
                if not more:
                    self._wake.wait(IDLE_S)
                    self._closed.wait(max(began + GATHERED_S - time.monotonic(), 0.0))

    def send_due(self, client: httpx.Client) -> bool:
        """Send to every address that is due what it has not had; True where there may be more."""
        with self._database.reading() as connection:
            due = hooks.due(connection, SERVICE, self._clock(), AFTER_S[-1])
        more = False
        for webhook in due:
            # Every address gets its turn, whatever the others have left.
            more = (not self._closed.is_set() and self._send(client, webhook)) or more
        return more

    def _send(self, client: httpx.Client, webhook: hooks.Webhook) -> bool:
        with self._database.reading() as connection:
            # Kinds that are not wanted are passed over here, so that they count as seen.
            rows = _rows_for(connection, webhook, AT_ONCE)
        if not rows:
            return False
        before = webhook
        for row in rows:
            wanted = not webhook.kinds or row.event.kind in webhook.kinds
            status = self._answered(client, webhook, self._shown(row, webhook)) if wanted else 204
            if status is None or not 200 <= status < 300:
                self._save(before, after_failure(webhook, self._clock(), status))
                return False
            if wanted:
                self._delivered(max(self._clock() - row.event.at_s, 0.0))
            webhook = dataclasses.replace(
                webhook, next_seq=row.seq, state="active", failures=0, retry_at_s=None
            )
            if self._closed.is_set():
                break
        self._save(before, webhook)
        return len(rows) == AT_ONCE

    def _shown(self, row: stored.EventRow, webhook: hooks.Webhook) -> EventOut:
        return event_out(row, self._numbers().word(webhook.tenant_id, row.seq), self._zone)

    def _save(self, before: hooks.Webhook, now: hooks.Webhook) -> None:
        """Keep how far it came, unless its owner has changed it meanwhile (a replay)."""
        with self._database.transaction() as connection:
            if hooks.load_for_update(connection, SERVICE, before.webhook_id) == before:
                hooks.save(connection, SERVICE, now)

    def _answered(self, client: httpx.Client, webhook: hooks.Webhook, event: EventOut) -> int | None:
        """Send one event; returns the status that was answered."""
        body, headers = message(event, webhook, self._clock())
        try:
            numbers = check_address(webhook.url, private=self._private)
            with contextlib.closing(_sent(client, webhook.url, numbers, body, headers)) as answer:
                end_s = time.monotonic() + ANSWER_S
                # Read, so that the line can be used again; one that trickles would hold up all others.
                for _ in answer.iter_raw():
                    if time.monotonic() > end_s:
                        break
        except (httpx.HTTPError, InputError, ValueError):
            # The address may hold a secret word: it is not logged.
            LOG.info("webhook %s: no answer", webhook.webhook_id)
            return None
        if not answer.is_success:
            LOG.info("webhook %s: answered %d", webhook.webhook_id, answer.status_code)
        return answer.status_code
