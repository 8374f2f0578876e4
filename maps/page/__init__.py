"""Self-contained map pages: frame, base map, scripts and styles."""

from maps.page.basemap import Backdrop

__all__ = ["Backdrop"]
