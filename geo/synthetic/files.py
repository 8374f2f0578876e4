"""A synthetic fleet as the files that platforms hand over: CSV (plain or gzip) and Parquet."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geo.errors import InputError
from geo.synthetic.made_fleet import EVENTS, SyntheticFleet

__all__ = ["to_table", "write_fleet_csv", "write_fleet_parquet"]


def to_table(fleet: SyntheticFleet, platform: str | None = None, times: str = "epoch") -> pa.Table:
    """Return the points with columns rider_id, time, lon, lat, event, platform, and accuracy where told.

    Parameters
    ----------
    fleet : SyntheticFleet
    platform : str, optional
        Only the rows of this platform.
    times : {"epoch", "iso"}
        Seconds since 1970, or ISO 8601 text in the time zone of the fleet, with the offset.

    Raises
    ------
    InputError
        For an unknown platform or kind of time.
    """
    points, options = fleet.points, fleet.options
    if times not in ("epoch", "iso"):
        raise InputError(f"times must be epoch or iso, not {times!r}")
    if platform is not None and platform not in options.platforms:
        raise InputError(f"platform must be one of {', '.join(options.platforms)}, not {platform!r}")
    of_point = fleet.rider_platform[points.rider]
    rows = slice(None) if platform is None else np.flatnonzero(of_point == options.platforms.index(platform))

    def words(index: NDArray[np.integer], table: tuple[str, ...]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(
            pa.array(index.astype(np.int32)), pa.array(table)
        ).dictionary_decode()

    time = pa.array(points.t_s[rows])
    if times == "iso":
        stamps = time.cast(pa.timestamp("s", tz=options.timezone))
        time = pc.strftime(stamps, format="%Y-%m-%dT%H:%M:%S%z")
    accuracy_column = {} if points.accuracy_m is None else {"accuracy": pa.array(points.accuracy_m[rows])}
    return pa.table(
        {
            "rider_id": words(points.rider[rows], fleet.rider_ids),
            "time": time,
            "lon": pa.array(points.lonlat[rows, 0]),
            "lat": pa.array(points.lonlat[rows, 1]),
            "event": words(points.event[rows], EVENTS),
            "platform": words(of_point[rows], options.platforms),
            **accuracy_column,
        }
    )


def write_fleet_csv(
    fleet: SyntheticFleet, path: Path, platform: str | None = None, times: str = "epoch"
) -> None:
    """Write the points as CSV in UTF-8; gzip when the name ends in ``.gz``. Same fleet, same bytes.

    Parameters
    ----------
    fleet, platform, times
        As in `to_table`.
    path : Path
    """
    table = to_table(fleet, platform, times)
    options = pa_csv.WriteOptions(quoting_style="needed")
    if path.suffix == ".gz":
        # The name and the time of writing stay out of the file.
        with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=4, fileobj=raw, mtime=0) as file:
            pa_csv.write_csv(table, file, options)
    else:
        pa_csv.write_csv(table, path, options)


def write_fleet_parquet(
    fleet: SyntheticFleet, path: Path, platform: str | None = None, times: str = "epoch"
) -> None:
    """Write the points as Parquet (zstd); arguments as in `write_fleet_csv`. Same fleet, same bytes."""
    pq.write_table(to_table(fleet, platform, times), path, compression="zstd", row_group_size=1_000_000)
