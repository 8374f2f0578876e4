"""Instants read at once are those that the forms read one by one, to the microsecond."""

import datetime
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AwareDatetime, TypeAdapter

from api.http.offload.epochs import epochs_of

FORM = TypeAdapter(AwareDatetime)
ODD = (
    "2026-02-29T12:00:00Z", "2024-02-29T12:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
    "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-06-31T00:00:00Z", "2026-01-01T24:00:00Z",
    "2026-01-01T23:60:00Z", "2026-01-01T23:59:60Z", "2026-01-01T12:00:00+24:00", "2026-01-01T12:00:00+05:60",
    "2026-01-01t12:00:00z", "2026-01-01 12:00:00+05:30", "2026-01-01T12:00:00", "2026-01-01T12:00Z",
    "2026-01-01T12:00:00.Z", "2026-01-01T12:00:00.1234567Z", "2026-01-01T12:00:00-00:00",
    "2026-01-01T12:00:00+0800", "2026-01-01T12:00:00,5Z", "２026-01-01T12:00:00Z", "1999-12-31T23:59:59Z",
    "2000-01-01T00:00:00Z", "2199-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "", "Z", "now", "2026-01-01",
    "+026-01-01T12:00:00Z", "2026-01-01T12:00:00*08:00", "0000-00-00T00:00:00Z", "2026-1-01T12:00:00.0Z",
)  # fmt: skip
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
    lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes))
)
TIMES = st.datetimes(
    datetime.datetime(2000, 1, 2),  # noqa: DTZ001
    datetime.datetime(2199, 12, 30),  # noqa: DTZ001
    timezones=OFFSETS,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(st.one_of(st.none(), TIMES), max_size=12), st.sampled_from(["auto", "seconds", "milliseconds"])
)
def test_usual_texts(times: list[datetime.datetime | None], digits: str) -> None:
    texts = [None if one is None else one.isoformat(timespec=digits) for one in times]
    texts += [None if one is None else one.astimezone(datetime.UTC).isoformat()[:-6] + "Z" for one in times]
    found = epochs_of(texts)
    assert found is not None
    for text, seconds in zip(texts, found.tolist(), strict=True):
        if text is None:
            assert math.isnan(seconds)
        else:
            assert seconds == FORM.validate_python(text).timestamp()


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("beside", [[], ["2026-01-01T12:00:00Z"], ["2026-01-01T12:00:00+08:00"]])
def test_odd_texts_are_read_as_by_the_forms_or_left_to_them(text: str, beside: list[str]) -> None:
    found = epochs_of([*beside, text, *beside])
    if found is not None:
        assert found[len(beside)] == FORM.validate_python(text).timestamp()


def test_no_texts() -> None:
    assert epochs_of([]) is not None
    found = epochs_of([None])
    assert found is not None
    assert math.isnan(found[0])
