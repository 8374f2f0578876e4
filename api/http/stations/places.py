"""Stations by their place: numbers are those of one study, and words and visits outlive it."""

import collections
import contextlib
from collections.abc import Mapping, Sequence

from api.forms import Station
from api.http.problems.errors import NotThereError
from api.http.shelf import Shelf
from api.store import SERVICE, Database, StoreUnavailable
from api.store.civic import stations as rows
from api.store.civic.stations import StationPlace
from siting.stations import FormerStation, known_again

__all__ = ["StationsByPlace", "fill_older", "kept_place"]


def kept_place(station: Station, stations: Sequence[Station]) -> StationPlace:
    """Return what one of `stations` is known again by.

    Suggested stations are numbered, not named: the next study may give the name to another place.
    """
    own = station.existing and sum(one.name == station.name for one in stations) == 1
    return StationPlace(station.name, own, *station.lonlat)


class StationsByPlace:
    """Finds what stands today where a station stood.

    Parameters
    ----------
    stations : sequence of Station
        Of the study that is asked about.
    """

    def __init__(self, stations: Sequence[Station]) -> None:
        self._stations = stations
        # Most often nothing has changed. What stands is known before what is suggested.
        self._found: dict[StationPlace, str | None] = {}
        self._as_it_was: Mapping[tuple[str, tuple[float, float]], str] = {
            (one.name, one.lonlat): one.station_id for one in reversed(stations)
        }

    def id_at(self, place: StationPlace) -> str | None:
        """Return the number of the station that stands there now; None: the station is no longer there."""
        if place not in self._found:
            self._found[place] = self._look(place)
        return self._found[place]

    def _look(self, place: StationPlace) -> str | None:
        if place.lon is None or place.lat is None:
            return None
        lonlat = place.lon, place.lat
        if (place.station_name, lonlat) in self._as_it_was:
            return self._as_it_was[place.station_name, lonlat]
        at = known_again(FormerStation(place.station_name, lonlat, place.name_is_own), self._stations)
        return None if at is None else self._stations[at].station_id


def fill_older(shelf: Shelf, database: Database) -> None:
    """Give rows of an older database the places of their stations, once.

    Until then a number was that of the study under the name, so what it shows now decides. Numbers that it
    does not have stay without a place. Without a store it comes with the next start.
    """
    with contextlib.suppress(StoreUnavailable):
        _fill_older(shelf, database)


def _fill_older(shelf: Shelf, database: Database) -> None:
    with database.reading() as connection:
        numbers = collections.defaultdict(list)
        for study, number in rows.unplaced(connection, SERVICE):
            numbers[study].append(number)
    for study, asked in numbers.items():
        stations: Sequence[Station] = ()
        with contextlib.suppress(NotThereError):
            stations = shelf.get(study or None).served.stations
        by_number = {one.station_id: kept_place(one, stations) for one in stations}
        places = {number: by_number.get(number, StationPlace(number, False, None, None)) for number in asked}
        with database.transaction() as connection:
            rows.fill_places(connection, SERVICE, study, places)
