"""Opening hours: forms that planners write, and the shortest pattern that serves the demand."""

import datetime
import zoneinfo

import holidays
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from siting.stations.day_kinds import country_of, day_kind
from siting.stations.hours import open_by_hour, parse_hours, shortest_pattern, span_text


@pytest.mark.parametrize(
    ("text", "open_minutes_a_week"),
    [
        ("24/7", 7 * 1440),
        ("8:00-18:00", 7 * 600),
        ("Mo-Su 07:00-23:00", 7 * 960),
        ("Mo-Fr 08:00-12:00,14:00-18:00; Sa 09:00-12:00", 5 * 480 + 180),
        ("22:00-02:00", 7 * 240),
        ("Mo-Fr 08:00-18:00; We off", 4 * 600),
        ("Sa-Mo 10:00-11:00", 3 * 60),
        ("Mo-Su 00:00-24:00", 7 * 1440),
        ("8:00—18:00", 7 * 600),
        ("Mo-Su 08:00-18:00; PH off", 7 * 600),
        ("Mo-Fr 8-18", 5 * 600),
        ("22:00-02:00; We off", 6 * 240),
        ("Su[1] off; Mo-Fr 08:00-18:00", 5 * 600),
    ],
)
def test_known_forms(text: str, open_minutes_a_week: int) -> None:
    assert parse_hours(text).minutes().sum() == open_minutes_a_week


@pytest.mark.parametrize(
    "text", ["", "always", "Xx 08:00-18:00", "25:00-26:00", "Mo-Xx 08:00-09:00", "8-9-10"]
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="opening hours"):
        parse_hours(text)


@pytest.mark.parametrize(
    ("text", "osm"),
    [
        ("周一至周五 8:30-17:30", "Mo-Fr 08:30-17:30"),
        ("周一到周五 8:00-12:00、14:00-18:00", "Mo-Fr 08:00-12:00,14:00-18:00"),
        ("星期一至星期五8.30-17.30", "Mo-Fr 08:30-17:30"),
        ("周1-周5 8：00—18：00", "Mo-Fr 08:00-18:00"),
        ("工作日8:30-17:30", 'Mo-Fr 08:30-17:30 "workdays"; PH off'),
        ("工作日8点-18点，周末10点-16点，法定节假日休息",
         'Mo-Fr 08:00-18:00 "workdays"; Sa,Su 10:00-16:00; PH off'),
        ("工作日8:30-17:30，周末及法定节假日休息", 'Mo-Fr 08:30-17:30 "workdays"; Sa,Su,PH off'),
        ("周末 9:00-17:00", "Sa,Su 09:00-17:00"),
        ("周六日9时至17时30分", "Sa,Su 09:00-17:30"),
        ("8:00-20:00，法定节假日休息", "08:00-20:00; PH off"),
        ("每天8:00-20:00（法定节假日除外）", "Mo-Su 08:00-20:00; PH off"),
        ("周一至周五（法定节假日除外）8:30-17:30", "Mo-Fr 08:30-17:30; PH off"),
        ("8:00-20:00 法定节假日照常", "08:00-20:00"),
        ("周一闭馆，每天9:00-17:00", "Mo-Su 09:00-17:00; Mo off"),
        ("8点-20点", "08:00-20:00"),
        ("早8点至晚10点半", "08:00-22:30"),
        ("上午8:30-11:30，下午2:00-5:30", "08:30-11:30,14:00-17:30"),
        ("全天24小时", "24/7"),
        ("24小时开放", "24/7"),
        ("7×24小时", "24/7"),
        ("08:00-次日02:00", "08:00-02:00"),
        ("晚10点-次日早6点", "22:00-06:00"),
        ("每天08:00–20:00", "Mo-Su 08:00-20:00"),
        ("全年无休 8:00-20:00", "08:00-20:00"),
        ("0830-1730", "08:30-17:30"),
        ("9:00AM-5:00PM", "09:00-17:00"),
        ("夏季8:00-20:00，冬季9:00-18:00", "May-Sep 08:00-20:00; Oct-Apr 09:00-18:00"),
        ("8:00-20:00（夏季），9:00-18:00（冬季）", "May-Sep 08:00-20:00; Oct-Apr 09:00-18:00"),
        ("夏季（6月1日-8月31日）8:00-20:00；冬季（9月1日-次年5月31日）9:00-18:00",
         "Jun 01-Aug 31 08:00-20:00; Sep 01-May 31 09:00-18:00"),
        ("上午：8:30-12:00；下午：14:00-17:30", "08:30-12:00,14:00-17:30"),
        ("早上七点到晚上九点", "07:00-21:00"),
        ("周一至周五，八点半至十二点，下午两点至五点二十分", "Mo-Fr 08:30-12:00,14:00-17:20"),
        ("双休日不开放，其余时间8:30-17:00", "08:30-17:00; Sa,Su off"),
        ("6-9月 8:00-22:00，其他时间9:00-18:00", "09:00-18:00; Jun-Sep 08:00-22:00"),
        ("周一至周五8:00-18:00，其他时间不开放", "Mo-Fr 08:00-18:00"),
        ("工作日7:00-21:00 节假日9:00-18:00", 'Mo-Fr 07:00-21:00 "workdays"; Sa,Su,PH 09:00-18:00'),
        ("5-9月 8:00-20:00; 10月-4月 9:00-18:00", "May-Sep 08:00-20:00; Oct-Apr 09:00-18:00"),
    ],
)  # fmt: skip
def test_words_of_offices(text: str, osm: str) -> None:
    assert parse_hours(text).text == osm
    assert parse_hours(osm).text == osm


@pytest.mark.parametrize(
    ("text", "osm"),
    [
        # Notices of libraries, museums and service halls.
        ("9:00-17:30（17:00停止入场）", "09:00-17:30"),
        ("夏季:周二至周日(09:00—17:30),17:00停止入馆,冬季:周二至周日(09:00—17:00),16:30停止入馆,周一闭馆(法定节假日除外)",
         "May-Sep Tu-Su 09:00-17:30; Oct-Apr Tu-Su 09:00-17:00; Mo off; "
         "May-Sep PH 09:00-17:30; Oct-Apr PH 09:00-17:00"),
        ("周二至周日9:00-17:00，周一闭馆（法定节假日除外）", "Tu-Su 09:00-17:00; Mo off; PH 09:00-17:00"),
        ("周一闭馆（遇法定节假日正常开放），其余时间9:00-17:00", "09:00-17:00; Mo off; PH 09:00-17:00"),
        ("每周一全天闭馆，5月至9月8:30—18:00(17:00以后停止入馆)，10月至次年4月8:30—17:30(16:30以后停止入馆)",
         "May-Sep 08:30-18:00; Oct-Apr 08:30-17:30; Mo off"),
        ("逢周一闭馆，周二至周日9:00-17:00，最晚入馆16:30", "Tu-Su 09:00-17:00; Mo off"),
        ("夏季9:00-18:00，冬季9:00-17:00，周一闭馆", "May-Sep 09:00-18:00; Oct-Apr 09:00-17:00; Mo off"),
        ("夏季9:00-18:00，周一闭馆；冬季9:00-17:00，周二闭馆",
         "May-Sep 09:00-18:00; Oct-Apr 09:00-17:00; May-Sep Mo off; Oct-Apr Tu off"),
        ("开馆日 9:00-16:30", None),
        ("8:00-18:00，周五延长至21:00", "08:00-18:00; Fr 08:00-21:00"),
        ("周一至周五8:30-12:00,14:00-17:00，夏季延长开放至18:00",
         "Mo-Fr 08:30-12:00,14:00-17:00; May-Sep Mo-Fr 08:30-12:00,14:00-18:00"),
        ("8:00-18:00，延长至21:00", None),
        ("工作日9:00-17:00（午休12:00-13:30）", 'Mo-Fr 09:00-12:00,13:30-17:00 "workdays"; PH off'),
        ("周一至周五9:00-17:00，中午12:00-13:30休息", "Mo-Fr 09:00-12:00,13:30-17:00"),
        ("周一至周五9:00-17:00，中午不休息", "Mo-Fr 09:00-17:00"),
        ("9:00-17:00（午休18:00-19:00）", None),
        ("周一至周五9:00-17:00，法定节假日另行通知", 'Mo-Fr 09:00-17:00; PH off "as announced"'),
        ("周三下午闭馆，其他时间9:00-17:00", None),
        ("周六、周日休息（法定节假日除外），8:30-17:00", None),  # shut or open on holidays? both are read so
        ("办公时间：上午8:30-12:00 下午14:00-17:30", "08:30-12:00,14:00-17:30"),
        ("(夏令)5月1日至9月30日 8:30-20:30 (冬令)10月1日至4月30日 8:30-17:30",
         "May 01-Sep 30 08:30-20:30; Oct 01-Apr 30 08:30-17:30"),
        ("9:00开馆，17:00闭馆", "09:00-17:00"),
        ("8:00开门-21:00关门", "08:00-21:00"),
        ("全年365天24小时开放", "24/7"),
        ("二十四小时", "24/7"),
        # Points of Amap, Baidu and Ele.me.
        ("周一至周日 10:00-07:00", "Mo-Su 10:00-07:00"),
        ("全天", "24/7"),
        ("周一至周日:08:30-22:00", "Mo-Su 08:30-22:00"),
        ("08:30-17:30 19:00-22:00", "08:30-17:30,19:00-22:00"),
        ("11/1-3/15 08:00-17:30开放；3/16-10/31 08:00-19:00开放",
         "Nov 01-Mar 15 08:00-17:30; Mar 16-Oct 31 08:00-19:00"),
        ("11-01至03-15 周一至周日 08:00-17:30；03-16至10-31 周一至周日 08:00-19:00",
         "Nov 01-Mar 15 Mo-Su 08:00-17:30; Mar 16-Oct 31 Mo-Su 08:00-19:00"),
        ("暂停营业", None),
        ("8:30/20:30", None),
        ("AM9:00-PM5:30", "09:00-17:30"),
        ("周一至周五 08:30-11:30 14:30-17:30 周六 09:00-12:00",
         "Mo-Fr 08:30-11:30,14:30-17:30; Sa 09:00-12:00"),
        ("星期一: 08:00–20:00, 星期二: 08:00–20:00", "Mo 08:00-20:00; Tu 08:00-20:00"),
        ("Monday-Sunday: Open 24 Hours", "24/7"),
        # Macau and Hong Kong.
        ("週一至週五 09:00-18:00，公眾假期休息", "Mo-Fr 09:00-18:00; PH off"),
        ("星期一至五 上午9時至下午6時", "Mo-Fr 09:00-18:00"),
        ("24小時開放", "24/7"),
    ],
)  # fmt: skip
def test_hours_as_they_are_written_outside(text: str, osm: str | None) -> None:
    if osm is None:
        with pytest.raises(InputError, match="cannot be read"):
            parse_hours(text)
        return
    assert parse_hours(text).text == osm
    assert parse_hours(osm).text == osm


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("暑假9:00-17:00", "暑假"),
        ("8:00-20:00，除夕休息", "除夕"),
        ("8:00-20:00，春节当天休息", "春节"),
        # Shut then, or open on such a Monday?
        ("8:00-18:00，周一休息（春节除外）", "春节"),
        ("法定节假日休息，国庆照常", "国庆"),
    ],
)
def test_a_festival_that_cannot_be_counted_with_is_refused_by_its_name(text: str, word: str) -> None:
    with pytest.raises(InputError, match=f"'{word}' by itself"):
        parse_hours(text)


@pytest.mark.parametrize(
    ("text", "osm"),
    [
        ("8:00-20:00（春节期间除外）", '08:00-20:00; PH off "Spring Festival"'),
        ("8:00-20:00，春节放假", '08:00-20:00; PH off "Spring Festival"'),
        ("国庆节休息，其他时间8:00-18:00", '08:00-18:00; PH off "National Day"'),
        ("每天8:00-20:00，春节、国庆期间休息",
         'Mo-Su 08:00-20:00; PH off "Spring Festival"; PH off "National Day"'),
        ("8:00-20:00，国庆期间10:00-16:00", '08:00-20:00; PH 10:00-16:00 "National Day"'),
        ("工作日8:00-18:00，五一假期10:00-12:00",
         'Mo-Fr 08:00-18:00 "workdays"; PH off; PH 10:00-12:00 "Labour Day"'),
        ("周一至周五一律8:00-18:00", None),
    ],
)  # fmt: skip
def test_festivals_by_themselves(text: str, osm: str | None) -> None:
    if osm is None:
        with pytest.raises(InputError):
            parse_hours(text)
        return
    assert parse_hours(text).text == osm
    assert parse_hours(osm).text == osm


CHINA = holidays.country_holidays("CN", years=range(2015, 2031), language="en_US")
SHUT_THEN = {
    "Spring Festival": ("春节", "Chinese New Year"),
    "National Day": ("国庆", "National Day"),
    "Mid-Autumn Festival": ("中秋", "Mid-Autumn Festival"),
    "Labour Day": ("五一", "Labor Day"),
    "Dragon Boat Festival": ("端午", "Dragon Boat Festival"),
    "Qingming": ("清明", "Tomb-Sweeping Day"),
}


@given(st.dates(datetime.date(2015, 1, 1), datetime.date(2030, 12, 31)), st.sampled_from(sorted(SHUT_THEN)))
@example(datetime.date(2026, 2, 23), "Spring Festival")  # given in return for a worked Saturday
@example(datetime.date(2026, 2, 24), "Spring Festival")
@example(datetime.date(2026, 9, 25), "National Day")
@example(datetime.date(2025, 10, 6), "National Day")  # one row of days for two festivals
@settings(max_examples=300, deadline=None)
def test_a_festival_is_as_long_as_its_days_off_in_the_calendar(day: datetime.date, name: str) -> None:
    word, begins = SHUT_THEN[name]
    is_open = bool(parse_hours(f"8:00-20:00，{word}期间休息").on_day(day, "CN"))
    named = any(part.startswith(begins) for part in CHINA.get(day, "").split("; "))
    if named:
        assert not is_open
    if not is_open:
        assert day_kind(day, "CN") == "holiday"
        near = (day + datetime.timedelta(days=ahead) for ahead in range(-9, 10))
        assert any(part.startswith(begins) for one in near for part in CHINA.get(one, "").split("; "))
    assert parse_hours("8:00-20:00").on_day(day, "CN")


def test_a_museum_shut_on_mondays_opens_on_a_holiday_that_is_one() -> None:
    hours = parse_hours("周二至周日9:00-17:00，周一闭馆（法定节假日除外）")
    assert hours.on_day(datetime.date(2026, 10, 5), "CN") == ((540, 1020),)
    assert hours.on_day(datetime.date(2026, 10, 12), "CN") == ()


@pytest.mark.parametrize(
    "text",
    ["12:00-14:00休息", "其他时间8:00-9:00", "法定节假日休息", "周一至周五", "8月1日 8:00-9:00", "电话联系",
     "sunrise-sunset", "SH 08:00-10:00", "13月-14月 8:00-9:00", "8:00-18:00（周一至",
     "周一、三、五十点至二十点"],
)  # fmt: skip
def test_words_that_are_not_understood_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="opening hours"):
        parse_hours(text)


@given(st.text(alphabet="周一五日至-8:0点休息法定节假日工作夏季(),;PMoFr1 月", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        hours = parse_hours(text)
    except InputError:
        return
    assert parse_hours(hours.text).text == hours.text
    assert hours.week_share().any()


@pytest.mark.parametrize(
    ("text", "day", "spans"),
    [
        ("08:00-18:00; PH off", "2026-10-01", ()),
        ("08:00-18:00; PH off", "2026-10-04", ()),  # a Sunday within the National Day break
        ("08:00-18:00; PH off", "2026-10-08", ((480, 1080),)),
        ("08:00-18:00", "2026-10-01", ((480, 1080),)),
        ("Mo-Fr 08:00-18:00; PH 10:00-16:00", "2026-10-01", ((600, 960),)),
        ("Mo-Fr,PH 08:00-18:00", "2026-10-03", ((480, 1080),)),
        # Saturday 10 October 2026 is worked for the break.
        ("工作日8:00-18:00", "2026-10-10", ((480, 1080),)),
        ("工作日8:00-18:00，周末9:00-12:00", "2026-10-10", ((480, 1080),)),
        ("工作日8:00-18:00，周末9:00-12:00", "2026-10-17", ((540, 720),)),
        ("Mo-Fr 08:00-18:00; PH off", "2026-10-10", ()),
        # The hours after midnight belong to the evening before.
        ("22:00-02:00; PH off", "2026-10-08", ((1320, 1440),)),
        ("22:00-02:00; PH off", "2026-10-01", ((0, 120),)),
        ("22:00-02:00", "2026-10-08", ((0, 120), (1320, 1440))),
        ("Mo-Su 22:00-26:00; We off", "2026-03-05", ((1320, 1440),)),
        (
            'Mo-Fr 08:00-18:00,20:00-00:00 "workdays"; Sa 20:00-02:00; PH off',
            "2026-10-10",
            ((480, 1080), (1200, 1440)),
        ),
        ("夏季8:00-20:00，冬季9:00-18:00", "2026-07-01", ((480, 1200),)),
        ("夏季8:00-20:00，冬季9:00-18:00", "2026-12-01", ((540, 1080),)),
    ],
)
def test_days_of_the_chinese_calendar(text: str, day: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert parse_hours(text).on_day(datetime.date.fromisoformat(day), "CN") == spans


def test_holidays_are_those_of_the_country() -> None:
    independence_day = datetime.date(2026, 12, 6)
    hours = parse_hours("08:00-18:00; PH off")
    assert hours.on_day(independence_day, "FI") == ()
    assert hours.on_day(independence_day, "CN") == hours.on_day(independence_day, None) == ((480, 1080),)
    assert [country_of(zone) for zone in ("Asia/Shanghai", "Asia/Macau", "Europe/Helsinki", "UTC")] == [
        "CN", "MO", "FI", None,
    ]  # fmt: skip


def test_closing_is_found_over_midnight_and_at_the_next_holiday() -> None:
    zone = zoneinfo.ZoneInfo("Asia/Shanghai")
    night = datetime.datetime(2026, 3, 4, 23, 30, tzinfo=zone)
    assert parse_hours("22:00-02:00").closes(night, "CN") == (
        True,
        datetime.datetime(2026, 3, 5, 2, 0, tzinfo=zone),
    )
    assert parse_hours("24/7; PH off").closes(night, "CN") == (
        True,
        datetime.datetime(2026, 4, 4, 0, 0, tzinfo=zone),
    )
    assert parse_hours("24/7").closes(night, "CN") == (True, None)
    assert parse_hours("08:00-18:00").closes(night, "CN") == (False, None)


def test_seasons_count_by_their_share_of_the_year() -> None:
    share = open_by_hour(parse_hours("夏季8:00-20:00，冬季9:00-18:00"))
    assert (share[10], share[5]) == (1.0, 0.0)
    assert share[19] == pytest.approx(153 / 365, abs=0.01)


def test_past_midnight_opens_the_next_morning() -> None:
    share = open_by_hour(parse_hours("22:00-02:00"))
    assert np.nonzero(share)[0].tolist() == [0, 1, 22, 23]


@given(st.lists(st.integers(0, 50), min_size=24, max_size=24))
def test_the_shortest_sufficient_pattern_is_chosen(minutes: list[int]) -> None:
    demand = np.array(minutes, dtype=np.float64)
    patterns = ((8, 18), (8, 22), (6, 24), (0, 24), (22, 30))
    start, end = shortest_pattern(demand, patterns)
    served = demand[np.arange(start, end) % 24].sum()
    assert served >= 0.95 * demand.sum()
    for a, b in patterns:
        if b - a < end - start:
            assert demand[np.arange(a, b) % 24].sum() < 0.95 * demand.sum()


def test_spans_are_written_as_osm_does() -> None:
    assert span_text(7, 23) == "Mo-Su 07:00-23:00"
    assert span_text(0, 24) == "24/7"


def test_on_the_days_of_a_study_public_holidays_and_working_weekends_count() -> None:
    before_golden_week = tuple(f"2025-{day}" for day in ("09-29", "09-30", "10-01", "10-02", "10-03"))
    hours = parse_hours("Mo-Fr 08:00-18:00; PH off")
    assert open_by_hour(hours, before_golden_week, "Asia/Shanghai")[10] == pytest.approx(2 / 5)
    assert open_by_hour(hours, before_golden_week, "Europe/Helsinki")[10] == 1.0, "nobody is on holiday there"
    working_sunday = ("2025-09-27", "2025-09-28")
    office = parse_hours("工作日 9:00-17:00")
    assert open_by_hour(office, working_sunday, "Asia/Shanghai")[10] == pytest.approx(1 / 2)
    plain = parse_hours("Mo-Fr 08:00-18:00")
    assert (open_by_hour(plain, working_sunday, "Asia/Shanghai") == open_by_hour(plain)).all()
