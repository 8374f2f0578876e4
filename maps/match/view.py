"""A match of the routing core as a picture for :func:`maps.match.page.match_map`."""

import datetime
import math
import zoneinfo
from collections.abc import Mapping, Sequence

import numpy as np

from geo.localtime import zone
from geo.streets import StreetNetwork
from geo.travel import find_path
from maps.match.layers import MatchPicture, MatchStop
from routing.model import Match, Stop

__all__ = ["match_picture"]

LonLat = tuple[float, float]
_LEAST_WALK_M = 2.0
"""A shorter walk cannot be told from the line of the street."""


def match_picture(
    match: Match,
    network: StreetNetwork,
    *,
    task: str,
    timezone: str,
    attribution: str,
    names: Mapping[str, str] | None = None,
    synthetic: bool = False,
) -> MatchPicture:
    """Draw up the ways before and after a match, and its stops with their slack.

    Parameters
    ----------
    match
        Of :mod:`routing`; rider and stop ids do not appear in the picture.
    network
        The streets it was found on.
    task
        What the task is called, in the language of the map.
    timezone
        Of the city, for clock times.
    attribution
        Of the base map.
    names
        What each stop is called, by stop id; stops without a name are called by their place in the order.
    synthetic
        Whether the rider is made up.

    Raises
    ------
    InputError
        If the time zone is not known.
    """
    where = zone(timezone)
    said = names or {}
    slack = {stop.stop_id: stop for stop in match.stops}
    shown = []
    for number, stop in enumerate(match.plan.stops, start=1):
        before = slack.get(stop.stop_id)
        own = number - 1 in match.own
        start_s = match.starts_s[number - 1]
        shown.append(
            MatchStop(
                name=said.get(stop.stop_id, task if own else str(number)),
                lonlat=stop.lonlat,
                # another task of the same rider is one more stop here
                kind="task" if own else stop.kind.replace("task", "other"),
                arrive_before=None if before is None else _clock(before.start_before_s, where),
                arrive_after=_clock(start_s, where) or "",
                due=_clock(stop.latest_s, where),
                slack_before_s=None if before is None else _finite(before.slack_before_s),
                slack_after_s=_finite(stop.latest_s - start_s if before is None else before.slack_after_s),
            )
        )
    old = [stop for stop in match.plan.stops if stop.stop_id in slack]
    late = sum(stop.slack_after_s < 0 <= stop.slack_before_s for stop in match.stops)
    here, mode = match.plan.lonlat, match.plan.mode
    return MatchPicture(
        task=task,
        start=here,
        way_before=_way(network, mode, here, old),
        way_after=_way(network, mode, here, match.plan.stops),
        walks=_walks(network, mode, [here, *(stop.lonlat for stop in match.plan.stops)]),
        stops=tuple(shown),
        extra_s=match.extra_s,
        extra_m=match.extra_m,
        late_deliveries=late,
        attribution=attribution,
        synthetic=synthetic,
    )


def _way(network: StreetNetwork, mode: str, here: LonLat, stops: Sequence[Stop]) -> tuple[LonLat, ...]:
    """Join the fastest ways from stop to stop along streets; a leg without one is drawn straight."""
    points: list[LonLat] = []
    previous = here
    for stop in stops:
        ends = network.snap(np.array([previous, stop.lonlat]), mode)
        found = bool(np.all(ends.ok))
        path = find_path(network, mode, ends.take([0]), ends.take([1])) if found else None
        if path is not None:
            points += [(float(lon), float(lat)) for lon, lat in path.lonlat]
        else:
            points += [previous, stop.lonlat]
        previous = stop.lonlat
    return tuple(points)


def _walks(network: StreetNetwork, mode: str, places: Sequence[LonLat]) -> tuple[tuple[LonLat, LonLat], ...]:
    """Return the ways on foot between the street and each place, where there is one to speak of."""
    ends = network.snap(np.array(places), mode)
    return tuple(
        ((float(street[0]), float(street[1])), place)
        for place, street, walk_m, ok in zip(places, ends.lonlat, ends.walk_m, ends.ok, strict=True)
        if ok and walk_m >= _LEAST_WALK_M
    )


def _clock(epoch_s: float, where: zoneinfo.ZoneInfo) -> str | None:
    if not math.isfinite(epoch_s):
        return None
    return datetime.datetime.fromtimestamp(epoch_s, where).strftime("%H:%M")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
