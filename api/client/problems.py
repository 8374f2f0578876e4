"""A refusal of the service as an error."""

import json
from collections.abc import Mapping
from typing import Any

import httpx2

from geo.errors import YiluError

__all__ = ["ProblemError"]


class ProblemError(YiluError):
    """The service refused a call (RFC 9457).

    Attributes
    ----------
    status : int
    kind : str
        The last part of `type`, such as ``conflict``.
    code : str
        Why a command does not fit (``closed``, ``late``, ...); empty for other refusals.
    body : mapping
        The whole answer.
    """

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body.get("detail") or body.get("title") or f"status {status}"))
        self.status, self.body = status, body
        self.kind = str(body.get("type", "")).rpartition("#")[2]
        self.code = str(body.get("code", ""))

    @classmethod
    def of(cls, answer: httpx2.Response) -> "ProblemError":
        """Make one of an answer that has been read; what stands between may have answered something else."""
        try:
            body = answer.json()
        except json.JSONDecodeError:
            body = None
        return cls(answer.status_code, body if isinstance(body, dict) else {})
