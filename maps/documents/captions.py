"""Headings, captions and notes that every kind of document shares."""

import dataclasses

from maps.texts.wording import Wording
from siting.report import Section, StudyReport, Table, period_of
from siting.results import Study

__all__ = ["NUMBERED", "Heading", "figure_caption", "headings", "number_of", "table_caption", "table_note"]

_CHINESE = "零一二三四五六七八九十"
NUMBERED = ("body", "annex")
"""Parts whose figures and tables have numbers; the first page and the sheets stand by themselves."""


@dataclasses.dataclass(frozen=True, slots=True)
class Heading:
    """What stands above a section."""

    text: str
    group: str = ""
    """Heading above the first of several sections of one kind."""
    anchor: str = ""
    """Name by which the table of contents finds it."""
    inner: bool = False
    """Whether it stands below the heading of a group."""


def headings(report: StudyReport, say: Wording) -> list[Heading]:
    """Return a heading for each section, numbered in their order; annexes and sheets by themselves."""
    place = sheet = annex = 0
    out = []
    for number, section in enumerate(report.sections, start=1):
        title = say.text(f"section.{section.key}") if section.title is None else say.say(section.title)
        anchor, group = f"part-{number}", ""
        if section.part == "contents":
            text = say.text("section.contents")
        elif section.part == "annex":
            annex += 1
            text = say.text("doc.annex_number", n=annex) + title
        elif section.part == "station":
            if sheet == 0:
                place += 1
                group = number_of(place, say) + say.text(f"section.{section.key}")
            sheet += 1
            text = (
                f"（{_chinese(sheet)}）{title}" if say.catalogue.lang == "zh" else f"{place}.{sheet} {title}"
            )
        else:
            place += 1
            text = number_of(place, say) + title
        out.append(Heading(text, group, anchor, section.part == "station"))
    return out


def _chinese(number: int) -> str:
    """Return 1-99 in Chinese."""
    if number <= 10:
        return _CHINESE[number]
    tens, ones = divmod(number, 10)
    if number > 99:
        return str(number)
    return ("" if tens == 1 else _CHINESE[tens]) + "十" + ("" if ones == 0 else _CHINESE[ones])


def number_of(place: int, say: Wording) -> str:
    """Give the number of a first-level heading: ``一、`` in Chinese (GB/T 9704), ``1. `` else."""
    return f"{_chinese(place)}、" if say.catalogue.lang == "zh" else f"{place}. "


def figure_caption(name: str, number: int, section: Section, study: Study, say: Wording) -> str:
    """Caption of a picture; numbered where figures of the section are."""
    key, _, site_id = name.partition(":")
    if key in ("map", "lead"):
        kinds = []
        if any(not site.existing for site in study.sites):
            kinds.append(say.text("caption.circle", what=say.text("legend.site_suggested")))
        if any(site.existing for site in study.sites):
            kinds.append(say.text("caption.square", what=say.text("legend.site_existing")))
        if study.pickups:
            kinds.append(say.text("caption.diamond", what=say.text("legend.pickup")))
        title = say.text("caption.picture_map", legend=say.text("list.comma").join(kinds))
        if not kinds:
            title = say.text("caption.picture_map_empty")
    elif key in ("inset", "hours"):
        standing = any(site.existing and site.site_id == site_id for site in study.sites)
        name = f"{key}_standing" if standing else {"inset": "inset", "hours": "station_hours"}[key]
        title = say.text(f"caption.picture_{name}", id=site_id)
    else:
        title = say.text(f"caption.picture_{key}")
    return say.text("caption.picture", n=number, title=title) if section.part in NUMBERED else title


def table_caption(table: Table, number: int, section: Section, say: Wording) -> str:
    """Caption of a table; numbered where tables of the section are."""
    title = say.text(f"caption.{table.key}")
    return say.text("caption.table", n=number, title=title) if section.part in NUMBERED else title


def table_note(tables: tuple[Table, ...], study: Study, say: Wording) -> str:
    """Return the note below tables on period, redaction and empty cells; empty where none is redacted."""
    if not any(column.redacted for table in tables for column in table.columns):
        return ""
    mark = say.text("quantity.redacted_short", k=study.k)
    return say.text("caption.note_k", period=say.say(period_of(study)), k=study.k, mark=mark)
