"""A service in a process of its own on loopback, which can be killed, and a client for it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

__all__ = ["Ask", "Process", "free_port"]

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Process:
    """`uvicorn` over a study and a database; started again on the same port after it was killed."""

    def __init__(self, folder: Path, database_url: str, port: int | None = None, **settings: str) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._words = [sys.executable, __file__, str(folder), database_url, str(self.port)]
        self._more = {f"YILU_{name.upper()}": value for name, value in settings.items()}
        self._running: subprocess.Popen[bytes] | None = None

    def start(self, wait_s: float = 90.0) -> None:
        environment = {**os.environ, **self._more, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests/helpers'}"}
        self._running = subprocess.Popen(self._words, env=environment, cwd=ROOT)
        end = time.monotonic() + wait_s
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:  # noqa: S310
                    if answer.status == 200:
                        return
            except OSError:
                assert self._running.poll() is None, "the service did not start"
                assert time.monotonic() < end, "the service is not there in time"
                time.sleep(0.05)

    def kill(self) -> None:
        """Kill -9."""
        if self._running is not None:
            self._running.send_signal(signal.SIGKILL)
            self._running.wait(20)
            self._running = None


class Ask:
    """Plain calls with a key; what came back, or None where nothing did."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key

    def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any, dict[str, str]] | None:
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read() or b"null"), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null"), dict(error.headers)
        except (OSError, ValueError):
            return None


def _main(folder: str, database_url: str, port: int) -> None:
    import uvicorn

    from api.http.app import create_app
    from api.http.auth import Access
    from api.settings import Settings
    from api.store import Database

    settings = Settings(rate_per_s=1e6, rate_burst=1_000_000, webhooks_private=True)
    access = Access(settings, Database(database_url), dev=False)
    app = create_app(Path(folder), settings=settings, access=access)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=5)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
