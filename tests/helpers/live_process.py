"""A service in a process of its own on loopback, which can be killed, and a client for it."""

import atexit
import http.client
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


class _Nursery:
    """A process that has imported everything and has a child for each service: they begin at once."""

    def __init__(self) -> None:
        self._parent: subprocess.Popen[str] | None = None

    def ask(self, **words: object) -> int:
        if self._parent is None:
            environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests/helpers'}"}
            self._parent = subprocess.Popen(
                [sys.executable, __file__], env=environment, cwd=ROOT, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            atexit.register(self.end)
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(words) + "\n")
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())

    def end(self) -> None:
        if self._parent is not None:
            self._parent.communicate(timeout=20)
            self._parent = None


_NURSERY = _Nursery()


class Process:
    """The service over a study and a database; started again on the same port after it was killed."""

    def __init__(self, folder: Path, database_url: str, port: int | None = None, **settings: str) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        more = {f"YILU_{name.upper()}": value for name, value in settings.items()}
        self._words = {"folder": str(folder), "url": database_url, "port": self.port, "more": more}
        self._pid = 0

    def start(self, wait_s: float = 300.0) -> None:
        self._pid = _NURSERY.ask(**self._words)
        end = time.monotonic() + wait_s
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:  # noqa: S310
                    if answer.status == 200:
                        return
            except OSError:
                assert time.monotonic() < end, "the service is not there in time"
                time.sleep(0.02)

    @property
    def pid(self) -> int:
        """Of the process; 0 where none runs."""
        return self._pid

    def kill(self) -> None:
        """Kill -9."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            _NURSERY.ask(gone=self._pid)
            self._pid = 0


class Ask:
    """Plain calls with a key; what came back, or None where nothing did."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key

    def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any, dict[str, str]] | None:
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read() or b"null"), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null"), dict(error.headers)
        except (OSError, ValueError, http.client.HTTPException):
            # Killed while it answered, too.
            return None


def _serve(folder: str, url: str, port: int, more: dict[str, str]) -> None:
    from api.http.access.auth import Access
    from api.http.app import create_app
    from api.http.running import server_of
    from api.settings import Settings
    from api.store import Database

    os.environ.update(more)
    settings = Settings(rate_per_s=1e6, rate_burst=1_000_000, webhooks_private=True)
    app = create_app(Path(folder), settings=settings, access=Access(settings, Database(url), dev=False))
    server_of(app, "127.0.0.1", port, alone=True).run()


def _nurse() -> None:
    import uvicorn  # noqa: F401 - so that no child has to

    import api.http.app  # noqa: F401

    children = set()
    for line in sys.stdin:
        words = json.loads(line)
        if "gone" in words:
            os.waitpid(words["gone"], 0)
            children.discard(words["gone"])
            print(0, flush=True)  # noqa: T201 - what the tests read
            continue
        child = os.fork()
        if child == 0:
            os.dup2(2, 1)
            # Not closed: the event loop must not get the number of a standard file.
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            _serve(**words)
            os._exit(0)
        children.add(child)
        print(child, flush=True)  # noqa: T201
    for child in children:
        os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    _nurse()
