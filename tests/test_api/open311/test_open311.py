"""GeoReport v2 over street reports, with the requests and answers of the specification's own examples."""

import dataclasses
import json
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.open311 import (
    NewRequest,
    Open311Error,
    PublicMatter,
    accepted,
    definition,
    encode_errors,
    encode_services,
    encoded_definition,
    encoded_requests,
    read_new_request,
    read_query,
    report_of,
    request_of,
    selected,
    services,
    token_answer,
)
from api.open311.wording import GROUP_NAMES, SERVICE_NAMES
from routing.civic import (
    REPORT_KINDS,
    BoardEntry,
    OfficeHours,
    Open,
    ReportRules,
    board_entry,
    decide_matter,
    fold_matter,
)

EXAMPLE_POST = (
    "api_key=xyz&jurisdiction_id=city.gov&service_code=001&lat=37.76524078&long=-122.4212043"
    "&address_string=1234+5th+street&email=smit333%40sfgov.edu&device_id=tt222111&account_id=123456"
    "&first_name=john&last_name=smith&phone=111111111"
    "&description=A+large+sinkhole+is+destroying+the+street"
    "&media_url=http%3A%2F%2Ffarm3.static.flickr.com%2F2002%2F2212426634_5ed477a060.jpg"
    "&attribute[WHISPAWN]=123456&attribute[WHISDORN]=COISL001"
)
"""The example of POST Service Request."""
FIELDS = (
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description",
    "agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime",
    "address", "address_id", "zipcode", "lat", "long", "media_url",
)  # fmt: skip
"""Elements of a request, in the order of the example of GET Service Requests."""
NOW = 1_271_255_858.0
"""2010-04-14T06:37:38-08:00, the instant of that example."""
DAY_S = 86_400.0
ENTRY = BoardEntry(
    "638344", "roads", (-122.4651145, 37.762221815), NOW, "closed", "Public Works", NOW + DAY_S, None, 0,
    "Duplicate request.", "638344.jpg",
)  # fmt: skip


def parsed(xml: bytes) -> ET.Element:
    return ET.fromstring(xml)  # noqa: S314 (written by ourselves)


def test_the_example_of_a_new_request() -> None:
    new = read_new_request(parse_qsl(EXAMPLE_POST), "city.gov")
    assert new == NewRequest(
        "001",
        (-122.4212043, 37.76524078),
        "A large sinkhole is destroying the street\n"
        "address_string: 1234 5th street\n"
        "media_url: http://farm3.static.flickr.com/2002/2212426634_5ed477a060.jpg\n"
        "WHISPAWN: 123456\nWHISDORN: COISL001",
        "123456",
    )
    with pytest.raises(Open311Error, match="'001' was not found") as caught:
        report_of(new, REPORT_KINDS, "r1", "p", NOW)
    assert caught.value.status == 404
    for secret in ("john", "smith", "111111111", "smit333", "tt222111"):
        assert secret not in repr(new)


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"service_code": ""}, 400, "service_code was not provided"),
        ({"jurisdiction_id": "dc.gov"}, 404, "'dc.gov' is not served here; 'city.gov' is"),
        ({"lat": ""}, 400, "an address alone is not looked up"),
        ({"lat": "116.3", "long": "39.9"}, 400, "lat is '116.3'.*may be swapped"),
        ({"long": "nan"}, 400, "long is 'nan'; allowed are -180 to 180"),
        ({"media_url": "javascript:alert(1)"}, 400, "http:// or https://"),
        ({"description": "x" * 4_001}, 400, "allowed are 4000"),
    ],
)
def test_a_new_request_that_is_not_right_is_refused(changes: dict[str, str], status: int, said: str) -> None:
    pairs = dict(parse_qsl(EXAMPLE_POST)) | changes
    with pytest.raises(Open311Error, match=said) as caught:
        read_new_request(pairs.items(), "city.gov")
    assert caught.value.status == status


def test_a_new_request_becomes_a_matter_and_comes_back() -> None:
    pairs = dict(parse_qsl(EXAMPLE_POST)) | {"service_code": "emergency"}
    report = report_of(read_new_request(pairs.items(), "city.gov"), REPORT_KINDS, "r1", "p", NOW)
    rules = ReportRules(OfficeHours("America/Los_Angeles"))
    matter = fold_matter(decide_matter(None, Open("293944", report, "Public Works"), NOW, rules))
    assert matter is not None
    entry = board_entry(matter, NOW)
    assert entry is not None
    fields = request_of(PublicMatter(entry, NOW), REPORT_KINDS, "en", "https://city.gov/media/")
    assert tuple(fields) == FIELDS
    assert (fields["status"], fields["service_name"], fields["lat"]) == ("open", "Danger", 37.76524078)
    assert fields["expected_datetime"] == "2010-04-14T16:37:38Z"
    assert "sinkhole" not in json.dumps(fields)
    answer = accepted("293944", "The city will look.")
    assert json.loads(encoded_requests(answer, "json")) == [
        {"service_request_id": "293944", "service_notice": "The city will look.", "account_id": None}
    ]
    assert encoded_requests(answer, "xml").decode() == (
        "<?xml version='1.0' encoding='utf-8'?>\n<service_requests><request>"
        "<service_request_id>293944</service_request_id>"
        "<service_notice>The city will look.</service_notice><account_id />"
        "</request></service_requests>"
    )


def test_the_example_of_requests() -> None:
    fields = request_of(
        PublicMatter(ENTRY, NOW), REPORT_KINDS, "en", "http://city.gov.s3.amazonaws.com/requests/media/"
    )
    expected = {
        "service_request_id": "638344",
        "status": "closed",
        "status_notes": "Duplicate request.",
        "requested_datetime": "2010-04-14T14:37:38Z",
        "updated_datetime": "2010-04-14T14:37:38Z",
        "expected_datetime": "2010-04-15T14:37:38Z",
        "lat": 37.762221815,
        "long": -122.4651145,
        "media_url": "http://city.gov.s3.amazonaws.com/requests/media/638344.jpg",
        "description": None,
    }
    assert {name: fields[name] for name in expected} == expected
    root = parsed(encoded_requests([fields], "xml"))
    assert (root.tag, [child.tag for child in root]) == ("service_requests", ["request"])
    assert tuple(child.tag for child in root[0]) == FIELDS
    assert root.findtext("request/lat") == "37.762221815"
    assert root.findtext("request/description") == ""


def test_services_have_what_the_example_has_in_both_languages() -> None:
    names = ("service_code", "service_name", "description", "metadata", "type", "keywords", "group")
    for lang in ("zh", "en"):
        found = services(REPORT_KINDS, lang)
        assert [tuple(fields) for fields in found] == [names] * 11
        assert all(fields[name] != "" for fields in found for name in names)
        assert set(SERVICE_NAMES[lang]) == set(REPORT_KINDS)
        assert set(GROUP_NAMES[lang]) == {"component", "event"}
        assert json.loads(encode_services(found, "json"))[0]["metadata"] is False
        root = parsed(encode_services(found, "xml"))
        assert (root.tag, root[0].tag, root.findtext("service/metadata")) == ("services", "service", "false")
        assert root.findtext("service/type") == "realtime"
    own = {"ice": dataclasses.replace(REPORT_KINDS["roads"], name="ice", title_zh="道路结冰")}
    assert services(own, "en")[0]["service_name"] == "道路结冰"


def test_definition_token_and_errors() -> None:
    assert json.loads(encoded_definition(definition(REPORT_KINDS, "roads"), "json")) == {
        "service_code": "roads", "attributes": []
    }  # fmt: skip
    xml = encoded_definition(definition(REPORT_KINDS, "roads"), "xml")
    assert [child.tag for child in parsed(xml)] == ["service_code", "attributes"]
    root = parsed(encoded_requests(token_answer("12345", "638344"), "xml"))
    assert root.findtext("request/service_request_id") == "638344"
    assert root.findtext("request/token") == "12345"
    with pytest.raises(Open311Error, match="token '9' was not found") as caught:
        token_answer("9", None)
    assert json.loads(encode_errors(caught.value, "json")) == [
        {"code": "404", "description": "token '9' was not found."}
    ]
    assert parsed(encode_errors(caught.value, "xml")).findtext("error/code") == "404"


def published(number: int, made_s: float, stage: str = "reported", kind: str = "roads") -> PublicMatter:
    entry = dataclasses.replace(ENTRY, matter_id=str(number), reported_s=made_s, stage=stage, kind=kind)
    return PublicMatter(entry, made_s)


def test_queries_choose_by_date_status_and_service() -> None:
    rows = [published(1, NOW - 100 * DAY_S), published(2, NOW - DAY_S, "fixed"), published(3, NOW, "working")]
    rows += [published(4, NOW - 2 * DAY_S, kind="greening")]

    def ids(query: str) -> list[str]:
        found = selected(rows, read_query(parse_qsl(query), "city.gov", NOW))
        return [one.entry.matter_id for one in found]

    assert ids("") == ["3", "2", "4"]
    assert ids("status=open&jurisdiction_id=city.gov") == ["3", "4"]
    assert ids("status=closed") == ["2"]
    assert ids("status=open,closed&service_code=greening,emergency") == ["4"]
    assert ids("start_date=2010-04-13T00:00:00Z&end_date=2010-04-13T23:59:59Z") == ["2"]
    assert ids("start_date=2010-01-01T00:00:00%2B08:00") == ["1"]
    assert ids("service_request_id=1,3&status=closed") == ["3", "1"]
    many = [published(n, NOW) for n in range(1_005)]
    assert len(selected(many, read_query([], "city.gov", NOW))) == 1_000


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("start_date=2010-01-01T00:00:00Z&end_date=2010-06-24T00:00:00Z", "more than 90 days"),
        ("start_date=2010-01-01T00:00:00", "write it like 2010-01-01T00:00:00Z"),
        ("start_date=2010-02-30", "write it like 2010-01-01T00:00:00Z"),
        ("page=0", "page is '0'; allowed are 1 to"),
        ("page_size=1001", "page_size is '1001'; allowed are 1 to 1000"),
        ("page=-1", "page is '-1'"),
        ("page=٣", "page is '٣'"),
        ("end_date=yesterday", "end_date is 'yesterday'"),
        ("status=done", "'done'; allowed are open and closed"),
    ],
)
def test_a_query_that_is_not_right_is_refused(query: str, said: str) -> None:
    with pytest.raises(Open311Error, match=said) as caught:
        read_query(parse_qsl(query), "city.gov", NOW)
    assert caught.value.status == 400


@settings(derandomize=True, deadline=None)
@given(text=st.text(max_size=60))
def test_any_words_survive_json_and_make_sound_xml(text: str) -> None:
    entry = dataclasses.replace(ENTRY, result=text, office=text)
    fields = request_of(PublicMatter(entry, NOW), REPORT_KINDS, "zh", "https://city.gov/")
    back = json.loads(encoded_requests([fields], "json"))[0]
    assert back["agency_responsible"] == text
    root = parsed(encoded_requests([fields], "xml"))
    kept = root.findtext("request/agency_responsible")
    assert kept is not None
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    assert len(kept) == len(plain) or "\r" in text
    assert all(a in (b, "\ufffd") for a, b in zip(kept, plain, strict=False) if "\r" not in text)


@settings(derandomize=True, deadline=None)
@given(pairs=st.lists(st.tuples(st.sampled_from(["lat", "long", "service_code", "x"]), st.text(max_size=9))))
def test_any_form_is_read_or_refused_in_a_sentence(pairs: list[tuple[str, str]]) -> None:
    sent = parse_qsl(urlencode(pairs), keep_blank_values=True)
    try:
        new = read_new_request(sent, "city.gov")
    except Open311Error as error:
        assert error.description.endswith(".")  # noqa: PT017
        return
    assert new.service_code
    assert abs(new.lonlat[1]) <= 90
