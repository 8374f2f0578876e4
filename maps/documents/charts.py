"""Small charts for documents, drawn by matplotlib; the font and PNG helpers of all pictures."""

import dataclasses
import functools
import io
import math
from collections.abc import Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.patches import Patch

from maps.style import BLUE, GREEN, ORANGE, PURPLE, VERMILLION
from maps.texts.wording import Wording
from siting.results import Study

__all__ = [
    "DPI",
    "HOURS_SHOWN",
    "PolicyBars",
    "budget_picture",
    "coverage_picture",
    "drawable",
    "font_for",
    "front_picture",
    "hours_picture",
    "policies_picture",
    "to_png",
]

_CJK = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Sans CJK JP",
)
HOURS_SHOWN = 12
"""Stations in the picture of hours; the workbook has them all."""
DPI = 160


def font_for(say: Wording, size: float) -> FontProperties | None:
    """Pick fonts that can write the language; None where the machine has none: then draw no words."""
    cjk = _chinese_font()
    if say.catalogue.lang == "zh" and cjk is None:
        return None
    families = ["DejaVu Sans"] if cjk is None else [cjk, "DejaVu Sans"]
    return FontProperties(family=families, size=size)


def drawable(text: str, font: FontProperties) -> str:
    """Leave out characters that no font at hand has; names come from everywhere."""
    known: set[int] = set().union(*(_characters(family) for family in font.get_family()))
    return "".join(c for c in text if ord(c) in known)


@functools.cache
def _chinese_font() -> str | None:
    names = {entry.name for entry in fontManager.ttflist}
    return next((name for name in _CJK if name in names), None)


@functools.cache
def _characters(family: str) -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=family))).get_charmap())


def to_png(figure: Figure) -> bytes:
    """Render a figure; the same figure gives the same bytes."""
    out = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(out, format="png", dpi=DPI, metadata={"Software": "yilu"})
    return out.getvalue()


def hours_picture(study: Study, lang: str, *, site_ids: Sequence[str] | None = None) -> bytes:
    """Draw the rest that suggested stations serve by hour, as small charts side by side, as PNG."""
    say = Wording.of(lang, study.k)
    wanted = [
        site
        for site in study.sites
        if (site.site_id in site_ids if site_ids is not None else not site.existing)
        and any(site.rest_min_by_hour)
    ][:HOURS_SHOWN]
    columns = min(4, max(1, len(wanted)))
    rows = max(1, math.ceil(len(wanted) / columns))
    figure = Figure(figsize=(15.6 / 2.54, (0.6 + 2.5 * rows) / 2.54), dpi=DPI, facecolor="white")
    top = max([v for site in wanted for v in site.rest_min_by_hour if v is not None], default=1.0)
    small = font_for(say, 6.5)
    for index, site in enumerate(wanted):
        axes = figure.add_subplot(rows, columns, index + 1)
        values = [0.0 if value is None else value for value in site.rest_min_by_hour]
        axes.bar(range(24), values, width=0.85, align="edge", color=BLUE)
        axes.set_ylim(0, top * 1.05)
        axes.set_xlim(0, 24)
        axes.set_xticks([0, 6, 12, 18, 24])
        axes.tick_params(labelsize=5.5, length=2, pad=1.5)
        if index % columns:
            axes.set_yticklabels([])
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        if small is not None:
            title = f"{site.site_id} {_short_name(site.name)}"
            axes.set_title(drawable(title, small), fontproperties=small, pad=2, parse_math=False)
    top_edge, bottom = 0.9 if rows < 3 else 0.94, 0.12 if rows < 2 else 0.06
    figure.subplots_adjust(left=0.05, right=0.99, top=top_edge, bottom=bottom, hspace=0.55, wspace=0.12)
    return to_png(figure)


def coverage_picture(study: Study, lang: str) -> bytes:
    """Draw the share of rest demand served by each way of choosing, training and held-out, as PNG."""
    say = Wording.of(lang, study.k)
    rows = list(study.coverage)
    figure = Figure(figsize=(15.6 / 2.54, (1.3 + 0.95 * len(rows)) / 2.54), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.27, 0.16, 0.7, 0.7))
    font = font_for(say, 8)
    for index, row in enumerate(reversed(rows)):
        for shift, value, color in ((0.19, row.served_training, BLUE), (-0.19, row.served_held_out, ORANGE)):
            if value is None:
                continue
            axes.barh(index + shift, value * 100, height=0.36, color=color)
            axes.text(value * 100 + 0.6, index + shift, f"{value * 100:.1f}", va="center", fontsize=6.5)
    axes.set_yticks(range(len(rows)))
    axes.set_xlim(0, 105)
    axes.tick_params(labelsize=6.5, length=2)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if font is not None:
        axes.set_yticklabels(
            [say.term(f"method.{row.method}") for row in reversed(rows)], fontproperties=font
        )
        axes.legend(
            handles=[
                Patch(facecolor=BLUE, label=say.text("column.served_training")),
                *(
                    [Patch(facecolor=ORANGE, label=say.text("column.served_held_out"))]
                    if study.held_out_days
                    else []
                ),
            ],
            prop=font_for(say, 7), loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2, frameon=False,
        )  # fmt: skip
        axes.set_xlabel("%", fontproperties=font)
    else:
        axes.set_yticklabels([])
    return to_png(figure)


def budget_picture(study: Study, lang: str) -> bytes:
    """Draw the share of weighted demand served against cost, as PNG."""
    say = Wording.of(lang, study.k)
    points = sorted(
        (point for point in study.budget_curve if point.served_share is not None),
        key=lambda point: point.cost_yuan,
    )
    scale, key = (10_000.0, "chart.cost_10k") if say.catalogue.lang == "zh" else (1000.0, "chart.cost_k")
    figure = Figure(figsize=(15.6 / 2.54, 5.4 / 2.54), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.09, 0.2, 0.88, 0.74))
    xs = [point.cost_yuan / scale for point in points]
    ys = [(point.served_share or 0.0) * 100 for point in points]
    axes.plot(xs, ys, color=GREEN, marker="o", markersize=4, linewidth=1.6)
    for x, y, point in zip(xs, ys, points, strict=True):
        axes.annotate(
            str(point.new_sites), (x, y), textcoords="offset points", xytext=(0, 5), ha="center", fontsize=6.5
        )
    axes.set_ylim(0, max([*ys, 10]) * 1.18)
    axes.grid(visible=True, color="#dddddd", linewidth=0.5)
    axes.tick_params(labelsize=6.5, length=2)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    font = font_for(say, 7.5)
    if font is not None:
        axes.set_xlabel(say.text(key), fontproperties=font)
        axes.set_ylabel(say.text("chart.weighted"), fontproperties=font)
    return to_png(figure)


def front_picture(study: Study, lang: str) -> bytes:
    """Draw the plans of the front, demand served against cost, coloured by the worst grid, as PNG."""
    say = Wording.of(lang, study.k)
    points = [point for point in study.front if point.served_share is not None]
    scale, key = (10_000.0, "chart.money_10k") if say.catalogue.lang == "zh" else (1000.0, "chart.money_k")
    figure = Figure(figsize=(15.6 / 2.54, 6.6 / 2.54), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.09, 0.17, 0.8, 0.77))
    font, small = font_for(say, 7.5), font_for(say, 6.5)
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
    for x, y, point in zip(xs, ys, points, strict=True):
        if point.chosen:
            axes.scatter([x], [y], s=150, facecolors="none", edgecolors=ORANGE, linewidths=1.4)
        words = [say.term(f"front.{name}") for name in (*point.names, *(["this"] if point.chosen else []))]
        if small is not None and words:
            left = x > (min(xs) + max(xs)) / 2
            axes.annotate(
                say.text("list.comma").join(words), (x, y), textcoords="offset points",
                xytext=(-8 if left else 8, -12 if "fairest" in point.names and not point.chosen else 6),
                ha="right" if left else "left", fontproperties=small,
            )  # fmt: skip
    axes.set_ylim(0, 108)
    axes.margins(x=0.08)
    axes.grid(visible=True, color="#dddddd", linewidth=0.5)
    axes.tick_params(labelsize=6.5, length=2)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    bar = figure.colorbar(shown, cax=figure.add_axes((0.915, 0.17, 0.018, 0.77)))
    bar.ax.tick_params(labelsize=6, length=2)
    if font is not None:
        axes.set_xlabel(say.text(key), fontproperties=font)
        axes.set_ylabel(say.text("chart.weighted"), fontproperties=font)
        bar.ax.set_title(say.text("chart.worst"), fontproperties=small, pad=4, loc="right")
    return to_png(figure)


@dataclasses.dataclass(frozen=True, slots=True)
class PolicyBars:
    """One made day under one way of giving out tasks, as it is drawn; None: nothing to measure."""

    policy: str
    """Its name in the catalogue, ``policy.<name>``, with ``_`` for spaces."""
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
    say = Wording.of(lang, 0)
    font = font_for(say, 7.5)
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
        if font is not None:
            axes.set_title(say.text(key), fontproperties=font, pad=4, loc="left")
            if index == 0:
                names = [say.term(f"policy.{row.policy.replace(' ', '_')}") for row in rows]
                axes.set_yticklabels(names, fontproperties=font)
    figure.subplots_adjust(
        left=0.19, right=0.985, top=1 - 0.35 * 2.54 / (1.9 + 0.62 * len(rows)), bottom=0.13, wspace=0.16
    )
    return to_png(figure)


def _short_name(name: str) -> str:
    return name if len(name) <= 12 else f"{name[:11]}…"
