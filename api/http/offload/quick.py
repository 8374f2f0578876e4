"""The riders of a large body, read straight into small records of the same names as their forms.

What is read so the forms would have let through, with the same values (instants to the microsecond). What is
refused here is read again by the forms, which say what is wrong with it.
"""

import datetime
import functools
import operator
import types
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

import annotated_types
import msgspec
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from api.matching.forms import MatchRequest, RiderIn

__all__ = ["record_type", "riders_apart"]

FIRST_YEAR, LAST_YEAR = 2000, 2199
"""Instants of these years are within the bounds of the forms, except close to their ends."""


@functools.cache
def record_type(form: type[BaseModel]) -> type[msgspec.Struct]:
    """Return the record with the fields, bounds and defaults of a form."""
    fields: list[Any] = []
    for name, field in form.model_fields.items():
        kind = _kind(field.annotation, field.metadata)
        fields.append((name, kind) if field.is_required() else (name, kind, field.default))
    return msgspec.defstruct(
        form.__name__, fields, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True
    )


def _kind(annotation: Any, bounds: Sequence[object]) -> Any:  # noqa: ANN401
    """Return a type of a form as msgspec knows it; `bounds` are those of pydantic."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [one for part in parts[1:] if isinstance(part, FieldInfo) for one in part.metadata]
        return _kind(parts[0], [*bounds, *inner])
    if origin in (Union, types.UnionType):
        kinds = (None if part is type(None) else _kind(part, bounds) for part in parts)
        return functools.reduce(operator.or_, kinds)
    if origin is Literal:
        return annotation
    if annotation is AwareDatetime:
        # Of instants only the year is looked at, see `_in_bounds`.
        return Annotated[datetime.datetime, msgspec.Meta(tz=True)]
    limits = {name: value for bound in bounds for name, value in _limits(bound)}
    if origin is tuple:
        open_end = len(parts) == 2 and parts[1] is ...
        items = [part if part is ... else _kind(part, []) for part in parts]
        kind: Any = tuple.__class_getitem__(tuple(items))
        return Annotated[kind, msgspec.Meta(**limits)] if open_end and limits else kind
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return record_type(annotation)
    if annotation not in (str, int, float):
        raise TypeError(f"no record is made of {annotation}")
    return Annotated[annotation, msgspec.Meta(**limits)] if limits else annotation


def _limits(bound: object) -> list[tuple[str, Any]]:
    if isinstance(bound, annotated_types.Ge):
        return [("ge", bound.ge)]
    if isinstance(bound, annotated_types.Le):
        return [("le", bound.le)]
    if isinstance(bound, annotated_types.MinLen):
        return [("min_length", bound.min_length)]
    if isinstance(bound, annotated_types.MaxLen):
        return [("max_length", bound.max_length)]
    pattern = getattr(bound, "pattern", None)
    if not isinstance(pattern, str):
        raise TypeError(f"no record knows the bound {bound}")
    # At its end, Python's $ lets a line feed through.
    return [("pattern", pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)]


@functools.cache
def _decoders() -> tuple[msgspec.json.Decoder[Any], msgspec.json.Decoder[Any]]:
    riders = MatchRequest.model_fields["riders"]
    kind = _kind(riders.annotation, riders.metadata)
    return msgspec.json.Decoder(dict[str, msgspec.Raw]), msgspec.json.Decoder(kind)


def _in_bounds(riders: Sequence[RiderIn]) -> bool:
    """Whether all instants lie well within the bounds of the forms."""
    given = [one for rider in riders for one in (rider.shift_start, rider.shift_end, rider.available_at)]
    for rider in riders:
        for stop in rider.stops:
            given += (stop.earliest, stop.due)
            if stop.windows is not None:
                given += [end for window in stop.windows for end in window]
    years = {one.year for one in given if one is not None}
    return not years or (min(years) > FIRST_YEAR and max(years) < LAST_YEAR)


def riders_apart(body: bytes) -> tuple[tuple[RiderIn, ...], bytes] | None:
    """Return the riders of a body as records, and the body without them.

    Parameters
    ----------
    body : bytes
        JSON of a form whose field ``riders`` is a tuple of `RiderIn`.

    Returns
    -------
    riders, rest : tuple of records that stand for `RiderIn`, bytes; or None
        None where the form must read the whole body itself.
    """
    whole, several = _decoders()
    try:
        parts: dict[str, msgspec.Raw] = whole.decode(body)
        riders = cast(tuple[RiderIn, ...], several.decode(parts.pop("riders")))
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, RecursionError):
        return None
    if not _in_bounds(riders):
        return None
    rest = b",".join(msgspec.json.encode(name) + b":" + bytes(part) for name, part in parts.items())
    return riders, b"{" + rest + b"}"
