"""The riders of a large body, read by small records of the same names as their forms into columns.

What is read so the forms would have let through, with the same values (instants to the microsecond). What is
refused here is read again by the forms, which say what is wrong with it.
"""

import datetime
import functools
import itertools
import operator
import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import msgspec
import numpy as np
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from api.http.offload.epochs import epochs_of
from api.matching.columns import RIDER_INSTANTS, STOP_INSTANTS, SentRiders
from api.matching.forms import FIRST, LAST, RiderIn, StopIn, Windows
from geo.arrays import FloatArray

__all__ = ["record_type", "riders_apart"]

WORD_OF = re.compile(r"\^(\[[^\]]+\])\+\$")
"""Patterns that name the characters of a word and nothing else."""


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


def _kind(annotation: Any, bounds: Sequence[object], *, listed: bool = False) -> Any:  # noqa: ANN401
    """Return a type of a form as msgspec knows it; `bounds` are those of pydantic, `listed`: in a list."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [one for part in parts[1:] if isinstance(part, FieldInfo) for one in part.metadata]
        return _kind(parts[0], [*bounds, *inner], listed=listed)
    if origin in (Union, types.UnionType):
        kinds = (None if part is type(None) else _kind(part, bounds) for part in parts)
        return functools.reduce(operator.or_, kinds)
    if origin is Literal:
        return annotation
    if annotation is AwareDatetime:
        # The others are read all at once, see `epochs_of`.
        return Annotated[datetime.datetime, msgspec.Meta(tz=True)] if listed else str
    limits = {name: value for bound in bounds for name, value in _limits(bound)}
    if origin is tuple:
        open_end = len(parts) == 2 and parts[1] is ...
        items = [part if part is ... else _kind(part, [], listed=True) for part in parts]
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
    if _letters(bound) is None:
        raise TypeError(f"no record knows the bound {bound}")
    # Looked at for all words of a body at once, see `_spelled`.
    return []


def _letters(bound: object) -> str | None:
    """Return the characters that a pattern allows in words, as a class of `re`; None: it says more."""
    found = WORD_OF.fullmatch(str(getattr(bound, "pattern", "")))
    return None if found is None else found[1]


@functools.cache
def _decoder(form: type[BaseModel]) -> msgspec.json.Decoder[msgspec.Struct]:
    """Return what reads the riders of a form, and finds where its other fields begin and end."""
    riders = form.model_fields["riders"]
    others = [name for name in form.model_fields if name != "riders"]
    fields: list[Any] = [("riders", _kind(riders.annotation, riders.metadata))]
    fields += [(name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for name in others]
    whole = msgspec.defstruct("Body", fields, frozen=True, kw_only=True, forbid_unknown_fields=True)
    return msgspec.json.Decoder(whole)


def _columns(form: type[BaseModel], rows: Sequence[msgspec.Struct]) -> dict[str, list[Any]]:
    """Return records as columns by the names of their fields."""
    names = list(form.model_fields)
    # One row after the other: no thousands of tuples are alive at once, for Python to look through.
    values = list(itertools.chain.from_iterable(map(msgspec.structs.astuple, rows)))
    return {name: values[at :: len(names)] for at, name in enumerate(names)}


def _windows_in_bounds(several: Sequence[Windows | None]) -> bool:
    """Whether the instants of windows lie well within the bounds of the forms."""
    instants = (one for windows in filter(None, several) for window in windows for one in window)
    return all(FIRST < one < LAST for one in instants)


def _spelled(form: type[BaseModel], columns: Mapping[str, Sequence[Any]]) -> bool:
    """Whether all words consist of the characters that a form lets through.

    One look at tens of thousands of words after each other takes a millisecond, one at each takes 30.
    """
    for name, (letters, several) in _worded(form).items():
        words = itertools.chain.from_iterable(columns[name]) if several else columns[name]
        if not letters.fullmatch("".join(words)):
            return False
    return True


@functools.cache
def _worded(form: type[BaseModel]) -> dict[str, tuple[re.Pattern[str], bool]]:
    """Return the fields of a form that have a pattern: the text of such words, and whether it is a list."""
    found = {}
    for name, field in form.model_fields.items():
        item = next(iter(get_args(field.annotation)), None)
        several = get_origin(field.annotation) is tuple and get_origin(item) is Annotated
        bounds = field.metadata
        if several:
            bounds = [one for part in get_args(item)[1:] for one in getattr(part, "metadata", [])]
        for letters in filter(None, map(_letters, bounds)):
            found[name] = re.compile(f"{letters}*"), several
    return found


def riders_apart(form: type[BaseModel], body: bytes) -> tuple[SentRiders, bytes] | None:
    """Return the riders of a body in columns, and the body without them.

    Parameters
    ----------
    form : type of BaseModel
        With a field ``riders`` that is a tuple of `RiderIn`.
    body : bytes
        JSON of it.

    Returns
    -------
    riders, rest : SentRiders, bytes; or None
        None where the form must read the whole body itself.
    """
    try:
        whole = _decoder(form).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    parts = msgspec.structs.asdict(whole)
    records = parts.pop("riders")
    each = [record.stops for record in records]
    riders = _columns(RiderIn, records)
    del riders["stops"]
    stops = _columns(StopIn, list(itertools.chain.from_iterable(each)))
    of_riders = {name: epochs_of(riders[name]) for name in RIDER_INSTANTS}
    of_stops = {name: epochs_of(stops[name]) for name in STOP_INSTANTS}
    first = _read(of_riders), _read(of_stops)
    fine = _spelled(RiderIn, riders) and _spelled(StopIn, stops) and _windows_in_bounds(stops["windows"])
    if first[0] is None or first[1] is None or not fine:
        return None
    given = ((name, part) for name, part in parts.items() if part is not msgspec.UNSET)
    rest = b",".join(msgspec.json.encode(name) + b":" + bytes(part) for name, part in given)
    counts = np.array(list(map(len, each)), np.int64)
    return SentRiders(riders, stops, first[0], first[1], counts), b"{" + rest + b"}"


def _read(instants: Mapping[str, FloatArray | None]) -> dict[str, FloatArray] | None:
    read = {name: column for name, column in instants.items() if column is not None}
    return read if len(read) == len(instants) else None
