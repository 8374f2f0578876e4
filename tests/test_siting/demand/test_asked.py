"""What figures count: parts of cells in thousandths, on some days, and what follows from the plan alone."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siting.demand.asked import Asked, thousandths
from siting.demand.weighted import Demand, DemandLayer

TWO_FULL_POINTS = [(point, rider, 0, 12) for point in (0, 1) for rider in range(20)] + [
    (2, rider, 0, 12) for rider in range(3)
]


def layer(rows: list[tuple[int, int, int, int]]) -> DemandLayer:
    """Rows of (point, rider, day, hour), ten minutes each."""
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return DemandLayer(columns[0], columns[1], columns[2], columns[3], np.full(len(rows), 10.0))


def asked_for(rows: list[tuple[int, int, int, int]], points: int = 2) -> Asked:
    asked = Asked(10)
    asked.of_demand(
        Demand(np.zeros((points, 2)), ("2026-03-02", "2026-03-03"), layer(rows), layer([]), layer([]))
    )
    return asked


def cells(*shares: float) -> npt.NDArray[np.float64]:
    """Shares of the points in hour 12."""
    out = np.zeros((len(shares), 24))
    out[:, 12] = shares
    return out


@given(st.floats(0, 1))
def test_what_is_not_quite_nothing_or_all_stays_so(share: float) -> None:
    (times,) = thousandths(np.array([share])).tolist()
    assert abs(times - 1000 * share) <= 1
    assert (times == 0) == (share <= 1e-6)
    assert (times == 1000) == (share >= 1 - 1e-6)


def test_parts_of_cells_cancel_and_leave_the_few_whom_nobody_serves() -> None:
    """Two stations share a point; who is left of the total are three riders at another."""
    asked = asked_for(TWO_FULL_POINTS, 3)
    first, both = thousandths(cells(0.6123456, 1, 0)), thousandths(cells(1, 1, 0))
    asked.minutes("total", "rest", None, "total")
    asked.minutes("S01", "rest", first, "station")
    assert asked.shown() == {"total", "S01"}
    asked.minutes("S02", "rest", both - first, "station")
    assert len(asked.shown()) == 2
    assert "total" in asked.shown()


def test_a_share_of_a_cell_leaves_its_riders() -> None:
    asked = asked_for(TWO_FULL_POINTS, 3)
    asked.share("most", "rest", thousandths(cells(0.9, 1, 0)), None, "plan")
    asked.share("all but three", "rest", thousandths(cells(1, 1, 0)), None, "other")
    assert asked.shown() == {"most"}


@pytest.mark.parametrize("hour", [11, 12])
def test_some_days_only(hour: int) -> None:
    rows = [(0, rider, 0, hour) for rider in range(10)] + [(0, 10, 1, hour), (0, 11, 1, hour)]
    asked = asked_for(rows)
    first = asked.on(np.array([True, False]))
    first.minutes("first", "rest", None, "total")
    first.by_hour("hours", "rest", np.array([True, False]), "cell")
    asked.on(np.array([False, True])).minutes("second", "rest", None, "total")
    first.riders("riders", "rest", None, None)
    assert asked.shown() == {"first", f"hours/{hour}", "riders"}
    asked.riders("riders of both", "rest", None, None)
    assert asked.shown() >= {"riders of both"}


def test_what_follows_from_the_plan_is_always_shown() -> None:
    asked = asked_for([(0, 0, 0, 12)])
    asked.plain("sites/E01/rest_min_a_day")
    asked.minutes("sites/E02/rest_min_a_day", "rest", None, "station")
    assert asked.shown() == {"sites/E01/rest_min_a_day"}
