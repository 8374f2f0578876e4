"""Layers of places of the study map: stations, pick-up points, stability, refused candidates.

Each layer is a plain dictionary as in :mod:`maps.study.areas`.
"""

import itertools
from typing import Any

from geo.map_links import map_links
from maps.packing import pack_lines
from maps.page.parts import Layer, Rows, hours_of, layer_of, markers_part, point_of, popup_rows
from maps.style import ACTION_STYLE, GATE_NEW, GATE_OSM, PICKUP, SUGGESTED, ramp
from maps.texts.wording import Wording
from siting.report import Quantity, Term, Unit, Value, pickup_place, reason_of, status_of
from siting.results import AuditFinding, Site, Study

__all__ = ["existing_layer", "pickups_layer", "refusals_layer", "stability_layer", "suggested_layer"]

_DETAIL_ZOOM = 14
_MOVES_ZOOM = 12
"""First zoom of the lines to where a station should move: in a whole city they only cross."""


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
            "w": _when(site, say),
            "ot": list(finding.open_by_hour if finding else site.open_by_hour),
            "s": f"{site.site_id} {say.term(status_of(site).key)} {say.term(f'kind.{site.kind}')}",
            "p": point_of(site.lonlat),
            "l": _apps(site, say),
            "r": _site_rows(site, say) if finding is None else _audit_rows(site, finding, study, say),
            "i": {
                "shape": "square",
                "color": style.color,
                "ink": style.ink,
                "text": say.text(f"action_mark.{action}"),
            },
        }
        if site.plan in ("close", "move"):
            item["when"] = "today"
        if finding is None:
            item |= {
                "h": hours_of(site.rest_min_by_hour),
                "c": say.text("ui.chart_rest"),
                "o": list(site.open_by_hour),
            }
        else:
            item |= {
                "n": _advice(finding, say),
                "h": hours_of(finding.rest_min_within_reach_by_hour),
                "c": say.text("ui.chart_reach"),
                "o": list(site.open_by_hour),
            }
        items.append(item)
    shown = {item["i"]["text"] for item in items}
    legend: list[dict[str, Any]] = [
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
                "palette": [{"edge": "#000000", "width": 2, "dashes": [5, 4], "from": _MOVES_ZOOM}],
            }
        )
        legend.append({"shape": "dash", "color": "#000000", "width": 2, "text": say.text("legend.move_to")})
    if items:
        parts.append(markers_part(items, ACTION_STYLE["keep"].color))
    layer = layer_of(say, "existing", parts, legend, on=True)
    if moves:
        layer["geo"] = {"moves": pack_lines([list(pair) for pair in moves])}
    return layer


def suggested_layer(study: Study, say: Wording) -> Layer:
    """Suggested stations with their reasons."""
    items = [
        {
            "id": site.site_id,
            "t": site.name,
            "w": _when(site, say),
            "when": "plan",
            "s": f"{site.site_id} {say.term('status.suggested')} {say.term(f'kind.{site.kind}')}",
            "p": point_of(site.lonlat),
            "n": say.say(reason_of(site.reason)),
            "l": _apps(site, say),
            "r": _site_rows(site, say),
            "h": hours_of(site.rest_min_by_hour),
            "c": say.text("ui.chart_rest"),
            "o": list(site.open_by_hour),
            "i": {"shape": "round", "color": SUGGESTED, "ink": "#ffffff", "text": _short(site.site_id)},
        }
        for site in study.sites
        if not site.existing
    ]
    legend = [{"shape": "round", "color": SUGGESTED, "text": say.text("legend.site_suggested")}]
    return layer_of(say, "suggested", [markers_part(items, SUGGESTED)] if items else [], legend, on=True)


def _apps(site: Site, say: Wording) -> list[list[str]]:
    """Links that open a station in a map app: label and address."""
    links = map_links(site.lonlat, site.name)
    found = [("map_app.geo", links.geo), ("map_app.amap", links.amap), ("map_app.baidu", links.baidu)]
    return [[say.text(key), address] for key, address in found if address is not None]


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
                "p": point_of(site.lonlat),
                "when": "plan",
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
        for colour, (low, high) in zip(colours, itertools.pairwise(edges), strict=True)
    ]
    part = markers_part(items, colours[2]) | {"search": False}
    return layer_of(say, "stability", [part] if items else [], legend)


def pickups_layer(study: Study, say: Wording) -> Layer:
    """Pick-up points and lockers with their gates, ways in and stopping areas."""
    items = []
    lines: list[Any] = []
    kinds: list[int] = []
    routes: list[Any] = []
    for point in study.pickups:
        rows = popup_rows(
            say,
            ("drop_offs", "a_day", True, point.drop_offs_a_day),
            ("saved", "min_a_day", True, point.saved_min_a_day),
            ("walk_median", "m", True, point.walk_median_m),
            ("walk_max", "m", True, point.walk_max_m),
            ("residents_walk", "m_a_day", True, point.residents_walk_m_a_day),
            ("gates", "count", False, len(point.gates)),
            ("gates_new", "count", False, sum(not gate.in_osm for gate in point.gates)),
        )
        items.append(
            {
                "id": point.pickup_id,
                "t": say.words(pickup_place(point)) if point.compound else point.pickup_id,
                "s": f"{point.pickup_id} {say.term(f'kind.{point.kind}')}",
                "p": point_of(point.lonlat),
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
    legend: list[dict[str, Any]] = [
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
        parts.append(markers_part(items, "#8a7f00"))
    layer = layer_of(say, "pickups", parts, legend)
    layer["geo"] = {"routes": pack_lines(routes), "details": pack_lines(lines)}
    return layer


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
    layer = layer_of(say, "refusals", [part] if items else [], legend)
    layer["geo"] = {"refusals": pack_lines([[refusal.lonlat] for refusal in study.refusals])}
    return layer


def _site_rows(site: Site, say: Wording) -> Rows:
    rows: list[tuple[str, Unit, bool, Value]] = [
        ("hours", "text", False, say.opening(site.opening_hours)),
        *_planned(site, say),
        ("street", "text", False, site.street),
        ("rest", "min_a_day", True, site.rest_min_a_day),
        ("only_here", "share", True, site.only_here_share),
    ]
    if site.chosen_share is not None:
        rows.append(("chosen", "share", False, site.chosen_share))
    rows += [(f"until_{closing}", "hours_a_day", True, gain) for closing, gain in site.until]
    if site.extra_rest_hours_if_longer is not None:
        rows.append(("longer", "hours_a_day", True, site.extra_rest_hours_if_longer))
    if site.due_break_min_a_day is not None:
        rows.append(("due", "min_a_day", True, site.due_break_min_a_day))
    if site.passing_riders_a_day is not None:
        rows.append(("passing", "a_day", False, site.passing_riders_a_day))
    if site.cost_yuan is not None:
        rows.append(("cost_yuan", "yuan", False, site.cost_yuan))
    rows.append(("facilities", "text", False, tuple(Term(f"facility.{name}") for name in site.facilities)))
    return popup_rows(say, *rows)


def _audit_rows(site: Site, finding: AuditFinding, study: Study, say: Wording) -> Rows:
    names = {other.site_id: other.name for other in study.sites}
    rows: list[tuple[str, Unit, bool, Value]] = [
        ("hours", "text", False, say.opening(site.opening_hours)),
        *_planned(site, say),
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
    rows += [(f"until_{closing}", "hours_a_day", True, gain) for closing, gain in site.until]
    if finding.overlap_site_id is not None:
        overlap = names.get(finding.overlap_site_id, finding.overlap_site_id)
        rows.append(("overlap_site", "text", False, overlap))
    if finding.overlap_share is not None:
        rows.append(("overlap_share", "share", False, finding.overlap_share))
    rows.append(("missing", "text", False, tuple(Term(f"facility.{n}") for n in finding.missing_facilities)))
    rows.append(("busiest", "text", False, finding.busiest_half_hours))
    return popup_rows(say, *rows)


def _planned(site: Site, say: Wording) -> list[tuple[str, Unit, bool, Value]]:
    """Tell what the plan changes at a station that stands today."""
    out: list[tuple[str, Unit, bool, Value]] = []
    if site.planned_hours is not None:
        out.append(("planned_hours", "text", False, say.opening(site.planned_hours)))
    if site.moves_to is not None:
        out.append(("moves_to", "text", False, site.moves_to))
    return out


def _when(site: Site, say: Wording) -> str:
    """Kind and hours of a station in a line; of the plan where it changes them."""
    hours = say.opening(site.planned_hours or site.opening_hours)
    return f"{say.term(f'kind.{site.kind}')}{say.text('list.stop')}{hours}"


def _short(site_id: str) -> str:
    """``S01`` -> ``1``: the number that also stands in the tables, without its letter."""
    digits = site_id.lstrip("SE").lstrip("0")
    return digits or site_id


def _advice(finding: AuditFinding, say: Wording) -> str:
    colon = "：" if say.catalogue.lang == "zh" else ": "
    return f"{say.term(f'action.{finding.action}')}{colon}{say.say(reason_of(finding.reason))}"
