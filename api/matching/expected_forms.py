"""What is answered of riders who told no plan: where they may go, and tasks that they may be asked for."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from api.forms import Schema, Way

__all__ = ["ExpectedMatchOut", "ExpectedStopOut", "PassedStreetOut", "PredictionOut", "ScenarioOut"]


class ExpectedStopOut(Schema):
    """A place where a rider may stop next."""

    lon: float
    lat: float
    probability: float
    arrival: Annotated[AwareDatetime, Field(description="When they would be there, straight on.")]


class PassedStreetOut(Schema):
    """A street that a rider may pass within ten minutes."""

    probability: float
    way: Way


class PredictionOut(Schema):
    """Where a rider without a plan is expected to go. It is kept nowhere."""

    rider_id: str
    holds_until: Annotated[
        AwareDatetime,
        Field(description="Until then they have not arrived with 90% probability; then ask anew."),
    ]
    elsewhere: Annotated[float, Field(description="Probability that the next stop is none of these.")]
    stops: Annotated[list[ExpectedStopOut], Field(description="The likeliest first.")]
    streets: Annotated[
        list[PassedStreetOut], Field(description="The likeliest first; none without `geometry`.")
    ]


class ScenarioOut(Schema):
    """An expected stop, and by how much the task would delay it."""

    lon: float
    lat: float
    probability: float
    arrival_before: AwareDatetime
    arrival_after: AwareDatetime
    harm: Annotated[bool, Field(description="Whether that is more than the policy allows.")]


class ExpectedMatchOut(Schema):
    """A task for a rider without a plan: what it takes is expected, not proven."""

    task_id: str
    rider_id: str
    arrival: AwareDatetime
    start: AwareDatetime
    leave: AwareDatetime
    extra_s: Annotated[float, Field(description="To be expected, over all scenarios.")]
    most_extra_s: Annotated[float, Field(description="There and back: it takes no more, wherever they go.")]
    harm_probability: Annotated[float, Field(description="At most `harm_probability_max` of the policy.")]
    elsewhere: Annotated[float, Field(description="Probability that the next stop is in no scenario.")]
    holds_until: AwareDatetime
    scenarios: list[ScenarioOut]
    yuan: float
    points: float
