"""The language of the person at the terminal."""

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from api.forms import Language

__all__ = ["speak", "spoken", "terminal_language"]

_LANGUAGE = "yilu.language"


def speak(language: "Language | None") -> None:
    """Say what is wrong with input in a language, or else in that of the terminal."""
    click.get_current_context().meta[_LANGUAGE] = language


def spoken(context: click.Context) -> "Language":
    """Return the language in which a command says what is wrong."""
    return context.meta.get(_LANGUAGE) or terminal_language()


def terminal_language() -> "Language":
    """Return the language that the locale of the terminal names, English where it is none of ours."""
    # In this order they override each other, as POSIX says.
    named = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return "zh" if named.lower().startswith("zh") else "en"
