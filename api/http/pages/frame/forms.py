"""Forms of pages: read, their token checked, and turned into the same forms as those of the API."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import AllowInfNan, BaseModel, Field, TypeAdapter, ValidationError
from starlette.formparsers import MultiPartException

from api.forms import Language
from api.http.pages.frame.visitor import Visiting, Visitor, check_token
from api.http.problems.fields import field_text
from api.http.problems.texts import sentence
from geo.errors import InputError

__all__ = [
    "CHOOSE",
    "FILL_IN",
    "TOKEN",
    "Fields",
    "FieldsError",
    "Posted",
    "number",
    "read_form",
    "whole_number",
]

TOKEN = "form_token"  # noqa: S105 - the name of a field
MOST_FIELDS = 60
CHOOSE, FILL_IN = "Please choose one of those listed", "Please fill this in"
Why = str | Mapping[Language, str]
Span = tuple[float | None, float | None]
_INPUTS = {"lon": "place_lon", "lat": "place_lat", "service_s": "minutes", "latest": "hours"}
"""Fields of the API that pages call otherwise."""
F = TypeVar("F", bound=BaseModel)


class Fields(Mapping[str, str]):
    """The fields of a form that was sent; what was not filled in is not there."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        # Blanks around words are the keyboard's; nobody means them.
        self._pairs = [(name, value.strip()) for name, value in pairs if value.strip()]
        self._last = dict(self._pairs)

    def __getitem__(self, name: str) -> str:
        return self._last[name]

    def __iter__(self) -> Any:  # noqa: ANN401
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)

    def all(self, name: str) -> list[str]:
        """Return all values of a field, such as of boxes that were ticked."""
        return [value for known, value in self._pairs if known == name]


async def fields_of(request: Request, visitor: Visitor) -> Fields:
    """Read a form without files, and check its token.

    Raises
    ------
    StaleFormError, InputError
    """
    try:
        form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    except MultiPartException as error:
        raise InputError(f"the form cannot be read: {error.message}") from None
    fields = Fields([(name, value) for name, value in form.multi_items() if isinstance(value, str)])
    check_token(request, visitor, fields.get(TOKEN, ""))
    return fields


async def _posted(request: Request, visitor: Visiting) -> Fields:
    return await fields_of(request, visitor)


Posted = Annotated[Fields, Depends(_posted)]
"""Ask for it in a handler: the fields of the form, sent by its reader."""


class FieldsError(InputError):
    """Fields of a form that cannot be used.

    Parameters
    ----------
    fields : mapping of str to str
        Names of fields, as the page's form has them, and why: a sentence of the catalogue, or one in each
        language.
    """

    def __init__(self, fields: Mapping[str, Why]) -> None:
        self._fields = dict(fields)
        super().__init__("; ".join(f"{name}: {why}" for name, why in self.each("en").items()))

    def each(self, lang: Language) -> dict[str, str]:
        """Return what is wrong with each field, in a language."""
        return {
            name: sentence(why, lang) if isinstance(why, str) else why[lang]
            for name, why in self._fields.items()
        }


def read_form(form: type[F], values: Mapping[str, Any]) -> F:
    """Return a form of the API, made of what was filled in.

    Raises
    ------
    FieldsError
        All fields that cannot be used.
    """
    try:
        return form.model_validate(values)
    except ValidationError as error:
        wrong: dict[str, Why] = {}
        for one in error.errors(include_url=False):
            names = [part for part in one["loc"] if isinstance(part, str)]
            name = names[-1] if names else ""
            wrong.setdefault(_INPUTS.get(name, name), _why(one, form, one["loc"]))
        raise FieldsError(wrong) from None


def _why(error: Mapping[str, Any], form: type[BaseModel] | None, place: Sequence[int | str]) -> Why:
    if error["type"] in ("literal_error", "enum"):
        # What may be chosen stands on the page, in words.
        return CHOOSE
    if error["type"] == "missing" or error.get("ctx", {}).get("min_length") == 1:
        return FILL_IN
    return {lang: field_text(error, form, place, lang) for lang in ("zh", "en")}


def number(
    fields: Mapping[str, str], name: str, otherwise: float | None = None, span: Span = (None, None)
) -> float:
    """Return a field as a finite number within a span.

    Raises
    ------
    FieldsError
        Where it is none, or outside.
    """
    return float(_parsed(fields, name, otherwise, TypeAdapter(_bounded(float, span))))


def whole_number(
    fields: Mapping[str, str], name: str, otherwise: int | None = None, span: Span = (None, None)
) -> int:
    """Return a field as a whole number within a span.

    Raises
    ------
    FieldsError
        Where it is none, or outside.
    """
    return int(_parsed(fields, name, otherwise, TypeAdapter(_bounded(int, span))))


def _bounded(kind: type[float], span: Span) -> Any:  # noqa: ANN401 - a type of pydantic's
    bounds = Field(ge=span[0], le=span[1])
    return Annotated[kind, bounds, AllowInfNan(False)] if kind is float else Annotated[kind, bounds]


def _parsed(fields: Mapping[str, str], name: str, otherwise: float | None, kind: TypeAdapter[float]) -> float:
    if name not in fields:
        if otherwise is None:
            raise FieldsError({name: FILL_IN})
        return otherwise
    try:
        return kind.validate_python(fields[name])
    except ValidationError as error:
        raise FieldsError({name: _why(error.errors(include_url=False)[0], None, (name,))}) from None
