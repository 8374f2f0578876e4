"""Spans of time as pages say them."""

import dataclasses
import datetime
from typing import get_args

import pytest
from study_sample import sample_study

from api.forms import Language
from api.http.pages.frame.page_texts import page_texts
from api.http.pages.frame.wording import Saying
from api.matching.forms import RuleName
from maps.texts import Wording
from siting.comparison import compare_studies

NOW = datetime.datetime(2026, 3, 4, 12, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0秒"), (59, "59秒"), (60, "1分钟"), (7_199, "120分钟"), (7_200, "2小时"), (7_229, "2小时"),
        (10_799, "3小时"), (86_400, "24小时"), (9_000, "2小时30分钟"), (float("inf"), "—"), (None, "—"),
    ],
)  # fmt: skip
def test_nobody_says_two_hours_and_sixty_minutes(seconds: float | None, said: str) -> None:
    assert Saying("zh", datetime.UTC, NOW).minutes(seconds) == said


@pytest.mark.parametrize("lang", get_args(Language))
def test_every_reason_why_nobody_comes_stands_for_itself(lang: Language) -> None:
    """A page has the rule alone: a sentence that wants numbers beside it would end in a refusal."""
    texts = page_texts(lang)
    for rule in (*get_args(RuleName), "asked"):
        assert texts.text("tasks.unmatched", why=texts.text(f"unmatched.{rule}"))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_figure_of_a_comparison_has_a_name_on_the_page(lang: Language) -> None:
    """The page had a catalogue of its own: a figure that was added to comparisons made it fail."""
    study = sample_study()
    free = tuple(dataclasses.replace(site, cost_yuan=None) for site in study.sites)
    saying = Saying(lang, datetime.UTC, NOW)
    for other in (study, dataclasses.replace(study, sites=free)):
        compared = compare_studies(study, other)
        names = [saying.figure(one.key, one.unit) for one in compared.figures]
        assert len(set(names)) == len(names)
        words = Wording.of(lang, 10)
        said = {words.term(f"compare_figure.{one.key}") for one in compared.figures}
        assert all(any(name.startswith(word) for word in said) for name in names)
    assert "元" in saying.figure("cost", "yuan") or lang == "en"
    changes, verdicts = (
        ("only_first", "only_second", "moved", "changed", "same"),
        ("gains", "loses", "same", "withheld"),
    )
    assert all(saying.word("compare_change", name) for name in changes)
    assert all(saying.word("compare_verdict", name) for name in verdicts)
    assert all(saying.word("plan_fate", site.plan) for site in study.sites)
