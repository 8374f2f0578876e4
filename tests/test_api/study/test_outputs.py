"""Results are put in place only when all are there."""

import json
from pathlib import Path

import pytest

from api.outputs import prepared_folder, write_json
from geo.errors import InputError


def test_a_failed_study_leaves_the_former_results(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with prepared_folder(out) as folder:
        write_json(folder / "data" / "a.json", {"run": 1})
        (folder / "map.html").write_text("one", encoding="utf-8")
    with pytest.raises(ValueError, match="broken"), prepared_folder(out) as folder:  # noqa: PT012
        (folder / "map.html").write_text("two", encoding="utf-8")
        raise ValueError("broken")
    assert (out / "map.html").read_text(encoding="utf-8") == "one"
    assert sorted(path.name for path in out.iterdir()) == ["data", "map.html"]


def test_new_results_replace_files_and_folders_and_leave_strangers(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    for run in (1, 2):
        with prepared_folder(tmp_path) as folder:
            write_json(folder / "data" / f"{run}.json", {"run": run})
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["2.json"]
    assert json.loads((tmp_path / "data" / "2.json").read_text(encoding="utf-8")) == {"run": 2}
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="file: cannot be written to"), prepared_folder(tmp_path / "file"):
        pass
