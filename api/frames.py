"""Studies from Python, for notebooks: GeoDataFrames in, GeoDataFrames out.

``import api.frames as yilu``, then ``study = yilu.study(...)`` and ``study.explore()``.
"""

import dataclasses
import functools
import html
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import geopandas
import networkx
import pandas as pd

from api.cli.simulation import day_options, figures, replay_day
from api.settings import load_settings
from api.study.finished import load_finished
from api.study.run import write_study
from api.study.studyfile.read import check_study
from geo.datum import DATUMS
from geo.errors import InputError
from geo.osm import to_osmnx
from geo.streets import StreetNetwork

__all__ = ["FinishedStudyFrames", "MapView", "open_study", "replay_policies", "study"]

_HEIGHT_PX: Final = 560
Given: TypeAlias = geopandas.GeoDataFrame | Path | str


@dataclasses.dataclass(frozen=True, slots=True)
class MapView:
    """A map that Jupyter shows; it stands alone and asks nobody for anything."""

    page: str
    height_px: int = _HEIGHT_PX

    def _repr_html_(self) -> str:
        page = html.escape(self.page)
        return (
            f'<iframe title="Yilu" srcdoc="{page}" style="width:100%;height:{self.height_px}px;border:0" '
            'sandbox="allow-scripts allow-same-origin allow-modals allow-downloads"></iframe>'
        )


class FinishedStudyFrames:
    """The result of a study as frames, in WGS-84 (EPSG:4326).

    Parameters
    ----------
    folder : Path
        What ``yilu study --out`` or `study` wrote.

    Raises
    ------
    InputError
        When the folder holds no finished study.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._finished = load_finished(self.folder)

    def __repr__(self) -> str:
        return f"<study {self.folder}: {len(self._finished.study.sites)} sites>"

    @functools.cached_property
    def summary(self) -> dict[str, Any]:
        """What ``summary.json`` says: the figures that may be published."""
        found: dict[str, Any] = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
        return found

    @property
    def network(self) -> StreetNetwork:
        """The streets."""
        return self._finished.network

    def to_osmnx(self, mode: str | None = None) -> networkx.MultiDiGraph:
        """Give the streets as a graph for OSMnx; see `geo.osm.to_osmnx`."""
        return to_osmnx(self.network, mode)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that there are; one without any feature is left out."""
        names = geopandas.list_layers(self.folder / "sites.gpkg")["name"]
        return tuple(name for name in names if name != "layer_styles")

    def layer(self, name: str) -> geopandas.GeoDataFrame:
        """Give one layer, such as ``sites``, ``grids``, ``pickups`` or ``cells``.

        Raises
        ------
        InputError
            When the study has no such layer; the sentence names those that it has.
        """
        if name not in self.layers:
            raise InputError(f"this study has no layer {name!r}: there are {', '.join(self.layers)}")
        return geopandas.read_file(self.folder / "sites.gpkg", layer=name)

    @property
    def sites(self) -> geopandas.GeoDataFrame:
        """Stations of today and suggested ones."""
        return self.layer("sites")

    def explore(self, language: str | None = None, height_px: int = _HEIGHT_PX) -> MapView:
        """Show the map of the study in Jupyter.

        Raises
        ------
        InputError
            When the study was not written in that language.
        """
        languages = self._finished.meta.languages
        wanted = language or languages[0]
        if wanted not in languages:
            raise InputError(f"this study was written in {' and '.join(languages)}, not in {wanted}")
        name = "map.html" if wanted == languages[0] else f"map.{wanted}.html"
        return MapView((self.folder / name).read_text(encoding="utf-8"), height_px)


def open_study(folder: Path | str) -> FinishedStudyFrames:
    """Open what ``yilu study`` or the demo left in a folder."""
    return FinishedStudyFrames(folder)


def study(
    streets: Path | str,
    traces: Given | Sequence[str] | Mapping[str, object],
    out: Path | str,
    *,
    datum: str,
    existing: Given | None = None,
    grids: Given | None = None,
    **keys: object,
) -> FinishedStudyFrames:
    """Run a study.

    Parameters
    ----------
    streets : path
        Map: ``.osm.pbf``, ``.osm`` ... or ``package:NAME/PATH`` inside of an installed package.
    traces : GeoDataFrame, path, list of paths, or mapping
        Points with the columns ``rider_id`` and ``time``; or trace files; or the keys of a made fleet
        (``{"riders": 24, "days": 3}``).
    out : path
        Folder for the results.
    datum : str
        Of all positions given: ``wgs84``, ``gcj02`` or ``bd09``; there is no default.
    existing : GeoDataFrame or path, optional
        Stations of today: points with the column ``name``; ``opening_hours``, ``kind`` and ``facilities``
        where they are known.
    grids : GeoDataFrame or path, optional
        Unit grids with the column ``code``; none: hexagons.
    **keys
        Any key or table of a study file: ``city="..."``, ``siting={"sites": 3}``, ``k=20``.

    Returns
    -------
    FinishedStudyFrames

    Raises
    ------
    InputError
        One sentence on what is wrong: a frame without CRS or column, or a key of the study.
    """
    if datum not in DATUMS:
        raise InputError(f"datum is {datum!r}, and has to be one of {', '.join(DATUMS)}")
    with tempfile.TemporaryDirectory(prefix="yilu-") as scratch:
        folder = Path(scratch)
        tables: dict[str, Any] = {"map": {"file": str(streets)}}
        if isinstance(traces, Mapping):
            tables["synthetic"] = {"datum": datum, **traces}
        elif isinstance(traces, geopandas.GeoDataFrame):
            tables["traces"] = [{"files": [_trace_file(traces, folder)], "datum": datum}]
        else:
            files = [traces] if isinstance(traces, str | Path) else traces
            tables["traces"] = [{"files": list(map(str, files)), "datum": datum}]
        if existing is not None:
            tables["existing"] = {"file": _place_file(existing, "existing", folder), "datum": datum}
        tables["grids"] = {"h3_resolution": 9}
        if grids is not None:
            file = _place_file(grids, "grids", folder)
            tables["grids"] = {"file": file, "datum": datum, "code_field": "code"}
        for key, value in keys.items():
            mine = tables.get(key)
            if isinstance(mine, Mapping) and isinstance(value, Mapping):
                tables[key] = {**mine, **value}
            else:
                tables[key] = value
        asked = {"title": "Yilu", "city": "-", "timezone": "Asia/Shanghai", **tables}
        write_study(check_study(asked, Path.cwd()), Path(out), load_settings())
    return FinishedStudyFrames(out)


def replay_policies(
    network: StreetNetwork, *, riders: int = 60, tasks: int = 40, hours: float = 2.0, seed: int = 1
) -> pd.DataFrame:
    """Replay a made day under each way of giving out tasks, every answer checked independently.

    Parameters
    ----------
    network : StreetNetwork
        The streets, such as those of a finished study.
    riders, tasks : int
        Size of the day.
    hours : float
        Its length.
    seed : int
        The same seed gives the same day.

    Returns
    -------
    DataFrame
        A row a policy (index): tasks served, extra minutes, late deliveries, late breaks and so on.

    Raises
    ------
    InputError
        A size outside of its range.
    YiluError
        The check found a broken promise.
    """
    proofs = replay_day(network, day_options(riders, tasks, hours, seed))
    return pd.DataFrame([figures(proof.result) for proof in proofs]).set_index("policy")


def _degrees(frame: geopandas.GeoDataFrame, name: str) -> geopandas.GeoDataFrame:
    if frame.crs is None:
        raise InputError(f"{name}: the frame has no CRS; set it (frame.set_crs(4326) where it is in degrees)")
    return frame.to_crs(4326)


def _trace_file(frame: geopandas.GeoDataFrame, folder: Path) -> str:
    lacking = [column for column in ("rider_id", "time") if column not in frame]
    if lacking:
        has = ", ".join(map(str, frame.columns))
        raise InputError(f"traces: the frame has no column {lacking[0]!r}, it has {has}; rename one")
    placed = _degrees(frame, "traces")
    kinds = set(placed.geom_type)
    if kinds - {"Point"}:
        wrong = ", ".join(sorted(map(str, kinds)))
        raise InputError(f"traces: the frame holds {wrong}, and has to hold points")
    table = placed.drop(columns=placed.geometry.name).assign(lon=placed.geometry.x, lat=placed.geometry.y)
    path = folder / "traces.parquet"
    table.to_parquet(path, index=False)
    return str(path)


def _place_file(given: Given, name: str, folder: Path) -> str:
    if not isinstance(given, geopandas.GeoDataFrame):
        return str(given)
    path = folder / f"{name}.gpkg"
    _degrees(given, name).to_file(path, driver="GPKG")
    return str(path)
