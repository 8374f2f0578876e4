"""Texts that may hold a number of a person, as logs and sentences show them."""

import re
from typing import Final

__all__ = ["masked"]

_LONG: Final = re.compile(r"\d{7,}")
"""No hour, price or position has so many digits in a row; telephone numbers and ids have."""


def masked(text: str) -> str:
    """Return a text whose long numbers are shown by shape: ``13812345678`` is ``1381****678``."""
    return _LONG.sub(lambda found: f"{found[0][:4]}****{found[0][-3:]}", text)
