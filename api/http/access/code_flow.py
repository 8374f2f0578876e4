"""Signing in at an identity provider: authorization code flow of OpenID Connect, with PKCE, state and nonce.

What a sign-in under way needs lies in a cookie of the browser that began it, good for one return: nobody else
can end it (RFC 6749, section 10.12), a code that was seen on its way is worth nothing (RFC 7636), and the
answer of another provider is not taken (RFC 9207).
"""

import base64
import dataclasses
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode

import httpx2 as httpx

from api.http.access.oidc import LOOPBACK, Oidc, ProviderUnavailableError, TokenError
from api.settings import Settings
from api.store import Scope
from geo.errors import InputError

__all__ = ["CodeFlow", "Trip"]

TIMEOUT_S = 5.0
KEPT_S = 600.0
"""What the provider says of itself is read again after so long."""
_WORD_BYTES = 32
_ENDPOINTS = ("authorization_endpoint", "token_endpoint")


@dataclasses.dataclass(frozen=True, slots=True)
class Trip:
    """One sign-in under way, from leaving for the provider to coming back."""

    state: str
    nonce: str
    verifier: str
    path: str
    """Where to go on to, an address of this service."""

    @classmethod
    def begin(cls, path: str) -> "Trip":
        """Return a new one, of words that nobody can guess."""
        state, nonce, verifier = (secrets.token_urlsafe(_WORD_BYTES) for _ in range(3))
        return cls(state, nonce, verifier, path)

    @property
    def kept(self) -> str:
        """What the browser is to hold."""
        return ".".join((self.state, self.nonce, self.verifier, quote(self.path, safe="")))

    @classmethod
    def read(cls, kept: str) -> "Trip | None":
        """Return what a browser held; None where it is none."""
        parts = kept.split(".", 3)
        if len(parts) != 4 or not all(parts):
            return None
        state, nonce, verifier, path = parts
        return cls(state, nonce, verifier, unquote(path))

    @property
    def challenge(self) -> str:
        """Code challenge (S256) of the verifier."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class CodeFlow:
    """The way to one provider and back.

    Parameters
    ----------
    settings : Settings
        ``YILU_OIDC_CLIENT_ID`` is set, and the issuer.
    oidc : Oidc
        Checks what the provider signs.

    Raises
    ------
    InputError
        When the issuer's address is not encrypted.
    """

    def __init__(self, settings: Settings, oidc: Oidc) -> None:
        self._issuer = settings.oidc_issuer or ""
        if not self._issuer.startswith(("https://", *LOOPBACK)):
            raise InputError("environment variable YILU_OIDC_ISSUER: must begin with https://")
        self._settings, self._oidc = settings, oidc
        self._lock = threading.Lock()
        self._known: tuple[float, Mapping[str, Any]] | None = None

    def address(self, trip: Trip, back: str) -> str:
        """Return where the browser is sent to sign in.

        Parameters
        ----------
        trip : Trip
        back : str
            Address of this service at which the provider sends it back, as registered there.

        Raises
        ------
        ProviderUnavailableError
        """
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": back,
            "scope": self._settings.oidc_scope,
            "state": trip.state,
            "nonce": trip.nonce,
            "code_challenge": trip.challenge,
            "code_challenge_method": "S256",
        }
        endpoint = str(self._metadata()["authorization_endpoint"])
        # An address may have a query of its own, which stays (RFC 6749, section 3.1).
        return endpoint + ("&" if "?" in endpoint else "?") + urlencode(asked)

    def redeem(
        self, trip: Trip, told: Mapping[str, str], back: str, now_s: float
    ) -> tuple[Scope, str, float]:
        """Return what whoever came back may see, who it is, and when what the provider signed ends.

        Parameters
        ----------
        trip : Trip
            As this browser held it.
        told : mapping of str to str
            The query with which it came back.
        back : str
            As it was given to `address`.
        now_s : float

        Raises
        ------
        TokenError
            When the answer belongs to another sign-in, or the provider or its token says no.
        ProviderUnavailableError
        """
        if not hmac.compare_digest(told.get("state", "").encode(), trip.state.encode()):
            raise TokenError("this sign-in was not begun in this browser, or too long ago; begin again")
        if told.get("iss", self._issuer) != self._issuer:
            raise TokenError("the answer comes from another identity provider")
        if "error" in told or not told.get("code"):
            raise TokenError("the identity provider did not let you in")
        asked = {
            "grant_type": "authorization_code",
            "code": told["code"],
            "redirect_uri": back,
            "code_verifier": trip.verifier,
        }
        token = self._token(asked)
        client_id = self._settings.oidc_client_id or ""
        return self._oidc.verify_sign_in(token, client_id, trip.nonce, now_s)

    def _token(self, asked: Mapping[str, str]) -> str:
        metadata = self._metadata()
        client_id, secret = self._settings.oidc_client_id or "", self._settings.oidc_client_secret
        asked, proof = dict(asked), None
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if secret is not None and "client_secret_basic" in methods:
            # Both are form-encoded before they are joined (RFC 6749, section 2.3.1).
            proof = httpx.BasicAuth(quote(client_id, safe=""), quote(secret.get_secret_value(), safe=""))
        else:
            asked["client_id"] = client_id
            if secret is not None:
                asked["client_secret"] = secret.get_secret_value()
        try:
            answer = httpx.post(
                str(metadata["token_endpoint"]), data=asked, auth=proof, timeout=TIMEOUT_S,
                headers={"accept": "application/json"},
            )  # fmt: skip
        except httpx.HTTPError:
            raise ProviderUnavailableError("the identity provider cannot be reached now") from None
        if answer.status_code >= 500:
            raise ProviderUnavailableError("the identity provider cannot be reached now")
        found = _read(answer)
        token = found.get("id_token")
        if answer.status_code != 200 or not isinstance(token, str):
            raise TokenError("the identity provider did not let you in")
        return token

    def _metadata(self) -> Mapping[str, Any]:
        """Return what the provider says of itself (OpenID Connect Discovery 1.0)."""
        with self._lock:
            if self._known is not None and time.monotonic() < self._known[0]:
                return self._known[1]
            address = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
            try:
                answer = httpx.get(address, timeout=TIMEOUT_S, headers={"accept": "application/json"})
            except httpx.HTTPError:
                raise ProviderUnavailableError("the identity provider cannot be reached now") from None
            found = _read(answer) if answer.status_code == 200 else {}
            good = found.get("issuer") == self._issuer and all(
                str(found.get(name, "")).startswith(("https://", *LOOPBACK)) for name in _ENDPOINTS
            )
            if not good:
                raise ProviderUnavailableError("what the identity provider says of itself cannot be used")
            self._known = time.monotonic() + KEPT_S, found
            return found


def _read(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
