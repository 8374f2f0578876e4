"""The ledger under many purchases at once and under kill -9: never below zero, nothing lost, nothing twice.

``YILU_PROOF=full`` asks for 10,000 purchases on both databases.
"""

import collections
import concurrent.futures
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from live_process import Ask, Process
from migrated import migrated, newest
from postgres import Cluster
from tiny_study import write_study

from api.store import SERVICE
from api.store.access import keys, tenants
from api.store.civic import ledger, people
from api.store.civic import rewards as catalogue
from routing.civic import CatalogueItem, Entry, Posting, stocked

FULL = os.environ.get("YILU_PROOF") == "full"
PURCHASES = 10_000 if FULL else 240
PATIENCE_S = 7_200.0 if FULL else 300.0
RIDERS, PRICE = 8, 5
POINTS = PURCHASES * PRICE // RIDERS // 2
"""Half of what is wanted can be paid for."""
STOCK = PURCHASES // 3
RICE = CatalogueItem("rice", "goods", "Rice", PRICE)


class Shop:
    """A service in a process of its own, riders with points and an item with stock."""

    def __init__(self, folder: Path, url: str) -> None:
        self.database = migrated(url)
        self.process = Process(folder, url)
        self.keys: list[str] = []
        with self.database.transaction() as connection:
            tenants.add(connection, SERVICE, tenants.Tenant("red", "Red", "platform", 0.0))
            tenants.add(connection, SERVICE, tenants.Tenant("office", "Office", "office", 0.0))
            row = catalogue.ItemRow("rice", "office", "goods", "Rice", PRICE, [], 1.0, None)
            catalogue.put(connection, SERVICE, row)
            ledger.book(connection, SERVICE, stocked("first", RICE, STOCK, 1.0))
            for number in range(RIDERS):
                wanted = keys.NewKey("red", "rider", rider_id=f"r{number}")
                self.keys.append(keys.create(connection, SERVICE, wanted, time.time())[1])
                people.add(connection, SERVICE, people.PersonRow("red", f"r{number}", f"p-{number}", 1.0))
                amounts = (
                    Posting("city:issued", "points", -POINTS),
                    Posting(f"rider:p-{number}", "points", POINTS),
                )
                ledger.book(connection, SERVICE, Entry(f"given:{number}", "task", 1.0, amounts))

    def buy(self, number: int) -> int | None:
        """Return the status of the answer; None: no answer."""
        ask = Ask(self.process.url, self.keys[number % RIDERS])
        wanted = {"name": f"n{number}", "item": "rice", "community": "North"}
        answer = ask("POST", "/v1/riders/me/purchases", wanted)
        return None if answer is None else answer[0]

    def buy_at_last(self, number: int) -> int:
        """Ask until there is an answer: who got none (a busy machine) asks again under the same name."""
        until_s = time.monotonic() + PATIENCE_S
        while (status := self.buy(number)) is None:
            assert time.monotonic() < until_s
            time.sleep(0.1)
        return status

    def check(self, bought: set[int]) -> None:
        with self.database.reading() as connection:
            assert set(ledger.sums(connection, SERVICE).values()) == {0}
            assert ledger.wrong_balances(connection, SERVICE) == []
            left = catalogue.stock(connection, SERVICE)["rice"]
            assert left == STOCK - len(bought) >= 0
            for rider in range(RIDERS):
                held = ledger.balances(connection, SERVICE, f"rider:p-{rider}")
                mine = {n for n in bought if n % RIDERS == rider}
                assert held["points"] == POINTS - PRICE * len(mine) >= 0
                assert held.get("item:rice", 0) == len(mine)
                found = {
                    entry.key
                    for _, entry in ledger.entries_of(connection, SERVICE, f"rider:p-{rider}")
                    if entry.kind == "spend"
                }
                assert found == {f"spend:p-{rider}:n{n}" for n in mine}


@pytest.fixture(params=["sqlite", "postgresql"] if FULL else ["sqlite"])
def shop(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    url = f"sqlite:///{tmp_path / 'yilu.db'}"
    if request.param == "postgresql":
        cluster = cast(Cluster, request.getfixturevalue("cluster"))
        url = newest(cluster)
    made = Shop(write_study(tmp_path_factory.mktemp("study") / "out"), url)
    made.process.start()
    yield made
    made.process.kill()
    made.database.close()


def test_many_purchases_at_once_never_go_below_zero(shop: Shop) -> None:
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(shop.buy_at_last, range(PURCHASES)))
    assert set(statuses) == {201, 409}
    bought = {number for number, status in enumerate(statuses) if status == 201}
    assert len(bought) == min(STOCK, POINTS // PRICE * RIDERS)
    shop.check(bought)


def test_a_ledger_that_is_killed_loses_nothing_and_books_nothing_twice(shop: Shop) -> None:
    answered: dict[int, int] = {}
    todo = collections.deque(range(PURCHASES // 2))
    lock, done = threading.Lock(), threading.Event()

    def customer() -> None:
        while not done.is_set():
            with lock:
                if not todo:
                    return
                number = todo.popleft()
            status = shop.buy(number)
            with lock:
                if status in (201, 409):
                    answered[number] = status
                else:
                    # No answer, or not now: nobody knows whether it was bought, so it is asked again.
                    todo.append(number)
            if status is None:
                time.sleep(0.05)

    chance = random.Random(7)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        customers = [pool.submit(customer) for _ in range(8)]
        try:
            for _ in range(6 if FULL else 3):
                time.sleep(chance.uniform(0.1, 0.5))
                shop.process.kill()
                shop.process.start()
            for one in customers:
                one.result(PATIENCE_S)
        finally:
            done.set()
    assert len(answered) == PURCHASES // 2
    shop.check({number for number, status in answered.items() if status == 201})
