"""Report values in words: numbers, shares, opening hours and reasons in the language of the reader."""

import dataclasses
import datetime
import re

from geo.localtime import WEEKDAYS
from maps.texts.catalogue import Catalogue, catalogue
from siting.report import Column, Quantity, Say, Term, Unit, Value

__all__ = ["Wording", "number_text"]

_FALLBACK = {"reason", "refusal", "reject", "stay", "solver"}
"""Groups that have an ``other`` text for keys that a newer core may bring."""
_RAW = {"facility", "datum", "mode", "method", "kind"}
"""Groups whose names may come from the user's own file: shown as they stand when unknown."""
_MEASURED = re.compile(r"median distance of ([\d,]+) moving points to the nearest street: (.*)")
_SHARES = re.compile(r"moving kilometres on streets: (.*)")
_TOGETHER = re.compile(r"([\d,]+) files together")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(rf"(?:\b(\d{{4}}) )?\b({'|'.join(_MONTHS)})\b(?: (\d{{1,2}})(?![\d:]))?")
_DAY = re.compile(r"\b(Mo|Tu|We|Th|Fr|Sa|Su|PH)\b")


def _date_zh(match: re.Match[str]) -> str:
    """Return a date of opening hours in Chinese."""
    year, month, day = match.groups()
    said = f"{_MONTHS.index(month) + 1}月" + (f"{int(day)}日" if day else "")
    return f"{year}年{said}" if year else said


def number_text(value: float, unit: Unit) -> str:
    """Digits of a figure as people read them: separators, and as many decimals as mean something."""
    if unit == "share" and 0 < abs(value) < 0.0005:
        return f"{value * 100:.1g}"  # small, but not nothing
    if unit == "share":
        return f"{value * 100:z.1f}"
    if unit == "points":
        return f"{value:+z.1f}"
    if unit == "index":
        return f"{value:z.3f}"
    if unit == "kmh":
        return f"{value:z.1f}"
    if unit == "degrees":
        return f"{value:z.6f}"
    if unit in ("min_a_day", "hours_a_day", "a_day") and abs(value) < 100:
        return f"{value:z,.1f}"
    return f"{value:z,.0f}"


@dataclasses.dataclass(frozen=True, slots=True)
class Wording:
    """Says report values in one language; ``k`` is the least number of riders that is published."""

    catalogue: Catalogue
    k: int

    @classmethod
    def of(cls, lang: str, k: int) -> "Wording":
        """Wording in one of :data:`maps.texts.LANGUAGES`."""
        return cls(catalogue(lang), k)

    def text(self, key: str, **params: object) -> str:
        """Return one text of the catalogue."""
        return self.catalogue.text(key, **params)

    def term(self, key: str) -> str:
        """Return a word of the catalogue; words from the user's own files stand as they are."""
        if key in self.catalogue:
            return self.catalogue.text(key)
        group, _, name = key.partition(".")
        if group in _RAW:
            return name
        if group in _FALLBACK:
            return self.catalogue.text(f"{group}.other")
        return self.catalogue.text(key)

    def say(self, said: Say) -> str:
        """Return a whole sentence with its figures in words."""
        if said.key == "opening":
            return self.opening(str(dict(said.params)["hours"]))
        if said.key == "evidence":
            return self.evidence(str(dict(said.params)["text"]))
        if said.key in ("say.period", "say.day"):
            return self.text(said.key, **{name: self.day(str(value)) for name, value in said.params})
        group = said.key.partition(".")[0]
        if said.key not in self.catalogue and group in _FALLBACK:
            return self.catalogue.text(f"{group}.other")
        hidden = f"{said.key}_hidden"  # a reason whose figure is redacted
        if hidden in self.catalogue and any(_withheld(value) for _, value in said.params):
            return self.catalogue.text(hidden, **{name: self._param(name, v) for name, v in said.params})
        return self.catalogue.text(
            said.key, **{name: self._param(name, value) for name, value in said.params}
        )

    def quantity(self, quantity: Quantity) -> str:
        """Return a figure with its unit, as it stands in a sentence."""
        if quantity.value is None:
            if quantity.redacted:
                return self.text("quantity.redacted", k=self.k)
            return self.text("list.none_cell")
        if quantity.unit == "text":
            return str(quantity.value)
        if quantity.unit == "s" and quantity.value >= 60 and quantity.value % 60 == 0:
            return self.text("quantity.minutes", value=f"{quantity.value / 60:,.0f}")
        return self.text(f"quantity.{quantity.unit}", value=number_text(quantity.value, quantity.unit))

    def cell(self, value: Value, column: Column) -> str:
        """Return a value as the text of one table cell; the unit stands in the heading."""
        if value is None:
            key = "quantity.redacted_short" if column.redacted else "list.none_cell"
            return self.text(key, k=self.k)
        if isinstance(value, bool):
            return self.text("list.yes" if value else "list.no")
        if isinstance(value, int | float):
            return str(value) if column.unit == "text" else number_text(value, column.unit)
        text = self.words(value)
        return text if text else self.text("list.none_cell")

    def heading(self, column: Column) -> str:
        """Return the heading of a column with its unit."""
        if column.key.startswith("hour_"):
            return f"{column.key[5:]}:00"
        name = self.text(f"column.{column.key}")
        if column.unit in ("text", "count", "index"):
            return name
        unit = self.text(f"unit.{column.unit}")
        left, right = ("（", "）") if self.catalogue.lang == "zh" else (" (", ")")
        return f"{name}{left}{unit}{right}"

    def words(self, value: Value) -> str:
        """Return any value in words."""
        if value is None:
            return self.text("list.none_cell")
        if isinstance(value, Term):
            return self.term(value.key)
        if isinstance(value, Say):
            return self.say(value)
        if isinstance(value, Quantity):
            return self.quantity(value)
        if isinstance(value, tuple):
            return self.text("list.comma").join(self.words(item) for item in value)
        if isinstance(value, bool):
            return self.text("list.yes" if value else "list.no")
        return str(value)

    def day(self, iso: str) -> str:
        """Return an ISO day as it is written in a document; anything else stands as it is."""
        try:
            day = datetime.date.fromisoformat(iso)
        except ValueError:
            return iso
        month = self.text(f"month.{day.month}")
        return self.text("month.day", year=day.year, month=month, day=day.day)

    def evidence(self, text: str) -> str:
        """Return what spoke for a datum; forms that the catalogue does not know stand as they are."""
        parts = []
        for part in text.split("; "):
            if measured := _MEASURED.fullmatch(part):
                points, medians = measured.groups()
                if points == "0":  # distances of none are those that stand for "far", and no measure
                    return self.text("evidence.none_moving")
                joined = self._by_datum(medians, r"(\w+) (\d+) m", "m")
                parts.append(self.text("evidence.measured", points=points, medians=joined))
            elif shared := _SHARES.fullmatch(part):
                joined = self._by_datum(shared[1], r"(\w+) (\d+)%", "percent")
                parts.append(self.text("evidence.on_streets", shares=joined))
            elif together := _TOGETHER.fullmatch(part):
                parts.append(self.text("evidence.together", files=together[1]))
            else:
                key = f"evidence.{part.replace(' ', '_').lower()}"
                parts.append(self.text(key) if key in self.catalogue else part)
        return self.text("list.stop").join(parts)

    def _by_datum(self, text: str, pattern: str, unit: str) -> str:
        """Return one figure for each datum."""
        said = [
            f"{self.term(f'datum.{datum}')} "
            + (f"{figure}%" if unit == "percent" else self.text(f"quantity.{unit}", value=figure))
            for datum, figure in re.findall(pattern, text)
        ]
        return self.text("list.comma").join(said)

    def opening(self, hours: str) -> str:
        """Return opening hours (OSM ``opening_hours``) as people read them."""
        rules = [rule.strip() for rule in hours.replace("；", ";").split(";") if rule.strip()]
        if not rules:
            return self.text("list.unknown")
        return self.text("list.stop").join(self._rule(rule) for rule in rules)

    def _rule(self, rule: str) -> str:
        if rule == "24/7":
            return self.text("opening.always")
        if rule in ("off", "closed"):
            return self.text("opening.closed")
        said = rule.replace("Mo-Su ", "").replace("Mo-Su,PH ", "")
        everyday = said != rule or not _DAY.search(rule)
        timed = re.match(r"\d", said) is not None
        # A comment that opening hours of working days carry, so that weekends moved to work count.
        said = re.sub(r'Mo-Fr (.*) "workdays"$', rf"{self.text('opening.workdays')} \1", said)
        if festival := re.fullmatch(r'PH (.*) "([A-Z][\w\' -]+)"', said):
            key = f"opening.{re.sub(r'[^a-z]+', '_', festival[2].lower())}"
            if key in self.catalogue:
                said = f"{self.text(key)} {festival[1]}"
        if said.replace(" ", "") == "00:00-24:00" and everyday:
            return self.text("opening.always")
        said = re.sub(r"(?<=\d)-(?=\d)", "–", said)
        days = {**{day: self.text(f"opening.{day}") for day in WEEKDAYS}, "PH": self.text("opening.holidays")}
        said = _DAY.sub(lambda match: days[match.group()], said)
        said = re.sub(r"\b(off|closed)\b", self.text("opening.closed"), said)
        if self.catalogue.lang == "zh":
            said = re.sub(r"(?<=[一二三四五六日])-(?=周)", "至", _DATE.sub(_date_zh, said))
            said = re.sub(r"(?<=[月日])-(?=\d)", "至", said)
            said = re.sub(r"(?<=[一-鿿]) (?=[\d一-鿿])", "", said.replace(",", "、"))
        else:
            said = said.replace(",", ", ").replace(",  ", ", ")
        if everyday and timed:
            return f"{self.text('opening.daily')}{'' if self.catalogue.lang == 'zh' else ' '}{said}"
        return said

    def _param(self, name: str, value: Value) -> str:
        """Return a parameter of a sentence; reasons carry plain strings, some of which are words of ours."""
        if isinstance(value, str):
            if f"{name}.{value}" in self.catalogue:
                return self.catalogue.text(f"{name}.{value}")
            if name in _HOUR_PARAMS:
                return self.opening(value)
            if name in _LIST_PARAMS:
                items = [item.strip() for item in value.split(",") if item.strip()]
                return self.text("list.comma").join(self.term(f"facility.{item}") for item in items)
        return self.words(value)


_HOUR_PARAMS = {"hours", "better_hours", "opening_hours"}
_LIST_PARAMS = {"facilities", "missing"}


def _withheld(value: Value) -> bool:
    """Say whether a sentence lacks a figure: one that is empty, or stands for too few riders."""
    return value in ("", None) or (isinstance(value, Quantity) and value.redacted and value.value is None)
