"""The sample of matches in a process of its own, while the study goes on: where machine code is missing.

Matching needs the map and the fleet only, and making its machine code takes longer than any other stage;
numba makes one kernel at a time in a process.
"""

import contextlib
import functools
import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from api.matching.forms import MatchRequest
from api.study.sample_matches import MatchSample, match_sample
from geo.errors import YiluError
from geo.jit import known_kernels
from geo.streets import StreetNetwork
from geo.travel import HourlyStreets

__all__ = ["matched_beside"]

HOURS = "hours"


@contextlib.contextmanager
def matched_beside(
    network: StreetNetwork, request: MatchRequest, hours: HourlyStreets | None = None
) -> Iterator[Callable[[], MatchSample]]:
    """Yield what hands over the matches of a sample, the same in either process.

    Parameters
    ----------
    network : StreetNetwork
    request : MatchRequest
    hours : HourlyStreets, optional
        Times by the hour, for the check.

    Yields
    ------
    callable
        Waits for the other process, or does the work here: where machine code is at hand, where there is
        one processor only, and where the other process could not do it, so that its error is raised here.
    """
    here = functools.partial(match_sample, network, request, hours)
    if known_kernels("routing.") or (os.cpu_count() or 1) == 1:
        yield here
        return
    # A fork would copy threads and locks.
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="yilu-") as folder, receiver:
        network.save(Path(folder))
        zone = None if hours is None else hours.timezone
        if hours is not None:
            hours.save(Path(folder) / HOURS)
        process = context.Process(target=_match, args=(sender, Path(folder), request, zone), daemon=True)
        process.start()
        sender.close()

        def there() -> MatchSample:
            try:
                found: MatchSample = receiver.recv()
            except EOFError:
                return here()
            return found

        try:
            yield there
        finally:
            process.terminate()
            process.join()


def _match(sender: Connection, folder: Path, request: MatchRequest, zone: str | None) -> None:
    # Ctrl-C at a terminal reaches it too; the study ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is wrong with the sample is said by the study, which does it again.
    with sender, contextlib.suppress(YiluError):
        network = StreetNetwork.load(folder)
        hours = None if zone is None else HourlyStreets.load(folder / HOURS, network, zone)
        sender.send(match_sample(network, request, hours))
