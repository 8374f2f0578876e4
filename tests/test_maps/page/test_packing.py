"""The compact text of a page holds exactly what was put in."""

import base64

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maps.packing import pack_hours, pack_lines, pack_rising, pack_varints

IntArray = np.ndarray[tuple[int], np.dtype[np.int64]]


def unpack_varints(text: str) -> IntArray:
    """Whole numbers out of the text of :func:`pack_varints`."""
    raw = np.frombuffer(base64.b64decode(text), np.uint8).astype(np.int64)
    last = raw < 0x80
    group = (
        np.concatenate([[0], np.cumsum(last)[:-1]]).astype(np.int64) if len(raw) else np.empty(0, np.int64)
    )
    starts = np.concatenate([[0], np.flatnonzero(last)[:-1] + 1]) if len(raw) else np.empty(0, np.int64)
    place = np.arange(len(raw)) - starts[group] if len(raw) else group
    out = np.zeros(int(last.sum()), np.int64)
    np.add.at(out, group, (raw & 0x7F) << (7 * place))
    return out


@given(st.lists(st.integers(0, 2**48), max_size=60))
def test_varints_there_and_back(values: list[int]) -> None:
    assert unpack_varints(pack_varints(values)).tolist() == values


def _unpack_lines(packed: dict[str, object]) -> list[list[tuple[int, int]]]:
    """Slow and obvious: the way the page reads it."""
    counts = unpack_varints(str(packed["n"])).tolist()
    steps = iter(unpack_varints(str(packed["d"])).tolist())
    x = y = 0
    out = []
    for count in counts:
        line = []
        for _ in range(count):
            dx, dy = next(steps), next(steps)
            x += -(dx + 1) // 2 if dx % 2 else dx // 2
            y += -(dy + 1) // 2 if dy % 2 else dy // 2
            line.append((x, y))
        out.append(line)
    assert next(steps, None) is None
    return out


_POINTS = st.lists(
    st.tuples(st.integers(-180_00000, 180_00000), st.integers(-85_00000, 85_00000)), min_size=1, max_size=8
)


@given(st.lists(_POINTS, max_size=8))
def test_lines_there_and_back(lines: list[list[tuple[int, int]]]) -> None:
    packed = pack_lines([[(x / 1e5, y / 1e5) for x, y in line] for line in lines])
    expected = [[p for i, p in enumerate(line) if i == 0 or p != line[i - 1]] for line in lines]
    assert _unpack_lines(packed) == expected


@given(st.lists(_POINTS, min_size=1, max_size=6))
def test_pointer_form_equals_list_form(lines: list[list[tuple[int, int]]]) -> None:
    arrays = [np.array(line) / 1e5 for line in lines]
    ptr = np.concatenate([[0], np.cumsum([len(a) for a in arrays])]).astype(np.int64)
    assert pack_lines((ptr, np.concatenate(arrays))) == pack_lines(arrays)


@given(st.lists(st.integers(0, 9), max_size=30))
def test_rising_numbers(steps: list[int]) -> None:
    values = np.cumsum(steps)
    assert np.cumsum(unpack_varints(pack_rising(values))).tolist() == values.tolist()


_HOURS = st.lists(st.one_of(st.none(), st.integers(0, 50_000)), min_size=24, max_size=24)


@given(st.lists(_HOURS, max_size=6))
def test_hours_there_and_back(rows: list[list[int | None]]) -> None:
    packed = pack_hours([[None if v is None else v / 10 for v in row] for row in rows])
    out: list[int | None] = []
    for number in unpack_varints(packed).tolist() if packed else []:
        out += [None] * (number // 2) if number % 2 else [number // 2]
    assert out == [v for row in rows for v in row]


def test_a_hidden_day_costs_next_to_nothing() -> None:
    assert len(pack_hours([[None] * 24] * 1000)) <= 8
