"""The sample of matches in another process, where machine code is still to be made: the same in any case."""

import multiprocessing
import os

import pytest
from openapi_examples import REQUESTS
from tiny_study import TOWN

from api.matching.forms import MatchRequest
from api.study import beside
from api.study.beside import matched_beside
from api.study.sample_matches import match_sample


@pytest.fixture
def request_of_three(monkeypatch: pytest.MonkeyPatch) -> MatchRequest:
    """Return a request, on a machine of two processors that has no machine code."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(beside, "known_kernels", lambda _: 0)
    return MatchRequest.model_validate(REQUESTS["matches"])


@pytest.mark.parametrize("lost", [False, True], ids=["done there", "the process is lost"])
def test_the_matches_are_those_of_one_process(request_of_three: MatchRequest, lost: bool) -> None:
    network = TOWN.network()
    expected = match_sample(network, request_of_three)
    assert expected.totals.matched
    with matched_beside(network, request_of_three) as matches:
        (process,) = multiprocessing.active_children()
        if lost:
            process.kill()
        found = matches()
        assert lost or process.exitcode in (None, 0)
    assert (found.response, found.totals) == (expected.response, expected.totals)
    assert not multiprocessing.active_children()


def test_a_study_that_ends_before_its_matches_leaves_no_process(request_of_three: MatchRequest) -> None:
    with pytest.raises(KeyError), matched_beside(TOWN.network(), request_of_three):
        raise KeyError
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(("known", "processors"), [(1, 2), (0, 1)])
def test_where_nothing_is_won_there_is_no_other_process(
    request_of_three: MatchRequest, monkeypatch: pytest.MonkeyPatch, known: int, processors: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    monkeypatch.setattr(beside, "known_kernels", lambda _: known)
    with matched_beside(TOWN.network(), request_of_three) as matches:
        assert not multiprocessing.active_children()
        assert callable(matches)
