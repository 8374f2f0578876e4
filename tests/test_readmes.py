"""README.md and README.zh.md say the same, part by part: what changes in one has to change in the other."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from api.http.access.auth import Caller
from api.http.pages.frame.menu import menu_of
from api.http.pages.frame.visitor import Visitor
from api.store import Role, Scope

ROOT = Path(__file__).resolve().parents[1]
ENGLISH, CHINESE = ("README.md", "README.zh.md")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(?<=\S)\s+# .*")
"""What stands behind code; a key that is commented out begins the line and is code."""
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
NUMBER = re.compile(r"(?<![A-Za-z0-9_.])\d+(?:[.,]\d+)*")
Part = tuple[str, object]


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _headings(text: str) -> list[str]:
    return re.findall(r"^(#+ .*)$", BLOCK.sub("", text), re.MULTILINE)


def _anchor(heading: str) -> str:
    """The name that GitHub gives a heading."""
    return "#" + re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower()).replace(" ", "-")


def _paragraph(text: str, anchors: list[str]) -> Part:
    """What does not depend on the language: code, where links lead, numbers, how often there is emphasis."""
    links = Counter(
        f"section {anchors.index(link)}" if link.startswith("#") else link for link in LINK.findall(text)
    )
    prose = LINK.sub("", CODE.sub("", text))
    return "text", (Counter(CODE.findall(text)), links, Counter(NUMBER.findall(prose)), prose.count("**"))


def _parts(text: str) -> Iterator[Part]:
    """Headings, blocks, rows of tables and paragraphs, in their order, without what is said in words."""
    anchors = [_anchor(heading) for heading in _headings(text)]
    blocks = iter(BLOCK.findall(text))
    for paragraph in re.split(r"\n{2,}", BLOCK.sub("\0", text).strip()):
        if paragraph == "\0":
            kind, code = next(blocks)
            yield f"block {kind}", [COMMENT.sub(" #", line) for line in code.splitlines()]
        elif paragraph.startswith("#"):
            yield "heading", paragraph.split(" ")[0]
        elif paragraph.startswith("|"):
            for row in paragraph.splitlines():
                yield f"row of {row.count('|')}", _paragraph(row, anchors)
        else:
            yield _paragraph(paragraph, anchors)


def _without_switch(text: str) -> str:
    """Drop the line that leads to the other language."""
    title, switch, rest = text.split("\n\n", 2)
    assert switch in ("English | [中文](README.zh.md)", "[English](README.md) | 中文")
    return f"{title}\n\n{rest}"


def _differences(english: str, chinese: str) -> list[tuple[Part, Part]]:
    pairs = zip(_parts(_without_switch(english)), _parts(_without_switch(chinese)), strict=True)
    return [(one, other) for one, other in pairs if one != other]


def test_both_say_the_same() -> None:
    assert _differences(_text(ENGLISH), _text(CHINESE)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n## The study file\n", "\n### The study file\n"),
        ("| find the nearest open station |", "| one more | `yilu` |\n| find the nearest open station |"),
        ("`yilu traces FILE...`", "`yilu trace FILE...`"),
        ("(#the-live-service)", "(#pages)"),
        ("(docs/zh/how-to/platform.md)", "(docs/guide.md)"),
        ("\nseed = 1 ", "\nseed = 2 "),
        ('# plan = "balanced" ', '# plan = "fairest" '),
        ("limit_min = 5                   # a rest is", "limit_min = 5\n# a rest is"),
        ("curl -N -H", "curl -H"),
        ("in for 12 hours", "in for 24 hours"),
        ("The integration guide has the rest.\n\n", ""),
    ],
)
def test_a_change_in_one_that_the_other_lacks_is_found(old: str, new: str) -> None:
    english = _text(ENGLISH)
    assert english.count(old) == 1
    with pytest.raises((AssertionError, ValueError)):  # ValueError: one has more parts than the other
        assert _differences(english.replace(old, new), _text(CHINESE)) == []


def test_a_comment_may_be_worded_anew() -> None:
    english = _text(ENGLISH).replace("# same input and seed: same bytes", "# other words")
    assert english != _text(ENGLISH)
    assert _differences(english, _text(CHINESE)) == []


@pytest.mark.parametrize("name", [ENGLISH, CHINESE])
def test_links_lead_somewhere(name: str) -> None:
    text = _text(name)
    anchors = [_anchor(heading) for heading in _headings(text)]
    for link in LINK.findall(BLOCK.sub("", text)):
        assert link in anchors if link.startswith("#") else (ROOT / link).is_file(), link


@pytest.mark.parametrize("name", [ENGLISH, CHINESE])
def test_every_page_of_a_menu_is_named(name: str) -> None:
    scopes = [
        Scope("t", role, ("G1",) if role == "grid_staff" else (), "r" if role == "rider" else None)
        for role in get_args(Role)
    ]
    callers = [None, *(Caller(scope, "key") for scope in scopes)]
    visitors = [Visitor("en", caller, "", "/", "/", new=False) for caller in callers]
    named = set(CODE.findall(_text(name)))
    assert {address for visitor in visitors for _, address, _ in menu_of(visitor)} <= named


def test_the_chinese_one_is_in_chinese() -> None:
    """No row and no paragraph was left in English."""
    prose = CODE.sub("", BLOCK.sub("", _without_switch(_text(CHINESE))))
    for paragraph in re.split(r"\n+", prose):
        assert re.search(r"[一-鿿]", paragraph) or set(paragraph) <= set("|- \n"), paragraph
