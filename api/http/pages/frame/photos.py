"""Photos in forms of pages, and photos as pages show them."""

import re
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import Response

from api.civic.reports.photos import LARGEST_BYTES
from api.dispatch.desk import MissingError
from api.http.pages.frame.forms import MOST_FIELDS, TOKEN, Fields
from api.http.pages.frame.visit import PageVisit
from api.http.pages.frame.visitor import Visiting, check_token
from api.http.routes.civic.photos import kept
from api.store.civic import photos as rows
from geo.errors import InputError

__all__ = ["HELD", "Sent", "SentWithPhoto", "kept_photo", "shown_photo"]

HELD = "photo_held"
_NAME = re.compile("[0-9A-Za-z_-]{1,80}")


class Sent(NamedTuple):
    """A form as it was sent, with the picture in it."""

    fields: Fields
    picture: bytes
    """Empty: none."""

    @property
    def held(self) -> str:
        """Name of the photo that came with the form before, which was not good; empty: none."""
        name = self.fields.get(HELD, "")
        return name if _NAME.fullmatch(name) else ""


async def _sent(request: Request, visitor: Visiting) -> Sent:
    try:
        async with request.form(max_files=1, max_fields=MOST_FIELDS) as form:
            pairs: list[tuple[str, Any]] = list(form.multi_items())
            fields = Fields([(name, value) for name, value in pairs if isinstance(value, str)])
            check_token(request, visitor, fields.get(TOKEN, ""))
            photo, picture = form.get("photo"), b""
            if isinstance(photo, UploadFile) and photo.filename:
                picture = await photo.read(LARGEST_BYTES + 1)
    except MultiPartException as error:
        raise InputError(f"the form cannot be read: {error.message}") from None
    return Sent(fields, picture)


SentWithPhoto = Annotated[Sent, Depends(_sent)]
"""Ask for it in a handler: the fields of the form and its photo, sent by its reader."""


async def kept_photo(visit: PageVisit, sent: Sent) -> str:
    """Keep the picture of a form, written anew; return its name, empty without one.

    A form that comes back with what is wrong in it holds the name: nobody has to take the photo again.

    Raises
    ------
    InputError
        When it is too large, or no picture.
    StoreUnavailable
        When too many were sent that nothing uses yet.
    """
    if not sent.picture:
        return sent.held
    if len(sent.picture) > LARGEST_BYTES:
        raise InputError(f"the photo may have at most {LARGEST_BYTES} bytes")
    photo_id = visit.civic.ids()
    await kept(visit.live, sent.picture, photo_id)
    return photo_id


async def shown_photo(visit: PageVisit, photo_id: str) -> Response:
    """Return a photo that the reader may see.

    Raises
    ------
    MissingError
    """

    def read() -> rows.PhotoRow | None:
        with visit.live.database.reading() as connection:
            return rows.get(connection, visit.who, photo_id)

    found = await visit.read(read)
    if found is None:
        raise MissingError("there is no such photo")
    return Response(found.body, media_type="image/jpeg", headers={"cache-control": "no-store"})
