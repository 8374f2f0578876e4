"""What a command does to a task: events, or why not. Pure: state, command and instant in, events out.

A command that has been carried out already gives no events and no error, so it may be sent twice. Whoever
takes events for the truth applies them with `routing.dispatch.state.evolve`.
"""

from collections.abc import Callable

from geo.errors import YiluError
from routing.dispatch import commands as co
from routing.dispatch import events as ev
from routing.dispatch.state import Offer, TaskState
from routing.model import Refused

__all__ = ["ConflictError", "decide"]


class ConflictError(YiluError):
    """A command that does not fit the state.

    ``code`` is one of the rows below; sentences for people are made of it in the text catalogue.

    ================= ======================================================================
    ``unknown_task``  there is no such task
    ``unknown_offer`` the task has no such offer
    ``exists``        a task with this id is there already, with other contents
    ``ended``         the task is verified, withdrawn or expired (``status``)
    ``taken``         a rider has accepted: it can no longer be changed
    ``closed``        the offer is declined, expired, overtaken, lapsed or returned (``status``)
    ``not_accepted``  the offer must be accepted first (``status``)
    ``not_done``      not everybody has done it yet (``status`` of the task)
    ``late``          the plan no longer allows it; ``refused`` says which stop would be late
    ``past``          the window has ended
    ``no_plan``       the rider's platform has taken the rider off
    ================= ======================================================================
    """

    def __init__(self, code: str, status: str = "", refused: Refused | None = None) -> None:
        super().__init__(f"{code} {status}".strip())
        self.code, self.status, self.refused = code, status, refused


def decide(state: TaskState | None, command: co.Command, now_s: float) -> tuple[ev.Event, ...]:
    """Return what a command makes happen.

    Parameters
    ----------
    state : TaskState, optional
        None: the task is not known.
    command : Command
    now_s : float
        Epoch seconds.

    Returns
    -------
    tuple of Event
        Empty where the command has been carried out before, or nothing is due.

    Raises
    ------
    ConflictError
        Where the command does not fit the state. After ``late`` the caller closes the offer with `Lapse`.
    """
    if isinstance(command, co.Publish):
        return _publish(state, command, now_s)
    if state is None:
        raise ConflictError("unknown_task")
    decider: Callable[[TaskState, co.Command, float], tuple[ev.Event, ...]] = _DECIDERS[type(command)]
    return decider(state, command, now_s)


def _publish(state: TaskState | None, command: co.Publish, now_s: float) -> tuple[ev.Event, ...]:
    if state is not None:
        if state.task == command.task and state.publisher == command.publisher:
            return ()
        raise ConflictError("exists", state.status)
    if command.task.place.latest_s < now_s:
        raise ConflictError("past")
    return (ev.TaskPublished(command.task, command.publisher, command.never),)


def _going_on(state: TaskState) -> None:
    if state.ended:
        raise ConflictError("ended", state.ended)


def _overtake(state: TaskState, reason: str, but: str = "") -> tuple[ev.Event, ...]:
    """Close the offers that wait for an answer."""
    return tuple(
        ev.OfferClosed(offer.offer_id, offer.rider, "overtaken", reason)
        for offer in state.open
        if offer.offer_id != but
    )


def _change(state: TaskState, command: co.Change, now_s: float) -> tuple[ev.Event, ...]:
    _going_on(state)
    if command.task == state.task:
        return ()
    if state.taken:
        raise ConflictError("taken", state.status)
    if command.task.place.latest_s < now_s:
        raise ConflictError("past")
    return (*_overtake(state, "changed"), ev.TaskChanged(command.task))


def _withdraw(state: TaskState, command: co.Withdraw, now_s: float) -> tuple[ev.Event, ...]:
    if state.ended == "withdrawn":
        return ()
    _going_on(state)
    if state.status == "done":
        raise ConflictError("ended", "done")
    # Who has accepted or begun is told too: the stop leaves their plan.
    closed = tuple(
        ev.OfferClosed(offer.offer_id, offer.rider, "overtaken", "withdrawn")
        for offer in state.current
        if offer.status in ("open", "accepted", "started")
    )
    return (*closed, ev.TaskWithdrawn(command.reason))


def _make_offers(state: TaskState, command: co.MakeOffers, now_s: float) -> tuple[ev.Event, ...]:
    latest_s = state.task.place.latest_s
    if state.ended or latest_s < now_s:
        return ()
    new = [one for one in command.proposals if one.rider not in state.asked][: state.wanted]
    expires_s = min(now_s + command.offer_for_s, latest_s)
    first = len(state.offers) + 1
    words = command.words or [str(number) for number in range(first, first + len(new))]
    return tuple(
        ev.OfferMade(f"{state.task.task_id}-{word}", one.rider, one.terms, now_s, expires_s)
        for word, one in zip(words, new, strict=False)
    )


def _unmatched(state: TaskState, command: co.Unmatched, now_s: float) -> tuple[ev.Event, ...]:
    if not state.wanted or state.unmatched == command.rule:
        return ()
    return (ev.TaskUnmatched(command.rule),)


def _offer(state: TaskState, offer_id: str) -> Offer:
    offer = state.offer(offer_id)
    if offer is None:
        raise ConflictError("unknown_offer")
    return offer


def _accept(state: TaskState, command: co.Accept, now_s: float) -> tuple[ev.Event, ...]:
    offer = _offer(state, command.offer_id)
    if offer.status in ("accepted", "started", "done") and offer.round == state.round:
        return ()
    if offer.status != "open" or offer.round != state.round:
        raise ConflictError("closed", offer.status)
    _going_on(state)
    if now_s > offer.expires_s:
        raise ConflictError("closed", "expired")
    if isinstance(command.verdict, Refused):
        raise ConflictError("late", offer.status, command.verdict)
    if len(state.taken) >= state.task.people:
        raise ConflictError("closed", "overtaken")
    accepted = ev.OfferAccepted(offer.offer_id, offer.rider, command.verdict, now_s)
    enough = len(state.taken) + 1 >= state.task.people
    return (accepted, *(_overtake(state, "taken", offer.offer_id) if enough else ()))


def _decline(state: TaskState, command: co.Decline, now_s: float) -> tuple[ev.Event, ...]:
    offer = _offer(state, command.offer_id)
    if offer.status == "declined":
        return ()
    if offer.status != "open":
        raise ConflictError("closed", offer.status)
    return (ev.OfferClosed(offer.offer_id, offer.rider, "declined", command.reason),)


def _lapse(state: TaskState, command: co.Lapse, now_s: float) -> tuple[ev.Event, ...]:
    offer = _offer(state, command.offer_id)
    if offer.status != "open":
        return ()
    return (ev.OfferClosed(offer.offer_id, offer.rider, "lapsed", command.rule),)


def _return(state: TaskState, command: co.Return, now_s: float) -> tuple[ev.Event, ...]:
    offer = _offer(state, command.offer_id)
    if offer.status == "returned":
        return ()
    _going_on(state)
    if offer.status not in ("accepted", "started"):
        raise ConflictError("not_accepted", offer.status)
    return (ev.OfferClosed(offer.offer_id, offer.rider, "returned", command.reason),)


def _start(state: TaskState, command: co.Start, now_s: float) -> tuple[ev.Event, ...]:
    offer = _offer(state, command.offer_id)
    if offer.status in ("started", "done"):
        return ()
    if offer.status != "accepted":
        raise ConflictError("not_accepted", offer.status)
    return (ev.OfferStarted(offer.offer_id, offer.rider),)


def _finish(state: TaskState, command: co.Finish, now_s: float) -> tuple[ev.Event, ...]:
    offer = _offer(state, command.offer_id)
    if offer.status == "done":
        return ()
    # A rider may have forgotten to say that they began.
    if offer.status not in ("accepted", "started"):
        raise ConflictError("not_accepted", offer.status)
    return (ev.OfferDone(offer.offer_id, offer.rider, command.note, command.photo, command.there),)


def _verify(state: TaskState, command: co.Verify, now_s: float) -> tuple[ev.Event, ...]:
    if state.ended == "verified":
        return ()
    _going_on(state)
    if state.status != "done":
        raise ConflictError("not_done", state.status)
    return (ev.TaskVerified(command.note),)


def _reopen(state: TaskState, command: co.Reopen, now_s: float) -> tuple[ev.Event, ...]:
    if state.status not in ("done", "verified", "expired"):
        raise ConflictError("not_done", state.status)
    if command.latest_s < max(now_s, state.task.place.earliest_s):
        raise ConflictError("past")
    return (ev.TaskReopened(command.reason, command.latest_s),)


def _tick(state: TaskState, command: co.Elapse, now_s: float) -> tuple[ev.Event, ...]:
    if state.ended:
        return ()
    over = state.task.place.latest_s < now_s
    expired = tuple(
        ev.OfferClosed(offer.offer_id, offer.rider, "expired")
        for offer in state.open
        if offer.expires_s < now_s or over
    )
    if not over or len(state.taken) >= state.task.people:
        return expired
    # Too few came: those who had accepted and not begun are released.
    released = tuple(
        ev.OfferClosed(offer.offer_id, offer.rider, "overtaken", "expired")
        for offer in state.taken
        if offer.status == "accepted"
    )
    if any(offer.status == "started" for offer in state.taken):
        return (*expired, *released)
    return (*expired, *released, ev.TaskExpired())


_DECIDERS: dict[type, Callable[..., tuple[ev.Event, ...]]] = {
    co.Change: _change,
    co.Withdraw: _withdraw,
    co.MakeOffers: _make_offers,
    co.Unmatched: _unmatched,
    co.Accept: _accept,
    co.Decline: _decline,
    co.Lapse: _lapse,
    co.Return: _return,
    co.Start: _start,
    co.Finish: _finish,
    co.Verify: _verify,
    co.Reopen: _reopen,
    co.Elapse: _tick,
}
