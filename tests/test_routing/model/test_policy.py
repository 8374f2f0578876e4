"""Rules that a policy may not loosen."""

import pytest

from geo.errors import InputError
from routing.model.policy import Policy


@pytest.mark.parametrize("promise_mps", [4.2, 15.0, 0.4, float("nan")])
def test_an_ebike_promise_above_15_km_an_hour_is_refused(promise_mps: float) -> None:
    with pytest.raises(InputError, match=r"ebike_promise_mps is .*; allowed is 0.5 to 4.1666"):
        Policy(ebike_promise_mps=promise_mps)


def test_the_promise_of_the_standard_and_slower_ones_are_allowed() -> None:
    assert Policy().ebike_promise_mps == Policy(ebike_promise_mps=15 / 3.6).ebike_promise_mps
    assert Policy(ebike_promise_mps=3.0).ebike_promise_mps == 3.0
