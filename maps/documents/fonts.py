"""Fonts for pictures: one that can write Chinese, or words in another language instead of empty boxes."""

import functools
import logging
from pathlib import Path

from matplotlib.font_manager import FontProperties, findfont, findSystemFonts, fontManager, get_font

from maps.texts.wording import Wording

__all__ = ["PACKAGE", "drawable", "font_for", "picture_wording"]

LOG = logging.getLogger("yilu.fonts")
PACKAGE = "fonts-noto-cjk"
"""Debian's and Ubuntu's package with a font that can write Chinese."""
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
_warned = False


def picture_wording(lang: str, k: int) -> Wording:
    """Return the words of a picture: English where the language cannot be drawn on this machine."""
    global _warned
    if lang != "zh" or _chinese_font() is not None:
        return Wording.of(lang, k)
    if not _warned:
        _warned = True
        LOG.warning(
            "no font on this machine can write Chinese: words in pictures are English; install one, such as "
            "the package %s",
            PACKAGE,
        )
    return Wording.of("en", k)


def font_for(size: float) -> FontProperties:
    """Return a font that writes Chinese where the machine has one, and Latin letters always."""
    cjk = _chinese_font()
    families = ["DejaVu Sans"] if cjk is None else [cjk, "DejaVu Sans"]
    return FontProperties(family=families, size=size)


def drawable(text: str, font: FontProperties) -> str:
    """Leave out characters that no font at hand has; names come from everywhere."""
    known: set[int] = set().union(*(_characters(family) for family in font.get_family()))
    return "".join(c for c in text if ord(c) in known)


def _chinese_font() -> str | None:
    """Return a family that is there now; matplotlib's own list is from the day it was first imported."""
    found = _listed()
    if found is None:
        known = {entry.fname for entry in fontManager.ttflist}
        for path in sorted(set(findSystemFonts()) - known):
            try:
                fontManager.addfont(path)
            except (OSError, RuntimeError, ValueError, UnicodeError):  # a broken file is no font
                continue
        found = _listed()
    return found


def _listed() -> str | None:
    names = {entry.name for entry in fontManager.ttflist if entry.name in _CJK and Path(entry.fname).exists()}
    return next((name for name in _CJK if name in names), None)


@functools.cache
def _characters(family: str) -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=family))).get_charmap())
