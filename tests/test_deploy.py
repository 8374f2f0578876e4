"""Files for running the service: read as their programs would, and true to the code."""

import configparser
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli.commands import yilu
from api.http.running import DRAIN_S
from api.settings import Settings

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"


def _variables(text: str) -> set[str]:
    return set(re.findall(r"\bYILU_[A-Z_]+", text))


@pytest.mark.parametrize("name", ["compose.yml", "yilu.service", "Containerfile"])
def test_settings_that_are_named_are_read(name: str) -> None:
    known = {f"YILU_{field.upper()}" for field in Settings.model_fields}
    assert _variables((DEPLOY / name).read_text(encoding="utf-8")) <= known


def test_options_of_the_command_are_there() -> None:
    told = CliRunner().invoke(yilu, ["serve", "--help"]).output
    for name in ("yilu.service", "Containerfile"):
        given = set(
            re.findall(r"(?<=[ \"])--(?:host|port|dev)\b", (DEPLOY / name).read_text(encoding="utf-8"))
        )
        assert given
        assert not [option for option in given if option not in told]


def test_whoever_stops_the_service_waits_until_it_has_drained() -> None:
    compose = (DEPLOY / "compose.yml").read_text(encoding="utf-8")
    (grace_s,) = re.findall(r"^    stop_grace_period: (\d+)s$", compose, re.MULTILINE)
    assert int(grace_s) > DRAIN_S
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "yilu.service", encoding="utf-8")
    assert int(unit["Service"]["TimeoutStopSec"]) > DRAIN_S


def test_the_container_has_all_packages() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    assert re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE) == ["geo", "siting", "routing", "maps", "api"]
