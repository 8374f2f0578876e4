"""The root of the one error tree. Every message is one sentence a user can act on."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

__all__ = ["InfeasibleError", "InputError", "OffNetworkError", "YiluError", "all_at_once", "read_each"]

_MOST_TOLD = 20


A = TypeVar("A")
B = TypeVar("B")


class YiluError(Exception):
    """Root of every error that Yilu raises on purpose."""


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
        What an item is called in the error, such as ``row``.

    Raises
    ------
    InputError
        For all items together.
    """
    out, wrong = [], []
    for number, item in items:
        try:
            out.append(read(item))
        except InputError as error:
            wrong.append(f"{unit} {number}: {error}")
    if wrong:
        raise all_at_once(file, wrong)
    return out


def all_at_once(file: str, problems: Sequence[str]) -> InputError:
    """Return one error for all that is wrong with a file, so that it is mended in one go.

    Parameters
    ----------
    file : str
        Its name.
    problems : sequence of str
        Each with its own place, such as ``row 3: lon is empty``; at least one.
    """
    if len(problems) == 1:
        return InputError(f"{file}: {problems[0]}")
    told = "; ".join(problems[:_MOST_TOLD])
    more = len(problems) - _MOST_TOLD
    return InputError(
        f"{file}: {len(problems)} things are wrong: {told}" + (f"; and {more} more" if more > 0 else "")
    )
