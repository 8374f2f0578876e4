"""Forecasts of made demand: errors on the two weeks held out, beside the last week and the mean of weeks.

    python tests/benchmarks/forecasts.py [--series 100] [--seed 5]

Each series has a level, a weekday profile, a growth and a weekly random walk of its own, and days that
scatter twice as much as Poisson; the forecast is told nothing of it.
"""

import argparse
import json
import sys
import time
from collections import Counter

import numpy as np

from siting.seasons.forecast import forecast_series


def made_series(rng: np.random.Generator, least: float, most: float) -> np.ndarray:
    """Return amounts a day (weeks, 7), `least` to `most` of them a day at the beginning."""
    weeks = int(rng.integers(8, 21))
    profile = np.exp(rng.normal(0.0, 0.2, 7))
    walk = np.cumsum(rng.normal(rng.uniform(-0.02, 0.02), 0.05, weeks))
    mean = float(np.exp(rng.uniform(np.log(least), np.log(most)))) * profile * np.exp(walk)[:, None]
    # Negative binomial with twice the variance of Poisson.
    return rng.negative_binomial(mean, 0.5).astype(np.float64)


def main(arguments: list[str]) -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--least", type=float, default=60.0, help="a day")
    parser.add_argument("--most", type=float, default=3000.0, help="a day")
    asked = parser.parse_args(arguments)
    rng = np.random.default_rng(asked.seed)
    start = time.process_time()
    found = [forecast_series(made_series(rng, asked.least, asked.most)) for _ in range(asked.series)]
    spent = time.process_time() - start
    errors = {
        name: [getattr(one, name) for one in found] for name in ("error", "error_last_week", "error_mean")
    }
    print(
        json.dumps(
            {
                "series": asked.series,
                "median": {name: round(float(np.median(some)), 4) for name, some in errors.items()},
                "mean": {name: round(float(np.mean(some)), 4) for name, some in errors.items()},
                "methods": Counter(one.method for one in found),
                "cpu_ms_a_series": round(1000.0 * spent / asked.series, 1),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
