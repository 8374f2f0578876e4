"""A city with pages: a running service on the drawn town, and one browser for all tests of a file."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from live_service import Service
from page_visits import CHROMIUM, City, running
from tiny_study import write_study

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("pages")
    service = Service(write_study(folder / "out"), f"sqlite:///{folder / 'yilu.db'}")
    with running(service.app) as address:
        service.at(address)
        yield City(service, address)
        service.client.close()
