"""A client of the live service for Python: riders, tasks, offers, events, and the check of webhooks."""

from api.client.calls import Client
from api.client.problems import ProblemError
from api.client.stream import Received
from api.client.webhooks import verified

__all__ = ["Client", "ProblemError", "Received", "verified"]
