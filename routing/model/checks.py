"""Small guards shared by the frozen inputs of this room: each names the value and the allowed range."""

import datetime
import math

from geo.errors import InputError

__all__ = ["check_between", "check_choice", "check_lonlat", "check_name", "check_window", "fine_place"]


def fine_place(lonlat: tuple[float, float]) -> bool:
    """Whether `check_lonlat` has nothing to say."""
    return len(lonlat) == 2 and -180.0 <= lonlat[0] <= 180.0 and -90.0 <= lonlat[1] <= 90.0


def check_name(what: str, value: str) -> None:
    """Refuse an empty identifier."""
    if not value:
        raise InputError(f"{what} must be a text that is not empty.")


def check_lonlat(what: str, lonlat: tuple[float, float]) -> None:
    """Refuse anything but (lon, lat) in WGS-84 degrees."""
    # Asked for every stop of a city: what is fine is let through at once.
    if len(lonlat) == 2 and -180.0 <= lonlat[0] <= 180.0 and -90.0 <= lonlat[1] <= 90.0:
        return
    if len(lonlat) != 2 or not all(math.isfinite(value) for value in lonlat):
        raise InputError(f"{what} must be two finite numbers (lon, lat) in degrees, not {lonlat!r}.")
    lon, lat = lonlat
    raise InputError(f"{what} is ({lon}, {lat}); allowed are lon -180..180 and lat -90..90 degrees.")


def check_between(what: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside of the closed range, and NaN."""
    if not low <= value <= high:
        raise InputError(f"{what} is {value}; allowed is {low} to {high}.")


def check_choice(what: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a word that is not in the list."""
    if value not in allowed:
        raise InputError(f"{what} is {value!r}; allowed are {', '.join(allowed)}.")


def check_window(what: str, earliest_s: float, latest_s: float) -> None:
    """Refuse a window that ends before it begins, or NaN; infinite ends mean 'none'."""
    if earliest_s <= latest_s:
        return
    if math.isnan(earliest_s) or math.isnan(latest_s):
        raise InputError(f"{what} has a time that is not a number.")
    raise InputError(f"{what} ends at {_utc(latest_s)} before it begins at {_utc(earliest_s)}.")


def _utc(epoch_s: float) -> str:
    """Return an instant as people read it; the zone of the place is not known here."""
    try:
        return datetime.datetime.fromtimestamp(epoch_s, datetime.UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return f"{epoch_s} s"
