"""Forms of pages: read, their token checked, and turned into the same forms as those of the API."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.formparsers import MultiPartException

from api.http.pages.frame.visitor import Visiting, Visitor, check_token
from api.http.problems.fields import FieldError
from geo.errors import InputError

__all__ = ["TOKEN", "Fields", "Posted", "number", "read_form"]

TOKEN = "form_token"  # noqa: S105 - the name of a field
MOST_FIELDS = 60
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


def read_form(form: type[F], values: Mapping[str, Any]) -> F:
    """Return a form of the API, made of what was filled in.

    Raises
    ------
    FieldError
        The sentence names the first field that cannot be used.
    """
    try:
        return form.model_validate(values)
    except ValidationError as error:
        raise FieldError(form, error) from None


def number(fields: Mapping[str, str], name: str, otherwise: float | None = None) -> float:
    """Return a field as a number.

    Raises
    ------
    InputError
        Where it is none.
    """
    try:
        text = fields[name]
    except KeyError:
        if otherwise is None:
            raise InputError(f"{name} is missing") from None
        return otherwise
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{name} must be a number") from None
