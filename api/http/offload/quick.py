"""The riders of a large body, read straight into small records of the same names as their forms.

What is read so the forms would have let through, with the same values (instants to the microsecond). What is
refused here is read again by the forms, which say what is wrong with it.
"""

import datetime
import functools
import itertools
import operator
import re
import types
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

import annotated_types
import msgspec
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from api.matching.forms import MatchRequest, RiderIn, StopIn

__all__ = ["record_type", "riders_apart"]

FIRST_YEAR, LAST_YEAR = 2000, 2199
"""Instants of these years are within the bounds of the forms, except close to their ends."""
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
    if _letters(bound) is None:
        raise TypeError(f"no record knows the bound {bound}")
    # Looked at for all words of a body at once, see `_spelled`.
    return []


def _letters(bound: object) -> str | None:
    """Return the characters that a pattern allows in words, as a class of `re`; None: it says more."""
    found = WORD_OF.fullmatch(str(getattr(bound, "pattern", "")))
    return None if found is None else found[1]


@functools.cache
def _decoders() -> tuple[msgspec.json.Decoder[Any], msgspec.json.Decoder[Any]]:
    riders = MatchRequest.model_fields["riders"]
    kind = _kind(riders.annotation, riders.metadata)
    return msgspec.json.Decoder(dict[str, msgspec.Raw]), msgspec.json.Decoder(kind)


def _in_bounds(riders: Sequence[RiderIn], stops: Sequence[StopIn]) -> bool:
    """Whether all instants lie well within the bounds of the forms."""
    year, years = operator.attrgetter("year"), set[int]()
    for rows, names in ((riders, ("shift_start", "shift_end", "available_at")), (stops, ("earliest", "due"))):
        for name in names:
            years.update(map(year, filter(None, map(operator.attrgetter(name), rows))))
    for windows in filter(None, map(operator.attrgetter("windows"), stops)):
        years.update(end.year for window in windows for end in window)
    return not years or (min(years) > FIRST_YEAR and max(years) < LAST_YEAR)


def _spelled(riders: Sequence[RiderIn], stops: Sequence[StopIn]) -> bool:
    """Whether all words consist of the characters that their forms let through.

    One look at tens of thousands of words after each other takes a millisecond, one at each takes 30.
    """
    for form, rows in ((RiderIn, riders), (StopIn, stops)):
        for name, (letters, several) in _worded(form).items():
            given = map(operator.attrgetter(name), rows)
            words = itertools.chain.from_iterable(given) if several else given
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
    stops = list(itertools.chain.from_iterable(map(operator.attrgetter("stops"), riders)))
    if not (_spelled(riders, stops) and _in_bounds(riders, stops)):
        return None
    rest = b",".join(msgspec.json.encode(name) + b":" + bytes(part) for name, part in parts.items())
    return riders, b"{" + rest + b"}"
