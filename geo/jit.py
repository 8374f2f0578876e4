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
from numba.core import ir
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.typed_passes import NopythonRewrites

__all__ = ["kernel", "known_kernels"]

# The folder in which the packages of this house lie.
HOUSE = Path(__file__).resolve().parents[1]

_KERNELS: list[tuple[Any, Any]] = []
"""Each as Python calls it, and as kernels do."""

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
    compiles a kernel while the others wait for it. No entry is made for C, from where nobody calls; what
    kernels call has none for Python either, which takes longer to make than the rest of a kernel of many
    tables; and where no array is made, none are counted (see `_Uncounted`).
    """
    # its annotations leave these options out
    options: dict[str, Any] = {
        "cache": True,
        "nogil": True,
        "no_cfunc_wrapper": True,
        "pipeline_class": _Stages,
    }
    compiled = cast(Any, numba.njit)(**options)(function)
    inner = cast(Any, numba.njit)(no_cpython_wrapper=True, **options)(function)
    stamp = _stamp(HOUSE, function.__module__)
    for one in (compiled, inner):
        kept = one._cache._cache_file
        kept._source_stamp = stamp
        # Compared before the rest is unpickled: an older index may name a class that is gone by now.
        kept._version = f"{kept._version} {stamp}"
        one.compile = functools.partial(_compiled_alone, one, one.compile)
    name = f"{inner._cache._impl.filename_base}.inner"
    kept._index_name, kept._data_name_pattern = f"{name}.nbi", f"{name}.{{number:d}}.nbc"
    kept._index_path = str(Path(kept._cache_path, kept._index_name))
    compiled.get_call_template = functools.partial(_called_by_kernel, inner.get_call_template)
    compiled.get_overload = inner.get_overload
    _KERNELS.append((compiled, inner))
    return cast(F, compiled)


def _is_held(context: Any, kind: types.Type) -> bool:  # noqa: ANN401 - numba's
    """Whether values of a type are counted: arrays, and what they are in."""
    return bool(context.data_model_manager[kind].contains_nrt_meminfo())


def _is_lent(kind: types.Type) -> bool:
    """Whether an argument is arrays of the caller, bare or in tuples, or nothing that is counted."""
    if isinstance(kind, types.BaseTuple):
        return all(map(_is_lent, cast(Any, kind)))
    return not isinstance(kind, types.StructRef | types.IterableType) or isinstance(kind, types.Array)


def _is_view(value: Any, kinds: dict[str, types.Type]) -> bool:  # noqa: ANN401 - numba's
    """Whether an array, or a tuple of them, is one that is there already or a part of it."""
    if not isinstance(value, ir.Expr):
        return isinstance(value, ir.Arg | ir.Var | ir.Global | ir.FreeVar)
    if value.op == "call":
        return isinstance(kinds[value.func.name], types.NamedTupleClass)
    if value.op in ("getattr", "exhaust_iter"):
        return isinstance(kinds[value.value.name], types.BaseTuple)
    if value.op in ("getitem", "static_getitem"):
        index = value.index if value.op == "getitem" else value.index_var
        return index is None or not isinstance(kinds[index.name], types.Array)
    return value.op in ("build_tuple", "cast", "phi")


@cast(Any, register_pass)(mutates_CFG=False, analysis_only=False)
class _Uncounted(FunctionPass):
    """Leave out the counting of references to arrays where all are the caller's, who holds them meanwhile.

    A kernel that neither makes an array nor gives one back needs none. Of kernels with many tables it was
    a third of the time that compiling took; what runs is the same, since numba takes most of it out again.
    """

    _name = "uncounted"

    def __init__(self) -> None:
        cast(Any, FunctionPass).__init__(self)

    def run_pass(self, state: Any) -> bool:  # noqa: ANN401 - numba's
        context, kinds = state.targetctx, state.typemap
        if state.func_ir.is_generator or _is_held(context, state.return_type):
            return False
        if not all(map(_is_lent, state.args)):
            return False
        for block in state.func_ir.blocks.values():
            for step in block.body:
                if isinstance(step, ir.DynamicRaise | ir.DynamicTryRaise):
                    return False
                # Parts of an array that are copied into itself go by way of another one.
                copied = isinstance(step, ir.SetItem | ir.StaticSetItem)
                if copied and _is_held(context, kinds[step.value.name]):
                    return False
                named = isinstance(step, ir.Assign) and _is_held(context, kinds[step.target.name])
                if named and not _is_view(step.value, kinds):
                    return False
        state.flags.nrt = False
        state.targetctx = context.subtarget(enable_nrt=False, cached_internal_func={})
        state.targetctx.__dict__.pop("nrt", None)
        return True


class _Stages(Compiler):
    """Numba's stages and ours."""

    def define_pipelines(self) -> list[Any]:
        pipelines: list[Any] = cast(Any, super()).define_pipelines()
        for pipeline in pipelines:
            pipeline.add_pass_after(_Uncounted, NopythonRewrites)
            pipeline.finalize()
        return pipelines


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
    mine = (both for both in _KERNELS if both[0].py_func.__module__.startswith(package))
    return sum(any(one._cache._cache_file._load_index() for one in both) for both in mine)
