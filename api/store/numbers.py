"""Numbers of events as readers see them: words that tell nothing of how much others do.

One sequence numbers the events of all tenants: whoever sees their own numbers could count the others'
in the gaps. So each tenant gets each number enciphered under a key of its own. The word is the same whenever
it is asked for, so that it can name an event, and the server alone knows the order.
"""

import base64
import binascii
import hashlib
import hmac
import secrets

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from api.store import scope
from api.store.scope import SERVICE
from api.store.tables import secrets_table
from geo.errors import InputError

__all__ = ["Numbers", "load"]

_NAME = "event numbers"
_CHECK = b"yilu-seq"
"""Half of the block: a word that was not made here is found out."""


class Numbers:
    """The cipher of one database."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._ciphers: dict[str, Cipher[modes.ECB]] = {}

    def word(self, tenant_id: str | None, seq: int) -> str:
        """Return an event's number as a tenant sees it; None: as the service itself does."""
        # One block, used as a permutation of 128 bits: no two numbers give one word.
        encryptor = self._cipher(tenant_id).encryptor()
        block = encryptor.update(seq.to_bytes(8, "big") + _CHECK) + encryptor.finalize()
        return base64.urlsafe_b64encode(block).decode().rstrip("=")

    def seq(self, tenant_id: str | None, word: str) -> int:
        """Return the number behind a word; 0 for the word "0", which is before all events.

        Raises
        ------
        InputError
            When it is not one that was given to this tenant.
        """
        if word == "0":
            return 0
        try:
            block = base64.b64decode(word.encode("ascii") + b"==", altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            block = b""
        if len(block) == 16:
            decryptor = self._cipher(tenant_id).decryptor()
            plain = decryptor.update(block) + decryptor.finalize()
            if hmac.compare_digest(plain[8:], _CHECK):
                return int.from_bytes(plain[:8], "big")
        raise InputError("this is no event of yours: give the `seq` of one, or `last` of a page, as it was")

    def _cipher(self, tenant_id: str | None) -> Cipher[modes.ECB]:
        name = tenant_id or ""
        if name not in self._ciphers:
            key = hmac.digest(self._secret, name.encode(), hashlib.sha256)[:16]
            self._ciphers[name] = Cipher(algorithms.AES128(key), modes.ECB())  # noqa: S305 - one block
        return self._ciphers[name]


def load(connection: sa.Connection) -> Numbers:
    """Return the cipher of this database; its secret is made the first time.

    Parameters
    ----------
    connection : Connection
        Of a transaction that writes.
    """
    statement = scope.upsert(connection.dialect.name, secrets_table, SERVICE, None).on_conflict_do_nothing()
    connection.execute(statement, {"name": _NAME, "value": secrets.token_bytes(32)})
    query = scope.select(secrets_table, SERVICE, secrets_table.c.value).where(secrets_table.c.name == _NAME)
    return Numbers(bytes(connection.execute(query).scalar_one()))
