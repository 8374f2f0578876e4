"""The house from outside: sizes of files, folders and functions, and one name for one thing."""

import ast
import collections
import pathlib
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGES = ("geo", "siting", "routing", "maps", "api")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LINES_A_FILE = 500
MODULES_A_FOLDER = 14
LINES_A_FUNCTION = 80
ARGUMENTS = 8

NOUNS = ("api/store", "api/http/routes", "api/http/pages", "api/cli/commands.py")
"""There the module is the noun, read with the verb: ``tasks.insert``, ``offers.page``, ``yilu match``."""

PROTOCOLS = {"main", "decide", "evolve", "fold"}
"""Functions that are the same part of one pattern in different rooms."""

ROLES = {
    "areas", "audit", "columns", "commands", "decide", "duty", "emergencies", "errors", "events", "files",
    "forms", "inputs", "median", "offers", "page", "parts", "places", "read", "results", "riders", "rules",
    "run", "settings", "slots", "state", "tables", "tasks", "tenants", "translate", "verify", "webhooks",
    "windows", "wording",
}  # fmt: skip
"""File names that say the part which a file plays in its room, or name one thing in several rooms."""


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(path: pathlib.Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def _name(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_is_longer_than_can_be_read_at_a_sitting() -> None:
    long = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in [*FILES, *TESTS]}
    assert not {name: lines for name, lines in long.items() if lines > LINES_A_FILE}


def test_no_folder_holds_more_than_about_a_dozen_modules() -> None:
    count = collections.Counter(_name(path.parent) for path in FILES if path.name != "__init__.py")
    assert not {folder: modules for folder, modules in count.items() if modules > MODULES_A_FOLDER}


def test_no_function_takes_more_than_eight_arguments() -> None:
    faults = []
    for path in FILES:
        for node in _functions(path):
            names = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            taken = [argument for argument in names if argument.arg not in {"self", "cls"}]
            if len(taken) > ARGUMENTS:
                faults.append(f"{_name(path)}: {node.name} takes {len(taken)}")
    assert not faults


def test_a_long_function_is_a_kernel_that_says_why() -> None:
    """What is longer than a screenful is machine code in one loop, and its docstring says so."""
    faults = []
    for path in FILES:
        for node in _functions(path):
            lines = (node.end_lineno or 0) - node.lineno + 1
            compiled = any("kernel" in ast.unparse(decorator) for decorator in node.decorator_list)
            said = "one loop" in " ".join((ast.get_docstring(node) or "").lower().split())
            if lines > LINES_A_FUNCTION and not (compiled and said):
                faults.append(f"{_name(path)}: {node.name} has {lines} lines")
    assert not faults


def test_nothing_bears_the_name_of_another_thing() -> None:
    where: dict[str, list[str]] = collections.defaultdict(list)
    for path in FILES:
        if _name(path).startswith("api/store/migrations"):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            function = isinstance(node, Function)
            if not function and not isinstance(node, ast.ClassDef):
                continue
            free = node.name.startswith("_") or node.name in PROTOCOLS
            if not free and not (function and _name(path).startswith(NOUNS)):
                where[node.name].append(_name(path))
    assert not {name: paths for name, paths in where.items() if len(paths) > 1}


def test_files_of_one_name_play_one_part() -> None:
    where: dict[str, list[str]] = collections.defaultdict(list)
    for path in FILES:
        if path.stem not in ROLES and path.name != "__init__.py":
            where[path.name].append(_name(path))
    assert not {name: paths for name, paths in where.items() if len(paths) > 1}


@pytest.mark.parametrize("role", sorted(ROLES))
def test_no_role_stands_in_the_list_that_one_file_plays(role: str) -> None:
    assert sum(path.stem == role for path in FILES) > 1
