"""Signed statements of public-benefit time (JWS, RFC 7515), which a platform checks without asking us."""

import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import OKPAlgorithm

from geo.errors import InputError
from routing.civic import BenefitTime

__all__ = ["StatementSigner", "read_statement"]

ALGORITHM = "EdDSA"
LEEWAY_S = 60
"""Clocks of two machines differ, and the instant of certifying is rounded up."""
STATEMENT_TYPE = "public-benefit+jwt"
"""Says what the statement is for, so that no other token passes for one (RFC 8725, 3.11)."""


class StatementSigner:
    """Signs with one Ed25519 key.

    Parameters
    ----------
    private_key_pem : bytes
        PKCS 8, not encrypted.
    key_id : str
        Name of the key in the published set.

    Raises
    ------
    InputError
        If it is no Ed25519 key.
    """

    def __init__(self, private_key_pem: bytes, key_id: str) -> None:
        try:
            key = load_pem_private_key(private_key_pem, password=None)
        except (ValueError, TypeError) as error:
            raise InputError(f"The key for statements cannot be read as PEM: {error}.") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise InputError(f"The key for statements must be an Ed25519 key, not {type(key).__name__}.")
        self._key, self.key_id = key, key_id

    def sign(self, time: BenefitTime) -> str:
        """Return the statement as compact text."""
        headers = {"typ": STATEMENT_TYPE, "kid": self.key_id}
        return jwt.encode(time.claims(), self._key, algorithm=ALGORITHM, headers=headers)

    def key_set(self) -> dict[str, Any]:
        """Return the public key as a key set (RFC 7517): what platforms keep to check statements with."""
        public = json.loads(OKPAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [public | {"kid": self.key_id, "use": "sig", "alg": ALGORITHM}]}


def read_statement(
    text: str, key_set: dict[str, Any], platform: str, issuer: str, now_s: float | None = None
) -> BenefitTime:
    """Check a statement offline and return what it certifies.

    Parameters
    ----------
    text : str
    key_set : dict
        Public keys of the issuer, as `StatementSigner.key_set` gives them.
    platform : str
        Who reads it: a statement for another platform is refused.
    issuer : str
    now_s : float, optional
        Epoch seconds for the age of the statement; None: now.

    Raises
    ------
    InputError
        Where the signature, the reader, the issuer, the age or the contents are not right.
    """
    try:
        header = jwt.get_unverified_header(text)
        if header.get("typ") != STATEMENT_TYPE:
            raise InputError(f"The text is no statement of benefit time: its type is {header.get('typ')!r}.")
        keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(key_set).keys}
        if header.get("kid") not in keys:
            raise InputError(f"The statement is signed with key {header.get('kid')!r}, which is not known.")
        public = keys[header["kid"]].key
        if not isinstance(public, Ed25519PublicKey):
            raise InputError(f"Key {header['kid']!r} is no public Ed25519 key.")
        required = ["iss", "aud", "sub", "jti", "iat", "exp"]
        claims = jwt.decode(
            text,
            public,
            algorithms=[ALGORITHM],
            audience=platform,
            issuer=issuer,
            leeway=LEEWAY_S,
            options={"require": required, "verify_exp": now_s is None, "verify_iat": now_s is None},
        )
    except jwt.PyJWTError as error:
        raise InputError(f"The statement does not hold: {error}.") from error
    if now_s is not None and not claims["iat"] - LEEWAY_S <= now_s < claims["exp"]:
        raise InputError("The statement does not hold: it is not valid at this time.")
    return BenefitTime.of_claims(claims)
