"""Two plans on one map, divided by a line that the reader moves; unit grids by what they gain or lose."""

from typing import Any

from maps.packing import pack_lines
from maps.page.basemap import Backdrop
from maps.page.frame import page_data, page_html
from maps.page.parts import Layer, alpha, layer_of, popup_rows
from maps.study import areas, places
from maps.style import CHANGE_COLOURS, CHANGE_POINTS, REDACTED
from maps.texts.wording import Wording
from siting.comparison import Comparison
from siting.report import Quantity, comparison_report
from siting.results import Study

__all__ = ["compare_map"]

_SIDES = ("left", "right")


def compare_map(
    plans: tuple[Study, Study], names: tuple[str, str], compared: Comparison, backdrop: Backdrop, lang: str
) -> str:
    """Draw two plans as one HTML page that needs no network.

    Parameters
    ----------
    plans : tuple of Study
        Of one map, as published.
    names : tuple of str
        What the reader calls them.
    compared : Comparison
        What `siting.comparison` says of them.
    backdrop : Backdrop
        Base map of the city.
    lang : str
        ``zh`` or ``en``.

    Returns
    -------
    str
        The page.
    """
    first, second = plans
    say = Wording.of(lang, max(first.k, second.k))
    geometry: dict[str, Any] = {"grids": _grid_lines(compared)}
    found = [_grids(compared, say)]
    for side, study, name in zip(_SIDES, plans, names, strict=True):
        layers = (
            areas.coverage_layer(study, say),
            places.existing_layer(study, say),
            places.suggested_layer(study, say),
        )
        for layer in layers:
            if layer["id"] == "existing":  # advice on moves is that of one study alone
                layer["parts"] = [part for part in layer["parts"] if part["type"] == "markers"]
            geometry |= {f"{side}-{key}": lines for key, lines in layer.pop("geo", {}).items()}
            found.append(_sided(layer, side, name, say))
    gains = compared.gains
    report = comparison_report(first, second, names, compared)
    data = page_data(say, backdrop, first.bounds, first.map_attribution, None) | {
        "view": [round(value, 6) for value in backdrop.extent],
        "title": say.say(report.title),
        "subtitle": say.text(
            "compare_map.subtitle",
            city=first.city,
            first=names[0],
            second=names[1],
            gaining=gains.gaining,
            losing=gains.losing,
            same=gains.same,
        ),
        "warning": say.text("ui.synthetic_map") if first.synthetic or second.synthetic else "",
        "hourly": True,
        "swipe": {"label": say.text("compare_map.swipe"), "left": names[0], "right": names[1]},
        "geo": geometry,
        "layers": [layer for layer in found if layer["parts"]],
        "reachOf": {},
        "reachStyle": None,
    }
    return page_html(data, lang, None)


def _sided(layer: Layer, side: str, name: str, say: Wording) -> Layer:
    """Give a layer of one study its place on one side of the line."""
    parts = [part | ({"geo": f"{side}-{part['geo']}"} if "geo" in part else {}) for part in layer["parts"]]
    return layer | {
        "id": f"{layer['id']}-{side}",
        "label": say.text("compare_map.side", layer=layer["label"], name=name),
        "side": side,
        "parts": parts,
        "on": True,
    }


def _grid_lines(compared: Comparison) -> dict[str, Any]:
    rings = [(index, ring) for index, grid in enumerate(compared.grids) for ring in grid.rings]
    return pack_lines([ring for _, ring in rings], owner=[index for index, _ in rings])


def _grids(compared: Comparison, say: Wording) -> Layer:
    """Draw unit grids by what they gain or lose."""
    palette = [
        {"fill": REDACTED, "edge": "#333333", "width": 1.2},
        *({"fill": alpha(colour, 0.6), "edge": "#333333", "width": 1.2} for colour in CHANGE_COLOURS),
    ]
    classes = [
        0 if grid.points is None else 1 + sum(grid.points >= limit for limit in CHANGE_POINTS)
        for grid in compared.grids
        for _ in grid.rings
    ]
    items = [
        {
            "id": grid.code,
            "t": grid.name or grid.code,
            "s": f"{say.text('legend.grid')} {grid.code}",
            "n": say.text(f"compare_verdict.{grid.verdict}"),
            "r": [
                *popup_rows(
                    say,
                    ("demand", "min_a_day", True, grid.demand_min_a_day),
                    ("first_share", "share", True, grid.first_share),
                    ("second_share", "share", True, grid.second_share),
                ),
                [say.text("column.plan_gain"), say.quantity(Quantity(grid.points, "points", redacted=True))],
            ],
        }
        for grid in compared.grids
    ]
    part = {
        "type": "classed",
        "geo": "grids",
        "cls": classes,
        "palette": palette,
        "items": items,
        "search": True,
        "text": [grid.name or grid.code for grid in compared.grids],
    }
    legend = [
        *areas.change_legend(say),
        {"shape": "area", "color": REDACTED, "text": say.text("legend.redacted", k=say.k)},
    ]
    layer = layer_of(
        say, "grids", [part] if items else [], legend, on=bool(items), note=say.text("compare_map.grids_note")
    )
    return layer | {"label": say.text("compare_map.grids")}
