"""Opening hours that a list keeps in several columns: opens and closes, or one a season or kind of day."""

import re
from collections.abc import Mapping, Sequence

from geo.datasets import PlaceTable, Row, cell_text

__all__ = ["joined_hours", "opens_among"]

OPENS = (
    "开门时间",
    "开始时间",
    "开放开始时间",
    "营业开始时间",
    "开放起始时间",
    "opens",
    "open_time",
    "opening_time",
)
CLOSES = (
    "关门时间", "结束时间", "开放结束时间", "营业结束时间", "开放截止时间", "闭馆时间", "关闭时间", "closes",
    "close_time", "closing_time",
)  # fmt: skip
_PART = re.compile(
    r"(?P<head>.*?)\s*[(（](?P<when>[^()（）]*(?:[季周月]|令时|工作日|平日|假日)[^()（）]*)[)）]\s*"
)
_SECONDS = re.compile(r"(\d{1,2}:\d{2}):\d{2}")


def opens_among(headings: Sequence[str]) -> str | None:
    """Return the heading of the hours of opening where those of closing stand beside; else None."""
    found = {heading.strip().casefold(): heading for heading in headings}
    opens, closes = (
        next((found[word] for word in words if word in found), None) for words in (OPENS, CLOSES)
    )
    return opens if closes is not None else None


def joined_hours(table: PlaceTable) -> PlaceTable:
    """Put hours of several columns into the one that was found: ``夏季8:00-20:00，冬季9:00-18:00``."""
    heading = table.columns.get("opening_hours", "")
    names = dict.fromkeys(name for _, row in table.rows for name in row)
    parts = {
        name: found["when"] for name in names if (found := _PART.fullmatch(name)) and found["head"] == heading
    }
    closes = next((name for name in names if name.strip().casefold() in CLOSES), None)
    if heading.strip().casefold() in OPENS and closes is not None:
        return _with(table, {number: _span(row, heading, closes) for number, row in table.rows})
    if len(parts) < 2:
        return table
    return _with(
        table,
        {
            number: "，".join(
                f"{when}{text}" for name, when in parts.items() if (text := cell_text(row.get(name)))
            )
            for number, row in table.rows
        },
    )


def _span(row: Mapping[str, object], opens: str, closes: str) -> str:
    ends = [_SECONDS.sub(r"\1", cell_text(row.get(name))) for name in (opens, closes)]
    return "-".join(ends) if all(ends) else ""


def _with(table: PlaceTable, hours: Mapping[int, str]) -> PlaceTable:
    heading = table.columns["opening_hours"]
    rows: list[Row] = [(number, {**row, heading: hours[number]}) for number, row in table.rows]
    return PlaceTable(rows, table.columns)
