"""Whether an event that arrived at an address of ours is from the service."""

from collections.abc import Mapping

from pydantic import BaseModel
from standardwebhooks import Webhook, WebhookVerificationError

from api.dispatch.forms import EventOut
from geo.errors import InputError

__all__ = ["verified"]


class _Sent(BaseModel):
    data: EventOut


def verified(secret: str, headers: Mapping[str, str], body: bytes) -> EventOut:
    """Return the event of a webhook whose signature holds.

    Parameters
    ----------
    secret : str
        As it was shown when the webhook was made.
    headers : mapping
        Of the request; names in any case.
    body : bytes
        The body as it arrived, before anything has parsed it.

    Returns
    -------
    EventOut

    Raises
    ------
    InputError
        Where the signature is another one, or the message is older than five minutes.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        Webhook(secret).verify(body, lower)
    except WebhookVerificationError as error:
        raise InputError(f"the event is not from the service: {str(error).lower()}") from None
    return _Sent.model_validate_json(body, extra="ignore").data
