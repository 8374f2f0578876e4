"""Statements of benefit time: signed here, checked offline with the key set alone."""

import dataclasses
import datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from api.statements import STATEMENT_TYPE, StatementSigner, read_statement
from geo.errors import InputError
from routing.civic import BenefitTime


def pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


KEY = ed25519.Ed25519PrivateKey.from_private_bytes(b"1" * 32)
OTHER = ed25519.Ed25519PrivateKey.from_private_bytes(b"2" * 32)
SIGNER = StatementSigner(pem(KEY), "2026")


@pytest.fixture
def time() -> BenefitTime:
    now_s = int(datetime.datetime.now(datetime.UTC).timestamp())
    return BenefitTime("s1", "city", "red", "7", "t1", now_s - 400, now_s - 100, now_s - 50)


def test_a_platform_reads_what_was_signed(time: BenefitTime) -> None:
    text = SIGNER.sign(time)
    assert read_statement(text, SIGNER.key_set(), "red", "city") == time
    # Any JWT library does, with the published key.
    key = jwt.PyJWKSet.from_dict(SIGNER.key_set())["2026"]
    assert jwt.decode(text, key, algorithms=["EdDSA"], audience="red")["sub"] == "7"
    assert "d" not in SIGNER.key_set()["keys"][0]


def test_what_does_not_hold_is_refused(time: BenefitTime) -> None:
    text, keys = SIGNER.sign(time), SIGNER.key_set()
    head, body, signature = text.split(".")
    longer = SIGNER.sign(dataclasses.replace(time, from_s=time.from_s - 600)).split(".")[1]
    old = dataclasses.replace(time, from_s=1_000, until_s=1_300, certified_s=1_400)
    unsigned = jwt.encode(time.claims(), "", "none", headers={"typ": STATEMENT_TYPE, "kid": "2026"})
    forged = StatementSigner(pem(OTHER), "2026").sign(time)
    login = jwt.encode(time.claims(), KEY, "EdDSA", headers={"kid": "2026"})
    for wrong, said in (
        (f"{head}.{longer}.{signature}", "Signature"),
        (f"{head}.{body}.", "Signature"),
        (forged, "Signature"),
        (unsigned, "alg"),
        (SIGNER.sign(old), "expired"),
        (StatementSigner(pem(KEY), "2025").sign(time), "'2025', which is not known"),
        (login, "its type is 'JWT'"),
        ("statement", "does not hold"),
    ):
        with pytest.raises(InputError, match=said):
            read_statement(wrong, keys, "red", "city")
    with pytest.raises(InputError, match="Audience"):
        read_statement(text, keys, "blue", "city")
    with pytest.raises(InputError, match="issuer"):
        read_statement(text, keys, "red", "another city")


def test_only_an_ed25519_key_signs() -> None:
    with pytest.raises(InputError, match="must be an Ed25519 key"):
        StatementSigner(pem(ec.generate_private_key(ec.SECP256R1())), "k")
    with pytest.raises(InputError, match="cannot be read as PEM"):
        StatementSigner(b"secret", "k")


def test_clocks_of_two_machines_may_differ_by_a_minute(time: BenefitTime) -> None:
    made = SIGNER.sign(time)
    for now_s, good in (
        (time.certified_s - 59, True), (time.certified_s - 61, False), (time.certified_s + 89 * 86_400, True),
        (time.certified_s + 91 * 86_400, False),
    ):  # fmt: skip
        if good:
            assert read_statement(made, SIGNER.key_set(), time.platform, time.issuer, now_s) == time
        else:
            with pytest.raises(InputError, match="not valid at this time"):
                read_statement(made, SIGNER.key_set(), time.platform, time.issuer, now_s)
