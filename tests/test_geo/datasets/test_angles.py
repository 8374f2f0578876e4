"""Degrees as offices write them."""

import pytest

from geo.datasets import angle_of


@pytest.mark.parametrize(
    ("text", "degrees"),
    [("116,5", 116.5), ("116°30'", 116.5), ("W 0°30′36″", -0.51), ("南纬12度30分", -12.5), ("-12.5", -12.5)],
)
def test_degrees_minutes_seconds_and_sides(text: str, degrees: float) -> None:
    assert angle_of(text) == pytest.approx(degrees, abs=1e-12)


@pytest.mark.parametrize(
    "text", ["116°70'", "116.5°30'", "E116W", "-116E", "1,234,567", "116°19'12\"x", "400 km"]
)
def test_what_is_no_angle_is_none(text: str) -> None:
    assert angle_of(text) is None
