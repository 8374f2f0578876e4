"""``yilu live``: a made day played against the real API."""

import contextlib
import datetime
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geo.errors import InputError

if TYPE_CHECKING:
    from api.live.play import DayFigures

__all__ = ["live_day", "own_service"]

COLOURS = ("blue", "yellow", "red")
STEP_S = 10.0
DAY_H = 8.0
SHOWN_S = 30.0
"""How often figures are shown at least."""


class _Clock:
    """The time of a service that stands until the day goes on."""

    def __init__(self, now: datetime.datetime) -> None:
        self.now = now

    def __call__(self) -> datetime.datetime:
        return self.now

    def go_on(self, now_s: float) -> None:
        self.now = datetime.datetime.fromtimestamp(now_s, datetime.UTC)


@click.command("live")
@click.option(
    "--study",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("out/demo"),
    show_default=True,
    help="Folder of a finished study: its streets.",
)
@click.option("--url", default=None, help="A running service on the same study [a service of its own].")
@click.option(
    "--platform-key", "platform_keys", multiple=True, help="With --url: key of a platform; may be repeated."
)
@click.option("--office-key", default=None, help="With --url: key of who publishes; none: as with --dev.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="Without --url."
)
@click.option("--riders", type=click.IntRange(1, 20_000), default=60, show_default=True)
@click.option("--tasks", type=click.IntRange(0, 20_000), default=400, show_default=True, help="Of 8 hours.")
@click.option(
    "--hours", type=click.FloatRange(0.1, 8), default=1.0, show_default=True, help="Of the 8 played."
)
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="So many times as fast as the clock; a running service keeps its own time: 1.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
def live_day(
    folder: Path,
    url: str | None,
    platform_keys: tuple[str, ...],
    office_key: str | None,
    port: int,
    **size: float,
) -> None:
    """Play a made day through the API: riders move and answer, staff publish and verify."""
    from api.client import Client
    from api.live.play import Player
    from api.study.finished import load_finished
    from routing.model import Policy
    from routing.replay import DayOptions, make_day

    if url is None and (platform_keys or office_key):
        raise InputError("--platform-key and --office-key go with --url; a service of its own needs none")
    speed = 1.0 if url is not None else size["speed"]
    network = load_finished(folder).network
    options = DayOptions(
        int(size["riders"]), int(size["tasks"]), emergencies=0, hours=DAY_H, seed=int(size["seed"])
    )
    day = make_day(network, options, Policy())
    clock = _Clock(datetime.datetime.now(datetime.UTC))
    with contextlib.ExitStack() as stack:
        if url is None:
            url, keys = stack.enter_context(own_service(folder, port, clock))
            platform_keys, office_key = keys[:-1], keys[-1]
            click.echo(f"API: {url}/docs   stop: Ctrl-C", err=True)
        platforms = [stack.enter_context(Client(url, key)) for key in platform_keys or (None,)]
        office: Client = stack.enter_context(Client(url, office_key))
        player = Player(network, day, platforms, office, clock().timestamp())
        stack.callback(player.close)
        with contextlib.suppress(KeyboardInterrupt):
            _play(player.step, clock, size["hours"] * 3600, speed)
    _show(player.figures)


def _play(step: "Callable[[float], DayFigures]", clock: _Clock, length_s: float, speed: float) -> None:
    first_s, began_s = clock().timestamp(), time.monotonic()
    shown_s = began_s
    for number in range(1, int(length_s // STEP_S) + 1):
        now_s = first_s + number * STEP_S
        time.sleep(max(began_s + number * STEP_S / speed - time.monotonic(), 0.0))
        clock.go_on(now_s)
        figures = step(now_s)
        if number % 30 == 0 or time.monotonic() - shown_s >= SHOWN_S:
            shown_s = time.monotonic()
            _show(figures)


def _show(figures: "DayFigures") -> None:
    offers, tasks = figures.offers, figures.tasks
    answered = offers["accepted"] + offers["declined"] + offers["too_late"]
    share = f"{100 * offers['accepted'] / answered:.0f}%" if answered else "-"
    extra_min = figures.extra_s / 60 / max(offers["accepted"], 1)
    at = datetime.datetime.fromtimestamp(figures.now_s, datetime.UTC).strftime("%H:%M:%SZ")
    click.echo(
        f"{at}  tasks {tasks['published']}, verified {tasks['verified']}   offers {offers['made']}: accepted"
        f" {offers['accepted']} ({share} of answers), declined {offers['declined']},"
        f" too late {offers['too_late']}, no answer {offers['unanswered']}   extra {extra_min:.1f} min a task"
        f"   deliveries {figures.deliveries}, late {figures.late}"
        + (f" ({figures.late_s:.0f} s in all)" if figures.late else "")
    )


@contextlib.contextmanager
def own_service(folder: Path, port: int, clock: _Clock) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Run a service with a database of its own; gives its address and the keys of platforms and office."""
    from api.http.access.auth import Access
    from api.http.app import create_app
    from api.http.running import server_of
    from api.settings import load_settings
    from api.store import SERVICE, Database
    from api.store.access import keys, tenants

    with tempfile.TemporaryDirectory(prefix="yilu-live-") as kept:
        settings = load_settings().model_copy(update={"rate_per_s": 1e6, "rate_burst": 1_000_000})
        database = Database(f"sqlite:///{Path(kept) / 'yilu.db'}")
        database.migrate()
        now_s, made = clock().timestamp(), []
        with database.transaction() as connection:
            for name in (*COLOURS, "city"):
                office = name == "city"
                tenant = tenants.Tenant(name, name, "office" if office else "platform", now_s)
                tenants.add(connection, SERVICE, tenant)
                wanted = keys.NewKey(name, "planner" if office else "platform")
                made.append(keys.create(connection, SERVICE, wanted, now_s)[1])
        access = Access(settings, database, dev=False)
        server = server_of(
            create_app(folder, settings=settings, access=access, clock=clock), "127.0.0.1", port
        )
        thread = threading.Thread(target=server.run, name="yilu-service", daemon=True)
        thread.start()
        while not server.started:
            if not thread.is_alive():
                raise InputError(f"port {port} is taken; name another with --port")
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", tuple(made)
        finally:
            server.should_exit = True
            thread.join(60)
            database.close()
