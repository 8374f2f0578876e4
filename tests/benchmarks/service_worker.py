"""A service over a street network of the benchmark's choice, with the clock of its riders.

``python service_worker.py FOLDER NETWORK DATABASE_URL PORT``: a finished study, whose network is replaced.
"""

import dataclasses
import datetime
import logging
import sys
import time
from pathlib import Path

from fleets import NOW

from api.http.access.auth import Access
from api.http.app import create_app
from api.http.running import server_of
from api.settings import Settings
from api.store import Database
from geo.streets.network import StreetNetwork


def main(folder: str, network: str, url: str, port: str) -> None:
    """Serve until the process is ended."""
    began = time.time()

    def clock() -> datetime.datetime:
        # The riders' plans begin at an instant of their own.
        return datetime.datetime.fromtimestamp(NOW + time.time() - began, datetime.UTC)

    settings = Settings(webhooks_private=True)
    logging.getLogger("yilu.requests").setLevel(logging.WARNING)
    access = Access(settings, Database(url), dev=True)
    app = create_app(Path(folder), settings=settings, access=access, clock=clock)
    app.state.served = dataclasses.replace(app.state.served, network=StreetNetwork.load(Path(network)))
    server_of(app, "127.0.0.1", int(port), alone=True).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
