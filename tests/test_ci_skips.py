"""A skip for want of data or tools is a failure in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("ci", "shared", "word"), [("true", True, "failed"), ("true", False, "skipped"), ("", True, "skipped")]
)
def test_a_skip_fails_only_in_ci_with_the_data_there(
    tmp_path: Path, ci: str, shared: bool, word: str
) -> None:
    tests = tmp_path / "checkout" / "tests"
    tests.mkdir(parents=True)
    if shared:
        (tmp_path / "shared" / "data").mkdir(parents=True)
    (tests / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    (tests / "test_one.py").write_text("import pytest\n\ndef test_one():\n    pytest.skip('no data')\n")
    env = os.environ | {"CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)],
        cwd=tests, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert f"1 {word}" in run.stdout
