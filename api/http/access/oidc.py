"""Bearer tokens of an identity provider (OpenID Connect): verified, then mapped to a tenant and a role."""

import hmac
from typing import Any, cast

import jwt

from api.settings import Settings
from api.store import Role, Scope
from api.store.tables import ROLES
from geo.errors import InputError, YiluError

__all__ = ["LOOPBACK", "Oidc", "ProviderUnavailableError", "TokenError"]

# Signatures by a private key only: a secret shared with the provider could sign as well as check.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
LEEWAY_S = 30.0
FETCH_S = 3.0
LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")


class TokenError(YiluError):
    """A token that is not accepted."""


class ProviderUnavailableError(YiluError):
    """The provider's public keys cannot be fetched now."""

    retry_after_s = 5


class Oidc:
    """Tokens of one issuer for one audience.

    Parameters
    ----------
    settings : Settings
        ``YILU_OIDC_ISSUER``, ``YILU_OIDC_AUDIENCE`` and ``YILU_OIDC_JWKS`` are all set.

    Raises
    ------
    InputError
        When the address of the keys is not encrypted.
    """

    def __init__(self, settings: Settings) -> None:
        jwks = settings.oidc_jwks or ""
        if not jwks.startswith(("https://", *LOOPBACK)):
            raise InputError("environment variable YILU_OIDC_JWKS: must begin with https://")
        self._settings = settings
        self._keys = jwt.PyJWKClient(jwks, timeout=FETCH_S)

    def verify(self, token: str, now_s: float) -> tuple[Scope, str, float]:
        """Return what the holder of a token may see, who it is (``oidc:`` + subject), and when it ends.

        Raises
        ------
        TokenError
            When the token is forged, for others, not valid now, or names no tenant and role.
        ProviderUnavailableError
        """
        claims = self._claims(token, self._settings.oidc_audience)
        return self._holder(claims, now_s)

    def verify_sign_in(
        self, token: str, client_id: str, nonce: str, now_s: float
    ) -> tuple[Scope, str, float]:
        """Return the same of an ID token that was made for this service and this sign-in.

        Raises
        ------
        TokenError, ProviderUnavailableError
        """
        claims = self._claims(token, client_id)
        # OpenID Connect Core 1.0, section 3.1.3.7: of several audiences one asked for it.
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else client_id) != client_id:
            raise TokenError("the token is not one of the configured identity provider")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise TokenError("this sign-in was not begun in this browser, or too long ago; begin again")
        return self._holder(claims, now_s)

    def _holder(self, claims: dict[str, Any], now_s: float) -> tuple[Scope, str, float]:
        # By the clock of the service, not that of the library.
        if not now_s < float(claims["exp"]) + LEEWAY_S or float(claims.get("nbf", now_s)) > now_s + LEEWAY_S:
            raise TokenError("the token is not valid at this time")
        return self._scope(claims), f"oidc:{claims['sub']}", float(claims["exp"]) + LEEWAY_S

    def _claims(self, token: str, audience: str | None) -> dict[str, Any]:
        try:
            key = self._keys.get_signing_key_from_jwt(token)
            options: Any = {
                "require": ["exp", "iss", "aud", "sub"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            }
            return jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=audience,
                issuer=self._settings.oidc_issuer,
                options=options,
            )
        except jwt.PyJWKClientConnectionError:
            raise ProviderUnavailableError("the identity provider cannot be reached now") from None
        except (jwt.PyJWTError, ValueError):
            raise TokenError("the token is not one of the configured identity provider") from None

    def _scope(self, claims: dict[str, Any]) -> Scope:
        settings = self._settings
        given = claims.get(settings.oidc_role_claim)
        names = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        roles = {settings.oidc_roles.get(str(name), str(name)) for name in names} & set(ROLES)
        tenant = claims.get(settings.oidc_tenant_claim)
        # Two roles would be two scopes: which one is meant is not guessed.
        if len(roles) != 1 or not isinstance(tenant, str) or not tenant:
            raise TokenError("the token names no tenant with exactly one role")
        codes, rider = claims.get(settings.oidc_grid_claim), claims.get(settings.oidc_rider_claim)
        role = cast(Role, roles.pop())
        try:
            return Scope(
                tenant,
                role,
                tuple(map(str, codes)) if role == "grid_staff" and isinstance(codes, list) else (),
                str(rider) if role == "rider" and rider is not None else None,
            )
        except ValueError:
            raise TokenError(f"the token lacks what the role {role} needs") from None
