"""Trace files of every make into checked points of pseudonyms, with an account of every row."""

from geo.traces.distributed import Scheduler, map_traces_on
from geo.traces.formats import TraceFormat
from geo.traces.points import Account, Traces, concat_traces
from geo.traces.read import ReadResult, read_traces

__all__ = [
    "Account",
    "ReadResult",
    "Scheduler",
    "TraceFormat",
    "Traces",
    "concat_traces",
    "map_traces_on",
    "read_traces",
]
