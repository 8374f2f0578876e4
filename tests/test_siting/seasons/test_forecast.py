"""Forecasts find weekdays and trends that were put in; errors of plain ways are what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.seasons.forecast import WEEKS_AHEAD, forecast_series
from siting.seasons.scenarios import scenarios_of

WEEKDAYS = np.array([1.0, 1.0, 1.1, 1.0, 1.3, 1.6, 1.5])


def _made(weeks: int, growth: float, level: float = 400.0, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return weeks as observed, and the expected amounts of these and the next four."""
    mean = level * WEEKDAYS * growth ** np.arange(weeks + WEEKS_AHEAD)[:, None]
    return np.random.default_rng(seed).poisson(mean[:weeks]).astype(float), mean


def test_weekdays_are_found() -> None:
    seen, mean = _made(8, 1.0)
    found = forecast_series(seen)
    assert found.days == pytest.approx(mean[8:], rel=0.08)
    assert found.error < 0.06


def test_a_trend_is_followed_where_plain_ways_lag_behind() -> None:
    seen, mean = _made(12, 1.06)
    found = forecast_series(seen)
    assert found.method == "regression_trend"
    assert found.error < found.error_last_week < found.error_mean
    assert found.days == pytest.approx(mean[12:], rel=0.15)


@settings(derandomize=True, deadline=None, max_examples=15)
@given(st.integers(6, 14), st.floats(0.0, 2000.0), st.integers(0, 1000))
def test_nothing_runs_away(weeks: int, level: float, seed: int) -> None:
    seen = np.random.default_rng(seed).poisson(level, (weeks, 7)).astype(float)
    found = forecast_series(seen)
    assert found.days.shape == (WEEKS_AHEAD, 7)
    assert ((found.days >= 0.0) & (found.days <= 2.0 * seen.max())).all()
    assert forecast_series(seen).days.tolist() == found.days.tolist()


def test_errors_of_plain_ways_are_what_they_say() -> None:
    seen, _ = _made(7, 1.1)
    found = forecast_series(seen)
    held = seen[-2:]
    assert found.error_last_week == pytest.approx(np.abs(seen[4] - held).sum() / held.sum())
    assert found.error_mean == pytest.approx(np.abs(seen[:5].mean(axis=0) - held).sum() / held.sum())


def test_days_belong_to_seasons_and_parts_of_the_week() -> None:
    days = tuple(str(day) for day in np.arange("2026-05-01", "2026-06-21", dtype="datetime64[D]"))
    seen = np.ones(len(days), bool)
    found = scenarios_of(days, seen)
    assert {name: int(mask.sum()) for name, mask in found.items()} == {
        "spring": 31, "summer": 20, "working_days": 36, "weekend": 15
    }  # fmt: skip
    # Thirteen days of summer are too few; of one season there is nothing to compare.
    assert set(scenarios_of(days[:44], seen[:44])) == {"working_days", "weekend"}
    assert scenarios_of(days[3:8], seen[3:8]) == {}
