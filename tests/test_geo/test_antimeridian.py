"""The 180th meridian: maps and traces across it are refused in a sentence; beside it all is as elsewhere."""

from pathlib import Path

import numpy as np
import pytest
from trace_layouts import KEY, form

from geo.errors import InputError
from geo.osm import read_osm
from geo.traces import read_traces

T0 = 1_772_400_300


def osm(path: Path, lons: list[float]) -> Path:
    nodes = "".join(
        f'<node id="{n}" version="1" lon="{lon}" lat="{-16.8 + n * 1e-3}"/>' for n, lon in enumerate(lons, 1)
    )
    refs = "".join(f'<nd ref="{n}"/>' for n in range(1, len(lons) + 1))
    way = f'<way id="1" version="1">{refs}<tag k="highway" v="residential"/></way>'
    path.write_text(f'<osm version="0.6">{nodes}{way}</osm>', "utf-8")
    return path


def rows(path: Path, lons: list[float]) -> Path:
    """As in nakarte #125 and organicmaps #12447: a track in Chukotka or on Fiji."""
    lines = [f"7,{T0 + 15 * k},{lon:.5f},-16.8" for k, lon in enumerate(lons)]
    path.write_text("\n".join(["rider_id,time,lon,lat", *lines]) + "\n", "utf-8")
    return path


def test_a_map_across_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"across the 180th meridian .*-179.99 to 179.99.*take one side"):
        read_osm(osm(tmp_path / "a.osm", [179.99, -179.99]))
    network, _ = read_osm(osm(tmp_path / "b.osm", [179.98, 179.99, 180.0]))
    assert len(network.edge_u) == 1
    assert network.edge_length_m.sum() == pytest.approx(2.14e3, rel=0.02)


def test_traces_across_it_are_refused(tmp_path: Path) -> None:
    across = rows(tmp_path / "a.csv", [179.9995, 179.9999, -179.9997, -179.9993])
    with pytest.raises(InputError, match=r"a\.csv: points on both sides of the 180th meridian"):
        read_traces(across, form(), key=KEY)
    beside = rows(tmp_path / "b.csv", [179.9991, 179.9994, 179.9997, 180.0])
    assert read_traces(beside, form(), key=KEY).accounts[0].accepted == 4
    # With a map on one side, the others lie outside of it.
    account = read_traces(across, form(), key=KEY, bounds=(179.9, -17.0, 180.0, -16.0)).accounts[0]
    assert (account.accepted, dict(account.rejected)) == (2, {"outside_map": 2})


def test_degrees_beyond_180_are_none(tmp_path: Path) -> None:
    """As some apps write them when a track goes over the line."""
    account = read_traces(rows(tmp_path / "a.csv", [-179.9995, -180.0964]), form(), key=KEY).accounts[0]
    assert dict(account.rejected) == {"out_of_range": 1}
    assert np.isclose(account.accepted, 1)
