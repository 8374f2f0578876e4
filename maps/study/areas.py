"""Layers of areas and lines of the study map: demand, due breaks, flows, reach, unit grids.

A layer is a plain dictionary: ``id``, ``label``, ``note``, ``on``, ``legend`` (and ``legendHour`` where the
classes change with the hour), and ``parts`` to draw. Every word is already in the reader's language.
"""

import itertools
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from maps.packing import pack_hours, pack_lines, pack_varints
from maps.page.parts import Layer, alpha, class_texts, hours_of, known, layer_of, popup_rows
from maps.style import (
    CHANGE_COLOURS,
    CHANGE_POINTS,
    COVERAGE_STYLE,
    HOT_SPOT,
    REACH_STYLE,
    REDACTED,
    nice_breaks,
    ramp,
)
from maps.texts.wording import Wording
from siting.report import Quantity
from siting.results import DemandCell, GridFigures, Study

__all__ = [
    "change_legend",
    "coverage_layer",
    "demand_layer",
    "due_layer",
    "flows_layer",
    "grids_layer",
    "hot_spots_layer",
    "reach_layer",
    "shared_geometry",
]

_CLASSES = 6


def shared_geometry(study: Study) -> dict[str, Any]:
    """Give the outlines that several layers draw: cells, streets with flow, reach areas, unit grids."""
    reach = [(index, ring) for index, _, ring in reach_rings(study)]
    grids = [(index, ring) for index, grid in enumerate(study.grids) for ring in grid.rings]
    return {
        "cells": pack_lines([cell.ring for cell in study.cells]),
        "flows": pack_lines([flow.line for flow in study.flows]),
        "reach": pack_lines([ring for _, ring in reach], owner=[index for index, _ in reach]),
        "grids": pack_lines([ring for _, ring in grids], owner=[index for index, _ in grids]),
        "hotspots": pack_lines([spot.ring for spot in study.hot_spots]),
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
    breaks = {"day": nice_breaks(day, 5), "hour": nice_breaks(known(f.by_hour for f in study.flows), 5)}
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
            for index, text in enumerate(class_texts(limits, say))
        ]

    return layer_of(
        say, "flows", [part] if study.flows else [], legend(breaks["day"]), legend_hour=legend(breaks["hour"])
    )


def hot_spots_layer(study: Study, say: Wording) -> Layer:
    """Draw the named places where rests are dense; an open ring where no station of the plan is near."""
    names = {site.site_id: site.name for site in study.sites}
    items = [
        {
            "id": spot.spot_id,
            "t": spot.name or spot.spot_id,
            "s": f"{spot.spot_id} {say.text('legend.hot_spot')}",
            "r": popup_rows(
                say,
                ("demand", "min_a_day", True, spot.rest_min_a_day),
                ("riders", "count", True, spot.riders),
                ("radius", "m", False, spot.radius_m),
                (
                    "in_reach_of",
                    "text",
                    False,
                    f"{spot.site_id} {names.get(spot.site_id, '')}".strip() or None,
                ),
            ),
            "h": hours_of(spot.rest_min_by_hour),
            "c": say.text("ui.chart_demand"),
        }
        for spot in study.hot_spots
    ]
    palette: list[dict[str, Any]] = [
        {"fill": alpha(HOT_SPOT, 0.3), "edge": HOT_SPOT, "width": 2},
        {"fill": alpha(HOT_SPOT, 0.08), "edge": HOT_SPOT, "width": 2, "dashes": [5, 4]},
    ]
    part = {
        "type": "classed",
        "geo": "hotspots",
        "cls": [0 if spot.site_id else 1 for spot in study.hot_spots],
        "palette": palette,
        "items": items,
        "search": True,
        "text": [spot.name or spot.spot_id for spot in study.hot_spots],
        "textFrom": 15,
        "fits": False,
    }
    legend: list[dict[str, Any]] = [
        {"shape": "area", "color": alpha(HOT_SPOT, 0.5), "text": say.text("legend.hot_spot_served")},
        {"shape": "dash", "color": HOT_SPOT, "width": 2, "text": say.text("legend.hot_spot_unserved")},
    ]
    return layer_of(say, "hotspots", [part] if items else [], legend)


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
    classes = [place[seconds] for _, seconds, _ in reach_rings(study)]
    part = {"type": "classed", "geo": "reach", "cls": classes, "palette": palette, "opacity": 0.42}
    legend = [
        {"shape": "area", "color": REACH_STYLE[seconds][0], "text": say.text(f"legend.reach_{seconds}")}
        for seconds in sorted(REACH_STYLE)
    ]
    return layer_of(say, "reach", [part] if classes else [], legend)


def report_links(code: str, say: Wording) -> list[tuple[str, str]]:
    """Return links to the report on one unit grid, where the page comes from the service."""
    asked = urlencode({"grid": code, "lang": say.catalogue.lang})
    return [
        (say.text("legend.grid_report", form=form), f"reports/{kind}?{asked}")
        for kind, form in (("docx", "Word"), ("xlsx", "Excel"))
    ]


def grids_layer(study: Study, say: Wording) -> Layer:
    """Draw unit grids by the share of their rest that is served: today, under the plan, and the change."""
    limits = [0.2, 0.4, 0.6, 0.8]
    colours = ramp("cividis", 5, low=0.98, high=0.15)
    palette: list[dict[str, Any]] = [
        {"fill": REDACTED, "edge": "#333333", "width": 1.4},
        *({"fill": alpha(colour, 0.55), "edge": "#333333", "width": 1.4} for colour in colours),
        *({"fill": alpha(colour, 0.6), "edge": "#333333", "width": 1.4} for colour in CHANGE_COLOURS),
    ]

    def share_class(share: float | None) -> int:
        return 0 if share is None else 1 + sum(share >= limit for limit in limits)

    def change_class(points: float | None) -> int:
        return 0 if points is None else 6 + sum(points >= limit for limit in CHANGE_POINTS)

    items = [_grid_item(grid, say) for grid in study.grids]
    views = {
        "today": [share_class(grid.served_today_share) for grid in study.grids for _ in grid.rings],
        "plan": [share_class(grid.served_share) for grid in study.grids for _ in grid.rings],
        "change": [change_class(grid.gain_points) for grid in study.grids for _ in grid.rings],
    }
    part = {
        "type": "classed",
        "geo": "grids",
        "cls": views["plan"],
        "views": views,
        "palette": palette,
        "items": items,
        "search": True,
        "text": [grid.name or grid.code for grid in study.grids],
    }
    edges = ["0", *(f"{limit:.0%}".rstrip("%") for limit in limits), "100"]
    hidden = {"shape": "area", "color": REDACTED, "text": say.text("legend.redacted", k=say.k)}
    legend = [
        {
            "shape": "area",
            "color": alpha(colour, 0.75),
            "text": say.text("quantity.share", value=say.text("legend.range", low=low, high=high)),
        }
        for colour, (low, high) in zip(colours, itertools.pairwise(edges), strict=True)
    ]
    legend.append(hidden)
    layer = layer_of(say, "grids", [part] if items else [], legend)
    layer["legends"] = {"today": legend, "plan": legend, "change": [*change_legend(say), hidden]}
    return layer


def change_legend(say: Wording) -> list[dict[str, Any]]:
    """Give the classes of gains and losses in points, losses first."""
    low = [f"{limit:+g}".replace("-", "\u2212") for limit in CHANGE_POINTS]
    texts = [
        say.text("legend.below", high=low[0]),
        *(say.text("legend.between", low=a, high=b) for a, b in itertools.pairwise(low)),
        say.text("legend.above", low=low[-1]),
    ]
    return [
        {"shape": "area", "color": alpha(colour, 0.75), "text": say.text("quantity.points", value=text)}
        for colour, text in zip(CHANGE_COLOURS, texts, strict=True)
    ]


def _grid_item(grid: GridFigures, say: Wording) -> dict[str, Any]:
    return {
        "id": grid.code,
        "t": grid.name or grid.code,
        "s": f"{say.text('legend.grid')} {grid.code}",
        "r": popup_rows(
            say,
            ("riders", "count", True, grid.riders),
            ("demand", "min_a_day", True, grid.rest_min_a_day),
            ("served_today_share", "share", True, grid.served_today_share),
            ("served_share", "share", True, grid.served_share),
            ("gain_points", "points", True, grid.gain_points),
            ("in_reach_share", "share", True, grid.in_reach_share),
            ("site_ids", "text", False, grid.site_ids),
            ("pickup_ids", "text", False, grid.pickup_ids),
        ),
        "l": report_links(grid.code, say),
    }


def coverage_layer(study: Study, say: Wording) -> Layer:
    """Draw from where a station is reached within the limit: today, under the plan, and what changes.

    Rings are those of the reach areas nearest to the limit of the study, from below where there is one.
    """
    times = sorted({seconds for site in study.sites for seconds, _ in site.reach})
    least = [seconds for seconds in times if seconds <= study.limit_s] or times[:1]
    shown = [(site, dict(site.reach).get(least[-1], ())) for site in study.sites] if times else []
    rings = [(index, ring) for index, (_, found) in enumerate(shown) for ring in found]
    audit = {finding.site_id: finding for finding in study.audit}

    def hours(row: Sequence[bool]) -> str:
        return "".join("1" if is_open else "0" for is_open in row)

    today = [
        hours(audit[site.site_id].open_by_hour if site.site_id in audit else site.open_by_hour)
        for site, _ in shown
    ]
    part = {
        "type": "coverage",
        "geo": "coverage",
        "today": [int(site.existing) for site, _ in shown],
        "plan": [int(site.plan in ("new", "stay")) for site, _ in shown],
        "todayHours": today,
        "planHours": [hours(site.open_by_hour) for site, _ in shown],
        "style": COVERAGE_STYLE,
    }
    lines: dict[str, dict[str, Any]] = {
        name: {"shape": "line", "color": COVERAGE_STYLE[name], "width": 4} for name in ("today", "plan")
    }
    legends: dict[str, list[dict[str, Any]]] = {
        "today": [lines["today"] | {"text": say.text("legend.reach_today")}],
        "plan": [lines["plan"] | {"text": say.text("legend.reach_plan")}],
        "change": [
            {"shape": "area", "color": COVERAGE_STYLE[name], "text": say.text(f"legend.reach_{name}")}
            for name in ("won", "lost", "both")
        ],
    }
    limit = say.quantity(Quantity(float(least[-1]) if times else study.limit_s, "s"))
    note = say.text("layer_note.coverage", limit=limit, mode=say.term(f"mode.{study.mode}"))
    layer = layer_of(say, "coverage", [part] if rings else [], legends["plan"], on=bool(rings), note=note)
    layer["legends"] = legends
    layer["geo"] = {"coverage": pack_lines([ring for _, ring in rings], owner=[index for index, _ in rings])}
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
    breaks = {"day": nice_breaks(day, _CLASSES), "hour": nice_breaks(known(hours), _CLASSES)}
    part = {
        "type": "cells",
        "geo": "cells",
        "hours": pack_hours(hours),
        "riders": pack_varints([0 if cell.riders is None else cell.riders + 1 for cell in cells]),
        "breaks": breaks,
        "palette": palette,
        "opacity": 0.62,
        "unit": say.text("unit.min_a_day"),
        "chart": say.text(f"ui.{chart}"),
    }

    def legend(limits: Sequence[float]) -> list[dict[str, Any]]:
        entries = [
            {"shape": "area", "color": palette[index], "text": text}
            for index, text in enumerate(class_texts(limits, say))
        ]
        return [
            *entries,
            {"shape": "area", "color": REDACTED, "text": say.text("legend.redacted", k=say.k)},
        ]

    return layer_of(
        say,
        name,
        [part] if cells else [],
        legend(breaks["day"]),
        on=on and bool(cells),
        legend_hour=legend(breaks["hour"]),
    )


def reach_rings(study: Study) -> list[tuple[int, int, Any]]:
    """Site number, seconds and ring of every reach area; large ones first inside a site."""
    return [
        (index, seconds, ring)
        for index, site in enumerate(site for site in study.sites if not site.existing)
        for seconds, rings in sorted(site.reach, reverse=True)
        if seconds in REACH_STYLE
        for ring in rings
    ]
