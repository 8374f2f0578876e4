"""Short makers of rows for tests of the store."""

from api.store.dispatch.events import Event
from api.store.dispatch.offers import OfferRow
from api.store.dispatch.tasks import TaskRow
from api.store.scope import Scope

BLUE, YELLOW = Scope("blue", "platform"), Scope("yellow", "platform")
PLANNER, GRID = Scope("office", "planner"), Scope("office", "grid_staff", ("G1",))


def task(name: str, tenant: str = "office", **more: object) -> TaskRow:
    values: dict[str, object] = {
        "task_id": name, "tenant_id": tenant, "label": name, "status": "published", "grid_code": "G1",
        "lon": 116.3, "lat": 39.9, "due_s": None, "created_s": 1.0, "version": 1,
        "body": {"name": name}, "state": {},
    }  # fmt: skip
    return TaskRow(**{**values, **more})  # type: ignore[arg-type]


def offer(name: str, task_id: str, tenant: str = "blue", rider: str = "r1", **more: object) -> OfferRow:
    values: dict[str, object] = {
        "offer_id": name, "task_id": task_id, "tenant_id": tenant, "rider_id": rider, "status": "made",
        "made_s": 1.0, "expires_s": 61.0, "body": {},
    }  # fmt: skip
    return OfferRow(**{**values, **more})  # type: ignore[arg-type]


def event(
    number: int, publisher: str = "office", platform: str | None = None, rider: str | None = None
) -> Event:
    private = None if platform is None else {"slack_s": number}
    return Event(float(number), "offer.made", "t1", publisher, platform, rider, {"number": number}, private)
