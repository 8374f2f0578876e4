"""Each test of the contract runs on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from migrated import migrated, newest
from postgres import Cluster

from api.store import SERVICE, Database, tables
from api.store.access import tenants


@pytest.fixture(scope="session")
def contract_url(cluster: Cluster) -> str:
    """A database with the newest tables, emptied before each test: quicker than a new one."""
    return newest(cluster)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'yilu.db'}"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.url(cluster.create())


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a database with the newest tables and three tenants."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'yilu.db'}"
    else:
        address = request.getfixturevalue("contract_url")
    database = migrated(address)
    with database.transaction() as connection:
        if database.dialect == "postgresql":
            names = ", ".join(tables.metadata.tables)
            connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        for name in ("blue", "yellow"):
            tenants.add(connection, SERVICE, tenants.Tenant(name, name.title(), "platform", 0.0))
        tenants.add(connection, SERVICE, tenants.Tenant("office", "Office", "office", 0.0))
    database.close()
    return address


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    found = Database(url)
    yield found
    found.close()
