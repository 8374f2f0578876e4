"""The text catalogue: every word that maps and documents show, in each language.

One TOML file a language beside this module, all with the same keys.
"""

import dataclasses
import functools
import importlib.resources
import tomllib
import types
from collections.abc import Mapping

from geo.errors import InputError
from geo.sentences import texts as input_texts

__all__ = ["LANGUAGES", "Catalogue", "catalogue"]

LANGUAGES = ("zh", "en")


@dataclasses.dataclass(frozen=True, slots=True)
class Catalogue:
    """All texts of one language under dotted keys such as ``layer.demand``."""

    lang: str
    texts: Mapping[str, str]

    def __contains__(self, key: object) -> bool:
        return key in self.texts

    def text(self, key: str, **params: object) -> str:
        """Return the text of a key with its parameters put in.

        Raises
        ------
        InputError
            If the catalogue has no such key, or the text wants a parameter that was not given.
        """
        try:
            raw = self.texts[key]
        except KeyError:
            raise InputError(f"the text catalogue {self.lang}.toml has no key {key!r}") from None
        try:
            return raw.format_map(params)
        except KeyError as missing:
            raise InputError(f"the text {key!r} of {self.lang}.toml wants the parameter {missing}") from None

    def group(self, name: str) -> dict[str, str]:
        """All texts below one name, as they stand, such as ``ui``."""
        start = f"{name}."
        return {key[len(start) :]: text for key, text in self.texts.items() if key.startswith(start)}


@functools.cache
def catalogue(lang: str) -> Catalogue:
    """Return the catalogue of a language, the sentences about input in it.

    Raises
    ------
    InputError
        If the language is none of :data:`LANGUAGES`.
    """
    if lang not in LANGUAGES:
        raise InputError(f"language {lang!r} is not known, allowed: {', '.join(LANGUAGES)}")
    raw = (importlib.resources.files("maps.texts") / f"{lang}.toml").read_text(encoding="utf-8")
    texts: dict[str, str] = {}
    for group, entries in tomllib.loads(raw).items():
        for key, text in entries.items():
            texts[f"{group}.{key}"] = text
    texts.update({f"input.{key}": text for key, text in input_texts(lang).items()})
    return Catalogue(lang, types.MappingProxyType(texts))
