"""One function a layer of the study map: figures of the Study in the form the page draws.

A layer is a plain dictionary: ``id``, ``label``, ``note``, ``on``, ``legend`` (and ``legendHour`` where the
classes change with the hour), and ``parts`` to draw. Every word is already in the reader's language.
"""

from collections.abc import Sequence
from typing import Any

from maps.packing import pack_hours, pack_lines, pack_varints
from maps.style import (
    ACTION_STYLE,
    GATE_NEW,
    GATE_OSM,
    PICKUP,
    REACH_STYLE,
    REDACTED,
    SUGGESTED,
    nice_breaks,
    ramp,
)
from maps.wording import Wording
from siting.report import Column, Quantity, Term, Value
from siting.results import AuditFinding, DemandCell, GridFigures, Site, Study
from siting.tables import reason_of

__all__ = [
    "demand_layer",
    "due_layer",
    "existing_layer",
    "flows_layer",
    "grids_layer",
    "pickups_layer",
    "reach_layer",
    "refusals_layer",
    "shared_geometry",
    "stability_layer",
    "suggested_layer",
]

Layer = dict[str, Any]
Rows = list[list[str]]

_CLASSES = 6
_CLUSTER_ABOVE = 60
"""Markers beyond this number gather into clusters at small scales."""
_DETAIL_ZOOM = 14


def shared_geometry(study: Study) -> dict[str, Any]:
    """Give the outlines that several layers draw: cells, streets with flow, reach areas, unit grids."""
    reach = [(index, ring) for index, _, ring in _reach_rings(study)]
    grids = [(index, ring) for index, grid in enumerate(study.grids) for ring in grid.rings]
    return {
        "cells": pack_lines([cell.ring for cell in study.cells]),
        "flows": pack_lines([flow.line for flow in study.flows]),
        "reach": pack_lines([ring for _, ring in reach], owner=[index for index, _ in reach]),
        "grids": pack_lines([ring for _, ring in grids], owner=[index for index, _ in grids]),
    }


def demand_layer(study: Study, say: Wording) -> Layer:
    """Rest demand by cell and hour."""
    hours = [cell.rest_min_by_hour for cell in study.cells]
    return _cells(study.cells, hours, say, "demand", ramp("viridis", _CLASSES), "chart_demand", on=True)


def due_layer(study: Study, say: Wording) -> Layer:
    """Where and when the break after four hours of work falls due."""
    hours = [cell.due_break_min_by_hour for cell in study.cells]
    return _cells(study.cells, hours, say, "due", ramp("inferno", _CLASSES), "chart_due", on=False)


def flows_layer(study: Study, say: Wording) -> Layer:
    """Riders along streets, a day and by hour."""
    day = [flow.riders_a_day for flow in study.flows]
    breaks = {"day": nice_breaks(day, 5), "hour": nice_breaks(_known(f.by_hour for f in study.flows), 5)}
    palette = ramp("plasma", 5, low=0.8, high=0.05)
    widths = [1.5, 2.5, 3.5, 5.0, 7.0]
    names = sorted({flow.name for flow in study.flows})
    place = {name: index for index, name in enumerate(names)}
    part = {
        "type": "flows",
        "geo": "flows",
        "hours": pack_hours([flow.by_hour for flow in study.flows]),
        "day": pack_varints([round(value * 10) for value in day]),
        "breaks": breaks,
        "palette": palette,
        "widths": widths,
        "names": names,
        "name": [place[flow.name] for flow in study.flows],
        "unit": "",
        "chart": say.text("ui.chart_flow"),
    }

    def legend(limits: Sequence[float]) -> list[dict[str, Any]]:
        return [
            {"shape": "line", "color": palette[index], "width": widths[index], "text": text}
            for index, text in enumerate(_class_texts(limits, say))
        ]

    return _layer(
        say, "flows", [part] if study.flows else [], legend(breaks["day"]), legend_hour=legend(breaks["hour"])
    )


def existing_layer(study: Study, say: Wording) -> Layer:
    """Existing stations with the colour and letter of the audit's advice."""
    audit = {finding.site_id: finding for finding in study.audit}
    items = []
    for site in study.sites:
        if not site.existing:
            continue
        finding = audit.get(site.site_id)
        action = finding.action if finding and finding.action in ACTION_STYLE else "unknown"
        style = ACTION_STYLE[action]
        item: dict[str, Any] = {
            "id": site.site_id,
            "t": site.name,
            "s": f"{site.site_id} {say.term('status.existing')} {say.term(f'kind.{site.kind}')}",
            "p": _point(site.lonlat),
            "r": _site_rows(site, say) if finding is None else _audit_rows(site, finding, study, say),
            "i": {
                "shape": "square",
                "color": style.color,
                "ink": style.ink,
                "text": say.text(f"action_mark.{action}"),
            },
        }
        if finding is None:
            item |= {"h": _hours(site.rest_min_by_hour), "c": say.text("ui.chart_rest")}
        else:
            item |= {
                "n": f"{say.term(f'action.{finding.action}')}{_colon(say)}{say.say(reason_of(finding.reason))}",
                "h": _hours(finding.rest_min_within_reach_by_hour),
                "c": say.text("ui.chart_reach"),
                "o": list(finding.open_by_hour),
            }
        items.append(item)
    shown = {item["i"]["text"] for item in items}
    legend = [
        {
            "shape": "square",
            "color": style.color,
            "ink": style.ink,
            "mark": say.text(f"action_mark.{action}"),
            "text": say.term(f"action.{action}") if action != "unknown" else say.text("legend.site_existing"),
        }
        for action, style in ACTION_STYLE.items()
        if say.text(f"action_mark.{action}") in shown
    ]
    moves = [
        (site.lonlat, finding.move_to)
        for site in study.sites
        if (finding := audit.get(site.site_id)) is not None and finding.move_to is not None
    ]
    parts: list[dict[str, Any]] = []
    if moves:
        parts.append(
            {
                "type": "classed",
                "geo": "moves",
                "line": True,
                "cls": [0] * len(moves),
                "palette": [{"edge": "#000000", "width": 2, "dashes": [5, 4]}],
            }
        )
        legend.append({"shape": "dash", "color": "#000000", "width": 2, "text": say.text("legend.move_to")})
    if items:
        parts.append(_markers(items, ACTION_STYLE["keep"].color))
    layer = _layer(say, "existing", parts, legend, on=True)
    if moves:
        layer["geo"] = {"moves": pack_lines([list(pair) for pair in moves])}
    return layer


def suggested_layer(study: Study, say: Wording) -> Layer:
    """Suggested stations with their reasons."""
    items = [
        {
            "id": site.site_id,
            "t": site.name,
            "s": f"{site.site_id} {say.term('status.suggested')} {say.term(f'kind.{site.kind}')}",
            "p": _point(site.lonlat),
            "n": say.say(reason_of(site.reason)),
            "r": _site_rows(site, say),
            "h": _hours(site.rest_min_by_hour),
            "c": say.text("ui.chart_rest"),
            "i": {"shape": "round", "color": SUGGESTED, "ink": "#ffffff", "text": _short(site.site_id)},
        }
        for site in study.sites
        if not site.existing
    ]
    legend = [{"shape": "round", "color": SUGGESTED, "text": say.text("legend.site_suggested")}]
    return _layer(say, "suggested", [_markers(items, SUGGESTED)] if items else [], legend, on=True)


def reach_layer(study: Study, say: Wording) -> Layer:
    """Areas from where the suggested stations are reached within 3, 5 and 10 minutes."""
    order = sorted(REACH_STYLE, reverse=True)
    place = {seconds: index for index, seconds in enumerate(order)}
    palette = [
        {
            "fill": REACH_STYLE[seconds][0],
            "edge": REACH_STYLE[seconds][0],
            "dash": REACH_STYLE[seconds][1] or None,
        }
        for seconds in order
    ]
    classes = [place[seconds] for _, seconds, _ in _reach_rings(study)]
    part = {"type": "classed", "geo": "reach", "cls": classes, "palette": palette, "opacity": 0.42}
    legend = [
        {"shape": "area", "color": REACH_STYLE[seconds][0], "text": say.text(f"legend.reach_{seconds}")}
        for seconds in sorted(REACH_STYLE)
    ]
    return _layer(say, "reach", [part] if classes else [], legend)


def pickups_layer(study: Study, say: Wording) -> Layer:
    """Pick-up points and lockers with their gates, ways in and stopping areas."""
    items = []
    lines: list[Any] = []
    kinds: list[int] = []
    routes: list[Any] = []
    for point in study.pickups:
        rows = _rows(
            say,
            ("drop_offs", "a_day", True, point.drop_offs_a_day),
            ("saved", "min_a_day", True, point.saved_min_a_day),
            ("walk_median", "m", False, point.walk_median_m),
            ("walk_max", "m", False, point.walk_max_m),
            ("residents_walk", "m_a_day", False, point.residents_walk_m_a_day),
            ("gates", "count", False, len(point.gates)),
            ("gates_new", "count", False, sum(not gate.in_osm for gate in point.gates)),
        )
        items.append(
            {
                "id": point.pickup_id,
                "t": point.compound or point.pickup_id,
                "s": f"{point.pickup_id} {say.term(f'kind.{point.kind}')}",
                "p": _point(point.lonlat),
                "r": rows,
                "i": {"shape": "diamond", "color": PICKUP, "ink": "#000000", "text": "", "size": 17},
            }
        )
        if len(point.stopping_area) >= 4:
            lines.append(point.stopping_area)
            kinds.append(0)
        for gate in point.gates:
            lines.append([gate.lonlat])
            kinds.append(1 if gate.in_osm else 2)
        if len(point.entry_route) >= 2:
            routes.append(point.entry_route)
    palette = [
        {"fill": "rgba(240,228,66,.45)", "edge": "#8a7f00", "width": 1.5, "from": _DETAIL_ZOOM},
        {"fill": GATE_OSM, "edge": "#ffffff", "radius": 4, "from": _DETAIL_ZOOM},
        {"fill": GATE_NEW, "edge": "#000000", "radius": 4, "from": _DETAIL_ZOOM},
    ]
    way = [{"edge": "#7a5c00", "width": 2, "dashes": [4, 3], "from": _DETAIL_ZOOM}]
    legend = [
        {"shape": "diamond", "color": PICKUP, "text": say.text("legend.pickup")},
        {"shape": "small", "color": GATE_OSM, "text": say.text("legend.gate_osm")},
        {"shape": "small", "color": GATE_NEW, "text": say.text("legend.gate_new")},
        {"shape": "dash", "color": "#7a5c00", "width": 2, "text": say.text("legend.entry_route")},
        {"shape": "area", "color": "rgba(240,228,66,.45)", "text": say.text("legend.stopping_area")},
    ]
    parts: list[dict[str, Any]] = []
    if routes:
        parts.append(
            {"type": "classed", "geo": "routes", "line": True, "cls": [0] * len(routes), "palette": way}
        )
    if lines:
        parts.append({"type": "classed", "geo": "details", "cls": kinds, "palette": palette})
    if items:
        parts.append(_markers(items, "#8a7f00"))
    layer = _layer(say, "pickups", parts, legend)
    layer["geo"] = {"routes": pack_lines(routes), "details": pack_lines(lines)}
    return layer


def grids_layer(study: Study, say: Wording) -> Layer:
    """Unit grids by the share of their rest demand that is covered."""
    limits = [0.2, 0.4, 0.6, 0.8]
    colours = ramp("cividis", 5, low=0.98, high=0.15)
    palette: list[dict[str, Any]] = [
        {"fill": REDACTED, "edge": "#333333", "width": 1.4},
        *({"fill": _alpha(colour, 0.55), "edge": "#333333", "width": 1.4} for colour in colours),
    ]

    def class_of(grid: GridFigures) -> int:
        share = grid.covered_share
        return 0 if share is None else 1 + sum(share >= limit for limit in limits)

    items = [
        {
            "id": grid.code,
            "t": grid.name or grid.code,
            "s": f"{say.text('legend.grid')} {grid.code}",
            "r": _rows(
                say,
                ("riders", "count", True, grid.riders),
                ("demand", "min_a_day", True, grid.rest_min_a_day),
                ("covered_share", "share", True, grid.covered_share),
                ("site_ids", "text", False, grid.site_ids),
                ("pickup_ids", "text", False, grid.pickup_ids),
            ),
        }
        for grid in study.grids
    ]
    part = {
        "type": "classed",
        "geo": "grids",
        "cls": [class_of(grid) for grid in study.grids for _ in grid.rings],
        "palette": palette,
        "items": items,
        "search": True,
        "text": [grid.name or grid.code for grid in study.grids],
        "textFrom": 13,
    }
    edges = ["0", *(f"{limit:.0%}".rstrip("%") for limit in limits), "100"]
    legend = [
        {
            "shape": "area",
            "color": _alpha(colour, 0.75),
            "text": say.text("quantity.share", value=say.text("legend.range", low=low, high=high)),
        }
        for colour, low, high in zip(colours, edges, edges[1:], strict=False)
    ]
    legend.append({"shape": "area", "color": REDACTED, "text": say.text("legend.redacted", k=say.k)})
    return _layer(say, "grids", [part] if items else [], legend)


def stability_layer(study: Study, say: Wording) -> Layer:
    """How often each suggested station is chosen when days and riders are resampled."""
    colours = ramp("viridis", 5, low=0.1, high=0.9)
    limits = [0.2, 0.4, 0.6, 0.8]
    items = []
    for site in study.sites:
        if site.existing or site.chosen_share is None:
            continue
        step = sum(site.chosen_share >= limit for limit in limits)
        share = Quantity(site.chosen_share, "share")
        items.append(
            {
                "id": site.site_id,
                "t": site.name,
                "s": f"{site.site_id} {say.term('status.suggested')}",
                "p": _point(site.lonlat),
                "r": [[say.text("column.chosen"), say.quantity(share)]],
                "i": {
                    "shape": "round",
                    "color": colours[step],
                    "ink": "#000000" if step >= 3 else "#ffffff",
                    "text": f"{site.chosen_share:.0%}",
                    "size": 24 + 4 * step,
                },
            }
        )
    edges = ["0", *(f"{limit:.0%}".rstrip("%") for limit in limits), "100"]
    legend = [
        {
            "shape": "round",
            "color": colour,
            "text": say.text("quantity.share", value=say.text("legend.range", low=low, high=high)),
        }
        for colour, low, high in zip(colours, edges, edges[1:], strict=False)
    ]
    part = _markers(items, colours[2]) | {"search": False}
    return _layer(say, "stability", [part] if items else [], legend)


def refusals_layer(study: Study, say: Wording) -> Layer:
    """Candidates that may not become a station, with the reason."""
    items = [
        {
            "t": refusal.name or say.text("ui.unnamed_place"),
            "s": say.text("layer.refusals"),
            "n": say.term(f"refusal.{refusal.reason}"),
        }
        for refusal in study.refusals
    ]
    part = {
        "type": "classed",
        "geo": "refusals",
        "cls": [0] * len(items),
        "palette": [{"edge": "#555555", "width": 2, "radius": 4, "cross": True}],
        "items": items,
    }
    legend = [{"shape": "cross", "color": "#555555", "text": say.text("layer.refusals")}]
    layer = _layer(say, "refusals", [part] if items else [], legend)
    layer["geo"] = {"refusals": pack_lines([[refusal.lonlat] for refusal in study.refusals])}
    return layer


def _layer(
    say: Wording,
    name: str,
    parts: list[dict[str, Any]],
    legend: list[dict[str, Any]],
    *,
    on: bool = False,
    legend_hour: list[dict[str, Any]] | None = None,
) -> Layer:
    layer: Layer = {
        "id": name,
        "label": say.text(f"layer.{name}"),
        "note": say.text(f"layer_note.{name}"),
        "on": on,
        "legend": legend,
        "parts": parts,
    }
    if legend_hour is not None:
        layer["legendHour"] = legend_hour
    return layer


def _cells(
    cells: Sequence[DemandCell],
    hours: Sequence[Sequence[float | None]],
    say: Wording,
    name: str,
    palette: list[str],
    chart: str,
    *,
    on: bool,
) -> Layer:
    day = [sum(value for value in row if value is not None) for row in hours]
    breaks = {"day": nice_breaks(day, _CLASSES), "hour": nice_breaks(_known(hours), _CLASSES)}
    part = {
        "type": "cells",
        "geo": "cells",
        "hours": pack_hours(hours),
        "riders": pack_varints([0 if cell.riders is None else cell.riders + 1 for cell in cells]),
        "breaks": breaks,
        "palette": palette,
        "opacity": 0.72,
        "unit": say.text("unit.min_a_day"),
        "chart": say.text(f"ui.{chart}"),
    }

    def legend(limits: Sequence[float]) -> list[dict[str, Any]]:
        entries = [
            {"shape": "area", "color": palette[index], "text": text}
            for index, text in enumerate(_class_texts(limits, say))
        ]
        return [
            *entries,
            {"shape": "area", "color": REDACTED, "text": say.text("legend.redacted", k=say.k)},
        ]

    return _layer(
        say,
        name,
        [part] if cells else [],
        legend(breaks["day"]),
        on=on and bool(cells),
        legend_hour=legend(breaks["hour"]),
    )


def _markers(items: list[dict[str, Any]], color: str) -> dict[str, Any]:
    return {
        "type": "markers",
        "items": items,
        "search": True,
        "cluster": len(items) > _CLUSTER_ABOVE,
        "color": color,
    }


def _site_rows(site: Site, say: Wording) -> Rows:
    return _rows(
        say,
        ("hours", "text", False, say.opening(site.opening_hours)),
        ("street", "text", False, site.street),
        ("rest", "min_a_day", True, site.rest_min_a_day),
        ("only_here", "share", True, site.only_here_share),
        *([] if site.chosen_share is None else [("chosen", "share", False, site.chosen_share)]),
        *(
            []
            if site.extra_rest_hours_if_longer is None
            else [("longer", "hours_a_day", True, site.extra_rest_hours_if_longer)]
        ),
        *([] if site.cost_yuan is None else [("cost_yuan", "yuan", False, site.cost_yuan)]),
        ("facilities", "text", False, tuple(Term(f"facility.{name}") for name in site.facilities)),
    )


def _audit_rows(site: Site, finding: AuditFinding, study: Study, say: Wording) -> Rows:
    names = {other.site_id: other.name for other in study.sites}
    rows: list[tuple[str, str, bool, Value]] = [
        ("hours", "text", False, say.opening(site.opening_hours)),
        ("street", "text", False, site.street),
        ("visits", "a_day", True, finding.visits_a_day),
        ("visitors", "a_day", True, finding.visitors_a_day),
        ("rest", "min_a_day", True, site.rest_min_a_day),
        ("only_here", "share", True, site.only_here_share),
    ]
    if finding.better_hours is not None:
        rows.append(("better_hours", "text", False, say.opening(finding.better_hours)))
    if finding.gain_rest_hours_a_day is not None:
        rows.append(("gain", "hours_a_day", False, finding.gain_rest_hours_a_day))
    if finding.overlap_site_id is not None:
        overlap = names.get(finding.overlap_site_id, finding.overlap_site_id)
        rows.append(("overlap_site", "text", False, overlap))
    if finding.overlap_share is not None:
        rows.append(("overlap_share", "share", False, finding.overlap_share))
    rows.append(("missing", "text", False, tuple(Term(f"facility.{n}") for n in finding.missing_facilities)))
    rows.append(("busiest", "text", False, finding.busiest_half_hours))
    return _rows(say, *rows)


def _rows(say: Wording, *rows: tuple[str, Any, bool, Value]) -> Rows:
    """Label and figure with its unit, for popups."""
    out = []
    for key, unit, redacted, value in rows:
        label = say.text(f"column.{key}")
        if unit == "text":
            out.append([label, say.cell(value, Column(key))])
        elif value is None or isinstance(value, int | float):
            out.append([label, say.quantity(Quantity(value, unit, redacted))])
    return out


def _reach_rings(study: Study) -> list[tuple[int, int, Any]]:
    """Site number, seconds and ring of every reach area; large ones first inside a site."""
    return [
        (index, seconds, ring)
        for index, site in enumerate(site for site in study.sites if not site.existing)
        for seconds, rings in sorted(site.reach, reverse=True)
        if seconds in REACH_STYLE
        for ring in rings
    ]


def _class_texts(limits: Sequence[float], say: Wording) -> list[str]:
    if not limits:
        return [say.text("legend.above", low="0")]
    edges = ["0", *(f"{limit:g}" for limit in limits)]
    inner = [
        say.text("legend.range", low=low, high=high) for low, high in zip(edges, edges[1:], strict=False)
    ]
    return [*inner, say.text("legend.above", low=edges[-1])]


def _known(rows: Any) -> list[float]:
    return [value for row in rows for value in row if value is not None]


def _hours(row: Sequence[float | None]) -> list[float | None] | None:
    return [None if value is None else round(value, 1) for value in row] if _known([row]) else None


def _point(lonlat: tuple[float, float]) -> list[float]:
    return [round(lonlat[0], 6), round(lonlat[1], 6)]


def _short(site_id: str) -> str:
    """``S01`` -> ``1``: the number that also stands in the tables, without its letter."""
    digits = site_id.lstrip("SE").lstrip("0")
    return digits or site_id


def _colon(say: Wording) -> str:
    return "：" if say.catalogue.lang == "zh" else ": "


def _alpha(color: str, alpha: float) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
