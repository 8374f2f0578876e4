"""What a study tells of its trace files: no rows of a file that fewer than k riders are in."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_sample import sample_study

from api.study.file_accounts import pooled
from geo.errors import InputError
from geo.traces import TraceFormat, read_traces
from geo.traces.points import Account
from maps.texts import Wording
from siting.report import rows_told, study_tables
from siting.results import FileAccount

K = 3


def account(file: str, riders: str, read: int = 10, datum: str = "wgs84", lost: int = 1) -> Account:
    return Account(
        file,
        datum,
        f"{datum[:3]} is declared",
        read,
        read - lost,
        {"duplicate": lost} if lost else {},
        riders=frozenset(riders),
    )


def shown(accounts: tuple[FileAccount, ...]) -> list[tuple[str, int | None]]:
    return [(one.file, one.read) for one in accounts]


def test_a_file_of_one_rider_is_told_with_others() -> None:
    many, one, two = account("all.csv", "abcd"), account("anna.csv", "e", 7), account("ben.csv", "fg", 5)
    assert shown(pooled((one, many, two), K)) == [("all.csv", 10), ("2 files", 12)]
    (_, both) = pooled((one, many, two), K)
    assert both == FileAccount("2 files", "wgs84", "wgs is declared", 12, 10, (("duplicate", 2),))


def test_one_small_file_takes_the_next_smallest_with_it() -> None:
    """Else it would be what is left of the rows read."""
    files = account("all.csv", "abcdef"), account("some.csv", "abc"), account("anna.csv", "a", 7, "gcj02")
    assert shown(pooled(files, K)) == [("all.csv", 10), ("2 files", 17)]
    (_, mixed) = pooled(files, K)
    assert (mixed.datum, mixed.datum_evidence) == ("gcj02, wgs84", "gcj is declared; wgs is declared")


def test_twelve_days_of_one_rider_are_one_rider() -> None:
    days = [account(f"day{day}.gpx", "a", day) for day in range(1, 13)]
    assert shown(pooled((*days, account("all.csv", "bcd")), K)) == [("13 files", 88)]


def test_a_file_named_by_a_rider_is_never_told_by_itself() -> None:
    files = account("file 1.gpx", ""), account("file 2.gpx", ""), account("all.csv", "abc")
    assert shown(pooled(files, K)) == [("all.csv", 10), ("2 files", 20)]


def test_a_file_of_which_no_row_was_accepted_keeps_its_name() -> None:
    files = account("all.csv", "abc"), account("broken.csv", "", 9, lost=9)
    assert shown(pooled(files, K)) == [("all.csv", 10), ("broken.csv", 9)]


def test_evidence_for_a_datum_tells_no_figures_of_fewer_than_k_riders() -> None:
    """The share of kilometres on streets is withheld of them elsewhere, too."""
    text = "declared; median distance of 90 moving points to the nearest street: wgs84 5 m, gcj02 27 m"
    many, few = (
        dataclasses.replace(account("all.csv", riders), datum_evidence=text) for riders in ("abc", "ab")
    )
    assert pooled([many], K)[0].datum_evidence == text
    (told,) = pooled([few], K)
    assert told.datum_evidence == "declared; figures withheld for lack of riders"
    assert Wording.of("zh", K).evidence(told.datum_evidence) == "使用者声明；骑手太少，数字不公布"


def test_accounts_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(InputError, match="do not add up"):
        pooled([Account("a.csv", "wgs84", "", 3, 1, {"duplicate": 1})], K)


NAMES = st.frozensets(st.sampled_from("abcdef"), max_size=6)


@given(st.lists(st.tuples(NAMES, st.sampled_from(["wgs84", "gcj02"])), min_size=1, max_size=8))
def test_no_rows_of_fewer_than_k_riders_are_told(files: list[tuple[frozenset[str], str]]) -> None:
    """Rows read are powers of two, so that every sum tells which files it is of."""
    given_ = [
        account(f"{n}.csv", "".join(sorted(who)), 2**n, datum, lost=0 if who else 2**n)
        for n, (who, datum) in enumerate(files)
    ]
    told = pooled(given_, K)
    everybody = frozenset().union(*(who for who, _ in files))
    if 0 < len(everybody) < K:
        assert {one.read is None for one in told if one.accepted != 0} == {True}
        return
    assert sum(one.read or 0 for one in told) == 2 ** len(files) - 1
    for one in told:
        assert one.read is not None
        behind = frozenset().union(*(who for n, (who, _) in enumerate(files) if one.read >> n & 1))
        assert not behind or len(behind) >= min(K, len(everybody))


def test_of_fewer_than_k_riders_in_all_no_rows_are_told() -> None:
    """How many rows the files of one rider have is how long that rider rode."""
    files = [account("a.csv", "p", 70), account("b.csv", "pq", 20)]
    (told,) = pooled(files, 10)
    assert (told.read, told.accepted, told.rejected) == (None, None, ())
    assert rows_told((told,)) == (None, None, None)
    study = dataclasses.replace(sample_study(), accounts=(told,))
    rows = next(table for table in study_tables(study) if table.key == "files").rows
    assert rows[0][3:] == (None, None, None)


def test_reading_tells_who_is_in_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for name, riders in (("a", "pq"), ("b", "q"), ("c", "rst")):
        rows = [
            f"{rider},{1_772_400_000 + 60 * minute + 86_400 * ord(name)},{116.3 + x:.5f},39.98"
            for rider in riders
            for minute, x in enumerate(rng.uniform(0, 1e-3, 20))
        ]
        (tmp_path / f"{name}.csv").write_text(
            "\n".join(["rider_id,time,lon,lat", *rows, "z,never,1,2"]), "utf-8"
        )
    read = read_traces(
        [tmp_path / f"{name}.csv" for name in "abc"],
        TraceFormat(datum="wgs84", timezone="Asia/Shanghai", platform="red"),
        key=bytes(range(20)),
    )
    assert [len(one.riders) for one in read.accounts] == [2, 1, 3]
    assert read.accounts[1].riders < read.accounts[0].riders
    assert read.accounts[0].riders | read.accounts[2].riders == set(read.traces.pseudonyms)
    assert not any(name in repr(read.accounts) for name in read.traces.pseudonyms)
