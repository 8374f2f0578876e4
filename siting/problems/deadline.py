"""The clock of time limits: the only one that is read below the shell."""

import time

__all__ = ["monotonic_s"]


def monotonic_s() -> float:
    """Return seconds of a clock that never goes back.

    A time limit binds while a solver runs, so it is measured there. No answer carries it: what a limit cut
    short says so by its gap.
    """
    return time.monotonic()
