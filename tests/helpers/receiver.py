"""A receiver of webhooks on loopback that believes nothing without its signature."""

import http.server
import json
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook as Signer


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of senders that are killed; a wrong signature gets no answer and is missed."""


class Receiver:
    """Takes events; `secret` is that of the webhook, known once it is made."""

    def __init__(self) -> None:
        self.secret = ""
        self.got: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.refuses = False
        self.location = ""
        self.during: Callable[[], None] = lambda: None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.during()
                self.send_response(503 if outer.refuses else outer.take(body, dict(self.headers.items())))
                if outer.location:
                    self.send_header("location", outer.location)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/events"

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        # Raises where the signature is not right: the sender gets no answer.
        told = Signer(self.secret).verify(
            body.decode(), {name.lower(): text for name, text in headers.items()}
        )
        self.got.append(told)
        self.ids.append(headers["webhook-id"])
        assert json.loads(body) == told
        return 204

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class Trusting(Receiver):
    """Looks at no signature: the clock of a test may stand in the past."""

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        self.ids.append(headers["webhook-id"])
        return 204
