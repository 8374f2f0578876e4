"""Directives that write the reference from the program: commands, study file, calls, refusals."""

import inspect
import re
import tempfile
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_FIELD = r"^    (\w+):[^\n]*(?:\n        [^\n]*|\n    \)[^\n]*)*?\n    \"\"\"(.*?)\"\"\""
METHODS = ("get", "put", "post", "patch", "delete")


def _line(text: object) -> str:
    """One line that breaks no table and starts no role."""
    return re.sub(r"\s+", " ", str(text or "")).replace("|", "\\|").replace("<", "\\<").strip()


def commands() -> Iterator[str]:
    """Each command with its help and options."""
    from api.cli.commands import yilu

    group = typing.cast("click.Group", yilu)
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.commands[name]
        yield f"## yilu {name}\n"
        pages = [(f"yilu {name}", command)]
        if isinstance(command, click.Group):
            pages = [(f"yilu {name} {sub}", one) for sub, one in sorted(command.commands.items())]
            yield f"{_line(command.help)}\n"
        for path, one in pages:
            yield f"`{path} {' '.join(one.collect_usage_pieces(context))}`\n\n{_line(one.help)}\n"
            options = [p for p in one.params if isinstance(p, click.Option) and not p.hidden]
            if options:
                yield "| option | what it does |\n|---|---|"
                for option in options:
                    names = ", ".join(f"`{o}`" for o in (*option.opts, *option.secondary_opts))
                    yield f"| {names} | {_line(option.help)} |"
                yield ""


def _fields(source: str) -> dict[str, str]:
    """Return the docstrings that stand below fields."""
    return dict(re.findall(_FIELD, source, re.MULTILINE | re.DOTALL))


def study_file() -> Iterator[str]:
    """Each table of a study file with its keys."""
    from api.study.studyfile import tables

    for name in sorted(tables.__all__, key=lambda name: name != "StudyFile"):
        table = getattr(tables, name)
        words = _fields(inspect.getsource(table))
        schema = table.model_json_schema()
        said = inspect.getdoc(table) or name
        title = re.match(r"``(.*?)``", said)
        yield f"## {title.group(1) if title else said.splitlines()[0]}\n\n{said}\n"
        yield "| key | what is allowed | default | meaning |\n|---|---|---|---|"
        for key, one in schema["properties"].items():
            default = one.get("default")
            shown = "" if default is None or isinstance(default, dict) else f"`{_line(default)}`"
            yield f"| `{key}` | {_line(_allowed(one))} | {shown} | {_line(words.get(key))} |"
        yield ""


def _allowed(said: dict[str, typing.Any]) -> str:
    """Say what a key may hold, from its JSON schema."""
    if "enum" in said:
        return ", ".join(f"`{value}`" for value in said["enum"])
    if "$ref" in said:
        return said["$ref"].rsplit("/", 1)[-1]
    if "anyOf" in said:
        return " or ".join(_allowed(one) for one in said["anyOf"] if one.get("type") != "null")
    limits = (("minimum", ">="), ("exclusiveMinimum", ">"), ("maximum", "<="), ("exclusiveMaximum", "<"))
    bounds = " ".join(f"{sign} {said[key]:g}" for key, sign in limits if key in said)
    if said.get("type") == "array":
        return f"list of {_allowed(said['items'])}" if "items" in said else "list"
    return f"{said.get('format') or said.get('type') or 'value'} {bounds}"


def calls() -> Iterator[str]:
    """Each call of the API with parameters, bodies and answers, from the OpenAPI document."""
    from tiny_study import write_study

    from api.http.app import create_app
    from api.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        document = create_app(write_study(Path(folder) / "study"), settings=Settings()).openapi()
    by_tag: dict[str, list[tuple[str, str, dict[str, typing.Any]]]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                by_tag.setdefault((methods[method].get("tags") or ["other"])[0], []).append(
                    (method, path, methods[method])
                )
    for tag, listed in by_tag.items():
        yield f"## {tag}\n"
        for method, path, call in listed:
            yield f"### {method.upper()} {path}\n"
            yield f"{_line(call.get('summary'))}\n\n{_line(call.get('description'))}\n"
            rows = [p for p in call.get("parameters", []) if "$ref" not in p]
            if rows:
                yield "| parameter | in | meaning |\n|---|---|---|"
                yield from (f"| `{p['name']}` | {p['in']} | {_line(p.get('description'))} |" for p in rows)
                yield ""
            codes = sorted(call["responses"])
            good, bad = ([c for c in codes if (c < "4") == is_good] for is_good in (True, False))
            yield f"Answers {', '.join(good)}; refusals {', '.join(bad) or 'none'}.\n"


def problems() -> Iterator[str]:
    """Each kind of refusal."""
    from api.http.problems.errors import EVERY

    yield "| `type` | status | what it means |\n|---|---|---|"
    seen = {problem.slug: problem for problem in EVERY}
    yield from (f"| `/problems#{p.slug}` | {p.status} | {_line(p.title)} |" for p in seen.values())


class _Written(SphinxDirective):
    """A part of a page that the program writes."""

    source: ClassVar[typing.Callable[[], Iterator[str]]]

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes("\n".join(type(self).source()), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Name the directives."""
    for name, source in (
        ("commands", commands),
        ("study-file", study_file),
        ("calls", calls),
        ("problems", problems),
    ):
        app.add_directive(f"yilu-{name}", type(name, (_Written,), {"source": staticmethod(source)}))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
