"""Pseudonyms and codes of riders, and codes of platforms and events; raw rider ids live in `Riders` alone."""

import itertools
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.localtime import WORK_DAY_STARTS_H, day_number, local_offset_s, zone
from geo.privacy import Pseudonymiser
from geo.sentences import Sentence
from geo.traces.formats import NumberIds, RawBatch

__all__ = ["ROTATIONS", "RiderTable", "Riders"]

ROTATIONS: Final = ("study", "day")


class RiderTable:
    """Pseudonym and platform of each unit (a rider, or a rider on one day), and the words of both."""

    def __init__(self) -> None:
        self.pseudonym: list[str] = []
        self.platform_of: list[int] = []
        self.platforms: dict[str, int] = {}
        self.events: dict[str, int] = {"": 0}


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """How riders are named."""

    # Schedulers print the arguments of a call that failed.
    key: bytes = field(repr=False)
    """Secret of at least 16 bytes."""
    rotate: str = "study"
    """``study``: one pseudonym a rider; ``day``: a new one each working day (local time, from 4 a.m.)."""
    study: str = "study"
    """Name of the study, part of the pseudonym."""


class Riders(RiderTable):
    """Codes for (platform, raw id[, day]): the one place that knows raw ids."""

    def __init__(self, pseudonyms: Pseudonyms, timezone: str | None) -> None:
        rotate = pseudonyms.rotate
        if rotate not in ROTATIONS:
            raise InputError(Sentence.of("trace_rotate", allowed=" or ".join(ROTATIONS), rotate=rotate))
        if rotate == "day" and timezone is None:
            raise InputError(Sentence.of("trace_rotate_zone"))
        super().__init__()
        self._coder = Pseudonymiser(pseudonyms.key)
        self._study = pseudonyms.study
        self._where = zone(timezone) if rotate == "day" and timezone else None
        self._people: dict[tuple[str, str], int] = {}
        self._units: dict[tuple[int, int], int] = {}
        self._known: dict[str, dict[str | int, int]] = {}
        """By platform, where pseudonyms do not rotate: the same again, for a quick look."""

    def _person_unit(self, platform: str, raw_id: str) -> int:
        person = self._people.setdefault((platform, raw_id), len(self._people))
        return self._unit(platform, raw_id, person, 0)

    def _unit(self, platform: str, raw_id: str, person: int, day: int) -> int:
        unit = self._units.get((person, day))
        if unit is None:
            unit = self._units[person, day] = len(self._units)
            period = self._study if self._where is None else str(np.datetime64(day, "D"))
            # The length keeps platform and id apart whatever they contain.
            self.pseudonym.append(self._coder.code(f"{len(platform)}:{platform}{raw_id}", period))
            self.platform_of.append(self.platforms.setdefault(platform, len(self.platforms)))
        return unit

    def units(self, batch: RawBatch, keep: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Return the code of each kept row; any value for the others."""
        if self._where is None and (batch.platform == batch.platform[0]).all():
            platform = batch.platforms[int(batch.platform[0])]
            known = self._known.setdefault(platform, {})
            ids = batch.rider_ids
            # A number is looked up as such; another file may have the same id as text.
            asked = ids.numbers.tolist() if isinstance(ids, NumberIds) else ids
            table = np.fromiter(map(known.get, asked, itertools.repeat(-1)), np.int32, len(ids))
            for i in np.flatnonzero(table < 0).tolist():
                table[i] = known[asked[i]] = self._person_unit(platform, ids[i])
            return table[batch.rider] if len(table) else np.zeros(len(batch.rider), np.int32)
        day = np.zeros(len(batch.t_s), np.int64)
        if self._where is not None:
            t_s = np.where(keep, batch.t_s, 0)
            day = day_number(t_s + local_offset_s(t_s, self._where), WORK_DAY_STARTS_H)
        first_day = int(day[keep].min()) if keep.any() else 0
        days = int(day[keep].max()) - first_day + 1 if keep.any() else 1
        mixed = (batch.platform.astype(np.int64) * (len(batch.rider_ids) + 1) + batch.rider) * days
        mixed += day - first_day
        if len(batch.rider_ids) * len(batch.platforms) * days <= 4 * len(mixed) + 1024:
            found = np.zeros(len(batch.platforms) * (len(batch.rider_ids) + 1) * days + 1, np.bool_)
            found[mixed[keep]] = True
            distinct = np.flatnonzero(found)
            table = np.full(len(found), -1, np.int32)
        else:
            distinct = np.unique(mixed[keep])
            table = np.zeros(0, np.int32)
        codes = np.empty(len(distinct), np.int32)
        for i, value in enumerate(distinct.tolist()):
            rest, d = divmod(value, days)
            p, r = divmod(rest, len(batch.rider_ids) + 1)
            platform, raw_id = batch.platforms[p], batch.rider_ids[r]
            person = self._people.setdefault((platform, raw_id), len(self._people))
            codes[i] = self._unit(platform, raw_id, person, first_day + d)
        units = np.full(len(mixed), -1, np.int32)
        if len(table):
            table[distinct] = codes
            units[keep] = table[mixed[keep]]
        elif len(distinct):
            units[keep] = codes[np.searchsorted(distinct, mixed[keep])]
        return units

    def event_codes(self, batch: RawBatch) -> NDArray[np.int16]:
        """Return the code of each row's event in one table for all files."""
        table = np.array([self.events.setdefault(e, len(self.events)) for e in batch.events], np.int16)
        if len(self.events) > 30_000:
            raise InputError(Sentence.of("trace_events"))
        return batch.event if len(table) == 1 else table[batch.event]
