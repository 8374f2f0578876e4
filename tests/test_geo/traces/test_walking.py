"""On foot or driving, scored on the real labels of GOAL that had no part in the tables."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from geo.traces.formats import TraceFormat
from geo.traces.inspect import inspect_file

ROOT = Path(__file__).resolve().parents[3]
GOAL = ROOT.parent / "shared" / "data" / "traces" / "goal-trajectories.zip"


@pytest.mark.skipif(not GOAL.is_file(), reason="the shared data sets are not here")
def test_walking_is_found_in_real_trajectories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "benchmarks"))
    matrix = importlib.import_module("stay_quality").goal_matrix()
    # Measured 0.910 and 0.976: the bounds guard against regressions.
    assert np.trace(matrix) / matrix.sum() >= 0.89
    assert matrix[1, 1] / matrix[1].sum() >= 0.95


@pytest.mark.parametrize(("step_s", "share"), [(5, 0.5), (60, None)])
def test_the_inspector_says_how_much_was_walked_where_points_are_dense(
    tmp_path: Path, step_s: int, share: float | None
) -> None:
    rows = [
        f"{who},{1_772_400_000 + step_s * k},{116.3 + mps * step_s * k / 85_000:.7f},39.98"
        for who, mps in (("walks", 1.2), ("rides", 6.0))
        for k in range(200)
    ]
    path = tmp_path / "a.csv"
    path.write_text("rider_id,time,lon,lat\n" + "\n".join(rows) + "\n", encoding="utf-8")
    found = inspect_file(path, TraceFormat(datum="wgs84"))
    assert found.accepted == 400
    assert found.walked_share == (None if share is None else pytest.approx(share, abs=0.01))
