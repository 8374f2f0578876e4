"""What the traces say is wanted, and which days the choice sees of it."""

import numpy as np

from geo.errors import InputError
from geo.sentences import Sentence
from geo.stays import KINDS
from siting.demand.asked import Asked
from siting.demand.demand_events import due_events, stay_events
from siting.demand.passing import passing_events
from siting.demand.weighted import build_demand
from siting.evaluation.compare import days_of
from siting.evaluation.stability import split_days
from siting.inputs import StudyInputs
from siting.study.parts import Wanted
from siting.travel_times import Ways

__all__ = ["wanted_of"]


def wanted_of(inputs: StudyInputs, ways: Ways) -> Wanted:
    """Gather demand, and part the days that the choice sees from the others."""
    settings = inputs.settings
    rests = stay_events(inputs.stays, "rest")
    demand = build_demand(
        rests,
        due_events(inputs.due_breaks),
        passing_events(inputs.flows if settings.weights.passing > 0 else None, inputs.network),
        timezone=settings.timezone,
        project=ways.project,
        cell_m=settings.cell_m,
    )
    days = len(demand.days)
    if settings.held_out_days >= days:
        raise InputError(
            Sentence.of(
                "held_out_too_many",
                given=settings.held_out_days,
                days=days,
                first=demand.days[0],
                last=demand.days[-1],
                most=days - 1,
            )
        )
    training, held_out = split_days(days, settings.held_out_days)
    masks = {"training": training, "held_out": held_out}
    parts = {name: days_of(demand, settings, mask) for name, mask in masks.items() if mask.any()}
    wanted = Wanted(rests, demand, training, held_out, parts, Asked(settings.k))
    asked = wanted.asked
    asked.figures.add_riders("riders", np.arange(inputs.riders))
    asked.of_demand(demand)
    for kind in KINDS:
        asked.of_stays(kind, stay_events(inputs.stays, kind).rider)
    asked.all_stays("stay_points")
    wanted.asked_seen.minutes("demand_min_a_day", "rest", None, "total")
    return wanted
