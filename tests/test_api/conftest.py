"""What tests of the service share: one PostgreSQL cluster, a small study, a service on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from live_service import Service
from postgres import Cluster, find_binaries, running_cluster
from tiny_study import write_study


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed")
    with running_cluster(binaries) as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study") / "out")


@pytest.fixture
def service(folder: Path, tmp_path: Path) -> Iterator[Service]:
    made = Service(folder, f"sqlite:///{tmp_path / 'yilu.db'}")
    with made.client:
        yield made
    made.database.close()
