"""A made day against the real API: everybody answers, nothing gets late, and nothing is left behind."""

import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from tiny_study import TOWN, place

from api.cli.commands import yilu
from api.live.riders import Moving, PlannedStop

NOON_S = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC).timestamp()


def test_a_played_part_of_a_day_ends_without_a_late_delivery(folder: Path) -> None:
    size = ["--riders", "6", "--tasks", "200", "--hours", "0.6", "--speed", "100000", "--seed", "3"]
    done = CliRunner().invoke(yilu, ["live", "--study", str(folder), "--port", "0", *size])
    assert done.exit_code == 0, done.output
    last = done.output.strip().splitlines()[-1]
    words = last.replace(",", "").split()
    found = {name: int(words[words.index(name) + 1]) for name in ("tasks", "verified", "accepted", "late")}
    assert found["tasks"] > 3
    assert found["accepted"] > 2
    assert found["verified"] > 2
    assert last.endswith("late 0")
    # Its database was its own: the folder has none.
    assert not (folder / "yilu.db").exists()


def test_a_short_day_has_tasks_from_its_first_minute_on(folder: Path) -> None:
    """Against a running service a day cannot be played faster: ten quiet minutes looked like a defect."""
    size = ["--riders", "6", "--tasks", "2000", "--hours", "0.1", "--speed", "100000", "--seed", "3"]
    done = CliRunner().invoke(yilu, ["live", "--study", str(folder), "--port", "0", *size])
    assert done.exit_code == 0, done.output
    words = done.output.strip().splitlines()[-1].replace(",", "").split()
    assert int(words[words.index("tasks") + 1]) >= 10
    assert int(words[words.index("accepted") + 1]) >= 1


def test_keys_go_with_an_address(folder: Path) -> None:
    done = CliRunner().invoke(yilu, ["live", "--study", str(folder), "--office-key", "yl_x"])
    assert done.exit_code == 2
    assert "--url" in done.output


def test_a_rider_drives_the_plan_and_a_task_takes_its_place() -> None:
    rider = Moving(TOWN.network(), "r", place("A"), NOON_S)
    rider.dispatch([PlannedStop("s1", place("B"), 60.0), PlannedStop("s2", place("C"), 60.0)], [100.0, 200.0])
    first, second = rider.plan
    assert first.due_s is not None
    assert second.due_s is not None
    leg_s = first.due_s - 100.0 - NOON_S
    assert second.due_s - 200.0 == pytest.approx(NOON_S + 2 * leg_s + 60.0, abs=0.5)
    assert rider.advance(NOON_S + leg_s / 2) == []
    assert rider.here[0] == pytest.approx((place("A")[0] + place("B")[0]) / 2, abs=2e-5)
    rider.order(["s1", "t", "s2"], PlannedStop("t", place("G"), 30.0, offer_id="t-1"))
    assert [stop.stop_id for stop in rider.plan] == ["s1", "t", "s2"]
    assert [stop.stop_id for stop in rider.report().stops or ()] == ["s1", "s2"]
    reached = rider.advance(NOON_S + 3600)
    assert [one.stop.stop_id for one in reached] == ["s1", "t", "s2"]
    assert reached[0].at_s == pytest.approx(NOON_S + leg_s, abs=0.5)
    assert reached[0].leave_s - reached[0].at_s == 60.0
