"""The civic side's rows: one contract for both databases; balances are always the sum of what was booked."""

import dataclasses
import math

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_rows import BLUE, GRID, PLANNER, YELLOW

from api.store import SERVICE, Database, OutOfScopeError, Scope
from api.store.civic import ledger, matters, offices, people, photos, secret
from api.store.civic import rewards as catalogue
from api.store.civic import street_words as words
from api.store.rows import PageEnd
from api.store.tables import ledger_balances
from routing.civic import CatalogueItem, Entry, LedgerError, Posting, StreetWord, book, spend, stocked

R1 = Scope("blue", "rider", rider_id="r1")


def matter(name: str, **more: object) -> matters.MatterRow:
    values: dict[str, object] = {
        "matter_id": name, "tenant_id": "office", "asked_tenant_id": None, "kind": "roads",
        "stage": "reported", "private": None, "grid_code": "G1", "lon": 116.3, "lat": 39.9,
        "opened_s": 1.0, "updated_s": 1.0, "next_s": None, "version": 1, "state": {"n": 1},
    }  # fmt: skip
    return matters.MatterRow(**{**values, **more})  # type: ignore[arg-type]


def test_matters_are_seen_by_their_offices_and_found_by_place_and_time(database: Database) -> None:
    with database.transaction() as connection:
        rows = [
            matter("m1", next_s=5.0),
            matter("m2", opened_s=2.0, private="home", lon=116.4),
            matter("m3", tenant_id="yellow", asked_tenant_id="office", opened_s=3.0, grid_code=None),
            matter("m4", tenant_id="yellow", opened_s=4.0, kind="greening", next_s=2.0),
        ]
        for row in rows:
            matters.insert(connection, SERVICE, row)
        with pytest.raises(OutOfScopeError):
            matters.insert(connection, PLANNER, matter("m5"))

        def seen(who: Scope) -> list[str]:
            return [row.matter_id for row in matters.page(connection, who, None, 99)]

        assert seen(SERVICE) == ["m1", "m2", "m3", "m4"]
        assert seen(PLANNER) == ["m1", "m2", "m3"]
        assert seen(GRID) == ["m1", "m2"]
        assert seen(BLUE) == seen(R1) == []
        assert matters.get(connection, BLUE, "m1") is None
        box = matters.Box(116.2, 39.8, 116.35, 40.0)
        assert [one.matter_id for one in matters.near(connection, SERVICE, "roads", box, (0.0, 9.0))] == [
            "m1",
            "m3",
        ]
        assert matters.near(connection, SERVICE, "roads", box, (4.0, 9.0)) == []
        over = matters.Box(116.35, 39.8, 116.2, 40.0)
        assert [one.matter_id for one in matters.near(connection, SERVICE, "roads", over, (0.0, 9.0))] == [
            "m2"
        ]
        board = matters.page_of_board(connection, SERVICE, None, 2)
        assert [one.matter_id for one in board] == ["m4", "m3"]
        rest = matters.page_of_board(connection, SERVICE, PageEnd(3.0, "m3"), 9)
        assert [one.matter_id for one in rest] == ["m1"]
        assert [one.matter_id for one in matters.due(connection, SERVICE, 5.0, 9)] == ["m4"]
        assert matters.next_due_s(connection, SERVICE) == 2.0
        loaded = matters.load_for_update(connection, SERVICE, "m4")
        assert loaded is not None
        saved = matters.save(connection, SERVICE, dataclasses.replace(loaded, stage="closed", next_s=None))
        assert (saved.version, matters.get(connection, SERVICE, "m4")) == (2, saved)
        assert matters.next_due_s(connection, SERVICE) == 5.0
        matters.lock_kind(connection, "roads")


def test_reports_are_their_reporters(database: Database) -> None:
    with database.transaction() as connection:
        matters.insert(connection, SERVICE, matter("m1"))
        mine = matters.ReportRow("p1", "m1", "blue", "r1", "p-1", "digest-1", 1.0)
        other = matters.ReportRow("p2", "m1", None, None, "public-2", "digest-2", 2.0)
        for row in (mine, other):
            matters.add_report(connection, SERVICE, row)
        assert matters.reports_of(connection, SERVICE, "m1") == [mine, other]
        assert matters.reports_page(connection, BLUE, None, 9) == [mine]
        assert matters.report(connection, R1, "p1") == mine
        for who in (YELLOW, PLANNER, GRID, Scope("blue", "rider", rider_id="r2")):
            assert matters.report(connection, who, "p1") is None
        assert matters.by_token(connection, SERVICE, "digest-2") == other
        assert matters.by_token(connection, PLANNER, "digest-2") is None


def test_photos_are_used_once_and_forgotten_unused(database: Database) -> None:
    with database.transaction() as connection:
        matters.insert(connection, SERVICE, matter("m1"))
        for number in range(3):
            row = photos.PhotoRow(f"f{number}", None, False, float(number), "d", b"\xff\xd8")
            photos.add(connection, SERVICE, row)
        assert photos.unused(connection, SERVICE) == 3
        assert photos.claim(connection, SERVICE, "f0", "m1", public=False)
        assert not photos.claim(connection, SERVICE, "f0", "m1", public=True)
        assert photos.claim(connection, SERVICE, "f1", "m1", public=True)
        assert photos.get_public(connection, SERVICE, "f0") is None
        assert photos.get(connection, PLANNER, "f0") is not None
        assert photos.get(connection, BLUE, "f1") is None
        assert photos.get_public(connection, SERVICE, "f1") is not None
        photos.hide(connection, SERVICE, "m1")
        assert photos.get_public(connection, SERVICE, "f1") is None
        assert photos.forget_unused(connection, SERVICE, 2.0) == 0
        assert photos.forget_unused(connection, SERVICE, 2.5) == 1
        assert photos.get(connection, SERVICE, "f0") is not None


def test_offices_people_codes_words_and_secrets(database: Database) -> None:
    with database.transaction() as connection:
        row = offices.OfficeRow("office", "Office", [], None, 1.0)
        offices.put(connection, SERVICE, row)
        offices.put(connection, SERVICE, dataclasses.replace(row, title="Other", created_s=9.0))
        assert offices.list_all(connection, BLUE) == [dataclasses.replace(row, title="Other")]
        assert offices.first_tenant(connection, SERVICE) == "office"
        with pytest.raises(OutOfScopeError):
            offices.put(connection, PLANNER, row)
        people.add(connection, SERVICE, people.PersonRow("blue", "r1", "p-1", 1.0))
        people.add(connection, SERVICE, people.PersonRow("blue", "r1", "p-9", 2.0))
        people.add(connection, SERVICE, people.PersonRow("yellow", "y1", "p-2", 3.0))
        assert people.pseudonym(connection, R1, "blue", "r1") == "p-1"
        assert people.pseudonym(connection, R1, "yellow", "y1") is None
        assert people.pseudonym(connection, BLUE, "blue", "r1") is None
        people.add_code(connection, SERVICE, "c1", "p-1", 10.0)
        people.add_code(connection, SERVICE, "c2", "p-1", 10.0)
        assert people.take_code(connection, SERVICE, "c1", 1.0) is None
        assert people.take_code(connection, SERVICE, "c2", 10.0) is None
        assert people.take_code(connection, SERVICE, "c2", 9.0) == "p-1"
        assert people.take_code(connection, SERVICE, "c2", 9.0) is None
        people.repoint(connection, SERVICE, "yellow", "y1", "p-1")
        assert people.accounts_of(connection, SERVICE, "p-1") == [("blue", "r1"), ("yellow", "y1")]
        said = StreetWord("p-1", False, "street", "closed", (116.3, 39.9), 5.0, (116.4, 39.9))
        official = StreetWord("office", True, "gate", "open", (116.3, 39.9), 6.0)
        for number, word in enumerate((said, official)):
            words.add(connection, SERVICE, words.WordRow.of(f"word-{number}", word))
        assert [one.word for one in words.since(connection, SERVICE, 5.0)] == [said, official]
        assert [one.word for one in words.since(connection, PLANNER, 0.0)] == [official]
        assert words.forget(connection, SERVICE, 6.0) == 1
        assert secret.load(connection, SERVICE, "x", lambda: b"1") == b"1"
        assert secret.load(connection, SERVICE, "x", lambda: b"2") == b"1"


RICE = CatalogueItem("rice", "goods", "Rice", 5)


def test_the_catalogue_belongs_to_its_office(database: Database) -> None:
    row = catalogue.ItemRow("rice", "office", "goods", "Rice", 5, ["North"], 1.0, None)
    with database.transaction() as connection:
        assert catalogue.put(connection, PLANNER, row)
        with pytest.raises(OutOfScopeError):
            catalogue.put(connection, BLUE, row)
        stolen = dataclasses.replace(row, tenant_id="yellow")
        assert not catalogue.put(connection, Scope("yellow", "planner"), stolen)
        assert catalogue.put(connection, PLANNER, dataclasses.replace(row, points=6, ended_s=8.0))
        assert [one.points for one in catalogue.on_offer(connection, SERVICE, 7.0)] == [6]
        assert catalogue.on_offer(connection, SERVICE, 8.0) == []
        assert catalogue.get(connection, SERVICE, "rice") == dataclasses.replace(row, points=6, ended_s=8.0)
        ledger.book(connection, SERVICE, stocked("1", RICE, 3, 1.0))
        assert catalogue.stock(connection, SERVICE) == {"rice": 3}


ACCOUNTS = ("rider:p-1", "rider:p-2", "city:issued", "stock:rice")


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    """Draw entries of which many cannot be booked, and some come twice."""
    made = []
    for number in range(draw(st.integers(1, 12))):
        source, to = draw(st.lists(st.sampled_from(ACCOUNTS), min_size=2, max_size=2, unique=True))
        unit, amount = draw(st.sampled_from(["points", "seconds"])), draw(st.integers(1, 9))
        postings = (Posting(source, unit, -amount), Posting(to, unit, amount))
        key = f"k{draw(st.integers(0, number))}"
        made.append(Entry(key, "time", float(number), postings, note=draw(st.sampled_from(["", "x"]))))
    return made + draw(st.lists(st.sampled_from(made), max_size=3))


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(entries())
def test_the_store_books_what_the_plain_ledger_books(database: Database, wanted: list[Entry]) -> None:
    plain = book(())
    with database.transaction() as connection:
        for table in ("ledger_postings", "ledger_entries", "ledger_balances"):
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - names of ours
        for entry in wanted:
            try:
                after = plain.post(entry)
                told = str(after is not plain)
            except LedgerError as error:
                after, told = plain, error.code
            try:
                stored = str(ledger.book(connection, SERVICE, entry))
            except LedgerError as error:
                stored = error.code
            assert stored == told
            plain = after
        assert set(ledger.sums(connection, SERVICE).values()) <= {0}
        assert ledger.wrong_balances(connection, SERVICE) == []
        for account in ACCOUNTS:
            held = {unit: n for unit, n in ledger.balances(connection, SERVICE, account).items() if n}
            assert held == {unit: n for (name, unit), n in plain.balances.items() if name == account and n}
            mine = [one for _, one in reversed(ledger.entries_of(connection, SERVICE, account))]
            assert mine == [
                one
                for one in plain.entries.values()
                if any(posting.account == account for posting in one.postings)
            ]


def test_the_database_itself_keeps_balances_above_zero(database: Database) -> None:
    """A rule in the program alone has let balances go negative elsewhere (double_entry 114)."""
    with database.transaction() as connection:
        ledger.lock_accounts(connection, SERVICE, [("rider:p-1", "points"), ("city:issued", "points")])
        below = sa.update(ledger_balances).values(amount=-1).execution_options(yilu_scope=SERVICE)
        with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
            connection.execute(below.where(ledger_balances.c.account == "rider:p-1"))
        connection.execute(below.where(ledger_balances.c.account == "city:issued"))


def test_a_rider_sees_what_is_theirs_alone(database: Database) -> None:
    with database.transaction() as connection:
        people.add(connection, SERVICE, people.PersonRow("blue", "r1", "p-1", 1.0))
        ledger.book(connection, SERVICE, stocked("1", RICE, 3, 1.0))
        points = (Posting("city:issued", "points", -9), Posting("rider:p-1", "points", 9))
        ledger.book(connection, SERVICE, Entry("t", "task", 1.0, points))
        ledger.book(connection, SERVICE, spend("b", "p-1", RICE, "North", 2.0))
        assert ledger.balances(connection, R1, "rider:p-1") == {"points": 4, "item:rice": 1}
        for who in (BLUE, PLANNER, GRID, Scope("yellow", "rider", rider_id="r1")):
            assert ledger.balances(connection, who, "rider:p-1") == {}
        assert ledger.balances(connection, R1, "stock:rice") == {}
        with pytest.raises(OutOfScopeError):
            ledger.book(connection, R1, Entry("x", "task", 1.0, points))
        assert math.isinf(matters.next_due_s(connection, SERVICE))
