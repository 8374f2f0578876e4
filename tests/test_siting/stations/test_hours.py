"""Opening hours: forms that planners write, and the shortest pattern that serves the demand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError
from siting.stations.hours import open_by_hour, parse_hours, shortest_pattern, span_text


@pytest.mark.parametrize(
    ("text", "open_minutes_a_week"),
    [
        ("24/7", 7 * 1440),
        ("8:00-18:00", 7 * 600),
        ("Mo-Su 07:00-23:00", 7 * 960),
        ("Mo-Fr 08:00-12:00,14:00-18:00; Sa 09:00-12:00", 5 * 480 + 180),
        ("22:00-02:00", 7 * 240),
        ("Mo-Fr 08:00-18:00; We off", 4 * 600),
        ("Sa-Mo 10:00-11:00", 3 * 60),
        ("Mo-Su 00:00-24:00", 7 * 1440),
        ("8:00—18:00", 7 * 600),
        ("Mo-Su 08:00-18:00; PH off", 7 * 600),
    ],
)
def test_known_forms(text: str, open_minutes_a_week: int) -> None:
    assert parse_hours(text).minutes().sum() == open_minutes_a_week


@pytest.mark.parametrize(
    "text", ["", "always", "Xx 08:00-18:00", "25:00-26:00", "Mo-Xx 08:00-09:00", "8-9-10"]
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="opening hours"):
        parse_hours(text)


def test_past_midnight_opens_the_next_morning() -> None:
    share = open_by_hour(parse_hours("22:00-02:00"))
    assert np.nonzero(share)[0].tolist() == [0, 1, 22, 23]


@given(st.lists(st.integers(0, 50), min_size=24, max_size=24))
def test_the_shortest_sufficient_pattern_is_chosen(minutes: list[int]) -> None:
    demand = np.array(minutes, dtype=np.float64)
    patterns = ((8, 18), (8, 22), (6, 24), (0, 24), (22, 30))
    start, end = shortest_pattern(demand, patterns)
    served = demand[np.arange(start, end) % 24].sum()
    assert served >= 0.95 * demand.sum()
    for a, b in patterns:
        if b - a < end - start:
            assert demand[np.arange(a, b) % 24].sum() < 0.95 * demand.sum()


def test_spans_are_written_as_osm_does() -> None:
    assert span_text(7, 23) == "Mo-Su 07:00-23:00"
    assert span_text(0, 24) == "24/7"
