"""Two plans beside each other as documents: Word, workbook, HTML and CSV."""

from pathlib import Path

from maps.documents.printed import html_document
from maps.documents.sheets import csv_text, workbook
from maps.documents.word import word_document
from maps.texts.wording import Wording
from siting.comparison import Comparison
from siting.report import comparison_report, comparison_tables
from siting.results import Study

__all__ = ["COMPARISON_FILES", "write_comparison"]

COMPARISON_FILES = ("compare.docx", "compare.xlsx", "compare.html", "compare-grids.csv")


def write_comparison(
    plans: tuple[Study, Study], names: tuple[str, str], compared: Comparison, lang: str, folder: Path
) -> None:
    """Write the comparison of two plans, the same bytes for the same studies.

    Parameters
    ----------
    plans : tuple of Study
        As published.
    names : tuple of str
        What the reader calls them.
    compared : Comparison
        What `siting.comparison` says of them.
    lang : str
        ``zh`` or ``en``.
    folder : Path
        Where :data:`COMPARISON_FILES` are written.
    """
    first, second = plans
    say = Wording.of(lang, max(first.k, second.k))
    report = comparison_report(first, second, names, compared)
    tables = comparison_tables(compared)
    (folder / "compare.docx").write_bytes(word_document(report, second, say, {}))
    (folder / "compare.xlsx").write_bytes(workbook(tables, second, say, say.say(report.title)))
    (folder / "compare.html").write_text(
        html_document(report, second, say, {}), encoding="utf-8", newline="\n"
    )
    grids = next(table for table in tables if table.key == "compare_grids")
    (folder / "compare-grids.csv").write_text(csv_text(grids, say), encoding="utf-8-sig", newline="")
