"""Reasons and changes in words: every key that the core can give, in both languages."""

import re
from pathlib import Path
from typing import get_args

import pytest

from api.forms import Language
from api.matching.forms import RuleName
from api.matching.wording import duration_text, reason_text
from maps.texts.catalogue import LANGUAGES, catalogue
from routing.model import Said
from routing.model.results import RULES
from routing.refusal.explain import _HELP, _TIMED

ROUTING = Path(__file__).resolve().parents[3] / "routing"


def test_every_key_of_the_core_has_words() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in ROUTING.rglob("*.py"))
    used = set(re.findall(r'"((?:why|change)\.[a-z_]+)"', sources))
    assert len(used) > 20
    used |= {f"change.{what}" for what, _ in _HELP.values()} | {f"why.{name}" for name in _TIMED.values()}
    for lang in LANGUAGES:
        assert {key for key in used if key not in catalogue(lang)} == set()


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0.0004, "0 s", "0秒"),
        (0.002, "0.1 s", "0.1秒"),
        (0.3, "0.3 s", "0.3秒"),
        (9.91, "10 s", "10秒"),
        (25.0, "25 s", "25秒"),
        (58.2, "59 s", "59秒"),
        (59.2, "1 min", "1分钟"),
        (60.0, "1 min", "1分钟"),
        (90.0, "1.5 min", "1.5分钟"),
        (90.001, "1.6 min", "1.6分钟"),
        (7200.0, "120 min", "120分钟"),
    ],
)
def test_a_duration_is_never_told_shorter_than_it_is(seconds: float, english: str, chinese: str) -> None:
    assert (duration_text(seconds, "en"), duration_text(seconds, "zh")) == (english, chinese)


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "no single change is enough: the task is not for riders by e-bike; there is no rider"),
        ("zh", "任何单项更改都不够：该任务不接受电动自行车骑手；没有骑手"),
    ],
)
def test_words_of_ours_are_translated_in_the_list(lang: Language, text: str) -> None:
    said = Said("change.none", reasons=(Said.of("why.mode", mode="ebike"), Said.of("why.no_rider")))
    assert reason_text(said, lang) == text


def test_every_rule_is_known_to_the_forms() -> None:
    assert set(get_args(RuleName)) == set(RULES)
