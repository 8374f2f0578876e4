"""What callers may read of the live city, from the store; never more than their scope."""

from collections.abc import Sequence

from api.dispatch import codec
from api.dispatch.emergencies import Called, alert_id, alert_state_of, find_alert, rides
from api.store import SERVICE, Database, Scope
from api.store.dispatch import emergencies as emergency_rows
from api.store.dispatch import offers as offer_rows
from api.store.dispatch import tasks as task_rows
from routing.dispatch import TaskState

__all__ = ["alert_of", "offer_of", "offers_of", "open_alerts_of"]

OfferRead = tuple[offer_rows.OfferRow, TaskState]


def offers_of(
    database: Database, who: Scope, rider_id: str | None, statuses: Sequence[str]
) -> list[OfferRead]:
    """Return offers with their tasks, in the order in which they were made.

    Parameters
    ----------
    database : Database
    who : Scope
    rider_id : str or None
        Of one rider; None: all in scope.
    statuses : sequence of str
    """
    with database.reading() as connection:
        if rider_id is not None:
            rows = offer_rows.of_rider(connection, who, str(who.tenant_id), rider_id, statuses)
        else:
            rows = offer_rows.with_status(connection, who, statuses)
        offered = task_rows.of_ids(connection, SERVICE, sorted({row.task_id for row in rows}))
    states = {task.task_id: codec.state_of(task.state) for task in offered}
    return [(row, states[row.task_id]) for row in rows if row.task_id in states]


def offer_of(database: Database, who: Scope, offer_id: str) -> OfferRead | None:
    """Return an offer with its task; None where there is none in scope."""
    with database.reading() as connection:
        row = offer_rows.get(connection, who, offer_id)
        task = None if row is None else task_rows.get(connection, SERVICE, row.task_id)
    return None if row is None or task is None else (row, codec.state_of(task.state))


def open_alerts_of(database: Database, who: Scope, rider_id: str | None) -> list[Called]:
    """Return alerts of emergencies that go on; of one rider, or of all in scope."""
    with database.reading() as connection:
        going_on = emergency_rows.open_ones(connection, SERVICE)
    found = []
    for row in going_on:
        state = alert_state_of(row.state)
        for responder in state.responders:
            mine = rides(who, responder.rider) and rider_id in (None, responder.rider.rider_id)
            if mine and responder.status != "waiting":
                name = alert_id(row, state, responder.rider)
                found.append(Called(name, row, state, responder))
    return found


def alert_of(database: Database, who: Scope, alert: str) -> Called | None:
    """Return one alert, also of an emergency that is over; None where there is none in scope."""
    with database.reading() as connection:
        row = emergency_rows.get(connection, SERVICE, alert.rpartition("-")[0])
    return None if row is None else find_alert(who, row, alert)
