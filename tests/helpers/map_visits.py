"""A map page as a file in a real browser with the network cut, and all that goes wrong on it.

Set YILU_SCREENSHOTS to a folder to keep pictures of what the tests saw.
"""

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from study_sample import CENTRE

from maps.page.basemap import Backdrop, BackdropLayer, StreetLabel
from siting.results import Study

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

__all__ = ["CHROMIUM", "MapVisit", "ink", "lattice_backdrop"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def lattice_backdrop(study: Study) -> Backdrop:
    """Draw a lattice of streets over a study, one of them with a name."""
    west, south, east, north = study.bounds
    xs, ys = np.linspace(west, east, 12), np.linspace(south, north, 12)
    lines = [[[x, south], [x, north]] for x in xs] + [[[west, y], [east, y]] for y in ys]
    ptr = np.arange(0, 2 * len(lines) + 1, 2)
    layer = BackdropLayer(
        "middle", False, 3, 19, ptr, np.array(lines).reshape(-1, 2), np.arange(len(lines), dtype=np.int32)
    )
    return Backdrop(study.bounds, (layer,), (StreetLabel("知春路", CENTRE, 0.0, 13, 0.02),))


class MapVisit:
    """One open page with all that went wrong on it."""

    def __init__(
        self, browser: "Browser", page: str, folder: Path, width: int = 1300, height: int = 850
    ) -> None:
        self.file = folder / "map.html"
        self.file.write_text(page, encoding="utf-8")
        self.context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
        self.page: Page = self.context.new_page()
        self.trouble: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("dialog", lambda dialog: self.trouble.append(f"dialog {dialog.message}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        began = time.perf_counter()
        self.page.goto(self.file.as_uri())
        self.page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.seconds = time.perf_counter() - began

    def _heard(self, message: "ConsoleMessage") -> None:
        # reading pixels back is the doing of these tests, not of the page
        if message.type in ("error", "warning") and "getImageData" not in message.text:
            self.trouble.append(message.text)

    def shot(self, name: str) -> None:
        folder = os.environ.get("YILU_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"))

    def close(self) -> None:
        outside = [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))]
        self.context.close()
        assert self.trouble == []
        assert outside == []


def ink(visit: MapVisit, pane: str) -> int:
    """Count the painted pixels of a layer's canvas tiles."""
    return int(
        visit.page.evaluate(
            """pane => [...document.querySelectorAll(`.leaflet-${pane}-pane canvas`)].reduce((sum, c) => {
                 const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
                 let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i] > 0) n++; return sum + n; }, 0)""",
            pane,
        )
    )
