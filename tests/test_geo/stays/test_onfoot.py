"""On foot or driving, scored on the real labels of GOAL that had no part in the tables."""

import importlib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
GOAL = ROOT.parent / "shared" / "data" / "traces" / "goal-trajectories.zip"


@pytest.mark.skipif(not GOAL.is_file(), reason="the shared data sets are not here")
def test_walking_is_found_in_real_trajectories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "benchmarks"))
    matrix = importlib.import_module("stay_quality").goal_matrix()
    # Measured 0.910 and 0.976: the bounds guard against regressions.
    assert np.trace(matrix) / matrix.sum() >= 0.89
    assert matrix[1, 1] / matrix[1].sum() >= 0.95
