"""The root of the one error tree. Every message is one sentence a user can act on."""

__all__ = ["InfeasibleError", "InputError", "OffNetworkError", "YiluError"]


class YiluError(Exception):
    """Root of every error that Yilu raises on purpose."""


class InputError(YiluError, ValueError):
    """Input that cannot be used: the sentence names file, row, column and the allowed range."""


class OffNetworkError(InputError):
    """A place that lies on no street of the network within the allowed walk."""


class InfeasibleError(YiluError, ValueError):
    """A well-formed problem without a solution: the sentence names the constraint and by how much."""
