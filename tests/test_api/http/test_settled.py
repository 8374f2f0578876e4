"""Once the city has been read, neither the search for garbage nor other threads hold up an answer."""

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi import FastAPI

from api.dispatch import laying
from api.http.running import server_of


class Kept:
    """What stays."""


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


def _looked_through(kept: list[Kept]) -> int:
    ids = set(map(id, kept))
    return sum(id(one) in ids for one in gc.get_objects())


async def _started(app: FastAPI, *, alone: bool) -> None:
    server = server_of(app, "127.0.0.1", 0, alone=alone)
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    await server.shutdown()


@pytest.mark.parametrize("alone", [True, False])
def test_what_is_read_at_the_start_is_not_looked_through_for_garbage(alone: bool) -> None:
    kept: list[Kept] = []

    @contextlib.asynccontextmanager
    async def reading(_: FastAPI) -> AsyncIterator[None]:
        kept.extend(Kept() for _ in range(3))
        yield

    app = FastAPI(lifespan=reading)
    app.state.news = None
    asyncio.run(_started(app, alone=alone))
    assert _looked_through(kept) == (0 if alone else 3)
    # Where a process does other things too, its ways stay as they were.
    assert (gc.get_freeze_count() > 0) == alone


def test_what_is_read_anew_is_not_looked_through_either() -> None:
    with laying.undisturbed():
        first = [Kept()]
    assert _looked_through(first) == len(first)
    gc.freeze()
    with laying.undisturbed():
        second = [Kept()]
    assert _looked_through(second) == 0
