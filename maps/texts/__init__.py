"""Every word that maps and documents show, in each language, and values in words."""

from maps.texts.catalogue import LANGUAGES, Catalogue, catalogue
from maps.texts.wording import Wording

__all__ = ["LANGUAGES", "Catalogue", "Wording", "catalogue"]
