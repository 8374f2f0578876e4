"""What is wrong with a field, by its kind of error: a sentence of the catalogue with what is allowed there.

The library's own words are English, change between its versions, and know neither the range of a field nor
the names beside it. The value itself is never repeated: it may be the position of a rider.
"""

import datetime
import difflib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from api.forms import Language
from api.http.problems.texts import sentence
from geo.errors import InputError
from maps.texts import Catalogue, catalogue

__all__ = ["field_text"]

LARGEST_LAT = 90
LARGEST_LON = 180
DEGREES = {
    "lat": {"ge": f"-{LARGEST_LAT}", "le": f"{LARGEST_LAT}"},
    "lon": {"ge": f"-{LARGEST_LON}", "le": f"{LARGEST_LON}"},
}
"""What is allowed of parameters, which stand in no form."""
_EXAMPLE = {"datetime": "2026-03-04T12:00:00+08:00", "date": "2026-03-04", "time": "12:00:00"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_QUOTED = re.compile(r"'([^']*)'")


def field_text(
    error: Mapping[str, Any], form: type[BaseModel] | None, place: Sequence[int | str], lang: Language
) -> str:
    """Return what is wrong with a field, and what it probably is instead.

    Parameters
    ----------
    error : mapping
        Of pydantic's `errors`.
    form : type of BaseModel, optional
        The form that was read, to tell its ranges and names.
    place : sequence of int or str
        Where in the form.
    lang : {"zh", "en"}

    Returns
    -------
    str
        Without an end mark, as the sentences of the catalogue are.
    """
    texts, kind, given = catalogue(lang), str(error["type"]), error.get("input")
    facts = {name: _fact(value) for name, value in error.get("ctx", {}).items() if name != "error"}
    name = str(place[-1]) if place else ""
    known = _bounds(form, place) or DEGREES.get(name, {})
    if kind == "value_error":
        return _own(error, lang)
    if kind == "extra_forbidden":
        near = _nearest(name, _names(form, place))
        return texts.text("field.extra_near", name=near) if near else texts.text("field.extra_forbidden")
    if kind == "literal_error":
        return _choice(texts, str(error["ctx"]["expected"]), given)
    if kind in ("less_than_equal", "greater_than_equal") and len(known) == 2:
        told = texts.text("field.between", **known)
    else:
        key = f"field.{kind}"
        if key not in texts:
            # A kind of our own, with a sentence of its own.
            return sentence(str(error["msg"]), lang)
        told = texts.text(key, **facts, **_example(kind))
    hint = _hint(error, name, known)
    return (
        told if hint is None else texts.text("field.hinted", what=told, hint=texts.text(f"field_hint.{hint}"))
    )


def _number(given: object) -> object:
    """Return a text that is a number as one, anything else as it is."""
    try:
        return float(given) if isinstance(given, str) else given
    except ValueError:
        return given


def _fact(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value.isoformat() if isinstance(value, datetime.datetime) else str(value)


def _example(kind: str) -> dict[str, str]:
    """Return how a date or a time is written, for those kinds of error that want it."""
    return {"example": _EXAMPLE.get(kind.partition("_")[0], _EXAMPLE["datetime"])}


def _own(error: Mapping[str, Any], lang: Language) -> str:
    """Return what a check of our own says."""
    made = error.get("ctx", {}).get("error")
    said = made.text(lang) if isinstance(made, InputError) else str(made)
    return sentence(said, lang)


def _choice(texts: Catalogue, expected: str, given: object) -> str:
    """Return the values that are allowed, and the one that was probably meant."""
    words = _QUOTED.findall(expected)
    told = texts.text("field.literal_error", choices=texts.text("field.or").join(words or [expected]))
    near = _nearest(given, words) if isinstance(given, str) else None
    if near is None:
        return told
    return texts.text("field.hinted", what=told, hint=texts.text("field_hint.meant", name=near))


def _nearest(word: str, known: Sequence[str]) -> str | None:
    """Return the name that a word was probably meant to be."""
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in known}
    found = difflib.get_close_matches(re.sub(r"[^a-z0-9]", "", word.lower()), plain, 1, 0.75)
    return plain[found[0]] if found else None


def _hint(error: Mapping[str, Any], name: str, known: Mapping[str, str]) -> str | None:
    """Return what a value probably is instead, by the key of its text."""
    kind, given = error["type"], error.get("input")
    if kind in ("greater_than_equal", "less_than_equal"):
        # Parameters of an address are text.
        given = _number(given)
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if kind in ("greater_than_equal", "less_than_equal") and isinstance(given, int | float):
        return _hint_of_number(name, abs(float(given)), error["ctx"], known)
    if kind in ("float_parsing", "int_parsing") and re.fullmatch(r"\s*-?\d+,\d+\s*", str(given)):
        return "comma"
    if kind in ("string_type", "literal_error") and number:
        return "quotes"
    if kind in ("list_type", "tuple_type") and isinstance(given, dict | str):
        return "brackets"
    if kind == "string_pattern_mismatch" and _CONTROL.search(str(given)):
        return "control"
    if kind in ("model_type", "model_attributes_type", "dict_type") and isinstance(given, list):
        return "braces"
    return None


def _hint_of_number(
    name: str, size: float, context: Mapping[str, Any], known: Mapping[str, str]
) -> str | None:
    if isinstance(context.get("le", context.get("ge")), datetime.datetime):
        return "epoch"
    if name in ("lon", "lat"):
        largest = LARGEST_LON if name == "lon" else LARGEST_LAT
        if size >= 1e5:
            return "scaled" if size <= largest * 1e7 else None
        return "swapped" if name == "lat" and size <= LARGEST_LON else None
    most = known.get("le", "")
    # Whatever is in seconds is sent in milliseconds by those whose own clocks count so.
    late = name.endswith("_s") and most and float(most) < size <= float(most) * 1000
    return "milliseconds" if late and size >= 1000 else None


# -- the form


def _steps(form: type[BaseModel] | None, place: Sequence[int | str]) -> Iterator[tuple[type[BaseModel], str]]:
    """Give the forms on the way to a place, each with the name of the field that is asked for."""
    for part in place:
        if form is None:
            return
        if not isinstance(part, str):
            continue
        found = form.model_fields.get(part)
        if found is None and any(part == one.alias for one in form.model_fields.values()):
            found = next(one for one in form.model_fields.values() if one.alias == part)
        yield form, part
        form = None if found is None else next(_forms(found.annotation), None)


def _forms(annotation: object) -> Iterator[type[BaseModel]]:
    """Give the forms in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _forms(part)


def _names(form: type[BaseModel] | None, place: Sequence[int | str]) -> list[str]:
    """Return the fields that there are beside a place."""
    forms = [one for one, _ in _steps(form, place)]
    return [field.alias or name for name, field in forms[-1].model_fields.items()] if forms else []


def _bounds(form: type[BaseModel] | None, place: Sequence[int | str]) -> dict[str, str]:
    """Return the least and the greatest value of a field, as far as it has them."""
    found: FieldInfo | None = None
    for last, name in _steps(form, place):
        found = last.model_fields.get(name)
    if found is None:
        return {}
    metadata = itertools.chain(found.metadata, _inner(found.annotation))
    limits = {}
    for one in metadata:
        for side in ("ge", "le"):
            if getattr(one, side, None) is not None:
                limits[side] = _fact(getattr(one, side))
    return limits


def _inner(annotation: object) -> Iterator[object]:
    """Give the bounds in an annotation that is optional."""
    if get_origin(annotation) is Annotated:
        for one in get_args(annotation)[1:]:
            yield from getattr(one, "metadata", [one])
    elif get_origin(annotation) is not tuple:
        for part in get_args(annotation):
            yield from _inner(part)
