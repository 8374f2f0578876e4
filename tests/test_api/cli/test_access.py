"""``yilu tenants`` and ``yilu keys``."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.cli.commands import yilu
from api.store import Database
from api.store.access import keys


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("YILU_DATABASE_URL", raising=False)
    return tmp_path


def _run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(yilu, [*words, "--study", str(folder)])


def _opens(folder: Path, text: str, now_s: float) -> bool:
    database = Database(f"sqlite:///{folder / 'yilu.db'}")
    with database.reading() as connection:
        found = keys.check(connection, text, now_s)
    database.close()
    return found is not None


def test_a_key_from_tenant_to_end(folder: Path) -> None:
    added = _run(folder, "tenants", "add", "office", "--kind", "office", "--name", "区办")
    assert added.exit_code == 0, added.output
    assert "区办" in _run(folder, "tenants", "list").stdout
    words = ["--tenant", "office", "--role", "grid_staff", "--grid", "G1", "--grid", "G2", "--days", "9"]
    made = _run(folder, "keys", "create", *words)
    text = made.stdout.strip()
    key_id = text.split("_")[1]
    assert key_id in made.stderr
    listed = _run(folder, "keys", "list").stdout
    assert f"{key_id}\toffice\tgrid_staff G1 G2\tusable" in listed
    assert text not in listed
    second = _run(folder, "keys", "rotate", key_id, "--overlap-hours", "0").stdout.strip()
    listed = _run(folder, "keys", "list").stdout
    assert f"{key_id}\toffice\tgrid_staff G1 G2\tended" in listed
    assert second.startswith("yl_")
    assert not _opens(folder, text, 4e9)
    assert _run(folder, "keys", "revoke", second.split("_")[1]).exit_code == 0
    assert "usable" not in _run(folder, "keys", "list").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["keys", "create", "--tenant", "nobody", "--role", "platform"], "yilu: there is no tenant nobody"),
        (["keys", "revoke", "abc"], "yilu: there is no key abc"),
        (["keys", "create", "--tenant", "x", "--role", "rider"], "yilu: key: a rider's id"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(folder: Path, words: list[str], told: str) -> None:
    result = _run(folder, *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_a_folder_that_is_not_there_is_named(folder: Path) -> None:
    result = _run(folder / "nowhere", "keys", "list")
    assert result.exit_code == 2
    assert "nowhere: there is no such folder" in result.stderr
    assert not (folder / "nowhere").exists()
