"""Spans of time as pages say them."""

import datetime

import pytest

from api.http.pages.frame.wording import Saying

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
