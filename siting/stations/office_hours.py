"""Opening hours as offices write them, in Chinese or English, brought to the OSM form.

A text is cut into words (days, seasons, spans, "closed"); what is no such word makes the text unreadable, so
that nothing is passed over in silence. Summer and winter without dates are those of office timetables: May to
September, October to April; the OSM text names the months, so that reports show them.
"""

import dataclasses
import re
import unicodedata

from geo.localtime import WEEKDAYS

__all__ = ["WORKDAYS", "office_to_osm"]

WORKDAYS = '"workdays"'
"""Comment of a rule that holds on working days: on weekends moved to work too, on public holidays not."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SUMMER, WINTER = "May-Sep", "Oct-Apr"
ALL_DAY = "00:00-24:00"
NOON_H = 12

_DASH = r"(?:[-–—―~〜]+|至|到|\bto\b)"
_PARTS_AFTER_NOON = ("下午", "午后", "傍晚", "晚上", "夜间", "夜里", "夜晚", "晚", "夜", "pm")
_PARTS = "|".join((*_PARTS_AFTER_NOON[:-1], "凌晨", "早上", "早晨", "清晨", "上午", "中午", "早"))
_MONTH_EN = "|".join(f"{name.lower()}[a-z]*" for name in MONTHS)
_DAY_EN = r"(?:mo|tu|we|th|fr|sa|su)(?:n|e|es|d|nes|u|ur|urs|i|t|r)?(?:days?)?\b\.?"
_NUMERALS = {**dict(zip("一二三四五六日", range(7), strict=True)), "天": 6}

_ONES = {**dict(zip("一二三四五六七八九", range(1, 10), strict=True)), "两": 2, "零": 0, "〇": 0}
_ONE = "[一二三四五六七八九两零〇]"
_WRITTEN = re.compile(
    rf"(?<![周期拜至到、一二三四五六日十])(?:{_ONE}?十{_ONE}?|{_ONE})(?=[点时](?!间))"
    rf"|(?<=[至到])(?:{_ONE}?十{_ONE}?|{_ONE})(?=[点时](?!间))|(?<=[点时])(?:{_ONE}?十{_ONE}?|零?{_ONE})(?=分)"
)


def _time(end: str) -> str:
    """Return the pattern of one time of day; `end` makes its group names."""
    return (
        rf"(?:次日|第二天|翌日|隔日|当日|当天)?\s*(?:(?P<part{end}>{_PARTS})\s*:?)?\s*(?P<h{end}>\d{{1,2}})"
        rf"(?:\s*[:.](?P<m{end}>\d{{2}})(?::00)?|\s*[点时](?:(?P<half{end}>半)|(?P<mm{end}>\d{{1,2}})分?|钟|整)?)?"
        rf"\s*(?P<after{end}>[ap]m)?(?![\d:])"
    )


_WEEK = r"(?:周|星期|礼拜)"
_DATE = (
    r"(?:(?P<{0}m>\d{{1,2}})月(?:份|(?P<{0}d>\d{{1,2}})[日号])?"
    r"|(?P<{0}e>{1})\.?(?:\s(?P<{0}f>\d{{1,2}})(?![\d:]))?)"
)
_WORDS: tuple[tuple[str, str], ...] = (
    ("always", r"全天候?(?:\s*24\s*(?:小时|h))?|24\s*(?:小时|hours|h\b)(?:全天)?|7\s*[*×x/]\s*24(?:小时|h)?"
               r"|24\s*[*×x/]\s*7|昼夜"),
    ("dates", _DATE.format("a", _MONTH_EN) + rf"\s*{_DASH}\s*(?:次年|翌年|第二年)?\s*"
              + _DATE.format("b", _MONTH_EN)),
    ("months", rf"(?P<from>\d{{1,2}})\s*{_DASH}\s*(?P<to>\d{{1,2}})月份?"),
    ("summer", r"夏(?:季|令时?|天|时)|\bsummer\b"),
    ("winter", r"冬(?:季|令时?|天|时)|\bwinter\b"),
    ("span", _time("1") + rf"\s*{_DASH}\s*" + _time("2")),
    ("digits", rf"(?P<a>\d{{4}})\s*{_DASH}\s*(?P<b>\d{{4}})(?!\d)"),
    ("weekend", r"周末|双休日|\bweekends?\b"),
    ("work", r"(?:法定)?工作日|上班日|\b(?:working days|workdays|weekdays)\b"),
    ("rest", r"(?:其余|其他|其它)(?:时间|时段|日期|时候)?|\bother times\b"),
    ("holidays", r"(?:国家)?法定(?:节假日|假日|节日|假期)|节假日|公共假[期日]|假日"
                 r"|\b(?:public )?holidays?\b|\bph\b"),
    ("every", r"每天|每日|天天|日常|\bdaily\b|\bevery day\b"),
    ("days", rf"{_WEEK}[一二三四五六日天1-7](?:\s*(?:{_DASH}|[、,和及])?\s*"
             rf"(?:{_WEEK}[一二三四五六日天1-7]|[一二三四五六日天](?![一-鿿]*常)|(?<=[-至到~–—])[1-7](?![\d:.点时月])))*"),
    ("days_en", rf"{_DAY_EN}(?:\s*(?:{_DASH}|[,&]|and)\s*{_DAY_EN})*"),
    ("usual", r"照常|正常|如常|不休息|不休|无休|不打烊|不闭馆"),
    ("closed", r"休息|不开放|不营业|不对外|关闭|闭馆|闭店|关门|停业|休业|休馆|除外|不开|休"
               r"|\bclosed\b|\boff\b"),
    ("enter", r"\("),
    ("leave", r"\)"),
    ("noise", r"开放时间|营业时间|服务时间|时间|开放|营业|服务|运营|对外|全年|为|均|都"
              r"|每(?=周|星期)|以及|[和及与]"
              r"|\bopen\b|\band\b|[、,;:。/|\s]"),
)  # fmt: skip
# Group names must differ within a pattern, so each word has a pattern of its own, tried in this order.
_PATTERNS = tuple((name, re.compile(pattern)) for name, pattern in _WORDS)


@dataclasses.dataclass(slots=True)
class _Rule:
    """One rule while it is being read."""

    days: list[int] = dataclasses.field(default_factory=list)
    holidays: bool = False
    whole: bool = False
    """Whether the word for holidays means weekends, too, where these are not named: 节假日 beside 工作日."""
    rest: bool = False
    """Whether it holds when no other does."""
    work: bool = False
    season: str = ""
    values: list[str] = dataclasses.field(default_factory=list)

    @property
    def chosen(self) -> bool:
        return bool(self.days) or self.holidays or self.work

    def texts(self) -> list[str]:
        """Return its OSM rules; working days stand apart, as they have a comment."""
        value = "off" if self.values == ["off"] else ",".join(self.values)
        season = f"{self.season} " if self.season and not (self.holidays and value == "off") else ""
        out = [f"{season}Mo-Fr {value} {WORKDAYS}"] if self.work and value != "off" else []
        if self.work and value == "off":
            out = [f"{season}Mo-Fr off"]
        days = _days_text(self.days) + (["PH"] if self.holidays else [])
        if days:
            out.append(f"{season}{','.join(days)} {value}")
        return out or [f"{season}{value}"]


class _Reader:
    """Collects words into rules."""

    def __init__(self) -> None:
        self.rules: list[_Rule] = []
        self.now = _Rule()
        self.waiting: _Rule | None = None
        self.inside = False

    def selector(self) -> _Rule:
        if self.now.values:
            self.finish()
        return self.now

    def season(self, text: str) -> None:
        if self.inside and self.now.values and not self.now.season:
            self.now.season = text  # 8:00-20:00 (summer)
            self.finish()
            self.now.season = ""
            return
        if self.now.values:
            self.finish()
        self.now.season = text

    def value(self, text: str) -> bool:
        if text == "off" and (self.now.values or not (self.now.chosen or self.now.rest)):
            return False  # a pause such as "12:00-14:00 closed" is no rule
        if self.now.values == ["off"]:
            self.finish()
        self.now.values.append(text)
        return True

    def finish(self) -> None:
        if self.now.values:
            self.rules.append(self.now)
        self.now = _Rule(season=self.now.season)

    def enter(self) -> None:
        self.inside = True
        if self.now.chosen and not self.now.values:
            self.waiting, self.now = self.now, _Rule(season=self.now.season)

    def leave(self) -> bool:
        self.inside = False
        if self.waiting is None:
            return True
        whole = bool(self.now.values) or not self.now.chosen
        season = self.now.season
        self.finish()
        self.now, self.waiting = self.waiting, None
        self.now.season = season
        return whole


def _in_digits(text: str) -> str:
    """Write hours and minutes such as 七点三十分 in digits; days of the week stay words."""

    def digits(match: re.Match[str]) -> str:
        tens, ten, ones = match.group().rpartition("十")
        value = (_ONES[tens[-1:] or "一"] if ten else 0) * 10 + (_ONES[ones[-1:]] if ones else 0)
        return str(value)

    return _WRITTEN.sub(digits, text)


def office_to_osm(text: str) -> str | None:
    """Return the OSM ``opening_hours`` of a text in words, or None when a part of it is not understood."""
    rest = _in_digits(unicodedata.normalize("NFKC", text).lower().strip())
    reader = _Reader()
    while rest:
        found = next(((name, match) for name, pattern in _PATTERNS if (match := pattern.match(rest))), None)
        if found is None or not _take(reader, *found):
            return None
        rest = rest[found[1].end() :]
    if (reader.now.chosen and not reader.now.values) or reader.waiting is not None:
        return None
    reader.finish()
    return _joined(reader.rules)


def _take(reader: _Reader, name: str, match: re.Match[str]) -> bool:
    """Take one word; False when it has no sense where it stands."""
    if name in ("summer", "winter"):
        reader.season(SUMMER if name == "summer" else WINTER)
    elif name in ("dates", "months"):
        season = _dates(match) if name == "dates" else _months(match)
        if season is None:
            return False
        reader.season(season)
    elif name in ("weekend", "every", "days", "days_en"):
        rule = reader.selector()
        rule.days += {"weekend": [5, 6], "every": list(range(7))}.get(name) or _days_of(match.group())
    elif name == "work":
        reader.selector().work = True
    elif name == "holidays":
        rule = reader.selector()
        rule.holidays, rule.whole = True, match.group() == "节假日"
    elif name == "rest":
        reader.finish()
        if not reader.rules:
            return False  # of what?
        reader.now = _Rule(rest=True)
    elif name == "usual":
        if reader.now.holidays and not reader.now.values:
            reader.now = _Rule(season=reader.now.season)  # holidays as any other day: no rule
    elif name == "enter":
        reader.enter()
    elif name == "leave":
        return reader.leave()
    elif name != "noise":
        value = {"always": ALL_DAY, "closed": "off"}.get(name) or _span(name, match)
        return value is not None and reader.value(value)
    return True


def _joined(rules: list[_Rule]) -> str | None:
    if not rules:
        return None
    # Shut at other times is what no rule says.
    rules = [rule for rule in rules if not (rule.rest and rule.values == ["off"])]
    if any(rule.work for rule in rules) and not any({5, 6} & set(rule.days) for rule in rules):
        for rule in rules:
            rule.days += [5, 6] if rule.whole else []
    # In OSM the last rule wins: what is shut, and holidays, override the rest wherever people write them.
    ordered = sorted(rules, key=lambda rule: (not rule.rest, rule.holidays, rule.values == ["off"]))
    texts = [text for rule in ordered for text in rule.texts()]
    if any(rule.work for rule in rules) and not any(rule.holidays for rule in rules):
        texts.append("PH off")
    joined = "; ".join(texts)
    return "24/7" if joined in (ALL_DAY, f"Mo-Su {ALL_DAY}") else joined


def _days_of(text: str) -> list[int]:
    """Return the weekdays of a list such as ``周一至周五、周日`` or ``mon-fri, sun``."""
    parts = re.findall(rf"{_DASH}|[一二三四五六日天]|[1-7]|mo|tu|we|th|fr|sa|su", re.sub("days?", "", text))
    out: list[int] = []
    ranged = False
    for part in parts:
        if re.fullmatch(_DASH, part):
            ranged = True
            continue
        day = _NUMERALS[part] if part in _NUMERALS else (
            int(part) - 1 if part.isdigit() else WEEKDAYS.index(part.title())
        )  # fmt: skip
        if ranged and out:
            out += [d % 7 for d in range(out[-1] + 1, day + 1 if day >= out[-1] else day + 8)]
        else:
            out.append(day)
        ranged = False
    return out


def _days_text(days: list[int]) -> list[str]:
    """Return the days in the OSM form, those in a row as a range."""
    runs: list[list[int]] = []
    for day in sorted(set(days)):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [
        WEEKDAYS[run[0]]
        if len(run) == 1
        else WEEKDAYS[run[0]] + ("-" if len(run) > 2 else ",") + WEEKDAYS[run[-1]]
        for run in runs
    ]


def _dates(match: re.Match[str]) -> str | None:
    ends = []
    for end in "ab":
        english = match[f"{end}e"]
        number = int(match[f"{end}m"] or 0) if english is None else _month_number(english)
        if not 1 <= number <= len(MONTHS):
            return None
        day = match[f"{end}d"] or match[f"{end}f"]
        ends.append((MONTHS[number - 1], day and f"{int(day):02d}"))
    (first, first_day), (last, last_day) = ends
    if not first_day and not last_day:
        return first if first == last else f"{first}-{last}"
    if not first_day or not last_day:
        return None
    return f"{first} {first_day}-{last} {last_day}"


def _month_number(name: str) -> int:
    return MONTHS.index(name[:3].title()) + 1


def _months(match: re.Match[str]) -> str | None:
    first, last = int(match["from"]), int(match["to"])
    if not (1 <= first <= len(MONTHS) and 1 <= last <= len(MONTHS)):
        return None
    return f"{MONTHS[first - 1]}-{MONTHS[last - 1]}"


def _span(name: str, match: re.Match[str]) -> str | None:
    if name == "digits":
        first, last = match["a"], match["b"]
        return f"{first[:2]}:{first[2:]}-{last[:2]}:{last[2:]}"
    start, end = _minute(match, "1"), _minute(match, "2")
    said_next_day = re.search("次日|第二天|翌日|隔日", match.group()) is not None
    same_half = _is_late(match, "1") and not (match["part2"] or match["after2"] or said_next_day)
    if same_half and end <= start < end + NOON_H * 60 and int(match["h2"]) < NOON_H:
        end += NOON_H * 60  # 下午2:00-5:30
    return f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"


def _is_late(match: re.Match[str], end: str) -> bool:
    return match[f"part{end}"] in _PARTS_AFTER_NOON or match[f"after{end}"] == "pm"


def _minute(match: re.Match[str], end: str) -> int:
    hour = int(match[f"h{end}"])
    minute = 30 if match[f"half{end}"] else int(match[f"m{end}"] or match[f"mm{end}"] or 0)
    if _is_late(match, end) and hour < NOON_H:
        hour += NOON_H
    elif hour == NOON_H and match[f"part{end}"] in ("晚上", "夜里", "夜间", "夜晚", "晚", "夜", "凌晨"):
        hour = 24
    elif hour == NOON_H and match[f"after{end}"] == "am":
        hour = 0
    return hour * 60 + minute
