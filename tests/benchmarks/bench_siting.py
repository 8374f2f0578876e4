"""Siting next to spopt with HiGHS and the plain HiGHS model: proven optima, gaps, seconds and memory.

Slow peers run once, within a time limit: the case says so, and a figure that stands for the limit is a lower
bound of the peer's time (start-up and reading are not counted). spopt needs a Python of its own
(`make bench-peers`).
"""

import dataclasses
import json
import os
import pathlib
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from harness import OURS, Row, compare, skipped, value
from peers import peers_python
from siting_cases import city_plan, cover_case, like_or_library, or_library

from geo.errors import InfeasibleError
from siting.problems.define import PCenter, PMedian, Problem, SetCover, SitingResult
from siting.problems.highs import Limits
from siting.solvers.cover_proof import Effort, prove_max_cover
from siting.solvers.exact import solve_exact
from siting.solvers.solve import solve
from siting.solvers.station_plans import solve_station_plan

BENCH = "siting"
DATA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data" / "pmedian"
# wall seconds of spopt on one instance, and of HiGHS on the plain model
SPOPT_S = 8
PLAIN_S = 60
# wall seconds for each model with capacities
MODEL_S = 10.0
# points and sites to open of pmed21-40
LARGE = tuple(
    (n, p)
    for n, some in (
        (500, (5, 10, 50, 100, 167)),
        (600, (5, 10, 60, 120, 200)),
        (700, (5, 10, 70, 140)),
        (800, (5, 10, 80)),
        (900, (5, 10, 90)),
    )
    for p in some
)
# points, sites and seeds of 50 made instances: each size twice, those with few sites, the hardest, again
MADE = tuple((n, p, n + turn) for turn in range(3) for n, p in LARGE if turn < 2 or p <= 10)
WORKER = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np, pulp, spopt.locate
case = json.loads(sys.argv[1])
cost = np.load(case["file"])
print("ready", flush=True)
start = time.perf_counter()
solver = pulp.HiGHS(msg=False, threads=1)
if case["model"] == "PMedian":
    model = spopt.locate.PMedian.from_cost_matrix(cost, np.ones(len(cost)), p_facilities=case["p"])
else:
    model = spopt.locate.PCenter.from_cost_matrix(cost, p_facilities=case["p"])
objective = pulp.value(model.solve(solver).problem.objective)
print(json.dumps({"seconds": time.perf_counter() - start, "objective": objective}))
"""


def run(quick: bool) -> list[Row]:
    """OR-Library p-median and p-center, covering at three sizes, plans of city size."""
    rows: list[Row] = []
    if DATA.is_dir():
        for number in (1, 2, 6) if quick else range(1, 21):
            rows += _or_library(number, "PMedian")
            rows += _or_library(number, "PCenter")
    else:
        rows.append(skipped(BENCH, "OR-Library", OURS, "the folder ../shared/data is not there"))
    made = MADE[:2] if quick else MADE
    rows += _like_or_library(made, "PMedian")
    rows += _like_or_library(made[: len(LARGE)], "PCenter")
    rows += _cover(2000, 200, 15) if quick else _cover(10_000, 1000, 30)
    rows += _large(10_000, 1000, 30) if quick else _large(50_000, 5000, 50)
    for capacitated in (True, False):
        rows += _plan(500, 75, 750_000.0, capacitated) if quick else _plan(2000, 300, 3e6, capacitated)
    rows += _with_capacities(500, 75, 12) if quick else _with_capacities(2000, 300, 30)
    return rows


def _timed(call: Callable[[], SitingResult]) -> tuple[float, SitingResult]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _or_library(number: int, model: str) -> list[Row]:
    p, cost, known = or_library(DATA, number)
    case = f"{'p-median' if model == 'PMedian' else 'p-center'} pmed{number} (n {len(cost)}, p {p})"
    weight = np.ones(len(cost))
    problem = PMedian(weight=weight, sites=p) if model == "PMedian" else PCenter(weight=weight, sites=p)
    rows = compare(BENCH, case, {OURS: lambda: solve(problem, cost, _rng())}, metric="time to proof")
    result = solve(problem, cost, _rng())
    if model == "PMedian":
        rows.append(
            value(BENCH, case, OURS, "above the known optimum", "%", [100 * (result.objective / known - 1)])
        )
    rows.append(value(BENCH, case, OURS, "proven gap", "%", [100 * result.gap]))
    return rows + _spopt(case, model, p, cost, rows[0].median or 0.0, result.objective)


def _spopt(
    case: str, model: str, p: int, cost: npt.NDArray[np.float64], ours_s: float, objective: float
) -> list[Row]:
    python = os.environ.get("YILU_PEERS_PYTHON") or peers_python()
    subject = "spopt HiGHS"
    if (
        python is None
        or subprocess.run([python, "-c", "import spopt"], capture_output=True, check=False).returncode
    ):
        return [skipped(BENCH, case, subject, "no environment of its own: make bench-peers")]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "cost.npy"
        np.save(file, cost)
        job = json.dumps({"file": str(file), "p": p, "model": model})
        with subprocess.Popen(
            [python, "-c", WORKER, job], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as worker:
            if worker.stdout is not None:
                worker.stdout.readline()
            try:
                out, error = worker.communicate(timeout=SPOPT_S)
            except subprocess.TimeoutExpired:
                worker.kill()
                name = f"{case}, one run, stopped at {SPOPT_S} s"
                return [value(BENCH, name, subject, "time", "s", [SPOPT_S], SPOPT_S / max(ours_s, 1e-9))]
    if worker.returncode:
        return [skipped(BENCH, case, subject, error.strip().splitlines()[-1][:80])]
    answer = json.loads(out.strip().splitlines()[-1])
    seconds, name = answer["seconds"], f"{case}, one run"
    return [
        value(BENCH, name, subject, "time to proof", "s", [seconds], seconds / max(ours_s, 1e-9)),
        value(BENCH, name, subject, "above ours", "%", [100 * (answer["objective"] / objective - 1)]),
    ]


def _like_or_library(made: tuple[tuple[int, int, int], ...], model: str) -> list[Row]:
    """Instances of the same recipe with the sizes of pmed21-40, each solved once."""
    seconds, gaps = [], []
    for n, p, seed in made:
        cost = like_or_library(n, seed)
        weight = np.ones(n)
        problem = PMedian(weight=weight, sites=p) if model == "PMedian" else PCenter(weight=weight, sites=p)
        taken, result = _timed(partial(solve, problem, cost, _rng(), Limits(time_limit_s=PLAIN_S)))
        seconds.append(taken)
        gaps.append(100 * result.gap)
    name = "p-median" if model == "PMedian" else "p-center"
    case = f"{name} with the sizes of pmed21-40, {len(made)} made instances"
    return [
        value(BENCH, case, OURS, "time to proof", "s", seconds),
        value(BENCH, case, OURS, "proven gap", "%", gaps),
    ]


def _with_capacities(n: int, m: int, sites: int) -> list[Row]:
    """Capacitated models and least shares, once each, with the gap that was proven."""
    cover, cost = cover_case(n, m, sites)
    weight = cover.weight
    holds = np.random.default_rng(3).uniform(0.8, 2.2, m) * weight.sum() / sites
    grid = np.random.default_rng(1).integers(0, 20, n)
    # nine tenths of what the worst grid gets from the best cover, for each grid
    served = weight * (prove_max_cover(cover, cost, _rng()).assignment >= 0)
    least = 0.9 * float((np.bincount(grid, served) / np.bincount(grid, weight)).min())
    far = max(3000.0, float(cost.min(axis=1).max()))
    cases: dict[str, Problem] = {
        "covering with capacities": dataclasses.replace(cover, capacity=holds / 3),
        "covering with least shares of 20 grids": dataclasses.replace(
            cover, group=grid, group_share=np.full(20, least)
        ),
        "p-median with capacities": PMedian(weight=weight, sites=sites, capacity=holds),
        "set covering with capacities": SetCover(weight=weight, limit_s=far, capacity=holds),
        "set covering": SetCover(weight=weight, limit_s=far),
        "p-center with capacities": PCenter(weight=weight, sites=sites, capacity=holds),
    }
    rows = []
    for name, problem in cases.items():
        case = f"{name}, {n:,} x {m:,}, one run, at most {MODEL_S} s"
        try:
            seconds, result = _timed(partial(solve, problem, cost, _rng(), Limits(time_limit_s=MODEL_S)))
        except InfeasibleError as error:
            rows.append(skipped(BENCH, case, OURS, str(error)[:80]))
            continue
        rows.append(value(BENCH, case, OURS, "time", "s", [seconds]))
        rows.append(value(BENCH, case, OURS, "proven gap", "%", [100 * result.gap]))
    return rows


def _cover(n: int, m: int, sites: int) -> list[Row]:
    problem, cost = cover_case(n, m, sites)
    case = f"covering {n:,} x {m:,}, p {sites}"
    quick = Effort(rounds=150, steps=700, most_entries=0)
    rows = compare(
        BENCH,
        case,
        {OURS: lambda: prove_max_cover(problem, cost, _rng(), effort=quick)},
        metric="time of the search with its bound",
    )
    found = prove_max_cover(problem, cost, _rng(), effort=quick)
    rows += compare(
        BENCH, case, {OURS: lambda: prove_max_cover(problem, cost, _rng())}, metric="time to proof"
    )
    ours_s = rows[-1].median or 0.0
    proven = prove_max_cover(problem, cost, _rng())
    rows.append(
        value(
            BENCH,
            case,
            OURS,
            "search below the optimum",
            "%",
            [100 * (1 - found.objective / proven.objective)],
        )
    )
    rows.append(value(BENCH, case, OURS, "proven gap", "%", [100 * proven.gap]))
    seconds, plain = _timed(lambda: solve_exact(problem, cost, Limits(time_limit_s=PLAIN_S)))
    name = f"{case}, one run, at most {PLAIN_S} s"
    rows.append(value(BENCH, name, "scipy HiGHS plain", "time to proof", "s", [seconds], seconds / ours_s))
    rows.append(value(BENCH, name, "scipy HiGHS plain", "proven gap", "%", [100 * plain.gap]))
    return rows


def _large(n: int, m: int, sites: int) -> list[Row]:
    problem, cost = cover_case(n, m, sites)
    case = f"covering {n:,} x {m:,}, p {sites}"
    effort = Effort(rounds=0, steps=900, core_rounds=400, most_entries=0)
    seconds, result = _timed(lambda: prove_max_cover(problem, cost, _rng(), effort=effort))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return [
        value(BENCH, f"{case}, one run", OURS, "time", "s", [seconds]),
        value(BENCH, f"{case}, one run", OURS, "proven gap", "%", [100 * result.gap]),
        value(BENCH, f"{case}, one run", OURS, "peak memory with the matrix", "GiB", [memory]),
    ]


def _plan(n: int, m: int, budget: float, capacitated: bool) -> list[Row]:
    problem, cost = city_plan(n, m, budget, capacitated)
    kind = "capacitated, hourly" if capacitated else "hourly"
    case = f"plan {n:,} points x 24 h x {m} sites x 3 kinds, {kind}, one run"
    seconds, result = _timed(lambda: solve_station_plan(problem, cost))
    return [
        value(BENCH, case, OURS, "time", "s", [seconds]),
        value(BENCH, case, OURS, "proven gap", "%", [100 * result.gap]),
    ]
