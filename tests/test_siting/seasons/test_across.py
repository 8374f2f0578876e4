"""A study of nine weeks: by season and part of the week, robust on request, with a forecast."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from made_rests import made_inputs

from geo.errors import InputError
from geo.stays import KINDS
from siting.changing import STREET
from siting.columns import PassingFlows
from siting.inputs import StudyInputs
from siting.results import Study
from siting.study import run_study

DAYS = 63
"""Tuesday 28 April to Monday 29 June 2026: five weeks of spring, four of summer."""
FIRST = 1_777_305_600
RIDERS = 30


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> StudyInputs:
    """Riders rest in the west on working days and in the east at weekends, more in summer."""
    made, _, spots = made_inputs("many", tmp_path_factory.mktemp("city"))
    rng = np.random.default_rng(4)
    rows = []
    for number in range(DAYS):
        weekend = (number + 1) % 7 >= 5
        for who in range(RIDERS):
            place = int(rng.choice([3, 7] if weekend else [0, 4]))
            rows.append((who, place, number, 13, int(rng.integers(20, 30)) + (10 if number > 33 else 0)))
    rider, spot, day, hour, minutes = (np.array(column) for column in zip(*rows, strict=True))
    start = FIRST + 86_400 * day + 3600 * hour + 60 * (rider % 7)
    stays = SimpleNamespace(
        rider=rider,
        start_s=start,
        end_s=start + 60 * minutes,
        lonlat=spots[spot],
        kind=np.full(len(rows), KINDS.index("rest")),
    )
    settings = dataclasses.replace(made.settings, new_sites=1, held_out_days=0, draws=0, random_draws=1)
    rode = np.arange(DAYS * RIDERS * 12)
    on_day = rode // (RIDERS * 12)
    rode = rode[((on_day + 1) % 7 < 5) | (rode % 3 == 0)]
    flows = PassingFlows(
        edge=np.zeros(len(rode), np.int64),
        rider=rode // 12 % RIDERS,
        t_s=FIRST + 86_400 * (rode // (RIDERS * 12)) + 40_000 + rode % 12,
    )
    return dataclasses.replace(made, stays=stays, riders=RIDERS, existing=(), settings=settings, flows=flows)


@pytest.fixture(scope="module")
def study(inputs: StudyInputs) -> Study:
    return run_study(inputs)


def test_the_plan_is_judged_on_every_scenario(study: Study) -> None:
    found = study.changing
    assert found is not None
    days = {one.name: one.days for one in found.scenarios}
    assert days == {"spring": 34, "summer": 29, "working_days": 45, "weekend": 18}
    served = {one.name: one.served_share for one in found.scenarios}
    # One station: it stands where riders rest on working days, and fails at weekends.
    assert (served["working_days"] or 0.0) > 0.4 > (served["weekend"] or 0.0)
    there = {(one.chosen_on, one.judged_on): one.served_share or 0.0 for one in found.elsewhere}
    assert there["weekend", "weekend"] > there["working_days", "weekend"]
    assert there["working_days", "working_days"] > there["weekend", "working_days"]
    assert found.robust is None


def test_a_robust_plan_falls_least_behind(inputs: StudyInputs, study: Study) -> None:
    settings = dataclasses.replace(inputs.settings, robust=True)
    robust = run_study(dataclasses.replace(inputs, settings=settings))
    assert robust.changing is not None
    told = robust.changing.robust
    assert told is not None
    assert told.largest_regret is not None
    assert told.bound is not None
    assert told.largest_regret == pytest.approx(told.bound, abs=1e-5)
    worst = [
        min(one.served_share or 0.0 for one in plan.changing.scenarios)
        for plan in (study, robust)
        if plan.changing is not None
    ]
    assert worst[1] >= worst[0] - 1e-9


def test_rest_is_forecast(study: Study) -> None:
    found = study.changing
    assert found is not None
    assert (found.weeks, found.weeks_held_out) == (9, 2)
    forecasts = {one.series: one for one in found.forecasts}
    assert "rest" in forecasts
    assert forecasts["rest"].error is not None
    assert forecasts["rest"].error < 0.1
    # About 35 minutes a rider and day in summer.
    assert forecasts["rest"].min_a_day == pytest.approx([34.5 * RIDERS] * 4, rel=0.12)
    streets = {name for name in forecasts if name.startswith(STREET)}
    assert set(forecasts) - streets <= {"rest", "riding", "G1", "G2"}
    # Twelve passages a rider and day on working days, four at weekends.
    riding = forecasts["riding"]
    assert riding.error is not None
    assert riding.error < 0.05
    by_weekday = [minutes or 0.0 for minutes in riding.by_weekday]
    work, weekend = by_weekday[:5], by_weekday[5:]
    assert min(work) == pytest.approx(3.0 * max(weekend), rel=0.1)
    # All of it is on one street.
    (street,) = streets
    assert forecasts[street].by_weekday == pytest.approx(riding.by_weekday)
    assert forecasts[street].error == pytest.approx(riding.error)


def test_what_tells_of_one_rider_is_withheld(inputs: StudyInputs) -> None:
    # On a working day one rider rests in the east, which the station in the west does not serve.
    alone = {"rider": 0, "start_s": FIRST + 10 * 86_400 + 9 * 3600, "end_s": FIRST + 10 * 86_400 + 10 * 3600}
    columns = {name: np.append(getattr(inputs.stays, name), value) for name, value in alone.items()}
    columns["lonlat"] = np.vstack([inputs.stays.lonlat, inputs.stays.lonlat.max(axis=0)])
    columns["kind"] = np.append(inputs.stays.kind, KINDS.index("rest"))
    found = run_study(dataclasses.replace(inputs, stays=SimpleNamespace(**columns))).changing
    assert found is not None
    shares = {one.name: one.served_share for one in found.scenarios}
    assert shares["working_days"] is None
    named = {one.series for one in found.forecasts}
    assert {name for name in named if not name.startswith(STREET)} <= {"rest", "riding", "G1", "G2"}


def test_a_forecast_tells_no_weekday_of_fewer_than_k_riders(inputs: StudyInputs, study: Study) -> None:
    """A weekday of a forecast is what was seen on such weekdays: of one rider, it tells their minutes."""
    assert study.changing is not None
    assert "G1" in {one.series for one in study.changing.forecasts}
    # At weekends nobody rests in the west but one rider, each Sunday.
    sundays = np.array([number for number in range(DAYS) if (number + 1) % 7 == 6])
    start = FIRST + 86_400 * sundays + 10 * 3600
    columns = {
        "rider": np.append(inputs.stays.rider, np.zeros(len(sundays), np.int64)),
        "start_s": np.append(inputs.stays.start_s, start),
        "end_s": np.append(inputs.stays.end_s, start + 3600),
        "lonlat": np.vstack([inputs.stays.lonlat, np.repeat(inputs.stays.lonlat[:1], len(sundays), axis=0)]),
        "kind": np.append(inputs.stays.kind, np.full(len(sundays), KINDS.index("rest"))),
    }
    columns["lonlat"][-len(sundays) :] = columns["lonlat"].min(axis=0)
    found = run_study(dataclasses.replace(inputs, stays=SimpleNamespace(**columns))).changing
    assert found is not None
    assert "G1" not in {one.series for one in found.forecasts}


def test_a_forecast_of_riding_tells_no_weekday_of_fewer_than_k_riders(inputs: StudyInputs) -> None:
    flows = inputs.flows
    assert flows is not None
    sunday = ((flows.t_s - FIRST) // 86_400 + 1) % 7 == 6
    kept = ~sunday | (flows.rider == 0)
    alone = PassingFlows(flows.edge[kept], flows.rider[kept], flows.t_s[kept])
    found = run_study(dataclasses.replace(inputs, flows=alone)).changing
    assert found is not None
    assert not [one for one in found.forecasts if one.series == "riding" or one.series.startswith(STREET)]


def test_a_forecast_of_a_street_leaves_nobody_alone_on_the_others(inputs: StudyInputs) -> None:
    """The city less the street would tell what the only rider on another street rode each Sunday."""
    flows = inputs.flows
    assert flows is not None
    names = inputs.network.edge_name
    other = int(np.flatnonzero((names >= 0) & (names != names[0]))[0])
    sunday = ((flows.t_s - FIRST) // 86_400 + 1) % 7 == 6
    moved = PassingFlows(np.where(sunday & (flows.rider == 0), other, flows.edge), flows.rider, flows.t_s)
    found = run_study(dataclasses.replace(inputs, flows=moved)).changing
    assert found is not None
    shown = {one.series for one in found.forecasts}
    assert not {"riding", f"{STREET}{inputs.network.names[names[0]]}"} <= shown


def test_a_robust_plan_needs_days_to_tell_apart(inputs: StudyInputs) -> None:
    kept = inputs.stays.start_s < FIRST + 3 * 86_400
    stays = SimpleNamespace(**{name: column[kept] for name, column in vars(inputs.stays).items()})
    settings = dataclasses.replace(inputs.settings, robust=True)
    with pytest.raises(InputError, match="robust"):
        run_study(dataclasses.replace(inputs, stays=stays, settings=settings))
    with pytest.raises(InputError, match="robust"):
        dataclasses.replace(settings, plan="cheapest")
