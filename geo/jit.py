"""One place for the numba options, so that every kernel is cached, typed and free of the GIL."""

from collections.abc import Callable
from typing import TypeVar

import numba

__all__ = ["kernel"]


F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile `function` with numba.

    Cached on disk, so that a fresh process answers at once; without the GIL, so that threads
    share the cores. ``parallel=True`` is not used: numba does not cache such kernels.
    """
    compiled: F = numba.njit(cache=True, nogil=True)(function)
    return compiled
