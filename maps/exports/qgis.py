"""Styles that QGIS applies by itself when it opens our GeoPackage."""

import datetime
from collections.abc import Callable, Sequence

import pandas as pd

from maps.style import ACTION_STYLE, HOT_SPOT, PICKUP, SUGGESTED

__all__ = ["style_table"]


def style_table(layers: Sequence[str], day: str) -> pd.DataFrame:
    """Make the table in which QGIS looks for the style of each layer (QGIS manual, saving styles)."""
    stamp = datetime.datetime.fromisoformat(day)
    kept = [layer for layer in layers if layer in _STYLES]
    return pd.DataFrame(
        {
            "f_table_catalog": [""] * len(kept),
            "f_table_schema": [""] * len(kept),
            "f_table_name": kept,
            "f_geometry_column": ["geom"] * len(kept),
            "styleName": [f"yilu {layer}" for layer in kept],
            "styleQML": [_STYLES[layer]() for layer in kept],
            "styleSLD": [""] * len(kept),
            "useAsDefault": pd.array([True] * len(kept), dtype="boolean"),
            "description": ["Yilu"] * len(kept),
            "owner": [""] * len(kept),
            "ui": [""] * len(kept),
            "update_time": pd.to_datetime([stamp] * len(kept)),
        }
    )


def _qml(renderer: str, label: str = "") -> str:
    labels = (
        '<labeling type="simple"><settings>'
        f'<text-style fieldName="{label}" fontSize="8"/></settings></labeling>'
        if label
        else ""
    )
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
        f'<qgis version="3.22" styleCategories="Symbology|Labeling" labelsEnabled="{int(bool(label))}">'
        f"{renderer}{labels}</qgis>"
    )


def _marker(name: int, shape: str, color: str, size: float) -> str:
    return (
        f'<symbol type="marker" name="{name}" alpha="1"><layer class="SimpleMarker" enabled="1">'
        f'<Option type="Map"><Option type="QString" name="color" value="{_rgb(color)}"/>'
        f'<Option type="QString" name="name" value="{shape}"/>'
        f'<Option type="QString" name="size" value="{size}"/>'
        '<Option type="QString" name="outline_color" value="255,255,255,255"/></Option></layer></symbol>'
    )


def _fill(color: str, alpha: float, outline: str = "80,80,80,255") -> str:
    return (
        f'<symbol type="fill" name="0" alpha="{alpha}"><layer class="SimpleFill" enabled="1">'
        '<Option type="Map">'
        f'<Option type="QString" name="color" value="{_rgb(color)}"/>'
        f'<Option type="QString" name="outline_color" value="{outline}"/>'
        '<Option type="QString" name="outline_width" value="0.3"/></Option></layer></symbol>'
    )


def _line(color: str, width: float) -> str:
    return (
        '<symbol type="line" name="0" alpha="0.8"><layer class="SimpleLine" enabled="1"><Option type="Map">'
        f'<Option type="QString" name="line_color" value="{_rgb(color)}"/>'
        f'<Option type="QString" name="line_width" value="{width}"/></Option></layer></symbol>'
    )


def _single(symbol: str) -> str:
    return f'<renderer-v2 type="singleSymbol"><symbols>{symbol}</symbols></renderer-v2>'


def _site_style() -> str:
    actions = [action for action in ACTION_STYLE if action != "unknown"]
    rules = ['<rule key="s" symbol="0" filter="&quot;status&quot; = \'suggested\'" label="suggested"/>']
    symbols = [_marker(0, "circle", SUGGESTED, 4)]
    for number, action in enumerate(actions, start=1):
        test = f"&quot;action&quot; = '{action}'"
        rules.append(f'<rule key="e{number}" symbol="{number}" filter="{test}" label="{action}"/>')
        symbols.append(_marker(number, "square", ACTION_STYLE[action].color, 3.6))
    last = len(symbols)
    rules.append(
        f'<rule key="e0" symbol="{last}" label="existing" '
        "filter=\"&quot;status&quot; = 'existing' AND &quot;action&quot; IS NULL\"/>"
    )
    symbols.append(_marker(last, "square", ACTION_STYLE["unknown"].color, 3.6))
    return _qml(
        f'<renderer-v2 type="RuleRenderer"><rules key="root">{"".join(rules)}</rules>'
        f"<symbols>{''.join(symbols)}</symbols></renderer-v2>",
        "name",
    )


_STYLES: dict[str, Callable[[], str]] = {
    "sites": _site_style,
    "pickups": lambda: _qml(_single(_marker(0, "diamond", PICKUP, 3.4)), "compound"),
    "gates": lambda: _qml(_single(_marker(0, "square", "#333333", 2))),
    "grids": lambda: _qml(_single(_fill("#ffffff", 0.25, "30,30,30,255")), "name"),
    "hot_spots": lambda: _qml(_single(_fill(HOT_SPOT, 0.3)), "name"),
    "cells": lambda: _qml(_single(_fill("#35b779", 0.35, "255,255,255,120"))),
    "flows": lambda: _qml(_single(_line("#9c179e", 0.6))),
    "reach": lambda: _qml(_single(_fill("#5ec962", 0.25))),
}


def _rgb(color: str) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},255"
