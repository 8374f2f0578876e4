"""Statements of public-benefit time: one a rider and verified task, signed with the key of this database."""

import hashlib
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from api.statements import StatementSigner
from api.store import SERVICE, Database
from api.store.civic import secret
from api.store.dispatch import events as stored
from routing.civic import BenefitTime, benefit_of
from routing.dispatch import Offer

__all__ = ["benefit_time", "signer"]

_NAME = "statement key"


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signer(database: Database) -> StatementSigner:
    """Return who signs for this database; its key is made the first time."""
    with database.reading() as connection:
        pem = secret.known(connection, SERVICE, _NAME)
    if pem is None:
        with database.transaction() as connection:
            pem = secret.load(connection, SERVICE, _NAME, _new_key)
    known = StatementSigner(pem, "unnamed")
    public = str(known.key_set()["keys"][0]["x"])
    return StatementSigner(pem, hashlib.sha256(public.encode()).hexdigest()[:16])


def benefit_time(
    task_id: str, offer: Offer, events: Iterable[stored.EventRow], issuer: str
) -> BenefitTime | None:
    """Return the benefit time of a rider for a task; None as long as it is not verified.

    Parameters
    ----------
    task_id : str
    offer : Offer
        The rider's.
    events : iterable of EventRow
        Of the task, as the service reads them.
    issuer : str
    """
    done_s = verified_s = None
    for row in events:
        event = row.event
        if event.kind == "offer_done" and event.body.get("offer_id") == offer.offer_id:
            done_s = event.at_s
        elif event.kind == "task_verified":
            verified_s = event.at_s
        elif event.kind == "task_reopened":
            done_s = verified_s = None
    if done_s is None or verified_s is None or offer.status != "done":
        return None
    rider, extra_s = offer.rider, max(offer.terms.extra_s, 0.0)
    return benefit_of(task_id, rider.platform, rider.rider_id, done_s, extra_s, verified_s, issuer)
