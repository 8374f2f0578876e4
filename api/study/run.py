"""The use case of a study: reads inputs, lets the rooms do their work, writes files. No maths here."""

import contextlib
import dataclasses
import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from api.outputs import prepared_folder, write_json
from api.settings import Settings
from api.stages import Progress, Stages, quiet
from api.study.beside import matched_beside
from api.study.cluster import connected, read_on_cluster
from api.study.edits import write_edits
from api.study.file_accounts import pooled
from api.study.files import StudyFiles, write_study_files
from api.study.learning import study_times, times_with_plan
from api.study.presence import study_meetings
from api.study.sample_matches import MatchSample
from api.study.sample_request import sample_request
from api.study.studyfile.check_ins import StationVisits
from api.study.studyfile.given_places import GivenPlaces, given_places
from api.study.studyfile.inputs import (
    Reader,
    made_fleet,
    pseudonym_key,
    read_here,
    read_map,
    read_platform_files,
    refuse_unclear_files,
    trace_inputs,
)
from api.study.studyfile.settings import settings_of
from api.study.studyfile.tables import StudyFile
from api.study.summary import summary_of
from geo.arrays import FloatArray
from geo.inner_ways import GatePasses, Trodden, gate_passes
from geo.mapmatch import MatchOptions, Traversals, traversals
from geo.osm import describe
from geo.places import Places
from geo.sentences import Sentence
from geo.stays import StayPoints, classify_stays, due_breaks, find_stay_points, silent_stays
from geo.streets import StreetNetwork
from geo.synthetic import SyntheticFleet
from geo.traces import Account, Traces, moving_share_on_streets
from siting.columns import DueBreakColumns, PassingFlows, StayColumns
from siting.observed import BlindSpots
from siting.presence import Watched, blind_spots, inner_ways
from siting.proposed import InnerWays
from siting.results import Study
from siting.study import StudyInputs, run_study

__all__ = ["write_study"]


def write_study(
    study_settings: StudyFile,
    out: Path,
    settings: Settings,
    *,
    progress: Progress = quiet,
    scheduler: str | None = None,
    visits: Sequence[StationVisits] = (),
) -> Study:
    """Run one study from its files to the files of its result.

    Parameters
    ----------
    study_settings : StudyFile
        What the study file says.
    out : Path
        Folder for the results; replaced only when all of them are there.
    settings : Settings
        Cache folder and the secret of the pseudonyms.
    progress : callable
        Told of each stage.
    scheduler : str, optional
        Address of a Dask scheduler on which traces are worked.
    visits : sequence of StationVisits
        Check-ins that the service told, where it runs the study.

    Returns
    -------
    Study
        The frozen result, in the main language.

    Raises
    ------
    YiluError
        One sentence on what stands in the way; then the former results in `out` are untouched.
    """
    stages = Stages(progress)
    key = pseudonym_key(study_settings, settings)
    with prepared_folder(out) as folder, contextlib.ExitStack() as stack:
        refuse_unclear_files(study_settings)
        city = _read_city(study_settings, settings, stages)
        given = given_places(study_settings, city.network, city.fleet, visits)
        with stages("traces"):
            traces, accounts = _read_traces(study_settings, city, key, folder / "rejects.csv", scheduler)
        observed = _observe(study_settings, city, traces, accounts, stages)
        trodden = _trodden(study_settings, city.network, traces, observed)
        passes = None if trodden is None else gate_passes(trodden)
        times = study_times(study_settings, city.network, trodden, passes)
        matches = None
        if city.fleet is not None and study_settings.matching.tasks:
            request = sample_request(study_settings, city.network, city.fleet)
            matches = stack.enter_context(matched_beside(times.promised, request, times.hours))
        plain, city = city.network, dataclasses.replace(city, network=times.expected)
        with stages("siting") as step:
            inputs = _inputs(study_settings, city, observed, given)
            study = run_study(inputs, progress=lambda _, done, total: step(done, total))
            on_streets = _on_streets(study_settings, city.network, traces)
            open_sites = np.array([site.lonlat for site in study.standing])
            study = dataclasses.replace(
                study,
                travel_times=times_with_plan(times, plain, study.mode, open_sites, study.limit_s),
                blind_spots=_blind_spots(study_settings, city, observed, given),
                meetings=study_meetings(study, city.network, observed.stays),
                inner_ways=_inner_ways(trodden, passes, study_settings.k),
                moving_km_on_streets=on_streets,
                input_notes=tuple((f"input.{note.key}", _facts(note)) for note in given.notes),
            )
        trial: MatchSample | None = None
        if matches is not None:
            with stages("matching"):
                trial = matches()
                study = dataclasses.replace(study, matching=trial.totals)
        with stages("files") as step:
            files = StudyFiles(study_settings, study, times.promised, city.places, trial, times.hours)
            write_study_files(files, folder, step)
            write_edits(study, study_settings.map.file, folder)
        off_ground = {
            "stay_points": _stays_off_ground(study_settings, city.network, observed.stays),
            "sites": int(
                _off_ground(
                    city.network, study_settings.mode, np.array([site.lonlat for site in study.sites])
                ).sum()
            ),
        }
        described = describe(city.network, city.places)
        summary = summary_of(study, described, off_ground, stages.seconds, study_settings.language)
        write_json(folder / "summary.json", summary)
    return study


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _City:
    """The map of a study, and the fleet that was made on it, None where traces were given."""

    network: StreetNetwork
    places: Places
    fleet: SyntheticFleet | None


def _read_city(study_settings: StudyFile, settings: Settings, stages: Stages) -> _City:
    with stages("map"):
        network, places = read_map(study_settings, settings)
    fleet = None
    if study_settings.synthetic is not None:
        with stages("fleet"):
            fleet = made_fleet(study_settings, study_settings.synthetic, network, places)
    return _City(network, places, fleet)


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class _Observed:
    """What the traces tell, and what became of their files."""

    riders: int
    accounts: tuple[Account, ...]
    stays: StayPoints
    breaks: DueBreakColumns
    flows: PassingFlows | None
    """Riders passing by, None where the study does not ask for them."""
    ridden: Traversals | None
    """The streets that they rode, likewise."""
    silent: npt.NDArray[np.bool_]
    """(stays,) which of them hold a silence of the phone."""


def _observe(
    study_settings: StudyFile, city: _City, traces: Traces, accounts: tuple[Account, ...], stages: Stages
) -> _Observed:
    """Find stays, due breaks and, where asked for, the streets that riders passed."""
    network, zone = city.network, study_settings.timezone
    with stages("stays"):
        found = find_stay_points(traces, max_silence_s=60 * study_settings.longest_silence_min)
        stays = classify_stays(found, traces, city.places, network, zone)
        breaks = due_breaks(traces, stays, zone)
    flows: PassingFlows | None = None
    ridden: Traversals | None = None
    if study_settings.siting.flows:
        with stages("paths") as step:
            ridden = traversals(network, traces, MatchOptions(mode=study_settings.mode), step)
            flows = PassingFlows(*ridden.passages())
    return _Observed(len(traces.pseudonyms), accounts, stays, breaks, flows, ridden, silent_stays(stays))


def _blind_spots(
    study_settings: StudyFile, city: _City, observed: _Observed, given: GivenPlaces
) -> BlindSpots | None:
    if observed.flows is None or not len(observed.flows.edge):
        return None
    watched = Watched(city.network, study_settings.mode, study_settings.timezone, given.grids)
    return blind_spots(watched, observed.flows, k=study_settings.k)


def _trodden(
    study_settings: StudyFile, network: StreetNetwork, traces: Traces, observed: _Observed
) -> Trodden | None:
    if observed.ridden is None:
        return None
    return Trodden(
        network, study_settings.mode, traces, observed.ridden, observed.stays, study_settings.timezone
    )


def _inner_ways(trodden: Trodden | None, passes: GatePasses | None, k: int) -> InnerWays | None:
    return None if trodden is None or passes is None else inner_ways(trodden, passes, k=k)


def _inputs(study_settings: StudyFile, city: _City, observed: _Observed, given: GivenPlaces) -> StudyInputs:
    """Gather what siting asks for."""
    return StudyInputs(
        network=city.network,
        places=city.places,
        stays=observed.stays,
        silent=observed.silent,
        due_breaks=observed.breaks,
        flows=observed.flows,
        riders=observed.riders,
        accounts=pooled(observed.accounts, study_settings.k),
        existing=given.existing,
        own_sites=given.own_sites,
        grids=given.grids,
        title=study_settings.text("title", study_settings.language),
        city=study_settings.text("city", study_settings.language),
        attribution=study_settings.map.attribution,
        synthetic=study_settings.synthetic is not None,
        settings=settings_of(study_settings, given.forbidden),
    )


def _facts(note: Sentence) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(fact)) for name, fact in note.facts)


def _off_ground(network: StreetNetwork, mode: str, lonlat: FloatArray) -> npt.NDArray[np.bool_]:
    """Return (n,) which places only a tunnel, bridge or the like is near to."""
    edge = network.snap(lonlat, mode).edge
    return np.asarray((edge >= 0) & network.edge_off_ground[np.maximum(edge, 0)], dtype=np.bool_)


def _stays_off_ground(study_settings: StudyFile, network: StreetNetwork, stays: StayColumns) -> int | None:
    """Count the stays that are off the ground, unless that told of fewer than k riders; nobody is no rider.

    By the streets that they lie at stays are counted nowhere else, so the number is judged alone.
    """
    off = _off_ground(network, study_settings.mode, np.asarray(stays.lonlat))
    if any(0 < len(np.unique(stays.rider[part])) < study_settings.k for part in (off, ~off)):
        return None
    return int(off.sum())


def _read_traces(
    study_settings: StudyFile,
    city: _City,
    key: bytes,
    rejects: Path,
    scheduler: str | None,
) -> tuple[Traces, tuple[Account, ...]]:
    """Read the trace files, or those of a made fleet, here or on a cluster."""
    # The files of a made fleet hold rider ids: they live only as long as they are read.
    with tempfile.TemporaryDirectory(prefix="yilu-") as scratch, contextlib.ExitStack() as stack:
        given = trace_inputs(study_settings, city.fleet, Path(scratch))
        read: Reader = read_here
        if scheduler is not None:
            read = functools.partial(read_on_cluster, stack.enter_context(connected(scheduler)))
        title = study_settings.text("title", study_settings.language)
        return read_platform_files(given, city.network, key, rejects, title, read)


def _on_streets(study_settings: StudyFile, network: StreetNetwork, traces: Traces) -> float | None:
    """Return the share of moving kilometres on streets, unless it told of fewer than k riders.

    Kilometres stand in no other figure of a study, so it is judged alone.
    """
    return moving_share_on_streets(traces, network, study_settings.mode, k=study_settings.k)
