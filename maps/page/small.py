"""The base map as data for the small maps of served pages; what is on them stands in the pages."""

from typing import Any

from maps.page.basemap import Backdrop
from maps.page.frame import FONT
from maps.style import LAND, OUTSIDE

__all__ = ["base_data"]


def base_data(backdrop: Backdrop, attribution: str) -> dict[str, Any]:
    """Return what the script of small maps needs of a city, the same for all pages.

    Parameters
    ----------
    backdrop : Backdrop
    attribution : str
        Whose data the map shows; plain text.

    Returns
    -------
    dict
        Ready for JSON: ``bounds`` (west, south, east, north), ``base``, ``labels``, ``font``, ``land``,
        ``outside``, ``area``, ``exits`` and ``attribution``.
    """
    return {
        "bounds": [round(value, 6) for value in backdrop.bounds],
        "base": backdrop.page_layers(),
        "labels": backdrop.page_labels(),
        "font": FONT,
        "land": LAND,
        "outside": OUTSIDE,
        **{key: value for key, value in backdrop.page_surroundings().items() if key != "names"},
        "attribution": attribution,
    }
