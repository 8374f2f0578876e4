"""Words of streets from forms, and closures back as what everybody may see."""

import datetime
import math
from typing import Literal, cast

import numpy as np

from api.civic.reports.forms import BoardPoint, ClosureLine, ClosureOut, StreetIn, Thing, TowardsIn
from api.civic.streets import Streets
from api.forms import instant_of
from geo.arrays import FloatArray
from geo.datum import Datum, from_wgs84, place_to_wgs84
from geo.localtime import HOUR_S
from geo.streets import StreetNetwork
from routing.civic import Closure, StreetWord

__all__ = ["closure_out", "closures_now", "in_wgs84", "word_of"]


def in_wgs84(street: StreetIn, datum: Datum) -> StreetIn:
    """Return the same with its place beyond in WGS-84."""
    if street.towards is None:
        return street
    lon, lat = place_to_wgs84((street.towards.lon, street.towards.lat), datum)
    return street.model_copy(update={"towards": TowardsIn(lon=lon, lat=lat)})


def word_of(
    street: StreetIn, by: str, lonlat: tuple[float, float], now_s: float, *, office: bool
) -> StreetWord:
    """Return a word.

    Parameters
    ----------
    street : StreetIn
        In WGS-84.
    by : str
        Pseudonym of a person, or name of an office.
    lonlat : (float, float)
    now_s : float
        Epoch seconds.
    office : bool

    Raises
    ------
    InputError
        Where `towards` does not fit the thing or what is said of it.
    """
    towards = None if street.towards is None else (street.towards.lon, street.towards.lat)
    return StreetWord(by, office, street.thing, street.says, lonlat, now_s, towards)


def closure_out(closure: Closure, network: StreetNetwork, datum: Datum, zone: datetime.tzinfo) -> ClosureOut:
    """Return a closure for everybody: of what people have said, whole hours only, and no number of them."""
    place = closure.place
    shown: BoardPoint | ClosureLine
    name, thing = "", "gate"
    if place.node >= 0:
        (point,) = _told(network.node_lonlat[[place.node]], datum)
        shown = BoardPoint(coordinates=point)
    else:
        shown = ClosureLine(coordinates=_told(network.edge_lonlat(place.edge), datum))
        number = int(network.edge_name[place.edge])
        name = network.names[number] if number >= 0 else ""
        is_stair = network.classes[network.edge_class[place.edge]] == "steps"
        thing = "stair" if is_stair else "street"
    since_s, until_s = closure.from_s, closure.until_s
    if not closure.by_office:
        since_s, until_s = since_s // HOUR_S * HOUR_S, math.ceil(until_s / HOUR_S) * HOUR_S
    return ClosureOut(
        thing=cast(Thing, thing),
        condition=cast(Literal["closed", "flooded", "dark"], closure.condition),
        street=name,
        geometry=shown,
        one_way=place.direction != "both",
        since=instant_of(since_s, zone),
        until=instant_of(until_s, zone),
        by_office=closure.by_office,
    )


def closures_now(streets: Streets, now_s: float, datum: Datum, zone: datetime.tzinfo) -> list[ClosureOut]:
    """Return what holds at an instant, for everybody."""
    return [closure_out(one, streets.map, datum, zone) for one in streets.closures(now_s)]


def _told(lonlat: FloatArray, datum: Datum) -> list[tuple[float, float]]:
    points = from_wgs84(np.asarray(lonlat, np.float64), datum).tolist()
    return [(round(lon, 6), round(lat, 6)) for lon, lat in points]
