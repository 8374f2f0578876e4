"""Pseudonyms that rotate.

Whereabouts are sensitive personal information (Personal Information Protection Law, art. 28), and a stable
id lets anyone rebuild a person's trips (GBFS #146). So a raw id is replaced at the border of the program
by a keyed one-way code that changes with the period.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

from geo.errors import InputError
from geo.sentences import Sentence

__all__ = ["MIN_KEY_BYTES", "Pseudonymiser", "pseudonyms"]

MIN_KEY_BYTES: Final = 16


class Pseudonymiser:
    """Keyed one-way codes: nobody can link them without the key.

    Parameters
    ----------
    key
        Secret of at least 16 bytes. It is never written anywhere; whoever loses it cannot link
        periods any more.

    Raises
    ------
    InputError
        If the key is shorter than 16 bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise InputError(Sentence.of("pseudonym_key", count=len(key), MIN_KEY_BYTES=MIN_KEY_BYTES))
        # BLAKE2 takes keys up to 64 bytes (RFC 7693); longer ones are condensed first.
        secret = key if len(key) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(key).digest()
        self._keyed = hashlib.blake2b(key=secret, digest_size=12)

    def __repr__(self) -> str:
        return "Pseudonymiser(key=hidden)"

    def code(self, raw_id: str, period: str) -> str:
        """Return the code of one id in one period: ``r`` and 24 hex digits."""
        digest = self._keyed.copy()
        # The length in front keeps ("a", "bc") and ("ab", "c") apart.
        head = period.encode("utf-8", "surrogatepass")
        digest.update(len(head).to_bytes(4, "big") + head + raw_id.encode("utf-8", "surrogatepass"))
        return "r" + digest.hexdigest()


def pseudonyms(ids: Iterable[str], key: bytes, period: str) -> tuple[str, ...]:
    """Return the code of each id for one period (a day such as ``2026-03-02``, or the name of a study).

    Raises
    ------
    InputError
        If the key is shorter than 16 bytes.
    """
    coder = Pseudonymiser(key)
    return tuple(coder.code(raw_id, period) for raw_id in ids)
