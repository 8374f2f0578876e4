"""WGS-84, GCJ-02 and BD-09: there and back, exactly.

Phone maps in China show positions in GCJ-02 (Amap, Tencent) or BD-09 (Baidu, a second twist on top of
GCJ-02), 50-700 m (BD-09: up to 1.6 km) away from WGS-84. The forward formulas are the public ones
(Krasovsky 1940 ellipsoid; the polynomial with sines that circulates since 2013; BD-09 with its polar
twist). The closed-form inverse that everybody copies is 1-2 m wrong; here the forward formula is inverted by
fixed-point iteration, which contracts by a factor of 50 or better a step, to about a micrometre.

Where the shift applies: in mainland China, by the outline of `geo.datum.mainland`. The rectangle of the
public code (72.004-137.8347 E, 0.8293-55.8271 N) also shifts Hanoi, Seoul, Taipei, Hong Kong and Macau, whose
maps are WGS-84. Within 0.8 km (BD-09: 1.6 km) of the outline a shifted position can also be read as an
unshifted one from the other side; the mainland reading wins, so every mainland position comes back exactly. A
reader that knows its city is not in the mainland should not convert at all (`geo.traces.read` does so).

Positions are (lon, lat) in degrees, arrays (n, 2).
"""

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.datum.mainland import within_mainland_china
from geo.errors import InputError
from geo.jit import kernel

__all__ = ["DATUMS", "Datum", "from_wgs84", "in_mainland_china", "to_wgs84"]

Datum = Literal["wgs84", "gcj02", "bd09"]
DATUMS: Final[tuple[Datum, ...]] = ("wgs84", "gcj02", "bd09")

_AXIS_M = 6378245.0
_ECCENTRICITY2 = 0.00669342162296594323
_BAIDU_PI = np.pi * 3000.0 / 180.0
_STEP_DEG = 1e-9  # a last step of 0.1 mm leaves an error of about a micrometre
_MAX_STEPS = 30


@kernel
def _triple(sine: float) -> float:
    return sine * (3.0 - 4.0 * sine * sine)


@kernel
def _to_gcj02(lon: float, lat: float) -> tuple[float, float]:
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(abs(x))
    # Three of the sines are of three times an angle: sin 3a = 3 sin a - 4 sin^3 a.
    wave, x_third, y_third = np.sin(2.0 * x * np.pi), np.sin(x / 3.0 * np.pi), np.sin(y / 3.0 * np.pi)
    both = (20.0 * _triple(wave) + 20.0 * wave) * 2.0 / 3.0
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + both
    d_lat += (20.0 * _triple(y_third) + 40.0 * y_third) * 2.0 / 3.0
    d_lat += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + both
    d_lon += (20.0 * _triple(x_third) + 40.0 * x_third) * 2.0 / 3.0
    d_lon += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    rad = lat / 180.0 * np.pi
    sine = np.sin(rad)
    magic = 1.0 - _ECCENTRICITY2 * sine * sine
    root_magic = np.sqrt(magic)
    meridian = _AXIS_M * (1.0 - _ECCENTRICITY2) / (magic * root_magic)
    parallel = _AXIS_M / root_magic * np.cos(rad)
    return lon + d_lon * 180.0 / (parallel * np.pi), lat + d_lat * 180.0 / (meridian * np.pi)


@kernel
def _twist(lon: float, lat: float) -> tuple[float, float]:
    """GCJ-02 to BD-09."""
    z = np.sqrt(lon * lon + lat * lat) + 0.00002 * np.sin(lat * _BAIDU_PI)
    theta = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU_PI)
    return z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006


@kernel
def _untwist(lon: float, lat: float) -> tuple[float, float]:
    x, y = lon - 0.0065, lat - 0.006
    for _ in range(_MAX_STEPS):
        u, v = _twist(x, y)
        x += lon - u
        y += lat - v
        if abs(lon - u) < _STEP_DEG and abs(lat - v) < _STEP_DEG:
            break
    return x, y


@kernel
def _shift_all(
    lonlat: NDArray[np.float64], inside: NDArray[np.bool_], baidu: bool, out: NDArray[np.float64]
) -> None:
    for i in range(len(lonlat)):
        x, y = lonlat[i, 0], lonlat[i, 1]
        if inside[i]:
            x, y = _to_gcj02(x, y)
            if baidu:
                x, y = _twist(x, y)
        out[i, 0], out[i, 1] = x, y


@kernel
def _unshift_all(lonlat: NDArray[np.float64], baidu: bool, out: NDArray[np.float64]) -> None:
    for i in range(len(lonlat)):
        lon, lat = lonlat[i, 0], lonlat[i, 1]
        if baidu:
            lon, lat = _untwist(lon, lat)
        x, y = lon, lat
        for _ in range(_MAX_STEPS):
            u, v = _to_gcj02(x, y)
            x += lon - u
            y += lat - v
            if abs(lon - u) < _STEP_DEG and abs(lat - v) < _STEP_DEG:
                break
        out[i, 0], out[i, 1] = x, y


def _positions(lonlat: ArrayLike) -> NDArray[np.float64]:
    array = np.ascontiguousarray(lonlat, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise InputError(f"positions must be an array of shape (n, 2), lon then lat, not {array.shape}")
    return array


def _checked(datum: str, allowed: Sequence[str] = DATUMS) -> str:
    if datum not in allowed:
        raise InputError(f"unknown datum {datum!r}: it must be one of {', '.join(allowed)}")
    return datum


def in_mainland_china(lonlat: ArrayLike) -> NDArray[np.bool_]:
    """Tell which positions, (n, 2) WGS-84 degrees, lie where maps are shifted.

    Raises
    ------
    InputError
        If the shape is not (n, 2).
    """
    return within_mainland_china(_positions(lonlat))


def from_wgs84(lonlat: ArrayLike, datum: str) -> NDArray[np.float64]:
    """Shift WGS-84 positions into another datum.

    Parameters
    ----------
    lonlat
        (n, 2) WGS-84 degrees. Positions outside mainland China, and NaN, come back as they are.
    datum
        ``wgs84``, ``gcj02`` or ``bd09``.

    Returns
    -------
    numpy.ndarray
        A new (n, 2) array in degrees of the datum.

    Raises
    ------
    InputError
        If the shape or the datum is none of these.
    """
    array = _positions(lonlat)
    out = np.array(array)
    if _checked(datum) != "wgs84" and len(array):
        inside = within_mainland_china(array)
        if inside.any():
            _shift_all(array, inside, datum == "bd09", out)
    return out


def place_from_wgs84(lonlat: tuple[float, float], datum: str) -> tuple[float, float]:
    """Shift one WGS-84 position into another datum, as `from_wgs84` does many."""
    ((lon, lat),) = from_wgs84(np.array([lonlat]), datum).tolist()
    return lon, lat


def place_to_wgs84(lonlat: tuple[float, float], datum: str) -> tuple[float, float]:
    """Bring one position of a datum back to WGS-84, as `to_wgs84` does many."""
    ((lon, lat),) = to_wgs84(np.array([lonlat]), datum).tolist()
    return lon, lat


def to_wgs84(lonlat: ArrayLike, datum: str) -> NDArray[np.float64]:
    """Bring positions of a datum back to WGS-84, to about a micrometre.

    Parameters
    ----------
    lonlat
        (n, 2) degrees in `datum`. Positions whose origin is not in mainland China, and NaN,
        come back as they are.
    datum
        ``wgs84``, ``gcj02`` or ``bd09``.

    Returns
    -------
    numpy.ndarray
        A new (n, 2) array in WGS-84 degrees.

    Raises
    ------
    InputError
        If the shape or the datum is none of these.
    """
    array = _positions(lonlat)
    if _checked(datum) == "wgs84" or not len(array):
        return np.array(array)
    out = np.empty_like(array)
    _unshift_all(array, datum == "bd09", out)
    outside = ~within_mainland_china(out)
    out[outside] = array[outside]
    return out
