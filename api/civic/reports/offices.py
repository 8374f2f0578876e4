"""Which office is asked first for a report."""

from collections.abc import Sequence

import shapely
import sqlalchemy as sa
from shapely.geometry import Point, shape

from api.civic.reports.forms import OfficeIn, OfficeOut
from api.civic.rules import CivicRules
from api.dispatch.turn import Turn
from api.store import SERVICE, Scope
from api.store.access import tenants
from api.store.civic import offices as rows
from geo.errors import InputError

__all__ = ["NoOfficeError", "check_office", "first_office", "fitting", "name_office"]


class NoOfficeError(InputError):
    """The city has no office that takes reports."""


def fitting(
    offices: Sequence[rows.OfficeRow], kind: str, lonlat: tuple[float, float]
) -> rows.OfficeRow | None:
    """Return the office for a kind at a place: who names an area and the kind goes before who takes all.

    Parameters
    ----------
    offices : sequence of OfficeRow
        The oldest first; of equals it is asked.
    kind : str
    lonlat : (float, float)
        WGS-84 degrees.
    """
    here = Point(lonlat)
    able = [
        one
        for one in offices
        if (not one.kinds or kind in one.kinds) and (one.area is None or shape(one.area).intersects(here))
    ]
    return max(able, key=lambda one: (one.area is not None, bool(one.kinds)), default=None)


def first_office(connection: sa.Connection, kind: str, lonlat: tuple[float, float]) -> str:
    """Return who is asked first (首问负责); a city that has named no office asks its oldest one.

    Raises
    ------
    NoOfficeError
        When no office takes such reports there.
    """
    offices = rows.list_all(connection, SERVICE)
    found = fitting(offices, kind, lonlat)
    name = found.tenant_id if found is not None else None
    if not offices:
        name = rows.first_tenant(connection, SERVICE)
    if name is None:
        raise NoOfficeError("no office of this city takes reports of this kind there")
    return name


def check_office(connection: sa.Connection, name: str) -> None:
    """Refuse what is not the name of an office of this city.

    Raises
    ------
    InputError
    """
    tenant = tenants.get(connection, SERVICE, name)
    if tenant is None or tenant.kind != "office":
        raise InputError(f"office {name!r} is not known; GET /v1/offices lists them")


def name_office(turn: Turn, who: Scope, rules: CivicRules, office: str, asked: OfficeIn) -> OfficeOut:
    """Name an office that takes reports, or say otherwise what it takes.

    Raises
    ------
    InputError
        When there is no such office or kind, or its area is none.
    OutOfScopeError
        For everybody but an admin.
    """
    for kind in asked.kinds:
        rules.reports.kind(kind)
    _check_area(asked.area)
    check_office(turn.connection, office)
    row = rows.OfficeRow(office, asked.title, asked.kinds, asked.area, turn.now_s)
    turn.changing = True
    rows.put(turn.connection, who, row)
    return OfficeOut(office=office, title=asked.title, kinds=list(asked.kinds))


def _check_area(area: object) -> None:
    if area is None:
        return
    try:
        found = shape(area)
        good = found.geom_type in ("Polygon", "MultiPolygon") and found.is_valid and not found.is_empty
    except (shapely.GEOSException, AttributeError, KeyError, TypeError, ValueError, IndexError):
        good = False
    if not good:
        raise InputError(
            "area must be a GeoJSON Polygon or MultiPolygon in WGS-84 that does not cross itself"
        )
