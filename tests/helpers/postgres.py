"""A PostgreSQL cluster for tests: made in a temporary folder, reached by a socket there, gone afterwards."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

USER = "yilu"
_SYSTEM = "/usr/lib/postgresql"


def find_binaries() -> Path | None:
    """Folder of initdb and pg_ctl: named by YILU_POSTGRES_BIN, on the PATH, or Debian's newest."""
    named = os.environ.get("YILU_POSTGRES_BIN")
    found = shutil.which("initdb")
    candidates = [Path(named)] if named else []
    candidates += [Path(found).resolve().parent] if found else []
    candidates += sorted(Path(_SYSTEM).glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next(
        (path for path in candidates if (path / "pg_ctl").is_file() and (path / "initdb").is_file()), None
    )


class Cluster:
    """A running cluster; `stop` and `start` take it away and bring it back."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.binaries, self.folder = binaries, folder
        self._made = 0

    def url(self, name: str) -> str:
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def start(self) -> None:
        options = (
            f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
            " -c max_connections=60 -c shared_buffers=32MB"
        )
        self._control("start", "-l", str(self.folder / "log"), "-o", options)

    def stop(self, mode: str = "fast") -> None:
        self._control("stop", "-m", mode)

    def create(self, template: str = "template1") -> str:
        """Make a database; returns its name."""
        self._made += 1
        name = f"yilu_{self._made}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def has_postgis(self) -> bool:
        query = "SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'"
        with psycopg.connect(self.url("postgres")) as connection:
            row = connection.execute(query).fetchone()
        return row is not None and bool(row[0])

    def _control(self, *words: str) -> None:
        run(self.binaries / "pg_ctl", "-D", str(self.folder / "data"), "-w", *words)


def run(program: Path, *words: str) -> None:
    # The server refuses to run as root; tests in a container often are.
    user = _other_user() if os.geteuid() == 0 else None
    subprocess.run(
        [str(program), *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        user=user, cwd="/", timeout=60,
    )  # fmt: skip


def _other_user() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextlib.contextmanager
def running_cluster(binaries: Path) -> Iterator[Cluster]:
    # Not below pytest's folder: the path of a socket has at most 107 letters.
    folder = Path(tempfile.mkdtemp(prefix="yilu-pg-"))
    cluster = Cluster(binaries, folder)
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _other_user())
        words = ("--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", f"--username={USER}")
        run(binaries / "initdb", "-D", str(folder / "data"), *words)
        cluster.start()
        yield cluster
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            cluster.stop("immediate")
        _kill_left(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _kill_left(folder: Path) -> None:
    """End a server that did not stop; only the one of this folder."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
