"""One study from inputs to the frozen `Study`."""

from siting.inputs import StudyInputs, StudySettings
from siting.study.describing import suggest_pickups
from siting.study.run import Progress, measured_study, run_study

__all__ = ["Progress", "StudyInputs", "StudySettings", "measured_study", "run_study", "suggest_pickups"]
