"""What the store keeps of secrets: their digests, so that nobody who reads it can use them."""

import hashlib

__all__ = ["digest_of"]


def digest_of(secret: str) -> str:
    """Return what is kept of a key, a token or a code that nobody can guess: its SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()
