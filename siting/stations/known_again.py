"""A station of one list known again in another: by its place, for numbers change from study to study."""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

from geo.earth import near_metres

__all__ = ["FormerStation", "known_again"]

SAME_WITHIN_M, NAMED_WITHIN_M = 30.0, 300.0


class _Standing(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def lonlat(self) -> tuple[float, float]: ...


@dataclasses.dataclass(frozen=True, slots=True)
class FormerStation:
    """What is remembered of a station of an earlier list; position in WGS-84 degrees."""

    name: str
    lonlat: tuple[float, float]
    name_is_own: bool = True
    """Whether no other station of that list bore the name: else it tells nothing."""


def known_again(former: FormerStation, stations: Sequence[_Standing]) -> int | None:
    """Return which of `stations` stands where `former` stood; None: none does.

    The nearest within `SAME_WITHIN_M`, one of the same name before others. Where nothing stands so near,
    the station of the same name within `NAMED_WITHIN_M`: the list was put right. A name that several stations
    bear, in either list, says nothing.

    Parameters
    ----------
    former : FormerStation
    stations : sequence
        Each with ``name`` and ``lonlat``, WGS-84 degrees.
    """
    away_m = [near_metres(former.lonlat, one.lonlat) for one in stations]
    name = _plain(former.name)
    namesakes = [at for at, one in enumerate(stations) if _plain(one.name) == name]
    here = [at for at, metres in enumerate(away_m) if metres <= SAME_WITHIN_M]
    if here:
        return min(here, key=lambda at: (at not in namesakes, away_m[at]))
    if former.name_is_own and len(namesakes) == 1 and away_m[namesakes[0]] <= NAMED_WITHIN_M:
        return namesakes[0]
    return None


def _plain(name: str) -> str:
    return name.strip().casefold()
