"""Figures for Prometheus: what waits, how long things take, how far readers lag. No names, no positions."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.dispatch.desk import Desk

__all__ = ["Measured", "Metrics"]

BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


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
        self.last_event = Gauge("yilu_last_event", "Number of the last event kept.", registry=self.registry)

    def text(self, desk: Desk | None) -> bytes:
        """Return all figures in the text form of Prometheus."""
        if desk is not None:
            counts = desk.counts()
            for gauge, kind in ((self.tasks, counts.tasks), (self.offers, counts.offers)):
                gauge.clear()
                for status, number in kind.items():
                    gauge.labels(status).set(number)
            self.riders.set(counts.riders)
            self.last_event.set(desk.memory.last_seq)
        return generate_latest(self.registry)


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
