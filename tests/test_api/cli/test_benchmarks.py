"""``yilu bench`` finds the benchmark files of the checkout and runs them."""

from pathlib import Path

import pytest

from api.cli.benchmarks import run_benchmark
from geo.errors import InputError

SOURCE = """
import dataclasses

import neighbour


@dataclasses.dataclass(frozen=True)
class Row:
    bench: str
    median: float


def run(quick: bool) -> list[Row]:
    return [Row("tiny", neighbour.FIGURE if quick else 2.0)]
"""


def test_a_benchmark_is_loaded_by_name_with_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "bench_tiny.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "neighbour.py").write_text("FIGURE = 1.0\n", encoding="utf-8")
    assert run_benchmark("tiny", quick=True, folder=tmp_path) == [{"bench": "tiny", "median": 1.0}]


def test_an_unknown_benchmark_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "bench_tiny.py").write_text(SOURCE, encoding="utf-8")
    with pytest.raises(InputError, match="there are: tiny"):
        run_benchmark("../../x", folder=tmp_path)
    with pytest.raises(InputError, match="source checkout"):
        run_benchmark("tiny", folder=tmp_path / "nowhere")
