"""Two studies of the same riders but for one, or of one day more: what their difference tells.

Each study is safe for itself. These tests attack two of them, so that the page on privacy says what is true,
and hold what the program refuses.
"""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from figures_attack import K
from made_rests import made_inputs

from geo.errors import InputError
from siting.comparison import compare_studies
from siting.demand.asked import Asked
from siting.inputs import StudyInputs
from siting.published import published
from siting.results import Study
from siting.study import measured_study


def released(inputs: StudyInputs) -> tuple[Study, Asked, frozenset[str]]:
    measured, asked = measured_study(inputs)
    shown = asked.shown()
    return published(measured, shown), asked, shown


def only(inputs: StudyInputs, kept: Any) -> StudyInputs:  # noqa: ANN401
    stays: Any = inputs.stays
    columns = {name: getattr(stays, name)[kept] for name in ("rider", "start_s", "end_s", "lonlat", "kind")}
    return dataclasses.replace(inputs, stays=SimpleNamespace(**columns))


def sums(asked: Asked, shown: frozenset[str]) -> dict[str, set[tuple[int, int]]]:
    """Published sums of cells by hour, which do not depend on the plan: riders and days behind each."""
    rest = asked._demand.rest  # type: ignore[union-attr]
    figures, names = asked.figures, list(asked.figures._paths)
    out = {}
    for number, rows, _ in figures._entries:
        path = names[figures._of[number]]
        if path in shown and path.startswith("cells/") and "rest_min_by_hour" in path:
            mine = rows - figures._first["rest"]
            out[path] = set(zip(rest.rider[mine].tolist(), rest.day[mine].tolist(), strict=True))
    return out


def test_the_difference_of_two_releases_tells_of_one_rider_and_is_not_compared(tmp_path: Path) -> None:
    inputs, _, _ = made_inputs("many", tmp_path, K)
    stays: Any = inputs.stays
    whole, asked, shown = released(inputs)
    without = only(inputs, stays.rider != 7)
    less, asked_less, shown_less = released(dataclasses.replace(without, riders=inputs.riders - 1))
    # The attack: whoever has both files subtracts what both have published.
    assert None not in (whole.demand_min_a_day, less.demand_min_a_day)
    gone = (whole.demand_min_a_day or 0.0) - (less.demand_min_a_day or 0.0)
    assert gone > 0
    more, fewer = sums(asked, shown), sums(asked_less, shown_less)
    both = more.keys() & fewer.keys()
    told = sum(len({rider for rider, _ in more[path] - fewer[path]}) == 1 for path in both)
    assert told > 0, "then the page on privacy may promise more"
    with pytest.raises(InputError, match=r"differ by 1 riders, fewer than k = 10"):
        compare_studies(whole, less)
    # the same riders, another plan: that is what comparing is for
    other = dataclasses.replace(inputs, settings=dataclasses.replace(inputs.settings, new_sites=1))
    assert compare_studies(whole, released(other)[0]).figures
    # other days of other riders, too
    later = dataclasses.replace(less, period=("2027-01-01", "2027-01-03"))
    assert "period" in compare_studies(whole, later).notes


def test_a_day_more_tells_of_the_few_of_that_day(tmp_path: Path) -> None:
    inputs, _, _ = made_inputs("many", tmp_path, K)
    settings = dataclasses.replace(inputs.settings, held_out_days=0)
    inputs = dataclasses.replace(inputs, settings=settings)
    stays: Any = inputs.stays
    _, asked, shown = released(inputs)
    _, asked_less, shown_less = released(only(inputs, stays.start_s < stays.start_s.min() + 2 * 86_400))
    more, fewer = sums(asked, shown), sums(asked_less, shown_less)
    apart = [{rider for rider, _ in rows - fewer[path]} for path, rows in more.items() if path in fewer]
    few = sum(0 < len(who) < K for who in apart)
    assert few > 0, "then the page on privacy may promise more"
