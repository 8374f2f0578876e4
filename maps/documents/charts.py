"""Small charts for documents, drawn by matplotlib, to be read in print and in grey."""

import dataclasses
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from maps.documents.fonts import drawable, font_for, picture_wording
from maps.style import BLUE, ORANGE, PURPLE, VERMILLION
from siting.results import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "DPI",
    "PolicyBars",
    "budget_picture",
    "coverage_picture",
    "front_picture",
    "policies_picture",
    "station_hours_picture",
    "to_png",
]

DPI = 160
# Told apart in grey, too: one dark and plain, one light and hatched.
_FIRST: Final[dict[str, Any]] = {"facecolor": BLUE, "edgecolor": "#222222", "linewidth": 0.4}
_SECOND: Final[dict[str, Any]] = {
    "facecolor": "#f3c98b", "edgecolor": "#222222", "linewidth": 0.4, "hatch": "////"
}  # fmt: skip


def to_png(figure: Figure) -> bytes:
    """Render a figure; the same figure gives the same bytes."""
    out = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(out, format="png", dpi=DPI, metadata={"Software": "yilu"})
    return out.getvalue()


def station_hours_picture(
    study: Study, lang: str, site_id: str, *, width_cm: float = 7.4, height_cm: float = 6.4
) -> bytes:
    """Draw the rest that one station serves by hour, as PNG; hours that are not published are marked.

    Parameters
    ----------
    study, lang
        The result and ``zh`` or ``en``.
    site_id
        Which station.
    width_cm, height_cm
        Size on paper.
    """
    say = picture_wording(lang, study.k)
    site = next(site for site in study.sites if site.site_id == site_id)
    font, small = font_for(7.5), font_for(6.5)
    figure = Figure(figsize=(width_cm / 2.54, height_cm / 2.54), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.15, 0.2, 0.81, 0.66))
    values = [0.0 if value is None else value for value in site.rest_min_by_hour]
    finding = next((finding for finding in study.audit if finding.site_id == site_id), None)
    reach = () if finding is None else finding.rest_min_within_reach_by_hour
    top = max([*values, *(value or 0.0 for value in reach), 1.0])
    axes.bar(range(24), values, width=0.85, align="edge", color=BLUE)
    if finding is not None:
        _in_reach(axes, reach, finding.open_by_hour)
    hidden = [hour for hour, told in enumerate(zip(site.rest_min_by_hour, reach or [0.0] * 24, strict=True))
              if None in told]  # fmt: skip
    for hour in hidden:
        axes.text(hour + 0.43, top * 0.015, "×", ha="center", va="bottom", fontsize=6.5, color="#444444")
    axes.set_ylim(0, top * 1.05)
    axes.set_xlim(0, 24)
    axes.set_xticks(range(0, 25, 3))
    if not any(values) and not any(reach):  # an axis of nothing would be read as next to nothing
        axes.set_yticks([])
    _bare(axes)
    axes.set_xlabel(say.text("chart.hour"), fontproperties=font, labelpad=2)
    axes.set_ylabel(
        say.text("chart.minutes" if finding is None else "chart.minutes_rest"),
        fontproperties=font,
        labelpad=2,
    )
    if hidden:
        mark = say.text("chart.withheld", k=study.k)
        axes.set_title(drawable(mark, small), fontproperties=small, loc="right", pad=4, parse_math=False)
    return to_png(figure)


def _in_reach(axes: "Axes", reach: Sequence[float | None], is_open: Sequence[bool]) -> None:
    """Draw what a station of today could serve as outlines, and the hours in which it is shut as ground."""
    axes.bar(
        range(24), [value or 0.0 for value in reach], width=0.85, align="edge", facecolor="none",
        edgecolor="#333333", linewidth=0.8, zorder=3,
    )  # fmt: skip
    for hour in range(24):
        if not is_open[hour]:
            axes.axvspan(hour, hour + 1, color="#e4e4e4", linewidth=0, zorder=0)


def coverage_picture(study: Study, lang: str) -> bytes:
    """Draw the share of rest demand served by each way of choosing, training and held-out, as PNG."""
    say = picture_wording(lang, study.k)
    rows = list(study.coverage)
    figure = Figure(figsize=(15.6 / 2.54, (1.9 + 0.95 * len(rows)) / 2.54), dpi=DPI, facecolor="white")
    high = 1.9 + 0.95 * len(rows)
    axes = figure.add_axes((0.27, 1.0 / high, 0.7, 1 - 1.75 / high))
    font = font_for(8)
    for index, row in enumerate(reversed(rows)):
        for shift, value, look in (
            (0.19, row.served_training, _FIRST),
            (-0.19, row.served_held_out, _SECOND),
        ):
            if value is None:
                continue
            axes.barh(index + shift, value * 100, height=0.36, **look)
            axes.text(value * 100 + 0.6, index + shift, f"{value * 100:.1f}", va="center", fontsize=7)
    axes.set_xlim(0, 105)
    _bare(axes)
    axes.set_yticks(
        range(len(rows)), [say.term(f"method.{row.method}") for row in reversed(rows)], fontproperties=font
    )
    handles = [Patch(**_FIRST, label=say.text("column.served_training"))]
    if study.held_out_days:
        handles.append(Patch(**_SECOND, label=say.text("column.served_held_out")))
    axes.legend(
        handles=handles, prop=font_for(7.5), loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2,
        frameon=False,
    )  # fmt: skip
    axes.set_xlabel(say.text("chart.served"), fontproperties=font)
    return to_png(figure)


def budget_picture(study: Study, lang: str) -> bytes:
    """Draw the share of weighted demand served against cost, as PNG."""
    say = picture_wording(lang, study.k)
    points = sorted(
        (point for point in study.budget_curve if point.served_share is not None),
        key=lambda point: point.cost_yuan,
    )
    scale, key = (10_000.0, "chart.cost_10k") if say.catalogue.lang == "zh" else (1000.0, "chart.cost_k")
    figure = Figure(figsize=(15.6 / 2.54, 5.4 / 2.54), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.09, 0.2, 0.88, 0.74))
    xs = [point.cost_yuan / scale for point in points]
    ys = [(point.served_share or 0.0) * 100 for point in points]
    axes.plot(xs, ys, color="#1f4e5f", marker="o", markersize=4, linewidth=1.6)
    for x, y, point in zip(xs, ys, points, strict=True):
        axes.annotate(
            str(point.new_sites), (x, y), textcoords="offset points", xytext=(0, 5), ha="center", fontsize=7
        )
    axes.set_ylim(0, max([*ys, 10]) * 1.18)
    axes.grid(visible=True, color="#dddddd", linewidth=0.5)
    _bare(axes)
    font = font_for(8)
    axes.set_xlabel(say.text(key), fontproperties=font)
    axes.set_ylabel(say.text("chart.weighted"), fontproperties=font)
    return to_png(figure)


def front_picture(study: Study, lang: str) -> bytes:
    """Draw the plans of the front, demand served against cost, coloured by the worst grid, as PNG."""
    say = picture_wording(lang, study.k)
    points = [point for point in study.front if point.served_share is not None]
    scale, key = (10_000.0, "chart.money_10k") if say.catalogue.lang == "zh" else (1000.0, "chart.money_k")
    figure = Figure(figsize=(15.6 / 2.54, 6.6 / 2.54), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.09, 0.17, 0.8, 0.75))
    font, small = font_for(8), font_for(7)
    xs = [point.cost_yuan / scale for point in points]
    ys = [100 * (point.served_share or 0.0) for point in points]
    worst = [100 * (point.worst_share or 0.0) for point in points]
    known = [k for k, point in enumerate(points) if point.worst_share is not None]
    bare = [k for k, point in enumerate(points) if point.worst_share is None]
    # withheld: an empty ring, which is no colour of the scale
    axes.scatter(
        [xs[k] for k in bare], [ys[k] for k in bare], s=42, facecolors="none", edgecolors="#555555", zorder=3
    )
    shown = axes.scatter(
        [xs[k] for k in known], [ys[k] for k in known], c=[worst[k] for k in known], s=42, vmin=0, vmax=100,
        cmap="cividis_r", edgecolors="#333333", linewidths=0.6, zorder=3,
    )  # fmt: skip
    low = {number: place for place, number in enumerate(sorted(range(len(ys)), key=lambda k: -ys[k]))}
    for number, (x, y, point) in enumerate(zip(xs, ys, points, strict=True)):
        if point.chosen:
            axes.scatter([x], [y], s=150, facecolors="none", edgecolors="black", linewidths=1.4)
        words = [say.term(f"front.{name}") for name in (*point.names, *(["this"] if point.chosen else []))]
        if words:
            left = x > (min(xs) + max(xs)) / 2
            # names of plans that serve nearly the same take turns above and below
            up = low[number] % 2 == 0
            axes.annotate(
                say.text("list.comma").join(words), (x, y), textcoords="offset points",
                xytext=(-8 if left else 8, 6 if up else -12),
                ha="right" if left else "left", fontproperties=small,
            )  # fmt: skip
    axes.set_ylim(0, 112)
    axes.margins(x=0.08)
    axes.grid(visible=True, color="#dddddd", linewidth=0.5)
    _bare(axes)
    axes.set_xlabel(say.text(key), fontproperties=font)
    axes.set_ylabel(say.text("chart.weighted"), fontproperties=font)
    if known:
        bar = figure.colorbar(shown, cax=figure.add_axes((0.915, 0.17, 0.018, 0.75)))
        bar.ax.tick_params(labelsize=7, length=2)
        bar.ax.set_title(say.text("chart.worst"), fontproperties=small, pad=4, loc="right")
    return to_png(figure)


def _bare(axes: "Axes") -> None:
    """Leave out what a small chart does not need."""
    axes.tick_params(labelsize=7, length=2, pad=2)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


@dataclasses.dataclass(frozen=True, slots=True)
class PolicyBars:
    """One made day under one way of giving out tasks, as it is drawn; None: nothing to measure."""

    policy: str
    """Its name in the catalogue, ``policy.<name>``, with ``_`` for spaces, without commas."""
    served_share: float | None
    extra_min_a_task: float | None
    late: int
    """Deliveries."""
    breaks_late: int


def policies_picture(rows: Sequence[PolicyBars], lang: str) -> bytes:
    """Draw the ways of giving out tasks side by side: done, extra time, late deliveries and breaks, as PNG.

    Parameters
    ----------
    rows
        From top to bottom.
    lang
        ``zh`` or ``en``.
    """
    say = picture_wording(lang, 0)
    font = font_for(7.5)
    panels: tuple[tuple[str, str, Sequence[float | None], str], ...] = (
        (
            "chart.done",
            BLUE,
            [None if row.served_share is None else row.served_share * 100 for row in rows],
            ".1f",
        ),
        ("chart.extra", ORANGE, [row.extra_min_a_task for row in rows], ".2f"),
        ("chart.late", VERMILLION, [row.late for row in rows], ".0f"),
        ("chart.breaks_late", PURPLE, [row.breaks_late for row in rows], ".0f"),
    )
    figure = Figure(figsize=(17.6 / 2.54, (1.9 + 0.62 * len(rows)) / 2.54), dpi=DPI, facecolor="white")
    places = range(len(rows))[::-1]
    for index, (key, color, values, form) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), index + 1)
        most = max([value for value in values if value is not None] + [0.0]) or 1.0
        for place, value in zip(places, values, strict=True):
            axes.barh(place, value or 0.0, height=0.62, color=color)
            text = "–" if value is None else f"{value:{form}}"
            axes.text((value or 0.0) + most * 0.03, place, text, va="center", fontsize=6.5)
        axes.set_xlim(0, most * 1.35)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.locator_params(axis="x", nbins=4, integer=form == ".0f")
        axes.tick_params(labelsize=6.5, length=2)
        axes.set_yticks(places, [""] * len(rows))
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.set_title(say.text(key), fontproperties=font, pad=4, loc="left")
        if index == 0:
            names = [say.term(f"policy.{row.policy.replace(',', '').replace(' ', '_')}") for row in rows]
            axes.set_yticklabels(names, fontproperties=font)
    figure.subplots_adjust(
        left=0.19, right=0.985, top=1 - 0.35 * 2.54 / (1.9 + 0.62 * len(rows)), bottom=0.13, wspace=0.16
    )
    return to_png(figure)
