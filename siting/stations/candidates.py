"""Places that may become a station, and for each refused one the reason.

Refusal reasons: ``forbidden_zone``, ``inside_compound`` (behind a fence; a compound in which at least k
riders were seen resting is open to them, and the gate costs the others its delay in every travel time),
``no_street`` (no street within the allowed walk that riders may use) and ``too_close`` (a better one, or
a station that stands already, is nearer than the spacing). The planner's own sites are never too close.

Where the map names no fitting place near demand, the kerb of a public street may take a cabin: such
candidates have the kind ``street``.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree

from geo.errors import InputError

__all__ = [
    "CANDIDATE_KINDS",
    "REASONS",
    "CandidateRules",
    "CandidateSites",
    "Candidates",
    "kerb_spots",
    "pick_candidates",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

CANDIDATE_KINDS = (
    "community_centre",
    "social_centre",
    "social_facility",
    "townhall",
    "government",
    "public_building",
    "mall",
    "marketplace",
    "supermarket",
    "office",
    "post_office",
    "bank",
    "fuel",
    "convenience",
    "library",
    "parking",
    "toilets",
)
"""Kinds of places where a room can be found, the most fitting first (a tie of spacing goes to it)."""

REASONS = ("forbidden_zone", "inside_compound", "no_street", "too_close")


@dataclasses.dataclass(frozen=True, slots=True)
class CandidateRules:
    """What a candidate must satisfy.

    Attributes
    ----------
    kinds : kinds of places that may become a station, most fitting first
    spacing_m : least distance between two candidates, 0-5000 m
    walk_m : longest walk from the street to the door, 5-500 m
    forbidden : polygons (lon, lat) where no station may stand
    street_sites : most kerbs near demand that become candidates, 0-5000
    street_apart_m : a kerb is a candidate only if no other candidate is so near, 50-5000 m
    """

    kinds: tuple[str, ...] = CANDIDATE_KINDS
    spacing_m: float = 60.0
    walk_m: float = 100.0
    forbidden: tuple[shapely.Geometry, ...] = ()
    street_sites: int = 200
    street_apart_m: float = 150.0

    def __post_init__(self) -> None:
        if not 0 <= self.spacing_m <= 5000:
            raise InputError(f"candidate spacing_m is {self.spacing_m}, it must lie in 0-5000 m.")
        if not 5 <= self.walk_m <= 500:
            raise InputError(f"candidate walk_m is {self.walk_m}, it must lie in 5-500 m.")
        if not 0 <= self.street_sites <= 5000:
            raise InputError(f"candidate street_sites is {self.street_sites}, it must lie in 0-5000.")
        if not 50 <= self.street_apart_m <= 5000:
            raise InputError(f"candidate street_apart_m is {self.street_apart_m}, it must lie in 50-5000 m.")
        if not self.kinds:
            raise InputError("candidate kinds must name at least one kind of place.")


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class CandidateSites:
    """Places to judge: columns of equal length.

    ``kind`` is a kind of place, or ``own`` for a site from the planner's own list.
    """

    lonlat: FloatArray
    name: tuple[str, ...]
    kind: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.lonlat) == len(self.name) == len(self.kind):
            raise InputError("candidate sites: the columns do not have the same length.")


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Candidates:
    """Allowed sites, and the refused ones with their reasons."""

    lonlat: FloatArray
    name: tuple[str, ...]
    kind: tuple[str, ...]
    refused: CandidateSites
    reasons: tuple[str, ...]


def pick_candidates(
    sites: CandidateSites,
    rules: CandidateRules,
    *,
    xy_m: FloatArray,
    on_street: BoolArray,
    fenced: BoolArray,
    taken_xy_m: FloatArray,
) -> Candidates:
    """Judge every site; kinds that the rules do not name are no candidates and are left out.

    Parameters
    ----------
    sites : places of any kind
    rules : what they must satisfy
    xy_m : (s, 2) the same places in local metres
    on_street : (s,) whether a street that riders may use is within ``rules.walk_m``
    fenced : (s,) whether it lies inside a compound that riders may not enter
    taken_xy_m : (e, 2) stations that stand already, local metres
    """
    rank = {kind: r for r, kind in enumerate(("own", *rules.kinds))}
    mine = np.array([k for k, kind in enumerate(sites.kind) if kind in rank], dtype=np.int64)
    keys = [
        (
            rank[sites.kind[k]],
            not sites.name[k],
            float(sites.lonlat[k, 0]),
            float(sites.lonlat[k, 1]),
            sites.name[k],
            k,
        )
        for k in mine.tolist()
    ]
    order = [key[-1] for key in sorted(keys)]
    forbidden: BoolArray = np.zeros(len(sites.lonlat), dtype=np.bool_)
    points = shapely.points(sites.lonlat) if len(sites.lonlat) else np.empty(0, dtype=object)
    for zone in rules.forbidden:
        forbidden[np.nonzero(shapely.intersects(zone, points))[0]] = True
    near_taken = np.zeros(len(sites.lonlat), dtype=np.bool_)
    if len(taken_xy_m) and len(xy_m):
        near_taken |= np.asarray(cKDTree(taken_xy_m).query(xy_m)[0] < rules.spacing_m, dtype=np.bool_)
    neighbours = cKDTree(xy_m).query_ball_point(xy_m, rules.spacing_m) if len(xy_m) else []
    accepted: list[int] = []
    reason: dict[int, str] = {}
    stands = np.zeros(len(sites.lonlat), dtype=np.bool_)
    for k in order:
        own = sites.kind[k] == "own"
        if forbidden[k]:
            reason[k] = "forbidden_zone"
        elif fenced[k]:
            reason[k] = "inside_compound"
        elif not on_street[k]:
            reason[k] = "no_street"
        elif not own and (near_taken[k] or stands[neighbours[k]].any()):
            reason[k] = "too_close"
        else:
            stands[k] = True
            accepted.append(k)
    # the order of coordinates makes the answer independent of the order of the input
    accepted.sort(key=lambda k: (float(sites.lonlat[k, 0]), float(sites.lonlat[k, 1]), sites.name[k]))
    refused = sorted(
        reason, key=lambda k: (float(sites.lonlat[k, 0]), float(sites.lonlat[k, 1]), sites.name[k])
    )
    return Candidates(
        sites.lonlat[accepted].reshape(-1, 2),
        tuple(sites.name[k] for k in accepted),
        tuple(sites.kind[k] for k in accepted),
        CandidateSites(
            sites.lonlat[refused].reshape(-1, 2),
            tuple(sites.name[k] for k in refused),
            tuple(sites.kind[k] for k in refused),
        ),
        tuple(reason[k] for k in refused),
    )


def kerb_spots(
    xy_m: FloatArray, weight: FloatArray, taken_xy_m: FloatArray, apart_m: float, most: int
) -> npt.NDArray[np.int64]:
    """Return demand points, heaviest first, ``apart_m`` from taken places and from one another."""
    free = weight > 0
    if len(taken_xy_m) and len(xy_m):
        free &= cKDTree(taken_xy_m).query(xy_m)[0] >= apart_m
    picked: list[int] = []
    for i in np.lexsort((xy_m[:, 1], xy_m[:, 0], -weight)).tolist():
        if len(picked) == most:
            break
        if free[i]:
            picked.append(i)
            free &= np.hypot(*(xy_m - xy_m[i]).T) >= apart_m
    return np.array(picked, dtype=np.int64)
