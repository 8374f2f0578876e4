"""Sentences about input in each language: keys and facts in the code, words in ``texts/``."""

import dataclasses
import functools
import importlib.resources
import tomllib
from collections.abc import Callable, Mapping

__all__ = ["Fact", "Sentence", "texts"]


@functools.cache
def texts(lang: str) -> Mapping[str, str]:
    """Return all sentences of a language, ``zh`` or ``en``, by key."""
    raw = (importlib.resources.files("geo") / "texts" / f"{lang}.toml").read_text(encoding="utf-8")
    known: dict[str, str] = tomllib.loads(raw)["input"]
    return known


@dataclasses.dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: its key, and the facts in it."""

    key: str
    facts: "tuple[tuple[str, Fact], ...]" = ()

    @staticmethod
    def of(key: str, /, **facts: "Fact") -> "Sentence":
        """Make a sentence."""
        return Sentence(key, tuple(facts.items()))

    def text(self, lang: str = "en") -> str:
        """Return the sentence in one language, ``zh`` or ``en``."""
        known = texts(lang)
        return known[self.key].format_map({name: _words(fact, lang) for name, fact in self.facts})

    def changed(self, change: Callable[[str], str]) -> "Sentence":
        """Return the sentence with every text among its facts changed, in sentences within it too."""
        return Sentence(self.key, tuple((name, _changed(fact, change)) for name, fact in self.facts))


def _changed(fact: "Fact", change: Callable[[str], str]) -> "Fact":
    if isinstance(fact, str):
        return change(fact)
    if isinstance(fact, Sentence):
        return fact.changed(change)
    if isinstance(fact, tuple):
        return tuple(change(part) if isinstance(part, str) else part.changed(change) for part in fact)
    return fact


def _words(fact: "Fact", lang: str) -> str | int | float:
    if isinstance(fact, Sentence):
        return fact.text(lang)
    if isinstance(fact, tuple):
        return texts(lang)["then"].join(str(_words(part, lang)) for part in fact)
    return fact


Fact = str | int | float | Sentence | tuple[str | Sentence, ...]
