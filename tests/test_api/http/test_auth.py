"""Keys, tokens and limits: who gets in, who does not, and what each is told."""

import datetime
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from migrated import migrated

from api.http.access.auth import DEV_TENANT, Access, Who, open_access, require
from api.http.access.rates import Buckets
from api.http.app import create_app
from api.settings import Settings
from api.store import SERVICE, Database
from api.store.access import keys, tenants
from api.store.access.keys import NewKey
from geo.errors import InputError

NOON = datetime.datetime(2026, 3, 4, 12, 0, tzinfo=datetime.UTC)
NOW_S = NOON.timestamp()


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime.datetime:
        return self.now


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = migrated(f"sqlite:///{tmp_path / 'yilu.db'}")
    with found.transaction() as connection:
        tenants.add(connection, SERVICE, tenants.Tenant("blue", "Blue", "platform", 0.0))
        tenants.add(connection, SERVICE, tenants.Tenant("office", "Office", "office", 0.0))
    yield found
    found.close()


def _key(database: Database, role: str = "platform", tenant: str = "blue", **more: Any) -> str:  # noqa: ANN401
    with database.transaction() as connection:
        return keys.create(connection, SERVICE, NewKey(tenant, role, **more), NOW_S)[1]  # type: ignore[arg-type]


def _app(folder: Path, database: Database | None, clock: Clock, *, dev: bool = False, **more: Any) -> FastAPI:  # noqa: ANN401
    settings = Settings(**more)
    app = create_app(folder, settings=settings, access=Access(settings, database, dev=dev), clock=clock)

    @app.get("/v1/who")
    def who(caller: Who) -> dict[str, object]:
        scope = caller.scope
        return {
            "tenant": scope.tenant_id,
            "role": scope.role,
            "grids": scope.grid_codes,
            "rider": scope.rider_id,
        }

    @app.get("/v1/planners", dependencies=[Depends(require("planner"))])
    def planners() -> str:
        return "yes"

    return app


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(folder: Path, database: Database, clock: Clock) -> Iterator[TestClient]:
    with TestClient(_app(folder, database, clock, rate_per_s=1.0, rate_burst=20)) as found:
        yield found


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_without_a_key_only_what_is_published_is_there(client: TestClient) -> None:
    for path in ("/", "/healthz", "/map", "/v1/grids"):
        assert client.get(path).status_code == 200
    for call in ("matches", "alerts", "slots", "vroom"):
        answer = client.post(f"/v1/{call}", json={})
        assert answer.status_code == 401, call
        assert answer.headers["www-authenticate"] == 'Bearer realm="yilu"'
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "/problems#unauthorized"


def test_a_key_opens_what_its_role_may(client: TestClient, database: Database) -> None:
    key = _key(database, "grid_staff", "office", grid_codes=("G1", "G2"))
    assert client.get("/v1/who", headers=_bearer(key)).json() == {
        "tenant": "office", "role": "grid_staff", "grids": ["G1", "G2"], "rider": None,
    }  # fmt: skip
    refused = client.get("/v1/planners", headers=_bearer(key))
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems#forbidden")
    for role in ("planner", "admin"):
        assert client.get("/v1/planners", headers=_bearer(_key(database, role, "office"))).status_code == 200
    rider = _bearer(_key(database, "rider", rider_id="r1"))
    assert client.post("/v1/matches", json={}, headers=rider).status_code == 403
    assert client.post("/v1/matches", json={}, headers=_bearer(_key(database))).status_code == 422


@pytest.mark.parametrize("wrong", ["Bearer x", "Bearer yl_a_b", "Basic YTpi", "Bearer", "bearer  "])
def test_what_is_no_key_is_refused_without_an_echo(client: TestClient, wrong: str) -> None:
    answer = client.get("/v1/who", headers={"authorization": wrong})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert "yl_a_b" not in answer.text


def test_a_revoked_key_opens_nothing_within_seconds(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("api.http.access.auth.time.monotonic", lambda: now[0])
    key = _key(database)
    assert client.get("/v1/who", headers=_bearer(key)).status_code == 200
    with database.transaction() as connection:
        keys.revoke(connection, SERVICE, key.split("_")[1], NOW_S)
    now[0] += 5.1
    assert client.get("/v1/who", headers=_bearer(key)).status_code == 401


def test_a_key_that_is_remembered_still_expires(client: TestClient, database: Database, clock: Clock) -> None:
    key = _key(database, expires_s=NOW_S + 1)
    assert client.get("/v1/who", headers=_bearer(key)).status_code == 200
    clock.now += datetime.timedelta(seconds=1)
    assert client.get("/v1/who", headers=_bearer(key)).status_code == 401


def test_the_last_use_is_noted(client: TestClient, database: Database) -> None:
    client.get("/v1/who", headers=_bearer(_key(database)))
    with database.reading() as connection:
        assert [key.last_used_s for key in keys.list_all(connection, SERVICE)] == [NOW_S]


def test_who_asks_too_often_is_told_when_to_come_again(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.http.access.auth.time.monotonic", lambda: 100.0)
    key, other = _bearer(_key(database)), _bearer(_key(database))
    answers = [client.get("/v1/who", headers=key) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert answers[0].headers["ratelimit-policy"] == '"default";q=20;w=20'
    assert answers[0].headers["ratelimit"] == '"default";r=19;t=1'
    assert answers[-1].headers["ratelimit"] == '"default";r=0;t=20'
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].json()["type"] == "/problems#rate-limited"
    assert client.get("/v1/planners", headers=other).headers["ratelimit"] == '"default";r=19;t=1'


def test_a_bucket_fills_with_time() -> None:
    buckets = Buckets(2.0, 4)
    allowed = [
        buckets.take("k", now_s).allowed for now_s in (0, 0, 0, 0, 0, 0.4, 0.5, 0.5, 99, 99, 99, 99, 99)
    ]
    assert allowed == [True] * 4 + [False, False, True, False] + [True] * 4 + [False]
    assert Buckets(0.1, 1).take("k", 0.0).retry_after_s == 0


def test_without_its_database_the_service_says_when_to_come_again(
    folder: Path, tmp_path: Path, clock: Clock
) -> None:
    away = Database(f"postgresql://yilu@/none?host={tmp_path}")
    with TestClient(_app(folder, away, clock)) as client:
        answer = client.get("/v1/who", headers=_bearer(f"yl_{'A' * 12}_{'B' * 43}"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["type"] == "/problems#unavailable"
    away.close()


def test_a_developer_needs_no_key_but_a_wrong_one_is_wrong(
    folder: Path, database: Database, clock: Clock
) -> None:
    with TestClient(_app(folder, database, clock, dev=True)) as client:
        assert client.get("/v1/who").json()["tenant"] == DEV_TENANT
        assert client.get("/v1/who", headers=_bearer("x")).status_code == 401
        assert client.get("/v1/who", headers=_bearer(_key(database))).json()["tenant"] == "blue"


@pytest.mark.parametrize(
    ("host", "named", "with_key", "dev", "starts"),
    [
        ("127.0.0.1", False, False, False, "dev"),
        ("localhost", False, False, False, "dev"),
        ("::1", False, False, False, "dev"),
        ("127.0.0.1", False, True, False, "keys"),
        ("127.0.0.1", True, False, False, None),
        ("0.0.0.0", False, False, False, None),  # noqa: S104 - what must not start
        ("0.0.0.0", False, True, False, "keys"),  # noqa: S104
        ("0.0.0.0", False, False, True, "dev"),  # noqa: S104
        ("example.org", False, False, False, None),
    ],
)
def test_without_keys_the_service_starts_for_this_machine_alone(
    tmp_path: Path, host: str, named: bool, with_key: bool, dev: bool, starts: str | None
) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'yilu.db'}" if named else None)
    if with_key:
        made = Database(f"sqlite:///{tmp_path / 'yilu.db'}")
        made.migrate()
        with made.transaction() as connection:
            tenants.add(connection, SERVICE, tenants.Tenant("blue", "Blue", "platform", 0.0))
        _key(made)
        made.close()
    if starts is None:
        with pytest.raises(InputError, match=r"yilu keys create .* or start with --dev"):
            open_access(settings, tmp_path, host, NOW_S, dev=dev)
        return
    access = open_access(settings, tmp_path, host, NOW_S, dev=dev)
    assert access.dev == (starts == "dev")
    assert access.database is not None
    access.database.close()


# Tokens of an identity provider.

ISSUER, AUDIENCE = "https://id.example/", "yilu"
SIGNING = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def jwks() -> Iterator[str]:
    sets = [
        {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(SIGNING.public_key())), "kid": "1", "use": "sig"},
        {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(CURVE.public_key())), "kid": "2", "use": "sig"},
    ]

    class Keys(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": sets}).encode())

        def log_message(self, *_: object) -> None:
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/jwks"
        server.shutdown()
        thread.join()


def _token(signed_by: Any = SIGNING, kid: str = "1", algorithm: str = "RS256", **claims: Any) -> str:  # noqa: ANN401
    told = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "u1",
        "exp": NOW_S + 600,
        "tenant": "office",
        "role": "planner",
    }
    wanted = {name: value for name, value in {**told, **claims}.items() if value is not None}
    return jwt.encode(wanted, signed_by, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture
def provider(folder: Path, database: Database, clock: Clock, jwks: str) -> Iterator[TestClient]:
    more: dict[str, Any] = {
        "oidc_issuer": ISSUER,
        "oidc_audience": AUDIENCE,
        "oidc_jwks": jwks,
        "oidc_roles": {"desk": "grid_staff"},
    }
    with TestClient(_app(folder, database, clock, **more)) as found:
        yield found


def test_a_token_is_mapped_to_tenant_and_role(provider: TestClient, database: Database) -> None:
    def who(token: str) -> dict[str, object]:
        answer = provider.get("/v1/who", headers=_bearer(token))
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found

    assert who(_token())["role"] == "planner"
    assert who(_token(CURVE, "2", "ES256"))["tenant"] == "office"
    desk = who(_token(role=["everybody", "desk"], grid_codes=["G1"]))
    assert (desk["role"], desk["grids"]) == ("grid_staff", ["G1"])
    assert who(_token(role="rider", tenant="blue", rider_id="r7"))["rider"] == "r7"
    assert who(_key(database))["tenant"] == "blue"


@pytest.mark.parametrize(
    "token",
    [
        _token(OTHER),
        _token(aud="others"),
        _token(iss="https://evil.example/"),
        _token(exp=NOW_S - 60),
        _token(exp=None),
        _token(sub=None),
        _token(nbf=NOW_S + 600),
        _token(tenant="nobody"),
        _token(tenant=None),
        _token(role="king"),
        _token(role=["planner", "admin"]),
        _token(role="desk"),
        _token(role="rider"),
        _token(kid="9"),
        jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "sub": "u", "exp": NOW_S + 60, "tenant": "office",
                    "role": "admin"}, "", algorithm="none", headers={"kid": "1"}),
    ],
)  # fmt: skip
def test_a_token_that_is_not_for_us_is_refused(provider: TestClient, token: str) -> None:
    answer = provider.get("/v1/who", headers=_bearer(token))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_token_that_is_remembered_still_expires(provider: TestClient, clock: Clock) -> None:
    token = _token(exp=NOW_S + 2)
    assert provider.get("/v1/who", headers=_bearer(token)).status_code == 200
    clock.now += datetime.timedelta(seconds=60)
    assert provider.get("/v1/who", headers=_bearer(token)).status_code == 401


def test_a_provider_that_is_away_is_told_as_such(folder: Path, database: Database, clock: Clock) -> None:
    more: dict[str, Any] = {
        "oidc_issuer": ISSUER,
        "oidc_audience": AUDIENCE,
        "oidc_jwks": "http://127.0.0.1:9/jwks",
    }
    with TestClient(_app(folder, database, clock, **more)) as client:
        assert client.get("/v1/who", headers=_bearer(_token())).status_code == 503


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"oidc_issuer": ISSUER}, "YILU_OIDC_AUDIENCE: is missing"),
        ({"oidc_issuer": ISSUER, "oidc_audience": "a", "oidc_jwks": "http://id.example/"}, "https"),
    ],
)
def test_half_a_provider_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Access(Settings(**more), None, dev=True)
