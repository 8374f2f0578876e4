"""Opening hours as offices write them, in Chinese or English, brought to the OSM form.

A text is cut into words (days, seasons, spans, "closed"); what is no such word makes the text unreadable, so
that nothing is passed over in silence; only when nobody is let in any more (17:00停止入馆) is left out, since
OSM has no form for it. Summer and winter without dates are those of office timetables: May to September,
October to April; the OSM text names the months, so that reports show them.
"""

import dataclasses
import re
import unicodedata

from geo.localtime import WEEKDAYS

__all__ = ["WORKDAYS", "office_to_osm"]

WORKDAYS = '"workdays"'
"""Comment of a rule that holds on working days: on weekends moved to work too, on public holidays not."""
_FESTIVALS = (
    ("New Year's Day", "元旦"), ("Spring Festival", "春节"), ("Qingming", "清明"),
    ("Labour Day", "五一|劳动"), ("Dragon Boat Festival", "端午"), ("Mid-Autumn Festival", "中秋"),
    ("National Day", "国庆|十一"),
)  # fmt: skip
"""Festivals as `siting.stations.day_kinds` names them, in the words of offices."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SUMMER, WINTER = "May-Sep", "Oct-Apr"
ALL_DAY = "00:00-24:00"
NOON_H = 12

_DASH = r"(?:[-–—―~〜]+|至|到|\bto\b)"
_PARTS_AFTER_NOON = ("下午", "午后", "傍晚", "晚上", "夜间", "夜里", "夜晚", "晚", "夜", "pm")
_PARTS = "|".join((*_PARTS_AFTER_NOON, "am", "凌晨", "早上", "早晨", "清晨", "上午", "中午", "早"))
#: Traditional characters of hours, as Hong Kong, Macau and Taiwan write them.
_SIMPLE = str.maketrans(
    "週時點開間閉關節務營業館鐘禮後個眾對辦閘處", "周时点开间闭关节务营业馆钟礼后个众对办闸处"
)
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


_SPAN = _time("1") + rf"\s*{_DASH}\s*" + _time("2")
_WEEK = r"(?:周|星期|礼拜)"
_IN = r"(?:入场|入馆|入园|进馆|进场|进园|进入|入内|检票|领票|售票|取票|换票|取号)"
_DATE = (
    r"(?:(?P<{0}m>\d{{1,2}})月(?:份|(?P<{0}d>\d{{1,2}})[日号])?"
    r"|(?P<{0}e>{1})\.?(?:\s(?P<{0}f>\d{{1,2}})(?![\d:]))?)"
)
_WORDS: tuple[tuple[str, str], ...] = (
    ("always", r"二十四小时|全天候?(?!\s*[不闭休关停])(?:\s*24\s*(?:小时|h))?|24\s*(?:小时|hours|h\b)"
               r"(?:全天)?|7\s*[*×x/]\s*24(?:小时|h)?|24\s*[*×x/]\s*7|昼夜"),
    ("numbers", rf"(?P<am>\d{{1,2}})/(?P<ad>\d{{1,2}})\s*{_DASH}\s*"
                r"(?P<bm>\d{1,2})/(?P<bd>\d{1,2})(?![\d/:])"),
    ("numbers", r"(?P<am>\d{2})-(?P<ad>\d{2})\s*[至到~]\s*(?P<bm>\d{2})-(?P<bd>\d{2})(?![\d:])"),
    ("dates", _DATE.format("a", _MONTH_EN) + rf"\s*{_DASH}\s*(?:次年|翌年|第二年)?\s*"
              + _DATE.format("b", _MONTH_EN)),
    ("months", rf"(?P<from>\d{{1,2}})\s*{_DASH}\s*(?P<to>\d{{1,2}})月份?"),
    ("summer", r"夏(?:季|令时?|天|时)|\bsummer\b"),
    ("winter", r"冬(?:季|令时?|天|时)|\bwinter\b"),
    ("noise", rf"{_time('1')}\s*(?:以后|之后|后|起)?\s*(?:停止|截止|谢绝|不再){_IN}"),
    ("noise", rf"(?:最晚|最后|停止|截止){_IN}(?:时间)?\s*:?\s*{_time('1')}"),
    ("pause", rf"(?:午休|午间休息|中午休息|午间|中午)(?:时间)?\s*:?\s*{_SPAN}\s*"
              r"(?:为?(?:午休|休息(?!日)|闭馆))?"),
    ("pause", rf"{_SPAN}\s*为?(?:午休|休息(?!日))(?:时间)?"),
    ("until", rf"(?:延长|延时|延迟|推迟)(?:开放|营业|服务|闭馆|关门|关闭)?(?:时间)?\s*[至到]\s*{_time('1')}"),
    ("span", rf"{_time('1')}\s*(?:开馆|开门|开园|开放|开始(?:营业|服务|办公)|上班)[\s,、;]*{_DASH}?[\s,、;]*"
             rf"{_time('2')}\s*(?:闭馆|关门|闭园|关闭|打烊|下班|结束|停止(?:营业|服务|办公))"),
    ("span", _SPAN),
    ("digits", rf"(?P<a>\d{{4}})\s*{_DASH}\s*(?P<b>\d{{4}})(?!\d)"),
    ("weekend", r"周末|双休日|\bweekends?\b"),
    ("work", r"(?:法定)?工作日|上班日|\b(?:working days|workdays|weekdays)\b"),
    ("rest", r"(?:其余|其他|其它)(?:时间|时段|日期|时候)?|\bother times\b"),
    ("festival", r"(?P<which>元旦|春节|清明|五一(?![律至到~-])|劳动(?=节)|端午|中秋|国庆"
                 r"|十一(?=假|长假|期间|国庆|黄金))"
                 r"(?:节?(?:期间|假期|假日|长假|小长假|黄金周|七天)+|节)?(?![当前后初一二三四五六七八九十])"),
    ("holidays", r"(?:国家)?法定(?:节假日|假日|节日|假期)|节假日|公[共众]假[期日]|假日"
                 r"|\b(?:public )?holidays?\b|\bph\b"),
    ("every", r"每天|每日|天天|日常|\bdaily\b|\bevery day\b"),
    ("days", rf"{_WEEK}[一二三四五六日天1-7](?:\s*(?:{_DASH}|[、,和及])?\s*"
             rf"(?:{_WEEK}[一二三四五六日天1-7]|[一二三四五六日天](?![一-鿿]*常)|(?<=[-至到~–—])[1-7](?![\d:.点时月])))*"),
    ("days_en", rf"{_DAY_EN}(?:\s*(?:{_DASH}|[,&]|and)\s*{_DAY_EN})*"),
    ("usual", r"(?:中午|午间)(?:连续)?不(?:休息|休|打烊)|照常|正常|如常|不休息|不休|无休"
              r"|不打烊|不闭馆|[无有]人值守|自助(?:服务|开放)?"),
    ("announced", r"(?:时间)?(?:另行(?:通知|公告|通告)|以(?:官方|最新)*(?:公告|通知|通告)为准)"),
    ("closed", r"放假|休息|不开放|不营业|不对外|关闭|闭馆|闭店|关门|停业|休业|休馆|除外|不开|休"
               r"|\bclosed\b|\boff\b"),
    ("enter", r"\("),
    ("leave", r"\)"),
    ("noise", r"(?:开放|营业|服务|办公|工作|上班|受理|接待)时间|时间|期间|365天|全天(?=\s*[不闭休关停])"
              r"|每?逢|遇|开放|营业|服务|运营|对外|全年|为|均|都"
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
    festivals: list[str] = dataclasses.field(default_factory=list)
    rest: bool = False
    """Whether it holds when no other does."""
    work: bool = False
    usual: bool = False
    """Whether it takes back that a day is shut: then the hours of the first open rule of a season hold."""
    season: str = ""
    inherited: bool = False
    """Whether its season was said of a rule before it."""
    comment: str = ""
    values: list[str] = dataclasses.field(default_factory=list)

    @property
    def chosen(self) -> bool:
        return bool(self.days or self.festivals) or self.holidays or self.work

    def texts(self) -> list[str]:
        """Return its OSM rules; working days stand apart, as they have a comment."""
        value = "off" if self.values == ["off"] else ",".join(self.values)
        season = f"{self.season} " if self.season and not (self.holidays and value == "off") else ""
        out = [f"{season}Mo-Fr {value} {WORKDAYS}"] if self.work and value != "off" else []
        if self.work and value == "off":
            out = [f"{season}Mo-Fr off"]
        days = _days_text(self.days) + (["PH"] if self.holidays else [])
        if days:
            out.append(f"{season}{','.join(days)} {value}{self.comment}")
        return out or ([] if self.festivals else [f"{season}{value}"])

    def festival_texts(self) -> list[str]:
        """Return its OSM rules of festivals; the comment tells which of the public holidays are meant."""
        return [f'PH {",".join(self.values)} "{name}"' for name in self.festivals]


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
        self.now.season, self.now.inherited = text, False

    def value(self, text: str) -> bool:
        if text == "off" and (self.now.values or not (self.now.chosen or self.now.rest)):
            return False  # a pause such as "12:00-14:00 closed" is no rule
        if self.now.values == ["off"]:
            self.finish()
        self.now.values.append(text)
        return True

    def pause(self, span: str | None) -> bool:
        """Take a pause at noon out of what was said of the same days."""
        values = self.now.values or (self.rules[-1].values if self.rules and self.inside else [])
        if span is None or not values:
            return False
        start, end = span.split("-")
        for i, value in enumerate(values):
            first, last = value.split("-") if value != "off" else ("", "")
            if first < start < end < last:
                values[i : i + 1] = [f"{first}-{start}", f"{end}-{last}"]
                return True
        return False

    def until(self, end: str) -> bool:
        """Let some days or a season end later than what was said before."""
        base = next((rule for rule in reversed(self.rules) if rule.values != ["off"]), None)
        if base is None or self.now.values or not (self.now.chosen or self.now.season):
            return False
        if not self.now.chosen:
            self.now.days, self.now.work = list(base.days), base.work
        self.now.values = [*base.values[:-1], f"{base.values[-1].split('-')[0]}-{end}"]
        return True

    def takes_back(self) -> bool:
        """Return whether holidays are named right behind days that are shut: 周一闭馆（法定节假日除外）."""
        last = self.rules[-1] if self.rules else _Rule()
        named = self.now.holidays and not (self.now.values or self.now.days or self.now.work)
        return named and last.values == ["off"] and bool(last.days) and not last.holidays

    def is_shut(self) -> bool:
        """Return whether days that are shut were named last."""
        return bool(self.rules) and self.rules[-1].values == ["off"]

    def finish(self) -> None:
        if self.now.values:
            self.rules.append(self.now)
        self.now = _Rule(season=self.now.season, inherited=True)

    def enter(self) -> None:
        self.inside = True
        if self.now.chosen and not self.now.values:
            self.waiting, self.now = self.now, _Rule(season=self.now.season)

    def leave(self) -> bool:
        self.inside = False
        if self.waiting is None:
            return True
        whole = bool(self.now.values) or not self.now.chosen
        if not self.now.chosen and self.now.values not in ([], ["off"]):
            self.waiting.values, self.now.values = self.now.values, []  # 周一至周五(9:00-17:00)
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
    rest = _in_digits(unicodedata.normalize("NFKC", text).lower().strip().translate(_SIMPLE))
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
    elif name in ("dates", "months", "numbers"):
        season = {"dates": _dates, "months": _months, "numbers": _numbers}[name](match)
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
    elif name == "festival":
        word = match["which"]
        reader.selector().festivals += [name for name, words in _FESTIVALS if word in words.split("|")]
    elif name == "rest":
        reader.finish()
        if not reader.rules:
            return False  # of what?
        reader.now = _Rule(rest=True)
    elif name == "usual":
        if reader.now.festivals:
            return False  # whose usual hours, where holidays have other ones?
        if reader.inside and reader.takes_back():
            reader.now.usual = reader.value("usual")
        elif reader.now.holidays and not reader.now.values:
            reader.now = _Rule(season=reader.now.season)  # holidays as any other day: no rule
    elif name == "enter":
        reader.enter()
    elif name == "leave":
        return reader.leave()
    elif name == "pause":
        return reader.pause(_span(name, match))
    elif name == "until":
        minute = _minute(match, "1")
        return reader.until(f"{minute // 60:02d}:{minute % 60:02d}")
    elif name == "announced":
        reader.now.comment = ' "as announced"'
        return reader.now.holidays and reader.value("off")
    elif match.group() == "除外" and reader.now.festivals and reader.is_shut():
        return False  # shut on them, or open?
    elif name == "closed" and match.group() == "除外" and reader.takes_back():
        if {5, 6} & set(reader.rules[-1].days):
            return False  # offices shut on weekends mean the other thing by it
        reader.now.usual = reader.value("usual")
    elif name != "noise":
        value = {"always": ALL_DAY, "closed": "off"}.get(name) or _span(name, match)
        return value is not None and reader.value(value)
    return True


def _joined(rules: list[_Rule]) -> str | None:
    if not rules:
        return None
    taken_back = [rule for rule in rules if rule.usual]
    rules = [rule for rule in rules if not rule.usual]
    if taken_back:
        open_rules = [rule for rule in rules if rule.values != ["off"]]
        if not open_rules:
            return None
        by_season = {rule.season: rule.values for rule in reversed(open_rules)}
        rules += [_Rule(holidays=True, season=k, values=v) for k, v in reversed(by_season.items())]
    seasons = {rule.season for rule in rules if rule.values != ["off"]}
    for rule in rules:
        alone = all(r.values != ["off"] or r.season == rule.season for r in rules)
        if rule.inherited and rule.values == ["off"] and len(seasons) > 1 and alone:
            rule.season = ""  # summer, winter, then Mondays off: all year
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
    texts += [text for rule in rules for text in rule.festival_texts()]
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


def _numbers(match: re.Match[str]) -> str | None:
    """Return a season such as 11/1-3/15."""
    first, last = int(match["am"]), int(match["bm"])
    if not (1 <= first <= len(MONTHS) and 1 <= last <= len(MONTHS)):
        return None
    return f"{MONTHS[first - 1]} {int(match['ad']):02d}-{MONTHS[last - 1]} {int(match['bd']):02d}"


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
    elif hour == NOON_H and "am" in (match[f"part{end}"], match.groupdict().get(f"after{end}")):
        hour = 0
    return hour * 60 + minute
