"""The study file: one TOML file that names the inputs and the study_settings of one study.

Every value is checked here, once. A bad one is refused with a sentence that names the file, the key, and
what is allowed. Paths are relative to the study file; ``package:NAME/PATH`` names a file inside an installed
Python package. The keys stand in `api.study.studyfile.tables`.
"""

import importlib.util
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import annotated_types
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from api.forms import Language
from api.study.studyfile.tables import StudyFile
from geo.errors import InputError
from geo.sentences import Fact, Sentence, texts

__all__ = ["built_in", "check_study", "language_of", "load_study_file"]

PACKAGE = "package:"


def built_in(name: str = "helsinki") -> Path:
    """Return the path of a study file that ships with Yilu."""
    return Path(__file__).parents[1] / "studies" / f"{name}.toml"


def language_of(path: Path) -> Language | None:
    """Return the language that a study file names, also one that cannot be used; None where it names none."""
    try:
        named = tomllib.loads(path.read_bytes().decode("utf-8-sig")).get("language")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    return next((language for language in get_args(Language) if language == named), None)


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
        raise InputError(Sentence.of("study_no_file", path=str(path))) from None
    except OSError as error:
        why = (error.strerror or "input error").lower()
        raise InputError(Sentence.of("study_unreadable", path=str(path), why=why)) from None
    except UnicodeDecodeError as error:
        raise InputError(Sentence.of("study_not_utf8", path=str(path), at=error.start)) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(Sentence.of("study_not_toml", path=str(path), why=str(error))) from None
    try:
        return _checked(raw, path.resolve().parent)
    except ValidationError as error:
        raise InputError(Sentence.of("in_file", file=str(path), what=_sentence(error))) from None


def check_study(raw: Mapping[str, Any], folder: Path) -> StudyFile:
    """Check what a study file would hold; paths are relative to `folder`.

    Raises
    ------
    InputError
        When a value is not allowed: the sentence names the key and the allowed values.
    """
    try:
        return _checked(raw, folder)
    except ValidationError as error:
        raise InputError(_sentence(error)) from None


def _checked(raw: Mapping[str, Any], folder: Path) -> StudyFile:
    return StudyFile.model_validate(_place_files(raw, folder))


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
        placed = {**table, "file": _place(table["file"], folder)}
        if isinstance(table.get("check_ins"), str):
            placed["check_ins"] = _place(table["check_ins"], folder)
        return placed
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
        raise InputError(Sentence.of("study_package", name=name, package=package))
    return str(Path(spec.origin).parent / inside)


def _sentence(error: ValidationError) -> Sentence:
    """Return one sentence for the first bad value, and how many more there are."""
    errors = error.errors()
    first = errors[0]
    location = first["loc"]
    key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in location).lstrip(".")
    kind = first["type"]
    if kind == "missing":
        told = Sentence.of("study_missing", key=key)
    elif kind == "extra_forbidden":
        told = Sentence.of("study_unknown", key=key)
    elif kind == "value_error":
        reason = _reason(first["ctx"]["error"])
        told = Sentence.of("study_key", key=key, what=reason) if key else reason
    else:
        told = Sentence.of("study_value", key=key, what=_wrong(first), got=repr(first["input"]))
    known = _siblings(location) if kind == "extra_forbidden" else _allowed(location)
    if known:
        told = Sentence.of("study_allowed", what=told, allowed=known)
    return Sentence.of("study_more", what=told, count=len(errors) - 1) if len(errors) > 1 else told


def _reason(error: Exception) -> Sentence:
    """Return what a check of our own says."""
    said = error.said if isinstance(error, InputError) else str(error)
    return said if isinstance(said, Sentence) else Sentence.of("study_said", said=said)


def _wrong(error: ErrorDetails) -> Sentence:
    """Return what the library says of a value, by its kind of error; what is not known stays as it is."""
    key = f"study_{error['type']}"
    if key not in texts("en"):
        return Sentence.of("study_said", said=f"{error['msg'][:1].lower()}{error['msg'][1:]}")
    facts: dict[str, Fact] = {
        name: f"{fact:g}" if isinstance(fact, float) else str(fact)
        for name, fact in error.get("ctx", {}).items()
    }
    if "expected" in facts:
        *others, last = re.split(", | or ", str(facts["expected"]))
        facts["expected"] = Sentence.of("trace_either", a=", ".join(others), b=last) if others else last
    return Sentence.of(key, **facts)


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


def _allowed(location: tuple[int | str, ...]) -> str | Sentence:
    """Return the allowed values of one key, from its declaration."""
    steps = list(_models(location))
    info = steps[-1][1] if steps else None
    if info is None:
        return ""
    return _range_of(info.annotation, tuple(info.metadata))


def _range_of(annotation: object, metadata: tuple[object, ...]) -> str | Sentence:
    low: str | Sentence = ""
    high = ""
    for bound in metadata:
        if isinstance(bound, annotated_types.Ge):
            low = f"{bound.ge}"
        elif isinstance(bound, annotated_types.Gt):
            low = Sentence.of("study_above", low=str(bound.gt))
        elif isinstance(bound, annotated_types.Le):
            high = f"{bound.le}"
    if low and high:
        return Sentence.of("study_range", low=low, high=high)
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
