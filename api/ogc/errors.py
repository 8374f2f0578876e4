"""What is wrong with a request to the OGC door."""

from geo.errors import YiluError

__all__ = ["BadParameterError", "NoSuchFeatureError"]


class BadParameterError(YiluError):
    """A query parameter that is not known or has no such value; the standard asks for status 400."""


class NoSuchFeatureError(YiluError):
    """No collection or feature of that name."""
