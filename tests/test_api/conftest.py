"""One PostgreSQL cluster for all tests of the service."""

from collections.abc import Iterator

import pytest
from postgres import Cluster, find_binaries, running_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed")
    with running_cluster(binaries) as found:
        yield found
