"""Sentences about input: the same ones, with the same facts, in each language."""

import ast
import string
from pathlib import Path

from geo.sentences import Sentence, texts

ROOT = Path(__file__).parents[2]


def facts(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_sentences_with_the_same_facts() -> None:
    english, chinese = texts("en"), texts("zh")
    assert set(english) == set(chinese)
    differing = [key for key in english if facts(english[key]) != facts(chinese[key])]
    assert differing == []


def test_every_sentence_that_is_said_is_there() -> None:
    missing = [
        f"{file.relative_to(ROOT)}:{call.lineno} {call.args[0].value!r}"
        for package in ("geo", "siting", "api")
        for file in (ROOT / package).rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "Sentence.of"
        and isinstance(call.args[0], ast.Constant)
        and call.args[0].value not in texts("en")
    ]
    assert missing == []


def test_what_has_no_solution_is_said_in_both_languages() -> None:
    """Planners meet these: a floor that cannot be kept, a budget below what stands, nobody in reach."""
    english_only = [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for file in (ROOT / "siting").rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "InfeasibleError"
        and "Sentence.of" not in ast.unparse(call.args[0])
    ]
    assert english_only == []


def test_sentences_within_sentences_are_said_in_one_language() -> None:
    what = Sentence.of("relax", what=Sentence.of("relax_budget"), by="120")
    assert Sentence.of("infeasible", what=what).text("zh") == (
        "没有方案能同时满足所有条件；须将预算（元）放宽120。"
    )
