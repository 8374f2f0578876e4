"""Features of a GeoJSON file, as they stand in it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geo.errors import InputError
from geo.sentences import Sentence

__all__ = ["read_features"]


def read_features(path: Path, number: Callable[[str], object] | None = None) -> list[Any]:
    """Return what stands under ``features``, unchecked; empty where there is no such list.

    Parameters
    ----------
    path : Path
        A GeoJSON file, UTF-8.
    number : callable, optional
        Makes a value of the text of each number, instead of ``int`` and ``float``.

    Raises
    ------
    InputError
        If the file cannot be read or is no JSON.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), parse_int=number, parse_float=number)
    except OSError as error:
        raise InputError(Sentence.of("no_geojson_file", path=str(path))) from error
    except (ValueError, RecursionError) as error:
        raise InputError(Sentence.of("no_geojson", file=path.name)) from error
    features = content.get("features") if isinstance(content, dict) else None
    return features if isinstance(features, list) else []
