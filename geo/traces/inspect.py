"""The inspector of trace files: what each is, what came of every row, and the table to paste into a study."""

import functools
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.localtime import DAY_S, local_offset_s, zone
from geo.sentences import Sentence
from geo.traces.datum_evidence import detect_datum, moving_steps
from geo.traces.files.found import TRACK_KINDS, find_files
from geo.traces.files.hints import hints_of
from geo.traces.files.look import FileLook, look_at
from geo.traces.files.readers import is_foreign
from geo.traces.formats import TraceFormat
from geo.traces.points import Traces
from geo.traces.read import files_with_formats, map_traces
from geo.traces.rows.riders import Pseudonyms
from geo.traces.walking import on_foot

if TYPE_CHECKING:
    from geo.streets.network import StreetNetwork

__all__ = [
    "Inspection",
    "check_headers",
    "inspect_file",
    "paste_table",
    "quoted_path",
    "trace_files",
    "traces_tables",
]

_SAMPLED: Final = 200_000
_WALKING_INTERVAL_S: Final = 15.0
"""Speeds tell walking from riding where points are no further apart."""
_UNITS: Final = ("e5", "e6", "e7", "ddmm")


@dataclass(frozen=True, slots=True)
class Inspection:
    """One file, read to its end."""

    look: FileLook
    read: int = 0
    accepted: int = 0
    rejected: Mapping[str, int] | None = None
    riders: int = 0
    days: int = 0
    median_interval_s: float | None = None
    walked_share: float | None = None
    """Share of the points on foot, an estimate; None where points are too far apart to tell."""
    datum_evidence: str = ""
    datum: str | None = None
    """What the streets say, where that is clear; else what the names of its columns say."""
    inside_share: float | None = None
    """Share of the points with a position that lie on the map, if one was given."""
    hints: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()


class _Figures(NamedTuple):
    """What one part of a file adds up to."""

    riders: int
    days: set[int]
    steps_s: NDArray[np.int64]
    walked: int
    traces: Traces


def _figures(traces: Traces, where: ZoneInfo) -> _Figures:
    steps = np.diff(traces.t_s)[np.diff(traces.rider) == 0]
    offset = local_offset_s(traces.t_s, where)
    days = set(np.unique((traces.t_s + offset) // DAY_S).tolist())
    return _Figures(len(traces.pseudonyms), days, steps[:_SAMPLED], int(on_foot(traces).sum()), traces)


def inspect_file(path: Path, trace_format: TraceFormat, network: "StreetNetwork | None" = None) -> Inspection:
    """Say what a trace file is and what came of its rows.

    Parameters
    ----------
    path
        One file.
    trace_format
        What is known of it already; its datum is taken as said and only compared with the streets.
    network
        Streets of the city, for the evidence about the datum and the share of points on the map.
    """
    look = look_at(path, trace_format)
    form = replace(look.form or trace_format, datum="wgs84")
    if look.problem:
        return Inspection(look, hints=hints_of(path, form, list(look.times)))
    try:
        # Nothing of the pseudonyms is kept, so their key may be any.
        figures = functools.partial(_figures, where=zone(form.timezone or "UTC"))
        mapped = map_traces(path, form, figures, pseudonyms=Pseudonyms(secrets.token_bytes(16)))
    except InputError as error:
        return Inspection(replace(look, said=error.said), hints=hints_of(path, form, list(look.times)))
    account = mapped.accounts[0]
    days = set().union(*(value.days for value in mapped.values))
    joined = np.concatenate([value.steps_s for value in mapped.values] or [np.zeros(0, np.int64)])
    interval_s = float(np.median(joined)) if len(joined) else None
    dense = interval_s is not None and interval_s <= _WALKING_INTERVAL_S
    found = Inspection(
        look=look,
        read=account.read,
        accepted=account.accepted,
        rejected=dict(account.rejected),
        riders=sum(value.riders for value in mapped.values),
        days=len(days),
        median_interval_s=interval_s,
        walked_share=sum(value.walked for value in mapped.values) / account.accepted if dense else None,
        datum=look.datum,
        hints=hints_of(path, form, list(look.times)),
        skipped=mapped.skipped,
    )
    if network is None or not account.accepted:
        return found
    return _with_map(found, [value.traces for value in mapped.values], network)


def _with_map(found: Inspection, parts: list[Traces], network: "StreetNetwork") -> Inspection:
    rider = np.concatenate([p.rider + 1_000_000 * i for i, p in enumerate(parts)]).astype(np.int64)
    t_s = np.concatenate([p.t_s for p in parts])
    lonlat = np.concatenate([p.lonlat for p in parts])
    west, south, east, north = network.bounds
    inside = (
        (lonlat[:, 0] >= west) & (lonlat[:, 0] <= east) & (lonlat[:, 1] >= south) & (lonlat[:, 1] <= north)
    )
    index, step_m = moving_steps(rider, t_s, lonlat)
    evidence = detect_datum(lonlat[index], network, step_m=step_m)
    return replace(
        found,
        datum=evidence.datum or found.datum,
        datum_evidence=evidence.text,
        inside_share=float(inside.mean()),
    )


def trace_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files meant by some paths: folders and patterns opened, as a study would."""
    return list(find_files(paths).files)


def check_headers(paths: Sequence[Path], trace_format: TraceFormat | Sequence[TraceFormat]) -> None:
    """Find every file and read the header of its table, so that work is not begun in vain.

    Raises
    ------
    InputError
        If a file is not there or its columns are not clear.
    """
    files, formats, _ = files_with_formats(paths, trace_format)
    for path, form in zip(files, formats, strict=True):
        said = look_at(path, form).said
        if said:
            raise InputError(said)


def paste_table(path: Path, found: Inspection, language: str = "en") -> str:
    """Return the ``[[traces]]`` table of a file for a study; what has to be decided stands as a comment."""
    return _table([quoted_path(path)], [found], found.datum, language)


def traces_tables(
    found: Sequence[tuple[Path, Inspection]], roots: Sequence[Path], folder: Path, language: str = "en"
) -> str:
    """Return the ``[[traces]]`` tables of a study: files that are alike stand in one, and are asked together.

    Parameters
    ----------
    found
        What was found in each file.
    roots
        What the files were found by: a folder that is one table throughout is named itself.
    folder
        Where the study file lies; paths are relative to it.
    language
        ``zh`` or ``en``: that of the comments.

    Raises
    ------
    InputError
        If none of the files holds traces.
    """
    alike: dict[tuple[object, ...], list[tuple[Path, Inspection]]] = {}
    foreign: list[Path] = []
    for path, one in found:
        look = one.look
        if look.problem and is_foreign(path, look.form or TraceFormat(datum="auto")):
            foreign.append(path)
            continue
        units = tuple(code for code in one.hints if code in _UNITS)
        problem = look.problem.removeprefix(look.file)
        alike.setdefault((look.kind, look.keys, look.columns, units, problem), []).append((path, one))
    if not alike:
        raise InputError(Sentence.of("trace_no_traces", roots_0=str(roots[0])))
    groups = [group for whole in alike.values() for group in _by_datum(whole)]
    tables = []
    for datum, group in groups:
        whole = len(groups) == 1 and all(root.is_dir() for root in roots)
        names = [quoted_path(path, folder) for path in (roots if whole else [path for path, _ in group])]
        tables.append(_table(names, [one for _, one in group], datum, language))
    tables += [_comment(f"{quoted_path(p, folder)}: {_COMMENTS[language]['foreign']}") for p in foreign]
    return "\n\n".join(tables)


def _by_datum(
    group: list[tuple[Path, Inspection]],
) -> list[tuple[str | None, list[tuple[Path, Inspection]]]]:
    """Part files that clearly lie in different datums; where the clear ones agree, the others follow."""
    clear = sorted({one.datum for _, one in group if one.datum is not None})
    if len(clear) <= 1:
        return [(clear[0] if clear else None, group)]
    parts = [(datum, [(p, one) for p, one in group if one.datum == datum]) for datum in (*clear, None)]
    return [(datum, part) for datum, part in parts if part]


def quoted_path(path: Path, folder: Path | None = None) -> str:
    """Return a path as a string of TOML, relative to a folder where one is given."""
    if folder is not None:
        try:
            path = Path(os.path.relpath(path.resolve(), folder.resolve()))
        except ValueError:  # another drive of Windows
            path = path.resolve()
    # A basic string of TOML is one of JSON, but for this one character.
    return json.dumps(path.as_posix(), ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    """Return a line that cannot become a key, whatever a file is called."""
    return "# " + " ".join(text.split())


_COMMENTS: Final = {
    "en": {
        "named": "as the names of its columns say",
        "datum": "or as the platform says: wgs84, gcj02, bd09",
        "rider": 'or "{rider}_*.gpx", or "file": each file is another rider',
        "year": "its dates have none",
        "foreign": "not read, it has no columns of traces",
        "fits": "{ours} is {chosen}; {theirs} would fit, too: columns = {{ {ours} = ... }}",
    },
    "zh": {
        "named": "按列名所写",
        "datum": "或按平台说明：wgs84、gcj02、bd09",
        "rider": '或 "{rider}_*.gpx"，或 "file"：每个文件是另一位骑手',
        "year": "其日期没有年份",
        "foreign": "没有读取，其中没有轨迹的列",
        "fits": "{ours} 取 {chosen}；{theirs} 也合适：columns = {{ {ours} = ... }}",
    },
}
"""What the table says beside its keys."""


def _table(names: Sequence[str], found: Sequence[Inspection], datum: str | None, language: str = "en") -> str:
    first, said = found[0], _COMMENTS[language]
    lines = ["[[traces]]", f"files = [{', '.join(names)}]"]
    if datum is not None:
        lines.append(f'datum = "{datum}"')
        if first.look.datum == datum:
            lines[-1] += f"  # {said['named']}"
        lines += [_comment(one.datum_evidence) for one in found if one.datum == datum and len(found) > 1][:1]
    else:
        lines.append(f'datum = "auto"  # {said["datum"]}')
    lines += [f"{key} = {value}" for key, value in first.look.keys]
    if first.look.kind in (*TRACK_KINDS, "plt", "zip"):
        # Several files of one person must not become several riders by pasting.
        lines.append(f'# rider = "folder"  # {said["rider"]}')
    lines += [f'# position_unit = "{unit}"' for unit in first.hints if unit in _UNITS]
    if "no_year" in first.hints:
        lines.append(f"# year = ...  # {said['year']}")
    chosen = dict(first.look.columns)
    lines += [
        _comment(said["fits"].format(ours=ours, chosen=chosen[ours], theirs=theirs))
        for ours, theirs in first.look.alternatives
    ]
    if first.look.problem:
        problem = first.look.said
        lines.append(_comment(problem if isinstance(problem, str) else problem.text(language)))
    return "\n".join(lines)
