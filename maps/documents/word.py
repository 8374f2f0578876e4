"""A report as a Word document, as a Chinese office would send it on (GB/T 9704-2012), or in plain English.

Chinese: title in bold Song 22 pt, headings Hei 16 pt, text Fangsong 16 pt with an indent of two characters
and 28 pt lines, margins 37/35/28/26 mm, page number ``— 1 —``. The first page, sheets of stations, annexes
and the report on one unit grid are set smaller, to be taken in at a glance.
"""

import dataclasses
import datetime
import io
import math
from collections.abc import Callable

import docx
from docx.document import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.table import WD_ROW_HEIGHT_RULE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml.ns import qn
from docx.section import Section as PaperSection
from docx.shared import Mm, Pt, RGBColor

from maps.documents.captions import NUMBERED, Heading, figure_caption, headings, table_caption, table_note
from maps.documents.widths import PT_MM, table_lines, text_mm
from maps.documents.word_parts import (
    Setting,
    add_contents_line,
    add_field,
    add_frame,
    add_gap,
    add_line,
    add_link,
    add_mark,
    add_picture,
    add_run,
    add_table,
    set_faces,
)
from maps.documents.zips import settle_zip
from maps.texts.safe_text import plain
from maps.texts.wording import Wording
from siting.report import KeyFigure, Section, StudyReport, Table
from siting.results import Study

__all__ = ["grid_map_cm", "word_document"]

_FACES = ("仿宋", "黑体", "宋体", "Times New Roman")
_PAPER = {"zh": (37.0, 35.0, 28.0, 26.0), "en": (25.0, 25.0, 25.0, 25.0)}
_SHEET = {"zh": (15.0, 17.0, 25.0, 22.0), "en": (14.0, 16.0, 22.0, 22.0)}
_SETTINGS = {
    ("zh", "body"): Setting(*_FACES, 22, 16, 16, 10.5, 28, _PAPER["zh"]),
    ("zh", "small"): Setting(*_FACES, 22, 14, 12, 9.5, 18, _PAPER["zh"]),
    ("zh", "dense"): Setting(*_FACES, 22, 13, 11, 8.5, 15, _PAPER["zh"]),
    ("zh", "sheet"): Setting(*_FACES, 20, 13, 10.5, 8.5, 14, _SHEET["zh"]),
    ("en", "body"): Setting(*_FACES, 20, 14, 11.5, 9, 16, _PAPER["en"]),
    ("en", "small"): Setting(*_FACES, 20, 13, 10.5, 9, 13.5, _PAPER["en"]),
    ("en", "dense"): Setting(*_FACES, 20, 12.5, 9.5, 8, 12, _PAPER["en"]),
    ("en", "sheet"): Setting(*_FACES, 18, 12.5, 9.5, 8.5, 12.5, _SHEET["en"]),
}  # fmt: skip
_SIZE_OF = {"conclusion": "small", "contents": "small", "station": "sheet", "body": "body", "annex": "small"}
_PHOTO_MM = 34.0
_LEAD_MM = 84.0
_TITLE_PT = 90.0
"""What title, subtitle and the first heading take of the first page."""
_GRID_MAP_CM = (4.6, 7.0, 11.0)
"""Height of the map of one unit grid: the least, the usual, and where the report has two pages anyway."""
UNCAPTIONED = ("station_facts", "facilities", "facilities_today")
"""Tables of a sheet whose headings say what they are."""


def word_document(report: StudyReport, study: Study, say: Wording, pictures: dict[str, bytes]) -> bytes:
    """Set a report; ``pictures`` are PNG bytes by name."""
    writer = _Writer(report, study, say, pictures)
    document = writer.document
    for number, (section, heading) in enumerate(zip(report.sections, headings(report, say), strict=True)):
        writer.section(section, heading, number)
    core = document.core_properties
    core.title, core.author, core.last_modified_by = plain(say.say(report.title)), "yilu", "yilu"
    core.created = core.modified = datetime.datetime.fromisoformat(study.period[1])
    core.language = "zh-CN" if say.catalogue.lang == "zh" else "en-GB"
    core.comments, core.keywords = "", say.text("doc.keywords")
    out = io.BytesIO()
    document.save(out)
    return settle_zip(out.getvalue(), study.period[1])


def grid_map_cm(report: StudyReport, say: Wording) -> float:
    """Return how high the map of one unit grid is drawn, so that no few lines have a page of their own."""
    setting = _SETTINGS[say.catalogue.lang, "sheet"]
    # Chinese lines are higher than Latin ones
    high = 1.45 if say.catalogue.lang == "zh" else 1.2
    taken = 1.45 * setting.title_pt + 2 * setting.line_pt + 7 + high * (setting.table_pt + 1)
    for section in report.sections:
        taken += high * setting.head_pt + setting.line_pt / 2
        for said in (*section.paragraphs, *section.closing):
            wide = text_mm(say.say(said), setting.body_pt) * 1.08
            taken += math.ceil(wide / setting.width_mm) * setting.line_pt + 3
        for table in section.all_tables:
            taken += high * setting.table_pt * table_lines(table, say, setting.width_mm, setting.table_pt)
    least, usual, most = _GRID_MAP_CM
    left = ((297 - sum(setting.margins_mm[:2])) / PT_MM - taken * 1.07) * PT_MM / 10
    return min(usual, left) if left >= least else most


class _Writer:
    """Writes one report from its first to its last section."""

    def __init__(self, report: StudyReport, study: Study, say: Wording, pictures: dict[str, bytes]) -> None:
        self.report, self.study, self.say, self.pictures = report, study, say, pictures
        self.document: Document = docx.Document()
        self.tables = self.figures = 0
        self.grid = report.grid_code is not None
        self.short = not any(section.part == "contents" for section in report.sections)
        self.margins = self._setting("station" if self.grid else "body").margins_mm
        first = self._setting("body")
        _page(self.document.sections[0], self.margins, first, say)
        _styles(self.document, first, say)
        title = dataclasses.replace(first, line_pt=18) if self.grid else first
        add_line(self.document, say.say(report.title), title, "title")
        add_line(self.document, say.say(report.subtitle), self._setting("conclusion"), "subtitle")

    def _setting(self, part: str) -> Setting:
        """Return the sizes of a part; one unit grid is set like a sheet, two plans like annexes."""
        size = "sheet" if self.grid else "small" if self.short else _SIZE_OF[part]
        return _SETTINGS[self.say.catalogue.lang, size]

    def section(self, section: Section, heading: Heading, number: int) -> None:
        """Write one section."""
        setting = self._setting(section.part)
        if section.part == "conclusion" and not self.grid:
            room = (297 - sum(setting.margins_mm[:2])) / PT_MM - _TITLE_PT
            if self._height(section, setting) > room:
                setting = _SETTINGS[self.say.catalogue.lang, "dense"]
        if setting.margins_mm != self.margins:
            self.margins = setting.margins_mm
            _margins(self.document.add_section(WD_SECTION.NEW_PAGE), self.margins)
            new_page = False
        else:
            new_page = section.part in ("contents", "station")
        if heading.group:
            self._heading(heading.group, setting, "", number, new_page=new_page)
            new_page = False
        self._heading(heading.text, setting, heading.anchor, number, new_page=new_page)
        if section.part == "contents":
            self._contents(setting)
        steps: dict[str, Callable[[Section, Setting], None]] = {
            "conclusion": self._conclusion, "station": self._station
        }  # fmt: skip
        steps.get(section.part, self._text)(section, setting)

    def _heading(self, text: str, setting: Setting, anchor: str, number: int, *, new_page: bool) -> None:
        paragraph = self.document.add_heading("", level=1)
        paragraph.paragraph_format.page_break_before = new_page
        shape = paragraph.paragraph_format
        shape.space_before, shape.space_after = Pt(setting.line_pt / 3), Pt(setting.line_pt / 6)
        add_run(paragraph, text, setting.head_face, setting, setting.head_pt)
        if anchor:
            add_mark(paragraph, anchor, number)

    def _contents(self, setting: Setting) -> None:
        for section, heading in zip(self.report.sections, headings(self.report, self.say), strict=True):
            if heading.group:
                add_contents_line(self.document, heading.group, heading.anchor, setting, inner=False)
            if section.part != "contents":
                add_contents_line(self.document, heading.text, heading.anchor, setting, inner=heading.inner)

    def _text(self, section: Section, setting: Setting) -> None:
        """Write sentences, pictures and tables."""
        for said in section.paragraphs:
            add_line(self.document, self.say.say(said), setting, "plain" if self.grid else "body")
        for name in section.pictures:
            self.figures += section.part in NUMBERED
            caption = figure_caption(name, self.figures, section, self.study, self.say)
            self._picture(name, setting.width_mm, caption)
            add_line(self.document, caption, setting, "caption")
        self._tables(section, section.all_tables, setting, notes=not self.grid)
        for said in section.closing:
            add_line(self.document, self.say.say(said), setting, "body")

    def _tables(self, section: Section, tables: tuple[Table, ...], setting: Setting, *, notes: bool) -> None:
        for table in tables:
            self.tables += section.part in NUMBERED
            # in the report on one unit grid the heading above says it
            caption = "" if self.grid else table_caption(table, self.tables, section, self.say)
            add_line(self.document, caption, setting, "caption", keep=True)
            note = table_note((table,), self.study, self.say) if notes else ""
            add_table(self.document, table, setting, self.say, note=bool(note))
            if notes:
                add_line(self.document, note, setting, "note")

    def _conclusion(self, section: Section, setting: Setting) -> None:
        """Write the first page: sentences, the map beside the figures, stations, what is asked of whom."""
        for said in section.paragraphs:
            add_line(self.document, self.say.say(said), setting, "body")
        right = setting.width_mm - _LEAD_MM - 4
        cells = add_frame(self.document, 1, (_LEAD_MM + 4, right)).rows[0].cells
        for name in section.pictures:
            caption = figure_caption(name, 0, section, self.study, self.say)
            add_picture(cells[0].paragraphs[0], self.pictures[name], _LEAD_MM, caption)
            below = cells[0].add_paragraph()
            below.paragraph_format.space_after = Pt(0)
            add_run(below, caption, setting.body_face, setting, setting.table_pt - 1.5)
        first = True
        for figure in section.figures:
            self._key_figure(cells[1], figure, setting, first=first)
            first = False
        tables = tuple(table for table in section.tables if table.rows)
        self._tables(section, tables, setting, notes=False)
        for said in section.closing:
            add_line(self.document, self.say.say(said), setting, "body")
        if section.asks is not None and section.asks.rows:
            self._tables(section, (section.asks,), setting, notes=False)

    def _height(self, section: Section, setting: Setting) -> float:
        """Return about how high the first page is set, pt, title and heading apart."""

        def high(text: str, size: float, width_mm: float) -> int:
            return math.ceil(text_mm(text, size) / width_mm * 1.03)

        wide, size = setting.width_mm, setting.table_pt
        said = [self.say.say(one) for one in (*section.paragraphs, *section.closing)]
        total = sum(high(text, setting.body_pt, wide - 8) for text in said) * setting.line_pt
        for figure in section.figures:
            meaning = high(self.say.say(figure.meaning), size - 0.5, wide - _LEAD_MM - 8)
            total += 1.3 * (2 * size + 0.72 * setting.title_pt + meaning * size) + 5
        for table in (*section.tables, *((section.asks,) if section.asks else ())):
            if table.rows:
                total += 1.35 * size * (table_lines(table, self.say, wide, size) + 1) + 8
        return total

    def _key_figure(self, cell: object, figure: KeyFigure, setting: Setting, *, first: bool) -> None:
        """Write a figure in large type between its name and its meaning."""
        lines = (
            (self.say.term(figure.label.key), setting.head_face, setting.table_pt + 0.5),
            (self.say.say(figure.value), setting.title_face, setting.title_pt * 0.72),
            (self.say.say(figure.meaning), setting.body_face, setting.table_pt - 0.5),
        )
        for number, (text, face, size) in enumerate(lines):
            reuse = first and number == 0
            paragraph = cell.paragraphs[0] if reuse else cell.add_paragraph()  # type: ignore[attr-defined]
            shape = paragraph.paragraph_format
            shape.space_before = Pt(0 if number or first else 5)
            shape.space_after = Pt(0)
            shape.line_spacing_rule = WD_LINE_SPACING.SINGLE
            run = add_run(paragraph, text, face, setting, size)
            if number == 1:
                run.font.bold = True
                run.font.color.rgb = RGBColor(0x1F, 0x4E, 0x5F)

    def _station(self, section: Section, setting: Setting) -> None:
        """Write one sheet: pictures side by side, sentences, tables, check list, photograph, links."""
        self._side_by_side(section, setting)
        for said in section.paragraphs:
            add_line(self.document, self.say.say(said), setting, "plain")
        for table in section.all_tables:
            if table.key not in UNCAPTIONED:
                caption = table_caption(table, 0, section, self.say)
                add_line(self.document, caption, setting, "caption", keep=True)
            add_table(self.document, table, setting, self.say)
            add_gap(self.document)
        for said in section.closing:
            add_line(self.document, self.say.say(said), setting, "plain")
        self._checks(section, setting)
        self._links(section, setting)
        mark = self.say.text("quantity.redacted_short", k=self.study.k)
        note = self.say.text("caption.note_sheet", k=self.study.k, mark=mark)
        add_line(self.document, note, setting, "note")

    def _side_by_side(self, section: Section, setting: Setting) -> None:
        widths = tuple(setting.width_mm * share for share in (0.55, 0.45))
        frame = add_frame(self.document, 2, (widths[0], widths[1]))
        for place, name in enumerate(section.pictures):
            cell = frame.rows[0].cells[place].paragraphs[0]
            cell.alignment = WD_ALIGN_PARAGRAPH.CENTER
            caption = figure_caption(name, 0, section, self.study, self.say)
            add_picture(cell, self.pictures[name], widths[place] - 4, caption)
            below = frame.rows[1].cells[place].paragraphs[0]
            below.alignment = WD_ALIGN_PARAGRAPH.CENTER
            add_run(below, caption, setting.head_face, setting, setting.table_pt - 0.5)

    def _checks(self, section: Section, setting: Setting) -> None:
        """Write what to look at on the spot, beside the room for a photograph."""
        if not section.checks:
            return
        half = setting.width_mm / 2
        frame = add_frame(self.document, 1, (half + 8, half - 8), lines=True)
        frame.rows[0].height_rule, frame.rows[0].height = WD_ROW_HEIGHT_RULE.AT_LEAST, Mm(_PHOTO_MM)
        left, right = frame.rows[0].cells
        add_run(left.paragraphs[0], self.say.text("doc.checks"), setting.head_face, setting, setting.table_pt)
        for check in section.checks:
            paragraph = left.add_paragraph()
            shape = paragraph.paragraph_format
            shape.space_before = shape.space_after = Pt(0)
            shape.line_spacing_rule = WD_LINE_SPACING.SINGLE
            text = f"□ {self.say.term(check.key)}"
            add_run(paragraph, text, setting.body_face, setting, setting.table_pt)
        if section.photo:
            photo = right.paragraphs[0]
            photo.alignment = WD_ALIGN_PARAGRAPH.CENTER
            run = add_run(photo, self.say.text("doc.photo"), setting.body_face, setting, setting.table_pt)
            run.font.color.rgb = RGBColor(0x77, 0x77, 0x77)

    def _links(self, section: Section, setting: Setting) -> None:
        if not section.links:
            return
        paragraph = self.document.add_paragraph()
        paragraph.paragraph_format.space_before = Pt(4)
        paragraph.paragraph_format.space_after = Pt(2)
        size = setting.table_pt
        colon = "：" if self.say.catalogue.lang == "zh" else ": "
        add_run(paragraph, self.say.text("doc.links") + colon, setting.head_face, setting, size)
        for number, link in enumerate(section.links):
            if number:
                add_run(paragraph, self.say.text("list.comma"), setting.body_face, setting, size)
            add_link(paragraph, self.say.term(link.label.key), link.url, setting, size)

    def _picture(self, name: str, width_mm: float, caption: str) -> None:
        paragraph = self.document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.keep_with_next = True
        paragraph.paragraph_format.space_after = Pt(0)
        add_picture(paragraph, self.pictures[name], width_mm, caption)


def _page(section: PaperSection, margins_mm: tuple[float, ...], setting: Setting, say: Wording) -> None:
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(210), Mm(297)
    _margins(section, margins_mm)
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    dashes = ("— ", " —") if say.catalogue.lang == "zh" else ("", "")
    size = 14 if say.catalogue.lang == "zh" and setting.body_pt >= 16 else 10
    add_run(foot, dashes[0], setting.title_face, setting, size)
    add_field(add_run(foot, "", setting.title_face, setting, size), "PAGE")
    add_run(foot, dashes[1], setting.title_face, setting, size)


def _margins(section: PaperSection, margins_mm: tuple[float, ...]) -> None:
    top, bottom, left, right = margins_mm
    section.top_margin, section.bottom_margin = Mm(top), Mm(bottom)
    section.left_margin, section.right_margin = Mm(left), Mm(right)
    section.footer_distance = Mm(max(8.0, bottom - 12))


def _styles(document: Document, setting: Setting, say: Wording) -> None:
    for language in document.styles.element.iter(qn("w:lang")):  # else Word breaks lines as in English
        language.set(qn("w:val"), "en-GB")
        language.set(qn("w:eastAsia"), "zh-CN" if say.catalogue.lang == "zh" else "en-GB")
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = setting.latin, Pt(setting.body_pt)
    set_faces(normal.element.get_or_add_rPr(), setting.latin, setting.body_face)
    heading = document.styles["Heading 1"]
    heading.font.size, heading.font.bold = Pt(setting.head_pt), False
    heading.font.color.rgb = RGBColor(0, 0, 0)
    set_faces(heading.element.get_or_add_rPr(), setting.latin, setting.head_face)
    heading.paragraph_format.keep_with_next = True
