"""The live service from start to stop: the desk, those who wait for news, webhooks, studies."""

import contextlib
import gc
import socket
import sys
import zoneinfo
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from api.civic.desk import Civic
from api.civic.rules import GridFinder, civic_rules
from api.civic.streets import Streets
from api.dispatch.desk import Desk
from api.dispatch.translate import rider_of
from api.dispatch.webhooks import Sender
from api.http.access.auth import Access
from api.http.live import News
from api.http.metrics import Metrics
from api.http.shelf import Shelf
from api.http.stations.places import fill_older
from api.http.stations.said import visits_for_studies
from api.jobs.runner import JobFolders, Runner
from api.settings import Settings
from routing.dispatch import DispatchRules
from routing.model import Policy

__all__ = ["Server", "live_service", "rules_of", "server_of", "settle"]

DRAIN_S = 30
"""Requests that are being answered when the service is told to stop have so long."""
KEEP_ALIVE_S = 75
"""A connection may be silent for so long: longer than common clients keep theirs, so that they close it.

httpx gives up after five seconds, as uvicorn does of itself: requests then meet what is just being closed.
"""


def rules_of(settings: Settings) -> DispatchRules:
    """Return how tasks are offered, as the settings have it."""
    return DispatchRules(
        offer_for_s=settings.offer_for_s,
        most_open=settings.offers_at_once,
        retry_s=settings.retry_s,
        every_s=settings.match_every_s,
        patient_for_s=settings.patient_for_s,
        patient_extra_s=settings.patient_extra_s,
        silent_for_s=settings.silent_for_s,
    )


@contextlib.asynccontextmanager
async def live_service(app: FastAPI) -> AsyncIterator[None]:
    """Run what the live service needs while the application runs; without a database there is none.

    At the end what has been asked for is finished; open offers stay open, in the store.
    """
    access: Access = app.state.access
    database = access.database
    if database is None:
        yield
        return
    settings: Settings = app.state.settings
    zone = zoneinfo.ZoneInfo(app.state.served.meta.timezone)

    def clock() -> float:
        return float(app.state.clock().timestamp())

    today = app.state.clock().astimezone(zone).date()
    rules = civic_rules(app.state.served.meta.timezone, today)
    streets = Streets(app.state.served.network, rules.closures)
    civic = Civic(rules, app.state.ids, GridFinder(app.state.served.study.grids), streets)
    await run_in_threadpool(civic.begin, database, clock())
    desk = Desk(
        database,
        await run_in_threadpool(streets.network_at, clock()),
        Policy(),
        rules_of(settings),
        clock=clock,
        rider_of=rider_of,
        word=app.state.ids,
        followers=(civic,),
    )
    shelf: Shelf = app.state.shelf
    shelf.database = database
    await run_in_threadpool(fill_older, shelf, database)
    jobs_dir = settings.jobs_dir or app.state.served.folder / "jobs"
    places = JobFolders(jobs_dir, settings.studies, frozenset(shelf.named))
    runner = Runner(database, clock, places, settings, lambda: visits_for_studies(shelf, database, clock()))
    news = News(desk)
    await run_in_threadpool(desk.start)
    metrics: Metrics = app.state.metrics
    sender = Sender(
        database,
        lambda: desk.numbers,
        clock,
        zone,
        private=settings.webhooks_private,
        delivered=metrics.delivered,
    )
    desk.hear(sender.wake)
    desk.hear(metrics.kept)
    sender.start()
    runner.start()
    app.state.desk, app.state.news, app.state.runner = desk, news, runner
    app.state.civic = civic
    try:
        yield
    finally:
        news.close()
        await run_in_threadpool(runner.stop)
        await run_in_threadpool(desk.stop)
        await run_in_threadpool(sender.stop)
        app.state.desk = app.state.runner = app.state.civic = None
        await run_in_threadpool(database.close)


class Server(uvicorn.Server):
    """A server that ends streams and waiting requests when it is told to stop; else they would hold it up.

    `alone`: its process does nothing else, and is made ready for requests once the city has been read.
    """

    def __init__(self, config: uvicorn.Config, *, alone: bool) -> None:
        super().__init__(config)
        self._alone = alone
        if alone:
            # While study and city are read nothing becomes garbage.
            gc.set_threshold(100_000, 50, 100)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Read the city, then listen."""
        await super().startup(sockets)
        if self._alone:
            settle()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new request, finish those at hand."""
        app = self.config.app
        news: News | None = app.state.news if isinstance(app, FastAPI) else None
        if news is not None:
            news.close()
        await super().shutdown(sockets)


def settle() -> None:
    """Let neither garbage nor the other threads hold up an answer.

    Study and city stay for good, and requests have no cycles to speak of: to look through a million objects
    for them holds up every answer for a quarter of a second and more. Threads take turns after 1 ms.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(0.001)


def server_of(app: FastAPI, host: str, port: int, *, alone: bool = False) -> Server:
    """Return the server of an application, not running yet; `alone`: in a process of its own."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    return Server(config, alone=alone)
