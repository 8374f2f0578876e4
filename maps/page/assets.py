"""Scripts and styles of a page: Leaflet and its plugin out of their installed packages, and our own."""

import importlib.metadata
import importlib.resources
import re
from collections.abc import Sequence
from pathlib import Path

from geo.errors import InputError

__all__ = ["scripts", "small_map_script", "small_map_styles", "styles"]

_PARTS = (
    "shapes.js", "tiles.js", "base.js", "cards.js", "painters.js", "search.js", "tools.js", "page.js",
)  # fmt: skip
_SMALL_PARTS = ("shapes.js", "base.js", "small.js")


def _asset(distribution: str, path: str) -> str:
    try:
        files = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise InputError(
            f"the package {distribution}, which brings the map's scripts, is not installed"
        ) from None
    return Path(str(files.locate_file(path))).read_text(encoding="utf-8")


def _own(name: str) -> str:
    return (importlib.resources.files("maps") / "page" / name).read_text(encoding="utf-8")


def _leaflet_styles() -> str:
    leaflet = _asset("XStatic-Leaflet", "xstatic/pkg/leaflet/data/leaflet.css")
    # the pictures of controls that no page uses
    return re.sub(r"\s*(background-image|behavior): url\([^)]*\);", "", leaflet)


def styles() -> str:
    """Return all styles of a page, none of which names a file."""
    cluster = _asset(
        "XStatic-Leaflet-MarkerCluster", "xstatic/pkg/leaflet_markercluster/data/MarkerCluster.css"
    )
    return f"{_leaflet_styles()}\n{cluster}\n{_own('page.css')}"


def scripts() -> str:
    """Return all scripts of a page."""
    leaflet = _asset("XStatic-Leaflet", "xstatic/pkg/leaflet/data/leaflet.js")
    cluster = _asset(
        "XStatic-Leaflet-MarkerCluster", "xstatic/pkg/leaflet_markercluster/data/leaflet.markercluster.js"
    )
    return _joined((leaflet, cluster), _PARTS)


def small_map_script() -> str:
    """Return the script of the small maps of pages: it draws every element with the class ``map``."""
    return _joined((_asset("XStatic-Leaflet", "xstatic/pkg/leaflet/data/leaflet.js"),), _SMALL_PARTS)


def small_map_styles() -> str:
    """Return the styles that small maps need, none of which names a file."""
    return _leaflet_styles()


def _joined(libraries: Sequence[str], parts: Sequence[str]) -> str:
    plain = [re.sub(r"//# sourceMappingURL=\S*", "", text) for text in libraries]
    own = "\n".join(_own(name) for name in parts)
    return ";\n".join([*plain, f"(function () {{\n'use strict';\n{own}}})()"])
