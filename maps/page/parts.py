"""What all layers of a page are put together from: legends, markers, popup rows."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from maps.texts.wording import Wording
from siting.report import Column, Quantity, Unit, Value

__all__ = [
    "Layer",
    "alpha",
    "class_texts",
    "hours_of",
    "known",
    "layer_of",
    "markers_part",
    "point_of",
    "popup_rows",
]

Layer = dict[str, Any]
Rows = list[list[str]]

_CLUSTER_ABOVE = 60
"""Markers beyond this number gather into clusters at small scales."""


def layer_of(
    say: Wording,
    name: str,
    parts: list[dict[str, Any]],
    legend: list[dict[str, Any]],
    *,
    on: bool = False,
    legend_hour: list[dict[str, Any]] | None = None,
    note: str | None = None,
) -> Layer:
    """Put one layer together under its name in the catalogue; with a note of its own or that of its name."""
    layer: Layer = {
        "id": name,
        "label": say.text(f"layer.{name}"),
        "note": say.text(f"layer_note.{name}") if note is None else note,
        "on": on,
        "legend": legend,
        "parts": parts,
    }
    if legend_hour is not None:
        layer["legendHour"] = legend_hour
    return layer


def markers_part(items: list[dict[str, Any]], color: str) -> dict[str, Any]:
    """Make a part of markers; many of them gather into clusters."""
    return {
        "type": "markers",
        "items": items,
        "search": True,
        "cluster": len(items) > _CLUSTER_ABOVE,
        "color": color,
    }


def popup_rows(say: Wording, *rows: tuple[str, Unit, bool, Value]) -> Rows:
    """Label and figure with its unit, for popups."""
    out = []
    for key, unit, redacted, value in rows:
        label = say.text(f"column.{key}")
        if unit == "text":
            out.append([label, say.cell(value, Column(key))])
        elif value is None or isinstance(value, int | float):
            out.append([label, say.quantity(Quantity(value, unit, redacted))])
    return out


def class_texts(limits: Sequence[float], say: Wording) -> list[str]:
    """Say each class of a legend: below the first limit, between limits, above the last."""
    if not limits:
        return [say.text("legend.above", low="0")]
    edges = ["0", *(f"{limit:g}" for limit in limits)]
    inner = [say.text("legend.range", low=low, high=high) for low, high in itertools.pairwise(edges)]
    return [*inner, say.text("legend.above", low=edges[-1])]


def known(rows: Iterable[Iterable[float | None]]) -> list[float]:
    """Flatten rows of figures, without the redacted ones."""
    return [value for row in rows for value in row if value is not None]


def hours_of(row: Sequence[float | None]) -> list[float | None] | None:
    """Round 24 figures for a chart; None when all are redacted."""
    return [None if value is None else round(value, 1) for value in row] if known([row]) else None


def point_of(lonlat: tuple[float, float]) -> list[float]:
    """Round a position to a tenth of a metre."""
    return [round(lonlat[0], 6), round(lonlat[1], 6)]


def alpha(color: str, opacity: float) -> str:
    """Give a hex colour an opacity."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
