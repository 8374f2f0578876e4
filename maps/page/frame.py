"""The frame that all map pages share: one self-contained HTML file, its data, scripts and security policy.

The frame is a folium map; Leaflet and its cluster plugin are inlined from their installed packages
(XStatic wheels), the base map is drawn from our own streets. A Content-Security-Policy in the page
forbids every outside request, except for the tiles a caller asks for.
"""

import dataclasses
import html
import json
import re
from typing import Any, Literal

import folium
from branca.element import Element, Figure, MacroElement
from folium.template import Template

from geo.datum import in_mainland_china
from geo.errors import InputError
from maps.page.assets import scripts, styles
from maps.page.basemap import Backdrop
from maps.style import LAND, OUTSIDE, REDACTED
from maps.texts.wording import Wording

__all__ = ["OnlineTiles", "page_data", "page_html"]

FONT = '"Noto Sans CJK SC","Noto Sans SC","PingFang SC","Microsoft YaHei","WenQuanYi Micro Hei",sans-serif'
_HTML_LANG = {"zh": "zh-CN", "en": "en"}


@dataclasses.dataclass(frozen=True, slots=True)
class OnlineTiles:
    """An online base map that the reader may switch on; nothing is fetched before.

    ``provider`` is ``osm``, ``tianditu`` (needs the user's key) or ``amap`` (GCJ-02: shown with the shift
    undone, so that data stay where they are).
    """

    provider: Literal["osm", "tianditu", "amap"]
    key: str = ""

    def __post_init__(self) -> None:
        if self.provider not in ("osm", "tianditu", "amap"):
            raise InputError(f"tile provider {self.provider!r} is not known, allowed: osm, tianditu, amap")
        if self.provider == "tianditu" and not re.fullmatch(r"[0-9A-Za-z]{8,64}", self.key):
            raise InputError("Tianditu tiles need a key of 8 to 64 letters and digits")


def page_data(
    say: Wording,
    backdrop: Backdrop,
    bounds: tuple[float, float, float, float],
    attribution: str,
    tiles: OnlineTiles | None,
) -> dict[str, Any]:
    """Return what the scripts of every page need; a page adds its layers."""
    return {
        "lang": say.catalogue.lang,
        "t": say.catalogue.group("ui"),
        "k": say.k,
        "font": FONT,
        "land": LAND,
        "redactedFill": REDACTED,
        "bounds": [round(value, 6) for value in bounds],
        "view": [round(value, 6) for value in bounds],
        # Leaflet sets the attribution as HTML
        "attribution": html.escape(say.text("ui.attribution", attribution=attribution)),
        "base": backdrop.page_layers(),
        "labels": backdrop.page_labels(),
        **backdrop.page_surroundings(),
        "outside": OUTSIDE,
        "tiles": _tiles(tiles, bounds, say) if tiles else None,
    }


def _tiles(tiles: OnlineTiles, bounds: tuple[float, float, float, float], say: Wording) -> dict[str, Any]:
    west, south, east, north = bounds
    shifted = bool(in_mainland_china([[(west + east) / 2, (south + north) / 2]])[0])
    if tiles.provider == "osm":
        urls, hosts, credit = (
            ["https://tile.openstreetmap.org/{z}/{x}/{y}.png"],
            "",
            "© OpenStreetMap contributors",
        )
    elif tiles.provider == "tianditu":
        urls = [
            f"https://t{{s}}.tianditu.gov.cn/DataServer?T={layer}_w&x={{x}}&y={{y}}&l={{z}}&tk={tiles.key}"
            for layer in ("vec", "cva")
        ]
        hosts, credit = "01234567", "© 天地图" if say.catalogue.lang == "zh" else "© Tianditu"
    else:
        urls = [
            "https://webrd0{s}.is.autonavi.com/appmaptile?lang=zh_cn&size=1&scale=1&style=8&x={x}&y={y}&z={z}"
        ]
        hosts, credit = "1234", "© 高德地图" if say.catalogue.lang == "zh" else "© Amap"
    return {
        "label": say.text(f"ui.base_{tiles.provider}"),
        "urls": urls,
        "subdomains": hosts,
        "attribution": credit,
        "datum": "gcj02" if tiles.provider == "amap" and shifted else "wgs84",
    }


_TILE_HOSTS = {
    "osm": "https://tile.openstreetmap.org",
    "tianditu": "https://*.tianditu.gov.cn",
    "amap": "https://*.is.autonavi.com",
}


class _Head(MacroElement):
    """Inlined scripts and styles, and the rule that nothing may be fetched."""

    _template = Template(
        """
        {% macro header(this, kwargs) %}
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <style>{{ this.css }}</style>
        <script>{{ this.js }}</script>
        {% endmacro %}
        {% macro html(this, kwargs) %}
        <noscript>{{ this.noscript }}</noscript>
        <script type="application/json" id="yilu-data">{{ this.data }}</script>
        {% endmacro %}
        {% macro script(this, kwargs) %}
        yiluStart({{ this.map_name }}, JSON.parse(document.getElementById("yilu-data").textContent));
        {% endmacro %}
        """
    )

    def __init__(self, data: dict[str, Any], map_name: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "YiluHead"
        self.map_name = map_name
        self.css, self.js = styles(), scripts()
        # "<" can end a script block early; its JSON escape cannot
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
        self.data = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        self.noscript = html.escape(data["t"]["noscript"])


def page_html(data: dict[str, Any], lang: str, tiles: OnlineTiles | None) -> str:
    """Return the whole page around `data`, with nothing to fetch but tiles that were asked for."""
    west, south, east, north = data["bounds"]
    frame = folium.Map(
        location=[round((south + north) / 2, 6), round((west + east) / 2, 6)],
        zoom_start=13,
        tiles=None,
        zoom_control=False,
        font_size="14px",
        attribution_control=True,
        min_zoom=4,
        max_zoom=19,
        fade_animation=False,
        zoom_snap=0,
        wheel_px_per_zoom_level=90,
    )
    frame.default_js, frame.default_css = [], []
    frame._id = "map"
    head = _Head(data, frame.get_name())
    frame.add_child(head)
    root = frame.get_root()
    assert isinstance(root, Figure)  # noqa: S101
    sources = "data: blob:" + (f" {_TILE_HOSTS[tiles.provider]}" if tiles else "")
    policy = (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        f"img-src {sources}; base-uri 'none'; form-action 'none'"
    )
    root.header.add_child(
        Element(f'<meta http-equiv="Content-Security-Policy" content="{policy}" />'), name="policy"
    )
    root.header.add_child(Element(f"<title>{html.escape(data['title'])}</title>"), name="title")
    _settle(root)
    text = str(root.render())
    # folium forbids pinch zoom for the whole page, which shuts out readers with weak sight
    text = re.sub(
        r'<meta name="viewport" content="width=device-width,\s+initial-scale=1.0, maximum[^>]*>', "", text
    )
    return text.replace("<html>", f'<html lang="{_HTML_LANG[lang]}">', 1)


def _settle(element: Element) -> None:
    """Give every element an id by its place: the same input makes the same bytes."""
    queue: list[Element] = [element]
    number = 0
    while queue:
        item = queue.pop(0)
        if item._name != "Map":
            item._id = f"{number:04d}"
        number += 1
        queue.extend(item._children.values())
        for part in ("header", "html", "script"):
            child = getattr(item, part, None)
            if isinstance(child, Element) and part in vars(item):
                queue.append(child)
