"""Figures, opening hours and reasons as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maps.texts.wording import Wording, number_text
from siting.report.report import Column, Quantity, Say, Term

ZH, EN = Wording.of("zh", 10), Wording.of("en", 10)


@pytest.mark.parametrize(
    ("hours", "zh", "en"),
    [
        ("24/7", "全天24小时", "24 hours"),
        ("Mo-Su 00:00-24:00", "全天24小时", "24 hours"),
        ("Mo-Su 07:00-23:00", "每天07:00–23:00", "daily 07:00–23:00"),
        ("07:00-23:00", "每天07:00–23:00", "daily 07:00–23:00"),
        ("Mo-Fr 08:00-18:00", "周一至周五08:00–18:00", "Mon-Fri 08:00–18:00"),
        ("Mo-Fr 08:00-18:00; Sa off", "周一至周五08:00–18:00；周六不开放", "Mon-Fri 08:00–18:00; Sat closed"),
        ("Mo-Su 08:00-12:00,14:00-18:00", "每天08:00–12:00、14:00–18:00", "daily 08:00–12:00, 14:00–18:00"),
        (
            'Mo-Fr 08:30-17:30 "workdays"; PH off',
            "工作日08:30–17:30；节假日不开放",
            "working days 08:30–17:30; holidays closed",
        ),
        (
            'Mo-Su 08:00-20:00; PH off "Spring Festival"; PH 10:00-16:00 "National Day"',
            "每天08:00–20:00；春节假期不开放；国庆假期10:00–16:00",
            "daily 08:00–20:00; Spring Festival closed; National Day 10:00–16:00",
        ),
        ("May-Sep 08:00-20:00", "5月至9月08:00–20:00", "May-Sep 08:00–20:00"),
        (
            "Oct 01-Apr 30 Mo-Fr 09:00-18:00",
            "10月1日至4月30日周一至周五09:00–18:00",
            "Oct 01-Apr 30 Mon-Fri 09:00–18:00",
        ),
        ("", "未注明", "not stated"),
    ],
)
def test_opening_hours(hours: str, zh: str, en: str) -> None:
    assert ZH.opening(hours) == zh
    assert EN.opening(hours) == en


def test_redacted_is_never_zero_and_none_never_shows() -> None:
    column = Column("rest", "min_a_day", redacted=True)
    assert ZH.cell(None, column) == "少于10人"
    assert EN.cell(None, column) == "<10 riders"
    assert ZH.cell(None, Column("cost_yuan", "yuan")) == "—"
    assert ZH.cell((), Column("facilities")) == "—"
    assert ZH.cell("", Column("street")) == "—"
    assert ZH.quantity(Quantity(None, "count", redacted=True)) == "少于10人，不公布"
    assert ZH.cell(0.0, column) == "0.0"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.7134, "share", "71.3"),
        (12_345.6, "yuan", "12,346"),
        (9.95, "min_a_day", "9.9"),
        (99.94, "min_a_day", "99.9"),
        (21_840.5, "min_a_day", "21,840"),
        (116.33, "degrees", "116.330000"),
        (-0.0, "count", "0"),
    ],
)
def test_numbers(value: float, unit: str, text: str) -> None:
    assert number_text(value, unit) == text  # type: ignore[arg-type]


def test_minutes_and_seconds() -> None:
    assert ZH.quantity(Quantity(300, "s")) == "5分钟"
    assert ZH.quantity(Quantity(83.0, "s")) == "83秒"
    assert EN.quantity(Quantity(60, "s")) == "1 min"


def test_reasons_speak_the_language_and_hide_what_is_redacted() -> None:
    shown = Say("reason.site_new", (("place", "convenience"), ("share", "4.2")))
    assert ZH.say(shown) == "依托便利店设站，服务全市4.2%的休息需求"
    assert EN.say(shown) == "place: convenience store; serves 4.2% of all rest demand"
    hidden = ZH.say(Say("reason.site_new", (("place", "mall"), ("share", ""))))
    assert "不公布" in hidden
    assert "%" not in hidden
    longer = Say("reason.audit_open_longer", (("hours", "Mo-Su 08:00-22:00"),))
    assert ZH.say(longer).endswith("每天08:00–22:00")


def test_words_from_elsewhere_stand_and_reasons_of_the_future_have_a_fallback() -> None:
    assert ZH.term("facility.按摩椅") == "按摩椅"
    assert ZH.term("reject.something_new") == "其他原因"
    assert EN.say(Say("reason.something_new", (("x", "y"),))) == "chosen by the covering model"
    assert ZH.term(Term("kind.micro").key) == "微驿站"


def test_evidence_for_a_datum() -> None:
    text = "declared; median distance of 1,234 moving points to the nearest street: wgs84 412 m, gcj02 4 m"
    assert (
        ZH.evidence(text)
        == "使用者声明；1,234个移动点到最近街道的距离中位数：WGS-84 412米、GCJ-02（火星坐标） 4米"
    )
    assert EN.evidence("something else") == "something else"
    pooled = "moving kilometres on streets: wgs84 41%, gcj02 97%; 1,200 files together"
    assert ZH.evidence(pooled) == (
        "行驶里程在道路上（25米以内）的比例：WGS-84 41%、GCJ-02（火星坐标） 97%；1,200个文件合并判断"
    )
    assert "kilometres within 25 m of a street: WGS-84 41%, " in EN.evidence(pooled)
    # A file beside the map: "0 moving points, 2000 m" was told as if it were measured.
    none = "median distance of 0 moving points to the nearest street: wgs84 2000 m, gcj02 2000 m"
    assert ZH.evidence(none) == "地图的街道附近没有移动的点，街道说明不了坐标系"
    assert "tell nothing" in EN.evidence(none)


def test_days_are_written_out() -> None:
    period = Say("say.period", (("first", "2026-06-01"), ("last", "2026-06-07")))
    assert ZH.say(period) == "2026年6月1日至2026年6月7日"
    assert EN.say(period) == "1 June 2026 to 7 June 2026"
    assert ZH.day("some day") == "some day"


@given(st.text(max_size=30))
def test_any_opening_hours_text_comes_out_as_some_text(hours: str) -> None:
    assert isinstance(ZH.opening(hours), str)
    assert EN.opening(hours)
