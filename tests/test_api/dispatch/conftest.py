"""The desk runs on both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from migrated import migrated, newest
from postgres import Cluster

from api.store import SERVICE, Database
from api.store.access import tenants


def made(url: str) -> Database:
    database = migrated(url)
    with database.transaction() as connection:
        for name, kind in (("red", "platform"), ("blue", "platform"), ("office", "office")):
            tenant = tenants.Tenant(name, name.title(), kind, 0.0)  # type: ignore[arg-type]
            tenants.add(connection, SERVICE, tenant)
    return database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the newest tables and three tenants."""
    if request.param == "sqlite":
        found = made(f"sqlite:///{tmp_path / 'yilu.db'}")
    else:
        cluster = cast(Cluster, request.getfixturevalue("cluster"))
        found = made(newest(cluster))
    yield found
    found.close()


@pytest.fixture
def shared(cluster: Cluster) -> Iterator[Database]:
    """One that several processes may share."""
    found = made(newest(cluster))
    yield found
    found.close()
