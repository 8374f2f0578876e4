"""Values by shape: enough to see what a column holds, too little to see whom it is about."""

import re
from typing import Final

__all__ = ["shape", "shape_kind", "shape_of_name", "shown_column"]

_TIME: Final = re.compile(
    r"^\s*(\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?([T\s]*[^\d\s]{0,3}\s*\d{1,2}[:时点].*)?"
    r"|\d{1,2}[-/]\d{1,2}\s+\d{1,2}:\d{2}.*|(上午|下午)?\s*\d{1,2}[:时点]\d{1,2}.*)\s*$"
)
_NUMBER: Final = re.compile(r"^\s*[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?\s*$")
_LONG: Final = 9
_LONGEST_NAME: Final = 40
_VALUE: Final = re.compile(r"\d[\d.,]{3,}")
_EPOCH: Final = re.compile(r"^\s*(1[0-9]{9}|1[0-9]{12})(\.\d+)?\s*$")
_COMPACT: Final = re.compile(r"^\s*(19|20)\d{12}\s*$")


def shape_kind(value: str) -> str:
    """Return what a value looks like: datetime, clock, epoch, degrees, whole, number, empty, text ..."""
    text = value.strip()
    if not text:
        return "empty"
    if _COMPACT.match(text):
        return "compact"
    if _EPOCH.match(text):
        return "epoch"
    if _NUMBER.match(text):
        number = float(text.replace(",", "."))
        if re.fullmatch(r"[+-]?\d+", text):
            return "whole"
        return "degrees" if abs(number) <= 180 else "number"
    if _TIME.match(text):
        return "clock" if re.match(r"^(上午|下午)?\s*\d{1,2}[:时点]", text) else "datetime"
    return "text"


def shape(value: str) -> str:
    """Return a value by shape: ``1381****678``, ``118.7*``, ``2026-03-02 **:**:**``, ``张*``."""
    text = value.strip()
    kind = shape_kind(text)
    if kind in ("datetime", "clock"):
        day = re.match(r"^[\d\-/.年月日]{6,11}(?=[T\s日]|$)", text)
        kept = day.group(0) if day else ""
        return kept + re.sub(r"\d", "*", text[len(kept) :])
    if kind in ("degrees", "number") and re.match(r"^[+-]?\d+[.,]\d", text):
        whole, dot, rest = re.split(r"([.,])", text, maxsplit=1)
        return f"{_cut(whole)}{dot}{rest[0]}*"
    return _cut(text)


def _cut(text: str) -> str:
    if len(text) <= 3 and re.fullmatch(r"[+-]?\d*", text):
        return text
    if len(text) > _LONG:
        return f"{text[:4]}****{text[-3:]}" if text.isdigit() else f"{text[:2]}****"
    return text[: 2 if text.isdigit() else 1] + "*" * min(4, len(text) - 1)


def shape_of_name(name: str) -> str:
    """Return the name of a file or column, long numbers in it (phones, ids) by shape."""
    return re.sub(r"\d{7,}", lambda run: _kept_date(run.group(0)), name)


def shown_column(name: str) -> str:
    """Return the name of a column; one that looks like a value, as in a broken file, by shape."""
    return shape(name) if _VALUE.search(name) else name[:_LONGEST_NAME]


def _kept_date(digits: str) -> str:
    return digits if re.fullmatch(r"(19|20)\d{6}(\d{6})?", digits) else _cut(digits)
