"""A report as one printable HTML file: pictures inside, nothing fetched, every word escaped."""

import base64
import html
import importlib.resources

from maps.documents.captions import figure_caption, number_of, table_caption
from maps.documents.sheets import plain
from maps.texts.wording import Wording
from siting.report import StudyReport, Table
from siting.results import Study

__all__ = ["html_document"]

_NUMBER = ' class="n"'
_LANG = {"zh": "zh-CN", "en": "en"}


def html_document(report: StudyReport, study: Study, say: Wording, pictures: dict[str, bytes]) -> str:
    """Set a report; ``pictures`` are PNG bytes by name."""
    title = _safe(say.say(report.title))
    out = [
        f'<!DOCTYPE html>\n<html lang="{_LANG[say.catalogue.lang]}">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">",
        f"<title>{title}</title>\n<style>{_style()}</style>\n</head>\n<body>",
        f'<h1>{title}</h1>\n<p class="sub">{_safe(say.say(report.subtitle))}</p>',
    ]
    tables = figures = 0
    for place, section in enumerate(report.sections, start=1):
        heading = say.text(f"section.{section.key}")
        out.append(f"<section>\n<h2>{number_of(place, say)}{_safe(heading)}</h2>")
        out += [f"<p>{_safe(say.say(said))}</p>" for said in section.paragraphs]
        for name in section.pictures:
            figures += 1
            caption = _safe(figure_caption(name, figures, study, say))
            data = base64.b64encode(pictures[name]).decode("ascii")
            out.append(
                f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
                f"<figcaption>{caption}</figcaption></figure>"
            )
        for table in section.tables:
            if table.rows:
                tables += 1
                out.append(_table(table, tables, study, say))
        out.append("</section>")
    out.append("</body>\n</html>\n")
    return "\n".join(out)


def _table(table: Table, number: int, study: Study, say: Wording) -> str:
    head = "".join(f'<th scope="col">{_safe(say.heading(column))}</th>' for column in table.columns)
    rows = []
    for row in table.rows:
        cells = [
            f"<td{_NUMBER if column.unit != 'text' else ''}>{_safe(say.cell(value, column))}</td>"
            for value, column in zip(row, table.columns, strict=True)
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    caption, note = table_caption(table, number, study, say)
    foot = f'<p class="note">{_safe(note)}</p>' if note else ""
    return (
        f'<div class="wide"><table><caption>{_safe(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{foot}"
    )


def _safe(text: str) -> str:
    return html.escape(plain(text))


def _style() -> str:
    return (importlib.resources.files("maps") / "page" / "report.css").read_text(encoding="utf-8")
