"""One place for the numba options, so that every kernel is cached, typed and free of the GIL."""

import contextlib
import fcntl
import functools
import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import types
from numba.core.compiler_lock import global_compiler_lock

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

    Machine code is made once for each form of the arguments, whoever asks first: kernels do not tell
    constants or widths of integers that other kernels hand them apart, and of several processes one
    compiles a kernel while the others wait for it. No entry is made for C, from where nobody calls.
    """
    # its annotations leave this option out
    compiled = cast(Any, numba.njit)(cache=True, nogil=True, no_cfunc_wrapper=True)(function)
    stamp, kept = _stamp(HOUSE, function.__module__), compiled._cache._cache_file
    kept._source_stamp = stamp
    # Compared before the rest is unpickled: an older index may name a class that is gone by now.
    kept._version = f"{kept._version} {stamp}"
    compiled.get_call_template = functools.partial(_called_by_kernel, compiled.get_call_template)
    compiled.compile = functools.partial(_compiled_alone, compiled, compiled.compile)
    _KERNELS.append(compiled)
    return cast(F, compiled)


def _general(given: types.Type) -> types.Type:
    """Return the type that stands for that of an argument: no constant, and integers as wide as they go.

    Numba widens signed integers itself where it computes, so nothing is computed otherwise. Unsigned ones
    stay: together with signed ones they would become floats.
    """
    plain: Any = cast(Any, types).unliteral(given)
    wide: bool = isinstance(plain, types.Integer) and cast(Any, plain).signed
    general: types.Type = types.int64 if wide else plain
    return general


def _called_by_kernel(
    template: Callable[..., Any], arguments: tuple[types.Type, ...], named: dict[str, types.Type]
) -> Any:  # noqa: ANN401 - numba's
    """Give numba what it needs for the call of a kernel inside another one."""
    return template(tuple(map(_general, arguments)), {name: _general(given) for name, given in named.items()})


_HELD: set[str] = set()
"""Locks of this process, guarded by numba's own lock."""


def _compiled_alone(kernel: Any, compile_or_load: Callable[..., Any], form: Any) -> Any:  # noqa: ANN401 - numba's
    """Compile a kernel, or load what another process has compiled meanwhile.

    A kernel waits only for kernels that it calls, and never they for it, so that two processes never wait
    for each other. Numba's lock comes first, or two threads of one process might.
    """
    if isinstance(form, tuple) and form in kernel.overloads:
        return compile_or_load(form)
    with global_compiler_lock, _lock(f"{kernel._cache._cache_file._index_path}.lock"):
        return compile_or_load(form)


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    """Hold a file that one process at a time may hold; where none can be made, go on without."""
    with contextlib.ExitStack() as stack:
        if name not in _HELD:
            with contextlib.suppress(OSError):
                Path(name).parent.mkdir(parents=True, exist_ok=True)
                file = stack.enter_context(Path(name).open("ab"))
                fcntl.flock(file, fcntl.LOCK_EX)
                # A process that was forked meanwhile has the file too: closing it here is not enough.
                stack.callback(fcntl.flock, file, fcntl.LOCK_UN)
                _HELD.add(name)
                stack.callback(_HELD.discard, name)
        yield


def known_kernels(package: str) -> int:
    """Return how many kernels of the modules imported so far have machine code on disk.

    Parameters
    ----------
    package : str
        What the names of their modules begin with.
    """
    mine = (one for one in _KERNELS if one.py_func.__module__.startswith(package))
    return sum(bool(one._cache._cache_file._load_index()) for one in mine)
