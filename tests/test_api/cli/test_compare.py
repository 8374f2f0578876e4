"""``yilu compare``: two finished studies from their folders to table, map and report."""

import dataclasses
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.text import Text
from study_sample import sample_study
from tiny_study import TOWN, write_study

from api.cli.commands import yilu
from api.study.finished import PLACES_FOLDER, RESULT, RESULT_FILE, load_finished
from geo.places import Places
from maps.texts import Wording
from siting.comparison import compare_studies
from siting.report import comparison_tables


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    base = tmp_path_factory.mktemp("compare")
    found = write_study(base / "spring"), write_study(base / "autumn")
    for folder in found:
        Places.empty(TOWN.network().compounds).save(folder / PLACES_FOLDER)
    study = sample_study()
    fewer = dataclasses.replace(study, sites=study.sites[:-1])
    (found[1] / RESULT_FILE).write_bytes(RESULT.dump_json(fewer))
    return found


@pytest.mark.parametrize(("lang", "word"), [("zh", "受益"), ("en", "gain")])
def test_two_folders_become_table_map_and_report(
    folders: tuple[Path, Path], tmp_path: Path, lang: str, word: str
) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(
        yilu, ["compare", *map(str, folders), "--out", str(out), "--lang", lang], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    assert word in done.output
    assert "spring" in done.output  # the titles are the same, so the folders say which is which
    assert sorted(path.name for path in out.iterdir()) == [
        "compare-grids.csv", "compare-map.html", "compare.docx", "compare.html", "compare.xlsx",
    ]  # fmt: skip
    again = tmp_path / "again"
    CliRunner().invoke(yilu, ["compare", *map(str, folders), "--out", str(again), "--lang", lang])
    assert [path.read_bytes() for path in sorted(out.iterdir())] == [
        path.read_bytes() for path in sorted(again.iterdir())
    ]


@pytest.mark.parametrize("width", [50, 80, 140])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_cell_is_cut_however_narrow_the_terminal_is(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, lang: str, width: int
) -> None:
    """At 80 columns names had a width of nothing, and figures ended in an ellipsis."""
    monkeypatch.setenv("COLUMNS", str(width))
    done = CliRunner().invoke(yilu, ["compare", *map(str, folders), "--lang", lang], catch_exceptions=False)
    assert "…" not in done.output
    assert "┳┳" not in done.output
    tables = [line for line in done.output.splitlines() if line[:1] in "┏┃┡│└"]
    assert all(Text(line).cell_len <= width for line in tables)
    found = compare_studies(*(load_finished(folder).study for folder in folders))
    say = Wording.of(lang, 10)
    for table in comparison_tables(found)[:1]:
        for row in table.rows:
            figures = [part for part in say.cell(row[1], table.columns[1]).split() if part[:1].isdigit()]
            assert all(figure in done.output for figure in figures), figures


@pytest.mark.parametrize(
    ("lang", "word"), [("zh", "只有网格相同的方案才能对比"), ("en", "different unit grids")]
)
def test_studies_with_other_grids_are_refused_in_one_sentence(
    folders: tuple[Path, Path], tmp_path: Path, lang: str, word: str
) -> None:
    study = sample_study()
    other = write_study(tmp_path / "other")
    (other / RESULT_FILE).write_bytes(RESULT.dump_json(dataclasses.replace(study, grids=study.grids[2:])))
    done = CliRunner().invoke(
        yilu, ["compare", str(folders[0]), str(other), "--lang", lang, "--out", str(tmp_path / "none")]
    )
    assert done.exit_code == 2
    sentence, where = done.output.strip().splitlines()
    assert word in sentence
    assert "docs/" in where
    assert not (tmp_path / "none").exists()
