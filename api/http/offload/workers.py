"""Processes that answer large requests with the same application, so that this one answers all others."""

import asyncio
import concurrent.futures
import dataclasses
import functools
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, MutableMapping
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response

from api.http.offload.warm import PARTS, compile_part, warm_up
from api.http.problems.errors import WorkerLostError
from api.study.finished import META_FILE, FinishedStudy
from geo.streets import StreetOverride

__all__ = ["AskedRequest", "Workers"]

MOST_PROCESSES = 4
"""One a processor, and no more than so many."""
MOST_STUDIES = 4
"""Studies that a worker holds at one time; their streets are mapped from the disk."""
POLITE = 5
"""Added to their niceness: the process that answers everybody goes first."""
KEPT_HEADERS = frozenset({"content-language", "vary", "retry-after"})


@dataclasses.dataclass(frozen=True, slots=True)
class AskedRequest:
    """A request whose caller has been checked, as it goes to another process."""

    folder: Path
    """Of the study that it is about."""
    path: str
    below: str
    """The beginning of the path that names the study."""
    query: bytes
    language: str | None
    kind: str | None
    body: bytes
    overrides: tuple[tuple[StreetOverride, ...], float] = ((), 0.0)
    """Streets that are shut or slow now, and since when (epoch seconds)."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Answered:
    status: int
    headers: dict[str, str]
    kind: str | None
    body: bytes


class Workers:
    """The processes of one service.

    Parameters
    ----------
    made : callable
        Makes the application of the study in a folder; it is sent to the processes, and called there.
    processes : int
        How many; they start with the first request, or with `warm`.
    """

    def __init__(self, made: Callable[[Path], FastAPI], processes: int | None = None) -> None:
        self._made = made
        self.processes = processes or min(os.cpu_count() or 1, MOST_PROCESSES)
        self._lock = threading.Lock()
        self._pool = self._started()

    def _started(self) -> concurrent.futures.ProcessPoolExecutor:
        return concurrent.futures.ProcessPoolExecutor(
            self.processes,
            # A fork would copy threads and locks of the service.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(self._made,),
        )

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        # The executor has no public list of them, and none at all after its end.
        running: Iterable[int] | None = self._pool._processes
        return list(running or ())

    def compile(self, folder: Path) -> None:
        """Fill the cache of machine code from all processes at once.

        Numba compiles one kernel at a time in a process, and holds the interpreter while it does.
        """
        list(self._pool.map(compile_part, [folder] * len(PARTS), PARTS))

    def warm(self, folder: Path) -> None:
        """Have the processes load a study and answer made requests on it."""
        list(self._pool.map(_warm, [folder] * self.processes))

    async def answer(self, asked: AskedRequest) -> Response:
        """Have a request answered.

        Parameters
        ----------
        asked : AskedRequest

        Returns
        -------
        Response
            As this process would give it.

        Raises
        ------
        WorkerLostError
            When the process died, most likely for want of memory; the next request finds a new one.
        """
        pool = self._pool
        try:
            found = await asyncio.wrap_future(pool.submit(_answered, asked))
        except BrokenProcessPool:
            with self._lock:
                if self._pool is pool:
                    self._pool = self._started()
            raise WorkerLostError("the process that answered this was lost; ask again") from None
        return Response(found.body, found.status, found.headers, found.kind)

    def stop(self) -> None:
        """End the processes."""
        self._pool.shutdown(wait=False, cancel_futures=True)


# -- in the processes
# ----------------------------------------------------------------------------------------------------


_MADE: list[Callable[[Path], FastAPI]] = []


def _begin(made: Callable[[Path], FastAPI]) -> None:
    _MADE.append(made)
    # Ctrl-C at a terminal reaches them too; the service ends them when it has finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(POLITE)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    gc.set_threshold(100_000, 50, 100)


def _end_with(sentinel: int) -> None:
    """End this process when the service is gone, however it went."""
    connection.wait([sentinel])
    os._exit(0)


def _warm(folder: Path) -> None:
    # The streets that requests will ask, with all that is made of them at the first call.
    warm_up(_served(folder, _made_ns(folder), ((), 0.0)))
    gc.collect()
    gc.freeze()


def _made_ns(folder: Path) -> int:
    """When the study was made: one that ran again is another one."""
    return (folder / META_FILE).stat().st_mtime_ns


@functools.lru_cache(MOST_STUDIES)
def _app(folder: Path, made_ns: int) -> FastAPI:
    return _MADE[-1](folder)


@functools.lru_cache(2)
def _served(folder: Path, made_ns: int, overrides: tuple[tuple[StreetOverride, ...], float]) -> FinishedStudy:
    """Return the study with its streets as they are now."""
    served: FinishedStudy = _app(folder, made_ns).state.shelf.default.served
    if not overrides[0]:
        return served
    return dataclasses.replace(served, network=served.network.with_overrides(*overrides))


def _answered(asked: AskedRequest) -> _Answered:
    app = _app(asked.folder, _made_ns(asked.folder))
    # One request at a time is answered here.
    app.state.served = _served(asked.folder, _made_ns(asked.folder), asked.overrides)
    headers = {"accept-language": asked.language, "content-type": asked.kind}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
        "method": "POST",
        "scheme": "http",
        "path": asked.path,
        "root_path": asked.below,
        "query_string": asked.query,
        "headers": [
            (name.encode(), value.encode("latin-1")) for name, value in headers.items() if value is not None
        ],
        "client": None,
        "server": None,
    }
    return asyncio.run(_called(app, scope, asked.body))


async def _called(app: FastAPI, scope: MutableMapping[str, Any], body: bytes) -> _Answered:
    parts: list[bytes] = []
    head: dict[str, Any] = {}

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            head.update(message)
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in head["headers"]}
    kept = {name: value for name, value in headers.items() if name in KEPT_HEADERS}
    return _Answered(head["status"], kept, headers.get("content-type"), b"".join(parts))
