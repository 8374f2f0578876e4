"""The words of the pages in each language: one TOML file a language, all with the same keys.

Kinds of tasks, stations and the like have their names in the catalogue of maps and documents.
"""

import functools
import importlib.resources
import tomllib
import types

from api.forms import Language
from maps.texts import Catalogue, catalogue

__all__ = ["page_texts"]


@functools.cache
def page_texts(lang: Language) -> Catalogue:
    """Return the catalogue of the pages in a language."""
    raw = (importlib.resources.files("api.http.pages") / "texts" / f"{lang}.toml").read_text(encoding="utf-8")
    texts = dict(catalogue(lang).texts)
    for group, entries in tomllib.loads(raw).items():
        texts.update({f"{group}.{key}": text for key, text in entries.items()})
    return Catalogue(lang, types.MappingProxyType(texts))
