"""Figures for Prometheus: what waits, how long things take, how far readers lag. No names, no positions."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.dispatch.desk import Desk
from api.dispatch.turn import KeptTurn
from api.dispatch.webhooks import deliveries
from api.store import StoreUnavailable
from routing.dispatch import OFFER_STATUSES

__all__ = ["Measured", "Metrics"]

BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
WAIT_BUCKETS_S = (*BUCKETS_S, 30.0, 60.0, 180.0, 600.0, 1_800.0, 3_600.0, 14_400.0)
"""Of what waits for people, or for addresses that do not answer."""
WEBHOOK_STATES = ("active", "failing", "disabled")


class Metrics:
    """The figures of one application; each has its own registry, so that tests do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "yilu_requests_total", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "yilu_request_seconds",
            "Time until the answer began.",
            ("method", "route"),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self.tasks = Gauge("yilu_tasks", "Live tasks by status.", ("status",), registry=self.registry)
        self.offers = Gauge(
            "yilu_offers", "Offers of live tasks by status.", ("status",), registry=self.registry
        )
        self.riders = Gauge("yilu_riders", "Riders that may be asked.", registry=self.registry)
        self.outcomes = Counter(
            "yilu_offers_reached", "Offers by the status they came into.", ("status",), registry=self.registry
        )
        self.kinds = Counter("yilu_events", "Events kept, by kind.", ("kind",), registry=self.registry)
        self.matched = Histogram(
            "yilu_match_seconds",
            "From publishing a task until it was first offered, or accepted by all it needs, and kept.",
            ("stage",),
            buckets=WAIT_BUCKETS_S,
            registry=self.registry,
        )
        self.lag = Histogram(
            "yilu_event_lag_seconds",
            "From an event until it was sent to a reader who is up to date, or taken by a webhook.",
            ("reader",),
            buckets=WAIT_BUCKETS_S,
            registry=self.registry,
        )
        self.readers = Gauge("yilu_event_streams", "Streams of events that are open.", registry=self.registry)
        self.webhooks = Gauge("yilu_webhooks", "Webhooks by state.", ("state",), registry=self.registry)
        self.behind = Gauge(
            "yilu_webhook_behind_seconds",
            "Age of the oldest event that waits for a webhook which fails.",
            registry=self.registry,
        )
        for status in OFFER_STATUSES:
            self.outcomes.labels(status)
        for stage in ("offered", "accepted"):
            self.matched.labels(stage)
        for reader in ("stream", "webhook"):
            self.lag.labels(reader)
        self.last_event = Gauge("yilu_last_event", "Number of the last event kept.", registry=self.registry)

    def kept(self, kept: KeptTurn) -> None:
        """Count what a transaction has kept."""
        for kind, number in kept.kinds.items():
            self.kinds.labels(kind).inc(number)
        for status, number in kept.outcomes.items():
            self.outcomes.labels(status).inc(number)
        for stage, waited_s in kept.waited_s:
            self.matched.labels(stage).observe(waited_s)

    def delivered(self, lag_s: float) -> None:
        """Note that a webhook has taken an event."""
        self.lag.labels("webhook").observe(lag_s)

    def streamed(self, lag_s: float) -> None:
        """Note that an event was sent to a reader of the stream."""
        self.lag.labels("stream").observe(max(lag_s, 0.0))

    def text(self, desk: Desk | None, now_s: float) -> bytes:
        """Return all figures at an instant in the text form of Prometheus."""
        if desk is not None:
            counts = desk.counts()
            for gauge, kind in ((self.tasks, counts.tasks), (self.offers, counts.offers)):
                gauge.clear()
                for status, number in kind.items():
                    gauge.labels(status).set(number)
            self.riders.set(counts.riders)
            self.last_event.set(desk.memory.last_seq)
            self._webhooks(desk, now_s)
        return generate_latest(self.registry)

    def _webhooks(self, desk: Desk, now_s: float) -> None:
        try:
            now = deliveries(desk.database, now_s)
        except StoreUnavailable:
            # The other figures say that it is away; these stay as they were.
            return
        for state in WEBHOOK_STATES:
            self.webhooks.labels(state).set(now.states.get(state, 0))
        self.behind.set(now.behind_s)


class Measured:
    """Count requests and take their time, by the form of the route and never by its values."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a `send` that looks at the status."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Set while the request was routed; what no route took is counted as one.
                route = getattr(scope.get("route"), "path", "none")
                method = scope["method"] if route != "none" else "any"
                self.metrics.requests.labels(method, route, str(message["status"])).inc()
                self.metrics.seconds.labels(method, route).observe(time.perf_counter() - began)
            await send(message)

        try:
            await self.app(scope, receive, measured)
        finally:
            # For the line in the log; the scope itself is another one where a body was inflated.
            scope.setdefault("state", {})["route"] = getattr(scope.get("route"), "path", "none")
