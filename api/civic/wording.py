"""What reporters are told of each step, in their language."""

import datetime
from collections.abc import Mapping

from api.forms import Language
from maps.texts import catalogue
from routing.civic import LedgerError, MatterConflictError
from routing.model import Said

__all__ = ["ledger_text", "matter_text", "score_text", "told_text"]

_TERMS = {"stage": "matter_stage", "how": "matter_how", "why": "matter_why"}
"""Facts whose values are words of the catalogue, and their groups."""
_OFFICES = ("office", "responsible")


def told_text(said: Said, lang: Language, zone: datetime.tzinfo, titles: Mapping[str, str]) -> str:
    """Return a step of a matter as one sentence.

    Parameters
    ----------
    said : Said
        Of a notice.
    lang : {"zh", "en"}
    zone : tzinfo
        Of the city.
    titles : mapping
        What offices are called, by their names.
    """
    words = catalogue(lang)
    facts: dict[str, str] = {}
    for name, value in said.facts:
        if name.endswith("_s") and not isinstance(value, str):
            facts[name] = f"{datetime.datetime.fromtimestamp(value, zone):%Y-%m-%d %H:%M}"
        elif name in _TERMS:
            facts[name] = words.text(f"{_TERMS[name]}.{value}")
        elif name in _OFFICES:
            facts[name] = titles.get(str(value), str(value))
        else:
            facts[name] = str(value)
    key = said.key.removeprefix("report.")
    if key == "looked":
        key = "looked_there" if facts["there"] == "1" else "looked_gone"
    if key == "matter_hidden":
        facts["reason"] = words.text(f"matter_private.{facts['reason']}")
    return words.text(f"told.{key}", **facts)


def matter_text(error: MatterConflictError, lang: Language) -> str:
    """Return why a command does not fit a matter."""
    stage = catalogue(lang).text(f"matter_stage.{error.stage}") if error.stage else ""
    return catalogue(lang).text(f"matter_conflict.{error.code}", stage=stage)


def ledger_text(error: LedgerError, lang: Language) -> str:
    """Return why something cannot be booked."""
    key = error.code
    if key == "not_enough" and error.account.startswith("stock:"):
        key = "no_stock"
    return catalogue(lang).text(f"ledger_conflict.{key}")


def score_text(said: Said, lang: Language) -> str:
    """Return one line of a score as a sentence."""
    words = catalogue(lang)
    facts = dict(said.facts)
    _, kind, unit = said.key.split(".")
    about = str(facts["about"])
    amount = words.text(f"ledger_unit.{unit}", amount=f"{facts['amount']:+}")
    return words.text(f"score.{kind}", about=about, amount=amount, weight=f"{float(facts['weight']):g}")
