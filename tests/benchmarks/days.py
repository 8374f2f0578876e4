"""Simulated days, verified: three maps, ten seeds, each policy; nobody late, no break eaten, no way illegal.

    python tests/benchmarks/days.py [--maps porto-centre malta-2016] [--riders 60] [--tasks 120] [--seeds 10]

A line for each map and policy: mean over the seeds, the worst seed in brackets. "same tasks" is the mean
extra time of the tasks that "one by one" did, under each policy, so that refusing dear tasks wins nothing.
Ends with code 1 when a promise was broken, or a baseline was cheaper. Maps are those of ``../shared/data``.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from geo.osm.read import read_osm
from routing.model.policy import Policy
from routing.proof.verify import Checker
from routing.replay.day import DayOptions, make_day
from routing.replay.day_verification import DayProof, prove_day
from routing.replay.simulate import POLICIES

__all__ = ["main"]

MAPS = ("beijing-haidian-composite", "porto-centre", "malta-2016")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "osm"
OURS = ("one by one", "batches")


def _same_min(proof: DayProof, tasks: set[int]) -> float:
    extra = [one.extra_s / 60 for one in proof.result.driven if one.task in tasks]
    return float(np.mean(extra)) if extra else float("nan")


def _mean(values: list[float]) -> float:
    """Mean of the seeds in which there was something to average; NaN without any."""
    known = [value for value in values if value == value]
    return float(np.mean(known)) if known else float("nan")


def _row(name: str, how: str, days: list[dict[str, DayProof]]) -> dict[str, object]:
    results = [day[how].result for day in days]
    done = [{one.task for one in day["one by one"].result.driven} for day in days]
    extra = [result.extra_min_a_task for result in results]
    return {
        "map": name,
        "policy": how,
        "served_share": float(np.mean([result.served_share for result in results])),
        "extra_min_a_task": float(np.mean(extra)),
        "worst_extra_min_a_task": max(extra),
        "same_tasks_min": _mean([_same_min(day[how], tasks) for day, tasks in zip(days, done, strict=True)]),
        "late": sum(result.late for result in results),
        "late_min": sum(result.late_s for result in results) / 60,
        "breaks_late": sum(result.breaks_late for result in results),
        "gini": float(np.mean([result.gini for result in results])),
        "response_s": float(np.median([result.response_median_s for result in results])),
        "deliveries": sum(result.deliveries for result in results),
        "answers": sum(day[how].answers for day in days),
        "edges": sum(day[how].edges for day in days),
        "problems": sum(len(day[how].problems) for day in days),
    }


def _days(name: str, asked: argparse.Namespace) -> list[dict[str, object]]:
    network, _ = read_osm(SHARED / f"{name}.osm.pbf")
    policy = Policy()
    checker = Checker(network, policy)
    days = []
    for seed in range(asked.seeds):
        options = DayOptions(riders=asked.riders, tasks=asked.tasks, hours=asked.hours, seed=seed)
        day = make_day(network, options, policy)
        days.append({how: prove_day(network, day, policy, how, checker=checker) for how in POLICIES})
        problems = [f"{how}: {text}" for how, proof in days[-1].items() for text in proof.problems]
        print(f"{name} seed {seed} done", *problems, sep="\n  ", file=sys.stderr)
    return [_row(name, how, days) for how in POLICIES]


def _holds(rows: list[dict[str, object]]) -> bool:
    """Whether our policies harmed nobody and were cheaper than every baseline, on every map."""
    fine = True
    for mine in (row for row in rows if row["policy"] in OURS):
        fine &= not (mine["late"] or mine["breaks_late"] or mine["problems"])
        for other in rows:
            if other["map"] == mine["map"] and other["policy"] not in ("none", *OURS):
                fine &= float(str(mine["extra_min_a_task"])) < float(str(other["extra_min_a_task"]))
                fine &= float(str(mine["same_tasks_min"])) < float(str(other["same_tasks_min"]))
    return fine


def main() -> int:
    """Run the days and print the table; 0 when all holds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--maps", nargs="+", default=list(MAPS))
    parser.add_argument("--riders", type=int, default=60)
    parser.add_argument("--tasks", type=int, default=120)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--json", type=Path, default=None)
    asked = parser.parse_args()
    rows = [row for name in asked.maps for row in _days(name, asked)]
    heads = ("map", "policy", "done", "extra min a task (worst)", "same tasks", "late", "min late")
    print(f"| {' | '.join((*heads, 'breaks late', 'Gini'))} |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['map']} | {row['policy']} | {row['served_share']:.0%} | {row['extra_min_a_task']:.2f} "
            f"({row['worst_extra_min_a_task']:.2f}) | {row['same_tasks_min']:.2f} | {row['late']} | "
            f"{row['late_min']:.0f} | {row['breaks_late']} | {row['gini']:.2f} |"
        )
    checked = {what: sum(int(str(row[what])) for row in rows) for what in ("answers", "edges", "problems")}
    found = (
        f"{checked['answers']:,} answers, {checked['edges']:,} streets driven, {checked['problems']} problems"
    )
    print(f"checked: {found}")
    if asked.json is not None:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0 if _holds(rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
