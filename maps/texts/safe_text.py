"""Texts as files can hold them."""

import re

__all__ = ["plain"]

_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]|[\ud800-\udfff]")
"""Characters that XML 1.0 forbids (section 2.2); Excel refuses a file that holds one."""


def plain(text: str) -> str:
    """Take out control characters that no document may hold."""
    return _ILLEGAL.sub("", text)
