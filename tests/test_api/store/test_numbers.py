"""Numbers of events as readers see them: nothing to count by, and each leads back to where it was."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.store import Database
from api.store.numbers import Numbers, load
from geo.errors import InputError

SEQS = st.integers(0, 2**63 - 1)
MADE = Numbers(b"k" * 32)


@settings(derandomize=True, deadline=None)
@given(SEQS, SEQS)
def test_each_word_leads_back_and_only_for_its_tenant(one: int, other: int) -> None:
    word = MADE.word("red", one)
    assert MADE.seq("red", word) == one
    assert (MADE.word("red", other) == word) == (one == other)
    with pytest.raises(InputError):
        MADE.seq("blue", word)


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=40))
def test_what_was_not_given_is_refused(word: str) -> None:
    with pytest.raises(InputError):
        MADE.seq("red", word)


def test_neighbours_have_nothing_in_common() -> None:
    words = [MADE.word("red", seq) for seq in range(1_000)]
    assert len({word[:4] for word in words}) > 990
    assert sorted(words) != words


def test_the_key_stays_with_the_database(database: Database) -> None:
    with database.transaction() as connection:
        first = load(connection)
    with database.transaction() as connection:
        assert load(connection).word("red", 7) == first.word("red", 7)
    assert first.word("red", 7) != MADE.word("red", 7)
