"""Scripts and styles of the pages, each under an address that changes with its contents.

htmx comes out of the package django-htmx, the one well-kept package that brings it; nothing of Django runs.
"""

import dataclasses
import functools
import hashlib
import importlib.metadata
import importlib.resources
from collections.abc import Mapping
from pathlib import Path

from geo.errors import InputError

__all__ = ["PREFIX", "Asset", "addresses", "assets"]

PREFIX = "/pages/static"
_SCRIPT, _STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"


@dataclasses.dataclass(frozen=True, slots=True)
class Asset:
    """One file that pages load."""

    body: bytes
    media_type: str
    digest: str


def _own(name: str) -> str:
    return (importlib.resources.files("api.http.pages") / "static" / name).read_text(encoding="utf-8")


def _htmx() -> str:
    try:
        files = importlib.metadata.distribution("django-htmx")
    except importlib.metadata.PackageNotFoundError:
        raise InputError("the package django-htmx, which brings htmx, is not installed") from None
    path = files.locate_file("django_htmx/static/django_htmx/htmx-2.min.js")
    return Path(str(path)).read_text(encoding="utf-8")


@functools.cache
def assets() -> Mapping[str, Asset]:
    """Return the files by their names."""
    from maps.page import small_map_script, small_map_styles

    texts = {
        "pages.css": (_STYLE, small_map_styles() + "\n" + _own("pages.css")),
        "pages.js": (_SCRIPT, _own("pages.js")),
        "htmx.js": (_SCRIPT, _htmx()),
        "map.js": (_SCRIPT, small_map_script()),
    }
    found = {}
    for name, (media_type, text) in texts.items():
        body = text.encode()
        found[name] = Asset(body, media_type, hashlib.sha256(body).hexdigest()[:12])
    return found


@functools.cache
def addresses() -> Mapping[str, str]:
    """Return where each file is found, by its name without the dot."""
    return {name.replace(".", "_"): f"{PREFIX}/{one.digest}/{name}" for name, one in assets().items()}
