"""One study from inputs to the frozen `Study`."""

from siting.study.run import (
    Progress,
    StudyInputs,
    StudySettings,
    measured_study,
    run_study,
    suggest_pickups,
)

__all__ = ["Progress", "StudyInputs", "StudySettings", "measured_study", "run_study", "suggest_pickups"]
