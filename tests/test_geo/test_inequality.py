"""The Gini coefficient, by its known values."""

import numpy as np
import pytest

from geo.inequality import gini


def test_gini_of_equal_and_of_all_in_one_hand() -> None:
    assert gini(np.ones(10)) == pytest.approx(0.0)
    assert gini(np.r_[np.zeros(9), 5.0]) == pytest.approx(0.9)
    assert gini(np.zeros(3)) is None
