"""A cached kernel is renewed when a kernel that it calls in another module changes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INNER = "from geo.jit import kernel\n\n\n@kernel\ndef inner(x: int) -> int:\n    return x + {}\n"
OUTER = (
    INNER.replace("inner(x", "outer(x")
    .replace("x + {}", "inner(x)")
    .replace("from", "from geo.inner import inner\nfrom", 1)
)


def _run(house: Path) -> str:
    code = "from geo.outer import outer; print(outer(1))"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(house)!r}); {code}"]
    return subprocess.run(command, cwd=house, check=True, capture_output=True, text=True).stdout.strip()


def test_a_changed_inner_kernel_reaches_its_cached_callers(tmp_path: Path) -> None:
    package = tmp_path / "geo"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "jit.py").write_text((ROOT / "geo" / "jit.py").read_text(encoding="utf-8"), encoding="utf-8")
    (package / "outer.py").write_text(OUTER, encoding="utf-8")
    (package / "inner.py").write_text(INNER.format(1), encoding="utf-8")
    assert _run(tmp_path) == "2"
    (package / "inner.py").write_text(INNER.format(10), encoding="utf-8")
    assert _run(tmp_path) == "11"
