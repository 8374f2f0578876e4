"""What a handler may ask for: the served study and the clock."""

import datetime
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from api.study.finished import FinishedStudy

__all__ = ["Clock", "Served", "utc_now"]


def utc_now() -> datetime.datetime:
    """Return the present moment."""
    return datetime.datetime.now(datetime.UTC)


async def _served(request: Request) -> FinishedStudy:
    served: FinishedStudy = request.app.state.served
    return served


async def _clock(request: Request) -> Callable[[], datetime.datetime]:
    clock: Callable[[], datetime.datetime] = request.app.state.clock
    return clock


Served = Annotated[FinishedStudy, Depends(_served)]
Clock = Annotated[Callable[[], datetime.datetime], Depends(_clock)]
