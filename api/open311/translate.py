"""From street reports to GeoReport v2 and back."""

import dataclasses
import datetime
from collections.abc import Iterable, Mapping, Sequence

from api.open311.errors import Open311Error
from api.open311.forms import LARGEST_ANSWER, NewRequest, RequestsQuery
from api.open311.wording import GROUP_NAMES, SERVICE_NAMES, UPDATE_TEXTS
from geo.localtime import HOUR_S
from routing.civic import OVER, BoardEntry, MatterEvent, Report, ReportKind

__all__ = [
    "Fields",
    "PublicMatter",
    "accepted",
    "definition",
    "report_of",
    "request_of",
    "selected",
    "services",
    "token_answer",
    "updates_of",
]

Fields = dict[str, str | float | bool | None]
"""One element of an answer, in the order of the specification."""


@dataclasses.dataclass(frozen=True, slots=True)
class PublicMatter:
    """A matter that everybody may see, and when it last changed (epoch seconds)."""

    entry: BoardEntry
    updated_s: float

    @property
    def status(self) -> str:
        """``closed`` once the office has said that it is done, or will not act."""
        return "closed" if self.entry.stage in OVER else "open"


def services(kinds: Mapping[str, ReportKind], lang: str) -> list[Fields]:
    """Return the service list: one service a kind, answered at once and without more fields.

    Parameters
    ----------
    kinds : mapping
        By name; the name is the code.
    lang : str
        ``zh`` or ``en``.
    """
    return [
        {
            "service_code": kind.name,
            "service_name": _name(kind, lang)[0],
            "description": _name(kind, lang)[1],
            "metadata": False,
            "type": "realtime",
            "keywords": ", ".join(dict.fromkeys((_name(kind, "zh")[0], _name(kind, "en")[0]))),
            "group": GROUP_NAMES[lang][kind.group],
        }
        for kind in kinds.values()
    ]


def _name(kind: ReportKind, lang: str) -> tuple[str, str]:
    """Name and description; a kind that only this city has goes by the name that the city gave it."""
    return SERVICE_NAMES[lang].get(kind.name, (kind.title_zh, ""))


def _kind(kinds: Mapping[str, ReportKind], code: str) -> ReportKind:
    if code not in kinds:
        raise Open311Error(404, f"service_code {code!r} was not found; GET services lists them.")
    return kinds[code]


def definition(kinds: Mapping[str, ReportKind], code: str) -> Fields:
    """Return the definition of a service: no service asks for more fields.

    Raises
    ------
    Open311Error
        404 for an unknown code.
    """
    return {"service_code": _kind(kinds, code).name}


def report_of(
    new: NewRequest, kinds: Mapping[str, ReportKind], report_id: str, reporter: str, now_s: float
) -> Report:
    """Return the report that a new request makes.

    Parameters
    ----------
    new : NewRequest
    kinds : mapping
    report_id : str
    reporter : str
        Pseudonym of the sender.
    now_s : float
        Epoch seconds.

    Raises
    ------
    Open311Error
        404 for an unknown service.
    """
    return Report(report_id, reporter, _kind(kinds, new.service_code).name, new.lonlat, now_s, new.note)


def accepted(matter_id: str, notice: str) -> list[Fields]:
    """Return the answer to a new request: the matter that it opened or joined."""
    return [{"service_request_id": matter_id, "service_notice": notice, "account_id": None}]


def token_answer(token: str, matter_id: str | None) -> list[Fields]:
    """Return the request that a token (the id of a report) stands for.

    Raises
    ------
    Open311Error
        404 for an unknown token.
    """
    if matter_id is None:
        raise Open311Error(404, f"token {token!r} was not found.")
    return [{"service_request_id": matter_id, "token": token}]


def request_of(one: PublicMatter, kinds: Mapping[str, ReportKind], lang: str, media_base: str) -> Fields:
    """Return a matter as a service request: no person in it, and no words of reporters.

    Parameters
    ----------
    one : Published
    kinds : mapping
    lang : str
        ``zh`` or ``en``.
    media_base : str
        Address below which the office's photos stand; it ends with a slash.
    """
    entry = one.entry
    kind = kinds.get(entry.kind)
    return {
        "service_request_id": entry.matter_id,
        "status": one.status,
        "status_notes": entry.result or None,
        "service_name": _name(kind, lang)[0] if kind is not None else entry.kind,
        "service_code": entry.kind,
        "description": None,
        "agency_responsible": entry.office,
        "service_notice": None,
        "requested_datetime": _w3(entry.reported_s),
        "updated_datetime": _w3(one.updated_s),
        "expected_datetime": _w3(entry.due_s),
        "address": None,
        "address_id": None,
        "zipcode": None,
        "lat": entry.lonlat[1],
        "long": entry.lonlat[0],
        "media_url": media_base + entry.result_photo if entry.result_photo else None,
    }


def _w3(epoch_s: float) -> str:
    instant = datetime.datetime.fromtimestamp(epoch_s, datetime.UTC)
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


_UPDATE_STATUS = {
    "matter_accepted": "investigating",
    "work_started": "in_progress",
    "matter_fixed": "fixed",
    "matter_declined": "no_further_action",
    "matter_closed": "closed",
    "matter_reopened": "open",
}
"""What the office did, as a status of the extension; what people did is told to nobody."""


def updates_of(
    matter_id: str, events: Sequence[tuple[float, MatterEvent]], lang: str, media_base: str
) -> list[tuple[float, Fields]]:
    """Return the steps of a matter for ``GET servicerequestupdates``, each with its instant.

    Parameters
    ----------
    matter_id : str
        Of a matter that everybody may see.
    events : sequence of (float, MatterEvent)
        All of them, in order, each with its epoch seconds.
    lang, media_base : str
        As for `request_of`.

    Returns
    -------
    list of (float, Fields)
        Instants are whole hours, as on the board; the words are the office's.
    """
    found: list[tuple[float, Fields]] = []
    for number, (at_s, event) in enumerate(events):
        status = _UPDATE_STATUS.get(event.kind)
        if status is None:
            continue
        # Why a reporter opened it again stays between them and the office.
        words = getattr(event, "result", "") or (event.reason if event.kind == "matter_declined" else "")
        photo = getattr(event, "photo", "") if event.kind == "matter_fixed" else ""
        hour_s = at_s // HOUR_S * HOUR_S
        fields: Fields = {
            "update_id": f"{matter_id}-{number}",
            "service_request_id": matter_id,
            "status": status,
            "updated_datetime": _w3(hour_s),
            "description": words or UPDATE_TEXTS[lang][event.kind],
            "media_url": media_base + photo if photo else "",
        }
        found.append((hour_s, fields))
    return found


def selected(published: Iterable[PublicMatter], query: RequestsQuery) -> list[PublicMatter]:
    """Return what a query asks for, latest first, at most 1,000."""
    if query.ids:
        found = [one for one in published if one.entry.matter_id in query.ids]
    else:
        found = [
            one
            for one in published
            if query.start_s <= one.entry.reported_s <= query.end_s
            and one.status in query.statuses
            and (not query.service_codes or one.entry.kind in query.service_codes)
        ]
    found.sort(key=lambda one: (-one.entry.reported_s, one.entry.matter_id))
    return found[:LARGEST_ANSWER]
