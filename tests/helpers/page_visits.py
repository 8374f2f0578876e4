"""Pages of a running service in a real browser: phone and desktop, with all that goes wrong on them."""

import contextlib
import io
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import FastAPI
from live_service import Service
from PIL import Image

from api.http.running import server_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

__all__ = ["CHROMIUM", "FLOWS", "WINDOWS", "City", "Seen", "picture", "running", "token_of"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WINDOWS = {"phone": (390, 844), "desktop": (1400, 900)}
FLOWS = tuple(WINDOWS) if os.environ.get("YILU_PROOF") == "full" else ("phone",)
"""Windows in which people go from page to page; each page they come to is looked at in both."""
SERIOUS = {"serious", "critical"}


class City(NamedTuple):
    """A service, and where its pages are."""

    service: Service
    address: str


@contextlib.contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """Serve an application on a port of its own; gives its address."""
    server = server_of(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, name="yilu-pages", daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)


def token_of(html: str) -> str:
    """Return the token that the forms of a page carry."""
    found = re.search(r'name="form_token" value="(\w+)"', html)
    assert found is not None, html[:500]
    return found[1]


def picture() -> bytes:
    """Return a photo as a phone takes it: with the place in it."""
    image, exif, out = Image.new("RGB", (640, 480), "#884422"), Image.Exif(), io.BytesIO()
    exif[0x0110] = "phone"
    exif.get_ifd(0x8825).update({1: "N", 2: (39.0, 58.0, 47.0), 3: "E", 4: (116.0, 18.0, 12.0)})
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


class Seen:
    """A browser of one person, with all that went wrong and all that was fetched."""

    def __init__(self, browser: "Browser", address: str, window: str = "phone", lang: str = "zh-CN") -> None:
        width, height = WINDOWS[window]
        self.window, self.address = window, address
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, locale=lang, timezone_id="Asia/Shanghai"
        )
        self.context.set_default_timeout(45_000)
        self.page: Page = self.context.new_page()
        self.trouble: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._asked)

    def _heard(self, message: "ConsoleMessage") -> None:
        # That a page was refused is told by the browser as well; the tests look at the page.
        known = ("Failed to load resource", "cannot be parsed, or is out of range")
        if message.type in ("error", "warning") and not any(part in message.text for part in known):
            self.trouble.append(message.text)

    def _dialog(self, dialog: Any) -> None:  # noqa: ANN401
        self.trouble.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _asked(self, request: Any) -> None:  # noqa: ANN401
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.trouble.append(f"outside: {request.url}")

    def sign_in(self, key: str) -> None:
        self.open("/sign-in")
        self.page.fill("#key", key)
        self.page.click("main form[action='/sign-in'] button[type=submit]")
        self.page.wait_for_selector("form[action='/sign-out']")

    def open(self, path: str) -> int:
        """Open a page; its maps are drawn when this returns. Gives the status."""
        answer = self.page.goto(self.address + path)
        self.drawn()
        assert answer is not None
        return answer.status

    def drawn(self) -> None:
        self.page.wait_for_load_state("load")
        # Not by a function that is asked again and again: pages let no text become a script.
        self.page.wait_for_selector(".map:not([data-ready=yes])", state="detached", timeout=60_000)

    def look(self, name: str) -> None:
        """Check in all windows what every page must be, and keep pictures."""
        for window in WINDOWS:
            self._resized(window)
            self._look(f"{name}-{window}")
        self._resized(self.window)

    def _resized(self, window: str) -> None:
        width, height = WINDOWS[window]
        self.page.set_viewport_size({"width": width, "height": height})
        self.drawn()

    def _look(self, name: str) -> None:
        """Check that a page is readable by all, and no wider than the window."""
        from axe_playwright_python.sync_playwright import Axe

        folder = os.environ.get("YILU_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            path = Path(folder) / f"page-{name}.png"
            self.page.screenshot(path=str(path), full_page=True)
        results = Axe().run(self.page)
        faults = [
            f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes']][:4]}"
            for one in results.response["violations"]
            if one["impact"] in SERIOUS
        ]
        assert faults == [], name
        wide = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{name} is {wide} pixels wider than the window"
        small = self.page.evaluate(
            """() => [...document.querySelectorAll('main button, main a.button, main select, main textarea')]
                 .filter(e => e.offsetParent && e.offsetHeight < 40).map(e => e.outerHTML.slice(0, 120))"""
        )
        assert small == [], name

    def close(self) -> None:
        self.context.close()
        assert not self.trouble, self.trouble
