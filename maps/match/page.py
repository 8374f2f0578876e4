"""The map of one match: one HTML page with the ways before and after, the task and every stop."""

from typing import Any

from maps.match.layers import MatchPicture, match_layers, match_titles
from maps.page.basemap import Backdrop
from maps.page.frame import OnlineTiles, page_data, page_html
from maps.texts.wording import Wording

__all__ = ["match_map"]


def match_map(match: MatchPicture, backdrop: Backdrop, lang: str, *, tiles: OnlineTiles | None = None) -> str:
    """Draw one match: the rider's way before and after, the task, and every stop with its slack.

    Parameters
    ----------
    match
        The ways and stops in plain columns.
    backdrop
        Base map of the same city.
    lang
        ``zh`` or ``en``.
    tiles
        An online base map to offer beside the offline one; None offers none.
    """
    say = Wording.of(lang, 0)
    found = match_layers(match, say)
    geometry: dict[str, Any] = {}
    for layer in found:
        geometry |= layer.pop("geo", {})
    title, subtitle = match_titles(match, say)
    data = page_data(say, backdrop, match.bounds, match.attribution, tiles) | {
        "t": say.catalogue.group("ui")
        | {"search_hint": say.text("match.search_hint"), "list": say.text("match.list")},
        "title": title,
        "subtitle": subtitle,
        "warning": say.text("ui.synthetic_map") if match.synthetic else "",
        "hourly": False,
        "list": [{"id": f"stop-{number}", "layer": "stops"} for number in range(1, len(match.stops) + 1)],
        "geo": geometry,
        "layers": found,
        "reachOf": {},
        "reachStyle": None,
    }
    return page_html(data, lang, tiles)
