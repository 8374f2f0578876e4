"""Reasons and changes in words: what `routing` says as keys and facts, out of the text catalogue."""

import math

from api.forms import Language
from maps.texts import Wording
from routing.model import Said

__all__ = ["duration_text", "reason_text"]

_WORDS = {"mode": "mode", "status": "rider_status"}
"""Facts whose values are words of the catalogue, and their groups."""


def reason_text(said: Said, lang: Language) -> str:
    """Return a reason or a change as one sentence.

    Parameters
    ----------
    said : Said
    lang : {"zh", "en"}

    Returns
    -------
    str
    """
    # No figure here is about several riders, so none is withheld below k.
    words = Wording.of(lang, 1)
    facts = {name: _fact(words, name, value, lang) for name, value in said.facts}
    if said.reasons:
        facts["reasons"] = words.text("list.stop").join(reason_text(one, lang) for one in said.reasons)
    return words.text(said.key, **facts)


def _fact(words: Wording, name: str, value: str | float, lang: Language) -> str:
    if isinstance(value, str):
        return words.term(f"{_WORDS[name]}.{value}") if name in _WORDS else value
    if name.endswith("_s"):
        return duration_text(value, lang)
    if name.endswith("_m"):
        return words.text("quantity.m", value=f"{value:,.0f}")
    return str(value)


def duration_text(seconds: float, lang: Language) -> str:
    """Return a duration as people read it, rounded up: a change that is told must be enough.

    Tenths of seconds below 10 s, so that nothing is late by "0 s"; tenths of minutes from a minute on.
    """
    words = Wording.of(lang, 1)
    # Milliseconds are exact inside; a float must not push them over the next tenth.
    exact_s = round(seconds, 3)
    if exact_s < 10:
        tenths = math.ceil(round(exact_s * 10, 6)) / 10
        return words.text("quantity.s", value=f"{tenths:g}")
    if exact_s <= 59:
        return words.text("quantity.s", value=str(math.ceil(exact_s)))
    minutes = max(math.ceil(round(exact_s / 6, 6)) / 10, 1.0)
    return words.text("quantity.minutes", value=f"{minutes:,g}")
