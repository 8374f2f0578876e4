"""Scripts and styles of a page: Leaflet and its plugin out of their installed packages, and our own."""

import importlib.metadata
import importlib.resources
import re
from pathlib import Path

from geo.errors import InputError

__all__ = ["scripts", "styles"]

_PARTS = ("shapes.js", "tiles.js", "page.js")


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


def styles() -> str:
    """Return all styles of a page, none of which names a file."""
    leaflet = _asset("XStatic-Leaflet", "xstatic/pkg/leaflet/data/leaflet.css")
    cluster = _asset(
        "XStatic-Leaflet-MarkerCluster", "xstatic/pkg/leaflet_markercluster/data/MarkerCluster.css"
    )
    # the pictures of controls that the page does not use
    leaflet = re.sub(r"\s*(background-image|behavior): url\([^)]*\);", "", leaflet)
    return f"{leaflet}\n{cluster}\n{_own('page.css')}"


def scripts() -> str:
    """Return all scripts of a page."""
    leaflet = _asset("XStatic-Leaflet", "xstatic/pkg/leaflet/data/leaflet.js")
    cluster = _asset(
        "XStatic-Leaflet-MarkerCluster", "xstatic/pkg/leaflet_markercluster/data/leaflet.markercluster.js"
    )
    plain = [re.sub(r"//# sourceMappingURL=\S*", "", text) for text in (leaflet, cluster)]
    own = "\n".join(_own(name) for name in _PARTS)
    return ";\n".join([*plain, f"(function () {{\n'use strict';\n{own}}})()"])
