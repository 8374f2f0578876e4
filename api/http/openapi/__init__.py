"""The OpenAPI document: fields and values with their meaning, unit and example, and a sample of each call."""

import functools
import importlib.resources
import json
import tomllib
from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from api.http.openapi.links import add_links

__all__ = ["EXAMPLES", "LIVE", "documented", "unit_of"]

Json = dict[str, Any]

EXAMPLES = {
    ("get", "/healthz"): "health",
    ("get", "/readyz"): "ready",
    ("get", "/v1/grids"): "grids",
    ("get", "/v1/meetings"): "meetings",
    ("get", "/v1/blind-spots"): "blind-spots",
    ("get", "/v1/stations/nearest"): "nearest",
    ("get", "/v1/stations/break"): "break",
    ("get", "/v1/stations/{station_id}"): "station",
    ("post", "/v1/matches"): "matches",
    ("post", "/v1/alerts"): "alerts",
    ("post", "/v1/slots"): "slots",
    ("post", "/v1/vroom"): "vroom",
}
"""Files below ``examples``, by method and path."""
LIVE = "live"
"""File with the calls of the live service in the order in which they were made, by method and path."""
_REPEATABLE = (
    "/v1/tasks", "/v1/offers", "/v1/webhooks", "/v1/emergencies", "/v1/alerts/", "/v1/studies", "/v1/matters",
    "/v1/reports", "/v1/riders/me", "/v1/catalogue", "/v1/ledger",
)  # fmt: skip
_TOLD_APART = "/v1/studies/upload"
"""Uploads are told apart by name and contents."""
_FILES = {
    "/map": ("text/html", '<!doctype html><html lang="zh">...</html>'),
    "/match-map": ("text/html", '<!doctype html><html lang="zh">...</html>'),
    "/reports/{form}": ("text/html", '<!doctype html><html lang="zh">...</html>'),
    "/layers/edits.{form}": ("application/geo+json", {"type": "FeatureCollection", "features": []}),
    "/layers/sites.{form}": ("application/geo+json", {"type": "FeatureCollection", "features": []}),
    "/v1/stations/{station_id}/qr.svg": (
        "image/svg+xml",
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 37 37"><path d="..."/></svg>',
    ),
}
_SUFFIXES = {"_s": "s", "_m": "m", "_min": "min"}


def unit_of(name: str) -> str | None:
    """Return the unit that a name tells, as UCUM writes it; None where it tells none."""
    return next((unit for suffix, unit in _SUFFIXES.items() if name.endswith(suffix)), None)


def documented(title: str, description: str, routes: Sequence[BaseRoute]) -> Json:
    """Return the OpenAPI document of an application with these routes."""
    made = get_openapi(
        title=title,
        version="1",
        description=description,
        routes=routes,
        tags=[{"name": name, "description": said["text"]} for name, said in _table("tags").items()],
    )
    for name, schema in made["components"]["schemas"].items():
        _value(schema)
        for field, one in schema.get("properties", {}).items():
            _describe(one, field, _said(name, field))
    for path, item in made["paths"].items():
        for method, call in item.items():
            if method == "post" and path.startswith(_REPEATABLE) and path != _TOLD_APART:
                call.setdefault("parameters", []).append(_idempotency_key())
            for parameter in call.get("parameters", ()):
                _parameter(parameter, path, made["components"]["schemas"])
            _example(call, method, path)
    add_links(made["paths"])
    return made


@functools.cache
def _table(name: str) -> dict[str, dict[str, Any]]:
    text = (importlib.resources.files(__name__) / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _said(form: str, field: str) -> Json:
    """Return what the table says about a field: its own form first, then what holds for all."""
    fields = _table("fields")
    for group in (form, "vroom" if form.startswith("Vroom") else "any", "any"):
        if field in fields.get(group, {}):
            found: Json = fields[group][field]
            return found
    return {}


def _describe(schema: Json, name: str, said: Json) -> None:
    if "text" in said:
        schema["description"] = said["text"]
    if "example" in said:
        schema["examples"] = [said["example"]]
    unit = said.get("unit") or unit_of(name)
    if unit is not None:
        schema["x-unit"] = unit
    _value(schema)


def _value(schema: Json) -> None:
    """Say what the values of an enumeration mean, wherever in a field it stands."""
    inside = [schema, schema.get("items", {}), *schema.get("anyOf", ())]
    for values in (one["enum"] for one in inside if "enum" in one):
        for table in _table("values").values():
            if set(table) == set(values):
                schema["x-enum-descriptions"] = {value: table[value] for value in values}
                listed = "; ".join(f"`{value}`: {table[value]}" for value in values)
                schema["description"] = f"{schema.get('description', '')} {listed}.".strip()


def _idempotency_key() -> Json:
    # It is read before any handler, so no handler declares it.
    schema = {"type": "string", "minLength": 1, "maxLength": 128, "title": "Idempotency-Key"}
    return {"name": "idempotency-key", "in": "header", "required": False, "schema": schema}


def _parameter(parameter: Json, path: str, forms: Json) -> None:
    tables = _table("fields")
    said: Json = tables.get(path, {}).get(parameter["name"]) or tables["query"].get(parameter["name"], {})
    schema = parameter["schema"]
    if "$ref" in schema:
        # An enumeration of the path: its first value is as good an example as any.
        said = {"example": forms[schema["$ref"].rpartition("/")[2]]["enum"][0], **said}
    _describe(schema, parameter["name"], said)
    parameter["description"] = schema.get("description", parameter.get("description", ""))
    if "example" in said:
        parameter["example"] = said["example"]


def _example(call: Json, method: str, path: str) -> None:
    if path in _FILES:
        kind, example = _FILES[path]
        call["responses"]["200"].setdefault("content", {}).setdefault(kind, {})["example"] = example
    kept = _live_examples().get(f"{method.upper()} {path}")
    if kept is not None:
        _live_example(call, kept)
    if (method, path) not in EXAMPLES:
        return
    answers = call["responses"]["200"]
    file = importlib.resources.files(__name__) / "examples" / f"{EXAMPLES[method, path]}.json"
    example = json.loads(file.read_text(encoding="utf-8"))
    answers["content"]["application/json"]["example"] = example["response"]
    if method == "post":
        call["requestBody"]["content"]["application/json"]["example"] = example["request"]


@functools.cache
def _live_examples() -> dict[str, Json]:
    file = importlib.resources.files(__name__) / "examples" / f"{LIVE}.json"
    found: dict[str, Json] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _live_example(call: Json, kept: Json) -> None:
    """Put what was sent and answered into a call; a text answer stands under its own media type."""
    answers = call["responses"][str(kept["status"])]
    if kept["media_type"] is not None:
        answers.setdefault("content", {}).setdefault(kept["media_type"], {})["example"] = kept["response"]
    if kept["request"] is not None:
        (body,) = call["requestBody"]["content"].values()
        body["example"] = kept["request"]
