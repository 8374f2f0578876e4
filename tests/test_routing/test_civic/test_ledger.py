"""The ledger against plain sums, by random command sequences."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from geo.errors import InputError
from routing.civic.ledger.book import Book, book, correction
from routing.civic.ledger.earning import (
    EarningRules,
    drill,
    feedback,
    payout,
    task_done,
    time_taken,
    training,
)
from routing.civic.ledger.entries import Entry, LedgerError, Posting, rider_account, stock_account
from routing.civic.ledger.rewards import ITEM_SORTS, CatalogueItem, spend, stocked
from routing.civic.ledger.score import ScoreRules, contribution

RULES = EarningRules()
CARD = CatalogueItem("card", "bus_card", "公交卡", 10)
CHECK_UP = CatalogueItem("check", "check_up", "体检", 25, frozenset({"east"}))
NOW = 1_790_560_800.0
DAY_S = 86_400.0


def done(rider: str = "a", task: str = "t1", seconds: float = 600.0, metres: float = 2_000.0) -> Entry:
    entry = task_done(rider, task, seconds, metres, NOW, RULES)
    assert entry is not None
    return entry


def test_a_task_brings_points_backing_and_hours() -> None:
    ledger = Book().post(done())
    held = {unit: ledger.balance("rider:a", unit) for unit in ("points", "fen", "seconds")}
    # 5 a task + 10 min + 2 km; 10 min at 0.60 yuan (DOMAIN: 0.50-0.65).
    assert held == {"points": 17, "fen": 600, "seconds": 600}
    assert ledger.post(done()) is ledger
    with pytest.raises(LedgerError, match="exists"):
        ledger.post(done(seconds=660.0))
    nothing = EarningRules(0.0, 0.0, 0.0, 0.0, 0.0)
    assert task_done("a", "t", 0.0, 0.0, NOW, nothing) is None
    assert feedback("a", "m", NOW, nothing) is None


def test_points_earned_here_are_spent_there_while_stock_lasts() -> None:
    ledger = book([done("a", "t1"), done("a", "t2"), stocked("s1", CARD, 1, NOW)])
    ledger = ledger.post(spend("1", "a", CARD, "another community", NOW))
    assert ledger.balance("rider:a", "points") == 24
    assert ledger.balance("rider:a", "item:card") == 1
    assert ledger.balance(stock_account("card"), "item:card") == 0
    with pytest.raises(LedgerError, match="not_enough stock:card"):
        ledger.post(spend("2", "a", CARD, "east", NOW))
    with pytest.raises(LedgerError, match="not_enough rider:b"):
        ledger.post(stocked("s2", CARD, 5, NOW)).post(spend("3", "b", CARD, "east", NOW))
    with pytest.raises(InputError, match="allowed are east"):
        spend("4", "a", CHECK_UP, "west", NOW)


def test_what_is_corrected_comes_back_as_far_as_it_is_there() -> None:
    ledger = book([done(), stocked("s", CARD, 1, NOW), spend("1", "a", CARD, "east", NOW)])
    counter = correction(ledger, "task:t1:a", NOW, "not done")
    after = ledger.post(counter)
    assert after.balance("rider:a", "points") == 0
    assert after.balance("city:issued", "points") == -10
    assert after.balance("rider:a", "fen") == 0
    with pytest.raises(LedgerError, match="corrected"):
        correction(after, "task:t1:a", NOW, "again")
    with pytest.raises(LedgerError, match="correction"):
        correction(after, counter.key, NOW, "no")
    with pytest.raises(LedgerError, match="unknown"):
        correction(after, "task:t9:a", NOW, "no")
    back = ledger.post(correction(ledger, "spend:1", NOW, "card does not work"))
    assert back.balance("rider:a", "points") == 17
    assert back.balance(stock_account("card"), "item:card") == 1


def test_the_time_bank_moves_hours_between_people() -> None:
    ledger = Book().post(done()).post(time_taken("1", "a", "b", 400, NOW))
    assert (ledger.balance("rider:a", "seconds"), ledger.balance("rider:b", "seconds")) == (200, 400)
    with pytest.raises(LedgerError, match="not_enough"):
        ledger.post(time_taken("2", "a", "b", 201, NOW))
    with pytest.raises(LedgerError, match="unknown"):
        time_taken("3", "a", "a", 1, NOW)


def test_the_score_is_the_sum_of_its_lines() -> None:
    entries = [done(), training("a", "first aid", 4, NOW + 1), drill("a", "flood", NOW + 2), done("b", "t2")]
    ledger = book(entries)
    score = contribution(ledger.entries.values(), "a", NOW + 9, ScoreRules())
    assert [(line.key, line.score) for line in score.lines] == [
        ("task:t1:a", 17.0), ("training:first aid:a", 8.0), ("drill:flood:a", 5.0)
    ]  # fmt: skip
    assert score.total == 30.0
    assert score.lines[0].said.key == "score.task.points"
    corrected = ledger.post(correction(ledger, "task:t1:a", NOW + 5, "not done"))
    assert contribution(corrected.entries.values(), "a", NOW + 9, ScoreRules()).total == 13.0
    assert contribution(ledger.entries.values(), "a", NOW + 91 * DAY_S, ScoreRules()).total == 0.0
    spent = ledger.post(stocked("s", CARD, 1, NOW)).post(spend("1", "a", CARD, "east", NOW + 3))
    assert contribution(spent.entries.values(), "a", NOW + 9, ScoreRules()).total == 30.0


@pytest.mark.parametrize(
    ("postings", "said"),
    [
        ((Posting("rider:a", "points", 1),), "does not sum to zero in points"),
        ((Posting("rider:a", "points", 1), Posting("city:x", "fen", -1)), "sum to zero in fen, points"),
        ((Posting("rider:a", "points", 1), Posting("rider:a", "points", -1)), "twice"),
        ((), "no postings"),
    ],
)
def test_an_entry_that_does_not_balance_is_refused(postings: tuple[Posting, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Entry("k", "task", NOW, postings)
    with pytest.raises(InputError, match="whole and not 0"):
        Posting("rider:a", "points", 0)
    with pytest.raises(InputError, match="sort of account"):
        Posting("bank:a", "points", 1)


@settings(derandomize=True, deadline=None)
@given(seconds=st.floats(0, 86_400), metres=st.floats(0, 1e6))
def test_backing_stays_within_half_a_fen_of_the_rule(seconds: float, metres: float) -> None:
    entry = done(seconds=seconds, metres=metres)
    amounts = {p.unit: p.amount for p in entry.postings if p.account == "rider:a"}
    assert abs(amounts.get("fen", 0) - seconds) <= 0.5
    assert abs(amounts.get("points", 0) - (5 + seconds / 60 + metres / 1000)) <= 0.5


PEOPLE = st.sampled_from(["a", "b", "c"])
NUMBERS = st.integers(0, 9)


class Bookings(RuleBasedStateMachine):
    """Any entry at any time; the model adds up every posting that was booked."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Book()
        self.booked: dict[str, Entry] = {}

    def post(self, entry: Entry | None) -> None:
        if entry is None:
            return
        sums = self.sums()
        try:
            after = self.ledger.post(entry)
        except LedgerError as error:
            if error.code == "exists":
                assert self.booked[entry.key] != entry
            else:
                short = [p for p in entry.postings if sums.get((p.account, p.unit), 0) + p.amount < 0]
                assert any(not p.account.startswith("city:") for p in short)
            return
        if entry.key in self.booked:
            assert after is self.ledger
        self.booked[entry.key] = entry
        self.ledger = after

    def has(self, posting: Posting) -> int:
        return self.ledger.balance(posting.account, posting.unit)

    def sums(self) -> dict[tuple[str, str], int]:
        sums: dict[tuple[str, str], int] = {}
        for entry in self.booked.values():
            for p in entry.postings:
                sums[p.account, p.unit] = sums.get((p.account, p.unit), 0) + p.amount
        return sums

    @rule(who=PEOPLE, number=NUMBERS, seconds=st.sampled_from([0.0, 300.0, 900.0]))
    def task(self, who: str, number: int, seconds: float) -> None:
        self.post(task_done(who, f"t{number}", seconds, 1_000.0, NOW, RULES))

    @rule(who=PEOPLE, number=NUMBERS)
    def other(self, who: str, number: int) -> None:
        self.post(feedback(who, f"m{number}", NOW, RULES))
        self.post(training(who, f"c{number}", 1 + number, NOW))
        self.post(drill(who, f"d{number}", NOW))

    @rule(number=NUMBERS, item=st.sampled_from([CARD, CHECK_UP]))
    def stock(self, number: int, item: CatalogueItem) -> None:
        self.post(stocked(f"{item.item_id}{number}", item, 1 + number % 2, NOW))

    @rule(who=PEOPLE, number=NUMBERS, item=st.sampled_from([CARD, CHECK_UP]))
    def buy(self, who: str, number: int, item: CatalogueItem) -> None:
        self.post(spend(str(number), who, item, "east", NOW))

    @rule(who=PEOPLE, other=PEOPLE, number=NUMBERS, amount=st.sampled_from([1, 200, 500]))
    def take(self, who: str, other: str, number: int, amount: int) -> None:
        self.post(payout(str(number), who, amount, NOW))
        if who != other:
            self.post(time_taken(str(number), who, other, amount, NOW))

    @rule(data=st.data())
    def correct(self, data: st.DataObject) -> None:
        if not self.booked:
            return
        key = data.draw(st.sampled_from(sorted(self.booked)))
        try:
            entry = correction(self.ledger, key, NOW, "wrong")
        except LedgerError:
            again = f"correction:{key}" in self.booked or key.startswith("correction:")
            held = {
                p.account: sums for p in self.booked[key].postings if (sums := self.has(p)) and p.amount > 0
            }
            assert again or not held
            return
        original = {(p.account, p.unit): p.amount for p in self.booked[key].postings}
        for p in entry.postings:
            assert abs(p.amount) <= abs(original[p.account, p.unit])
            assert p.amount * original[p.account, p.unit] < 0
        before = len(self.booked)
        self.post(entry)
        assert len(self.booked) == before + 1

    @invariant()
    def holds(self) -> None:
        sums = self.sums()
        balances = self.ledger.balances
        assert dict(balances) == sums
        assert all(
            amount >= 0 for (account, _), amount in balances.items() if not account.startswith("city:")
        )
        units = {unit for _, unit in balances}
        assert all(sum(a for (_, u), a in balances.items() if u == unit) == 0 for unit in units)
        assert list(self.ledger.entries.values()) == list(self.booked.values())
        assert book(self.ledger.entries.values()).balances == balances
        for who in ("a", "b", "c"):
            own = self.ledger.of(who)
            total = sum(p.amount for e in own for p in e.postings if p.account == rider_account(who))
            assert total == sum(a for (account, _), a in sums.items() if account == rider_account(who))


Bookings.TestCase.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None, derandomize=True
)
TestBookings = Bookings.TestCase


def test_catalogue_items_have_a_price_and_a_sort() -> None:
    assert len(ITEM_SORTS) == 6
    with pytest.raises(InputError, match="points of item"):
        dataclasses.replace(CARD, points=0)
    with pytest.raises(InputError, match="sort of item"):
        dataclasses.replace(CARD, sort="cash")
