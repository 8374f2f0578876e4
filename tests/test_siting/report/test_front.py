"""What the table of the front says of a plan that is the end of several aims."""

import dataclasses

from study_sample import sample_study

from maps.texts.wording import Wording
from siting.report.fairness import front_table
from siting.values import Quantity


def test_a_plan_that_is_two_ends_tells_the_gap_of_each() -> None:
    """Proven to serve most, and unknown how far from the fairest: one number was read as of both."""
    study = sample_study()
    point = dataclasses.replace(
        study.front[0], names=("coverage", "fairest"), gaps=(("coverage", 0.0), ("fairest", 1.0))
    )
    table = front_table(dataclasses.replace(study, front=(point, *study.front[1:])))
    say = Wording.of("en", 10)
    cell = say.cell(table.rows[0][-1], table.columns[-1])
    none, all_ = (say.quantity(Quantity(share, "share")) for share in (0.0, 1.0))
    assert cell == f"most served: {none}, fairest: {all_}"
    alike = dataclasses.replace(point, gaps=(("coverage", 0.0), ("fairest", 0.0)))
    assert front_table(dataclasses.replace(study, front=(alike,))).rows[0][-1] == 0.0
    assert front_table(study).rows[1][-1] is None
