"""What words about a station add up to, against a slow reading of the rule; visits of k riders and more."""

import datetime
import zoneinfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from routing.civic import (
    StationRules,
    StationWord,
    WeekOfVisits,
    conditions,
    head_counts,
    joined_weeks,
    told_week,
    week_span_s,
    whole_weeks,
)

RULES = StationRules()
ZONE = zoneinfo.ZoneInfo("Asia/Shanghai")
NOW = datetime.datetime(2026, 3, 4, 12, tzinfo=ZONE).timestamp()


def word(by: str, says: str, ago_min: float, station: str = "E01") -> StationWord:
    return StationWord(station, by, by.startswith("office"), says, NOW - 60 * ago_min)


def names(*words: StationWord, now_s: float = NOW) -> list[str]:
    found = conditions(words, now_s, RULES).get("E01", ())
    return [one.condition for one in found]


def test_one_rider_alone_shuts_nothing_and_two_do() -> None:
    assert names(word("a", "shut", 5)) == []
    assert names(word("a", "shut", 5), word("a", "shut", 1)) == []
    assert names(word("a", "shut", 5), word("b", "shut", 1)) == ["shut"]
    assert names(word("a", "shut", 5), word("b", "dirty", 1)) == []


def test_an_office_is_enough_and_has_the_last_word() -> None:
    assert names(word("office", "shut", 5)) == ["shut"]
    assert names(word("a", "full", 9), word("b", "full", 8), word("office", "fine", 5)) == []
    assert names(word("office", "fine", 9), word("a", "full", 8), word("b", "full", 5)) == ["full"]


def test_who_finds_it_fine_takes_their_word_back_and_speaks_against_others() -> None:
    said = [word("a", "full", 9), word("b", "full", 8)]
    assert names(*said, word("b", "fine", 1)) == []
    assert names(*said, word("c", "fine", 1)) == ["full"]
    assert names(*said, word("c", "fine", 1), word("d", "fine", 1)) == []
    assert names(word("office", "shut", 9), word("c", "fine", 1)) == ["shut"]
    assert names(word("office", "shut", 9), word("c", "fine", 1), word("d", "fine", 1)) == []


def test_words_end() -> None:
    said = [word("a", "full", 20), word("b", "full", 10)]
    (found,) = conditions(said, NOW, RULES)["E01"]
    assert (found.from_s, found.until_s, found.by_office) == (NOW - 600, NOW - 1_200 + 1_800, False)
    assert names(*said, now_s=NOW + 9 * 60) == ["full"]
    assert names(*said, now_s=NOW + 11 * 60) == []
    # Nothing is known before it was said.
    assert names(*said, now_s=NOW - 15 * 60) == []


def slow(words: list[StationWord], condition: str, now_s: float) -> bool:
    """The rule read aloud, person by person."""
    told = sorted((w for w in words if w.made_s <= now_s), key=lambda w: (w.made_s, w.says, w.by))
    office = [w for w in told if w.office]
    if office:
        told = [w for w in told if not w.office and w.made_s > office[-1].made_s]
    last_of = {}
    for one in told:
        last_of[one.by] = one
    yes = no = 0
    for one in last_of.values():
        if now_s - one.made_s < RULES.lasts_s[condition]:
            yes += one.says == condition
            no += one.says == "fine"
    if yes >= RULES.people and yes > no:
        return True
    stands = bool(office) and office[-1].says == condition
    return stands and now_s - office[-1].made_s < RULES.lasts_s[condition] and no < RULES.people


WORDS = st.lists(
    st.builds(
        word,
        st.sampled_from(["a", "b", "c", "d", "office-1", "office-2"]),
        st.sampled_from(["shut", "dirty", "full", "fine"]),
        st.integers(-10, 900),
    ),
    max_size=12,
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(WORDS, st.randoms(use_true_random=False), st.integers(-300, 300))
def test_as_the_rule_reads_whatever_the_order(words: list[StationWord], chance: object, later: int) -> None:
    now_s = NOW + 60 * later
    found = conditions(words, now_s, RULES)
    expected = [name for name in ("shut", "dirty", "full") if slow(words, name, now_s)]
    assert [one.condition for one in found.get("E01", ())] == expected
    for one in found.get("E01", ()):
        assert one.from_s <= now_s < one.until_s
        said = [w for w in words if w.made_s <= now_s]
        assert one.by_office or slow(said, one.condition, one.until_s - 1e-3)
        if not any(w.office for w in said):
            assert not slow(said, one.condition, one.until_s)
    shuffled = list(words)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert conditions(shuffled, now_s, RULES) == found


def test_a_week_is_told_of_enough_riders_only() -> None:
    monday = datetime.date(2026, 2, 23)
    assert (told_week("E01", monday, (14, 10), 10).visits, told_week("E01", monday, (14, 10), 10).riders) == (
        14, 10
    )  # fmt: skip
    assert (told_week("E01", monday, (90, 9), 10).visits, told_week("E01", monday, (90, 9), 10).riders) == (
        None, None
    )  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    st.integers(0, 500 * 86_400),
    st.integers(0, 80 * 86_400),
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
)
def test_weeks_are_told_whole_or_not_at_all(later_s: int, kept_s: int, name: str) -> None:
    """Against every Monday of two years: over by now, and nothing of it forgotten."""
    zone = zoneinfo.ZoneInfo(name)
    now_s = NOW + later_s
    mondays = [datetime.date(2025, 9, 1) + datetime.timedelta(days=7 * n) for n in range(120)]
    midnights = [datetime.datetime.combine(day, datetime.time(), zone).timestamp() for day in mondays]
    slow = [
        day
        for day, start_s, end_s in zip(mondays, midnights, midnights[1:], strict=False)
        if now_s - kept_s <= start_s and end_s <= now_s
    ]
    assert list(whole_weeks(now_s, kept_s, zone)) == slow
    for day, start_s, end_s in zip(mondays, midnights, midnights[1:], strict=False):
        assert week_span_s(day, zone) == (start_s, end_s)


def test_bad_words_are_refused() -> None:
    with pytest.raises(InputError, match="says"):
        StationWord("E01", "a", False, "ugly", NOW)
    with pytest.raises(InputError, match="people"):
        StationRules(people=0)


counted = st.builds(
    StationWord,
    station_id=st.sampled_from(["E01", "E02"]),
    by=st.sampled_from(["a", "b", "office"]),
    office=st.booleans(),
    says=st.sampled_from(["full", "fine"]),
    made_s=st.integers(-3_600, 600).map(lambda ago: NOW + ago),
    people=st.none() | st.integers(0, 30),
    seats_free=st.none() | st.integers(0, 30),
)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(counted, max_size=8))
def test_the_last_count_of_half_an_hour_is_shown_and_no_number_of_few(words: list[StationWord]) -> None:
    found = head_counts(words, NOW, RULES)
    assert found == head_counts(reversed(words), NOW, RULES) or len({w.made_s for w in words}) < len(words)
    for station in ("E01", "E02"):
        fresh = [
            one
            for one in words
            if one.station_id == station and NOW - 1_800 < one.made_s <= NOW
            and (one.people, one.seats_free) != (None, None)
        ]  # fmt: skip
        assert (station in found) == bool(fresh)
        if fresh:
            shown = found[station]
            assert shown.at_s == max(one.made_s for one in fresh)
            assert shown.people is None or shown.people >= RULES.k
            # seats are known, so a number of free ones would be a number of people
            assert shown.seats_free in (None, 0, 1)
            assert shown.few_below in (None, RULES.k)
            assert shown.people is None or shown.few_below is None


def test_parts_of_a_week_tell_no_more_together_than_each_of_them() -> None:
    monday = datetime.date(2026, 3, 2)

    def week(visits: int, riders: int) -> WeekOfVisits:
        return told_week("E01", monday, (visits, riders), 10)

    assert joined_weeks(week(14, 12), week(20, 11)) == WeekOfVisits("E01", monday, 34, 12)
    for one, other in ((week(14, 12), week(9, 9)), (week(9, 9), week(14, 12))):
        assert joined_weeks(one, other) == WeekOfVisits("E01", monday, 14, 12)
    assert joined_weeks(week(9, 9), week(9, 9)) == WeekOfVisits("E01", monday, None, None)
