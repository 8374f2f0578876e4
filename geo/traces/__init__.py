"""Trace files of every make into checked points of pseudonyms, with an account of every row."""

from geo.traces.datum_evidence import DOUBTS, moving_share_on_streets
from geo.traces.distributed import Cluster, Scheduler, map_traces_on
from geo.traces.files.hints import hint
from geo.traces.formats import TraceFormat
from geo.traces.inspect import (
    Inspection,
    check_headers,
    inspect_file,
    paste_table,
    quoted_path,
    trace_files,
    traces_tables,
)
from geo.traces.place_evidence import FEWEST_PLACES, PlaceEvidence
from geo.traces.points import Account, Traces, concat_traces
from geo.traces.read import ReadResult, read_traces, refuse_unusable
from geo.traces.rows.riders import Pseudonyms

__all__ = [
    "DOUBTS",
    "FEWEST_PLACES",
    "Account",
    "Cluster",
    "Inspection",
    "PlaceEvidence",
    "Pseudonyms",
    "ReadResult",
    "Scheduler",
    "TraceFormat",
    "Traces",
    "check_headers",
    "concat_traces",
    "hint",
    "inspect_file",
    "map_traces_on",
    "moving_share_on_streets",
    "paste_table",
    "quoted_path",
    "read_traces",
    "refuse_unusable",
    "trace_files",
    "traces_tables",
]
