"""Layer of the study map: streets that nobody passes, and where patrols begin."""

from typing import Any

from maps.packing import pack_lines
from maps.page.parts import Layer, layer_of
from maps.texts.wording import Wording
from siting.results import Study

__all__ = ["blind_layer"]

_BLIND = "#5b2a86"


def blind_layer(study: Study, say: Wording) -> Layer:
    """Draw the streets that fewer than k riders passed in the whole period."""
    lines = () if study.blind_spots is None else study.blind_spots.streets
    palette = [{"edge": _BLIND, "width": 2.5, "dashes": [2, 3]}]
    part: dict[str, Any] = {
        "type": "classed", "geo": "blind", "line": True, "cls": [0] * len(lines), "palette": palette
    }  # fmt: skip
    legend = [{"shape": "dash", "color": _BLIND, "width": 2.5, "text": say.text("layer.blind")}]
    layer = layer_of(say, "blind", [part] if lines else [], legend)
    layer["geo"] = {"blind": pack_lines(lines)}
    return layer
