"""A cached kernel is renewed when a kernel that it calls in another module changes, wherever that lies."""

import atexit
import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KERNEL = "from geo.jit import kernel\n\n\n@kernel\ndef {name}(x: int) -> int:\n    return {value}\n"


NURSERY = """
import json, os, sys, traceback
import numba, numpy
from numba.core.runtime import rtsys
numba.njit(lambda x: numpy.zeros(2)[0] + x)(1)  # so that no child has to set numba up
for line in sys.stdin:
    house, module = json.loads(line)
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(sender, 1)
        sys.path.insert(0, house)
        os.chdir(house)
        try:
            outer = __import__(module, fromlist=["outer"]).outer
            print(outer(1), flush=True)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(sender)
    with os.fdopen(receiver) as told:
        text = told.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps([code, text]), flush=True)
"""


@functools.cache
def _nursery() -> subprocess.Popen[str]:
    """Start a process that has imported numba and has a child for each run: they begin at once."""
    process = subprocess.Popen(
        [sys.executable, "-c", NURSERY], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    atexit.register(process.communicate)
    return process


def _run(house: Path, module: str = "geo.outer") -> str:
    """Return what a fresh process prints that imports a module of a house and calls its ``outer``."""
    nursery = _nursery()
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(json.dumps([str(house), module]) + "\n")
    nursery.stdin.flush()
    code, text = json.loads(nursery.stdout.readline())
    assert code == 0
    return str(text).strip()


def _write(house: Path, module: str, text: str) -> None:
    """Write a module of a small house, with the packages above it."""
    path = house.joinpath(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    for folder in (path.parent, *path.parent.parents):
        if folder == house:
            break
        (folder / "__init__.py").touch()
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    _write(tmp_path, "geo.jit", (ROOT / "geo" / "jit.py").read_text(encoding="utf-8"))
    return tmp_path


@pytest.mark.parametrize(
    ("inner", "imported"),
    [
        ("geo.inner", "from geo.inner import inner"),
        ("geo.room.inner", "from geo.room.inner import inner"),
        ("geo.room.inner", "from geo.room import (\n    inner as room,\n)\ninner = room.inner"),
        ("other.deep.room.inner", "import other.deep.room.inner\ninner = other.deep.room.inner.inner"),
    ],
)
def test_a_changed_inner_kernel_reaches_its_cached_callers(house: Path, inner: str, imported: str) -> None:
    _write(house, "geo.outer", f"{imported}\n{KERNEL.format(name='outer', value='inner(x)')}")
    _write(house, inner, KERNEL.format(name="inner", value="x + 1"))
    assert _run(house) == "2"
    _write(house, inner, KERNEL.format(name="inner", value="x + 10"))
    assert _run(house) == "11"


def test_a_kernel_handed_on_by_its_room_reaches_its_cached_callers(house: Path) -> None:
    """The surface of a room has no kernel itself: the way through it still counts."""
    _write(house, "geo.outer", f"from geo.room import inner\n{KERNEL.format(name='outer', value='inner(x)')}")
    _write(house, "geo.room.deep.inner", KERNEL.format(name="inner", value="x + 1"))
    (house / "geo" / "room" / "__init__.py").write_text(
        "from geo.room.deep.inner import inner\n", encoding="utf-8"
    )
    assert _run(house) == "2"
    _write(house, "geo.room.deep.inner", KERNEL.format(name="inner", value="x + 10"))
    assert _run(house) == "11"


def test_two_modules_that_change_places_do_not_keep_each_others_code(house: Path) -> None:
    """The same texts under swapped names are other kernels: paths are part of the stamp."""
    _write(house, "geo.one", KERNEL.format(name="inner", value="x + 1"))
    _write(house, "geo.two", KERNEL.format(name="inner", value="x + 10"))
    outer = f"from geo import one, two\ninner = one.inner\n{KERNEL.format(name='outer', value='inner(x)')}"
    _write(house, "geo.outer", outer)
    assert _run(house) == "2"
    _write(house, "geo.one", KERNEL.format(name="inner", value="x + 10"))
    _write(house, "geo.two", KERNEL.format(name="inner", value="x + 1"))
    assert _run(house) == "11"


def test_a_constant_of_a_module_without_kernels_reaches_the_kernels_that_read_it(house: Path) -> None:
    """A kernel holds the value that a constant had when it was compiled."""
    outer = f"from geo.room import STEP\n{KERNEL.format(name='outer', value='x + STEP')}"
    _write(house, "geo.outer", outer)
    _write(house, "geo.room.values", "STEP = 1\n")
    (house / "geo" / "room" / "__init__.py").write_text(
        "from geo.room.values import STEP\n", encoding="utf-8"
    )
    assert _run(house) == "2"
    _write(house, "geo.room.values", "STEP = 10\n")
    assert _run(house) == "11"


def test_a_type_that_has_another_name_by_now_does_not_stop_a_cached_kernel(house: Path) -> None:
    """The index of an older version names a class that is gone: it is passed over, not unpickled."""
    text = (
        "from typing import NamedTuple\nfrom geo.jit import kernel\n\n\n"
        "class {name}(NamedTuple):\n    x: int\n\n\n"
        "@kernel\ndef inner(p: {name}) -> int:\n    return p.x + {value}\n\n\ndef outer(x: int) -> int:\n"
        "    return inner({name}(x))\n"
    )
    _write(house, "geo.outer", text.format(name="Places", value=1))
    assert _run(house) == "2"
    _write(house, "geo.outer", text.format(name="PlaceColumns", value=10))
    assert _run(house) == "11"


def test_constants_and_widths_of_integers_are_one_form(house: Path) -> None:
    """Each further form would be seconds of compiling for the same machine code."""
    text = """
import numpy as np
from geo.jit import _KERNELS, kernel

@kernel
def inner(x, again=False):
    return x + 1 if again else x - 0.5

@kernel
def middle(narrow):
    found = inner(7) + inner(-1, True) + inner(np.int8(3), again=False)
    for one in narrow:
        found += inner(one) + inner(len(narrow), one > 2)
    return found

def outer(x):
    narrow = np.array([x, 5], dtype=np.int32)
    (called,) = (one for kernel, one in _KERNELS if kernel is inner)
    return f"{middle(narrow)} {len(called.signatures)} {middle.py_func(narrow)}"
"""
    _write(house, "geo.outer", text)
    told, forms, plain = _run(house).split()
    assert (told, int(forms)) == (plain, 2), "one without and one with the second argument"


def test_of_two_processes_one_compiles_and_the_other_waits_for_it(house: Path) -> None:
    body = "\n    ".join(f"x = x * {n} + 1 if x > {n} else x - {n}" for n in range(60))
    text = (
        "import sys\nfrom geo.jit import _KERNELS, kernel\n\n\n"
        f"@kernel\ndef inner(x: int) -> int:\n    {body}\n    return x\n\n\n"
        "@kernel\ndef middle(x: int) -> int:\n    return inner(x)\n\n\n"
        "def outer(x: int) -> int:\n"
        "    print('ready', flush=True)\n    sys.stdin.readline()\n    middle(x)\n"
        "    return sum(sum(one.stats.cache_misses.values()) for both in _KERNELS for one in both)\n"
    )
    _write(house, "geo.outer", text)
    code = f"import sys; sys.path.insert(0, {str(house)!r}); from geo.outer import outer; print(outer(1))"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=house, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for one in both:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in both:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    made = [int(one.communicate(timeout=120)[0]) for one in both]
    assert sum(made) == 2, "each of the two kernels is compiled by one of the processes"


def test_where_no_lock_can_be_made_kernels_compile_all_the_same(house: Path) -> None:
    _write(house, "geo.outer", KERNEL.format(name="outer", value="x + 1"))
    python = "py{}{}".format(*sys.version_info)
    (house / "geo" / "__pycache__" / f"outer.outer-4.{python}.nbi.lock").mkdir(parents=True)
    assert _run(house) == "2"


UNCOUNTED = """
import sys
from typing import NamedTuple
import numpy as np
from numba.core.runtime import _nrt_python, rtsys
from geo.jit import kernel

_nrt_python.memsys_enable_stats()

class Table(NamedTuple):
    x: np.ndarray
    y: np.ndarray

class Both(NamedTuple):
    table: Table
    n: int

@kernel
def add(table, first, last):
    part = table.x[first:last]
    table.y[:last] += part[0]
    return part[1] + table.y[0]

@kernel
def refuse(table, n):
    if n > 1:
        raise ValueError("too many")
    return table.x[n]

@kernel
def parts(table):
    return Table(table.x[1:], table.y[1:])

@kernel
def twice(table):
    made = table.x * 2
    return made[1]

@kernel
def all_of_it(table, n):
    both = Both(Table(table.y, table.x), n)
    x, y = both.table
    total = add(Table(y, x), 0, 2) + refuse(table, 1) + twice(table)
    for _ in range(n):
        total += parts(table).x[0]
    return total

def outer(x):
    table = Table(np.arange(5.0), np.zeros(5))
    plain = all_of_it.py_func(table, 3)
    held, before = [sys.getrefcount(one) for one in table], rtsys.get_allocation_stats()
    for _ in range(50):
        table.x[:], table.y[:] = np.arange(5.0), 0
        assert all_of_it(table, 3) == plain
        assert add(table, 0, 2) > 0 and parts(table).x[0] == 1.0
        try:
            refuse(table, 2)
        except ValueError:
            pass
    stats = rtsys.get_allocation_stats()
    made, freed = stats.alloc - before.alloc, stats.free - before.free
    return f"{made > 50} {made == freed} {[sys.getrefcount(one) for one in table] == held}"
"""


def test_arrays_are_counted_where_they_are_made_and_nothing_is_kept(house: Path) -> None:
    """Kernels that make no array count none; those that do free it, also when one stands in the other."""
    _write(house, "geo.outer", UNCOUNTED)
    assert _run(house) == "True True True"
    assert _run(house) == "True True True", "read from the cache"
