"""Phones that are not plain: silent at rest, drifting, or with fixes of the network."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from lattice import lattice

from geo.earth import DEGREE_M
from geo.errors import InputError
from geo.synthetic.gps import gps_within
from geo.synthetic.make import FleetOptions, SyntheticFleet, make_fleet, write_fleet_parquet

PLAIN = FleetOptions(riders=8, days=1, interval_s=10, broken_share=0.0)


def fleet(*phones: str) -> SyntheticFleet:
    return make_fleet(lattice(16), None, dataclasses.replace(PLAIN, phones=phones))


def _off_m(made: SyntheticFleet, rows: np.ndarray) -> np.ndarray:
    points = made.points
    true = np.array([made.movement.at(int(points.rider[i]), float(points.t_s[i])) for i in rows])
    return np.asarray(np.hypot(*((points.lonlat[rows] - true) * DEGREE_M).T))


def _stay_of(made: SyntheticFleet) -> np.ndarray:
    stays, points = made.stays, made.points
    return gps_within(points.rider, points.t_s.astype(float), stays.rider, stays.start_s, stays.end_s)


def test_phones_that_report_on_movement_are_silent_at_rest() -> None:
    made = fleet("motion")
    stays, at = made.stays, _stay_of(made)
    inside = at >= 0
    since = made.points.t_s[inside] - stays.start_s[at[inside]]
    left = stays.end_s[at[inside]] - made.points.t_s[inside]
    assert ((since <= 60) | (left <= 20)).all()
    plain = make_fleet(lattice(16), None, PLAIN)
    assert (~inside).sum() == (_stay_of(plain) < 0).sum(), "on the way all phones report alike"


def test_drifting_phones_wander_while_their_riders_stay_and_only_then() -> None:
    made = fleet("drift")
    at = _stay_of(made)
    resting = np.flatnonzero((at >= 0) & (made.stays.kind[np.maximum(at, 0)] == 0))[:400]
    riding = np.flatnonzero(at < 0)[:400]
    assert 25 < np.median(_off_m(made, resting)) < 80
    assert np.median(_off_m(made, riding)) < 25


def test_whoever_paces_walks_in_circles_at_long_rests() -> None:
    made = fleet("pacing")
    at = _stay_of(made)
    kind, length = made.stays.kind[np.maximum(at, 0)], (made.stays.end_s - made.stays.start_s)[at]
    resting = np.flatnonzero((at >= 0) & (kind == 0) & (length >= 600))
    assert 40 < np.quantile(_off_m(made, resting), 0.9) < 100
    short = np.flatnonzero((at >= 0) & (kind != 0))[:400]
    assert np.median(_off_m(made, short)) < 30


def test_fixes_of_the_network_are_far_off_frozen_and_say_so() -> None:
    made = fleet("network")
    points = made.points
    assert points.accuracy_m is not None
    coarse = np.flatnonzero(points.accuracy_m >= 200)
    assert 0.03 < len(coarse) / len(points.t_s) < 0.4
    assert np.median(_off_m(made, coarse[:300])) > 100
    frozen = np.unique(points.lonlat[coarse], axis=0)
    assert len(frozen) < len(coarse) / 5
    assert (points.accuracy_m[points.accuracy_m < 200] < 100).all()


def test_the_accuracy_is_a_column_of_files_that_have_it(tmp_path: Path) -> None:
    made = fleet("plain", "network")
    write_fleet_parquet(made, tmp_path / "a.parquet")
    assert pq.read_schema(tmp_path / "a.parquet").names[-1] == "accuracy"
    write_fleet_parquet(make_fleet(lattice(16), None, PLAIN), tmp_path / "b.parquet")
    assert "accuracy" not in pq.read_schema(tmp_path / "b.parquet").names


def test_unknown_phones_are_refused() -> None:
    with pytest.raises(InputError, match="phones must be one or more of plain, motion, drift, pacing"):
        FleetOptions(phones=("satellite",))
