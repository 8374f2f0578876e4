"""``yilu compare``: two finished studies beside each other, as table, map and report."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.language import speak, terminal_language
from geo.errors import InputError

if TYPE_CHECKING:
    from api.forms import Language
    from maps.texts import Wording
    from siting.report import Table

__all__ = ["compare"]

FOLDER = click.Path(path_type=Path)
_TEXT_CELLS = 12
"""Cells of the terminal that a column of texts has at least."""
_CODE = 20
"""Characters of a code or name that is not broken."""
_LONGEST_FIGURE = 14
"""Characters of a figure with its unit."""


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

    speak(lang)
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
    """Print a table of whole figures and folded texts; where it would not fit, one fact a line."""
    from rich.console import Console
    from rich.table import Table as Shown
    from rich.text import Text

    console, shown = Console(), Shown()
    heads = [say.heading(column) for column in table.columns]
    rows = [[say.cell(v, c) for v, c in zip(row, table.columns, strict=True)] for row in table.rows]
    least, wanted, figures = [], [], []
    for place, head in enumerate(heads):
        cells = [row[place] for row in rows]
        longest = max((Text(cell).cell_len for cell in cells), default=0)
        figures.append(all(len(cell) <= _LONGEST_FIGURE for cell in cells))
        # a figure may not be broken, nor a word of a heading
        word = max(Text(part[:_LONGEST_FIGURE]).cell_len for part in head.split()) if head.isascii() else 6
        codes = [
            len(part) for cell in cells for part in cell.split() if part.isascii() and len(part) <= _CODE
        ]
        text = max(min(_TEXT_CELLS, longest), *codes, 0)
        least.append(max(word, longest if figures[-1] else text))
        wanted.append(max(longest, Text(head).cell_len))
    room = console.width - 3 * len(heads) - 1
    if sum(least) > room:
        for row in rows:
            for head, said in zip(heads, row, strict=True):
                console.print(Text(f"  {head}: {said}"))
            console.print()
        return
    for head, figure, width in zip(heads, figures, _shared(least, wanted, room), strict=True):
        shown.add_column(head, justify="right" if figure else "left", width=width, overflow="fold")
    for row in rows:
        # texts of the planner's own may hold what looks like markup
        shown.add_row(*(Text(said) for said in row))
    console.print(shown)


def _shared(least: list[int], wanted: list[int], room: int) -> list[int]:
    """Give what room is left to the columns that lack most of what they want."""
    widths = list(least)
    while sum(widths) < room:
        lacking = [want / width for want, width in zip(wanted, widths, strict=True)]
        if max(lacking) <= 1:
            break
        widths[lacking.index(max(lacking))] += 1
    return widths
