"""Signing in at an identity provider: there and back, and all that must not let anybody in.

The provider runs on this machine and checks what a real one does: client, redirect, PKCE, one use of a code.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from identity_provider import Provider, provided
from live_service import NOON, Service
from page_visits import token_of
from tiny_study import write_study

from api.http.access.auth import Access
from api.settings import Settings
from geo.errors import InputError

HELD = {"tenant": "office", "role": "planner", "exp": NOON.timestamp() + 300}
BACK = "/sign-in/provider/back"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Provider]]:
    folder = tmp_path_factory.mktemp("provider")
    with provided() as provider:
        made = Service(write_study(folder / "out"), f"sqlite:///{folder / 'y.db'}", **provider.settings())
        made.client = TestClient(made.app, base_url="https://testserver", follow_redirects=False)
        with made.client:
            yield made, provider


@pytest.fixture
def service(served: tuple[Service, Provider]) -> Service:
    made, provider = served
    provider.claims, provider.told, provider.metadata, provider.refused = dict(HELD), {}, {}, []
    provider.asked.clear()
    # Each browser is a new one; the service behind it is the same.
    made.client.cookies.clear()
    return made


@pytest.fixture
def provider(served: tuple[Service, Provider], service: Service) -> Provider:
    return served[1]


def leave(service: Service, path: str = "/home") -> str:
    """Begin to sign in; gives the address that the provider sends the browser back to."""
    answer = service.client.get("/sign-in/provider", params={"next": path})
    assert answer.status_code == 303, answer.text
    there = httpx2.get(answer.headers["location"], follow_redirects=False)
    return str(there.headers["location"])


def inside(service: Service) -> bool:
    return service.client.get("/home").headers["location"] == "/planner"


def test_there_and_back(service: Service, provider: Provider) -> None:
    assert "/sign-in/provider?next=/tasks" in service.client.get("/sign-in?next=/tasks").text
    back = leave(service, "/tasks?show=all")
    asked = provider.asked[0]
    assert asked["redirect_uri"] == f"https://testserver{BACK}"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    answer = service.client.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/tasks?show=all")
    assert inside(service)
    assert provider.refused == []
    # The word in the browser is one of a session, in a cookie that scripts and other sites cannot read.
    cookie = next(one for one in answer.headers.get_list("set-cookie") if "yilu_session" in one)
    for part in ("HttpOnly", "Secure", "SameSite=lax"):
        assert part in cookie
    # What they do stands under the name that the provider gave them.
    token = token_of(service.client.get("/duty/new").text)
    service.client.post("/tasks", data={"form_token": token, "place_lon": "116.3035", "place_lat": "39.9798"})
    acts = service.ask("admin", "GET", "/v1/audit")["acts"]
    assert ("task.publish", "oidc:li") in [(one["action"], one["key_id"]) for one in acts]


def test_each_return_is_good_once(service: Service, provider: Provider) -> None:
    back = leave(service)
    assert service.client.get(back).status_code == 303
    # Otobo 4393: tabs that were opened again showed an error to who had signed in already.
    again = service.client.get(back)
    assert (again.status_code, again.headers["location"]) == (303, "/home")
    for name in [name for name in service.client.cookies if "session" in name]:
        del service.client.cookies[name]
    again = service.client.get(back)
    assert again.status_code == 401
    assert "/sign-in/provider" in again.text, "and there is a way on"
    # next-auth 7894, Quarkus 35391: two tabs put each other out, or the second met an error.
    first, second = leave(service, "/tasks"), leave(service, "/duty")
    assert service.client.get(first).headers["location"] == "/tasks"
    assert service.client.get(second).headers["location"] == "/duty"


def test_a_browser_holds_few_sign_ins_under_way(service: Service, provider: Provider) -> None:
    """express-openid-connect 43: cookies of ways never ended piled up until requests were too large."""
    backs = [leave(service) for _ in range(9)]
    held = [name for name in service.client.cookies if "yilu_trip" in name]
    assert len(held) <= 5
    assert service.client.get(backs[-1]).status_code == 303


@pytest.mark.parametrize(
    ("told", "changed"),
    [
        ({"state": "x" * 43}, {}),
        ({"iss": "https://other.example"}, {}),
        ({"error": "access_denied"}, {}),
        ({"code": "made-up"}, {}),
        ({"code": ""}, {}),
        ({}, {"nonce": "another"}),
        ({}, {"nonce": None}),
        ({}, {"aud": "yilu-api"}),
        ({}, {"aud": ["yilu-pages", "other"]}),
        ({}, {"aud": ["yilu-pages", "other"], "azp": "other"}),
        ({}, {"azp": "other"}),
        ({}, {"iss": "https://other.example"}),
        ({}, {"exp": NOON.timestamp() - 60}),
        ({}, {"role": "king"}),
        ({}, {"tenant": "nobody"}),
    ],
)
def test_nobody_comes_in_by(
    service: Service, provider: Provider, told: dict[str, str], changed: dict[str, Any]
) -> None:
    provider.told = told
    provider.claims = HELD | changed
    answer = service.client.get(leave(service))
    assert answer.status_code == 401
    assert 'id="error"' in answer.text
    assert not any("session" in one for one in answer.headers.get_list("set-cookie"))


def test_several_audiences_with_ours_as_the_one_that_asked(service: Service, provider: Provider) -> None:
    provider.claims = HELD | {"aud": ["yilu-pages", "other"], "azp": "yilu-pages"}
    assert service.client.get(leave(service)).status_code == 303


def test_what_began_in_another_browser_does_not_end_here(service: Service, provider: Provider) -> None:
    """Login CSRF: an attacker's code does not sign their victim in as the attacker."""
    back = leave(service)
    service.client.cookies.clear()
    assert service.client.get(back).status_code == 401
    # Nor does a cookie of one sign-in fit the code of another: PKCE.
    leave(service)
    theirs = parse_qs(urlsplit(back).query)["code"][0]
    mixed = service.client.get(BACK, params={"state": provider.asked[-1]["state"], "code": theirs})
    assert mixed.status_code == 401
    assert provider.refused == ["code_verifier"]


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_nobody_is_sent_elsewhere_afterwards(service: Service, provider: Provider, path: str) -> None:
    assert service.client.get(leave(service, path)).headers["location"] == "/home"


def test_a_provider_that_is_away_or_says_nonsense_is_told(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "out")
    with provided() as provider:
        made = Service(folder, f"sqlite:///{tmp_path / 'y.db'}", **provider.settings())
        made.client = TestClient(made.app, base_url="https://testserver", follow_redirects=False)
        provider.metadata = {"issuer": "https://other.example"}
        assert made.client.get("/sign-in/provider").status_code == 503
        provider.metadata = {"token_endpoint": "http://plain.example/token"}
        assert made.client.get("/sign-in/provider").status_code == 503
    away = made.client.get("/sign-in/provider", headers={"accept-language": "zh"})
    assert away.status_code == 503
    assert "连不上身份平台" in away.text or "自述文件" in away.text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"oidc_issuer": None, "oidc_audience": None, "oidc_jwks": None}, "YILU_OIDC_ISSUER: is missing"),
        ({"oidc_issuer": "http://id.example"}, "YILU_OIDC_ISSUER: must begin with https"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(more: dict[str, Any], said: str) -> None:
    provider = Provider()
    provider.issuer = "https://id.example"
    with pytest.raises(InputError, match=said):
        Access(Settings(**provider.settings(**more)), None, dev=False)
