"""The one error of this door: an HTTP status and a sentence, as the specification wants them."""

from geo.errors import InputError

__all__ = ["Open311Error"]


class Open311Error(InputError):
    """A request that the specification answers with an error.

    Parameters
    ----------
    status : int
        400: something is missing or wrong; 404: the service, request, token or jurisdiction is not known.
    description : str
        One sentence.
    """

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status, self.description = status, description
