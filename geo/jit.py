"""One place for the numba options, so that every kernel is cached, typed and free of the GIL."""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

__all__ = ["kernel"]

F = TypeVar("F", bound=Callable[..., object])


@functools.cache
def _stamp() -> str:
    """Hash of every module of the house that holds kernels."""
    house = Path(__file__).resolve().parents[1]
    sources = (
        path.read_bytes()
        for room in ("geo", "siting", "routing")
        for path in sorted((house / room).glob("*.py"))
    )
    return hashlib.sha256(b"".join(source for source in sources if b"@kernel" in source)).hexdigest()


def kernel(function: F) -> F:
    """Compile `function` with numba.

    Cached on disk, so that a fresh process answers at once; without the GIL, so that threads
    share the cores. ``parallel=True`` is not used: numba does not cache such kernels.

    numba renews a cached kernel only when the kernel's own file changes, not when a kernel that it has
    inlined from another module does. So the stamp it compares is the hash of all modules with kernels.
    """
    compiled = numba.njit(cache=True, nogil=True)(function)
    cast(Any, compiled)._cache._cache_file._source_stamp = _stamp()
    return cast(F, compiled)
