"""Passing flow as demand: minutes of riding by, piece by piece."""

import numpy as np
import pytest
from ascii_map import ascii_map

from geo.streets.network import EBIKE_PROMISE_MPS
from siting.columns import PassingFlows
from siting.demand.passing import passing_events

# One column is 25 m: A-B is 400 m long, B-C 50 m.
TOWN = ascii_map("A---------------B-C", {"AB": {}, "BC": {}})


def test_a_passage_counts_for_as_long_as_it_lasts_wherever_the_street_is_cut() -> None:
    network = TOWN.network()
    edges = np.arange(len(network.edge_u))
    t_s = np.full(len(edges), 1_772_420_400)
    found = passing_events(PassingFlows(edges, np.zeros(len(edges), dtype=np.int64), t_s), network)
    seconds = found.end_s - found.start_s
    assert seconds.sum() == pytest.approx(network.edge_length_m.sum() / EBIKE_PROMISE_MPS, rel=0.03)
    assert (seconds <= 100 / EBIKE_PROMISE_MPS + 1).all()
    x = np.sort(network.project(found.lonlat)[:, 0])
    # pieces of at most 100 m lie side by side
    assert (np.diff(x) <= 101).all()
    assert len(found.rider) >= 5


def test_no_flow_is_no_event() -> None:
    assert len(passing_events(None, TOWN.network()).rider) == 0
