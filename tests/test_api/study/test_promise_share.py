"""How many of a hundred trips the matching counts with is set by the study file."""

import dataclasses

import numpy as np
import pytest
from ascii_map import ascii_map
from pydantic import ValidationError

from api.study import learning
from api.study.studyfile.tables import MatchTable, StudyFile
from geo.inner_ways import CompoundWaits, GatePasses, Trodden
from geo.learned import HeldOut, Learned
from geo.learned.speeds import LearnedTimes

TOWN = ascii_map("A---B---C", {"ABC": {}})


@pytest.mark.parametrize(("share", "factor"), [(0.5, 1.5), (0.8, 1.8), (0.9, 1.9), (0.99, 1.99)])
def test_the_share_of_the_study_file_makes_the_times_of_promises(
    monkeypatch: pytest.MonkeyPatch, share: float, factor: float
) -> None:
    network = TOWN.network()
    city = {"city": np.zeros(2 * len(network), np.int64)}
    held = HeldOut(99, 20, 2, 0.4, 0.2, 0.1, 1.0 + np.arange(1, 100) / 100.0)
    learned = Learned(LearnedTimes(city, (), np.zeros(168), 20, 99), held, "better")
    waits = CompoundWaits(np.full(len(network.compounds), np.nan), np.empty(0), share)
    waits = dataclasses.replace(waits, promised_s=waits.usual_s)
    for name, made in (("rides_of", None), ("learn", learned), ("class_speeds", ()),
                       ("compound_waits", waits)):  # fmt: skip
        monkeypatch.setattr(learning, name, lambda *_, made=made, **__: made)
    asked = StudyFile.model_construct(mode="ebike", timezone="UTC", matching=MatchTable(promise_share=share))
    trodden = Trodden.__new__(Trodden)
    for name in ("ridden", "stays"):
        object.__setattr__(trodden, name, None)
    passes = GatePasses._make(np.empty(0) for _ in GatePasses._fields)
    found = learning.study_times(asked, network, trodden, passes)
    assert found.outcome.promise_share == share
    assert found.outcome.promise_factor == pytest.approx(factor)
    assert found.promised.time_factor == pytest.approx(factor)
    assert found.expected.time_factor == pytest.approx(1.0)
    assert found.hours is not None
    assert found.hours.factor == pytest.approx(factor)


def test_a_share_that_hardly_any_trips_can_tell_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"0\.99"):
        MatchTable(promise_share=0.995)
