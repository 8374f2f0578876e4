"""Certified time: what it pardons against a clock that counts seconds."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from routing.civic.benefit import BENEFIT_CLAIM, BenefitTime, benefit_of, lateness_left_s

TIME = BenefitTime("s1", "city", "red", "7", "t1", 1_000, 1_300, 1_400)


def test_claims_come_back_as_they_were() -> None:
    claims = TIME.claims()
    assert BenefitTime.of_claims(claims) == TIME
    assert (claims["sub"], claims["aud"], claims[BENEFIT_CLAIM]["until"]) == ("7", "red", 1_300)
    assert TIME.seconds == 300


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({BENEFIT_CLAIM: None}, "certifies something else"),
        ({"sub": 7}, "Claim sub"),
        ({"iat": "now"}, "Claim iat"),
        ({"iat": True}, "Claim iat"),
        ({BENEFIT_CLAIM: {"task": "t1", "from": 1_000, "until": 200_000}}, "length"),
        ({BENEFIT_CLAIM: {"task": "t1", "from": 1_000, "until": 2_000}}, "after it is over"),
    ],
)
def test_claims_that_are_not_right_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        BenefitTime.of_claims(TIME.claims() | changes)


@settings(derandomize=True, deadline=None)
@given(finished_s=st.floats(1e9, 2e9), extra_s=st.floats(0, 80_000), later_s=st.floats(0, 1e6))
def test_seconds_are_rounded_for_the_rider(finished_s: float, extra_s: float, later_s: float) -> None:
    time = benefit_of("t", "red", "7", finished_s, extra_s, finished_s + later_s, "city")
    assert extra_s - 1e-6 <= time.seconds < extra_s + 2
    assert time.until_s - 1 < finished_s <= time.until_s


spans = st.tuples(st.integers(0, 60), st.integers(0, 30))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    times=st.lists(spans, max_size=4),
    accepted_s=st.integers(0, 60),
    due_in_s=st.integers(0, 60),
    took_s=st.integers(0, 60),
)
def test_lateness_left_counts_every_other_second(
    times: list[tuple[int, int]], accepted_s: int, due_in_s: int, took_s: int
) -> None:
    due_s, delivered_s = accepted_s + due_in_s, accepted_s + took_s
    certified = [dataclasses.replace(TIME, from_s=start, until_s=start + length) for start, length in times]
    pardoned = sum(
        any(start <= second < start + length for start, length in times)
        for second in range(accepted_s, delivered_s)
    )
    expected = max(delivered_s - due_s - pardoned, 0)
    assert lateness_left_s(certified, accepted_s, due_s, delivered_s) == expected
