"""The catalogue is complete in both languages, and every key that the code asks for is there."""

import re
import string
from pathlib import Path

import pytest
from study_sample import sample_study

from geo.errors import InputError
from geo.stays.detect import KINDS as STAY_KINDS
from geo.traces.files.hints import HINTS
from geo.traces.formats import REASONS as REJECT_REASONS
from maps.texts.catalogue import LANGUAGES, catalogue
from siting.report.report import study_report
from siting.report.tables import study_tables
from siting.stations.candidates import CANDIDATE_KINDS
from siting.stations.candidates import REASONS as REFUSALS
from siting.stations.kinds import KINDS as STATION_KINDS
from siting.stations.kinds import SEVEN_ONES

ROOT = Path(__file__).resolve().parents[3]
_LITERAL = re.compile(r'(?:\.text|\bText|Term|Say|term)\(\s*"([a-z_0-9]+\.[A-Za-z_0-9]+)"')
_REASON = re.compile(r'[(\s]"((?:site|audit|plan)_[a-z_]+)",\s*\(')


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


FORMS = {
    "csv", "xlsx", "geojson", "gpkg", "shp", "dbf", "shx", "prj", "zip", "crs", "layer", "UTF", "GBK",
    "Excel", "GeoJSON", "FeatureCollection", "Shapefile", "GeoPackage", "CGCS", "EPSG", "WKT", "off",
    "POLYGON",
}  # fmt: skip
"""Names of file formats and of keys of a study file, in sentences about input."""


def test_both_languages_have_the_same_keys() -> None:
    zh, en = (set(catalogue(lang).texts) for lang in LANGUAGES)
    assert zh - en == set()
    assert en - zh == set()


def test_no_text_is_empty_and_both_languages_take_the_same_parameters() -> None:
    zh, en = catalogue("zh").texts, catalogue("en").texts
    assert [key for key in zh if not zh[key] or not en[key]] == ["unit.count", "unit.index"]
    assert [key for key in zh if _fields(zh[key]) != _fields(en[key])] == []


def test_every_key_named_in_the_code_exists() -> None:
    sources = [*(ROOT / "maps").rglob("*.py"), *(ROOT / "siting" / "report").glob("*.py")]
    used = {key for path in sources for key in _LITERAL.findall(path.read_text(encoding="utf-8"))}
    assert len(used) > 80
    assert {key for key in used if key not in catalogue("zh")} == set()


def test_every_word_of_the_page_script_exists() -> None:
    pages = (ROOT / "maps" / "page").glob("*.js")
    script = "".join(path.read_text(encoding="utf-8") for path in pages)
    used = set(re.findall(r"\bt\.([a-z_]+)", script))
    assert used
    assert {f"ui.{name}" for name in used} - set(catalogue("en").texts) == set()


def test_every_reason_that_the_core_can_give_has_words() -> None:
    said = catalogue("zh")
    wanted = [f"reject.{reason}" for reason in REJECT_REASONS if reason != "accepted"]
    wanted += [f"file_note.{code}" for code in (*HINTS, "skipped_name", "skipped_columns")]
    wanted += [f"refusal.{reason}" for reason in REFUSALS]
    wanted += [f"stay.{kind}" for kind in STAY_KINDS]
    wanted += [f"facility.{name}" for name in SEVEN_ONES]
    wanted += [f"place.{kind}" for kind in (*CANDIDATE_KINDS, "own", "street")]
    wanted += [f"kind.{kind.name}" for kind in STATION_KINDS]
    core = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "siting").rglob("*.py")))
    reasons = set(_REASON.findall(core))
    assert reasons >= {"site_existing", "site_new", "audit_keep", "audit_move"}
    wanted += [f"reason.{reason}" for reason in reasons]
    assert [key for key in wanted if key not in said] == []


def test_every_column_and_table_has_a_heading_and_a_caption() -> None:
    study = sample_study()
    for lang in LANGUAGES:
        said = catalogue(lang)
        for table in study_tables(study):
            assert f"table.{table.key}" in said
            assert f"caption.{table.key}" in said
            assert len(said.text(f"table.{table.key}")) <= 31  # Excel's limit for the name of a sheet
            for column in table.columns:
                assert column.key.startswith("hour_") or f"column.{column.key}" in said
                assert f"unit.{column.unit}" in said or column.unit == "text"
        for section in study_report(study).sections:
            assert f"section.{section.key}" in said


def test_chinese_texts_are_chinese_and_english_ones_hold_none() -> None:
    names_of_their_own = {"datum.wgs84", "unit.share", "unit.degrees", "quantity.share", "quantity.degrees"}
    for key, text in catalogue("zh").texts.items():
        words = re.findall(r"[A-Za-z]{3,}", re.sub(r"\{[^}]*\}", "", text))
        known = {"WGS", "GCJ", "JavaScript", "OpenStreetMap"} | (FORMS if key.startswith("input.") else set())
        keys = ("trace_", "study_", "hint_", "time_zone", "held_out_", "plan_", "floor_")
        if key.startswith(("problem.", "field.", *(f"input.{part}" for part in keys))):
            # Names of fields, keys and headers are what they are, in both languages.
            known |= {"true", "false", "JSON", *re.findall(r"[A-Za-z]{3,}", catalogue("en").texts[key])}
        assert set(words) <= known, (key, text)
        assert key in names_of_their_own or re.search(r"\W|\d|[一-鿿]", text) or text in ("", ""), key
    for key, text in catalogue("en").texts.items():
        assert key.startswith("input.hours") or not re.search(r"[一-鿿]", text), (key, text)


def test_sentences_about_input_hold_the_same_facts_in_both_languages() -> None:
    zh, en = (catalogue(lang).texts for lang in LANGUAGES)
    for key in (key for key in en if key.startswith("input.")):
        facts = [set(re.findall(r"{(\w+)", texts[key])) for texts in (zh, en)]
        assert facts[0] == facts[1], key


def test_unknown_language_key_and_parameter_are_refused_in_a_sentence() -> None:
    with pytest.raises(InputError, match="allowed: zh, en"):
        catalogue("de")
    with pytest.raises(InputError, match=r"zh\.toml has no key 'no\.such'"):
        catalogue("zh").text("no.such")
    with pytest.raises(InputError, match="wants the parameter"):
        catalogue("zh").text("ui.attribution")


def test_braces_in_the_users_own_words_are_left_alone() -> None:
    assert catalogue("en").text("ui.attribution", attribution="{k} {0}") == "Base map {k} {0}"
