"""Spans of time as pages say them."""

import datetime
from typing import get_args

import pytest

from api.forms import Language
from api.http.pages.frame.page_texts import page_texts
from api.http.pages.frame.wording import Saying
from api.matching.forms import RuleName

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
