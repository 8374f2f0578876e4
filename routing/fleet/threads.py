"""Rows shared among two threads, which kernels let run beside each other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["in_two_threads"]


_COMPILED = set[str]()


def in_two_threads(what: str, part: Callable[[int, int, int], None], count: int, many: int) -> None:
    """Share rows among two threads; kernels let both run.

    Parameters
    ----------
    what : str
        Names the kernel that is run.
    part : callable
        Does the rows from one to another with the memory of a thread: (thread, first, last).
    count : int
        How many rows.
    many : int
        Of fewer rows one thread does all.
    """
    if count < many:
        part(0, 0, count)
        return
    first = 0
    if what not in _COMPILED:
        # Of two threads that have a kernel compiled at once each may wait for the other.
        part(0, 0, 1)
        first = 1
        _COMPILED.add(what)
    middle = (first + count) // 2
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(part, 1, middle, count)
        part(0, first, middle)
        other.result()
