"""Every kind of problem is told in zh or en, as asked for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.http.access.auth import Access
from api.http.middleware import BodyLimit, BoundedWork, RequestId
from api.http.offload.bodies import LargeBodyRoute
from api.http.problems import errors
from api.http.problems.errors import EVERY, NoStationError
from api.http.problems.texts import sentence, title
from api.matching.forms import MatchRequest
from api.settings import Settings
from api.store.tables import ROLES
from geo.errors import InfeasibleError, InputError, OffNetworkError, YiluError
from maps.texts import catalogue

HAN = re.compile(r"[\u4e00-\u9fff]")
NOW = "2026-03-04T12:00:00+08:00"
KNOWN = {
    kind.__name__: kind for kind in (OffNetworkError, InfeasibleError, InputError, YiluError, NoStationError)
}


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.state.access, app.state.desk = Access(Settings(), None, dev=True), None
    errors.install(app)
    app.add_middleware(BodyLimit, max_bytes=10_000)
    app.add_middleware(RequestId)
    app.router.route_class = LargeBodyRoute

    @app.get("/fail/{name}")
    def fail(name: str) -> None:
        raise KNOWN[name]("task t-1 has several windows; an emergency has one")

    @app.post("/v1/echo")
    def echo(body: MatchRequest) -> str:
        return str(body.now)

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize("problem", EVERY, ids=lambda one: one.slug)
def test_every_kind_has_a_title_in_both_languages(problem: errors.Problem) -> None:
    assert title(problem.slug, "en") == problem.title
    assert HAN.search(title(problem.slug, "zh"))


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize(("asked", "han"), [("zh-CN, en;q=0.5", True), ("en", False), ("", False)])
def test_errors_come_in_the_language_asked_for(client: TestClient, name: str, asked: str, han: bool) -> None:
    answer = client.get(f"/fail/{name}", headers={"accept-language": asked})
    body = answer.json()
    assert bool(HAN.search(body["title"])) == bool(HAN.search(body["detail"])) == han
    assert answer.headers["content-language"] == ("zh" if han else "en")
    assert answer.headers["vary"] == "accept-language"
    assert "t-1" in body["detail"]


@pytest.mark.parametrize(
    "content",
    [
        b"{", b"\xff", b"[]", b"{}", b'{"datum": "x"}', b"x" * 20_000,
        b'{"datum": "wgs84", "now": "2026-03-04T12:00:00", "riders": [], "tasks": []}',
        b'{"datum": "wgs84", "now": "noon", "riders": {}, "tasks": [{"task_id": 1}]}',
    ],
)  # fmt: skip
def test_bad_bodies_are_told_in_chinese(client: TestClient, content: bytes) -> None:
    headers = {"accept-language": "zh", "content-type": "application/json"}
    body = client.post("/v1/echo", content=content, headers=headers).json()
    for text in (body["title"], body["detail"], *(one["detail"] for one in body.get("errors", []))):
        assert HAN.search(text), text


@pytest.mark.parametrize(
    "content",
    [
        b'{"datum" 1}', b'{"datum": 1 "a": 2}', b'{"datum": }', b"{1: 2}", b"{} x", b'{"datum": "w',
        b'{"a": "\x01"}', b'{"a": "\\q"}', b'{"a": "\\uXY"}',
    ],
)  # fmt: skip
def test_what_is_no_json_is_told_without_english(client: TestClient, content: bytes) -> None:
    headers = {"accept-language": "zh", "content-type": "application/json"}
    (told,) = client.post("/v1/echo", content=content, headers=headers).json()["errors"]
    assert not re.search(r"[a-z]{3,}", told["detail"]), told


def test_other_refusals_are_told_in_chinese(client: TestClient) -> None:
    headers = {"accept-language": "zh", "content-type": "application/json"}
    asked = [
        client.get("/nowhere", headers=headers),
        client.get("/v1/echo", headers=headers),
        client.post("/v1/echo", content=b"{}", headers={**headers, "content-type": "text/plain"}),
        client.post("/v1/echo", content=b"{}", headers={**headers, "content-encoding": "br"}),
        client.post("/v1/echo", content=b"{}", headers={**headers, "content-encoding": "gzip"}),
        client.get("/fail/nothing", headers=headers),
    ]
    assert [answer.status_code for answer in asked] == [404, 405, 422, 415, 422, 500]
    for answer in asked:
        assert HAN.search(answer.json()["title"])
        assert HAN.search(answer.json()["detail"])


def test_too_much_work_is_told_in_chinese() -> None:
    app = FastAPI()
    app.add_middleware(BoundedWork, max_bytes=10, largest_bytes=10)
    bounded = app.build_middleware_stack().app  # type: ignore[attr-defined]
    while not isinstance(bounded, BoundedWork):
        bounded = bounded.app
    bounded.in_work = 10
    client = TestClient(bounded)
    answer = client.post("/", content=b"12345", headers={"accept-language": "zh"})
    assert answer.status_code == 503
    assert HAN.search(answer.json()["detail"])


def test_every_sentence_is_found_again_with_its_facts() -> None:
    texts = catalogue("en").group("problem")
    for key, text in texts.items():
        facts = {name: f"<{name}>" for name in re.findall(r"\{(\w+)\}", text)}
        told = sentence(text.format_map(facts), "zh")
        assert told == catalogue("zh").text(f"problem.{key}", **facts), key


def test_roles_are_named_in_the_language_of_the_sentence() -> None:
    """A refusal in Chinese spoke of a key with the role "rider"."""
    told = sentence("a key with the role rider cannot do this", "zh")
    assert told == "角色为“骑手”的密钥不能做这件事"
    for role in ROLES:
        assert role not in sentence(f"a key with the role {role} cannot do this", "zh")


SHOWN_ON_PAGES = ("api/http/pages", "api/http/access", "api/jobs", "api/store/access")
AT_THE_START = ("environment variable", "the package django-htmx", "no key opens this service")
NOT_TRANSLATED = ("MissingError", "NotThereError", "TypeError", "ValueError", "RuntimeError", "LedgerError")
"""Those that are told as "not found", whatever they say; errors of the program; codes."""


def _sentences() -> Iterator[tuple[str, str]]:
    """Give each sentence that a page may show, with 7 for its facts, and where it is made."""
    root = Path(__file__).resolve().parents[3]
    for path in sorted(path for folder in SHOWN_ON_PAGES for path in (root / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            made = name.endswith("Error") or name == "StoreUnavailable"
            if not made or name.startswith("_") or name in NOT_TRANSLATED:
                continue
            first = node.args[0]
            parts = first.values if isinstance(first, ast.JoinedStr) else [first]
            if all(isinstance(part, ast.Constant | ast.FormattedValue) for part in parts):
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts)
                yield text, f"{path.relative_to(root)}:{node.lineno}"


def test_every_sentence_that_a_page_shows_is_there_in_chinese() -> None:
    english = {
        where: text
        for text, where in _sentences()
        if not text.startswith(AT_THE_START) and not HAN.search(sentence(text, "zh"))
    }
    assert english == {}
