"""``yilu simulate``: one made day on a real map, replayed under each policy."""

import dataclasses
import functools
import math
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.forms import Language
from api.outputs import write_json
from api.stages import Progress, quiet
from geo.errors import InputError, YiluError
from geo.streets import StreetNetwork
from maps.documents import PolicyBars, policies_picture
from routing.model import Policy
from routing.proof import Checker
from routing.replay import POLICIES, DayOptions, DayProof, DayResult, make_day, prove_day

__all__ = ["day_options", "figures", "print_days", "replay_day", "write_days"]


def day_options(riders: int, tasks: int, hours: float, seed: int) -> DayOptions:
    """Return the size of a day; `InputError` outside of the ranges."""
    if not 0 <= seed < 2**32:
        raise InputError(f"seed is {seed}; allowed is 0 to {2**32 - 1}")
    return DayOptions(riders=riders, tasks=tasks, hours=hours, seed=seed)


def replay_day(
    network: StreetNetwork, options: DayOptions, progress: Progress = quiet
) -> tuple[DayProof, ...]:
    """Replay the same day under every policy, each answer and each street driven checked independently.

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
    tuple of DayProof
        In the order of `routing.replay.simulate.POLICIES`; the first is the day without tasks.

    Raises
    ------
    YiluError
        When the check finds a promise broken or an illegal street: such figures are not shown.
    """
    policy = Policy()
    day = make_day(network, options, policy)
    checker = Checker(network, policy)
    proofs = []
    for how in POLICIES:
        progress(how, 0, 0)
        told = functools.partial(progress, how)
        proof = prove_day(network, day, policy, how, told, checker)
        if proof.problems:
            raise YiluError(f"the day under {how!r} did not pass its check: {proof.problems[0]}")
        proofs.append(proof)
    return tuple(proofs)


def figures(result: DayResult) -> dict[str, object]:
    """Return one day as plain figures for JSON; null where there is nothing to measure."""
    plain = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    del plain["driven"], plain["visits"]
    plain["served_share"] = result.served_share
    return {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in plain.items()}


def write_days(proofs: Sequence[DayProof], folder: Path, language: Language) -> None:
    """Write ``simulate.json`` and the bars of ``simulate.png`` to a folder that is there."""
    results = [proof.result for proof in proofs]
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


NOTES = (
    "Nearest riders are sent at once, whatever their plan says. On the way a task is given only where no "
    "delivery and no break gets late and it takes at most {most_min:.0f} min; else it waits, and may stay "
    "undone.",
    "Late: deliveries after the promised time. Gini of the extra time: 0 equal, 1 all on one rider. "
    "Response: median seconds to the first responder of an emergency, in drills.",
    "Checked: {answers} tasks given, against every rule, and {edges} streets driven; nothing broken or "
    "illegal.",
)


def print_days(proofs: Sequence[DayProof], console: Console | None = None) -> None:
    """Print the policies side by side, and what the words mean."""
    tasks = proofs[0].result.tasks
    title = f"one day, the same riders, orders and {tasks} tasks under each policy"
    table = Table(title=title, title_justify="left")
    table.add_column("policy", no_wrap=True)
    heads = ("tasks\ndone", "extra min\na task", "late", "min\nlate", "late\nbreaks", "Gini", "response\ns")
    for head in heads:
        table.add_column(head, justify="right")
    for result in (proof.result for proof in proofs):
        response = result.response_median_s
        table.add_row(
            result.policy,
            str(result.served),
            f"{result.extra_min_a_task:.2f}" if result.served else "",
            str(result.late),
            f"{result.late_s / 60:.0f}",
            str(result.breaks_late),
            f"{result.gini:.3f}" if result.served else "",
            f"{response:.0f}" if math.isfinite(response) else "",
        )
    out = console or Console()
    out.print(table)
    answers, edges = (sum(getattr(proof, name) for proof in proofs) for name in ("answers", "edges"))
    said = {"most_min": Policy().max_extra_s / 60, "answers": f"{answers:,}", "edges": f"{edges:,}"}
    for note in NOTES:
        out.print(note.format(**said), highlight=False)
