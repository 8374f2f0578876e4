"""Who calls: an API key or a token of an identity provider becomes a scope, before a handler runs.

Without keys the service starts only for this machine: by `--dev`, or on a loopback address.
"""

import dataclasses
import datetime
import hashlib
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from api.http.access.code_flow import CodeFlow
from api.http.access.oidc import Oidc, TokenError
from api.http.access.rates import Buckets
from api.settings import Settings
from api.store import SERVICE, Database, Role, Scope, StoreUnavailable
from api.store.access import keys, sessions, tenants
from geo.errors import InputError, YiluError

__all__ = [
    "BEARER",
    "DEV_TENANT",
    "Access",
    "Caller",
    "ForbiddenError",
    "RateLimitedError",
    "UnauthorizedError",
    "Who",
    "caller_of",
    "check_role",
    "open_access",
    "open_database",
    "require",
]

DATABASE = "yilu.db"
DEV_TENANT, DEV_OFFICE = "dev", "dev-office"
CACHED_S = 5.0
"""A key that was checked is good for so long: so late a revocation may take effect."""
MOST_CACHED = 10_000
FAILED_PER_S = 0.5
FAILED_BURST = 30
"""Keys that are not good, of one address: so many in the long run, and at once."""
TOUCHED_S = 60.0
"""So far apart is the last use of a key written down."""
_ADMIN_OF_DEV = Scope(DEV_TENANT, "admin")


class UnauthorizedError(YiluError):
    """No key, or none that opens anything."""

    def __init__(self, reason: str, *, given: bool) -> None:
        super().__init__(reason)
        self.given = given
        # RFC 6750, section 3.1: the error is named only where a token was there.
        self.headers = {
            "www-authenticate": 'Bearer realm="yilu"' + (', error="invalid_token"' if given else "")
        }


class ForbiddenError(YiluError):
    """The key is good, but not for this."""


class RateLimitedError(YiluError):
    """More requests than the key may make."""

    def __init__(
        self, retry_after_s: int, reason: str = "this key has made as many requests as it may"
    ) -> None:
        super().__init__(f"{reason}; ask again in {retry_after_s} s")
        self.headers = {"retry-after": str(retry_after_s)}


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and by which key (for the audit log)."""

    scope: Scope
    key_id: str
    request_id: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class _Known:
    """A key or token that was checked: until when that is remembered, and when it ends by itself."""

    caller: Caller
    until_s: float
    ends_s: float


class Access:
    """The check of keys and tokens, with what it remembers for some seconds.

    Parameters
    ----------
    settings : Settings
    database : Database or None
        None: nobody but a developer, and no keys.
    dev : bool
        A request without a key is that of an admin of the tenant `dev`.
    """

    def __init__(self, settings: Settings, database: Database | None, *, dev: bool) -> None:
        self.database, self.dev = database, dev
        self._oidc = _oidc_of(settings)
        self.code_flow = _code_flow_of(settings, self._oidc)
        self._buckets = Buckets(settings.rate_per_s, settings.rate_burst)
        self._failed = Buckets(FAILED_PER_S, FAILED_BURST)
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def caller(self, request: Request, token: str | None, *, fresh: bool = False) -> Caller:
        """Return who calls; `fresh`: by the store alone, whatever was remembered.

        Raises
        ------
        UnauthorizedError, RateLimitedError, StoreUnavailable, ProviderUnavailableError
        """
        if token is None:
            if "authorization" in request.headers:
                raise UnauthorizedError("the authorization header must read: Bearer KEY", given=True)
            if not self.dev:
                raise UnauthorizedError("this call needs a key: send authorization: Bearer KEY", given=False)
            return Caller(_ADMIN_OF_DEV, DEV_TENANT)
        if fresh:
            self._known.pop(hashlib.sha256(token.encode()).digest(), None)
        clock: Callable[[], datetime.datetime] = request.app.state.clock
        caller = await self._checked(request, token, clock().timestamp())
        return self._counted(request, caller)

    async def visitor(self, request: Request, token: str) -> Caller:
        """Return who has signed in to the pages and holds this token.

        Raises
        ------
        UnauthorizedError
            Where the session is over.
        RateLimitedError, StoreUnavailable
        """
        database, clock = self.database, request.app.state.clock
        over = UnauthorizedError("the session is over; sign in again", given=False)
        if database is None:
            raise over

        def look_up() -> sessions.Session | None:
            with database.reading() as connection:
                return sessions.find(connection, token, clock().timestamp())

        found = await run_in_threadpool(look_up)
        # What was opened without a key is shut when keys are asked for.
        if found is None or (found.key_id == sessions.DEV and not self.dev):
            raise over
        return self._counted(request, Caller(found.scope, found.key_id))

    @property
    def oidc(self) -> Oidc | None:
        """The identity provider; None where none is configured."""
        return self._oidc

    def _counted(self, request: Request, caller: Caller) -> Caller:
        """Count a request against the rate of its key."""
        taken = self._buckets.take(caller.key_id, time.monotonic())
        request.state.rate = taken.headers
        if not taken.allowed:
            raise RateLimitedError(taken.retry_after_s)
        return dataclasses.replace(caller, request_id=getattr(request.state, "request_id", None))

    async def _checked(self, request: Request, token: str, now_s: float) -> Caller:
        name = hashlib.sha256(token.encode()).digest()
        known = self._known.get(name)
        if known is not None and time.monotonic() < known.until_s and now_s < known.ends_s:
            return known.caller
        address = "" if request.client is None else request.client.host
        # A key that was good a moment ago is looked up whatever others at its address try.
        if known is None and (wait_s := self._failed.wait_s(address, time.monotonic())):
            raise RateLimitedError(wait_s, "too many keys from this address were not good")
        self._known.pop(name, None)
        try:
            caller, ends_s = await run_in_threadpool(self._look_up, token, now_s)
        except UnauthorizedError:
            self._failed.take(address, time.monotonic())
            raise
        self._known[name] = _Known(caller, time.monotonic() + CACHED_S, ends_s)
        if len(self._known) > MOST_CACHED:
            self._known.popitem(last=False)
        return caller

    def known(self, found: tuple[Scope, str, float]) -> tuple[Caller, float]:
        """Return who the provider has named, and when that ends.

        Raises
        ------
        UnauthorizedError
            When it names a tenant that is not known here.
        """
        scope, who, ends_s = found
        if self.database is None:
            raise StoreUnavailable("this service was started without a store", 60)
        with self.database.reading() as connection:
            if tenants.get(connection, SERVICE, scope.tenant_id or "") is None:
                raise UnauthorizedError("the token names a tenant that is not known here", given=True)
        return Caller(scope, who), ends_s

    def _look_up(self, token: str, now_s: float) -> tuple[Caller, float]:
        """Return who calls, and when the key or token ends."""
        unknown = UnauthorizedError("the key is not known, has expired or was revoked", given=True)
        if self.database is None:
            raise unknown
        if token.startswith("yl_") or self._oidc is None:
            with self.database.reading() as connection:
                key = keys.check(connection, token, now_s)
            if key is None:
                raise unknown
            self._touch(key, now_s)
            return Caller(key.scope, key.key_id), key.ends_s
        try:
            return self.known(self._oidc.verify(token, now_s))
        except TokenError as error:
            raise UnauthorizedError(str(error), given=True) from None

    def _touch(self, key: keys.ApiKey, now_s: float) -> None:
        if self.database is None or now_s - (key.last_used_s or 0.0) < TOUCHED_S:
            return
        try:
            with self.database.transaction() as connection:
                keys.touch(connection, [key.key_id], now_s)
        except StoreUnavailable:
            # A note only: who may read is not refused because nobody may write.
            return


def _oidc_of(settings: Settings) -> Oidc | None:
    named = {
        "YILU_OIDC_ISSUER": settings.oidc_issuer,
        "YILU_OIDC_AUDIENCE": settings.oidc_audience,
        "YILU_OIDC_JWKS": settings.oidc_jwks,
    }
    missing = [name for name, value in named.items() if not value]
    if len(missing) == len(named):
        return None
    if missing:
        raise InputError(
            f"environment variable {missing[0]}: is missing; tokens need all of {', '.join(named)}"
        )
    return Oidc(settings)


def _code_flow_of(settings: Settings, oidc: Oidc | None) -> CodeFlow | None:
    if settings.oidc_client_id is None:
        return None
    if oidc is None:
        raise InputError("environment variable YILU_OIDC_ISSUER: is missing; YILU_OIDC_CLIENT_ID needs it")
    return CodeFlow(settings, oidc)


def open_database(settings: Settings, folder: Path) -> Database:
    """Open the database of the settings, or the one in the folder of a study, with the newest tables.

    Raises
    ------
    InputError
        When the address is none, or a newer Yilu wrote it.
    StoreUnavailable
        When it is away.
    """
    database = Database(settings.database_url or f"sqlite:///{folder / DATABASE}")
    database.migrate()
    return database


def open_access(settings: Settings, folder: Path, host: str, now_s: float, *, dev: bool) -> Access:
    """Decide whether the service may start, and open what it needs.

    Without `dev` it needs a key or an identity provider. A loopback address with neither, and no database
    named, counts as `dev`.

    Raises
    ------
    InputError
        When everybody could do everything; the sentence says what is missing.
    """
    database = open_database(settings, folder)
    with database.transaction() as connection:
        has_keys = keys.any_usable(connection, SERVICE, now_s)
        alone = _is_loopback(host) and settings.database_url is None
        dev = dev or (alone and not has_keys and _oidc_of(settings) is None)
        # Without an office nobody would take what is reported in the street.
        known = {one.tenant_id for one in tenants.list_all(connection, SERVICE)}
        platform = tenants.Tenant(DEV_TENANT, DEV_TENANT, "platform", now_s)
        office = tenants.Tenant(DEV_OFFICE, DEV_OFFICE, "office", now_s)
        for made in (platform, office) if dev else ():
            if made.tenant_id not in known:
                tenants.add(connection, SERVICE, made)
    if not dev and not has_keys and _oidc_of(settings) is None:
        database.close()
        raise InputError(
            "no key opens this service yet: make one with yilu keys create --role admin, or start with --dev,"
            " which lets everybody who reaches it do everything"
        )
    return Access(settings, database, dev=dev)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="An API key (`yl_...`) or a token of the identity provider.",
)


async def caller_of(request: Request, given: HTTPAuthorizationCredentials | None) -> Caller:
    """Return who calls; asked once, so that a request counts once against the rate of its key."""
    known: Caller | None = getattr(request.state, "caller", None)
    if known is None:
        access: Access = request.app.state.access
        known = await access.caller(request, None if given is None else given.credentials)
        request.state.caller = known
    return known


async def _caller(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
) -> Caller:
    return await caller_of(request, given)


Who = Annotated[Caller, Depends(_caller)]
"""Ask for it in a handler: who calls. Without a key the answer is 401."""


def check_role(who: Caller, roles: Collection[Role]) -> None:
    """Let some roles and admins through.

    Raises
    ------
    ForbiddenError
        For every other role.
    """
    if who.scope.role != "admin" and who.scope.role not in roles:
        raise ForbiddenError(f"a key with the role {who.scope.role} cannot do this")


def require(*roles: Role) -> Callable[[Caller], Coroutine[Any, Any, Caller]]:
    """Return a dependency that lets only some roles (and admins) through; others get 403."""

    # On the event loop: a plain function would go through the thread pool with every request.
    async def allowed(who: Who) -> Caller:
        check_role(who, roles)
        return who

    return allowed
