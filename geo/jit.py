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


def _reached(house: Path, module: str, *, all_modules: bool) -> dict[str, tuple[Path, bytes, frozenset[str]]]:
    """Modules of this house by name, from one on: through every import, or through rooms' surfaces only."""
    found = {}
    seen = {module}
    open_modules = [module]
    while open_modules:
        name = open_modules.pop()
        source = _source(house, name)
        if source is None:
            continue
        found[name] = source
        if all_modules or name == module or source[0].name == "__init__.py":
            open_modules.extend(source[2] - seen)
            seen |= source[2]
    return found


@functools.cache
def _stamp(house: Path, module: str) -> str:
    """Hash, by their paths, of all modules whose text is in the machine code of a kernel of `module`.

    These are the modules with kernels that `module` imports, itself or through others, and what each of
    these imports directly: constants and layouts of tuples are compiled in.
    """
    contents: dict[str, bytes] = {}
    for name, (_, content, _) in _reached(house, module, all_modules=True).items():
        if name == module or b"@kernel" in content:
            for path, text, _ in _reached(house, name, all_modules=False).values():
                contents[path.relative_to(house).as_posix()] = text
    digest = hashlib.sha256()
    for file in sorted(contents):
        digest.update(file.encode() + b"\0" + hashlib.sha256(contents[file]).digest())
    return digest.hexdigest()


def kernel(function: F) -> F:
    """Compile `function` with numba.

    Cached on disk, so that a fresh process answers at once; without the GIL, so that threads
    share the cores. ``parallel=True`` is not used: numba does not cache such kernels.

    numba renews a cached kernel only when the kernel's own file changes, not when a kernel that it has
    inlined from another module does. So the stamp it compares is the hash of all modules whose text
    is compiled into this one, in whatever folder they lie.
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
