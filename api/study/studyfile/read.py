"""The study file: one TOML file that names the inputs and the study_settings of one study.

Every value is checked here, once. A bad one is refused with a sentence that names the file, the key, and
what is allowed. Paths are relative to the study file; ``package:NAME/PATH`` names a file inside an installed
Python package. The keys stand in `api.study.studyfile.tables`.
"""

import importlib.util
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import annotated_types
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from api.study.studyfile.tables import StudyFile
from geo.errors import InputError

__all__ = ["built_in", "load_study_file"]

PACKAGE = "package:"


def built_in(name: str = "helsinki") -> Path:
    """Return the path of a study file that ships with Yilu."""
    return Path(__file__).parents[1] / "studies" / f"{name}.toml"


def load_study_file(path: Path) -> StudyFile:
    """Read and check one study file.

    Parameters
    ----------
    path : Path
        The TOML file, in UTF-8.

    Returns
    -------
    StudyFile
        With every path made absolute.

    Raises
    ------
    InputError
        When the file is not there, is not TOML, or holds a value that is not allowed: the sentence names the
        file, the key and the allowed values.
    """
    try:
        raw = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({(error.strerror or 'input error').lower()})") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: is not a TOML file: {error}") from None
    try:
        study = StudyFile.model_validate(_place_files(raw, path.resolve().parent))
    except ValidationError as error:
        raise InputError(f"{path}: {_sentence(error)}") from None
    return study


def _place_files(raw: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a copy with all paths absolute; odd shapes are left for the check that follows."""
    placed: dict[str, Any] = dict(raw)
    for name in {"map", "existing", "grids"} & set(placed):
        placed[name] = _placed(placed[name], folder)
    if isinstance(placed.get("siting"), Mapping):
        siting = placed["siting"]
        files = {name: _placed(siting[name], folder) for name in ("own_sites", "forbidden") if name in siting}
        placed["siting"] = {**siting, **files}
    traces = placed.get("traces")
    if isinstance(traces, list):
        placed["traces"] = [
            {
                **table,
                "files": [_place(f, folder) if isinstance(f, str) else f for f in _as_list(table["files"])],
            }
            if isinstance(table, Mapping) and "files" in table
            else table
            for table in traces
        ]
    return placed


def _placed(table: object, folder: Path) -> object:
    if isinstance(table, Mapping) and isinstance(table.get("file"), str):
        return {**table, "file": _place(table["file"], folder)}
    return table


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]


def _place(name: str, folder: Path) -> str:
    if not name.startswith(PACKAGE):
        return str(folder / name) if name else name
    package, _, inside = name.removeprefix(PACKAGE).partition("/")
    # The package is only located: importing it could cost seconds and side effects.
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or spec.origin is None:
        raise InputError(
            f"{name}: the Python package {package} is not installed; it comes with the extra 'demo' of yilu"
        )
    return str(Path(spec.origin).parent / inside)


def _sentence(error: ValidationError) -> str:
    """Return one sentence for the first bad value, and how many more there are."""
    errors = error.errors()
    first = errors[0]
    location = first["loc"]
    key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in location).lstrip(".")
    kind = first["type"]
    if kind == "missing":
        text = f"{key}: is missing"
    elif kind == "extra_forbidden":
        text = f"{key}: is not a key of a study file"
    elif kind == "value_error":
        reason = str(first["ctx"]["error"])
        text = f"{key}: {reason}" if key else reason
    else:
        text = f"{key}: {first['msg'][:1].lower()}{first['msg'][1:]}, got {first['input']!r}"
    known = _siblings(location) if kind == "extra_forbidden" else _allowed(location)
    if known:
        text += f" (allowed: {known})"
    return text + (f"; and {len(errors) - 1} more" if len(errors) > 1 else "")


def _models(location: tuple[int | str, ...]) -> Iterator[tuple[type[BaseModel], FieldInfo | None]]:
    model: type[BaseModel] | None = StudyFile
    for part in location:
        if isinstance(part, int):
            continue
        if model is None:
            return
        info = model.model_fields.get(part)
        yield model, info
        model = _table_of(info.annotation) if info is not None else None


def _table_of(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _table_of(arg)) is not None), None)


def _siblings(location: tuple[int | str, ...]) -> str:
    steps = list(_models(location))
    return ", ".join(steps[-1][0].model_fields) if steps else ""


def _allowed(location: tuple[int | str, ...]) -> str:
    """Return the allowed values of one key, from its declaration."""
    steps = list(_models(location))
    info = steps[-1][1] if steps else None
    if info is None:
        return ""
    return _range_of(info.annotation, tuple(info.metadata))


def _range_of(annotation: object, metadata: tuple[object, ...]) -> str:
    low = high = ""
    for bound in metadata:
        if isinstance(bound, annotated_types.Ge):
            low = f"{bound.ge}"
        elif isinstance(bound, annotated_types.Gt):
            low = f"more than {bound.gt}"
        elif isinstance(bound, annotated_types.Le):
            high = f"{bound.le}"
    if low and high:
        return f"{low} to {high}"
    arguments = get_args(annotation)
    names = [argument for argument in arguments if isinstance(argument, str)]
    if names:
        return ", ".join(names)
    for argument in arguments:
        meta = getattr(argument, "__metadata__", ())
        inner = _range_of(get_args(argument)[0] if meta else argument, _flat(meta))
        if inner:
            return inner
    return ""


def _flat(metadata: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(
        part for entry in metadata for part in (entry.metadata if isinstance(entry, FieldInfo) else (entry,))
    )
