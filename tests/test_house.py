"""The house from outside: sizes of files, folders and functions, and one name for one thing."""

import ast
import collections
import functools
import pathlib
import re
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
"""There the module is the noun and is read with the verb: ``tasks.insert``, ``offers.page``."""

PROTOCOLS = {"main", "decide", "evolve", "fold"}
"""Functions that are the same part of one pattern in different rooms."""

ROLES = {
    "areas", "audit", "closures", "codec", "columns", "commands", "decide", "desk", "duty", "emergencies",
    "errors", "events", "fairness", "files", "forms", "inputs", "language", "ledger", "matters", "median",
    "offers", "offices", "overrides", "page", "parts", "people", "photos", "places", "read", "results",
    "rewards", "riders", "rules", "run", "settings", "slots", "state", "tables", "tasks", "tenants",
    "translate", "verify", "webhooks", "windows", "wording",
}  # fmt: skip
"""File names that say the part which a file plays in its room, or name one thing in several rooms."""


QUOTED = r"[\w.]+|[\w.]+\[[\w., |\[\]]+\]|[\w.]+( \| [\w.]+)+"
"""An annotation in quotes; sentences are none."""

UNREACHED = {
    "api.frames": "notebooks call it",
    "api.statements.read_statement": "platforms call it, through `api.client`",
    "routing.civic.benefit.lateness_left_s": "likewise: how much lateness a statement pardons",
    "geo.osm.read.read_raw": "benchmarks measure the streets alone",
    "routing.dispatch.alerts.fold_alert": "tests hold what is stored against its events",
    "api.dispatch.codec.events_of": "likewise",
    "api.dispatch.emergencies.alert_events_of": "likewise",
    "api.store.civic.ledger.wrong_balances": "tests hold balances against their entries",
}
"""What no command or endpoint reaches, by its name or the beginning of it, and why it is there."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def _tree(path: pathlib.Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _functions(path: pathlib.Path) -> Iterator[Function]:
    for node in ast.walk(_tree(path)):
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
    """What is longer than a screenful, docstring apart, is machine code in one loop and says so."""
    faults = []
    for path in FILES:
        for node in _functions(path):
            told = ast.get_docstring(node, clean=False) or ""
            lines = (node.end_lineno or 0) - node.lineno + 1 - len(told.splitlines())
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
        for node in _tree(path).body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            function = not isinstance(node, ast.ClassDef)
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


def _module(path: pathlib.Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _public(tree: ast.Module) -> Iterator[str]:
    """Public functions and classes that no decorator hands to a command, an endpoint or a kernel table."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bare = True
        elif isinstance(node, Function):
            bare = not any(isinstance(one, ast.Call) for one in node.decorator_list)
        else:
            continue
        if bare and not node.name.startswith("_"):
            yield node.name


def _used(path: pathlib.Path, tree: ast.Module) -> Iterator[str]:
    """Names that a module uses: imported (not only passed on), of an attribute, or in its own other code."""
    passes_on = path.name == "__init__.py"
    for top in tree.body:
        own = getattr(top, "name", None)
        if isinstance(top, ast.Assign) and ast.unparse(top.targets[0]) == "__all__":
            continue
        for node in ast.walk(top):
            if isinstance(node, ast.ImportFrom) and not passes_on:
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.Attribute):
                yield node.attr
            elif isinstance(node, ast.Name) and node.id != own:
                yield node.id
            elif isinstance(node, ast.Constant):
                quoted = re.fullmatch(QUOTED, str(node.value)) is not None and node.value != own
                yield from re.findall(r"\w+", str(node.value)) if quoted else ()


def test_a_command_or_an_endpoint_reaches_every_public_name() -> None:
    trees = {path: _tree(path) for path in FILES}
    used = {name for path, tree in trees.items() for name in _used(path, tree)}
    unreached = {
        f"{_module(path)}.{name}"
        for path, tree in trees.items()
        for name in _public(tree)
        if name not in used
    }
    assert not sorted(name for name in unreached if not name.startswith(tuple(UNREACHED)))
    stale = [known for known in UNREACHED if not any(name.startswith(known) for name in unreached)]
    assert not stale, "they are reached now, or gone"


def test_an_hour_and_a_day_are_said_once() -> None:
    """`geo.localtime` has them; a constant of that name elsewhere may mean another day."""
    said = [
        _name(path)
        for path in FILES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id.strip("_") in {"HOUR_S", "DAY_S"}
    ]
    assert said == ["geo/localtime.py", "geo/localtime.py"]


def test_the_paths_that_architecture_names_are_there() -> None:
    pages = [ROOT / "ARCHITECTURE.md", *(ROOT / "docs" / "decisions").glob("*.md")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(r"`((?:api|geo|maps|routing|siting|tests)/[\w./]+)`", text))
    assert len(named) > 30
    assert not sorted(name for name in named if not (ROOT / name).exists())
