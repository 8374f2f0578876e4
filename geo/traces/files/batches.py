"""Columns of a file, whatever their types, to a `RawBatch`."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.jit import kernel
from geo.localtime import zone
from geo.traces.formats import REASONS, NumberIds, RawBatch, TraceFormat
from geo.traces.instants import ArrowArray, epoch_seconds

__all__ = ["HDOP_M", "as_numbers", "in_degrees", "make_batch"]

_MISSING_RIDER = REASONS.index("missing_rider")
_UNPARSABLE_POSITION = REASONS.index("unparsable_position")
_POOR_ACCURACY = REASONS.index("poor_accuracy")
HDOP_M: Final = 15.0
"""Metres of error (95%) for each unit of HDOP without corrections, as gpsd counts (``H_UERE_NO_DGPS``)."""
_INVALID: Final = pa.array(["false", "f", "0", "no", "n", "v", "invalid", "否", "无效", "无"])
"""What receivers write of a fix that is old or none at all; V is that of NMEA, which warns."""
_ABSENT: Final = ("", "null", "none", "nan", "na", "n/a", "\\n")
#: Of no character: such an id could be that of several riders.
_DAMAGED: Final = "\ufffd"
_ODD: Final = rf"(?i)^(?:|null|none|nan|na|n/a|\\n|=\".*)$|^[\s\pZ\pC]|[\s\pZ\pC]$|{_DAMAGED}"
_SCALES: Final = {"e5": 1e5, "e6": 1e6, "e7": 1e7}
_LOOK_ROWS: Final = 1_000
_MINUS: Final = "^\\s*[\u2212\u2013\u2012]"
"""Signs that word processors make of a hyphen before a number."""
_NUMBER: Final = r"^\s*[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d{1,3})?\s*$"


def as_numbers(column: ArrowArray) -> NDArray[np.float64]:
    """Numbers of a column, NaN where there is none."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        column = column.cast(pa.float64(), safe=False)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        try:
            column = column.cast(pa.float64())
        except pa.ArrowInvalid:
            # ="116.3" is how spreadsheets keep a text a text; a comma is that of decimals.
            column = pc.replace_substring_regex(column, pattern='^="(.*)"$', replacement=r"\1")
            column = pc.utf8_normalize(column, form="NFKC")
            column = pc.replace_substring_regex(column, pattern=_MINUS, replacement="-")
            good = pc.fill_null(pc.match_substring_regex(column, _NUMBER), False)
            text = pc.if_else(good, column, pa.scalar(None, column.type))
            text = pc.replace_substring(pc.utf8_trim_whitespace(text), pattern=",", replacement=".")
            column = text.cast(pa.float64())
    else:
        return np.full(len(column), np.nan)
    if column.null_count:
        column = pc.fill_null(column, np.nan)
    return np.asarray(column, dtype=np.float64)


def in_degrees(values: NDArray[np.float64], unit: str) -> NDArray[np.float64]:
    """Bring positions to degrees from a unit of `geo.traces.formats.POSITION_UNITS`."""
    if unit in _SCALES:
        return values / _SCALES[unit]
    if unit == "ddmm":
        whole = np.trunc(values / 100.0)
        minutes = values - 100.0 * whole
        return np.where(np.abs(minutes) < 60.0, whole + minutes / 60.0, np.nan)
    return values


def _is_clean(values: ArrowArray) -> bool:
    """Return whether texts stand for themselves: none is to be trimmed, unpacked or taken for missing."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return False
    odd = pc.match_substring_regex(values, _ODD)
    return not pc.any(pc.fill_null(odd, True)).as_py()


def _in_dictionary(column: ArrowArray) -> tuple[ArrowArray, ArrowArray]:
    """Return indices into distinct values, and these; rows of one rider mostly follow one another."""
    kind = column.type
    plain = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)
    if (
        not plain
        or column.null_count
        or len(pc.run_end_encode(column.slice(0, _LOOK_ROWS)).values) > _LOOK_ROWS // 8
    ):
        column = column.dictionary_encode()
        return column.indices, column.dictionary
    runs = pc.run_end_encode(column)
    words = runs.values.dictionary_encode()
    lengths = np.diff(np.asarray(runs.run_ends), prepend=0)
    return pa.array(np.repeat(np.asarray(words.indices), lengths)), words.dictionary


def _as_codes(column: ArrowArray) -> tuple[NDArray[np.int32], Sequence[str]]:
    """Text of a column as codes into distinct, trimmed values; -1 where there is none."""
    kind = column.type
    if not pa.types.is_dictionary(kind):
        if pa.types.is_floating(kind):
            # Ids that a spreadsheet turned into numbers: 1001.0 is 1001.
            whole = column.cast(pa.int64(), safe=False)
            same = pc.fill_null(pc.equal(whole.cast(pa.float64(), safe=False), column), False)
            column = pc.if_else(same, whole.cast(pa.string()), column.cast(pa.string()))
        indices, values = _in_dictionary(column)
    else:
        indices, values = column.indices, column.dictionary
    if pa.types.is_nested(values.type):
        return np.full(len(column), -1, np.int32), []
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        texts = [(v or b"").decode("utf-8", "replace") for v in values.to_pylist()]
    elif (pa.types.is_integer(values.type) or _is_clean(values)) and not values.null_count:
        # Files by time name every rider in every batch: nothing is to be done for each of them.
        missing = -1 if indices.null_count else None
        codes = pc.fill_null(indices.cast(pa.int32()), missing) if missing is not None else indices
        whole = pa.types.is_integer(values.type)
        ids: Sequence[str] = NumberIds(np.asarray(values)) if whole else values.to_pylist()
        return np.asarray(codes, dtype=np.int32), ids
    else:
        texts = ["" if v is None else str(v) for v in values.to_pylist()]
    distinct: dict[str, int] = {}
    table = np.full(len(texts) + 1, -1, np.int32)
    for i, text in enumerate(texts):
        clean = text.strip()
        if clean[:2] == '="' and clean[-1] == '"':
            clean = clean[2:-1].strip()
        if clean.casefold() not in _ABSENT and _DAMAGED not in clean:
            table[i] = distinct.setdefault(clean, len(distinct))
    if indices.null_count:
        indices = pc.fill_null(indices.cast(pa.int64()), len(texts))
    return table[np.asarray(indices)], list(distinct)


def _constant_codes(n: int, text: str) -> tuple[NDArray[np.int32], list[str]]:
    return np.zeros(n, np.int32), [text]


@kernel
def _flag_missing(rider: NDArray[np.int32], lonlat: NDArray[np.float64], fault: NDArray[np.uint8]) -> None:
    for i in range(len(fault)):
        if fault[i] == 0:
            if not (np.isfinite(lonlat[i, 0]) and np.isfinite(lonlat[i, 1])):
                fault[i] = _UNPARSABLE_POSITION
            elif rider[i] < 0:
                fault[i] = _MISSING_RIDER


def _is_invalid(column: ArrowArray) -> NDArray[np.bool_]:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    words = pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.string())))
    return np.asarray(pc.is_in(pc.fill_null(words, ""), value_set=_INVALID))


def make_batch(
    columns: Mapping[str, ArrowArray],
    constants: Mapping[str, str],
    row: NDArray[np.int64],
    lost: Sequence[int],
    trace_format: TraceFormat,
    name: str,
) -> RawBatch:
    """Make a batch of canonical columns; `constants` stand for columns that the file has not."""
    where = zone(trace_format.timezone) if trace_format.timezone else None
    t_s, fault = epoch_seconds(
        columns["time"],
        unit=trace_format.time_unit,
        where=where,
        year=trace_format.year,
        file=name,
        form=trace_format.time_format,
    )
    if not t_s.flags.writeable:
        # A column that pyarrow lends; numba would compile every kernel once more for it.
        t_s = t_s.copy()
    n = len(t_s)
    lonlat = np.empty((n, 2))
    lonlat[:, 0], lonlat[:, 1] = as_numbers(columns["lon"]), as_numbers(columns["lat"])
    if trace_format.position_unit not in ("auto", "degrees"):
        lonlat = in_degrees(lonlat, trace_format.position_unit)

    def text(column: str, default: str) -> tuple[NDArray[np.int32], Sequence[str]]:
        if column in columns:
            return _as_codes(columns[column])
        return _constant_codes(n, constants.get(column, default))

    rider, rider_ids = text("rider_id", "")
    event, events = text("event", "")
    if "event" not in columns and "event" not in constants:
        event, events = np.full(n, -1, np.int32), []
    platform, platforms = text("platform", trace_format.platform)
    _flag_missing(rider, lonlat, fault)
    if "accuracy" in columns or "hdop" in columns:
        # What a phone says in metres counts before what its satellites would allow for.
        metres = "accuracy" in columns
        said = as_numbers(columns["accuracy"]) if metres else HDOP_M * as_numbers(columns["hdop"])
        # Below zero is how phones say that they have no position; without a word, or with 0, it is not known.
        fault[(fault == 0) & ((said > trace_format.max_accuracy_m) | (said < 0))] = _POOR_ACCURACY
    if "valid" in columns:
        fault[(fault == 0) & _is_invalid(columns["valid"])] = _POOR_ACCURACY
    return RawBatch(
        row=row,
        rider=rider,
        rider_ids=rider_ids if isinstance(rider_ids, NumberIds) else tuple(rider_ids),
        t_s=t_s,
        lonlat=lonlat,
        event=(event + 1).astype(np.int16),
        events=("", *events),
        platform=(platform + 1).astype(np.int16),
        platforms=("", *platforms),
        fault=fault,
        lost=tuple(lost),
    )
