"""Riders read as records are those that the forms would have read, and no others."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from api.http.offload.quick import riders_apart
from api.matching.columns import RIDER_INSTANTS, STOP_INSTANTS, sent_riders
from api.matching.forms import MatchRequest, RiderIn, StopIn
from api.matching.translate import asked_of
from geo.errors import InputError

STOP: dict[str, Any] = {"stop_id": "s", "lon": 116.3, "lat": 39.9, "due": "2026-03-04T12:30:00+08:00"}
RIDER: dict[str, Any] = {
    "rider_id": "骑手 1",
    "lon": 116.3,
    "lat": 39,
    "stops": [STOP, {**STOP, "stop_id": "t", "kind": "rest", "service_s": 1200}],
    "skills": ["aid"],
    "shift_end": "2026-03-04T10:00:00.125Z",
    "capacity": 4,
    "platform": "red",
}
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.0, 4.5, 10_001, 1e300, "", "1", "a\n", "a\x00", "\ud800", "x" * 65, [], {}, [1],
    ["a", "b\n"], "ebike", "rest", "2026-03-04", "2026-03-04T12:00:00", "2026-03-04T12:00:00Z",
    "1999-12-31T23:59:59Z", "2199-12-31T00:00:00Z", "2200-06-01T00:00:00+08:00", "2026-03-04 12:00:00+08:00",
    "2026-03-04T12:00:00.123456Z", [["2026-03-04T12:00:00Z", "2026-03-04T13:00:00Z"]],
    [["2026-03-04T12:00:00Z"]], [STOP, STOP], 99999999999999999999,
)  # fmt: skip
NAMES = (*RiderIn.model_fields, "colour")
STOP_NAMES = (*StopIn.model_fields, "colour")


def body_of(*riders: Any) -> bytes:  # noqa: ANN401
    task = {"task_id": "t", "place": {"lon": 116.3, "lat": 39.9}}
    whole = {"datum": "wgs84", "now": "2026-03-04T12:00:00+08:00", "riders": riders, "tasks": [task]}
    return json.dumps(whole).encode()


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ODD), max_size=2),
    st.dictionaries(st.sampled_from(STOP_NAMES), st.sampled_from(ODD), max_size=2),
    st.sampled_from([None, *RIDER]),
)
def test_what_is_read_quickly_is_what_the_forms_read(
    of_rider: dict[str, Any], of_stop: dict[str, Any], without: str | None
) -> None:
    rider = {**RIDER, "stops": [{**STOP, **of_stop}], **of_rider}
    rider.pop(without or "", None)
    apart = riders_apart(MatchRequest, body_of(rider))
    if apart is None:
        return
    form = RiderIn.model_validate(json.loads(json.dumps(rider)))
    quick, slow = apart[0], sent_riders((form,))
    for told, expected in ((quick.riders, slow.riders), (quick.stops, slow.stops)):
        assert told.keys() == expected.keys()
        for name in told.keys() - {*RIDER_INSTANTS, *STOP_INSTANTS}:
            assert list(map(type, told[name])) == list(map(type, expected[name])), name
            assert list(told[name]) == list(expected[name]), name
    for told_s, expected_s in (
        (quick.rider_instants, slow.rider_instants),
        (quick.stop_instants, slow.stop_instants),
    ):
        assert told_s.keys() == expected_s.keys()
        for name, column in told_s.items():
            assert column.tobytes() == expected_s[name].tobytes(), name


def test_a_usual_body_is_read_quickly_and_asks_the_same() -> None:
    body = body_of(RIDER, {**RIDER, "rider_id": "b", "stops": [{**STOP, "windows": None}], "capacity": None})
    apart = riders_apart(MatchRequest, body)
    assert apart is not None
    whole = MatchRequest.model_validate_json(body)
    quick = asked_of(whole.model_copy(update={"riders": apart[0]}))
    assert tuple(quick.riders) == tuple(asked_of(whole).riders)
    assert "riders" not in json.loads(apart[1])
    assert json.loads(apart[1]).keys() == json.loads(body).keys() - {"riders"}


@pytest.mark.parametrize(
    "spoiled",
    [
        b"", b"[]", b"{", b'{"riders": 1}', b'{"riders": [{}]}', b'{"riders": []} x', b'{"tasks": []}',
        b"\xff", body_of({**RIDER, "rider_id": ""}), body_of({**RIDER, "stops": [STOP] * 201}),
        body_of(*[RIDER] * 20_001),
    ],
)  # fmt: skip
def test_what_is_spoiled_is_left_to_the_forms(spoiled: bytes) -> None:
    assert riders_apart(MatchRequest, spoiled) is None


def test_forms_say_no_to_what_is_far_from_any_plan() -> None:
    with pytest.raises(ValidationError):
        RiderIn.model_validate({**RIDER, "shift_end": "1999-12-31T23:59:59Z"})
    assert riders_apart(MatchRequest, body_of({**RIDER, "shift_end": "1999-12-31T23:59:59Z"})) is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"load": 5}, "load of rider 骑手 1 is 5; allowed is 0 to capacity 4"),
        ({"stops": [STOP, STOP]}, "two stops with the same stop_id"),
        ({"shift_start": "2026-03-04T20:00:00+08:00"}, "the shift of rider 骑手 1 ends at"),
        ({"stops": [{**STOP, "earliest": "2026-03-04T13:00:00Z"}]}, "the window of stop s of rider 骑手"),
    ],
)  # fmt: skip
def test_columns_say_what_objects_would_have_said(change: dict[str, Any], sentence: str) -> None:
    body = body_of({**RIDER, "rider_id": "fine"}, {**RIDER, **change})
    apart, whole = riders_apart(MatchRequest, body), MatchRequest.model_validate_json(body)
    assert apart is not None
    for request in (whole, whole.model_copy(update={"riders": apart[0]})):
        with pytest.raises(InputError, match=sentence):
            asked_of(request)
