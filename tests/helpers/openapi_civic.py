"""Calls of the civic side, in the order of a report's life, as examples of the OpenAPI document."""

import io
from collections.abc import Callable
from typing import Any

from openapi_examples import NOON, at
from PIL import Image

from api.store import SERVICE, Database
from api.store.access import keys, tenants

__all__ = ["civic_examples", "rider_key"]

Call = Callable[..., Any]
DATUM = "?datum=wgs84"


def rider_key(database: Database, tenant: str, rider_id: str) -> dict[str, str]:
    """Return the headers of a new rider's key."""
    wanted = keys.NewKey(tenant, "rider", rider_id=rider_id)
    with database.transaction() as connection:
        key = keys.create(connection, SERVICE, wanted, NOON.timestamp())[1]
    return {"authorization": f"Bearer {key}"}


def civic_examples(call: Call, keep: Call, client: Any, database: Database, offer: str) -> None:  # noqa: ANN401
    """Make the calls; `offer` is one of a verified task of rider r-17."""
    with database.transaction() as connection:
        for name in ("office", "bureau"):
            tenants.add(connection, SERVICE, tenants.Tenant(name, name.title(), "office", 0.0))
        wanted = keys.NewKey("office", "planner")
        office = keys.create(connection, SERVICE, wanted, NOON.timestamp())[1]
    me, other, new = (rider_key(database, "dev", name) for name in ("r-17", "r-4", "r-21"))
    staff = {"authorization": f"Bearer {office}"}
    call("GET /v1/report-kinds")
    call("PUT /v1/offices/{office}", {"title": "Street office", "kinds": []}, office="office")
    call("PUT /v1/offices/{office}", {"title": "Roads", "kinds": ["roads"]}, office="bureau")
    call("GET /v1/offices")
    _reports(call, keep, client, me)
    _matters(call, staff)
    said = {"thing": "street", "says": "dark", **at("C")}
    call("POST /v1/overrides", said, DATUM, headers=staff)
    call("GET /v1/overrides")
    _points(call, me, other, new, staff, offer)


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "green").save(out, "JPEG")
    return out.getvalue()


def _reports(call: Call, keep: Call, client: Any, me: dict[str, str]) -> None:  # noqa: ANN401
    made = client.post("/v1/photos", content=_picture(), headers=me).json()
    keep("POST /v1/photos", None, 201, "application/json", made)
    told = {
        "kind": "appearance",
        **at("B"),
        "note": "A bag of rubbish before the gate",
        "photo": made["photo"],
    }
    first = call("POST /v1/reports", told, DATUM, headers=me)
    token = {"report-token": first["token"]}
    assert client.get(f"/v1/photos/{made['photo']}", headers=token).content.startswith(b"\xff\xd8")
    keep("GET /v1/photos/{id}", None, 200, "image/jpeg", "(the bytes of a JPEG picture)")
    call("GET /v1/reports", headers=me)
    matter = {"id": first["matter_id"]}
    call("POST /v1/matters/{id}/fix", {"result": "swept"}, **matter)
    own = {"id": first["report_id"], "headers": me}
    call("POST /v1/reports/{id}/dispute", {"reason": "The bag is still there"}, **own)
    call("POST /v1/matters/{id}/fix", {"result": "swept again"}, **matter)
    call("POST /v1/reports/{id}/confirm", {}, **own)
    call("GET /v1/reports/{id}", **own)
    call("GET /v1/board")
    call("GET /v1/board.geojson")


def _matters(call: Call, staff: dict[str, str]) -> None:
    def opened(letter: str, kind: str = "appearance") -> dict[str, Any]:
        made = call("POST /v1/reports", {"kind": kind, **at(letter)}, DATUM)
        return {"id": made["matter_id"], "headers": staff}

    one = opened("H")
    call("GET /v1/matters", query="?stage=reported", headers=staff)
    passed = {"office": "bureau", "reason": "The street is theirs"}
    call("POST /v1/matters/{id}/pass-on", passed, **one)
    call("POST /v1/matters/{id}/accept", {}, **one)
    latest = NOON.replace(hour=13).isoformat()
    call("POST /v1/matters/{id}/look", {"latest": latest}, **one)
    call("GET /v1/matters/{id}", **one)
    call("POST /v1/matters/{id}/start", {}, **one)
    call("POST /v1/matters/{id}/hide", {"reason": "minor"}, **one)
    call("POST /v1/matters/{id}/show", {}, **one)
    reason = {"reason": "This wall belongs to a private owner"}
    call("POST /v1/matters/{id}/decline", reason, **opened("I", "advertising"))
    # The bureau was asked by a report of its own kind, and asks the office.
    roads = opened("D", "roads")
    asked = {"office": "office", "reason": "The street is theirs"}
    call("POST /v1/matters/{id}/pass-on", asked, id=roads["id"])
    call("POST /v1/matters/{id}/refuse", {"reason": "It is a road after all"}, **roads)


def _points(
    call: Call,
    me: dict[str, str],
    other: dict[str, str],
    new: dict[str, str],
    staff: dict[str, str],
    offer: str,
) -> None:
    rice = {"sort": "goods", "title": "Rice, 5 kg", "points": 5, "communities": ["North", "South"]}
    call("PUT /v1/catalogue/{item}", rice, item="rice", headers=staff)
    delivery = {"name": "delivery-1", "pieces": 20}
    call("POST /v1/catalogue/{item}/stock", delivery, item="rice", headers=staff)
    call("GET /v1/catalogue")
    bought = {"name": "rice-1", "item": "rice", "community": "South"}
    call("POST /v1/riders/me/purchases", bought, headers=me)
    account = call("GET /v1/riders/me/points", query="?limit=3", headers=me)["account"]
    theirs = call("GET /v1/riders/me/points", headers=other)["account"]
    course = {"course": "first-aid-2026", "account": account, "credit": 3}
    booked = call("POST /v1/ledger/training", course, headers=staff)
    call("POST /v1/ledger/drills", {"drill": "flood-2026-05", "account": account}, headers=staff)
    call("POST /v1/riders/me/time", {"name": "repair-1", "account": theirs, "time_s": 1}, headers=me)
    call("POST /v1/ledger/payouts", {"name": "march-17", "account": account, "yuan": 0.01})
    call("POST /v1/ledger/corrections", {"key": booked["key"], "note": "it was another person"})
    call("GET /v1/riders/me/score", headers=me)
    call("GET /v1/riders/{rider_id}/score", rider_id="r-17")
    call("GET /v1/offers/{offer_id}/statement", offer_id=offer)
    call("GET /v1/statements/keys")
    code = call("POST /v1/riders/me/moving-code", headers=me)["code"]
    call("POST /v1/riders/me/moved", {"code": code}, headers=new)
