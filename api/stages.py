"""How far a long command has come, and how long each stage took. The only reader of the clock in a study."""

import contextlib
import time
from collections.abc import Callable, Iterator

__all__ = ["Progress", "Stages", "quiet"]

Progress = Callable[[str, int, int], None]
"""Called with the name of the stage, steps done and steps in all (0: not known)."""


def quiet(stage: str, done: int, total: int) -> None:
    """Show nothing."""


class Stages:
    """Reports progress stage by stage and adds up the seconds of each."""

    def __init__(self, progress: Progress = quiet, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._clock = clock

    @contextlib.contextmanager
    def __call__(self, stage: str) -> Iterator[Callable[[int, int], None]]:
        """Open a stage; what is yielded takes steps done and steps in all."""
        start = self._clock()
        self._progress(stage, 0, 0)

        def step(done: int, total: int) -> None:
            self._progress(stage, done, total)

        try:
            yield step
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + self._clock() - start
