"""Databases with the newest tables, copied from one that was brought there step by step."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from postgres import Cluster

from api.store import Database

__all__ = ["migrated", "newest"]


def migrated(url: str) -> Database:
    """Return a database with the newest tables: a file that is not there yet becomes a copy."""
    database = Database(url)
    if database.file is not None and not database.file.exists():
        shutil.copyfile(_sqlite(), database.file)
    else:
        database.migrate()
    return database


def newest(cluster: Cluster) -> str:
    """Return the address of a new PostgreSQL database with the newest tables."""
    return cluster.url(cluster.create(_postgresql(cluster)))


@functools.cache
def _sqlite() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="yilu-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _fill(f"sqlite:///{folder / 'yilu.db'}")
    return folder / "yilu.db"


@functools.cache
def _postgresql(cluster: Cluster) -> str:
    name = cluster.create()
    _fill(cluster.url(name))
    return name


def _fill(url: str) -> None:
    database = Database(url)
    database.migrate()
    database.close()
