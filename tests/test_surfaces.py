"""The public surface of each room: declared, pinned, and the only thing that other packages import."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("geo", "siting", "routing", "maps", "api")
PINNED = Path(__file__).parent / "surfaces.txt"
"""One line a room: its name, then its public names. Change it on purpose, with the code."""


def _rooms() -> Iterator[str]:
    for package in PACKAGES:
        for init in sorted((ROOT / package).glob("*/__init__.py")):
            yield f"{package}.{init.parent.name}"


def _pinned() -> dict[str, list[str]]:
    lines = PINNED.read_text(encoding="utf-8").splitlines()
    return {room: names.split() for room, names in (line.split(":", 1) for line in lines)}


def _imports() -> Iterator[tuple[Path, int, str, str]]:
    """Every name that a module of one package imports from another package."""
    for package in PACKAGES:
        others = set(PACKAGES) - {package}
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    for alias in node.names:
                        if alias.name.split(".")[0] in others:
                            yield path, node.lineno, alias.name, ""
                elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in others:
                    for alias in node.names:
                        yield path, node.lineno, node.module or "", alias.name


@pytest.mark.parametrize("room", list(_rooms()))
def test_the_surface_of_a_room_is_pinned_and_whole(room: str) -> None:
    module = importlib.import_module(room)
    names = list(getattr(module, "__all__", ()))
    assert names == _pinned()[room]
    assert not [name for name in names if not hasattr(module, name)]


def test_no_room_is_pinned_that_is_gone() -> None:
    assert sorted(_pinned()) == sorted(_rooms())


def test_other_packages_import_only_what_is_public() -> None:
    """From another package: a name in the ``__all__`` of a room or of a module beside the rooms."""
    faults = []
    for path, line, module, name in _imports():
        public = getattr(importlib.import_module(module), "__all__", ())
        if module.count(".") != 1 or name not in public:
            faults.append(f"{path.relative_to(ROOT)}:{line}: {module} {name}")
    assert not faults, "\n".join(faults)
