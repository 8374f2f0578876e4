"""An identity provider on this machine: it lets everybody in, and refuses whatever is out of order."""

import base64
import contextlib
import hashlib
import http.server
import json
import secrets
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["Provider", "provided"]

CLIENT, SECRET = "yilu-pages", "s3:cret/+"


class Provider:
    """What it knows: its key, the codes it gave out, and what the tests want otherwise."""

    def __init__(self) -> None:
        self.key, self.issuer = ec.generate_private_key(ec.SECP256R1()), ""
        self.codes: dict[str, dict[str, str]] = {}
        self.claims: dict[str, Any] = {}
        self.told: dict[str, str] = {}
        self.asked: list[dict[str, str]] = []
        self.metadata: dict[str, Any] = {}
        self.refused: list[str] = []

    def settings(self, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        given = {
            "oidc_issuer": self.issuer, "oidc_audience": "yilu-api", "oidc_jwks": f"{self.issuer}/jwks",
            "oidc_client_id": CLIENT, "oidc_client_secret": SECRET,
        }  # fmt: skip
        return given | more

    def get(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        """Answer: a status with a document, or with an address to go on to."""
        if path == "/.well-known/openid-configuration":
            ends = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in ("authorization", "token")}
            methods = ["client_secret_post", "client_secret_basic"]
            told = {"issuer": self.issuer, "token_endpoint_auth_methods_supported": methods}
            return 200, {**ends, **told, **self.metadata}
        if path == "/jwks":
            found = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
            return 200, {"keys": [{**found, "kid": "1", "use": "sig"}]}
        assert path == "/authorization", path
        self.asked.append(query)
        code = secrets.token_hex(8)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], **self.told}
        return 303, f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """Exchange a code, once, as RFC 6749 and 7636 want it."""
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None:
            return self._no("code")
        wanted = base64.b64encode(f"{quote(CLIENT, safe='')}:{quote(SECRET, safe='')}".encode()).decode()
        if authorization != f"Basic {wanted}":
            return self._no("client")
        if form["redirect_uri"] != asked["redirect_uri"]:
            return self._no("redirect_uri")
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return self._no("code_verifier")
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "li", "nonce": asked["nonce"], **self.claims}
        held = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode(held, self.key, algorithm="ES256", headers={"kid": "1"})
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": token}

    def _no(self, why: str) -> tuple[int, Any]:
        self.refused.append(why)
        return 400, {"error": "invalid_grant"}


@contextlib.contextmanager
def provided() -> Iterator[Provider]:
    """Run one while the block runs."""
    provider = Provider()

    class Door(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._answer(*provider.get(parts.path, _single(parts.query)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self._answer(*provider.token(_single(body), self.headers.get("authorization", "")))

        def _answer(self, status: int, what: Any) -> None:  # noqa: ANN401
            self.send_response(status)
            if status == 303:
                self.send_header("location", what)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(what).encode())

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield provider
        server.shutdown()
        thread.join()


def _single(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
