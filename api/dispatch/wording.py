"""Why a command does not fit, in the caller's language."""

from api.forms import Language
from api.matching.wording import reason_text
from maps.texts import catalogue
from routing.dispatch import ConflictError

__all__ = ["conflict_text"]


def conflict_text(error: ConflictError, lang: Language) -> str:
    """Return one sentence; of a plan that no longer allows a task, which rule of it does not."""
    if error.refused is not None:
        return reason_text(error.refused.binding.said, lang)
    return catalogue(lang).text(f"problem.conflict_{error.code}", status=error.status)
