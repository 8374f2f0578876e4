"""The calls of the README and of the integration guide run as they are printed, on the demo city."""

import datetime
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from loopback import served
from tiny_study import write_study

from api.dispatch.forms import EventOut
from api.dispatch.webhooks import message
from api.http.access.auth import open_access
from api.http.app import create_app
from api.settings import Settings
from api.store.dispatch import webhooks as hooks
from geo.osm import read_osm

ROOT = Path(__file__).resolve().parents[1]
PRINTED = "http://127.0.0.1:8000"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the example of Standard Webhooks
Block = tuple[str, str]

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def _blocks(text: str) -> list[Block]:
    return re.findall(r"^```(sh|python)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def _section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def _guides() -> list[str]:
    pages = (ROOT / "docs" / lang / "how-to" / "platform.md" for lang in ("en", "zh"))
    return [page.read_text(encoding="utf-8") for page in pages]


@pytest.fixture(scope="module")
def network_folder(tmp_path_factory: pytest.TempPathFactory, helsinki_pbf: Path) -> Path:
    folder = write_study(tmp_path_factory.mktemp("study") / "out" / "demo")
    read_osm(helsinki_pbf)[0].save(folder / "data" / "network")
    return folder


@pytest.fixture
def checkout(tmp_path: Path, network_folder: Path) -> Path:
    """A folder like a checkout after ``make demo``: the command, and the study that it made."""
    shutil.copytree(network_folder, tmp_path / "out" / "demo")
    command = tmp_path / ".venv" / "bin" / "yilu"
    command.parent.mkdir(parents=True)
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from api.cli.commands import main; main()"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return tmp_path


def _shell(text: str, folder: Path, env: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Run a block; returns what it printed and the variables that it has exported."""
    script = f"set -eu\n{text}\nenv -0 > exported"
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    pairs = (folder / "exported").read_text(encoding="utf-8").split("\0")
    return done.stdout, dict(pair.split("=", 1) for pair in pairs if pair)


@pytest.fixture
def service(checkout: Path) -> tuple[Path, dict[str, str]]:
    env = {"PATH": os.environ["PATH"], "HOME": str(checkout)}
    return checkout, env


def _started(checkout: Path) -> Any:  # noqa: ANN401 - a context manager
    settings = Settings(webhooks_private=True)
    folder = checkout / "out" / "demo"
    app = create_app(folder, settings=settings)
    now_s = datetime.datetime.now(datetime.UTC).timestamp()
    app.state.access = open_access(settings, folder, "127.0.0.1", now_s, dev=False)
    assert not app.state.access.dev
    return served(app)


def test_the_calls_of_the_readme(service: tuple[Path, dict[str, str]]) -> None:
    checkout, env = service
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (_, keys), (_, calls) = _blocks(_section(readme, "The live service"))
    _, env = _shell(keys, checkout, env)
    assert env["BLUE"].startswith("Authorization: Bearer yl_")
    with _started(checkout) as url:
        told, _ = _shell(calls.replace(PRINTED, url), checkout, env)
    assert "problem" not in told
    assert told.startswith('{"written":2,"ignored":[],"off_network":[],"warnings":[]}')
    for status in ("accepted", "done", "verified"):
        assert f'"status":"{status}"' in told
    assert '"kind":"task_verified"' in told
    assert '"secret":"whsec_' in told


def test_the_guide_from_a_key_to_an_accepted_task(
    service: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, env = service
    guides = [
        (ROOT / "docs" / lang / "how-to" / "platform.md").read_text(encoding="utf-8") for lang in ("en", "zh")
    ]
    (kind, keys), *blocks = _blocks(guides[0])
    assert _blocks(guides[1]) == [(kind, keys), *blocks]
    _, env = _shell(keys, checkout, env)
    for name in ("BLUE_KEY", "CITY_KEY"):
        monkeypatch.setenv(name, env[name])
    names: dict[str, Any] = {}
    with _started(checkout) as url:
        for kind, block in blocks:
            text = block.replace(PRINTED, url)
            if kind == "python":
                exec(compile(text, "guide", "exec"), names)  # noqa: S102 - the guide is ours
            else:
                told, _ = _shell(text, checkout, env)
                assert "problem" not in told, told
        names["blue"].close()
        names["city"].close()
    now = datetime.datetime.now(datetime.UTC)
    event = EventOut(seq="w4", at=now, kind="offer_made", id="k", rider_id="r", body={})
    hook = hooks.Webhook("w", "blue", "https://blue.example", SECRET, [], "active", 0, 0, None, 0.0)
    body, headers = message(event, hook, now.timestamp())
    assert names["received_by_us"](SECRET, headers, body) == "offer_made k"


def test_both_guides_have_the_same_parts() -> None:
    guides = [
        (ROOT / "docs" / lang / "how-to" / "platform.md").read_text(encoding="utf-8") for lang in ("en", "zh")
    ]
    shapes = [
        [line[:2] for line in guide.splitlines() if line.startswith(("#", "|", "```"))] for guide in guides
    ]
    assert shapes[0] == shapes[1]
    codes = [set(re.findall(r"`([a-z_]+)`", guide)) for guide in guides]
    assert codes[0] == codes[1]
