"""Valhalla Meili and OSRM Match, prepared and run in an environment of their own."""

import json
import os
import pathlib
import shutil
import subprocess
from types import TracebackType

from peers import peers_python

__all__ = ["MatchPeer", "engine_python", "prepare_map"]

MODULE = {"meili": "valhalla", "osrm": "osrm"}
PROFILE = {"car": "car.lua", "bike": "bicycle.lua"}
TILES = """
import json, pathlib, subprocess, sys, valhalla
folder, source = pathlib.Path(sys.argv[1]), sys.argv[2]
(folder / "tiles").mkdir(parents=True, exist_ok=True)
config = valhalla.get_config(tile_extract="", tile_dir=str(folder / "tiles"))
for key in ("tile_extract", "admin", "timezone", "landmarks", "traffic_extract", "transit_dir"):
    config["mjolnir"].pop(key, None)
config["service_limits"]["trace"].update(
    max_distance=1e7, max_shape=200000, max_gps_accuracy=100.0, max_search_radius=200.0
)
(folder / "config.json").write_text(json.dumps(config))
builder = pathlib.Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles"
command = [str(builder), "-c", str(folder / "config.json"), "-j", "1", source]
sys.exit(subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode)
"""
PLACE = "import osrm, pathlib; print(pathlib.Path(osrm.__file__).parent / 'share' / 'profiles')"


def engine_python(engine: str) -> str | None:
    """Python that can import an engine ("meili" or "osrm"), None where there is none."""
    python = os.environ.get("YILU_PEERS_PYTHON") or peers_python()
    if python is None:
        return None
    probe = subprocess.run([python, "-c", f"import {MODULE[engine]}"], capture_output=True, check=False)
    return None if probe.returncode else python


def prepare_map(engine: str, python: str, source: pathlib.Path, folder: pathlib.Path, mode: str) -> None:
    """Build what an engine needs of a map, once."""
    if (folder / "ready").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if engine == "meili":
        steps = [[python, "-c", TILES, str(folder), str(source)]]
    else:
        shutil.copy(source, folder / "map.osm.pbf")
        profiles = subprocess.run(
            [python, "-c", PLACE], capture_output=True, text=True, check=True
        ).stdout.strip()
        steps = [
            [
                python,
                "-m",
                "osrm",
                "extract",
                "-p",
                f"{profiles}/{PROFILE[mode]}",
                str(folder / "map.osm.pbf"),
            ],
            [python, "-m", "osrm", "contract", str(folder / "map.osrm")],
        ]
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{engine} could not prepare {source.name}: {done.stderr.strip()[-200:]}")
    (folder / "ready").touch()


class MatchPeer:
    """An engine in its own process; `job` as in `mapmatch_worker.py`."""

    def __init__(self, engine: str, python: str, job: pathlib.Path) -> None:
        script = pathlib.Path(__file__).with_name("mapmatch_worker.py")
        self._process = subprocess.Popen(
            [python, str(script), engine, str(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.version = self._answer()

    def __enter__(self) -> "MatchPeer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> str:
        out = self._process.stdout
        while out is not None:
            line = out.readline()
            if not line:
                break
            # Engines also talk on standard output.
            if line.strip() == "done" or line[0].isdigit():
                return line.strip()
        raise RuntimeError("the matching engine ended without an answer")

    def match(self, case: str) -> None:
        """Match all traces of a case and wait."""
        self._ask(case)

    def lines(self, case: str, file: pathlib.Path) -> list[list[list[list[float]]]]:
        """Return for each trace the lines (lon, lat) that were found."""
        self._ask(f"{case} {file}")
        found: list[list[list[list[float]]]] = json.loads(file.read_text())
        return found

    def _ask(self, request: str) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
        self._answer()
