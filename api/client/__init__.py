"""A client of the live service for Python: riders, tasks, offers, events, checks of what is signed."""

from api.client.calls import Client
from api.client.problems import ProblemError
from api.client.stream import Received
from api.client.webhooks import verified
from api.statements import read_statement
from routing.civic import lateness_left_s

__all__ = ["Client", "ProblemError", "Received", "lateness_left_s", "read_statement", "verified"]
