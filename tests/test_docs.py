"""The pages of the documentation: both languages hold the same parts, and what they print to type runs."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from loopback import served
from openapi_examples import REQUESTS
from tiny_study import place, write_study

from api.cli.commands import yilu
from api.http.access.auth import open_access
from api.http.app import create_app
from api.settings import Settings
from api.study.studyfile.tables import TraceColumn

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PRINTED = "http://127.0.0.1:8000"
SPHINX = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going"]
PAGES = sorted(path.relative_to(DOCS / "en") for path in (DOCS / "en").rglob("*.md"))
BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OWN = re.compile(r'(?<=--lang )(?:zh|en)|^(?:title|city|language) = ".*"$', re.MULTILINE)
"""What a page says in its own language."""
TYPED = [page for page in PAGES if page.name != "platform.md"]
"""The guide for platforms has a test of its own."""


def _text(lang: str, page: Path) -> str:
    return (DOCS / lang / page).read_text(encoding="utf-8")


def _typed(text: str) -> list[str]:
    return [code for kind, code in BLOCK.findall(text) if kind == "sh"]


def _parts(text: str) -> list[str]:
    """What does not depend on the language: levels of headings, columns of tables, blocks."""
    lines = BLOCK.sub(lambda found: f"```{found.group(1)}", text).splitlines()
    return [
        line.split(" ")[0] if line.startswith("#") else str(line.count("|")) if line.startswith("|") else line
        for line in lines
        if line.startswith(("#", "|", "```"))
    ]


def test_both_languages_have_the_same_pages() -> None:
    assert sorted(path.relative_to(DOCS / "zh") for path in (DOCS / "zh").rglob("*.md")) == PAGES


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_both_languages_say_the_same(page: Path) -> None:
    english, chinese = _text("en", page), _text("zh", page)
    assert _parts(english) == _parts(chinese)
    typed = [
        [OWN.sub("", code) for kind, code in BLOCK.findall(text) if kind in ("sh", "toml")]
        for text in (english, chinese)
    ]
    assert typed[0] == typed[1]
    assert not re.search(r'--lang en|language = "en"$', chinese, re.MULTILINE)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_commands_that_pages_name_are_there(lang: str) -> None:
    """A page told to use a command of another name."""
    texts = [_text(lang, page) for page in PAGES]
    texts.append((ROOT / ("README.md" if lang == "en" else "README.zh.md")).read_text(encoding="utf-8"))
    named = {name for text in texts for name in re.findall(r"`(?:\.venv/bin/)?yilu ([a-z]+)", text)}
    assert len(named) > 5
    assert named <= set(yilu.commands), named - set(yilu.commands)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_links_lead_somewhere(lang: str) -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", _text(lang, page)):
            if "://" not in link:
                assert (DOCS / lang / page.parent / link).resolve().is_file(), f"{lang}/{page}: {link}"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder like a checkout after ``make demo``: the command, and a finished study."""
    write_study(tmp_path / "out" / "demo")
    request = tmp_path / "out" / "demo" / "data" / "match-request.json"
    request.write_text(json.dumps(REQUESTS["matches"]), encoding="utf-8")
    command = tmp_path / ".venv" / "bin" / "yilu"
    command.parent.mkdir(parents=True)
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from api.cli.commands import main; main()"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return tmp_path


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("page", [page for page in TYPED if _typed(_text("en", page))], ids=str)
def test_what_a_page_prints_runs(page: Path, checkout: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    folder = checkout / "out" / "demo"
    app = create_app(folder, settings=Settings())
    app.state.access = open_access(Settings(), folder, "127.0.0.1", 1_772_400_000.0, dev=False)
    env = {"PATH": os.environ["PATH"], "HOME": str(checkout)}
    lon, lat = place("A")
    with served(app) as url:
        for code in _typed(_text("en", page)):
            made = re.fullmatch(r"make (\S+)\n", code)
            if made:
                # Each target has tests of its own; here it has to be there.
                assert made.group(1) in targets
                continue
            text = code.replace(PRINTED, url).replace("lon=24.9414&lat=60.1699", f"lon={lon}&lat={lat}")
            done = subprocess.run(
                ["bash", "-c", f"set -eu\n{text}"],
                cwd=checkout, env=env, capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert '"/problems#' not in done.stdout, done.stdout
    if page.name == "tutorial.md":
        for name in re.findall(r"^\| `(out/first/[^`]+)`", _text("en", page), re.MULTILINE):
            assert (checkout / name).is_file(), name


@pytest.mark.parametrize("name", ["siting", "matching", "own_traces"])
def test_a_notebook_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cell by cell, as Jupyter would, and the last value of a cell can be shown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YILU_PSEUDONYM_KEY", "a key of the test, long enough")
    notebook = json.loads((DOCS / "en" / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        assert cell["outputs"] == [], "what it prints is made when the site is built"
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), names)  # noqa: S102 - the notebook is ours
        if isinstance(last, ast.Expr):
            shown = eval(compile(ast.Expression(last.value), name, "eval"), names)  # noqa: S307
            assert getattr(shown, "_repr_html_", shown.__repr__)()


def test_the_site_is_built(tmp_path: Path) -> None:
    """Each language, without a warning; the reference is written by the program."""
    done = subprocess.run(
        [*SPHINX, "-c", DOCS, "-D", "language=zh_CN", DOCS / "zh", tmp_path],
        env=os.environ | {"PYTHONPATH": str(ROOT), "YILU_NOTEBOOKS": "0"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    calls = (tmp_path / "reference" / "calls.html").read_text(encoding="utf-8")
    assert "/v1/stations/nearest" in calls
    # Sphinx #2169: without a dictionary it indexed no Chinese word, and a search found nothing
    index = (tmp_path / "searchindex.js").read_text(encoding="utf-8")
    assert all(
        json.dumps(word) in index or json.dumps(word)[1:-1] in index for word in ("驿站", "检验", "网格")
    )
    splitter = (tmp_path / "_static" / "language_data.js").read_text(encoding="utf-8")
    assert "const pairs" in splitter
    assert "Stemmer = EnglishStemmer" in splitter
    loads = re.compile(r'<(?:script|link|img)[^>]*(?:src|href)="https?://')
    assert not [path for path in tmp_path.rglob("*.html") if loads.search(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_key_of_columns_is_explained(lang: str) -> None:
    page = (DOCS / lang / "reference" / "study-file.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == set(get_args(TraceColumn))
