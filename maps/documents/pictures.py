"""The static map of a document, drawn by matplotlib on our own streets: no tiles, no network."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

from geo.arrays import FloatArray
from geo.earth import DEGREE_M
from maps.documents.charts import DPI, to_png
from maps.documents.fonts import drawable, font_for, picture_wording
from maps.page.basemap import Backdrop, BackdropLayer
from maps.style import ACTION_STYLE, BASE_STYLE, LAND, PICKUP, SUGGESTED, nice_breaks, ramp
from maps.texts.wording import Wording
from siting.results import GridFigures, Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["inset_picture", "map_picture"]

_OFF_MIDDLE = 0.36
"""Share of an inset map by which its station may stand off the middle."""
INSET_M = 480.0
"""From the middle of an inset map to its upper edge."""
DEMAND = ramp("viridis", 5)
"""Colours of rest demand: the more, the darker, in grey, too."""
_DEMAND_ALPHA = 0.6
_MANY_GRIDS = 60
"""Unit grids from which on their outlines would bury the streets."""
_LEGEND_CM = 4.2
"""Width or height that a map keeps free for its legend."""
_LOW_CM = 6.5
"""Height below which the legend is set smaller."""


class _Mark(NamedTuple):
    """A shape on paper, and where in it the number stands."""

    marker: str
    size: float
    right_pt: float = 0.0
    up_pt: float = 0.0


_SUGGESTED_MARK = _Mark("o", 9)
_ADVICE_MARK = {
    "keep": _Mark("s", 9),
    "open_longer": _Mark("^", 12.5, up_pt=-1.4),
    "move": _Mark(">", 12.5, right_pt=-1.4),
    "merge": _Mark("p", 11),
    "close": _Mark("X", 12),
    "unknown": _Mark("v", 12.5, up_pt=1.4),
}
"""A shape for each advice: in grey the colours are one."""
_PRINT_ORDER = ("water", "green", "buildings", "path", "minor", "middle", "major")


def map_picture(
    study: Study,
    backdrop: Backdrop,
    lang: str,
    *,
    grid_code: str | None = None,
    width_cm: float = 15.6,
    height_cm: float = 12.0,
    legend: bool = True,
) -> bytes:
    """Draw stations, pick-up points and rest demand on our own streets, as PNG.

    Parameters
    ----------
    study, backdrop
        The result and its base map.
    lang
        ``zh`` or ``en``.
    grid_code
        Show one unit grid with its outline; None shows the whole study.
    width_cm, height_cm
        Size on paper.
    legend
        Whether the picture explains its marks; a caption may.
    """
    say = picture_wording(lang, study.k)
    grid = next((grid for grid in study.grids if grid.code == grid_code), None)
    west, south, east, north = study.bounds
    bounds = _padded([(west, south), (east, north)], 0.03)
    if grid is not None:
        bounds = _padded([point for ring in grid.rings for point in ring])
    box = _beside_legend(bounds, width_cm, height_cm) if legend else _fit(bounds, width_cm / height_cm)
    figure, axes = _paper(backdrop, box, width_cm, height_cm)
    classes = _draw_demand(axes, study, box)
    _draw_grids(axes, study, grid)
    _draw_places(axes, study, box)
    _draw_scale(axes, box, say)
    _draw_names(axes, backdrop, box, font_for(5.5))
    drawn = dataclasses.replace(
        study,
        sites=tuple(site for site in study.sites if _meets((site.lonlat,), box)),
        pickups=tuple(point for point in study.pickups if _meets((point.lonlat,), box)),
    )
    handles = _legend(drawn, say, classes)
    if handles and legend:
        low = height_cm < _LOW_CM
        axes.legend(
            handles=handles, prop=font_for(6.0 if low else 7.0), loc="upper right", framealpha=0.92,
            borderpad=0.5, labelspacing=0.2 if low else 0.45,
        )  # fmt: skip
    _credit(axes, study)
    return to_png(figure)


def inset_picture(
    study: Study,
    backdrop: Backdrop,
    lang: str,
    site_id: str,
    *,
    width_cm: float = 8.6,
    height_cm: float = 7.4,
) -> bytes:
    """Draw the streets around one station, from where it is reached, hot spots and other places, as PNG.

    Parameters
    ----------
    study, backdrop, lang
        As in `map_picture`.
    site_id
        Which station.
    width_cm, height_cm
        Size on paper.
    """
    say = picture_wording(lang, study.k)
    site = next(site for site in study.sites if site.site_id == site_id)
    half = INSET_M / DEGREE_M
    lon, lat = site.lonlat
    wide = half / math.cos(math.radians(lat))
    box = _fit((lon - wide, lat - half, lon + wide, lat + half), width_cm / height_cm)
    box = _onto(box, study.bounds)
    figure, axes = _paper(backdrop, box, width_cm, height_cm)
    small = font_for(6)
    for (_, rings), line in zip(site.reach, ("solid", "dashed", "dotted"), strict=False):
        for ring in rings:
            axes.plot(*zip(*ring, strict=True), color="#1f4e5f", linewidth=1.3, linestyle=line, zorder=4)
    for spot in study.hot_spots:
        if _meets((spot.lonlat,), box):
            axes.plot(*zip(*spot.ring, strict=True), color="#a34a00", linewidth=1.0, zorder=5)
            _name(axes, spot.spot_id, spot.lonlat, small, "#7a3700")
    others = [one for one in study.alternatives if one.site_id == site_id]
    for number, one in enumerate(others, start=1):
        if _meets((one.lonlat,), box):
            axes.plot(*one.lonlat, marker="^", markersize=6, color="white", markeredgecolor="black", zorder=7)
            _name(axes, say.text("chart.other_place", n=number), one.lonlat, small, "black")
    _draw_places(axes, study, box)
    _draw_scale(axes, box, say)
    _draw_names(axes, backdrop, box, font_for(5.5))
    _credit(axes, study)
    return to_png(figure)


def _paper(
    backdrop: Backdrop, box: tuple[float, float, float, float], width_cm: float, height_cm: float
) -> tuple[Figure, "Axes"]:
    """Return a figure with the streets of a box, west, south, east, north."""
    west, south, east, north = box
    figure = Figure(figsize=(width_cm / 2.54, height_cm / 2.54), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect(1 / math.cos(math.radians((south + north) / 2)))
    axes.set_facecolor(LAND)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#888888")
    _draw_backdrop(axes, backdrop, box)
    return figure, axes


def _name(axes: "Axes", text: str, place: tuple[float, float], font: FontProperties, color: str) -> None:
    """Write a short name beside a mark."""
    axes.annotate(
        drawable(text, font), place, textcoords="offset points", xytext=(4, 4), fontproperties=font,
        color=color, zorder=8, parse_math=False, annotation_clip=True,
        path_effects=[withStroke(linewidth=1.6, foreground="white")],
    )  # fmt: skip


def _credit(axes: "Axes", study: Study) -> None:
    font = font_for(6)
    axes.text(
        0.995, 0.008, drawable(study.map_attribution, font), transform=axes.transAxes, ha="right",
        fontproperties=font, parse_math=False,
        zorder=9, bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.2},
    )  # fmt: skip


def _draw_demand(
    axes: "Axes", study: Study, view: tuple[float, float, float, float]
) -> list[tuple[str, float, float]]:
    """Draw the published cells of rest demand; returns the classes drawn: colour, lower and upper limit."""
    day = [
        (cell, sum(value for value in cell.rest_min_by_hour if value is not None))
        for cell in study.cells
        if _meets(cell.ring, view)
    ]
    shown = [(cell, total) for cell, total in day if total > 0]
    limits = nice_breaks([total for _, total in shown], len(DEMAND))
    at = [sum(total >= limit for limit in limits) for _, total in shown]
    # what few classes there are, from the lightest to the darkest
    colours = [DEMAND[round(n * (len(DEMAND) - 1) / max(1, len(limits)))] for n in range(len(limits) + 1)]
    axes.add_collection(
        PathCollection(
            [Path(cell.ring) for cell, _ in shown],
            facecolors=[colours[one] for one in at],
            edgecolors="none",
            alpha=_DEMAND_ALPHA,
            zorder=3,
        )
    )
    ends = [0.0, *limits, math.inf]
    return [(colours[one], ends[one], ends[one + 1]) for one in sorted(set(at))]


def _draw_grids(axes: "Axes", study: Study, grid: GridFigures | None) -> None:
    """Draw the outline of one unit grid, or thinly of all: the more there are, the paler."""
    many = len(study.grids) > _MANY_GRIDS
    for other in study.grids:
        chosen = grid is not None and other.code == grid.code
        if grid is None or chosen:
            for ring in other.rings:
                axes.plot(
                    [p[0] for p in ring],
                    [p[1] for p in ring],
                    color="#8c8c8c" if many and not chosen else "#333333",
                    linewidth=1.8 if chosen else 0.25 if many else 0.5,
                    zorder=4 if chosen else 1.2,
                )


def _legend(study: Study, say: Wording, classes: list[tuple[str, float, float]]) -> list[Line2D | Patch]:
    """Return one handle for each kind of mark that is drawn, and for each class of demand."""
    handles: list[Line2D | Patch] = []
    if any(not site.existing for site in study.sites):
        handles.append(_handle("o", SUGGESTED, say.text("legend.site_suggested")))
    actions = {finding.site_id: finding.action for finding in study.audit}
    advised = {actions.get(site.site_id, "unknown") for site in study.sites if site.existing}
    for action, style in ACTION_STYLE.items():
        if action in advised:
            label = say.text("chart.existing", advice=say.text(f"action.{action}"))
            handles.append(_handle(_ADVICE_MARK[action].marker, style.color, label))
    if study.pickups:
        handles.append(_handle("D", PICKUP, say.text("legend.pickup")))
    if classes:
        handles.append(Patch(facecolor="none", edgecolor="none", label=say.text("chart.demand")))
    for colour, low, high in classes:
        key = "less" if low == 0 and high < math.inf else "more" if high == math.inf else "between"
        label = say.text(f"chart.demand_{key}", low=f"{low:,.0f}", high=f"{high:,.0f}")
        handles.append(Patch(facecolor=colour, alpha=_DEMAND_ALPHA, label=label))
    return handles


def _draw_backdrop(axes: "Axes", backdrop: Backdrop, box: tuple[float, float, float, float]) -> None:
    metres = (box[3] - box[1]) * DEGREE_M
    fine = metres < 9000
    thin = min(1.0, 3000 / metres) + 0.15
    for key in _PRINT_ORDER:
        layers = [layer for layer in backdrop.layers if layer.key == key]
        if (
            not layers
            or (key in ("path", "buildings") and metres > 2500)
            or (key == "minor" and metres > 12000)
        ):
            continue
        layer = layers[-1] if fine else layers[0]
        style = BASE_STYLE[key]
        pieces = _pieces_in(layer, box)
        if layer.area:
            axes.add_collection(
                PathCollection(
                    [Path(piece) for piece in pieces],
                    facecolors=str(style["fill"]),
                    edgecolors="none",
                    zorder=1,
                )
            )
            continue
        width = float(style["width"]) * thin * 0.6
        for color, extra, order in ((style["edge"], 0.7, 1.5), (style["fill"], 0.0, 2.0)):
            axes.add_collection(
                LineCollection(
                    pieces, colors=str(color), linewidths=width + extra, zorder=order, capstyle="round"
                )
            )


def _pieces_in(layer: BackdropLayer, box: tuple[float, float, float, float]) -> list[FloatArray]:
    """Return the lines or rings of a layer that may lie in a box, in their order."""
    if len(layer.ptr) < 2:
        return []
    low = np.minimum.reduceat(layer.lonlat, layer.ptr[:-1])
    high = np.maximum.reduceat(layer.lonlat, layer.ptr[:-1])
    west, south, east, north = box
    meets = (low[:, 0] <= east) & (high[:, 0] >= west) & (low[:, 1] <= north) & (high[:, 1] >= south)
    return [layer.lonlat[layer.ptr[n] : layer.ptr[n + 1]] for n in np.nonzero(meets)[0].tolist()]


def _draw_places(axes: "Axes", study: Study, box: tuple[float, float, float, float]) -> None:
    actions = {finding.site_id: finding.action for finding in study.audit}
    inside = [site for site in study.sites if _meets((site.lonlat,), box)]
    for point in study.pickups:
        if _meets((point.lonlat,), box):
            axes.plot(*point.lonlat, marker="D", markersize=4, color=PICKUP, markeredgecolor="black",
                      markeredgewidth=0.6, zorder=6)  # fmt: skip
    for site in inside:
        action = actions.get(site.site_id, "")
        action = action if action in ACTION_STYLE else "unknown"
        style = ACTION_STYLE[action]
        color, ink = (style.color, style.ink) if site.existing else (SUGGESTED, "#ffffff")
        mark = _ADVICE_MARK[action] if site.existing else _SUGGESTED_MARK
        axes.plot(*site.lonlat, marker=mark.marker, markersize=mark.size, color=color,
                  markeredgecolor="white", markeredgewidth=0.9, zorder=7)  # fmt: skip
        digits = site.site_id.lstrip("SE").lstrip("0") or site.site_id
        axes.annotate(
            digits, site.lonlat, xytext=(mark.right_pt, mark.up_pt), textcoords="offset points",
            ha="center", va="center", fontsize=5.2, color=ink, zorder=8, weight="bold",
        )  # fmt: skip


def _draw_names(
    axes: "Axes", backdrop: Backdrop, box: tuple[float, float, float, float], font: FontProperties
) -> None:
    """Write street names, the larger streets first, none nearer than a tenth of the picture to another."""
    west, south, east, north = box
    least = (north - south) / 9
    squeeze = math.cos(math.radians((south + north) / 2))
    taken: list[tuple[float, float]] = []
    for label in backdrop.labels:
        x, y = label.lonlat
        if len(taken) >= 40 or not (west < x < east and south < y < north):
            continue
        if any(math.hypot((x - u) * squeeze, y - v) < least for u, v in taken):
            continue
        taken.append((x, y))
        axes.text(
            x, y, drawable(label.name, font), fontproperties=font, color="#555555", ha="center", va="center",
            zorder=5,
            rotation=-math.degrees(label.angle_rad), clip_on=True, parse_math=False,
            path_effects=[withStroke(linewidth=1.4, foreground="white")],
        )  # fmt: skip


def _draw_scale(axes: "Axes", box: tuple[float, float, float, float], say: Wording) -> None:
    west, south, east, north = box
    metre = 1 / (DEGREE_M * math.cos(math.radians((south + north) / 2)))
    wanted = (east - west) / metre / 5
    power = 10.0 ** math.floor(math.log10(wanted))
    length = max(step * power for step in (1, 2, 5) if step * power <= wanted)
    x, y = west + (east - west) * 0.03, south + (north - south) * 0.04
    axes.plot([x, x + length * metre], [y, y], color="black", linewidth=2.2, solid_capstyle="butt", zorder=9)
    text = f"{length:.0f} m" if length < 1000 else f"{length / 1000:.0f} km"
    axes.text(x + length * metre / 2, y + (north - south) * 0.012, text, ha="center", fontsize=6.5, zorder=9)
    axes.annotate("N", (west + (east - west) * 0.045, north - (north - south) * 0.03), ha="center", va="top",
                  fontsize=8, weight="bold", zorder=9)  # fmt: skip
    axes.annotate(
        "", (west + (east - west) * 0.045, north - (north - south) * 0.06),
        (west + (east - west) * 0.045, north - (north - south) * 0.13),
        arrowprops={"arrowstyle": "-|>", "color": "black"}, zorder=9,
    )  # fmt: skip


def _handle(marker: str, color: str, label: str) -> Line2D:
    return Line2D(
        [], [], marker=marker, color=color, markeredgecolor="black", markeredgewidth=0.4, linestyle="none",
        markersize=6, label=label,
    )  # fmt: skip


def _padded(points: Sequence[tuple[float, float]], share: float = 0.12) -> tuple[float, float, float, float]:
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    pad = share * max(east - west, north - south, 1e-4)
    return (west - pad, south - pad, east + pad, north + pad)


def _fit(bounds: tuple[float, float, float, float], ratio: float) -> tuple[float, float, float, float]:
    """Widen a box to the width-to-height ratio of the paper, about its middle."""
    west, south, east, north = bounds
    squeeze = math.cos(math.radians((south + north) / 2))
    width, height = max((east - west) * squeeze, 1e-4), max(north - south, 1e-4)
    if width / height < ratio:
        width = height * ratio
    else:
        height = width / ratio
    x, y = (west + east) / 2, (south + north) / 2
    return (x - width / squeeze / 2, y - height / 2, x + width / squeeze / 2, y + height / 2)


def _beside_legend(
    bounds: tuple[float, float, float, float], width_cm: float, height_cm: float
) -> tuple[float, float, float, float]:
    """Leave room for the legend beside the streets or above them, where it costs them less of their size."""
    west, south, east, north = _fit(bounds, (width_cm - _LEGEND_CM) / height_cm)
    beside = (west, south, west + (east - west) * width_cm / (width_cm - _LEGEND_CM), north)
    west, south, east, north = _fit(bounds, width_cm / (height_cm - _LEGEND_CM))
    above = (west, south, east, south + (north - south) * height_cm / (height_cm - _LEGEND_CM))
    return min(beside, above, key=lambda box: box[2] - box[0])


def _onto(
    box: tuple[float, float, float, float], streets: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Move a box inwards at the edge of the streets: what lies beyond is bare paper."""
    out = list(box)
    for low in (0, 1):
        size = box[low + 2] - box[low]
        before, after = streets[low] - box[low], box[low + 2] - streets[low + 2]
        if before > 0 and after > 0:  # the streets are the smaller: into the middle
            move = (streets[low] + streets[low + 2] - box[low] - box[low + 2]) / 2
        else:
            move = before if before > 0 else -after if after > 0 else 0.0
        move = max(-_OFF_MIDDLE * size, min(_OFF_MIDDLE * size, move))
        out[low], out[low + 2] = box[low] + move, box[low + 2] + move
    return (out[0], out[1], out[2], out[3])


def _meets(points: Sequence[tuple[float, float]], box: tuple[float, float, float, float]) -> bool:
    west, south, east, north = box
    return (
        max(p[0] for p in points) >= west and min(p[0] for p in points) <= east
        and max(p[1] for p in points) >= south and min(p[1] for p in points) <= north
    )  # fmt: skip
