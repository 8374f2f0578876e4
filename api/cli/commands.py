"""The command line: ``yilu``."""

import contextlib
import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api import __version__
from api.cli.compare_plans import compare
from api.cli.error_pages import explained_at
from api.cli.language import speak, terminal_language
from api.cli.language import spoken as language_spoken
from api.cli.live_day import live_day
from api.cli.paper import pdf
from api.cli.reach_areas import reach
from api.cli.tenants import keys_group, tenants_group
from geo.errors import InputError, YiluError

if TYPE_CHECKING:
    from api.forms import Language

__all__ = ["main", "yilu"]

BAD_INPUT = 2
_SEE = {"zh": "说明见", "en": "explained in"}


class _Group(click.Group):
    """A group whose commands end with one sentence and exit code 2 on any error raised on purpose."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what click declares
        try:
            return super().invoke(ctx)
        except YiluError as error:
            from api.http.problems.texts import sentence

            language = language_spoken(ctx)
            click.echo(f"yilu: {sentence(error.text(language), language)}", err=True)
            where = explained_at(error, language, ctx.invoked_subcommand or "")
            click.echo(f"      {_SEE[language]} {where}", err=True)
            ctx.exit(BAD_INPUT)


FOLDER = click.Path(path_type=Path)
FILE = click.Path(path_type=Path)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="yilu")
def yilu() -> None:
    """Yilu: where riders' rest stations should stand, and which task goes to which rider on the way."""


@yilu.command()
@click.option(
    "--out", type=FOLDER, default=Path("out/demo"), show_default=True, help="Folder for the results."
)
@click.option(
    "--lang",
    type=click.Choice(["zh", "en"]),
    default=None,
    help="First language of map and report, and what is printed [zh, and the terminal's].",
)
def demo(out: Path, lang: "Language | None") -> None:
    """Run the built-in study: the centre of Helsinki with a made fleet."""
    from api.cli.planner_table import DEMO_COMMANDS
    from api.study.studyfile.read import built_in

    # The files are the same bytes for everybody; what is printed is for whoever sits there.
    _run_study(built_in(), out, lang, None, spoken=lang or terminal_language(), tries=DEMO_COMMANDS)


@yilu.command()
@click.argument("study_file", metavar="STUDY.toml", type=FILE)
@click.option("--out", type=FOLDER, required=True, help="Folder for the results.")
@click.option(
    "--lang", type=click.Choice(["zh", "en"]), default=None, help="Instead of the language of the study."
)
@click.option(
    "--scheduler", metavar="ADDRESS", default=None, help="Dask scheduler, such as tcp://10.0.0.5:8786."
)
def study(study_file: Path, out: Path, lang: "Language | None", scheduler: str | None) -> None:
    """Run a study: from a map and traces to stations, map and reports."""
    _run_study(study_file, out, lang, scheduler)


def _run_study(
    study_file: Path,
    out: Path,
    lang: "Language | None",
    scheduler: str | None,
    *,
    spoken: "Language | None" = None,
    tries: tuple[str, ...] = ("serve",),
) -> None:
    # Imports wait until they are needed, so that --help and a mistyped file answer at once.
    from api.cli.console import StageBars
    from api.cli.planner_table import print_study, print_way_on, stage_names
    from api.settings import load_settings
    from api.study.files import in_language
    from api.study.run import write_study
    from api.study.studyfile.read import language_of, load_study_file

    speak(spoken or lang or language_of(study_file))
    study_settings = load_study_file(study_file).with_language(lang)
    language = spoken or study_settings.language
    speak(language)
    with StageBars(stage_names(language)) as bars:
        result = write_study(
            study_settings, out, load_settings(), progress=bars.progress, scheduler=scheduler
        )
    print_study(in_language(result, study_settings, language), language)
    print_way_on(out, study_settings.file_mark(language), language, _called(), tries)


def _called() -> str:
    """Return the command as it can be typed again: in a checkout it is not on the path."""
    typed, found = Path(sys.argv[0]), shutil.which("yilu")
    if typed.stem != "yilu" or (found is not None and Path(found).resolve() == typed.resolve()):
        return "yilu"
    return shlex.quote(str(typed))


@yilu.command()
@click.option(
    "--study",
    "study_dir",
    type=FOLDER,
    default=Path("out/demo"),
    show_default=True,
    help="Folder of a finished study.",
)
@click.option(
    "--lang",
    type=click.Choice(["zh", "en"]),
    default="en",
    show_default=True,
    help="Language of reasons and changes.",
)
def match(study_dir: Path, lang: "Language") -> None:
    """Answer a match request from standard input, as POST /v1/matches does."""
    from pydantic import ValidationError

    from api.matching.forms import MatchRequest
    from api.matching.translate import answer
    from api.study.finished import load_finished

    text = sys.stdin.read()
    try:
        request = MatchRequest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/" + "/".join(str(part) for part in first["loc"])
        raise InputError(f"standard input: {where}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None
    served = load_finished(study_dir)
    click.echo(answer(served.network, request, lang).model_dump_json(indent=2))


@yilu.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="0.0.0.0: reachable from other machines."
)
@click.option("--port", type=click.IntRange(1, 65_535), default=8000, show_default=True)
@click.option("--dev", is_flag=True, help="Without keys: whoever reaches the service may do everything.")
@click.option(
    "--study",
    "named",
    metavar="NAME=DIR",
    multiple=True,
    help="A further study, shown at /s/NAME/; may be repeated.",
)
def serve(folder: Path, host: str, port: int, dev: bool, named: tuple[str, ...]) -> None:
    """Serve the map, the reports and the API of a finished study."""
    import functools
    import logging
    import threading
    import time

    from api.http.access.auth import open_access
    from api.http.app import create_app
    from api.http.offload.warm import warm_up
    from api.http.offload.workers import Workers
    from api.http.running import server_of
    from api.settings import load_settings
    from geo.jit import known_kernels

    settings = load_settings()
    app = create_app(folder, named=_named_studies(named), settings=settings)
    # After the study was found: nothing is written into a folder that holds none.
    app.state.access = open_access(settings, folder, host, time.time(), dev=dev)
    if app.state.access.dev:
        click.echo("no keys are asked for: whoever reaches this address may do everything", err=True)
    # One line for each request, with its id; no query and no body.
    requests = logging.getLogger("yilu.requests")
    requests.addHandler(logging.StreamHandler())
    requests.setLevel(logging.INFO)

    def warm() -> None:
        if workers.processes > 1 and known_kernels("routing.") == 0:
            workers.compile(folder)
        workers.warm(folder)
        warm_up(app.state.served)
        app.state.ready.set()

    app.state.workers = workers = Workers(functools.partial(create_app, settings=settings))
    # Alive at once, ready (`/readyz`) when the machine code is there.
    app.state.ready.clear()
    threading.Thread(target=warm, name="warm-up", daemon=True).start()
    click.echo(f"map: http://{host}:{port}/map   API: http://{host}:{port}/docs   stop: Ctrl-C", err=True)
    try:
        server_of(app, host, port, alone=True).run()
    finally:
        workers.stop()


def _named_studies(given: tuple[str, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for one in given:
        name, _, where = one.partition("=")
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) or not where or name in found:
            raise InputError(
                f"--study {one}: must read NAME=DIR, each NAME once, of a-z, 0-9 and - between them"
            )
        found[name] = Path(where)
    return found


@yilu.command("map")
@click.argument("file", metavar="[MAP.osm.pbf]", type=FILE, required=False)
@click.option("--place", default=None, help="Instead of a file: a place that OpenStreetMap knows.")
@click.option("--graphml", type=FILE, default=None, help="Also write the streets as GraphML, for OSMnx.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def describe_map(file: Path | None, place: str | None, graphml: Path | None, as_json: bool) -> None:
    """Say what a map holds: streets by mode, parts, gates, compounds, places; and what of it is not read."""
    import dataclasses

    from api.cli.console import print_mapping
    from geo.osm import describe, read_osm, read_place, write_graphml
    from geo.places import Places

    if file is not None and place is None:
        name, (network, places) = file.name, read_osm(file)
    elif place is not None and file is None:
        name, network = place, read_place(place)
        places = Places.empty(network.compounds)
    else:
        raise InputError("give either a map file or --place NAME")
    figures = dataclasses.asdict(describe(network, places))
    if graphml is not None:
        write_graphml(network, graphml)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        print_mapping(name, figures)


@yilu.command("traces")
@click.argument("files", metavar="FILE...", type=FILE, nargs=-1, required=True)
@click.option("--map", "map_file", type=FILE, default=None, help="Map of the city: evidence about the datum.")
@click.option("--timezone", default="Asia/Shanghai", show_default=True, help="Of times without an offset.")
@click.option("--year", type=int, default=None, help="Of dates without one.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default=None, help="Not that of the terminal.")
def describe_traces(
    files: tuple[Path, ...],
    map_file: Path | None,
    timezone: str,
    year: int | None,
    as_json: bool,
    lang: "Language | None",
) -> None:
    """Say what trace files are, and print the [[traces]] table of a study; no value is shown whole."""
    from api.cli.inspector import inspect_paths, print_inspection, record_of
    from geo.osm import read_osm
    from geo.traces import TraceFormat

    speak(lang)
    network = None if map_file is None else read_osm(map_file)[0]
    trace_format = TraceFormat(datum="auto", timezone=timezone, year=year)
    found = inspect_paths(files, trace_format, network)
    if as_json:
        records = [record_of(path, inspection) for path, inspection in found]
        click.echo(json.dumps(records, ensure_ascii=False, indent=2))
        return
    for path, inspection in found:
        print_inspection(path, inspection, lang or terminal_language())


@yilu.command("simulate")
@click.argument("file", metavar="[MAP.osm.pbf]", type=FILE, required=False)
@click.option("--riders", type=int, default=200, show_default=True)
@click.option("--tasks", type=int, default=400, show_default=True)
@click.option("--hours", type=float, default=8.0, show_default=True, help="Length of the day.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "json_file", type=FILE, default=None, help="Also write the figures to this file.")
@click.option(
    "--out", type=FOLDER, default=None, help="Also write simulate.json and the bars simulate.png there."
)
@click.option(
    "--lang", type=click.Choice(["zh", "en"]), default="en", show_default=True, help="Of the picture."
)
def simulate_day(
    file: Path | None,
    riders: int,
    tasks: int,
    hours: float,
    seed: int,
    json_file: Path | None,
    out: Path | None,
    lang: "Language",
) -> None:
    """Replay a made day under each matching policy [map: the centre of Helsinki]."""
    from api.cli.console import StageBars
    from api.cli.simulation import day_options, figures, print_days, replay_day, write_days
    from api.outputs import prepared_folder
    from api.study.studyfile.read import built_in, load_study_file
    from geo.osm import read_osm

    options = day_options(riders, tasks, hours, seed)
    network, _ = read_osm(file or Path(load_study_file(built_in()).map.file or ""))
    with contextlib.ExitStack() as stack:
        # a folder that cannot be written to is refused before the work
        folder = None if out is None else stack.enter_context(prepared_folder(out))
        with StageBars({}) as bars:
            proofs = replay_day(network, options, bars.progress)
        if folder is not None:
            write_days(proofs, folder, lang)
    print_days(proofs)
    if json_file is not None:
        rows = [figures(proof.result) for proof in proofs]
        json_file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


@yilu.command()
@click.argument("file", metavar="STUDY.toml", type=FILE)
@click.option(
    "--traces", "traces", type=FILE, multiple=True, help="Trace files or a folder: their tables are written."
)
@click.option("--map", "map_file", type=FILE, default=None, help="Map of the city.")
@click.option("--timezone", default="Asia/Shanghai", show_default=True, help="Of the city.")
def new(file: Path, traces: tuple[Path, ...], map_file: Path | None, timezone: str) -> None:
    """Write a study file to fill in: every key with its meaning, unit and default."""
    from api.cli.new_study import study_text

    if file.exists():
        raise InputError(f"{file}: is there already; name another file")
    text = study_text(file, traces, map_file, timezone, terminal_language())
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(
            f"{file}: cannot be written ({(error.strerror or 'output error').lower()})"
        ) from None
    click.echo(f"{file}: fill in {_left_open(traces, map_file)}, then: yilu study {file} --out out/study")


def _left_open(traces: tuple[Path, ...], map_file: Path | None) -> str:
    if traces and map_file is not None:
        return "the title, and look at the comments of [[traces]]"
    return " and ".join(
        word for word, given in (("the map", map_file is not None), ("the traces", bool(traces))) if not given
    )


@yilu.command()
@click.argument("name")
@click.option("--quick", is_flag=True, help="Small cases, fewer repetitions.")
@click.option("--json", "json_file", type=FILE, default=None, help="Also write the rows to this file.")
def bench(name: str, quick: bool, json_file: Path | None) -> None:
    """Measure ours and its peers side by side: streets, traces, siting, matching or service."""
    from api.cli.benchmarks import run_benchmark
    from api.cli.console import print_benchmark

    rows = run_benchmark(name, quick=quick)
    print_benchmark(rows)
    if json_file is not None:
        json_file.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


yilu.add_command(compare)
yilu.add_command(live_day)
yilu.add_command(pdf)
yilu.add_command(reach)
yilu.add_command(tenants_group)
yilu.add_command(keys_group)


def main(run: Callable[[], object] = yilu) -> None:
    """Entry point of the ``yilu`` command."""
    run()
