"""The language of the person at the terminal."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.forms import Language

__all__ = ["terminal_language"]


def terminal_language() -> "Language":
    """Return the language that the locale of the terminal names, English where it is none of ours."""
    # In this order they override each other, as POSIX says.
    named = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return "zh" if named.lower().startswith("zh") else "en"
