"""Telephone numbers and ids are shown by shape; hours, prices and positions stay readable."""

import pytest

from geo.privacy import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("8:00-18:00 13812345678", "8:00-18:00 1381****678"),
        ("tel 010-62781234", "tel 010-6278****234"),
        ("08:00-20:00", "08:00-20:00"),
        ("116.3312", "116.3312"),
        ("/v1/riders/R417-00012", "/v1/riders/R417-00012"),
        ("/v1/riders/4170001234", "/v1/riders/4170****234"),
    ],
)
def test_long_numbers_are_shown_by_shape(text: str, shown: str) -> None:
    assert masked(text) == shown
