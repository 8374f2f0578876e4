"""Pages that follow events: told at once, of nothing that is not theirs, and without a line they look."""

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx2
import pytest
from page_visits import City, Seen, token_of
from tiny_study import place

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LINE_S = 30.0


@contextlib.contextmanager
def signed_in(city: City, who: str) -> Iterator[httpx2.Client]:
    # Cookies of pages go over TLS alone; here they are sent by hand.
    with httpx2.Client(base_url=city.address, timeout=LINE_S) as client:
        got = client.get("/sign-in")
        cookies = "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar)
        data = {"form_token": token_of(got.text), "key": city.service.keys[who]}
        answer = client.post("/sign-in", data=data, headers={"cookie": cookies})
        assert answer.status_code == 303
        client.headers["cookie"] = "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar)
        yield client


class Line:
    """What comes over one open line, read in a thread."""

    def __init__(self, client: httpx2.Client, address: str = "/news") -> None:
        self.address = address
        self.got: list[str] = []
        self.changed = threading.Condition()
        self._open = threading.Event()
        self._client = client
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert self._open.wait(LINE_S)

    def _read(self) -> None:
        with (
            contextlib.suppress(httpx2.HTTPError, RuntimeError),
            self._client.stream("GET", self.address) as answer,
        ):
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                self._open.set()
                with self.changed:
                    self.got.append(line)
                    self.changed.notify_all()

    def messages(self) -> int:
        return self.got.count("data: news")

    def hears(self, count: int, seconds: float = 10.0) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.messages() >= count, seconds)


def test_a_page_is_told_of_what_its_reader_may_see_and_of_nothing_else(city: City) -> None:
    service = city.service
    with signed_in(city, "office") as office, signed_in(city, "blue") as blue, signed_in(city, "r9") as rider:
        mine, other, ridden = Line(office), Line(blue), Line(rider)
        task = service.task("office", "news", letter="C")
        assert mine.hears(1)
        service.ask("office", "POST", f"/v1/tasks/{task['id']}/withdraw", json={})
        assert mine.hears(2)
        # Nothing of what happened, and nobody else learns even that something did.
        told = [line for line in mine.got if line and not line.startswith((":", "retry:"))]
        assert set(told) == {"data: news"}
        assert (other.messages(), ridden.messages()) == (0, 0)


def test_riders_who_move_are_news_to_their_own_platform_alone(city: City) -> None:
    service = city.service
    with signed_in(city, "red") as red, signed_in(city, "blue") as blue, signed_in(city, "office") as office:
        lines = {
            name: Line(who, "/news?moves=true")
            for name, who in (("red", red), ("blue", blue), ("office", office))
        }
        plain = Line(red)
        service.riders("red", "A")
        assert lines["red"].hears(1)
        assert (lines["blue"].messages(), lines["office"].messages(), plain.messages()) == (0, 0, 0)


@pytest.mark.parametrize("line", [True, False])
def test_phases_come_to_an_open_page_with_and_without_a_line(
    city: City, browser: "Browser", line: bool
) -> None:
    """A page that is open shows who comes; where lines are cut by something between, it looks by itself."""
    service = city.service
    service.riders("red", "A", "B")
    lon, lat = place("B")
    drill = {"name": f"news {line}", "lon": lon, "lat": lat, "drill": True}
    raised = service.ask("office", "POST", "/v1/emergencies?datum=wgs84", 201, json=drill)
    officer = Seen(browser, city.address, "desktop")
    looks: list[str] = []
    officer.page.on("request", lambda asked: looks.append(asked.url))
    if not line:
        officer.page.route("**/news", lambda route: route.abort())
    officer.sign_in(service.keys["office"])
    officer.open(f"/duty/{raised['id']}")
    if line:
        # Quiet: the page was fetched once more when the line was opened, and then no more.
        officer.page.wait_for_timeout(5_500)
        assert len([one for one in looks if one.endswith("/now") or "/now?" in one]) <= 1
    alert = service.ask("red", "GET", "/v1/alerts")["alerts"][0]["alert_id"]
    service.ask("red", "POST", f"/v1/alerts/{alert}/accept", json={})
    officer.page.wait_for_selector("text=预计", timeout=3_000 if line else 10_000)
    service.ask("office", "POST", f"/v1/emergencies/{raised['id']}/close", json={"reason": "over"})
    officer.page.wait_for_selector("text=结束：over", timeout=3_000 if line else 10_000)
    officer.close()
