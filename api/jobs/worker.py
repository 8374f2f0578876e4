"""A study in a process of its own: ``python -m api.jobs.worker``, started by `api.jobs.runner`.

The order comes as one line of JSON on standard input, progress and result go out as lines of JSON on standard
output. Standard input stays open for as long as the service lives: when it ends, so does this process.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, Any

from api.jobs.intake import STUDY_FILE, checked_study, shortened
from api.settings import Settings
from geo.errors import YiluError

__all__ = ["NICENESS", "main"]

NICENESS = 15
FAILED = "the study failed for a reason that is not in its files; worker.log in its folder says which"


def main() -> None:
    """Carry out one order."""
    given = sys.stdin.buffer
    order = json.loads(given.readline())
    threading.Thread(target=_end_with_the_service, args=(given,), daemon=True).start()
    _step_back()
    # Whatever a library prints goes to the log.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lock = threading.Lock()

    def tell(**said: object) -> None:
        with lock:
            channel.write(json.dumps(said, ensure_ascii=False) + "\n")
            channel.flush()

    tell(**_outcome(order, lambda stage, done, total: tell(stage=stage, done=done, total=total)))


def _outcome(order: dict[str, Any], progress: Any) -> dict[str, object]:  # noqa: ANN401 - see Progress
    from api.study.run import write_study
    from api.study.studyfile.check_ins import StationVisits

    folder, root = Path(order["folder"]), Path(order["root"])
    settings = Settings(**order["settings"])
    language = "en"
    try:
        study = checked_study(folder / STUDY_FILE, root)
        language = study.language
        visits = [
            StationVisits(
                one["name"], (one["lonlat"][0], one["lonlat"][1]), _weeks(one["weeks"]), one["name_is_own"]
            )
            for one in order["visits"]
        ]
        write_study(study, Path(order["out"]), settings, progress=progress, visits=visits)
    except YiluError as error:
        return {"error": shortened(error.text(language), folder, root)}
    except MemoryError:
        return {"error": "the study needs more memory than there is"}
    except Exception:
        traceback.print_exc()
        return {"error": FAILED}
    return {"done": True}


def _weeks(given: list[tuple[str, int, int]]) -> tuple[tuple[str, int, int], ...]:
    return tuple((monday, visits, riders) for monday, visits, riders in given)


def _end_with_the_service(given: IO[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while given.read(1):
            pass
    # The whole group: a study may have started processes of its own.
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _step_back() -> None:
    """Let everybody else have the processor and the memory first."""
    os.nice(NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900", encoding="ascii")


if __name__ == "__main__":
    main()
