"""What the demo prints, without running its study: in whose language, and how it ends."""

import re
import shlex
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from study_sample import sample_study

from api.cli.commands import yilu
from siting.results import Study

CHINESE = re.compile("[一-鿿]")
LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def _made_before(monkeypatch: pytest.MonkeyPatch, helsinki_pbf: Path) -> None:
    """The study is a sample; its file and its map are those of the demo."""
    assert helsinki_pbf.is_file()

    def made(*_: object, **__: object) -> Study:
        return sample_study()

    monkeypatch.setattr("api.study.run.write_study", made)
    for name in LOCALES:
        monkeypatch.delenv(name, raising=False)


def _printed(*args: str) -> str:
    # as wide as it takes: nothing is folded
    result = CliRunner().invoke(yilu, ["demo", *args], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("locale", "args", "title", "first"),
    [
        ({"LANG": "zh_CN.UTF-8"}, (), "赫尔辛基市中心", "out/demo/map.html"),
        ({"LANG": "zh_TW.UTF-8", "LC_MESSAGES": "zh_CN"}, (), "赫尔辛基市中心", "out/demo/map.html"),
        ({"LANG": "en_GB.UTF-8"}, (), "the centre of Helsinki", "out/demo/map.en.html"),
        ({"LANG": "fi_FI.UTF-8"}, (), "the centre of Helsinki", "out/demo/map.en.html"),
        ({}, (), "the centre of Helsinki", "out/demo/map.en.html"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, (), "the centre of Helsinki", "out/demo/map.en.html"),
        ({"LANG": "zh_CN.UTF-8"}, ("--lang", "en"), "the centre of Helsinki", "out/demo/map.html"),
        ({"LANG": "en_GB.UTF-8"}, ("--lang", "zh"), "赫尔辛基市中心", "out/demo/map.html"),
    ],
)  # fmt: skip
def test_the_demo_speaks_the_language_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, locale: dict[str, str], args: tuple[str, ...], title: str, first: str
) -> None:
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    lines = _printed(*args).splitlines()
    assert title in lines[0]
    chinese = title == "赫尔辛基市中心"
    look = next(at for at, line in enumerate(lines) if line.startswith(("先看：", "Look first at: ")))
    assert lines[look].split("：" if chinese else ": ")[1] == first
    # Names of places are in the language of the map; what is ours is not.
    ours = [line for line in (lines[0], *lines[look:]) if line and not line.startswith("  yilu ")]
    assert all(bool(CHINESE.search(line)) == chinese for line in ours)


def _parsed(line: str) -> tuple[click.Command, dict[str, object]]:
    called, name, *args = shlex.split(line)
    assert called == "yilu"
    words = args[: args.index("<")] if "<" in args else args
    command = yilu.commands[name]
    return command, command.make_context(name, words).params


@pytest.mark.parametrize("locale", ["zh_CN.UTF-8", "C"])
def test_the_demo_ends_with_three_commands(monkeypatch: pytest.MonkeyPatch, locale: str) -> None:
    monkeypatch.setenv("LANG", locale)
    lines = _printed("--out", "my demo").splitlines()
    assert lines[-7] in ("接下来：", "To go on:")
    assert all(line.startswith("  # ") for line in lines[-6::2])
    serve, match, new = (_parsed(line) for line in lines[-5::2])
    assert (serve[0].name, serve[1]["folder"]) == ("serve", Path("my demo"))
    assert (match[0].name, match[1]["study_dir"]) == ("match", Path("my demo"))
    assert match[1]["lang"] == ("zh" if locale.startswith("zh") else "en")
    assert "< 'my demo/data/match-request.json'" in lines[-3]
    assert new[0].name == "new"


def test_the_commands_are_called_as_the_demo_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", [".venv/bin/yilu", "demo"])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "\n  .venv/bin/yilu serve out/demo\n" in _printed()
    on_path = tmp_path / "yilu"
    on_path.write_text("#!/bin/sh\n", encoding="utf-8")
    on_path.chmod(0o755)
    assert "\n  .venv/bin/yilu serve out/demo\n" in _printed(), "another one is on the path"
    monkeypatch.setattr(sys, "argv", [str(on_path), "demo"])
    assert "\n  yilu serve out/demo\n" in _printed()
