"""``yilu simulate``: one made day on a real map, replayed under each policy."""

import dataclasses
import functools
import math
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.outputs import write_json
from api.stages import Progress, quiet
from api.studytables import Language
from geo.errors import InputError
from geo.streets import StreetNetwork
from maps.charts import PolicyBars, policies_picture
from routing.day import DayOptions, make_day
from routing.policy import Policy
from routing.simulate import POLICIES, DayResult, simulate

__all__ = ["day_options", "figures", "print_days", "replay_day", "write_days"]


def day_options(riders: int, tasks: int, hours: float, seed: int) -> DayOptions:
    """Return the size of a day; `InputError` outside of the ranges."""
    if not 0 <= seed < 2**32:
        raise InputError(f"seed is {seed}; allowed is 0 to {2**32 - 1}")
    return DayOptions(riders=riders, tasks=tasks, hours=hours, seed=seed)


def replay_day(
    network: StreetNetwork, options: DayOptions, progress: Progress = quiet
) -> tuple[DayResult, ...]:
    """Replay the same day under every policy.

    Parameters
    ----------
    network : StreetNetwork
        The streets.
    options : DayOptions
        Riders, tasks, hours and seed.
    progress : callable
        Told of the policy at work, steps done and steps in all.

    Returns
    -------
    tuple of DayResult
        In the order of `routing.simulate.POLICIES`; the first is the day without tasks.
    """
    policy = Policy()
    day = make_day(network, options, policy)
    results = []
    for how in POLICIES:
        progress(how, 0, 0)
        results.append(simulate(network, day, policy, how, functools.partial(progress, how)))
    return tuple(results)


def figures(result: DayResult) -> dict[str, object]:
    """Return one day as plain figures for JSON; null where there is nothing to measure."""
    plain = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    del plain["driven"]
    plain["served_share"] = result.served_share
    return {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in plain.items()}


def write_days(results: Sequence[DayResult], folder: Path, language: Language) -> None:
    """Write ``simulate.json`` and the bars of ``simulate.png`` to a folder that is there."""
    write_json(folder / "simulate.json", [figures(result) for result in results])
    rows = [
        PolicyBars(
            policy=result.policy,
            # the day without tasks is there for its late deliveries and breaks
            served_share=None if result.policy == "none" else result.served_share,
            extra_min_a_task=result.extra_min_a_task if result.served else None,
            late=result.late,
            breaks_late=result.breaks_late,
        )
        for result in results
    ]
    (folder / "simulate.png").write_bytes(policies_picture(rows, language))


def print_days(results: Sequence[DayResult], console: Console | None = None) -> None:
    """Print the policies side by side; `late` counts deliveries, breaks those begun too late."""
    table = Table(title="one day, the same riders, orders and tasks under each policy", title_justify="left")
    table.add_column("policy")
    for head in ("tasks done", "extra min a task", "late", "late breaks", "Gini", "response s"):
        table.add_column(head, justify="right")
    for result in results:
        response = result.response_median_s
        table.add_row(
            result.policy,
            f"{result.served} / {result.tasks}",
            f"{result.extra_min_a_task:.2f}" if result.served else "",
            str(result.late),
            str(result.breaks_late),
            f"{result.gini:.3f}" if result.served else "",
            f"{response:.0f}" if math.isfinite(response) else "",
        )
    (console or Console()).print(table)
