"""Kinds of stays: days drawn by hand, order events, and a synthetic fleet on a real map."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from trace_parts import riders_of

from geo.earth import DEGREE_M
from geo.errors import InputError
from geo.osm.read import read_osm
from geo.places import Places
from geo.privacy import Pseudonymiser
from geo.stays import KINDS, StayPoints, classify_stays, find_stay_points
from geo.stays.count_tables import FEATURES, TABLES, WEIGHTS
from geo.stays.signs import CLOSES, DELIVERED, OPENS, PICKED, TALKS
from geo.streets.network import StreetNetwork
from geo.synthetic.make import FleetOptions, SyntheticFleet, make_fleet, write_fleet_parquet
from geo.traces.read import TraceFormat, Traces, read_traces

KEY = bytes(16)
T0 = 1_772_413_200  # 9 a.m. in Shanghai
City = tuple[StreetNetwork, Places, SyntheticFleet, Traces]


def day_of(*stops: tuple[int, int, float], signs: dict[int, int] | None = None) -> StayPoints:
    """Stays of one rider: (minute, minutes, metres east)."""
    minute, length, x = (np.array(c, np.float64) for c in zip(*stops, strict=True))
    start = (T0 + 60 * minute).astype(np.int64)
    said = np.zeros(len(stops), np.uint8)
    for k, sign in (signs or {}).items():
        said[k] = sign
    return StayPoints(
        rider=np.zeros(len(stops), np.int32),
        start_s=start,
        end_s=start + (60 * length).astype(np.int64),
        lonlat=np.column_stack([116.3 + x / DEGREE_M, np.full(len(stops), 39.98)]),
        n_points=np.full(len(stops), 10, np.int32),
        kind=np.full(len(stops), -1, np.int8),
        signs=said,
        pseudonyms=("r",),
    )


def told(stays: StayPoints) -> list[str]:
    return [KINDS[k] for k in classify_stays(stays, None, None, None, "Asia/Shanghai").kind]


def test_tables_are_shares_for_every_feature() -> None:
    assert TABLES.keys() == FEATURES.keys() == WEIGHTS.keys()
    for name, table in TABLES.items():
        assert table.shape == (len(KINDS), len(FEATURES[name]) + 1)
        np.testing.assert_allclose(table.sum(axis=1), 1.0)
        assert (table > 0).all()


def test_a_day_without_map_and_events() -> None:
    stops = [
        (0, 9, 0.0),
        (15, 6, 1500.0),
        (30, 2, 3000.0),
        (40, 40, 1800.0),
        (85, 5, 1500.0),
        (100, 2, 3500.0),
        (120, 12, 0.0),
    ]
    kinds = told(day_of(*stops, signs={0: OPENS, 6: CLOSES}))
    assert kinds == ["off_shift", "pickup", "dropoff", "rest", "pickup", "dropoff", "off_shift"]


def test_events_say_more_than_everything_else() -> None:
    """A wait of 40 min at a shop that ends with a pick-up is no rest."""
    stops = [(0, 9, 0.0), (15, 40, 1500.0), (70, 9, 3000.0), (90, 8, 1500.0), (105, 2, 3300.0)]
    signs = {
        0: OPENS | TALKS,
        1: PICKED | TALKS,
        2: DELIVERED | TALKS,
        3: PICKED | TALKS,
        4: DELIVERED | TALKS,
    }
    assert told(day_of(*stops, signs=signs))[1:] == ["pickup", "dropoff", "pickup", "dropoff"]


def test_nothing_and_nonsense() -> None:
    empty = day_of((0, 5, 0.0)).take(np.zeros(1, np.bool_))
    assert len(classify_stays(empty, None, None, None, "Asia/Shanghai")) == 0
    with pytest.raises(InputError, match=r"time zone .* is not known"):
        classify_stays(day_of((0, 5, 0.0)), None, None, None, "Mars/Olympus")
    with pytest.raises(InputError, match="unknown kind of stay 'lunch'"):
        day_of((0, 5, 0.0)).of_kind("lunch")


@pytest.fixture(scope="module")
def city(helsinki_pbf: Path, tmp_path_factory: pytest.TempPathFactory) -> City:
    network, places = read_osm(helsinki_pbf)
    options = FleetOptions(
        riders=60,
        days=2,
        seed=77,
        interval_s=20,
        timezone="Europe/Helsinki",
        silent_events=("blue", "yellow"),
    )
    fleet = make_fleet(network, places, options)
    path = tmp_path_factory.mktemp("fleet") / "fleet.parquet"
    write_fleet_parquet(fleet, path)
    trace_format = TraceFormat(datum="wgs84", timezone="Europe/Helsinki")
    return network, places, fleet, read_traces(path, trace_format, key=KEY, network=network).traces


def rest_scores(fleet: SyntheticFleet, traces: Traces, stays: StayPoints) -> tuple[float, float]:
    """Precision by found rests, recall by stays that lie in a true rest."""
    coder = Pseudonymiser(KEY)
    names = [fleet.options.platforms[p] for p in fleet.rider_platform.tolist()]
    codes = [coder.code(f"{len(p)}:{p}{raw}", "study") for raw, p in zip(fleet.rider_ids, names, strict=True)]
    owner = np.array([codes.index(p) for p in traces.pseudonyms])[stays.rider]
    truth = fleet.stays
    true_rest = np.zeros(len(stays), np.bool_)
    for k in range(len(stays)):
        mine = truth.rider == owner[k]
        shared = np.minimum(truth.end_s[mine], stays.end_s[k]) - np.maximum(
            truth.start_s[mine], stays.start_s[k]
        )
        best = int(np.argmax(shared))
        true_rest[k] = truth.kind[mine][best] == 0 and shared[best] >= 0.5 * (
            stays.end_s[k] - stays.start_s[k]
        )
    rest = stays.kind == 0
    return float(true_rest[rest].mean()), float(rest[true_rest].mean())


def test_rest_is_told_from_the_rest(city: City) -> None:
    """The figures of held-out cities stand in RESULTS.md; this small fleet must not fall far below."""
    network, places, fleet, traces = city
    stays = classify_stays(find_stay_points(traces), traces, places, network, "Europe/Helsinki")
    precision, recall = rest_scores(fleet, traces, stays)
    assert precision >= 0.85
    assert recall >= 0.85
    assert (stays.kind >= 0).all()


def test_order_of_riders_and_parts_do_not_matter(city: City) -> None:
    network, places, _, traces = city
    stays = find_stay_points(traces)
    once = classify_stays(stays, traces, places, network, "Europe/Helsinki")
    again = classify_stays(
        replace(stays, kind=np.full(len(stays), 3, np.int8)), None, places, network, "Europe/Helsinki"
    )
    np.testing.assert_array_equal(once.kind, again.kind)
    with pytest.raises(InputError, match="same riders"):
        classify_stays(stays, riders_of(traces, [0, 1]), places, network, "Europe/Helsinki")
