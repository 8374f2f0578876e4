"""Benchmarks live in the checkout, apart from the packages; here they are only found and run."""

import dataclasses
import importlib.util
import sys
from pathlib import Path

from geo.errors import InputError

__all__ = ["benchmark_names", "run_benchmark"]

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "benchmarks"
PREFIX = "bench_"


def benchmark_names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the names of the benchmarks in `folder`."""
    return tuple(sorted(path.stem.removeprefix(PREFIX) for path in folder.glob(f"{PREFIX}*.py")))


def run_benchmark(name: str, *, quick: bool = False, folder: Path = FOLDER) -> list[dict[str, object]]:
    """Run one benchmark.

    Parameters
    ----------
    name : str
        Such as ``streets``.
    quick : bool
        Small cases, fewer repetitions.
    folder : Path
        Where the files ``bench_NAME.py`` stand.

    Returns
    -------
    list of dict
        One row a case and subject: bench, case, subject, version, metric, unit, median, p99, min, max,
        n and ratio.

    Raises
    ------
    InputError
        When there is no such benchmark here.
    """
    known = benchmark_names(folder)
    if not known:
        raise InputError(
            "benchmarks need the source checkout of yilu: its folder tests/benchmarks is not there"
        )
    if name not in known:
        raise InputError(f"there is no benchmark {name!r}; there are: {', '.join(known)}")
    path = folder / f"{PREFIX}{name}.py"
    # The files import their neighbours (harness, peers) by bare name.
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise InputError(f"{path.name}: cannot be loaded as Python source")
        module = importlib.util.module_from_spec(spec)
        # Worker processes and dataclasses look the module up by its name.
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        rows = module.run(quick)
    finally:
        sys.path.remove(str(folder))
    return [dataclasses.asdict(row) for row in rows]
