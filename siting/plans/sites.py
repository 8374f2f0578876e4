"""The sites that a study chooses among: stations that stand, places of the map, the planner's own, kerbs."""

import dataclasses

import numpy as np
import numpy.typing as npt

from geo.errors import InputError
from geo.places import Places
from geo.sentences import Sentence
from siting.demand.names import proper_name
from siting.demand.weighted import Demand, open_compounds
from siting.inputs import StudyInputs
from siting.stations.candidates import Candidates, CandidateSites, kerb_spots, pick_candidates
from siting.travel_times import Ways

__all__ = ["Sites", "gather_sites", "refuse_too_few"]

FloatArray = npt.NDArray[np.float64]

PLACES = 7
"""Decimals of a published position: about a centimetre."""


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Sites:
    """Existing stations come first in every array over sites, candidates follow."""

    existing_lonlat: FloatArray
    """(e, 2) degrees."""
    candidates: Candidates

    @property
    def lonlat(self) -> FloatArray:
        """(e + c, 2) degrees."""
        return np.concatenate([self.existing_lonlat, self.candidates.lonlat])


def gather_sites(inputs: StudyInputs, ways: Ways, demand: Demand, weight: FloatArray) -> Sites:
    """Gather the sites of a study.

    Parameters
    ----------
    inputs : places, existing stations, rules
    ways : streets
    demand : demand points and layers
    weight : (n,) rider-minutes a day that the choice is made for

    Raises
    ------
    InputError
        When there are fewer candidates than new sites.
    """
    existing_lonlat = np.array([s.lonlat for s in inputs.existing], dtype=np.float64).reshape(-1, 2)
    existing_lonlat = np.round(existing_lonlat, PLACES)
    compound = ways.compound_of(demand.lonlat)
    is_open = open_compounds(demand.rest, compound, len(inputs.network.compounds), inputs.settings.k)
    sites = Sites(existing_lonlat, _candidates(inputs, ways, existing_lonlat, is_open))
    candidates = _with_kerbs(sites, inputs, ways, demand, weight, is_open)
    refuse_too_few(candidates, inputs.settings.new_sites)
    # counted from the very place that is published: a centimetre may lie on the other side of the limit
    candidates = dataclasses.replace(candidates, lonlat=np.round(candidates.lonlat, PLACES))
    return Sites(existing_lonlat, candidates)


def _accessible(
    ways: Ways, mode: str, lonlat: FloatArray, walk_m: float, is_open: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return (on a street riders may use, behind a fence that is not open to them) of each place."""
    compound = ways.compound_of(lonlat)
    inside_open = (compound >= 0) & is_open[compound]
    return ways.public(mode, lonlat, walk_m) | inside_open, (compound >= 0) & ~inside_open


def _candidates(
    inputs: StudyInputs, ways: Ways, existing_lonlat: FloatArray, is_open: npt.NDArray[np.bool_]
) -> Candidates:
    sites = _map_sites(inputs.places, inputs.settings.candidates.kinds)
    own = inputs.own_sites
    if own is not None:
        sites = CandidateSites(
            np.concatenate([own.lonlat, sites.lonlat]),
            own.name + sites.name,
            ("own",) * len(own.name) + sites.kind,
        )
    rules = inputs.settings.candidates
    on_street, fenced = _accessible(ways, inputs.settings.mode, sites.lonlat, rules.walk_m, is_open)
    return pick_candidates(
        sites,
        rules,
        xy_m=ways.project(sites.lonlat),
        on_street=on_street,
        fenced=fenced,
        taken_xy_m=ways.project(existing_lonlat),
    )


def _with_kerbs(
    sites: Sites,
    inputs: StudyInputs,
    ways: Ways,
    demand: Demand,
    weight: FloatArray,
    is_open: npt.NDArray[np.bool_],
) -> Candidates:
    """Add kerbs of public streets near demand where the map names no fitting place."""
    candidates = sites.candidates
    rules = inputs.settings.candidates
    mode = inputs.settings.mode
    kerb = ways.kerb(mode, demand.lonlat)
    on_street, fenced = _accessible(ways, mode, kerb, rules.walk_m, is_open)
    taken = ways.project(np.concatenate([candidates.lonlat, sites.existing_lonlat]))
    spots = kerb_spots(
        ways.project(kerb),
        np.where(on_street & ~fenced, weight, 0.0),
        taken,
        rules.street_apart_m,
        rules.street_sites,
    )
    kerbs = pick_candidates(
        CandidateSites(kerb[spots], ("",) * len(spots), ("street",) * len(spots)),
        dataclasses.replace(rules, kinds=("street",), spacing_m=0.0),
        xy_m=ways.project(kerb[spots]),
        on_street=np.ones(len(spots), dtype=np.bool_),
        fenced=np.zeros(len(spots), dtype=np.bool_),
        taken_xy_m=np.empty((0, 2)),
    )
    return dataclasses.replace(
        candidates,
        lonlat=np.concatenate([candidates.lonlat, kerbs.lonlat]),
        name=candidates.name + kerbs.name,
        kind=candidates.kind + kerbs.kind,
        refused=CandidateSites(
            np.concatenate([candidates.refused.lonlat, kerbs.refused.lonlat]),
            candidates.refused.name + kerbs.refused.name,
            candidates.refused.kind + kerbs.refused.kind,
        ),
        reasons=candidates.reasons + kerbs.reasons,
    )


def _map_sites(places: Places, kinds: tuple[str, ...]) -> CandidateSites:
    rows = np.nonzero(places.of(*kinds))[0]
    return CandidateSites(
        np.asarray(places.poi_lonlat[rows], dtype=np.float64).reshape(-1, 2),
        tuple(proper_name(places.best_name(int(r))) for r in rows),
        tuple(places.kinds[places.poi_kind[r]] for r in rows),
    )


def refuse_too_few(candidates: Candidates, new_sites: int) -> None:
    """Refuse a study that asks for more new sites than there are candidates, and say why there are so few."""
    there = len(candidates.name)
    zoned = candidates.reasons.count("forbidden_zone")
    if there == 0 and zoned and zoned == len(candidates.reasons):
        raise InputError(Sentence.of("zones_all", count=zoned))
    if there < new_sites:
        sentence = Sentence.of(
            "candidates_few" if there else "candidates_none", wanted=new_sites, there=there
        )
        counts = tuple(
            Sentence.of(f"refused_{reason}", count=candidates.reasons.count(reason))
            for reason in sorted(set(candidates.reasons))
        )
        if counts:
            sentence = Sentence.of(
                "candidates_why", what=sentence, count=len(candidates.reasons), reasons=counts
            )
        raise InputError(sentence)
