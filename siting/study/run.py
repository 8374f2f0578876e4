"""One study from inputs to the frozen `Study`: wires the parts, decides nothing itself."""

from collections.abc import Callable

from siting.demand.asked import Asked
from siting.inputs import StudyInputs
from siting.plans.sites import gather_sites
from siting.published import published
from siting.results import Study
from siting.study.choosing import checked_plan, choose, travel_cost_s
from siting.study.describing import hot_spots_of, judged_stations, named_pickups, named_stations, other_places
from siting.study.freezing import frozen
from siting.study.parts import Described
from siting.study.wanted import wanted_of
from siting.travel_times import StreetWays, Ways

__all__ = ["Progress", "measured_study", "run_study"]

Progress = Callable[[str, int, int], None]
STAGES = (
    "demand", "candidates", "travel", "choice", "checks", "sites", "hot_spots", "audit", "pickups", "figures"
)  # fmt: skip


def run_study(inputs: StudyInputs, progress: Progress | None = None) -> Study:
    """Choose stations and pick-up points for one city and judge what stands today.

    Parameters
    ----------
    inputs : data and settings
    progress : called with (stage, stages done, stages in all)

    Returns
    -------
    Study
        The same for the same inputs and seed, whatever their order.

    Raises
    ------
    InputError
        When there is no rest, too few days, or fewer candidates than new sites.
    """
    study, asked = measured_study(inputs, progress)
    return published(study, asked.shown())


def measured_study(inputs: StudyInputs, progress: Progress | None = None) -> tuple[Study, Asked]:
    """Return the study before the gate, and what each of its figures counts: for tests and measurements only.

    Parameters and errors are those of `run_study`. Nothing of it may be published.
    """
    ways: Ways = StreetWays(inputs.network)

    def tell(stage: str) -> None:
        if progress is not None:
            progress(stage, STAGES.index(stage), len(STAGES))

    tell("demand")
    wanted = wanted_of(inputs, ways)
    tell("candidates")
    sites = gather_sites(inputs, ways, wanted.demand, wanted.weight.sum(axis=1))
    tell("travel")
    cost_s = travel_cost_s(inputs.settings, ways, wanted.demand, sites.lonlat)
    tell("choice")
    chosen = choose(inputs, wanted, sites, cost_s)
    tell("checks")
    checked = checked_plan(inputs, ways, wanted, chosen)
    tell("sites")
    stations = named_stations(inputs, ways, wanted, chosen, checked.chosen_share)
    tell("hot_spots")
    hot_spots = hot_spots_of(inputs, ways, wanted, chosen.plan)
    tell("audit")
    audit = judged_stations(inputs, ways, wanted, sites, chosen.plan)
    tell("pickups")
    pickups = named_pickups(inputs, ways, wanted)
    tell("figures")
    others = other_places(inputs, ways, wanted, chosen)
    described = Described(stations, hot_spots, audit, pickups, others)
    study = frozen(inputs, ways, wanted, chosen, checked, described)
    if progress is not None:
        progress("done", len(STAGES), len(STAGES))
    return study, wanted.asked
