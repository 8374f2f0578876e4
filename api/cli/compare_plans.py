"""``yilu compare``: two finished studies beside each other, as table, map and report."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.language import terminal_language
from geo.errors import InputError

if TYPE_CHECKING:
    from api.forms import Language
    from maps.texts import Wording
    from siting.report import Table

__all__ = ["compare"]

FOLDER = click.Path(path_type=Path)


@click.command("compare")
@click.argument("first", metavar="DIR1", type=FOLDER)
@click.argument("second", metavar="DIR2", type=FOLDER)
@click.option("--out", type=FOLDER, default=None, help="Folder for table, map and report [none are written].")
@click.option("--lang", type=click.Choice(["zh", "en"]), default=None, help="Not that of the terminal.")
def compare(first: Path, second: Path, out: Path | None, lang: "Language | None") -> None:
    """Hold the plan of DIR2 against that of DIR1: what moves, what it costs, which grids gain and lose."""
    from api.http.problems.texts import sentence
    from api.outputs import prepared_folder
    from api.study.finished import load_finished
    from api.study.two_plans import plan_names, two_plans, write_two_plans
    from maps.texts import Wording
    from siting.report import comparison_report

    language = lang or terminal_language()
    one, other = load_finished(first), load_finished(second)
    names = plan_names(one, other, language, (first.resolve().name, second.resolve().name))
    try:
        found = two_plans(one, other, names, language)
    except InputError as error:
        raise InputError(f"{first}, {second}: {sentence(str(error), language)}") from None
    say = Wording.of(language, max(one.study.k, other.study.k))
    report = comparison_report(*found.plans, names, found.compared)
    click.echo(say.say(report.title))
    for section in report.sections:
        click.echo(f"\n{say.text(f'section.{section.key}')}")
        for said in section.paragraphs:
            click.echo(f"  {say.say(said)}")
        for table in section.tables:
            if table.rows:
                _print(table, say)
    if out is not None:
        with prepared_folder(out) as folder:
            write_two_plans(found, one, language, folder)
        click.echo(f"\n{out}")
        for name in sorted(path.name for path in out.iterdir()):
            click.echo(f"  {name}")


def _print(table: "Table", say: "Wording") -> None:
    from rich.console import Console
    from rich.table import Table as Shown
    from rich.text import Text

    shown = Shown()
    for column in table.columns:
        shown.add_column(say.heading(column), justify="left" if column.unit == "text" else "right")
    for row in table.rows:
        # texts of the planner's own may hold what looks like markup
        shown.add_row(
            *(Text(say.cell(value, column)) for value, column in zip(row, table.columns, strict=True))
        )
    Console().print(shown)
