"""Nobody is recognised in what comes out: pseudonyms of riders, and the gate of published figures."""

from geo.privacy.gate import DEFAULT_K, Figures, riders_in_groups, suppress
from geo.privacy.masked import masked
from geo.privacy.pseudonyms import MIN_KEY_BYTES, Pseudonymiser, pseudonyms

__all__ = [
    "DEFAULT_K",
    "MIN_KEY_BYTES",
    "Figures",
    "Pseudonymiser",
    "masked",
    "pseudonyms",
    "riders_in_groups",
    "suppress",
]
