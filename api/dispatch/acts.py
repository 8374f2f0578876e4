"""Who did what to which: every command leaves a line, done or refused, in the transaction of the command."""

from collections.abc import Callable
from typing import Any, TypeVar

from api.dispatch.commands import Answered, Published
from api.dispatch.desk import REFUSALS, Turn
from api.dispatch.emergencies import Raised
from api.store import Scope
from api.store.access import audit
from api.store.dispatch.webhooks import Webhook
from routing.civic import LedgerError, MatterConflictError
from routing.dispatch import ConflictError

__all__ = ["DONE", "audited", "entry"]

T = TypeVar("T")
DONE = "done"


def entry(
    who: Scope | None, key_id: str | None, request_id: str | None, action: str, object_id: str | None,
    outcome: str, at_s: float,
) -> audit.AuditEntry:  # fmt: skip
    """Return a line of the record.

    Parameters
    ----------
    who : Scope or None
        None: nobody known.
    action : str
        Kind of object and what was to be done with it, such as ``task.publish``.
    outcome : str
        ``done``, or why it was refused.
    """
    kind = action.partition(".")[0] if " " not in action else "call"
    tenant, role = (None, None) if who is None else (who.tenant_id, who.role)
    return audit.AuditEntry(at_s, tenant, key_id, role, action, kind, object_id, outcome, request_id)


def audited(
    work: Callable[[Turn], T],
    noted: Callable[[str | None, str, float], audit.AuditEntry],
    object_id: str | None,
) -> Callable[[Turn], T]:
    """Return a command that also leaves its line.

    Parameters
    ----------
    work : callable
        The command.
    noted : callable
        Makes the line of the object's id, the outcome and the moment.
    object_id : str or None
        None: known when it is done.
    """

    def both(turn: Turn) -> T:
        try:
            value = work(turn)
        except REFUSALS as error:
            turn.acts.append(noted(object_id, _why(error), turn.now_s))
            raise
        turn.acts.append(noted(object_id or _made(value), _outcome(value), turn.now_s))
        return value

    return both


def _why(error: BaseException) -> str:
    if isinstance(error, ConflictError | MatterConflictError | LedgerError):
        return error.code
    return {"VersionConflictError": "changed"}.get(type(error).__name__, "not_found")


def _made(value: Any) -> str | None:  # noqa: ANN401 - whatever a command returns
    match value:
        case Published():
            return value.row.task_id
        case Raised():
            return value.row.emergency_id
        case Webhook():
            return value.webhook_id
        case _:
            return None


def _outcome(value: Any) -> str:  # noqa: ANN401
    refused = value.conflict if isinstance(value, Answered) else None
    return DONE if refused is None else refused.code
