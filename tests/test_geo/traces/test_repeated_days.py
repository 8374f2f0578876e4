"""Times of a column one after the other are read as each of them would be alone."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.traces.instants import _from_text

BASES = (
    "2026-03-02 08:05:30", "2026-03-02T23:59:59", "2026/03/02 08:05:30", "20260302 08:05:300",
    "2026-02-29 08:05:30", "03/02/2026 08:05:30", "2026-3-2  08:05:30 ", "2026-03-02 8:05:300",
    "2026-03-02 AM8:05:3", "2026-03-02 08:05:60", "03-02-2026 08:05:30", "2026-03-02 08:05+08",
    "1772409930.00000000", "2026-3-2 PM08:05:30", "2026-3-2 PM12:05:30", "2026-3-2 AM12:05:30",
    "03-02 PM   08:05:30", "03-02 PM   12:05:30",
)  # fmt: skip


@st.composite
def columns(draw: st.DrawFn) -> list[str]:
    """Texts of one length, many of one day, some with another character."""
    texts = []
    for base in draw(st.lists(st.sampled_from(BASES), min_size=2, max_size=8)):
        text = base
        for _ in range(draw(st.integers(0, 2))):
            at = draw(st.integers(0, len(text) - 1))
            text = text[:at] + draw(st.sampled_from("0123456789:-/ T+Z.")) + text[at + 1 :]
        texts.append(text)
    return texts


@settings(max_examples=400, deadline=None)
@given(texts=columns(), order=st.integers(0, 2), year=st.sampled_from([None, 2026]))
def test_a_column_is_read_as_each_of_its_texts(texts: list[str], order: int, year: int | None) -> None:
    t_s, code = _from_text(pa.array(texts), 0, year, order)
    alone = [_from_text(pa.array([text]), 0, year, order) for text in texts]
    assert t_s.tolist() == [int(one[0]) for one, _ in alone]
    assert code.tolist() == [int(one[0]) for _, one in alone]


def test_a_day_is_read_once_and_its_clocks_each() -> None:
    seconds = np.arange(0, 86_400, 7)
    texts = [f"2026-03-02 {s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in seconds.tolist()]
    t_s, _ = _from_text(pa.array([*texts, "2026-03-03 00:00:00", texts[1]]), 0, None, 0)
    assert (t_s[:-2] - t_s[0]).tolist() == seconds.tolist()
    assert (t_s[-2:] - t_s[0]).tolist() == [86_400, 7]
