"""The OpenAPI document: nothing in it without a description, a unit and an example, and the examples hold."""

import dataclasses
import datetime
import json
import re
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openapi_examples import FOLDER, NOON, answer
from openapi_live import live_examples
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from starlette.routing import Match
from tiny_study import write_study

from api.http.app import _document, _often_asked_first, _routes, create_app
from api.http.openapi import EXAMPLES, LIVE
from api.http.quick_routes import QuickRoute
from api.settings import Settings
from routing.dispatch import OFFER_STATUSES, TASK_STATUSES, Event

Json = dict[str, Any]
EVENT_KINDS = [
    field.default
    for kind in typing.get_args(Event)
    for field in dataclasses.fields(kind)
    if field.name == "kind"
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = write_study(tmp_path_factory.mktemp("study") / "out")
    with TestClient(create_app(folder, settings=Settings(), clock=lambda: NOON)) as client:
        yield client


@pytest.fixture(scope="module")
def document(client: TestClient) -> Json:
    found: Json = client.get("/openapi.json").json()
    validate(found)
    return found


def _fields(document: Json) -> Iterator[tuple[str, Json]]:
    for name, schema in document["components"]["schemas"].items():
        for field, one in schema.get("properties", {}).items():
            yield f"{name}.{field}", one
    for path, item in document["paths"].items():
        for method, call in item.items():
            for parameter in call.get("parameters", ()):
                yield f"{method} {path} {parameter['name']}", parameter["schema"]


def _check(value: object, schema: Json, document: Json) -> None:
    """Hold a value against a part of the document, which was found sound as a whole by `document`."""
    whole = {**schema, "components": document["components"]}
    OAS31Validator(whole, format_checker=OAS31Validator.FORMAT_CHECKER).validate(value)


def _inside(schema: Json) -> list[Json]:
    return [schema, *schema.get("anyOf", ()), schema.get("items", {})]


def test_every_field_is_described(document: Json) -> None:
    fields = dict(_fields(document))
    assert len(fields) > 200
    assert {where for where, one in fields.items() if len(one.get("description", "")) < 5} == set()
    forms = document["components"]["schemas"]
    assert {name for name, one in forms.items() if not one.get("description")} == set()


def test_every_number_has_its_unit(document: Json) -> None:
    wanted = set()
    for where, one in _fields(document):
        kinds = {part.get("type") for part in _inside(one)}
        kinds |= {part.get("items", {}).get("type") for part in _inside(one)}
        if kinds & {"number", "integer"} and "x-unit" not in one:
            wanted.add(where)
    assert wanted == set()


def test_every_value_of_an_enumeration_is_described(document: Json) -> None:
    found = 0
    for where, one in [*_fields(document), *document["components"]["schemas"].items()]:
        for part in _inside(one):
            for value in part.get("enum", ()):
                found += 1
                assert one["x-enum-descriptions"][value], where
                assert f"`{value}`: " in one["description"], where
    assert found > 100


def test_every_field_has_an_example_that_it_accepts(document: Json) -> None:
    without = set()
    for where, one in _fields(document):
        refers = any("$ref" in part or "$ref" in part.get("items", {}) for part in _inside(one))
        examples = one.get("examples")
        if examples is None:
            if not refers and "Not mapped" not in one["description"]:
                without.add(where)
            continue
        for example in examples:
            _check(example, one, document)
    assert without == set()


def _good(call: Json) -> dict[str, Json]:
    return {status: one for status, one in call["responses"].items() if status.startswith("2")}


def test_every_call_has_an_example_that_holds(document: Json, client: TestClient) -> None:
    for path, item in document["paths"].items():
        for call in item.values():
            contents = [one for answer in _good(call).values() for one in answer.get("content", {}).values()]
            assert any("example" in content for content in contents) or "204" in _good(call), path
            if "requestBody" in call:
                bodies = call["requestBody"]["content"]
                assert any("example" in body or kind.startswith("image/") for kind, body in bodies.items()), (
                    path
                )
    for (method, path), name in EXAMPLES.items():
        kept = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        told = document["paths"][path][method]["responses"]["200"]["content"]["application/json"]["example"]
        assert answer(client, method, path) == kept, (
            "write the examples anew: tests/helpers/openapi_examples.py"
        )
        assert told == kept["response"]


def test_every_call_of_the_live_service_answers_as_its_example(
    document: Json, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kept = json.loads((FOLDER / f"{LIVE}.json").read_text(encoding="utf-8"))
    live = {"riders", "tasks", "offers", "events", "emergencies", "studies", "station_reports"}
    live |= {"reports", "board", "matters", "points"}
    calls = {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method, call in item.items()
        if live & set(call["tags"])
    }
    assert set(kept) == calls | {"GET /metrics", "GET /v1/audit", "GET /v1/city"}
    folder = write_study(tmp_path_factory.mktemp("live") / "out")
    assert live_examples(folder) == kept, "write the examples anew: tests/helpers/openapi_examples.py"
    for call, one in kept.items():
        method, path = call.split()
        said = document["paths"][path][method.lower()]
        answered = said["responses"][str(one["status"])]
        if one["media_type"] is None:
            assert "content" not in answered
            continue
        content = answered["content"][one["media_type"]]
        assert content["example"] == one["response"]
        if one["media_type"] == "application/json":
            _check(one["response"], content["schema"], document)
        if one["request"] is not None:
            (body,) = said["requestBody"]["content"].values()
            assert body["example"] == one["request"]
            _check(one["request"], body["schema"], document)


def test_links_lead_from_answers_to_calls(document: Json) -> None:
    """Each names a call that there is, with a parameter that it has; its id stands in the example."""
    calls = {call["operationId"]: call for item in document["paths"].values() for call in item.values()}
    followed: set[str] = set()
    for path, item in document["paths"].items():
        for method, call in item.items():
            for status, answered in call["responses"].items():
                for link in answered.get("links", {}).values():
                    ((name, expression),) = link["parameters"].items()
                    parameters = calls[link["operationId"]]["parameters"]
                    assert f"path.{parameters[0]['name']}" == name
                    source, _, pointer = expression.partition("#/")
                    found = answered if source == "$response.body" else call["requestBody"]
                    example = found["content"]["application/json"].get("example")
                    for step in pointer.split("/") if example is not None else ():
                        example = example[int(step) if step.isdigit() else step]
                    assert example is None or isinstance(example, str), f"{method} {path} {status}"
                    followed |= {link["operationId"]} if example is not None else set()
    assert len(followed) > 25
    accepted = document["paths"]["/v1/offers/{offer_id}/accept"]["post"]["operationId"]
    assert accepted in followed


def test_every_status_of_tasks_and_offers_is_told_with_what_may_follow(document: Json) -> None:
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert set(tags) == {
        tag for item in document["paths"].values() for call in item.values() for tag in call["tags"]
    }
    assert not [status for status in TASK_STATUSES if f"| `{status}` |" not in tags["tasks"]]
    assert not [status for status in OFFER_STATUSES if f"`{status}`" not in tags["offers"]]
    assert not [kind for kind in EVENT_KINDS if f"`{kind}`" not in tags["events"]]


def test_no_prose_for_developers(document: Json) -> None:
    text = json.dumps(document, ensure_ascii=False)
    assert not re.findall(r"``|\bdef\b|pydantic|event loop|numpy|TODO|fastapi", text, re.IGNORECASE)
    assert " he " not in text
    assert datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d") not in text


def test_the_order_of_routes_changes_no_answer() -> None:
    # What answers on a quick way calls the handler of the same route (see test_quick_routes.py).
    asked = [route for route in _often_asked_first() if not isinstance(route, QuickRoute)]
    in_order = _routes()
    assert sorted(map(id, asked)) == sorted(map(id, in_order))
    tried = 0
    for path, methods in _document()["paths"].items():
        for method in methods.keys() & {"get", "put", "post", "delete", "patch"}:
            scope: dict[str, Any] = {"type": "http", "method": method.upper(), "root_path": "", "headers": []}
            scope["path"] = re.sub(r"{[^}]*}", "x", path)
            found = [
                next((route for route in routes if route.matches({**scope})[0] is Match.FULL), None)
                for routes in (in_order, asked)
            ]
            assert found[0] is found[1], (method, path)
            tried += found[0] is not None
    assert tried > 30
