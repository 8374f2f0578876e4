"""What the report says of learned times, blind spots and meetings is what the study found."""

import dataclasses

import pytest
from study_sample import sample_study

from maps.page import Backdrop
from maps.study import study_map
from maps.texts import Wording
from siting.observed import TravelTimes
from siting.report import study_report, study_tables


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_sentences_and_tables_are_said_in_both_languages(lang: str) -> None:
    study = sample_study()
    say = Wording.of(lang, study.k)
    section = next(part for part in study_report(study).sections if part.key == "learned")
    said = " ".join(say.say(sentence) for sentence in section.paragraphs)
    assert "14.0%" in said
    assert "39.0%" in said
    assert "48.0%" in said
    assert "12.5%" in said
    tables = {table.key: table for table in section.tables}
    assert set(tables) == {"speeds", "gate_waits", "map_edits", "blind", "patrols", "meetings"}
    cells = [
        [say.cell(value, column) for value, column in zip(row, table.columns, strict=True)]
        for table in tables.values()
        for row in table.rows
    ]
    flat = [text for row in cells for text in row]
    assert "8.1" in flat or "8.0" in flat
    assert "13:30" in flat
    assert say.term("edit_kind.shut_gate") in flat
    # The gate that keeps riders longest does so at noon.
    assert "12:00" in flat
    # Fewer than k riders behind it.
    assert say.text("quantity.redacted_short", k=study.k) in flat


def test_the_hours_nobody_sees_stand_in_the_workbook() -> None:
    table = next(table for table in study_tables(sample_study()) if table.key == "blind_hours")
    assert len(table.rows) == 24
    assert table.rows[0][1:] == (None,) * 7
    assert table.rows[12][1:] == (0.25,) * 7


def test_a_study_without_paths_says_nothing_and_one_by_class_speeds_says_why() -> None:
    plain = dataclasses.replace(
        sample_study(), travel_times=None, blind_spots=None, inner_ways=None, meetings=None
    )
    assert "learned" not in {part.key for part in study_report(plain).sections}
    why = dataclasses.replace(plain, travel_times=TravelTimes("class", "few_riders"))
    section = next(part for part in study_report(why).sections if part.key == "learned")
    assert "too few riders" in Wording.of("en", plain.k).say(section.paragraphs[0])


def test_the_map_has_a_layer_of_streets_nobody_passes() -> None:
    study = sample_study()
    backdrop = Backdrop(study.bounds, (), ())
    page = study_map(study, backdrop, "en")
    assert Wording.of("en", study.k).text("layer.blind") in page
    assert "24 riders rode 71 times on 5 days" in page
