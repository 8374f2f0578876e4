"""Layer of the study map: ways that the map may lack, and gates that may be shut."""

from typing import Any, Final

from maps.packing import pack_lines
from maps.page.parts import Layer, layer_of
from maps.texts.wording import Wording
from siting.proposed import MapEdit
from siting.results import Study

__all__ = ["edit_sentence", "edits_layer"]

_EDIT: Final = "#b3005e"
_STYLES: Final = {
    "cut_through": {"edge": _EDIT, "width": 3, "dashes": [6, 4]},
    "shut_gate": {"edge": _EDIT, "width": 3, "radius": 6, "cross": True},
}


def edit_sentence(edit: MapEdit, say: Wording) -> str:
    """Say in one sentence what is proposed and what stands behind it."""
    return say.text(
        f"edit.{edit.kind}",
        riders=edit.riders,
        days=edit.days,
        passes=edit.passes,
        seconds=f"{edit.seconds:.0f}",
    )


def edits_layer(study: Study, say: Wording) -> Layer:
    """Draw the proposed edits of the map; off at first."""
    edits = () if study.inner_ways is None else study.inner_ways.edits
    parts: list[dict[str, Any]] = []
    legend, shapes = [], {}
    for kind, style in _STYLES.items():
        mine = [edit for edit in edits if edit.kind == kind]
        if not mine:
            continue
        part: dict[str, Any] = {
            "type": "classed", "geo": kind, "cls": [0] * len(mine), "palette": [style],
            "items": [
                {"t": f"{edit.edit_id} {edit.compound}".strip(), "s": say.term(f"edit_kind.{kind}"),
                 "n": edit_sentence(edit, say)}
                for edit in mine
            ],
        }  # fmt: skip
        parts.append(part | ({"line": True} if kind == "cut_through" else {}))
        shape = "dash" if kind == "cut_through" else "cross"
        legend.append({"shape": shape, "color": _EDIT, "width": 3, "text": say.term(f"edit_kind.{kind}")})
        shapes[kind] = pack_lines([edit.line for edit in mine])
    layer = layer_of(say, "edits", parts, legend)
    layer["geo"] = shapes
    return layer
