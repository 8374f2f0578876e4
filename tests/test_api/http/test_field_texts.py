"""Whatever can be wrong with a field of a form is told in zh and en, with what is allowed or was meant."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, ValidationError

import api
from api.forms import Lat
from api.http.access.auth import Access
from api.http.offload.bodies import LargeBodyRoute
from api.http.pages.frame.forms import FieldsError, read_form
from api.http.problems import errors
from api.http.problems.fields import field_text
from api.matching.forms import MatchRequest, RiderIn
from api.settings import Settings
from maps.texts import catalogue

HAN = re.compile(r"[\u4e00-\u9fff]")
PROSE = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,} ?[A-Za-z]*")
BOUNDS = {
    "ge": "greater_than_equal", "gt": "greater_than", "le": "less_than_equal", "lt": "less_than",
    "min_length": "too_short", "max_length": "too_long", "pattern": "string_pattern_mismatch",
    "tz_constraint": "timezone_aware",
}  # fmt: skip
RAISED: dict[str, tuple[str, ...]] = {
    "any": (),
    "bool": ("bool_type", "bool_parsing"),
    "date": ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
    "datetime": (
        "datetime_type", "datetime_parsing", "datetime_object_invalid", "datetime_from_date_parsing",
    ),
    "dict": ("dict_type",),
    "float": ("float_type", "float_parsing", "finite_number"),
    "int": ("int_type", "int_parsing", "int_parsing_size", "int_from_float", "finite_number"),
    "is-instance": ("is_instance_of",),
    "list": ("list_type",),
    "literal": ("literal_error",),
    "model": ("model_type", "model_attributes_type", "missing", "extra_forbidden"),
    "str": ("string_type", "string_unicode", "string_too_short", "string_too_long"),
    "time": ("time_type", "time_parsing"),
    "tuple": ("tuple_type", "missing"),
    "union": (),
}  # fmt: skip
"""What the library says of each kind of schema; bounds by `BOUNDS`, checks of our own in their own words."""
NO_WORDS = {
    "default", "definition-ref", "definitions", "function-after", "function-before", "function-plain",
    "json-or-python", "lax-or-strict", "model-field", "model-fields", "no-info", "nullable", "with-info",
    "function-wrap", "general", "computed-field",
}  # fmt: skip
LIBRARY = {kind for kinds in RAISED.values() for kind in kinds} | {*BOUNDS.values()}
ODD: tuple[Any, ...] = (
    None, True, -1, 1.5, 1e300, float("nan"), 10**30, "", "x", "a\n", "\ud800", "x" * 5_000, "1,5", [],
    ["x"] * 210, {}, "2026-03-04", "2026-03-04T12:00:00", "2026-13-04T12:00:00Z", "1900-01-01T00:00:00Z",
    [[1, 2]],
)  # fmt: skip


def _forms() -> list[type[BaseModel]]:
    for module in pkgutil.walk_packages(api.__path__, "api."):
        if "migrations" not in module.name:
            importlib.import_module(module.name)

    def below(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    # Settings are read at the start, not sent.
    found = {one for one in below(BaseModel) if one.__module__.startswith("api.") and one is not Settings}
    return sorted(found, key=lambda one: f"{one.__module__}.{one.__qualname__}")


FORMS = _forms()


def _reachable(schema: object) -> Iterator[str]:
    """Give the kinds of error that a schema can raise."""
    if isinstance(schema, dict):
        kind = schema.get("type")
        if isinstance(kind, str):
            assert kind in RAISED or kind in NO_WORDS, f"what does {kind} say?"
            yield from RAISED.get(kind, ())
            yield from (raised for name, raised in BOUNDS.items() if name in schema)
        for value in schema.values():
            yield from _reachable(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from _reachable(value)


def test_every_kind_of_error_of_every_form_has_its_text() -> None:
    kinds = {kind for form in FORMS for kind in _reachable(form.__pydantic_core_schema__)}
    assert len(FORMS) > 150
    assert len(kinds) > 25
    for lang in ("zh", "en"):
        assert [kind for kind in sorted(kinds) if f"field.{kind}" not in catalogue(lang)] == []


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_no_form_answers_in_the_words_of_the_library(form: type[BaseModel]) -> None:
    names = [field.alias or name for name, field in form.model_fields.items()]
    seen = set()
    for value in ODD:
        for given in (dict.fromkeys([*names, "colour"], value), value):
            try:
                form.model_validate(given)
            except ValidationError as refused:
                for one in refused.errors(include_url=False):
                    kind = one["type"]
                    if kind in seen or kind == "value_error":
                        continue
                    seen.add(kind)
                    zh, en = (field_text(one, form, one["loc"], lang) for lang in ("zh", "en"))
                    # Errors of our own kinds have words of their own.
                    assert kind not in LIBRARY or one["msg"] not in (zh, en)
                    assert en[0].islower()
                    assert HAN.search(zh), (kind, zh)
                    assert not PROSE.search(zh.partition("允许的格式为")[0]), zh
    assert seen or not names


def _one(form: type[BaseModel], lang: str, **given: object) -> dict[str, str]:
    """What is said of each field of a form."""
    with pytest.raises(ValidationError) as refused:
        form.model_validate(given)
    return {
        ".".join(map(str, one["loc"])): field_text(one, form, one["loc"], lang)  # type: ignore[arg-type]
        for one in refused.value.errors()
    }


PLACE = {"rider_id": "r", "lon": 116.4, "lat": 39.9}


NOON = "2026-03-04T12:00:00+08:00"
STOP = {"lon": 1, "lat": 2}
WRONG: dict[str, tuple[dict[str, object], str, str]] = {
    "lat": (
        {"lat": 116.4, "lon": 39.9},
        "allowed is -90 to 90; lon and lat look swapped",
        "允许范围为-90至90；经度与纬度似乎颠倒",
    ),
    "lon": (
        {"lon": 116_400_000},
        "allowed is -180 to 180; degrees are wanted, not their millionths",
        "允许范围为-180至180；应为度，而不是百万分之一度",
    ),
    "contribution": (
        {"contribution": "1,5"},
        "it must be a number; this text is none; write a point, not a comma, before the fraction",
        "应为数字，但该文本不是数字；小数点应为点号，而不是逗号",
    ),
    "platform": (
        {"platform": 7},
        "it must be text, in quotation marks; write the number in quotation marks",
        "应为文本，并加引号；请给该数字加引号",
    ),
    "mode": (
        {"mode": "e-bike"},
        "it must be one of ebike, bike, car, foot; `ebike` is probably meant",
        "应为以下之一：ebike、bike、car、foot；可能是`ebike`",
    ),
    "speedFactor": (
        {"speedFactor": 1.2},
        "there is no such field; `speed_factor` is probably meant",
        "没有这个字段；可能是`speed_factor`",
    ),
    "colour": ({"colour": 1}, "there is no such field", "没有这个字段"),
    "shift_end": (
        {"shift_end": "2026-03-04T12:00:00"},
        f"its offset from UTC is missing; written with it: {NOON}",
        f"时间须带时区，如{NOON}",
    ),
    "shift_start": (
        {"shift_start": "noon"},
        f"it must be a date with time and offset, such as {NOON}",
        f"应为带时区的日期时间，如{NOON}",
    ),
    "worked_today_s": (
        {"worked_today_s": 28_800_000},
        "allowed is 0 to 86400; seconds are wanted, these are probably milliseconds",
        "允许范围为0至86400；应为秒，这可能是毫秒",
    ),
    "capacity": ({"capacity": 1001}, "allowed is 0 to 1000", "允许范围为0至1000"),
    "load": ({"load": 1.5}, "it must be a whole number, without a fraction", "应为整数，不能有小数部分"),
    "stops": (
        {"stops": {"stop_id": "s"}},
        "it must be a list; put it into square brackets, even if it is only one",
        "应为列表；即使只有一个，也请放进方括号",
    ),
    "rider_id": (
        {"rider_id": "a\n"},
        r"it holds characters that are not allowed; allowed is ^[^\x00-\x1f\x7f]+$;"
        " this holds a line feed or another control character",
        r"含有不允许的字符；允许的格式为^[^\x00-\x1f\x7f]+$；其中有换行或其他控制字符",
    ),
    "stops.0.stopid": (
        {"stops": [{"stopid": "s", **STOP}]},
        "there is no such field; `stop_id` is probably meant",
        "没有这个字段；可能是`stop_id`",
    ),
}


@pytest.mark.parametrize("field", WRONG)
def test_what_is_allowed_and_what_was_probably_meant(field: str) -> None:
    given, en, zh = WRONG[field]
    assert _one(RiderIn, "en", **{**PLACE, **given})[field] == en
    assert _one(RiderIn, "zh", **{**PLACE, **given})[field] == zh


def test_a_request_and_a_page_tell_it_in_the_language_asked_for() -> None:
    app = FastAPI()
    app.state.access, app.state.desk = Access(Settings(), None, dev=True), None
    errors.install(app)
    app.router.route_class = LargeBodyRoute

    @app.post("/v1/echo")
    def echo(body: MatchRequest) -> str:
        return str(body.now)

    @app.get("/v1/near")
    def near(lat: Lat) -> float:
        return lat

    client = TestClient(app)
    (told_of,) = client.get("/v1/near?lat=116.4").json()["errors"]
    assert told_of == {"pointer": "lat", "detail": "allowed is -90 to 90; lon and lat look swapped"}
    sent = {"datum": "wgs84", "now": "2026-03-04T12:00:00Z", "tasks": [], "riders": [{**PLACE, "lat": 116.4}]}
    told = {
        lang: client.post("/v1/echo", json=sent, headers={"accept-language": lang}).json()
        for lang in ("zh", "en")
    }
    assert [(one["pointer"], one["detail"]) for one in told["en"]["errors"]] == [
        ("/riders/0/lat", "allowed is -90 to 90; lon and lat look swapped"),
        ("/tasks", "it must list 1 or more, and lists 0"),
    ]
    assert [one["detail"] for one in told["zh"]["errors"]] == [
        "允许范围为-90至90；经度与纬度似乎颠倒",
        "至少1项，现有0项",
    ]
    with pytest.raises(FieldsError) as refused:
        read_form(RiderIn, {**PLACE, "lat": 91})
    assert str(refused.value) == "place_lat: allowed is -90 to 90; lon and lat look swapped"
    assert refused.value.each("zh") == {"place_lat": "允许范围为-90至90；经度与纬度似乎颠倒"}
