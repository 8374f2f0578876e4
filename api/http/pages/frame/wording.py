"""Instants, spans and amounts as pages say them."""

import datetime
import math

from api.forms import Language
from api.http.pages.frame.page_texts import page_texts
from maps.texts import Wording
from siting.report import Unit

__all__ = ["Saying"]


class Saying:
    """Values in the reader's language and the city's time.

    Parameters
    ----------
    lang : {"zh", "en"}
    zone : tzinfo
        Of the city.
    now : datetime
        With its time zone.
    """

    def __init__(self, lang: Language, zone: datetime.tzinfo, now: datetime.datetime) -> None:
        self._lang = lang
        self._texts = page_texts(lang)
        self._wording = Wording.of(lang, 0)
        self._zone = zone
        self._now = now.astimezone(zone)

    def clock(self, instant: datetime.datetime | None) -> str:
        """Return hours and minutes; with the day where it is another one, with the year likewise."""
        if instant is None:
            return self._texts.text("value.none")
        local = instant.astimezone(self._zone)
        if local.date() == self._now.date():
            return f"{local:%H:%M}"
        if local.year != self._now.year:
            return self._texts.text("value.year_day", year=local.year, month=local.month, day=local.day)
        return self._texts.text("value.day_time", month=local.month, day=local.day, time=f"{local:%H:%M}")

    def instant(self, epoch_s: float | None) -> str:
        """Return an instant in epoch seconds likewise."""
        if epoch_s is None or not math.isfinite(epoch_s):
            return self._texts.text("value.none")
        return self.clock(datetime.datetime.fromtimestamp(epoch_s, self._zone))

    def minutes(self, seconds: float | None) -> str:
        """Return a span: seconds below a minute, hours from two on."""
        if seconds is None or not math.isfinite(seconds):
            return self._texts.text("value.none")
        if seconds < 60:
            return self._texts.text("value.seconds", n=round(seconds))
        if seconds < 7_200:
            return self._texts.text("value.minutes", n=round(seconds / 60))
        # Rounded before it is divided: nobody says two hours and sixty minutes.
        hours, minutes = divmod(round(seconds / 60), 60)
        key = "value.hours" if minutes else "value.full_hours"
        return self._texts.text(key, h=hours, m=minutes)

    def left(self, instant: datetime.datetime) -> str:
        """Return how long it is until then; never less than nothing."""
        return self.minutes(max((instant - self._now).total_seconds(), 0.0))

    def metres(self, metres: float) -> str:
        """Return a length: metres to ten below a kilometre."""
        if metres < 1_000:
            return self._texts.text("value.metres", n=int(round(metres, -1 if metres > 20 else 0)))
        return self._texts.text("value.kilometres", n=f"{metres / 1_000:.1f}")

    def hours(self, opening_hours: str) -> str:
        """Return opening hours (OSM ``opening_hours``) as people read them."""
        return self._wording.opening(opening_hours)

    def word(self, group: str, name: str) -> str:
        """Return a word of reports and maps, so that pages have no other for the same thing."""
        return self._wording.text(f"{group}.{name}")

    def figure(self, key: str, unit: Unit) -> str:
        """Return the name of a figure of two plans, with its unit as a table of the report has it."""
        name = self.word("compare_figure", key)
        unit_name = "" if unit == "share" else self.word("unit", unit)
        left, right = ("（", "）") if self._lang == "zh" else (" (", ")")
        return f"{name}{left}{unit_name}{right}" if unit_name else name

    def share(self, share: float | None) -> str:
        """Return a share in percent."""
        return self._texts.text("value.none") if share is None else f"{100 * share:.0f}%"

    def amount(self, value: float | None, digits: int = 0) -> str:
        """Return a figure; a dash for one that is withheld."""
        return self._texts.text("value.none") if value is None else f"{value:,.{digits}f}"
