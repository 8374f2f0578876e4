"""Pseudonyms cannot be linked without the key; figures of few riders are withheld."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError
from geo.privacy import Pseudonymiser, pseudonyms, suppress

KEY = bytes(range(32))


@given(ids=st.lists(st.text(), unique=True, max_size=30), period=st.text(max_size=20))
def test_codes_are_stable_distinct_and_say_nothing(ids: list[str], period: str) -> None:
    codes = pseudonyms(ids, KEY, period)
    assert codes == pseudonyms(ids, KEY, period)
    assert len(set(codes)) == len(ids)
    assert all(len(code) == 25 and set(code[1:]) <= set("0123456789abcdef") for code in codes)


def test_key_and_period_change_every_code() -> None:
    ids = ["13800001111", "骑手7"]
    ours = pseudonyms(ids, KEY, "2026-03-02")
    assert not set(ours) & set(pseudonyms(ids, KEY, "2026-03-03"))
    assert not set(ours) & set(pseudonyms(ids, bytes(16), "2026-03-02"))
    assert pseudonyms(["c"], KEY, "ab") != pseudonyms(["bc"], KEY, "a")


def test_keys_of_any_length_from_16_bytes_are_used_wholly() -> None:
    assert pseudonyms(["a"], KEY * 5, "p") != pseudonyms(["a"], KEY * 4, "p")
    with pytest.raises(InputError, match="at least 16"):
        pseudonyms(["a"], b"short", "p")


def test_the_key_is_not_shown() -> None:
    assert repr(KEY) not in repr(Pseudonymiser(KEY))


@given(cells=st.lists(st.tuples(st.floats(-1e9, 1e9), st.integers(0, 40)), max_size=40), k=st.integers(1, 20))
def test_suppression_shows_only_what_k_riders_stand_behind(cells: list[tuple[float, int]], k: int) -> None:
    shown = suppress([v for v, _ in cells], [n for _, n in cells], k)
    assert shown == [v if n >= k else None for v, n in cells]


def test_suppression_refuses_nonsense() -> None:
    with pytest.raises(InputError, match="at least 1"):
        suppress([1.0], [1], 0)
    with pytest.raises(InputError, match="one length"):
        suppress([1.0], [1, 2])
    assert suppress([float("nan")], [50]) == [None]
