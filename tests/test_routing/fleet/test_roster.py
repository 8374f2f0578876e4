"""Riders of a table and made ones say the same of themselves."""

import math

from routing.fleet.roster import Roster
from routing.model.planned_riders import as_table
from routing.model.riders import STATUSES, Rider


def test_what_riders_may_still_do_is_the_same_of_tables_and_of_objects() -> None:
    riders = [
        Rider(
            f"r{number}",
            (116.3, 39.9),
            status=("busy", "on_break")[number % 2],
            extra_last_hour_s=10.0 * number,
            worked_today_s=100.0 * number,
            shift_end_s=math.inf if number == 3 else 1e9 + number,
        )
        for number in range(6)
    ]
    roster = Roster()
    roster.enter(as_table(riders[:2]), range(2))
    roster.enter(as_table(riders[2:5]), range(3))
    roster.enter(riders, [5])
    asked = [4, 5, 0, 3, 1]
    for _ in range(2):
        facts = roster.limits(riders[at].rider_id for at in asked)
        for column in ("extra_last_hour_s", "worked_today_s", "shift_end_s"):
            assert getattr(facts, column).tolist() == [getattr(riders[at], column) for at in asked]
        assert [STATUSES[code] for code in facts.status] == [riders[at].status for at in asked]
        # One of the table is made an object; then all of them are.
        assert roster["r4"].rider_id == "r4"
    assert [roster[one.rider_id].rider_id for one in riders] == [one.rider_id for one in riders]
    assert roster.limits(["r3", "r0"]).shift_end_s.tolist() == [math.inf, 1e9]
    assert len(roster.limits([]).status) == 0
