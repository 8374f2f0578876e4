"""What a command says when it stops ends with the part of the documentation that explains it."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import api
import geo
import routing
import siting
from api.cli.commands import yilu
from api.cli.error_pages import ANCHORS, explained_at
from geo.errors import InputError, YiluError, all_at_once
from geo.sentences import Sentence, texts

ROOT = Path(__file__).resolve().parents[3]
PARTS = {
    "then", "more", "at_row", "at_feature", "names_and_more", "in_file", "wrong", "row", "feature", "column",
}  # fmt: skip
"""Sentences that say where, or join others."""


def _there(where: str) -> bool:
    path, _, anchor = where.partition("#")
    return f'<a id="{anchor}"></a>' in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_anchor_is_on_its_page_and_every_part_of_the_page_is_led_to(lang: str) -> None:
    page = (ROOT / "docs" / lang / "reference" / "errors.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r'<a id="([^"]+)"></a>', page)) == sorted(ANCHORS)


def test_every_sentence_about_input_is_explained() -> None:
    """Each by its own part: a new sentence does not fall to "everything else"."""
    for key in texts("en"):
        error = InputError("without its facts")
        error.said = Sentence(key)
        where = explained_at(error, "zh")
        assert _there(where), key
        assert where.endswith("#other") == (key in PARTS), key


def _kinds(kind: type[YiluError]) -> set[type[YiluError]]:
    return {kind}.union(*(_kinds(below) for below in kind.__subclasses__()))


def test_every_kind_of_error_is_explained() -> None:
    for package in (geo, siting, routing, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "error" in module.name or module.name.endswith(("decide", "entries", "session", "scope")):
                importlib.import_module(module.name)
    kinds = _kinds(YiluError)
    assert len(kinds) > 10
    for kind in kinds:
        for command in ("", *yilu.commands):
            error = kind.__new__(kind)
            error.said = "something"
            assert _there(explained_at(error, "en", command)), (kind, command)


def test_a_sentence_is_found_below_those_that_say_where_it_belongs() -> None:
    swapped = Sentence.of("column", column="lon", what=Sentence.of("hours", value="x"))
    one = all_at_once("s.csv", [Sentence.of("row", number=3, what=swapped)])
    two = all_at_once("s.csv", [Sentence.of("row", number=n, what=swapped) for n in (3, 4)])
    for error in (one, two):
        assert explained_at(error, "en") == "docs/en/reference/errors.md#opening-hours"


@pytest.mark.parametrize(
    ("arguments", "locale", "wanted"),
    [
        (["study", "none.toml", "--out", "o"], "C", "explained in docs/en/reference/errors.md#study-file"),
        (["study", "no.toml", "--out", "o", "--lang", "zh"], "C",
         "说明见 docs/zh/reference/errors.md#study-file"),
        (["map"], "zh_CN.UTF-8", "说明见 docs/zh/reference/errors.md#other"),
        (["match", "--study", "none"], "C", "explained in docs/en/reference/errors.md#requests"),
    ],
)  # fmt: skip
def test_a_command_that_stops_names_the_page(
    arguments: list[str], locale: str, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(yilu, arguments, env={"LC_ALL": locale}, input="{}")
    assert done.exit_code == 2, done.output
    said, pointed = done.stderr.splitlines()
    assert said.startswith("yilu: ")
    assert pointed.strip() == wanted
    assert _there(pointed.split()[-1])
