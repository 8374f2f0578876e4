"""What a handler may ask for: the served study, the clock, and the language of its caller."""

import dataclasses
import datetime
import secrets
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.civic.desk import Civic
from api.forms import Language
from api.http.language import preferred
from api.http.shelf import Shelf
from api.jobs.runner import Runner
from api.store import StoreUnavailable
from api.study.finished import FinishedStudy

__all__ = ["Clock", "Ids", "Lang", "Served", "new_id", "runner_of", "served_study", "utc_now"]


def utc_now() -> datetime.datetime:
    """Return the present moment."""
    return datetime.datetime.now(datetime.UTC)


def new_id() -> str:
    """Return a name that nobody can guess."""
    return secrets.token_hex(12)


async def _ids(request: Request) -> Callable[[], str]:
    ids: Callable[[], str] = request.app.state.ids
    return ids


async def served_study(request: Request) -> FinishedStudy:
    """Return the study that the address is about: that of its name, or the one without."""
    name: str | None = request.path_params.get("study")
    served: FinishedStudy = request.app.state.served
    if name is not None:
        # The first request for a study reads it from the disk.
        shelf: Shelf = request.app.state.shelf
        return (await run_in_threadpool(shelf.get, name)).served
    civic: Civic | None = request.app.state.civic
    if civic is None:
        return served
    # Streets that are shut or slow now are so for everybody who asks for a way.
    now_s = request.app.state.clock().timestamp()
    known = civic.streets.is_known(now_s)
    look = civic.streets.network_at
    network = look(now_s) if known else await run_in_threadpool(look, now_s)
    return served if network is served.network else dataclasses.replace(served, network=network)


def runner_of(request: Request) -> Runner:
    """Return what runs studies.

    Raises
    ------
    StoreUnavailable
        In a service without a store.
    """
    runner: Runner | None = request.app.state.runner
    if runner is None:
        raise StoreUnavailable("this service was started without a store", 60)
    return runner


async def _clock(request: Request) -> Callable[[], datetime.datetime]:
    clock: Callable[[], datetime.datetime] = request.app.state.clock
    return clock


async def _language(
    response: Response,
    accept_language: Annotated[
        str, Header(description="Language of reasons and changes: zh or en.", examples=["zh"])
    ] = "en",
) -> Language:
    lang = preferred(accept_language)
    response.headers["content-language"] = lang
    response.headers["vary"] = "accept-language"
    return lang


Lang = Annotated[Language, Depends(_language)]
Ids = Annotated[Callable[[], str], Depends(_ids)]
Served = Annotated[FinishedStudy, Depends(served_study)]
Clock = Annotated[Callable[[], datetime.datetime], Depends(_clock)]
