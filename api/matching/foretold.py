"""Riders of a request who told no plan: their habits and last minutes become expected stops, and the answer.

Habits are learned from what the request brings, of each platform alone, for this answer alone.
"""

import datetime
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from api.forms import PointedError, epoch_s_of, instant_of, way_of
from api.matching.expected_forms import (
    ExpectedMatchOut,
    ExpectedStopOut,
    PassedStreetOut,
    PredictionOut,
    ScenarioOut,
)
from api.matching.forms import MatchRequest, SeenIn, UnplannedRiderIn
from geo.arrays import FloatArray
from geo.datum import Datum, from_wgs84, to_wgs84
from geo.learned import Habits, PastStops, learn_habits, passed_streets
from geo.streets import StreetNetwork
from routing.foretelling import AHEAD_S, RECENT_S, Foretold, SeenRider, foretell
from routing.model import ExpectedMatch, Policy, Rider, Scenario

__all__ = ["expected_match", "expected_out", "foretold_of", "unplanned_riders"]

MOST_STREETS: Final = 50
LEAST_STREET: Final = 0.05
"""Streets less likely than this are not told."""


def foretold_of(network: StreetNetwork, request: MatchRequest, policy: Policy) -> list[Foretold]:
    """Return what is foretold of each rider without a plan, in their order.

    Parameters
    ----------
    network : StreetNetwork
    request : MatchRequest
    policy : Policy

    Raises
    ------
    PointedError
        For a position of the last minutes or a past stop at an impossible time.
    """
    _check(request)
    by_platform: dict[str, list[UnplannedRiderIn]] = {}
    for one in request.unplanned:
        by_platform.setdefault(one.platform, []).append(one)
    found: dict[str, Foretold] = {}
    for several in by_platform.values():
        histories = [_placed(one.history, request.datum) for one in several]
        habits = _habits(several, histories)
        for number, one in enumerate(several):
            found[one.rider_id] = _one(network, request, policy, one, number, habits, histories[number])
    return [found[one.rider_id] for one in request.unplanned]


def seen_of(request: MatchRequest) -> FloatArray:
    """Return all positions (n, 2) of riders without a plan, as they were sent."""
    here = [(one.lon, one.lat) for one in request.unplanned]
    before = [(at.lon, at.lat) for one in request.unplanned for at in (*one.recent, *one.history)]
    return np.array([*here, *before], np.float64).reshape(-1, 2)


def _check(request: MatchRequest) -> None:
    now = request.now
    wrong: dict[str, str] = {}
    for r, one in enumerate(request.unplanned):
        for s, seen in enumerate(one.recent):
            if not 0.0 <= (now - seen.at).total_seconds() <= RECENT_S:
                wrong[f"/unplanned/{r}/recent/{s}"] = (
                    f"a position of rider {one.rider_id} is of {seen.at.isoformat()}; allowed is the quarter"
                    f" of an hour before now, {now.isoformat()}"
                )
        for s, seen in enumerate(one.history):
            if seen.at > now:
                wrong[f"/unplanned/{r}/history/{s}"] = (
                    f"a past stop of rider {one.rider_id} is of {seen.at.isoformat()}, after now,"
                    f" {now.isoformat()}"
                )
    ids = [one.rider_id for one in request.unplanned]
    if len(set(ids)) != len(ids):
        wrong["/unplanned"] = "two riders without a plan have the same rider_id; each may stand there once"
    if wrong:
        raise PointedError(wrong)


def _placed(seen: Sequence[SeenIn], datum: Datum) -> tuple[FloatArray, FloatArray]:
    """Return instants (epoch s) and positions (WGS-84), rising in time."""
    at_s = np.array([one.at.timestamp() for one in seen], np.float64)
    sent = np.array([(one.lon, one.lat) for one in seen], np.float64).reshape(-1, 2)
    order = np.argsort(at_s, kind="stable")
    return at_s[order], to_wgs84(sent, datum)[order]


def _habits(
    several: Sequence[UnplannedRiderIn], histories: Sequence[tuple[FloatArray, FloatArray]]
) -> Habits:
    rider = np.repeat(np.arange(len(several)), [len(at_s) for at_s, _ in histories])
    at_s = np.concatenate([at_s for at_s, _ in histories])
    return learn_habits(PastStops(rider, at_s, np.concatenate([lonlat for _, lonlat in histories])))


def _one(
    network: StreetNetwork,
    request: MatchRequest,
    policy: Policy,
    one: UnplannedRiderIn,
    number: int,
    habits: Habits,
    history: tuple[FloatArray, FloatArray],
) -> Foretold:
    now_s = request.now.timestamp()
    rider = unplanned_riders(request, [one])[0]
    recent_s, recent = _placed(one.recent, request.datum)
    before = recent_s < now_s
    seen = SeenRider(
        np.append(recent_s[before], now_s), np.concatenate([recent[before], [rider.lonlat]]), *history
    )
    return foretell(network, rider, number, seen, habits, policy)


def unplanned_riders(request: MatchRequest, some: Sequence[UnplannedRiderIn]) -> list[Rider]:
    """Return riders of a request in the words of the matching room."""
    sent = np.array([(one.lon, one.lat) for one in some], np.float64).reshape(-1, 2)
    placed = to_wgs84(sent, request.datum).tolist()
    return [
        Rider(
            one.rider_id,
            (lon, lat),
            mode=one.mode,
            speed_factor=one.speed_factor,
            skills=frozenset(one.skills),
            status=one.status,
            shift_end_s=np.inf if one.shift_end is None else one.shift_end.timestamp(),
            worked_since_break_s=one.worked_since_break_s,
            worked_today_s=one.worked_today_s,
            platform=one.platform,
            contribution=one.contribution,
            extra_last_hour_s=one.extra_last_hour_s,
        )
        for one, (lon, lat) in zip(some, placed, strict=True)
    ]


def expected_out(
    network: StreetNetwork,
    request: MatchRequest,
    foretold: Sequence[Foretold],
    found: Sequence[ExpectedMatch],
) -> Mapping[str, Any]:
    """Return the parts ``expected`` and ``predictions`` of an answer."""
    datum = request.answer_datum or request.datum
    instant = functools.partial(instant_of, zone=request.now.tzinfo or datetime.UTC)
    now_s = request.now.timestamp()
    predictions = []
    for one in foretold:
        if one.rider is None:
            continue
        places = _places_of(one.rider.stops, datum)
        predictions.append(
            PredictionOut(
                rider_id=one.rider_id,
                holds_until=instant(one.rider.holds_until_s),
                elsewhere=round(max(1.0 - sum(stop.probability for stop in one.rider.stops), 0.0), 6),
                stops=[
                    ExpectedStopOut(
                        lon=lon, lat=lat, probability=stop.probability, arrival=instant(now_s + away_s)
                    )
                    for stop, (lon, lat), away_s in zip(
                        one.rider.stops, places, one.stops.away_s.tolist(), strict=True
                    )
                ],
                streets=_streets(network, one, datum) if request.geometry else [],
            )
        )
    return {"predictions": predictions, "expected": [_match(match, datum, instant) for match in found]}


def _places_of(stops: Sequence[Any], datum: Datum) -> list[tuple[float, float]]:
    """Return the places of expected stops or scenarios in the datum of the answer."""
    if not stops:
        return []
    places = from_wgs84(np.array([stop.lonlat for stop in stops]), datum)
    return [(round(lon, 7), round(lat, 7)) for lon, lat in places.tolist()]


def _streets(network: StreetNetwork, one: Foretold, datum: Datum) -> list[PassedStreetOut]:
    passed = passed_streets(network, one.mode, one.habits, one.seen, one.stops, AHEAD_S)
    out: list[PassedStreetOut] = []
    for directed, chance in zip(passed.directed.tolist(), passed.probability.tolist(), strict=True):
        if chance < LEAST_STREET or len(out) == MOST_STREETS:
            break
        lonlat = network.edge_lonlat(directed >> 1)
        line = lonlat[::-1] if directed % 2 else lonlat
        name = int(network.edge_name[directed >> 1])
        names = [network.names[name]] if name >= 0 else []
        out.append(
            PassedStreetOut(probability=round(chance, 4), way=way_of(from_wgs84(line, datum).tolist(), names))
        )
    return out


def _match(match: ExpectedMatch, datum: Datum, instant: Any) -> ExpectedMatchOut:  # noqa: ANN401
    return ExpectedMatchOut(
        task_id=match.task_id,
        rider_id=match.rider_id,
        arrival=instant(match.arrival_s),
        start=instant(match.start_s),
        leave=instant(match.leave_s),
        extra_s=round(match.extra_s, 3),
        most_extra_s=round(match.most_extra_s, 3),
        harm_probability=round(match.harm_probability, 6),
        elsewhere=round(match.elsewhere, 6),
        holds_until=instant(match.holds_until_s),
        scenarios=[
            ScenarioOut(
                lon=lon,
                lat=lat,
                probability=one.probability,
                arrival_before=instant(one.arrival_before_s),
                arrival_after=instant(one.arrival_after_s),
                harm=one.harm,
            )
            for one, (lon, lat) in zip(match.scenarios, _places_of(match.scenarios, datum), strict=True)
        ],
        yuan=round(match.yuan, 2),
        points=round(match.points, 2),
    )


def expected_match(stated: Mapping[str, Any], datum: Datum) -> ExpectedMatch:
    """Read a match of an answer back, as JSON has it."""
    places = np.array([(one["lon"], one["lat"]) for one in stated["scenarios"]], np.float64).reshape(-1, 2)
    scenarios = tuple(
        Scenario(
            (lon, lat),
            one["probability"],
            epoch_s_of(one["arrival_before"]),
            epoch_s_of(one["arrival_after"]),
            one["harm"],
        )
        for one, (lon, lat) in zip(stated["scenarios"], to_wgs84(places, datum).tolist(), strict=True)
    )
    return ExpectedMatch(
        task_id=stated["task_id"],
        rider_id=stated["rider_id"],
        arrival_s=epoch_s_of(stated["arrival"]),
        start_s=epoch_s_of(stated["start"]),
        leave_s=epoch_s_of(stated["leave"]),
        extra_s=stated["extra_s"],
        most_extra_s=stated["most_extra_s"],
        harm_probability=stated["harm_probability"],
        scenarios=scenarios,
        elsewhere=stated["elsewhere"],
        holds_until_s=epoch_s_of(stated["holds_until"]),
        yuan=stated["yuan"],
        points=stated["points"],
    )
