"""Self-contained map pages: frame, base map, scripts and styles; and the small maps of served pages."""

from maps.page.assets import small_map_script, small_map_styles
from maps.page.basemap import Backdrop
from maps.page.small import base_data

__all__ = ["Backdrop", "base_data", "small_map_script", "small_map_styles"]
