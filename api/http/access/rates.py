"""Rate limits: a token bucket a key, told by ``RateLimit`` headers (draft-ietf-httpapi-ratelimit-headers)."""

import dataclasses
import math
from collections import OrderedDict
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Allowance", "Buckets", "RateHeaders"]

MOST_BUCKETS = 20_000


@dataclasses.dataclass(frozen=True, slots=True)
class Allowance:
    """Whether a request is within the limit, and the headers that tell how much is left."""

    allowed: bool
    retry_after_s: int
    headers: Mapping[str, str]


class Buckets:
    """One bucket a key; it holds `burst` requests and fills at `per_s` requests a second."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s, self._burst = per_s, float(burst)
        self._policy = f'"default";q={burst};w={math.ceil(burst / per_s)}'
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, name: str, now_s: float) -> int:
        """Return the seconds until a request is within the limit; 0: now. Nothing is taken."""
        level, seen_s = self._levels.get(name, (self._burst, now_s))
        missing = 1.0 - min(self._burst, level + (now_s - seen_s) * self._per_s)
        return max(0, math.ceil(missing / self._per_s))

    def take(self, name: str, now_s: float) -> Allowance:
        """Take one request of a key. `now_s` never goes back (a monotonic clock)."""
        level, seen_s = self._levels.pop(name, (self._burst, now_s))
        level = min(self._burst, level + (now_s - seen_s) * self._per_s)
        allowed = level >= 1.0
        level -= allowed
        self._levels[name] = (level, now_s)
        if len(self._levels) > MOST_BUCKETS:
            # The one that was asked for longest ago is full again by now, or nearly so.
            self._levels.popitem(last=False)
        full_s = math.ceil((self._burst - level) / self._per_s)
        headers = {"ratelimit-policy": self._policy, "ratelimit": f'"default";r={int(level)};t={full_s}'}
        return Allowance(allowed, 0 if allowed else max(1, math.ceil((1.0 - level) / self._per_s)), headers)


class RateHeaders:
    """Add the headers that the check of a key left, to refusals and files too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a `send` that adds the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def with_rate(message: Message) -> None:
            if message["type"] == "http.response.start" and "rate" in state:
                extra = [(name.encode(), value.encode()) for name, value in state["rate"].items()]
                message = {**message, "headers": [*message.get("headers", []), *extra]}
            await send(message)

        await self.app(scope, receive, with_rate)
