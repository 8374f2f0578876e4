"""Bodies read in pieces are what they are when read at once; an error is the same one."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import HTTPException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from api.http import bodies
from api.http.bodies import PIECE, model_of
from api.matching.forms import MatchRequest

NOW = "2026-03-04T12:00:00+08:00"
TASK = {"task_id": "t", "place": {"lon": 1.0, "lat": 2.0}}
BAD: list[dict[str, Any]] = [
    {"lon": 1.0, "lat": 2.0},
    {"rider_id": "", "lon": 1.0, "lat": 2.0},
    {"rider_id": "x", "lon": 500, "lat": 2.0, "stops": [{"stop_id": "s", "lon": 1.0}]},
    {"rider_id": "x", "lon": 1.0, "lat": 2.0, "colour": "red"},
]


def body(riders: list[Any], **more: object) -> dict[str, Any]:
    return {"datum": "wgs84", "now": NOW, "riders": riders, "tasks": [TASK], **more}


def good(number: int) -> dict[str, Any]:
    stop = {"stop_id": "s", "lon": 1.0, "lat": 2.0, "due": NOW}
    return {"rider_id": f"r{number}", "lon": 1.0, "lat": 2.0, "stops": [stop] * (number % 3)}


def errors_at_once(sent: object) -> list[Any]:
    try:
        MatchRequest.model_validate(sent)
    except ValidationError as error:
        return [(("body", *one["loc"]), one["type"], one["msg"]) for one in error.errors()]
    return []


@pytest.fixture(autouse=True)
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "AT_ONCE_BYTES", 0)


def test_small_bodies_are_read_at_once_and_told_as_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    text = [json.dumps(body(riders)).encode() for riders in ([good(1), good(2)], [good(1), BAD[2]])]
    whole = model_of(MatchRequest, text[0])
    with pytest.raises(HTTPException) as pieces:
        model_of(MatchRequest, text[1])
    monkeypatch.setattr(bodies, "AT_ONCE_BYTES", 1 << 20)
    assert model_of(MatchRequest, text[0]) == whole
    with pytest.raises(HTTPException) as at_once:
        model_of(MatchRequest, text[1])
    assert at_once.value.errors == pieces.value.errors  # type: ignore[attr-defined]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(0, 3 * PIECE),
    bad=st.dictionaries(st.integers(0, 3 * PIECE), st.sampled_from(BAD), max_size=3),
    more=st.sampled_from([{}, {"colour": "red"}, {"now": "noon"}, {"geometry": False}]),
    indent=st.sampled_from([None, 2]),
)
def test_read_in_pieces_as_at_once(
    count: int, bad: dict[int, dict[str, Any]], more: dict[str, Any], indent: int | None
) -> None:
    sent = body([bad.get(number, good(number)) for number in range(count)], **more)
    text = json.dumps(sent, indent=indent).encode()
    expected = errors_at_once(sent)
    if not expected:
        assert model_of(MatchRequest, text) == MatchRequest.model_validate(sent)
        return
    with pytest.raises(HTTPException) as refused:
        model_of(MatchRequest, text)
    errors: list[Any] = refused.value.errors  # type: ignore[attr-defined]
    assert sorted((one["loc"], one["type"], one["msg"]) for one in errors) == sorted(expected)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400), put=st.sampled_from(["", "x", ",", "]", "}", '"', " ", "[", ":", "\\"]))
def test_what_is_no_json_breaks_where_it_breaks_at_once(cut: int, put: str) -> None:
    text = json.dumps(body([good(1), good(2)]))
    spoiled = text[:cut] + put + text[cut + 1 :]
    expected = _break(json.loads, spoiled)
    if expected is not None:
        assert _break(lambda text: model_of(MatchRequest, text.encode()), spoiled) == expected


def _break(read: Callable[[str], object], text: str) -> tuple[int, str] | None:
    try:
        read(text)
    except json.JSONDecodeError as error:
        return error.pos, error.msg
    return None


def test_too_many_riders_are_told_without_a_look_at_them() -> None:
    text = json.dumps(body([None] * 20_001)).encode()
    with pytest.raises(HTTPException) as refused:
        model_of(MatchRequest, text)
    (error,) = refused.value.errors  # type: ignore[attr-defined]
    assert (error["type"], error["loc"]) == ("too_long", ("body", "riders"))


@pytest.mark.parametrize("sent", [[], 1, "text", None])
def test_what_is_no_object_is_refused_as_such(sent: object) -> None:
    with pytest.raises(HTTPException) as refused:
        model_of(MatchRequest, json.dumps(sent).encode())
    assert [one["loc"] for one in refused.value.errors] == [("body",)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("coding", ["utf-8", "utf-16", "utf-8-sig"])
def test_any_unicode_is_read(coding: str) -> None:
    read = model_of(MatchRequest, json.dumps(body([])).encode(coding))
    assert isinstance(read, MatchRequest)
