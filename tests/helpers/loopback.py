"""A service on a port of this machine, in a thread: what streams cannot be tried in process."""

import contextlib
import threading
import time
from collections.abc import Iterator

from fastapi import FastAPI

from api.http.running import server_of

__all__ = ["served"]


@contextlib.contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application while the block runs; gives its address without a slash at the end."""
    server = server_of(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, name="loopback", daemon=True)
    thread.start()
    until_s = time.monotonic() + 60
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until_s:
            raise RuntimeError("the service did not start")
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
