"""What is refused in the data of matching is told so that a person can read it."""

import pytest

from geo.errors import InputError
from routing.model.riders import Rider, Stop
from routing.model.tasks import Visit

NOON = 1_772_596_800.0


def test_no_sentence_holds_epoch_seconds() -> None:
    told = r"ends at 2026-03-04T03:50:00\+00:00 before it begins at 2026-03-04T04:00:00\+00:00"
    with pytest.raises(InputError, match=f"Window of stop s {told}"):
        Stop("s", (116.3, 39.9), 0.0, NOON, NOON - 600)
    with pytest.raises(InputError, match=f"Window of a visit {told}"):
        Visit((116.3, 39.9), 0.0, NOON, NOON - 600)
    with pytest.raises(InputError, match=f"Shift of rider r {told}"):
        Rider("r", (116.3, 39.9), shift_start_s=NOON, shift_end_s=NOON - 600)
    with pytest.raises(InputError, match="Window of a visit ends at 0001"):
        Visit((116.3, 39.9), 0.0, NOON, -62_135_596_800.0)
    with pytest.raises(InputError, match="Window of a visit ends at -inf s"):
        Visit((116.3, 39.9), 0.0, NOON, float("-inf"))
