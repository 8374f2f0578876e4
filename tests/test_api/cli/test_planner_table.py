"""What a person reads in the terminal, and what a script reads in summary.json."""

import dataclasses
import json
import shlex
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text
from study_sample import sample_study
from tiny_map import write_city

from api.cli.console import StageBars, print_benchmark
from api.cli.planner_table import DEMO_COMMANDS, STAGES, print_study, print_way_on, stage_names
from api.forms import Language
from api.settings import load_settings
from api.study.files import REQUEST_FILE
from api.study.summary import VARYING_KEY, summary_of
from geo.errors import InputError
from geo.osm.describe import describe
from geo.osm.read import read_osm
from maps.texts import catalogue
from siting.results import Solution

WANTED = {
    "riders", "points_read", "points_accepted", "points_rejected", "stay_points",
    "demand_minutes_a_day", "sites_chosen", "solver", "coverage", "tasks_matched", "tasks_refused",
    "median_extra_s", "late_deliveries", "seconds",
}  # fmt: skip


def _screen() -> tuple[Console, StringIO]:
    text = StringIO()
    return Console(file=text, width=120, force_terminal=False), text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("建议新增站点", "微驿站", "全天24小时", "已证明最优", "K均值中心")),
        ("en", ("Suggested stations", "micro station", "24 h hub", "proven optimal", "k-means centres")),
    ],
)
def test_the_planner_table_is_whole_in_both_languages(language: Language, words: tuple[str, ...]) -> None:
    console, text = _screen()
    study = sample_study()
    print_study(study, language, console)
    for word in words:
        assert word in text.getvalue()
    assert f"{study.riders:,}" in text.getvalue()
    for site in study.sites:
        assert (site.site_id in text.getvalue()) != site.existing


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_cut_in_eighty_columns(language: Language) -> None:
    """Chinese headings ended in an ellipsis: they have no blanks to break at."""
    text = StringIO()
    print_study(sample_study(), language, Console(file=text, width=80, force_terminal=False))
    assert "…" not in text.getvalue()
    assert all(Text(line).cell_len <= 80 for line in text.getvalue().splitlines())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_gap_is_told_where_nothing_is_proven(language: Language) -> None:
    console, text = _screen()
    print_study(
        dataclasses.replace(sample_study(), solution=Solution("heuristic", 95, 100, 0.05)), language, console
    )
    assert "5.00%" in text.getvalue()
    assert catalogue(language).text("solver.optimal") not in text.getvalue()


def test_commands_of_an_odd_folder_can_be_copied_whole() -> None:
    console, text = _screen()
    out = Path("my results") / ("long" * 40)
    print_way_on(out, "", "en", ".venv/bin/yilu", DEMO_COMMANDS, console)
    serve, match, new = (shlex.split(line) for line in text.getvalue().splitlines()[-5::2])
    assert serve == [".venv/bin/yilu", "serve", str(out)]
    assert match[-2:] == ["<", str(out / REQUEST_FILE)]
    assert new[:2] == [".venv/bin/yilu", "new"]


def test_stage_names_exist_in_both_languages() -> None:
    assert tuple(stage_names("zh")) == tuple(stage_names("en")) == STAGES


def test_bars_close_a_stage_when_the_next_begins() -> None:
    console, text = _screen()
    with StageBars({"a": "First", "b": "Second"}, console) as bars:
        bars.progress("a", 0, 0)
        bars.progress("b", 1, 2)
    assert "First" in text.getvalue()
    assert "2/2" in text.getvalue()


def test_the_summary_has_every_figure_that_was_asked_for(tmp_path: Path) -> None:
    study = sample_study()
    city = describe(*read_osm(write_city(tmp_path / "city.osm")))
    summary = json.loads(
        json.dumps(summary_of(study, city, {"sites": 2}, {"map": 1.23456}, "en"), allow_nan=False)
    )
    assert set(summary) >= WANTED
    assert summary["points_accepted"] + summary["points_rejected"] == summary["points_read"]
    assert {"status", "bound", "gap"} <= set(summary["solver"])
    for row in study.coverage:
        assert {"served_training", "in_reach_held_out"} <= set(summary["coverage"][row.method])
    assert summary[VARYING_KEY] == {"map": 1.235}


def test_benchmark_rows_are_printed_with_gaps_where_nothing_was_measured() -> None:
    console, text = _screen()
    row = {
        "case": "c", "subject": "yilu", "version": "1", "metric": "time", "unit": "ms",
        "median": 0.25, "p99": None, "min": 0.2, "max": 0.3, "n": 5, "ratio": None,
    }  # fmt: skip
    print_benchmark([row], console)
    assert "0.25" in text.getvalue()
    assert "None" not in text.getvalue()


def test_settings_outside_their_range_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YILU_PSEUDONYM_KEY", "short")
    with pytest.raises(InputError, match="YILU_PSEUDONYM_KEY: must have at least 16"):
        load_settings()
    monkeypatch.setenv("YILU_PSEUDONYM_KEY", "long enough to be a key")
    monkeypatch.setenv("YILU_MAX_BODY_MB", "-1")
    with pytest.raises(InputError, match="YILU_MAX_BODY_MB"):
        load_settings()
    monkeypatch.delenv("YILU_MAX_BODY_MB")
    assert "long enough" not in repr(load_settings())
