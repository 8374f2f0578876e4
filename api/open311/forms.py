"""Arguments of GeoReport v2, read from the pairs of a form or a query, or refused in a sentence."""

import dataclasses
import datetime
import math
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from api.open311.errors import Open311Error

__all__ = [
    "LARGEST_ANSWER",
    "NewRequest",
    "RequestsQuery",
    "contact_of",
    "epoch_of",
    "first_of",
    "jurisdiction_of",
    "media_lines",
    "note_of",
    "read_new_request",
    "read_query",
    "table_of",
]  # fmt: skip

SPAN_S = 90 * 86_400.0
"""No query spans more than 90 days (specification, "Response Volume")."""
LARGEST_ANSWER = 1_000
MOST_PAGES, MOST_DIGITS = 100_000, 6
_MOST_TEXT = 4_000
"""Characters of a description."""
_SENTENCE = 20
"""Shorter words may stand in a text by chance."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_BLANK_OFFSET = re.compile(r"(?<=\d) (\d{2}:?\d{2})$", re.ASCII)
_ATTRIBUTE = re.compile(r"attribute\[([^\]]{1,100})\](\[\])?")
STATUSES = ("open", "closed")
_WHO = ("account_id", "email", "device_id", "phone")

Pairs = Iterable[tuple[str, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class NewRequest:
    """What ``POST requests`` says. Names, phone and mail go no further than `contact`."""

    service_code: str
    lonlat: tuple[float, float]
    """(lon, lat) in WGS-84 degrees."""
    note: str
    """The description, and what else was said of the place: address, media, attributes."""
    contact: str
    """By what the sender is known: makes the pseudonym and is not kept; empty: nobody."""


@dataclasses.dataclass(frozen=True, slots=True)
class RequestsQuery:
    """What ``GET requests`` asks for."""

    ids: tuple[str, ...]
    """These requests and no others, whatever else is asked for; empty: all."""
    service_codes: frozenset[str]
    """Empty: all."""
    statuses: frozenset[str]
    start_s: float
    end_s: float
    """Epoch seconds, closed: when the request was made."""
    page: int = 1
    page_size: int = LARGEST_ANSWER
    """The first page is 1; an extension that many servers have."""


def table_of(pairs: Pairs) -> dict[str, list[str]]:
    """Return the values of each name, in order."""
    table: dict[str, list[str]] = {}
    for name, value in pairs:
        table.setdefault(name, []).append(value)
    return table


def jurisdiction_of(table: dict[str, list[str]], known: str) -> None:
    """Refuse another jurisdiction; who serves one need not be told which."""
    for given in table.get("jurisdiction_id", []):
        if given and given != known:
            raise Open311Error(404, f"jurisdiction_id {given!r} is not served here; {known!r} is.")


def read_new_request(pairs: Pairs, jurisdiction: str) -> NewRequest:
    """Read the form of ``POST requests``.

    Parameters
    ----------
    pairs : iterable of (str, str)
        Decoded names and values, in order.
    jurisdiction : str
        The one served here.

    Raises
    ------
    Open311Error
        Where an argument is missing or wrong.
    """
    table = table_of(pairs)
    jurisdiction_of(table, jurisdiction)
    code = first_of(table, "service_code")
    if not code:
        raise Open311Error(400, "service_code was not provided.")
    if not first_of(table, "lat") or not first_of(table, "long"):
        raise Open311Error(400, "lat and long are needed: an address alone is not looked up here.")
    lonlat = (_degrees(table, "long", 180.0), _degrees(table, "lat", 90.0))
    lines = [first_of(table, "description")]
    lines += [
        f"{name}: {first_of(table, name)}"
        for name in ("address_string", "address_id")
        if first_of(table, name)
    ]
    lines += media_lines(table)
    for name, values in table.items():
        match = _ATTRIBUTE.fullmatch(name)
        said = [value for value in values if value.strip()]
        if match and said:
            line = f"{match[1]}: {', '.join(said)}"
            lines += [] if _stands_in(lines[0], line, said) else [line]
    return NewRequest(code, lonlat, note_of(lines), contact_of(table))


def _stands_in(description: str, line: str, said: list[str]) -> bool:
    """Whether an answer repeats the description, as FixMyStreet's do: twice it would be too long."""
    if all(len(value) >= _SENTENCE and value.strip() in description for value in said):
        return True
    return " ".join(line.split()) in {" ".join(one.split()) for one in description.splitlines()}


def media_lines(table: dict[str, list[str]]) -> list[str]:
    """Return the lines of a description that name pictures; none where there are none."""
    named = [part for name in ("media_url", "media_url[]") for part in table.get(name, []) if part.strip()]
    if any(urlsplit(media).scheme not in ("http", "https") for media in named):
        raise Open311Error(400, "media_url must begin with http:// or https://.")
    return [f"media_url: {media.strip()}" for media in named]


def note_of(lines: Iterable[str]) -> str:
    """Return the lines of a description as one text, those that say something."""
    note = "\n".join(line for line in lines if line)
    if len(note) > _MOST_TEXT:
        raise Open311Error(400, f"The description has {len(note)} characters; allowed are {_MOST_TEXT}.")
    return note


def contact_of(table: dict[str, list[str]]) -> str:
    """Return by what the sender is known; empty: nobody."""
    return next((first_of(table, who) for who in _WHO if first_of(table, who)), "")


def first_of(table: dict[str, list[str]], name: str) -> str:
    """Return the first value of an argument, without blanks around it; empty: there is none."""
    return table.get(name, [""])[0].strip()


def _degrees(table: dict[str, list[str]], name: str, most: float) -> float:
    text = first_of(table, name)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -most <= value <= most:
        swapped = " lat and long may be swapped." if name == "lat" and 90 < abs(value) <= 180 else ""
        raise Open311Error(400, f"{name} is {text!r}; allowed are {-most:g} to {most:g} degrees.{swapped}")
    return value


def read_query(
    pairs: Pairs, jurisdiction: str, now_s: float, zone: datetime.tzinfo = datetime.UTC
) -> RequestsQuery:
    """Read the query of ``GET requests``.

    Parameters
    ----------
    pairs : iterable of (str, str)
    jurisdiction : str
    now_s : float
        Epoch seconds: without dates the latest 90 days are meant.
    zone : tzinfo
        Of the city: a date alone is one of its days.

    Raises
    ------
    Open311Error
        Where an argument is wrong, or the dates span more than 90 days.
    """
    table = table_of(pairs)
    jurisdiction_of(table, jurisdiction)
    ids = tuple(dict.fromkeys(_listed(table, "service_request_id")))
    statuses = frozenset(_listed(table, "status")) or frozenset(STATUSES)
    if not statuses <= set(STATUSES):
        unknown = ", ".join(sorted(statuses - set(STATUSES)))
        raise Open311Error(400, f"status is {unknown!r}; allowed are open and closed.")
    start_s, end_s = epoch_of(table, "start_date", zone), epoch_of(table, "end_date", zone, whole_day=True)
    if end_s is None:
        end_s = now_s if start_s is None else min(now_s, start_s + SPAN_S)
    if start_s is None:
        start_s = end_s - SPAN_S
    if end_s - start_s > SPAN_S:
        raise Open311Error(400, "start_date and end_date may not span more than 90 days.")
    page, page_size = _number(table, "page", 1, MOST_PAGES), _number(table, "page_size", LARGEST_ANSWER)
    codes = frozenset(_listed(table, "service_code"))
    return RequestsQuery(ids, codes, statuses, start_s, end_s, page, page_size)


def _number(table: dict[str, list[str]], name: str, usual: int, most: int = LARGEST_ANSWER) -> int:
    text = first_of(table, name)
    if not text:
        return usual
    value = int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else 0
    if not 1 <= value <= most:
        raise Open311Error(400, f"{name} is {text!r}; allowed are 1 to {most}.")
    return value


def _listed(table: dict[str, list[str]], name: str) -> list[str]:
    """Return the values of an argument that may be given several times and comma delimited."""
    return [part.strip() for value in table.get(name, []) for part in value.split(",") if part.strip()]


def epoch_of(
    table: dict[str, list[str]],
    name: str,
    zone: datetime.tzinfo = datetime.UTC,
    *,
    whole_day: bool = False,
) -> float | None:
    """Return an argument as epoch seconds; None: there is none.

    A date alone is the beginning of that day in `zone`, or with `whole_day` its last second. A blank before
    the offset is a plus sign that the client did not encode.
    """
    text = first_of(table, name)
    if not text:
        return None
    try:
        if _DATE.fullmatch(text):
            clock = datetime.time(23, 59, 59) if whole_day else datetime.time()
            return datetime.datetime.combine(datetime.date.fromisoformat(text), clock, zone).timestamp()
        instant = datetime.datetime.fromisoformat(_BLANK_OFFSET.sub(r"+\1", text))
    except (ValueError, OverflowError):
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Open311Error(400, f"{name} is {text!r}; write it like 2010-01-01T00:00:00Z.")
    return instant.timestamp()
