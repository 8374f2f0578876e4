"""One place for the numba options, so that every kernel is cached, typed and free of the GIL."""

import functools
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

__all__ = ["kernel", "known_kernels"]

# The folder in which the packages of this house lie.
HOUSE = Path(__file__).resolve().parents[1]

_KERNELS: list[Any] = []

F = TypeVar("F", bound=Callable[..., object])


# A module that is imported, with the names taken from it: each may be a module itself.
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|import[ \t]+([\w.]+))", re.MULTILINE
)


@functools.cache
def _source(house: Path, module: str) -> tuple[Path, bytes, frozenset[str]] | None:
    """File, text and imported names of one module; None where it is not of this house."""
    stem = house.joinpath(*module.split("."))
    path = next((file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()), None)
    if path is None:
        return None
    content = path.read_bytes()
    imported = set()
    for source, names, plain in _IMPORT.findall(content.decode("utf-8")):
        imported.add(source or plain)
        imported.update(f"{source}.{name}" for name in re.findall(r"\w+", names))
    return path, content, frozenset(imported)


@functools.cache
def _stamp(house: Path, module: str) -> str:
    """Hash of the modules with kernels which `module` imports, itself or through others, by their paths."""
    found: dict[str, bytes] = {}
    seen = {module}
    open_modules = [module]
    while open_modules:
        source = _source(house, open_modules.pop())
        if source is None:
            continue
        path, content, imported = source
        if b"@kernel" in content:
            found[path.relative_to(house).as_posix()] = content
        open_modules.extend(imported - seen)
        seen |= imported
    digest = hashlib.sha256()
    for name in sorted(found):
        digest.update(name.encode() + b"\0" + hashlib.sha256(found[name]).digest())
    return digest.hexdigest()


def kernel(function: F) -> F:
    """Compile `function` with numba.

    Cached on disk, so that a fresh process answers at once; without the GIL, so that threads
    share the cores. ``parallel=True`` is not used: numba does not cache such kernels.

    numba renews a cached kernel only when the kernel's own file changes, not when a kernel that it has
    inlined from another module does. So the stamp it compares is the hash of all modules with kernels
    that can reach this one by imports, in whatever folder they lie.
    """
    compiled = numba.njit(cache=True, nogil=True)(function)
    stamp, kept = _stamp(HOUSE, function.__module__), cast(Any, compiled)._cache._cache_file
    kept._source_stamp = stamp
    # Compared before the rest is unpickled: an older index may name a class that is gone by now.
    kept._version = f"{kept._version} {stamp}"
    _KERNELS.append(compiled)
    return cast(F, compiled)


def known_kernels(package: str) -> int:
    """Return how many kernels of the modules imported so far have machine code on disk.

    Parameters
    ----------
    package : str
        What the names of their modules begin with.
    """
    mine = (one for one in _KERNELS if one.py_func.__module__.startswith(package))
    return sum(bool(one._cache._cache_file._load_index()) for one in mine)
