"""Demand of the next weeks: Poisson regression by weekday, in which old weeks count less.

The regression (`sklearn.linear_model.PoissonRegressor`) knows the weekday and, where that helps, a trend; a
week counts half as much as one so many weeks later. Whether there is a trend, how fast weeks fade, and if
simply the last week or the mean of all is better, is settled on the later weeks of those that are learned
from. The last weeks are held out from all of that, and tell the error. Then all weeks are learned from.
"""

from typing import Final, NamedTuple

import numpy as np
from sklearn.linear_model import PoissonRegressor
from threadpoolctl import threadpool_limits

from geo.arrays import FloatArray, Int64Array

__all__ = ["HELD_OUT_WEEKS", "WEEKS_AHEAD", "WEEKS_NEEDED", "SeriesForecast", "forecast_series"]

HELD_OUT_WEEKS: Final = 2
WEEKS_NEEDED: Final = 6
WEEKS_AHEAD: Final = 4
TRIALS: Final = 3
"""Later weeks on which the way of forecasting is settled, each from those before it."""
FADES: Final = (2.0, 6.0, np.inf)
"""Weeks after which a week counts half."""
SHRINKS: Final = 1e-3
_THOUSAND: Final = 1000


class _Way(NamedTuple):
    """One way of forecasting: its name, whether there is a trend, after how many weeks a week counts half."""

    name: str
    trend: bool = False
    fade: float = np.inf


WAYS: Final = (
    _Way("mean_of_weeks"),
    _Way("last_week"),
    *(_Way("regression", False, fade) for fade in FADES),
    *(_Way("regression_trend", True, fade) for fade in FADES[1:]),
)


class SeriesForecast(NamedTuple):
    """Forecast of one series; errors are sums of absolute errors over the sum, NaN where that is 0.

    ``days`` is (WEEKS_AHEAD, 7). ``counted`` is (w,) how often each week counts in what a weekday is expected
    to be, as whole numbers; ``trend`` says whether the weeks are also weighed by their number.
    """

    method: str
    error: float
    error_last_week: float
    error_mean: float
    days: FloatArray
    counted: Int64Array
    trend: bool


def forecast_series(weeks: FloatArray) -> SeriesForecast:
    """Forecast the next weeks of one series.

    Parameters
    ----------
    weeks : (w, 7)
        Amounts a day, 0 or more, of `WEEKS_NEEDED` whole weeks or more, all beginning on one weekday.
    """
    # One thread: sums in another order would move the figures by a hair from run to run.
    with threadpool_limits(limits=1):
        past, held = weeks[:-HELD_OUT_WEEKS], weeks[-HELD_OUT_WEEKS:]
        way = _settled(past)
        by_way, by_last, by_mean = (
            _error(_ahead(one, past, HELD_OUT_WEEKS), held)
            for one in (way, _Way("last_week"), _Way("mean_of_weeks"))
        )
        ahead = _ahead(way, weeks, WEEKS_AHEAD)
        return SeriesForecast(way.name, by_way, by_last, by_mean, ahead, _counted(way, len(weeks)), way.trend)


def _counted(way: _Way, weeks: int) -> Int64Array:
    """Return how often each week counts in the forecast, in thousandths of the last one."""
    age = np.arange(weeks)[::-1]
    if way.name == "last_week":
        return np.where(age == 0, _THOUSAND, 0)
    # A week that hardly counts is told of all the same.
    return np.maximum(np.rint(_THOUSAND * 0.5 ** (age / way.fade)).astype(np.int64), 1)


def _settled(past: FloatArray) -> _Way:
    trials = range(max(1, len(past) - TRIALS), len(past))
    errors = [
        sum(float(np.abs(_ahead(way, past[:first], 1) - past[first : first + 1]).sum()) for first in trials)
        for way in WAYS
    ]
    # The first of equals is the plainest.
    return WAYS[int(np.argmin(errors))]


def _error(expected: FloatArray, true: FloatArray) -> float:
    total = float(true.sum())
    return float(np.abs(expected - true).sum()) / total if total > 0 else float("nan")


def _ahead(way: _Way, past: FloatArray, count: int) -> FloatArray:
    """Return (count, 7) of the weeks that follow."""
    if way.name == "mean_of_weeks":
        return np.tile(past.mean(axis=0), (count, 1))
    if way.name == "last_week" or not past.sum() > 0:
        return np.tile(past[-1], (count, 1))
    known = len(past)
    scale = float(past.mean())
    # In units of the mean day, so that the penalty means the same for a grid and for a city.
    weight = np.repeat(0.5 ** ((known - 1 - np.arange(known)) / way.fade), 7)
    model = PoissonRegressor(alpha=SHRINKS, max_iter=300)
    model.fit(_features(way, np.arange(known), known), past.ravel() / scale, sample_weight=weight)
    expected = scale * model.predict(_features(way, known + np.arange(count), known)).reshape(count, 7)
    # A trend of few weeks is not to run away.
    return np.asarray(np.clip(expected, 0.0, 2.0 * past.max()))


def _features(way: _Way, week: np.typing.NDArray[np.int64], known: int) -> FloatArray:
    weekday = np.tile(np.eye(7), (len(week), 1))
    if not way.trend:
        return weekday
    return np.column_stack([weekday, np.repeat((week - known) / known, 7)])
