"""The root of the one error tree. Every message is one sentence a user can act on."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from geo.sentences import Sentence

__all__ = ["InfeasibleError", "InputError", "OffNetworkError", "YiluError", "all_at_once", "read_each"]

_MOST_TOLD = 20


A = TypeVar("A")
B = TypeVar("B")


class YiluError(Exception):
    """Root of every error that Yilu raises on purpose.

    Parameters
    ----------
    said : str or Sentence
        English words, or a sentence that is there in each language.
    """

    def __init__(self, said: str | Sentence = "") -> None:
        super().__init__(said if isinstance(said, str) else said.text())
        self.said = said

    def text(self, lang: str) -> str:
        """Return the sentence in a language where it is there, else in English."""
        return self.said if isinstance(self.said, str) else self.said.text(lang)


class InputError(YiluError, ValueError):
    """Input that cannot be used: the sentence names file, row, column and the allowed range."""


class OffNetworkError(InputError):
    """A place that lies on no street of the network within the allowed walk."""


class InfeasibleError(YiluError, ValueError):
    """A well-formed problem without a solution: the sentence names the constraint and by how much."""


def read_each(file: str, items: Iterable[tuple[int, A]], read: Callable[[A], B], unit: str) -> list[B]:
    """Read numbered items of a file one by one; what is wrong with any of them is told at once.

    Parameters
    ----------
    file : str
        Its name.
    items : iterable of (number, item)
    read : callable
        Raises `InputError` for an item that cannot be used.
    unit : str
        What an item is: ``row`` or ``feature``.

    Raises
    ------
    InputError
        For all items together.
    """
    out: list[B] = []
    wrong: list[Sentence] = []
    for number, item in items:
        try:
            out.append(read(item))
        except InputError as error:
            wrong.append(Sentence.of(unit, number=number, what=error.said))
    if wrong:
        raise all_at_once(file, wrong)
    return out


def all_at_once(file: str, problems: Sequence[Sentence]) -> InputError:
    """Return one error for all that is wrong with a file, so that it is mended in one go.

    Parameters
    ----------
    file : str
        Its name.
    problems : sequence of Sentence
        Each with its own place, such as ``row 3: lon is empty``; at least one.
    """
    if len(problems) == 1:
        return InputError(Sentence.of("in_file", file=file, what=problems[0]))
    shown: tuple[Sentence, ...] = tuple(problems[:_MOST_TOLD])
    more = len(problems) - _MOST_TOLD
    if more > 0:
        shown += (Sentence.of("more", more=more),)
    return InputError(Sentence.of("wrong", file=file, count=len(problems), what=shown))
