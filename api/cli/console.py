"""What a person sees in the terminal: progress on stderr, tables on stdout."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

__all__ = ["StageBars", "print_benchmark", "print_mapping"]


class StageBars:
    """One progress bar a stage, on stderr; a stage ends when the next one begins."""

    def __init__(self, names: Mapping[str, str], console: Console | None = None) -> None:
        self._names = names
        self._tasks: dict[str, TaskID] = {}
        self._current: str | None = None
        self._bars = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console or Console(stderr=True),
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._finish()
        self._bars.stop()

    def progress(self, stage: str, done: int, total: int) -> None:
        """Show `done` of `total` in `stage`; a total of 0 means that it is not known."""
        if stage != self._current:
            self._finish()
            self._current = stage
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(self._names.get(stage, stage), total=total or None)
        self._bars.update(self._tasks[stage], completed=done, total=total or None)

    def _finish(self) -> None:
        if self._current is None:
            return
        task = self._tasks[self._current]
        total = self._bars.tasks[task].total or 1
        self._bars.update(task, completed=total, total=total)
        self._bars.stop_task(task)


FILE_WIDTH = 240


def print_mapping(title: str, figures: Mapping[str, object], console: Console | None = None) -> None:
    """Print figures under their names; those within figures are indented."""
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    for name, value in figures.items():
        inner = value if isinstance(value, Mapping) else {}
        table.add_row(name, "" if isinstance(value, Mapping) else _figure(value))
        for key, figure in inner.items():
            table.add_row(f"  {key}", _figure(figure))
    (console or Console()).print(table)


def print_benchmark(rows: Sequence[Mapping[str, object]], console: Console | None = None) -> None:
    """Print benchmark rows; a ratio above 1 means that ours is better."""
    table = Table(title="ratio: the peer's median over ours; above 1 we are better", title_justify="left")
    for name in ("case", "subject", "version", "metric", "unit"):
        table.add_column(name)
    for name in ("median", "p99", "min", "max", "n", "ratio"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            *(str(row[name]) for name in ("case", "subject", "version", "metric", "unit")),
            *(_figure(row[name]) for name in ("median", "p99", "min", "max")),
            str(row["n"]),
            _figure(row["ratio"]),
        )
    screen = console or Console()
    if not screen.is_terminal:
        # A file has no edge to fold at.
        screen = Console(file=screen.file, width=FILE_WIDTH)
    screen.print(table)


def _figure(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
