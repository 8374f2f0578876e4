"""What the report says of seasons, robust plans and forecasts is what the study found, in both languages."""

import dataclasses

import pytest
from study_sample import sample_study

from maps.texts import Wording
from siting.changing import Changing
from siting.report import study_report


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_worst_scenario_the_regret_and_the_errors_are_said(lang: str) -> None:
    study = sample_study()
    say = Wording.of(lang, study.k)
    section = next(part for part in study_report(study).sections if part.key == "changing")
    said = " ".join(say.say(sentence) for sentence in section.paragraphs)
    for figure in ("58.0%", "71.0%", "4.2%", "3.1%", "8.1%", "11.2%", "9.5%"):
        assert figure in said
    assert say.term("scenario.weekend") in said
    assert [table.key for table in section.tables] == ["scenarios", "elsewhere", "forecasts"]


def test_too_few_weeks_are_one_sentence_and_what_is_withheld_is_not_said() -> None:
    study = dataclasses.replace(sample_study(), changing=Changing(weeks=1, weeks_needed=6))
    section = next(part for part in study_report(study).sections if part.key == "changing")
    say = Wording.of("en", study.k)
    assert [say.say(one) for one in section.paragraphs] == [
        "The traces hold 1 whole weeks, too few for a forecast of demand: 6 are needed."
    ]
    found = sample_study().changing
    assert found is not None
    assert found.robust is not None
    hidden = dataclasses.replace(found.robust, largest_regret=None, bound=None)
    study = dataclasses.replace(study, changing=dataclasses.replace(found, robust=hidden))
    section = next(part for part in study_report(study).sections if part.key == "changing")
    assert any("is not published" in say.say(one) for one in section.paragraphs)
