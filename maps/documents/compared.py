"""Two plans beside each other as documents: Word, workbook, HTML and CSV."""

from collections.abc import Callable
from pathlib import Path

from maps.documents.printed import html_document
from maps.documents.sheets import csv_text, workbook
from maps.documents.word import word_document
from maps.texts.wording import Wording
from siting.comparison import Comparison
from siting.report import comparison_report, comparison_tables
from siting.results import Study

__all__ = ["COMPARISON_FILES", "comparison_file", "write_comparison"]

COMPARISON_FILES = ("compare.docx", "compare.xlsx", "compare.html", "compare-grids.csv")


def write_comparison(
    plans: tuple[Study, Study], names: tuple[str, str], compared: Comparison, lang: str, folder: Path
) -> None:
    """Write the comparison of two plans into a folder, as :data:`COMPARISON_FILES`; see `comparison_file`."""
    made = _maker(plans, names, compared, lang)
    for name in COMPARISON_FILES:
        (folder / name).write_bytes(made(name))


def comparison_file(
    plans: tuple[Study, Study], names: tuple[str, str], compared: Comparison, lang: str, name: str
) -> bytes:
    """Return one file of the comparison of two plans, the same bytes for the same studies.

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
    name : str
        One of :data:`COMPARISON_FILES`.
    """
    return _maker(plans, names, compared, lang)(name)


def _maker(
    plans: tuple[Study, Study], names: tuple[str, str], compared: Comparison, lang: str
) -> Callable[[str], bytes]:
    """Return what makes each of the files, of one report and its tables."""
    first, second = plans
    say = Wording.of(lang, max(first.k, second.k))
    tables, report = comparison_tables(compared), comparison_report(first, second, names, compared)

    def made(name: str) -> bytes:
        if name.endswith(".csv"):
            grids = next(table for table in tables if table.key == "compare_grids")
            return csv_text(grids, say).encode("utf-8-sig")
        if name.endswith(".docx"):
            return word_document(report, second, say, {})
        if name.endswith(".xlsx"):
            return workbook(tables[1:], second, say, say.say(report.title), report)
        return html_document(report, second, say, {}).encode()

    return made
