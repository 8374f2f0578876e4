"""The two ways to an environment, pip and conda, name the same packages."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Where conda-forge gives a package another name than the package index.
CONDA_NAMES = {
    "h3-py": "h3",
    "matplotlib-base": "matplotlib",
    "playwright-python": "playwright",
    "pyosmium": "osmium",
}
ONLY_CONDA = {"python", "pip"}


def _canonical(requirement: str) -> str:
    name = re.split(r"[\s<>=!~;\[]", requirement.strip(), maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def _conda_names() -> list[str]:
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    items = [line.strip()[2:] for line in lines if line.strip().startswith("- ")]
    names = [_canonical(item) for item in items if item not in {"conda-forge", "pip:"}]
    return [CONDA_NAMES.get(name, name) for name in names if name not in ONLY_CONDA]


def test_conda_and_pip_name_the_same_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["demo"], *extras["test"]]
    assert sorted(_conda_names()) == sorted({_canonical(name) for name in wanted})


def test_every_requirement_is_constrained_and_none_is_pinned_by_hand() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {*project["dependencies"], *extras["demo"], *extras["test"], *extras["cluster"]}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {_canonical(line) for line in lines if "==" in line}
    assert {_canonical(name) for name in wanted} <= pinned
    # Only numba, whose private cache hooks are used, is held to a minor version.
    assert [name for name in wanted if "=" in name.partition(";")[0]] == ["numba>=0.68,<0.69"]


def test_each_package_of_the_house_is_shipped() -> None:
    """Packages are found, not listed: every folder with modules must be one."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rooms = ("geo", "siting", "routing", "maps", "api")
    assert config["tool"]["setuptools"]["packages"]["find"]["include"] == [f"{room}*" for room in rooms]
    folders = {module.parent for room in rooms for module in (ROOT / room).rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").is_file()]


def test_no_machine_path_and_no_index_host_in_the_repository() -> None:
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("debian", "org"))]
    folders = ["/" + "work/", "/" + "root/", "/" + "home/"]
    suffixes = {".py", ".toml", ".md", ".yml", ".txt", ".json", ".html", ".css", ".js", ""}
    rooms = ["geo", "siting", "routing", "maps", "api", "tests", ".ci"]
    files = [path for room in rooms for path in (ROOT / room).rglob("*") if "__pycache__" not in path.parts]
    files += [path for path in ROOT.iterdir() if path.name not in {".git"}]
    for path in files:
        if path.is_file() and path.suffix in suffixes and path.name != ".git":
            text = path.read_text(encoding="utf-8", errors="ignore")
            assert not [word for word in (*hosts, *folders) if word in text], path
