"""One reading of a page: who reads what of which city, and what is answered."""

import dataclasses
import datetime
import zoneinfo
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.civic.desk import Civic
from api.dispatch.desk import Desk, Turn
from api.http.access.auth import Caller, check_role
from api.http.deps import served_study
from api.http.live import carried_out, commanded
from api.http.pages.frame.live_part import LivePart, live_part
from api.http.pages.frame.render import page
from api.http.pages.frame.visitor import Visiting, Visitor
from api.http.pages.frame.wording import Saying
from api.store import Role, Scope, StoreUnavailable
from api.study.finished import FinishedStudy

__all__ = ["AnyVisit", "PageVisit", "visit_of"]

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class PageVisit:
    """A reader, and the city that they look at."""

    request: Request
    visitor: Visitor
    served: FinishedStudy
    zone: datetime.tzinfo
    now: datetime.datetime

    @property
    def saying(self) -> Saying:
        """Values in words."""
        return Saying(self.visitor.lang, self.zone, self.now)

    @property
    def me(self) -> Caller:
        """Who has signed in."""
        return self.visitor.me

    @property
    def who(self) -> Scope:
        """What they may see."""
        return self.me.scope

    @property
    def live(self) -> Desk:
        """The live city.

        Raises
        ------
        StoreUnavailable
            Where the service was started without a store.
        """
        desk: Desk | None = self.request.app.state.desk
        if desk is None:
            raise StoreUnavailable("this service was started without a store", 60)
        return desk

    @property
    def civic(self) -> Civic:
        """Reports, points and closures.

        Raises
        ------
        StoreUnavailable
        """
        civic: Civic | None = self.request.app.state.civic
        if civic is None:
            raise StoreUnavailable("this service was started without a store", 60)
        return civic

    def say(self, key: str, **params: object) -> str:
        """Return words of the catalogue."""
        return self.visitor.texts.text(key, **params)

    def page(self, template: str, status: int = 200, **more: Any) -> Response:  # noqa: ANN401
        """Return a page; see `render.page`."""
        return page(self.request, self.visitor, template, status, saying=self.saying, **more)

    def part(self, template: str, address: str, news: str = "/news", **more: Any) -> LivePart:  # noqa: ANN401
        """Return a part that is fetched anew; see `live_part`."""
        more |= {"saying": self.saying, "news": news}
        return live_part(self.request, self.visitor, template, address, **more)

    async def read(self, work: Callable[..., T], *given: Any) -> T:  # noqa: ANN401
        """Read from the store, beside the event loop."""
        return await run_in_threadpool(work, *given)

    async def carried_out(self, work: Callable[[Turn], T], of: str | None = None) -> T:
        """Have a command carried out."""
        return await carried_out(self.live, work, of)

    async def commanded(
        self, act: tuple[str, str | None], work: Callable[[Turn], T], of: str | None = None
    ) -> T:
        """Have a command carried out that goes on record."""
        return await commanded(self.live, self.me, act, work, of)


async def _any_visit(request: Request, visitor: Visiting) -> PageVisit:
    state = request.app.state
    zone = zoneinfo.ZoneInfo(state.served.meta.timezone)
    return PageVisit(request, visitor, await served_study(request), zone, state.clock())


AnyVisit = Annotated[PageVisit, Depends(_any_visit)]
"""Ask for it in a handler of a page that everybody may read."""


def visit_of(*roles: Role) -> Callable[[PageVisit], Awaitable[PageVisit]]:
    """Return a dependency that lets only some roles (and admins) in; others are told so."""

    async def allowed(visit: AnyVisit) -> PageVisit:
        check_role(visit.me, roles)
        return visit

    return allowed
