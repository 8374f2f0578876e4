"""Paragraphs, fields, links, pictures and tables of a Word document, each with its typefaces named."""

import copy
import dataclasses
import io

from docx.document import Document
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Mm, Pt, RGBColor
from docx.table import Table as WordTable
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from maps.documents.widths import column_widths, table_lines
from maps.texts.safe_text import plain
from maps.texts.wording import Wording
from siting.report import Table

__all__ = [
    "HEADLESS", "Setting", "add_contents_line", "add_field", "add_frame", "add_gap", "add_line", "add_link",
    "add_mark", "add_picture", "add_run", "add_table", "element", "set_faces",
]  # fmt: skip

HEADLESS = ("station_facts",)
"""Tables of names and values side by side, whose columns need no heading."""
SUBTITLE_FACE = "楷体"
_SHORT = 14
"""Lines of a table that is not parted between two pages: a higher one would leave much of a page empty."""


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """Typefaces and sizes of one kind of text."""

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
        """Width of the text."""
        return 210 - self.margins_mm[2] - self.margins_mm[3]


def add_line(place: Document, text: str, setting: Setting, kind: str, *, keep: bool = False) -> None:
    """Add a paragraph of a kind (title, subtitle, body, plain, caption, note); nothing for an empty text."""
    if not text:
        return
    paragraph = place.add_paragraph()
    shape = paragraph.paragraph_format
    shape.space_before = shape.space_after = Pt(0)
    shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(setting.line_pt)
    if kind == "title":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        shape.line_spacing = Pt(setting.title_pt * 1.45)
        add_run(paragraph, text, setting.title_face, setting, setting.title_pt).font.bold = True
    elif kind == "subtitle":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        shape.space_after = Pt(setting.line_pt / 3)
        add_run(paragraph, text, SUBTITLE_FACE, setting, setting.body_pt * 0.9)
    elif kind in ("body", "plain"):
        # long codes on short lines would be spread out
        paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY if kind == "body" else WD_ALIGN_PARAGRAPH.LEFT
        if kind == "body" and setting.body_pt >= 12:
            shape.first_line_indent = Pt(setting.body_pt * 2)
        else:
            shape.space_after = Pt(3)
        add_run(paragraph, text, setting.body_face, setting, setting.body_pt)
    elif kind == "caption":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        shape.keep_with_next = keep
        shape.space_before, shape.space_after = Pt(5), Pt(2)
        shape.line_spacing_rule = WD_LINE_SPACING.SINGLE
        add_run(paragraph, text, setting.head_face, setting, setting.table_pt + 1)
    else:
        shape.line_spacing_rule = WD_LINE_SPACING.SINGLE
        shape.space_after = Pt(4)
        add_run(paragraph, text, setting.body_face, setting, setting.table_pt - 0.5)


def add_table(
    document: Document, table: Table, setting: Setting, say: Wording, *, note: bool = False
) -> None:
    """Add a table with a heading that repeats on every page; widths follow what it holds.

    A short table stays on one page, of a long one two rows at least stand on each; a note that follows
    stays with the last row.
    """
    headless = table.key in HEADLESS
    made = document.add_table(rows=len(table.rows) + (not headless), cols=len(table.columns))
    made.style = document.styles["Table Grid"]
    made.alignment = WD_TABLE_ALIGNMENT.CENTER
    made.autofit = False
    found = column_widths(table, say, setting.width_mm, setting.table_pt)
    for place, width in enumerate(found.mm):
        made.columns[place].width = Mm(width)
    texts = [] if headless else [[say.heading(column) for column in table.columns]]
    texts += [[say.cell(v, c) for v, c in zip(row, table.columns, strict=True)] for row in table.rows]
    last = len(texts) - 1
    short = table_lines(table, say, setting.width_mm, setting.table_pt) <= _SHORT
    for number, (row, said) in enumerate(zip(made.rows, texts, strict=True)):
        heading = number == 0 and not headless
        held = note if number == last else short or number <= 1 or number == last - 1
        row_format = row._tr.get_or_add_trPr()
        row_format.append(element("w:cantSplit", {"w:val": "true"}))
        if heading:
            row_format.append(element("w:tblHeader", {"w:val": "true"}))
        for place, (cell, column) in enumerate(zip(row.cells, table.columns, strict=True)):
            cell.width = Mm(found.mm[place])
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
            paragraph.paragraph_format.space_after = Pt(0)
            paragraph.paragraph_format.keep_with_next = held
            # Latin and Chinese lines are not of the same height
            cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
            shaded = heading or (headless and column.key.startswith("fact"))
            if shaded:
                cell._tc.get_or_add_tcPr().append(
                    element("w:shd", {"w:val": "clear", "w:color": "auto", "w:fill": "E8EEF0"})
                )
            if heading:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            elif column.unit != "text":
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            face = setting.head_face if shaded else setting.body_face
            add_run(paragraph, said[place], face, setting, found.pt)


def add_frame(
    document: Document, rows: int, widths_mm: tuple[float, ...], *, lines: bool = False
) -> WordTable:
    """Add a table that only places things beside each other, or one box with lines."""
    made: WordTable = document.add_table(rows=rows, cols=len(widths_mm))
    if lines:
        made.style = document.styles["Table Grid"]
    made.alignment = WD_TABLE_ALIGNMENT.CENTER
    made.autofit = False
    for place, width in enumerate(widths_mm):  # Word goes by the cells, LibreOffice by the columns
        made.columns[place].width = Mm(width)
    for row in made.rows:
        row._tr.get_or_add_trPr().append(element("w:cantSplit", {"w:val": "true"}))
        for cell, width in zip(row.cells, widths_mm, strict=True):
            cell.width = Mm(width)
            shape = cell.paragraphs[0].paragraph_format
            shape.space_before = shape.space_after = Pt(0)
            shape.line_spacing_rule = WD_LINE_SPACING.SINGLE
    return made


def add_gap(document: Document) -> None:
    """Part two tables, which Word else joins."""
    shape = document.add_paragraph().paragraph_format
    shape.space_before = shape.space_after = Pt(0)
    shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(4)


def add_run(paragraph: Paragraph, text: str, face: str, setting: Setting, size: float) -> Run:
    """Add text in a typeface."""
    run = paragraph.add_run(plain(text))
    run.font.name = setting.latin
    run.font.size = Pt(size)
    set_faces(run._element.get_or_add_rPr(), setting.latin, face)
    return run


def add_picture(paragraph: Paragraph, png: bytes, width_mm: float, said: str) -> None:
    """Add a picture as wide as told, with what it shows for those who cannot see it.

    Where its distance from the text is not told, LibreOffice leaves an eighth of an inch on both sides: the
    picture slides to the right and loses its edge in a cell.
    """
    shape = paragraph.add_run().add_picture(io.BytesIO(png), width=Mm(width_mm))
    for side in ("distT", "distB", "distL", "distR"):
        shape._inline.set(side, "0")
    shape._inline.docPr.set("descr", plain(said))


def set_faces(properties: BaseOxmlElement, latin: str, asian: str) -> None:
    """Name both typefaces; without ``w:eastAsia`` Word sets Chinese in whatever it likes."""
    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = element("w:rFonts", {})
        properties.insert(0, fonts)
    for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(qn(theme), None)
    for name, value in (("w:ascii", latin), ("w:hAnsi", latin), ("w:eastAsia", asian), ("w:cs", latin)):
        fonts.set(qn(name), value)


def add_field(run: Run, code: str, shown: str = "1") -> None:
    """Let Word fill in a number, such as that of the page; each part of a field is a run of its own."""
    runs = [run._element, *(copy.deepcopy(run._element) for _ in range(4))]
    for number, (kind, text) in enumerate(
        (("begin", None), ("code", code), ("separate", None), ("text", shown), ("end", None))
    ):
        if kind == "text":
            node = element("w:t", {})
            node.text = text or ""
        elif kind == "code":
            node = element("w:instrText", {"xml:space": "preserve"})
            node.text = f" {text} "
        else:
            node = element("w:fldChar", {"w:fldCharType": kind})
            if kind == "begin" and code.startswith("PAGEREF"):
                node.set(qn("w:dirty"), "true")  # else Word shows what is stored until somebody presses F9
        runs[number].append(node)
        if number:
            runs[number - 1].addnext(runs[number])


def add_mark(paragraph: Paragraph, anchor: str, number: int) -> None:
    """Mark a paragraph, so that the table of contents finds it."""
    name = anchor.replace("-", "_")
    start = element("w:bookmarkStart", {"w:id": str(number), "w:name": name})
    paragraph._p.insert(1 if paragraph._p.pPr is not None else 0, start)
    paragraph._p.append(element("w:bookmarkEnd", {"w:id": str(number)}))


def add_contents_line(document: Document, text: str, anchor: str, setting: Setting, *, inner: bool) -> None:
    """Add one line of the table of contents: a link to the heading, dots, and its page."""
    paragraph = document.add_paragraph()
    shape = paragraph.paragraph_format
    shape.space_before = shape.space_after = Pt(0)
    shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(setting.line_pt)
    shape.left_indent = Pt(setting.body_pt * 2 if inner else 0)
    shape.tab_stops.add_tab_stop(Mm(setting.width_mm), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
    name = anchor.replace("-", "_")
    link = element("w:hyperlink", {"w:anchor": name, "w:history": "1"})
    paragraph._p.append(link)
    size = setting.body_pt
    link.append(add_run(paragraph, f"{text}\t", setting.body_face, setting, size)._element)
    page = add_run(paragraph, "", setting.body_face, setting, size)
    link.append(page._element)
    add_field(page, f"PAGEREF {name} \\h", "–")


def add_link(paragraph: Paragraph, text: str, url: str, setting: Setting, size: float) -> None:
    """Add text that opens an address."""
    relation = paragraph.part.relate_to(url, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    link = element("w:hyperlink", {"r:id": relation})
    run = add_run(paragraph, text, setting.body_face, setting, size)
    run.font.underline = True
    run.font.color.rgb = RGBColor(0x0B, 0x4F, 0x8A)
    paragraph._p.append(link)
    link.append(run._element)


def element(tag: str, attributes: dict[str, str]) -> BaseOxmlElement:
    """Return an element of Office XML."""
    node = OxmlElement(tag)
    for name, value in attributes.items():
        node.set(qn(name), value)
    return node
