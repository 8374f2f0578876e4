"""Why a command does not fit, in the caller's language."""

from api.forms import Language
from api.matching.wording import reason_text
from routing.dispatch import ConflictError

__all__ = ["conflict_text"]

_TEXTS: dict[str, dict[Language, str]] = {
    "unknown_task": {"zh": "没有这个任务", "en": "there is no such task"},
    "unknown_offer": {"zh": "没有这个派单", "en": "there is no such offer"},
    "exists": {
        "zh": "同名任务已经发布，内容不同；请换一个 task_id，或修改原任务",
        "en": "another task was published under this task_id; take a new one, or change that task",
    },
    "ended": {"zh": "任务已经结束（{status}）", "en": "the task is over ({status})"},
    "taken": {
        "zh": "已有骑手接受，任务不能再改；可以撤回后重新发布",
        "en": "a rider has accepted it, so it can no longer be changed; withdraw it and publish another",
    },
    "closed": {"zh": "派单已经关闭（{status}）", "en": "the offer is closed ({status})"},
    "not_accepted": {"zh": "派单还没有被接受（{status}）", "en": "the offer is not accepted ({status})"},
    "not_done": {
        "zh": "任务现在是 {status}，这一步还不能做",
        "en": "the task is {status}: this is not possible now",
    },
    "past": {"zh": "任务的时间窗已经过去", "en": "the window of the task has ended"},
    "no_plan": {"zh": "平台已将该骑手下线", "en": "the rider's platform has taken the rider off"},
}


def conflict_text(error: ConflictError, lang: Language) -> str:
    """Return one sentence; of a plan that no longer allows a task, which rule of it does not."""
    if error.refused is not None:
        return reason_text(error.refused.binding.said, lang)
    return _TEXTS[error.code][lang].format(status=error.status)
