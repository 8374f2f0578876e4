"""Problems in the language of who asked: titles by their kind, sentences by their wording in the catalogue.

Errors are English sentences wherever they are made, also below this package. The English catalogue holds
them as patterns, and the same keys of the others say them again with the same facts. A sentence without a
pattern stays as it is.
"""

import functools
import re

from api.forms import Language
from maps.texts import catalogue

__all__ = ["listed", "sentence", "title"]

_FACT = re.compile(r"\\\{(\w+)\\\}")


def title(slug: str, lang: Language) -> str:
    """Return what a kind of problem is called."""
    return catalogue(lang).text(f"problem_title.{slug}")


def sentence(english: str, lang: Language) -> str:
    """Return a sentence of an error in another language.

    Parameters
    ----------
    english : str
        As the error has it.
    lang : {"zh", "en"}

    Returns
    -------
    str
    """
    if lang == "en":
        return english
    for key, pattern in _patterns():
        found = pattern.fullmatch(english)
        if found is not None:
            facts = found.groupdict()
            if "why" in facts:
                # A sentence in a sentence.
                facts["why"] = sentence(facts["why"], lang)
            roles = catalogue(lang).group("problem_role")
            if (role := facts.get("role")) in roles:
                facts["role"] = roles[role]
            return catalogue(lang).text(f"problem.{key}", **facts)
    return english


def listed(pointer: str, detail: str, more: int, lang: Language) -> str:
    """Return the sentence about several fields: the first, and how many more there are."""
    told = catalogue(lang).text("problem_list.first", pointer=pointer, detail=detail)
    return told + (catalogue(lang).text("problem_list.more", count=more) if more > 0 else "")


@functools.cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Sentences with their facts as groups; those with more of their own words come first."""
    texts = catalogue("en").group("problem")
    order = sorted(texts, key=lambda key: (-len(re.sub(r"\{\w+\}", "", texts[key])), key))
    return tuple(
        (key, re.compile(_FACT.sub(r"(?P<\1>.+?)", re.escape(texts[key])), re.DOTALL)) for key in order
    )
