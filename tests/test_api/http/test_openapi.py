"""The OpenAPI document: nothing in it without a description, a unit and an example, and the examples hold."""

import datetime
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openapi_examples import FOLDER, NOON, answer
from openapi_schema_validator import validate as validate_value
from openapi_spec_validator import validate
from tiny_study import write_study

from api.http.app import create_app
from api.http.openapi import EXAMPLES
from api.settings import Settings

Json = dict[str, Any]


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
    resolver = {"components": document["components"]}
    without = set()
    for where, one in _fields(document):
        refers = any("$ref" in part or "$ref" in part.get("items", {}) for part in _inside(one))
        examples = one.get("examples")
        if examples is None:
            if not refers and "Not mapped" not in one["description"]:
                without.add(where)
            continue
        for example in examples:
            validate_value(example, {**one, **resolver})
    assert without == set()


def test_every_call_has_an_example_that_holds(document: Json, client: TestClient) -> None:
    for path, item in document["paths"].items():
        for method, call in item.items():
            contents = call["responses"]["200"]["content"].values()
            assert any("example" in content for content in contents), path
            if method == "post":
                assert "example" in call["requestBody"]["content"]["application/json"], path
    for (method, path), name in EXAMPLES.items():
        kept = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        told = document["paths"][path][method]["responses"]["200"]["content"]["application/json"]["example"]
        assert answer(client, method, path) == kept, (
            "write the examples anew: tests/helpers/openapi_examples.py"
        )
        assert told == kept["response"]


def test_no_prose_for_developers(document: Json) -> None:
    text = json.dumps(document, ensure_ascii=False)
    assert not re.findall(r"``|\bdef\b|pydantic|event loop|numpy|TODO|fastapi", text, re.IGNORECASE)
    assert " he " not in text
    assert datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d") not in text
