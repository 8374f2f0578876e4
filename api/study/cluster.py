"""The one seam to a Dask cluster: traces are read and checked on its workers."""

import contextlib
import importlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api.study.studyfile.inputs import TraceInput
from geo.errors import InputError
from geo.streets import StreetNetwork
from geo.traces import (
    Cluster,
    Pseudonyms,
    ReadResult,
    Scheduler,
    Traces,
    concat_traces,
    map_traces_on,
    refuse_unusable,
)

__all__ = ["connected", "read_on_cluster"]

CONNECT_S = 10


@contextlib.contextmanager
def connected(address: str) -> Iterator[Any]:
    """Yield a client of the scheduler at `address`, such as ``tcp://10.0.0.5:8786``.

    Raises
    ------
    InputError
        When the extra ``cluster`` is not installed, or nobody answers there.
    """
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise InputError("--scheduler needs the extra 'cluster' of yilu (Dask distributed)") from None
    try:
        client = distributed.Client(address, timeout=CONNECT_S)
    except (OSError, ValueError):
        raise InputError(f"--scheduler {address}: no Dask scheduler answers there ({CONNECT_S} s)") from None
    with client:
        yield client


def read_on_cluster(
    scheduler: Scheduler,
    given: TraceInput,
    network: StreetNetwork,
    key: bytes,
    rejects: Path,
    study: str,
) -> ReadResult:
    """Read trace files on a cluster, with the same result as in one process.

    Parameters
    ----------
    scheduler : Scheduler
        Client of the cluster; its workers must see the trace files and the folder of `rejects`.
    given : TraceInput
        Files with their forms.
    network, key, rejects, study
        As in `api.study.studyfile.inputs.read_platform_files`.

    Returns
    -------
    ReadResult
        The traces and what became of every row.

    Raises
    ------
    InputError
        As `geo.traces.read.read_traces`.
    """
    with tempfile.TemporaryDirectory(prefix=".cluster-", dir=rejects.parent) as folder:
        mapped = map_traces_on(
            Cluster(scheduler, Path(folder)),
            given.files,
            given.formats,
            _same,
            pseudonyms=Pseudonyms(key, study=study),
            network=network,
            rejects=rejects,
        )
    refuse_unusable(mapped.accounts)
    return ReadResult(concat_traces(mapped.values), mapped.accounts, mapped.skipped)


def _same(traces: Traces) -> Traces:
    return traces
