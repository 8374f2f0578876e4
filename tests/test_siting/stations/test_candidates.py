"""Candidates: every refusal has its reason, and the order of the input does not matter."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from siting.stations.candidates import CandidateRules, CandidateSites, kerb_spots, pick_candidates

NOTHING = np.empty((0, 2))


def judge(
    xy: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    kinds: tuple[str, ...],
    rules: CandidateRules,
    on_street: list[bool] | None = None,
    fenced: list[bool] | None = None,
    taken: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = NOTHING,
) -> tuple[list[str], dict[str, str]]:
    names = tuple(f"n{k}" for k in range(len(xy)))
    found = pick_candidates(
        CandidateSites(xy / 1e5, names, kinds),
        rules,
        xy_m=xy,
        on_street=np.array(on_street or [True] * len(xy)),
        fenced=np.array(fenced or [False] * len(xy)),
        taken_xy_m=taken,
    )
    return sorted(found.name), dict(zip(found.refused.name, found.reasons, strict=True))


def test_each_reason() -> None:
    xy = np.array([[0.0, 0], [500, 0], [1000, 0], [1500, 0], [1530, 0], [2000, 0], [2500, 0]])
    kinds = ("mall", "bank", "mall", "mall", "bank", "zoo", "mall")
    rules = CandidateRules(forbidden=(shapely.box(-0.001, -0.001, 0.001, 0.001),))
    accepted, refused = judge(
        xy,
        kinds,
        rules,
        on_street=[True, True, False, True, True, True, True],
        fenced=[False, True, False, False, False, False, False],
        taken=np.array([[2510.0, 0]]),
    )
    assert accepted == ["n3"]
    assert refused == {
        "n0": "forbidden_zone",
        "n1": "inside_compound",
        "n2": "no_street",
        "n4": "too_close",
        "n6": "too_close",
    }


def test_a_site_of_the_planner_is_never_too_close() -> None:
    accepted, refused = judge(np.array([[0.0, 0], [5, 0]]), ("own", "own"), CandidateRules())
    assert accepted == ["n0", "n1"]
    assert refused == {}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_any_order_gives_the_same_sites_and_spacing_holds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 400, (20, 2))
    kinds = tuple(rng.choice(["mall", "bank", "fuel"], 20).tolist())
    rules = CandidateRules(spacing_m=80)
    order = rng.permutation(20)

    def places(rows: list[int]) -> list[tuple[float, float]]:
        sites = CandidateSites(xy[rows] / 1e5, ("",) * 20, tuple(kinds[r] for r in rows))
        found = pick_candidates(
            sites,
            rules,
            xy_m=xy[rows],
            on_street=np.ones(20, dtype=np.bool_),
            fenced=np.zeros(20, dtype=np.bool_),
            taken_xy_m=NOTHING,
        )
        return [(float(a), float(b)) for a, b in found.lonlat]

    one = places(list(range(20)))
    assert one == places(order.tolist())
    chosen = np.array(one) * 1e5
    apart = np.hypot(*(chosen[:, None] - chosen[None]).transpose(2, 0, 1)) + 1e9 * np.eye(len(chosen))
    assert (apart > 80 - 1e-6).all()


def test_kerb_spots_are_heavy_and_apart() -> None:
    xy = np.array([[0.0, 0], [10, 0], [300, 0], [600, 0], [900, 0]])
    picked = kerb_spots(xy, np.array([5.0, 9, 3, 0, 2]), np.array([[880.0, 0]]), 100, 10)
    assert picked.tolist() == [1, 2]


def test_rules_name_their_range() -> None:
    with pytest.raises(InputError, match="0-5000 m"):
        CandidateRules(spacing_m=-1)
