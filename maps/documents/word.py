"""A report as a Word document, as a Chinese office would send it on (GB/T 9704-2012), or in plain English.

Chinese: title in bold Song 22 pt, headings Hei 16 pt, text Fangsong 16 pt with an indent of two characters
and 28 pt lines, margins 37/35/28/26 mm, page number ``— 1 —``. A report on one unit grid is set smaller, to
fit two pages.
"""

import dataclasses
import datetime
import io
import re

import docx
from docx.document import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from maps.documents.captions import figure_caption, number_of, table_caption
from maps.documents.sheets import plain
from maps.documents.zips import settle_zip
from maps.texts.wording import Wording
from siting.report import StudyReport, Table
from siting.results import Study

__all__ = ["word_document"]


@dataclasses.dataclass(frozen=True, slots=True)
class _Setting:
    """Typefaces and sizes of one kind of document."""

    body_face: str
    head_face: str
    title_face: str
    latin: str
    title_pt: float
    head_pt: float
    body_pt: float
    table_pt: float
    line_pt: float
    margins_mm: tuple[float, float, float, float]
    """Top, bottom, left, right."""

    @property
    def width_mm(self) -> float:
        return 210 - self.margins_mm[2] - self.margins_mm[3]


_FACES = ("仿宋", "黑体", "宋体", "Times New Roman")
_SETTINGS = {
    ("zh", False): _Setting(*_FACES, 22, 16, 16, 10.5, 28, (37, 35, 28, 26)),
    ("zh", True): _Setting(*_FACES, 20, 13, 12, 9.5, 18, (24, 20, 25, 22)),
    ("en", False): _Setting(*_FACES, 20, 14, 11.5, 9, 16, (25, 25, 25, 25)),
    ("en", True): _Setting(*_FACES, 18, 12.5, 10.5, 8.5, 14, (20, 18, 22, 22)),
}
_PADDING = 3.0
"""Margins of a cell, in half-width characters."""


def word_document(report: StudyReport, study: Study, say: Wording, pictures: dict[str, bytes]) -> bytes:
    """Set a report; ``pictures`` are PNG bytes by name."""
    setting = _SETTINGS[say.catalogue.lang, report.grid_code is not None]
    document = docx.Document()
    _page(document, setting, say)
    _styles(document, setting, say)
    _line(document, say.say(report.title), setting, "title")
    _line(document, say.say(report.subtitle), setting, "subtitle")
    tables = figures = 0
    for place, section in enumerate(report.sections, start=1):
        heading = document.add_heading(level=1)
        _run(
            heading,
            f"{number_of(place, say)}{say.text(f'section.{section.key}')}",
            setting.head_face,
            setting,
        )
        for said in section.paragraphs:
            _line(document, say.say(said), setting, "body")
        for name in section.pictures:
            figures += 1
            holder = document.add_paragraph()
            holder.alignment = WD_ALIGN_PARAGRAPH.CENTER
            holder.paragraph_format.keep_with_next = True
            holder.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
            picture = holder.add_run().add_picture(io.BytesIO(pictures[name]), width=Mm(setting.width_mm))
            caption = figure_caption(name, figures, study, say)
            picture._inline.docPr.set("descr", plain(caption))
            _line(document, caption, setting, "caption")
        for table in section.tables:
            if table.rows:
                tables += 1
                caption, note = table_caption(table, tables, study, say)
                _line(document, caption, setting, "caption", keep=True)
                _table(document, table, setting, say)
                _line(document, note, setting, "note")
    core = document.core_properties
    day = datetime.datetime.fromisoformat(study.period[1])
    core.title, core.author, core.last_modified_by = plain(say.say(report.title)), "yilu", "yilu"
    core.created = core.modified = day
    core.language = "zh-CN" if say.catalogue.lang == "zh" else "en-GB"
    core.comments, core.keywords = "", say.text("doc.keywords")
    out = io.BytesIO()
    document.save(out)
    return settle_zip(out.getvalue(), study.period[1])


def _page(document: Document, setting: _Setting, say: Wording) -> None:
    section = document.sections[0]
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(210), Mm(297)
    top, bottom, left, right = setting.margins_mm
    section.top_margin, section.bottom_margin = Mm(top), Mm(bottom)
    section.left_margin, section.right_margin = Mm(left), Mm(right)
    section.footer_distance = Mm(max(8.0, bottom - 12))
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    dashes = ("— ", " —") if say.catalogue.lang == "zh" else ("", "")
    size = 14 if say.catalogue.lang == "zh" and setting.body_pt >= 16 else 10
    _run(foot, dashes[0], setting.title_face, setting, size)
    _field(_run(foot, "", setting.title_face, setting, size), "PAGE")
    _run(foot, dashes[1], setting.title_face, setting, size)


def _styles(document: Document, setting: _Setting, say: Wording) -> None:
    for language in document.styles.element.iter(qn("w:lang")):  # else Word breaks lines as in English
        language.set(qn("w:val"), "en-GB")
        language.set(qn("w:eastAsia"), "zh-CN" if say.catalogue.lang == "zh" else "en-GB")
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = setting.latin, Pt(setting.body_pt)
    _faces(normal.element.get_or_add_rPr(), setting.latin, setting.body_face)
    heading = document.styles["Heading 1"]
    heading.font.size, heading.font.bold = Pt(setting.head_pt), False
    heading.font.color.rgb = RGBColor(0, 0, 0)
    _faces(heading.element.get_or_add_rPr(), setting.latin, setting.head_face)
    shape = heading.paragraph_format
    shape.space_before, shape.space_after = Pt(setting.line_pt / 3), Pt(setting.line_pt / 6)
    shape.keep_with_next = True


def _line(document: Document, text: str, setting: _Setting, kind: str, *, keep: bool = False) -> None:
    """Add one paragraph of a kind: title, subtitle, body, caption or note; nothing for an empty text."""
    if not text:
        return
    paragraph = document.add_paragraph()
    shape = paragraph.paragraph_format
    shape.space_before = shape.space_after = Pt(0)
    shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(setting.line_pt)
    if kind == "title":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        shape.line_spacing = Pt(setting.title_pt * 1.45)
        _run(paragraph, text, setting.title_face, setting, setting.title_pt).font.bold = True
    elif kind == "subtitle":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        shape.space_after = Pt(setting.line_pt / 2)
        _run(paragraph, text, "楷体", setting, setting.body_pt * 0.9)
    elif kind == "body":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        if setting.body_pt >= 12:
            shape.first_line_indent = Pt(setting.body_pt * 2)
        else:
            shape.space_after = Pt(4)
        _run(paragraph, text, setting.body_face, setting)
    elif kind == "caption":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        shape.keep_with_next = keep
        shape.space_before, shape.space_after = Pt(5), Pt(2)
        shape.line_spacing_rule = WD_LINE_SPACING.SINGLE
        _run(paragraph, text, setting.head_face, setting, setting.table_pt + 1)
    else:
        shape.line_spacing_rule = WD_LINE_SPACING.SINGLE
        shape.space_after = Pt(6)
        _run(paragraph, text, setting.body_face, setting, setting.table_pt - 0.5)


def _table(document: Document, table: Table, setting: _Setting, say: Wording) -> None:
    made = document.add_table(rows=len(table.rows) + 1, cols=len(table.columns))
    made.style = document.styles["Table Grid"]
    made.alignment = WD_TABLE_ALIGNMENT.CENTER
    made.autofit = False
    widths = _widths(table, say, setting)
    for place, width in enumerate(widths):
        made.columns[place].width = Mm(width)
    for number, row in enumerate(made.rows):
        values = None if number == 0 else table.rows[number - 1]
        row_format = row._tr.get_or_add_trPr()
        row_format.append(_element("w:cantSplit", {"w:val": "true"}))
        if values is None:
            row_format.append(_element("w:tblHeader", {"w:val": "true"}))
        for place, (cell, column) in enumerate(zip(row.cells, table.columns, strict=True)):
            cell.width = Mm(widths[place])
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
            paragraph.paragraph_format.space_after = Pt(0)
            if values is None:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
                paragraph.paragraph_format.keep_with_next = True
                cell._tc.get_or_add_tcPr().append(
                    _element("w:shd", {"w:val": "clear", "w:color": "auto", "w:fill": "E8EEF0"})
                )
                _run(paragraph, say.heading(column), setting.head_face, setting, setting.table_pt)
                continue
            if column.unit != "text":
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            _run(paragraph, say.cell(values[place], column), setting.body_face, setting, setting.table_pt)


def _widths(table: Table, say: Wording, setting: _Setting) -> list[float]:
    """Share the width (mm) by what the columns hold: words stay whole, long texts get the rest."""

    def length(text: str) -> int:
        return sum(2 if ord(c) > 0x2E80 else 1 for c in text)

    least, wanted = [], []
    for place, column in enumerate(table.columns):
        texts = [say.cell(row[place], column) for row in table.rows]
        words = [length(word) for text in texts for word in re.findall(r"[!-~–]+", text)]
        heading = length(say.heading(column))
        longest = max((length(text) for text in texts), default=0)
        floor = max(3, min(20, max(words, default=0)), heading / 3 if heading > 6 else heading)
        floor = max(floor, min(24, 0.4 * longest)) + _PADDING
        least.append(floor)
        wanted.append(max(floor, min(44, 0.8 * longest) + _PADDING))
    room = setting.width_mm / (setting.table_pt * 0.55 * 0.353)  # half-width characters in a line
    spare = room - sum(least)
    more = [want - floor for want, floor in zip(wanted, least, strict=True)]
    if spare <= 0:
        widths = least
    else:  # a third evenly, so that no column is tight, the rest to the long texts
        even = spare / 3 / len(least)
        rest = spare * 2 / 3 / (sum(more) or 1.0)
        widths = [floor + even + rest * extra for floor, extra in zip(least, more, strict=True)]
    return [setting.width_mm * width / sum(widths) for width in widths]


def _run(paragraph: Paragraph, text: str, face: str, setting: _Setting, size: float | None = None) -> Run:
    run = paragraph.add_run(plain(text))
    run.font.name = setting.latin
    if size is not None:
        run.font.size = Pt(size)
    _faces(run._element.get_or_add_rPr(), setting.latin, face)
    return run


def _faces(properties: BaseOxmlElement, latin: str, asian: str) -> None:
    """Name both typefaces; without ``w:eastAsia`` Word sets Chinese in whatever it likes."""
    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = _element("w:rFonts", {})
        properties.insert(0, fonts)
    for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(qn(theme), None)
    for name, value in (("w:ascii", latin), ("w:hAnsi", latin), ("w:eastAsia", asian), ("w:cs", latin)):
        fonts.set(qn(name), value)


def _field(run: Run, code: str) -> None:
    """Let Word fill in a number, such as that of the page."""
    for kind, text in (("begin", None), (None, code), ("separate", None), ("text", "1"), ("end", None)):
        if kind == "text":
            node = _element("w:t", {})
            node.text = text or ""
        elif kind is None:
            node = _element("w:instrText", {"xml:space": "preserve"})
            node.text = f" {text} "
        else:
            node = _element("w:fldChar", {"w:fldCharType": kind})
        run._element.append(node)


def _element(tag: str, attributes: dict[str, str]) -> BaseOxmlElement:
    node = OxmlElement(tag)
    for name, value in attributes.items():
        node.set(qn(name), value)
    return node
