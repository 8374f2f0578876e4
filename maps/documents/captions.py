"""Headings, captions and notes that every kind of document shares."""

from maps.documents.charts import HOURS_SHOWN
from maps.texts.wording import Wording
from siting.report import Table, period_of
from siting.results import Study

__all__ = ["figure_caption", "number_of", "table_caption"]

_CHINESE = "零一二三四五六七八九十"


def number_of(place: int, say: Wording) -> str:
    """Give the number of a first-level heading: ``一、`` in Chinese (GB/T 9704), ``1. `` else."""
    if say.catalogue.lang != "zh":
        return f"{place}. "
    digits = _CHINESE[place] if place <= 10 else f"十{_CHINESE[place - 10]}"
    return f"{digits}、"


def figure_caption(name: str, number: int, study: Study, say: Wording) -> str:
    """Caption of a picture."""
    if name == "map":
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
    elif name == "hours" and sum(not site.existing for site in study.sites) > HOURS_SHOWN:
        title = say.text("caption.picture_hours_first", n=HOURS_SHOWN)
    else:
        title = say.text(f"caption.picture_{name}")
    return say.text("caption.picture", n=number, title=title)


def table_caption(table: Table, number: int, study: Study, say: Wording) -> tuple[str, str]:
    """Caption of a table, and the note below it on period, redaction and empty cells."""
    caption = say.text("caption.table", n=number, title=say.text(f"caption.{table.key}"))
    redacted = any(column.redacted for column in table.columns)
    if not redacted:
        return caption, ""
    mark = say.text("quantity.redacted_short", k=study.k)
    return caption, say.text("caption.note_k", period=say.say(period_of(study)), k=study.k, mark=mark)
