"""A rider read from the store is the rider that the form of a request makes of the same."""

import dataclasses
import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from towns import NOW

from api.dispatch.codec import table_of_riders
from api.dispatch.forms import RidersIn, RiderStateIn
from api.dispatch.translate import reports_of, rider_of
from api.forms import PointedError
from api.matching.forms import MatchRequest, RiderIn, TaskIn, VisitIn
from api.matching.translate import asked_of
from geo.errors import InputError
from routing.dispatch import RiderKey
from routing.model import Policy, Rider
from routing.model.planned_riders import as_table

ZONES = st.sampled_from([datetime.UTC, datetime.timezone(datetime.timedelta(hours=8, minutes=30))])
INSTANTS = st.builds(
    lambda micro_s, zone: datetime.datetime.fromtimestamp(micro_s / 1e6, zone),
    st.integers(int(NOW * 1e6) - 10**11, int(NOW * 1e6) + 10**11),
    ZONES,
)
OPTIONAL = st.none() | INSTANTS
DEGREES = st.floats(-80.0, 80.0)
SECONDS = st.floats(0.0, 86_400.0)
STOPS = st.fixed_dictionaries(
    {"stop_id": st.text("ab餐", min_size=1, max_size=3), "lon": DEGREES, "lat": DEGREES},
    optional={
        "service_s": SECONDS | st.integers(0, 90),
        "earliest": OPTIONAL,
        "due": OPTIONAL,
        "windows": st.none() | st.lists(st.tuples(INSTANTS, INSTANTS), min_size=1, max_size=3),
        "kind": st.sampled_from(["pickup", "rest"]),
        "load_change": st.integers(-3, 3),
    },
)
STATES = st.fixed_dictionaries(
    {
        "rider_id": st.just("r"),
        "at": st.just(datetime.datetime.fromtimestamp(NOW, datetime.UTC)),
        "lon": DEGREES,
        "lat": DEGREES,
    },
    optional={
        "stops": st.lists(STOPS, max_size=3),
        "status": st.sampled_from(["busy", "off"]),
        "mode": st.sampled_from(["car", "foot"]),
        "speed_factor": st.floats(1.0, 10.0) | st.integers(1, 10),
        "skills": st.lists(st.sampled_from(["aid", "fire"]), max_size=2),
        "shift_start": OPTIONAL,
        "shift_end": OPTIONAL,
        "worked_since_break_s": SECONDS,
        "worked_today_s": SECONDS,
        "available_at": OPTIONAL,
        "capacity": st.none() | st.integers(0, 4),
        "load": st.none() | st.integers(0, 4),
    },
)  # fmt: skip


def by_the_form(body: dict[str, Any]) -> Rider:
    """As a request for one match reads a rider."""
    form = RiderIn.model_validate({"rider_id": "r", **body})
    task = TaskIn(task_id="t", place=VisitIn(lon=0, lat=0))
    request = MatchRequest.model_construct(
        datum="wgs84", now=datetime.datetime.now(datetime.UTC), riders=(form,), tasks=(task,),
        policy=MatchRequest.model_fields["policy"].default,
    )  # fmt: skip
    return asked_of(request).riders[0]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(STATES)
def test_a_kept_rider_is_read_as_the_form_reads_it(state: dict[str, Any]) -> None:
    said = RiderStateIn.model_validate(state)
    request = RidersIn.model_construct(datum="wgs84", riders=(said,))
    body = said.model_dump(mode="json", exclude_none=True, exclude={"rider_id", "at"})
    try:
        wanted = by_the_form(body)
    except InputError as error:
        with pytest.raises(type(error)):
            reports_of(request, {}, NOW, datetime.UTC, Policy())
        return
    (report,) = reports_of(request, {}, NOW, datetime.UTC, Policy())
    assert report.rider() == wanted
    assert rider_of("r", report.body) == wanted
    assert report.lonlat == wanted.lonlat


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(STATES, max_size=4))
def test_kept_riders_are_the_same_in_columns(states: list[dict[str, Any]]) -> None:
    known, wanted = [], []
    for number, state in enumerate(states):
        said = RiderStateIn.model_validate(state)
        body = said.model_dump(mode="json", exclude_none=True, exclude={"rider_id", "at"})
        key = RiderKey("red", f"r{number}")
        try:
            rider = rider_of(key.rider_id, body)
        except InputError:
            continue
        known.append((key, body))
        wanted.append(dataclasses.replace(rider, rider_id=key.fleet_id, platform=key.platform))
    table, others = table_of_riders(known, rider_of)
    assert others == []
    assert list(table) == wanted
    same = as_table(wanted)
    for found, expected in ((table.riders, same.riders), (table.stops, same.stops)):
        for field in dataclasses.fields(expected):
            one, other = getattr(found, field.name), getattr(expected, field.name)
            if isinstance(other, np.ndarray):
                assert one.dtype == other.dtype
                np.testing.assert_array_equal(one, other)
            elif field.name == "skills":
                assert list(map(frozenset, one)) == list(map(frozenset, other))
            else:
                assert list(one) == list(other)
    np.testing.assert_array_equal(table.lonlat, same.lonlat)


def test_who_only_the_form_can_read_stands_apart() -> None:
    body = {"lon": 1.0, "lat": 2.0, "shift_start": 1_700_000_000}
    table, others = table_of_riders([(RiderKey("red", "old"), body)], lambda name, _: _plain(name))
    assert (len(table), others) == (0, [(RiderKey("red", "old"), _plain("old"))])


def _plain(name: str) -> Rider:
    return Rider(name, (1.0, 2.0), "ebike", ())


def test_a_window_that_ends_before_it_begins_is_told_by_its_place() -> None:
    begins, ends = (datetime.datetime.fromtimestamp(NOW + s, datetime.UTC).isoformat() for s in (60, 0))
    stop = {"stop_id": "s", "lon": 1.0, "lat": 2.0, "earliest": begins, "due": ends}
    with pytest.raises(PointedError) as told:
        rider_of("r", {"lon": 1.0, "lat": 2.0, "stops": [stop]})
    assert list(told.value.places) == ["/riders/0/stops/0"]
