"""A report as one printable HTML file: pictures inside, nothing fetched, every word escaped."""

import base64
import html
import importlib.resources

from maps.documents.captions import Heading, figure_caption, headings, table_caption, table_note
from maps.documents.word_parts import HEADLESS
from maps.texts.safe_text import plain
from maps.texts.wording import Wording
from siting.report import KeyFigure, Section, StudyReport, Table
from siting.results import Study

__all__ = ["html_document"]

_NUMBER = ' class="n"'
_SHORT = 16
"""Characters of a first column that is not broken."""
_LANG = {"zh": "zh-CN", "en": "en"}
_WEB = ("https:", "geo:")
"""What a link may open."""


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
    page = _Page(study, say, pictures)
    found = headings(report, say)
    for section, heading in zip(report.sections, found, strict=True):
        out += page.section(section, heading, _contents(report, found) if section.part == "contents" else "")
    out.append("</body>\n</html>\n")
    return "\n".join(out)


class _Page:
    """Writes sections, and counts figures and tables as it goes."""

    def __init__(self, study: Study, say: Wording, pictures: dict[str, bytes]) -> None:
        self.study, self.say, self.pictures = study, say, pictures
        self.figures = self.tables = 0

    def section(self, section: Section, heading: Heading, contents: str) -> list[str]:
        """Return one section."""
        say = self.say
        level = "h3" if heading.inner else "h2"
        out = [f'<section class="{section.part}" id="{heading.anchor}">']
        if heading.group:
            out.append(f"<h2>{_safe(heading.group)}</h2>")
        out.append(f"<{level}>{_safe(heading.text)}</{level}>{contents}")
        out += [f"<p>{_safe(say.say(said))}</p>" for said in section.paragraphs]
        shown = [self._figure(name, section) for name in section.pictures]
        shown += [self._key_figures(section.figures)] if section.figures else []
        if section.part in ("conclusion", "station"):
            out.append(f'<div class="beside">{"".join(shown)}</div>')
        else:
            out += shown
        tables = tuple(table for table in section.tables if table.rows)
        out += [self._table(table, section) for table in tables]
        out += [f"<p>{_safe(say.say(said))}</p>" for said in section.closing]
        if section.asks is not None and section.asks.rows:
            out.append(self._table(section.asks, section))
        out += self._on_the_spot(section)
        note = table_note(tables, self.study, say)
        return [*out, f'<p class="note">{_safe(note)}</p>' if note else "", "</section>"]

    def _figure(self, name: str, section: Section) -> str:
        self.figures += section.part in ("body", "annex")
        caption = _safe(figure_caption(name, self.figures, section, self.study, self.say))
        data = base64.b64encode(self.pictures[name]).decode("ascii")
        return (
            f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
            f"<figcaption>{caption}</figcaption></figure>"
        )

    def _key_figures(self, figures: tuple[KeyFigure, ...]) -> str:
        say = self.say
        rows = "".join(
            f"<dt>{_safe(say.term(one.label.key))}</dt><dd><b>{_safe(say.say(one.value))}</b>"
            f"<span>{_safe(say.say(one.meaning))}</span></dd>"
            for one in figures
        )
        return f'<dl class="figures">{rows}</dl>'

    def _on_the_spot(self, section: Section) -> list[str]:
        """Check list, room for a photograph, links that open the place."""
        say, out = self.say, []
        if section.checks:
            items = "".join(f"<li>□ {_safe(say.term(check.key))}</li>" for check in section.checks)
            photo = f'<div class="photo">{_safe(say.text("doc.photo"))}</div>' if section.photo else ""
            out.append(
                f'<div class="beside"><div class="checks"><b>{_safe(say.text("doc.checks"))}</b>'
                f"<ul>{items}</ul></div>{photo}</div>"
            )
        links = [link for link in section.links if link.url.startswith(_WEB)]
        if links:
            items = " · ".join(
                f'<a href="{html.escape(link.url)}" rel="noreferrer">{_safe(say.term(link.label.key))}</a>'
                for link in links
            )
            out.append(f'<p class="links">{_safe(say.text("doc.links"))} {items}</p>')
        return out

    def _table(self, table: Table, section: Section) -> str:
        say = self.say
        self.tables += section.part in ("body", "annex")
        head = "".join(f'<th scope="col">{_safe(say.heading(column))}</th>' for column in table.columns)
        headless = table.key in HEADLESS
        # codes and short names stay in one piece; a long first column must leave room for the others
        longest = max((len(say.cell(row[0], table.columns[0])) for row in table.rows), default=0)
        short = ' class="c"' if longest <= _SHORT else ""
        rows = []
        for row in table.rows:
            cells = []
            for place, (value, column) in enumerate(zip(row, table.columns, strict=True)):
                text = _safe(say.cell(value, column))
                if headless and column.key.startswith("fact"):
                    cells.append(f'<th scope="row">{text}</th>')
                else:
                    kind = _NUMBER if column.unit != "text" else short if place == 0 else ""
                    cells.append(f"<td{kind}>{text}</td>")
            rows.append(f"<tr>{''.join(cells)}</tr>")
        caption = _safe(table_caption(table, self.tables, section, say))
        return (
            f'<div class="wide"><table><caption>{caption}</caption>'
            f"{'' if headless else f'<thead><tr>{head}</tr></thead>'}"
            f"<tbody>{''.join(rows)}</tbody></table></div>"
        )


def _contents(report: StudyReport, found: list[Heading]) -> str:
    """Return links to all sections."""
    lines = []
    for section, heading in zip(report.sections, found, strict=True):
        if heading.group:
            lines.append(f'<li><a href="#{heading.anchor}">{_safe(heading.group)}</a></li>')
        if section.part != "contents":
            inner = ' class="inner"' if heading.inner else ""
            lines.append(f'<li{inner}><a href="#{heading.anchor}">{_safe(heading.text)}</a></li>')
    return f"<nav><ol>{''.join(lines)}</ol></nav>"


def _safe(text: str) -> str:
    return html.escape(plain(text))


def _style() -> str:
    return (importlib.resources.files("maps") / "page" / "report.css").read_text(encoding="utf-8")
