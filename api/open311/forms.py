"""Arguments of GeoReport v2, read from the pairs of a form or a query, or refused in a sentence."""

import dataclasses
import datetime
import math
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from api.open311.errors import Open311Error

__all__ = ["LARGEST_ANSWER", "NewRequest", "RequestsQuery", "read_new_request", "read_query"]

SPAN_S = 90 * 86_400.0
"""No query spans more than 90 days (specification, "Response Volume")."""
LARGEST_ANSWER = 1_000
_MOST_TEXT = 4_000
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


def _table(pairs: Pairs) -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for name, value in pairs:
        table.setdefault(name, []).append(value)
    return table


def _jurisdiction(table: dict[str, list[str]], known: str) -> None:
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
    table = _table(pairs)
    _jurisdiction(table, jurisdiction)
    code = _first(table, "service_code")
    if not code:
        raise Open311Error(400, "service_code was not provided.")
    if not _first(table, "lat") or not _first(table, "long"):
        raise Open311Error(400, "lat and long are needed: an address alone is not looked up here.")
    lonlat = (_degrees(table, "long", 180.0), _degrees(table, "lat", 90.0))
    lines = [_first(table, "description")]
    lines += [
        f"{name}: {_first(table, name)}" for name in ("address_string", "address_id") if _first(table, name)
    ]
    media = _first(table, "media_url")
    if media:
        if urlsplit(media).scheme not in ("http", "https"):
            raise Open311Error(400, "media_url must begin with http:// or https://.")
        lines.append(f"media_url: {media}")
    for name, values in table.items():
        match = _ATTRIBUTE.fullmatch(name)
        if match:
            lines.append(f"{match[1]}: {', '.join(values)}")
    note = "\n".join(line for line in lines if line)
    if len(note) > _MOST_TEXT:
        raise Open311Error(400, f"The description has {len(note)} characters; allowed are {_MOST_TEXT}.")
    return NewRequest(code, lonlat, note, next((_first(table, w) for w in _WHO if _first(table, w)), ""))


def _first(table: dict[str, list[str]], name: str) -> str:
    return table.get(name, [""])[0].strip()


def _degrees(table: dict[str, list[str]], name: str, most: float) -> float:
    text = _first(table, name)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -most <= value <= most:
        swapped = " lat and long may be swapped." if name == "lat" and 90 < abs(value) <= 180 else ""
        raise Open311Error(400, f"{name} is {text!r}; allowed are {-most:g} to {most:g} degrees.{swapped}")
    return value


def read_query(pairs: Pairs, jurisdiction: str, now_s: float) -> RequestsQuery:
    """Read the query of ``GET requests``.

    Parameters
    ----------
    pairs : iterable of (str, str)
    jurisdiction : str
    now_s : float
        Epoch seconds: without dates the latest 90 days are meant.

    Raises
    ------
    Open311Error
        Where an argument is wrong, or the dates span more than 90 days.
    """
    table = _table(pairs)
    _jurisdiction(table, jurisdiction)
    ids = tuple(dict.fromkeys(_listed(table, "service_request_id")))
    statuses = frozenset(_listed(table, "status")) or frozenset(STATUSES)
    if not statuses <= set(STATUSES):
        unknown = ", ".join(sorted(statuses - set(STATUSES)))
        raise Open311Error(400, f"status is {unknown!r}; allowed are open and closed.")
    start_s, end_s = _instant(table, "start_date"), _instant(table, "end_date")
    if end_s is None:
        end_s = now_s if start_s is None else min(now_s, start_s + SPAN_S)
    if start_s is None:
        start_s = end_s - SPAN_S
    if end_s - start_s > SPAN_S:
        raise Open311Error(400, "start_date and end_date may not span more than 90 days.")
    return RequestsQuery(ids, frozenset(_listed(table, "service_code")), statuses, start_s, end_s)


def _listed(table: dict[str, list[str]], name: str) -> list[str]:
    """Return the values of an argument that may be given several times and comma delimited."""
    return [part.strip() for value in table.get(name, []) for part in value.split(",") if part.strip()]


def _instant(table: dict[str, list[str]], name: str) -> float | None:
    text = _first(table, name)
    if not text:
        return None
    try:
        instant = datetime.datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Open311Error(400, f"{name} is {text!r}; write it like 2010-01-01T00:00:00Z.")
    return instant.timestamp()
