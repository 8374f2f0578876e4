"""Reports as PDF, made from the Word documents by LibreOffice where it is installed."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import click

from geo.errors import InputError

__all__ = ["pdf"]

_SECONDS = 300
_CLOCK = re.compile(rb"(/CreationDate\s*\(D:)(\d{14})")
_NAMES = re.compile(rb"(/ID\s*\[\s*<)([0-9A-F]+)(>\s*<)([0-9A-F]+)(>)|(/DocChecksum\s*/)([0-9A-F]+)")


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
def pdf(study: Path) -> None:
    """Make a PDF of each report of a finished STUDY folder, by LibreOffice."""
    reports = sorted(study.glob("report*.docx"))
    if not reports:
        raise InputError(
            f"{study}: holds no report.docx; make one with 'yilu study STUDY.toml --out {study}'"
        )
    office = shutil.which("soffice")
    if office is None:
        raise InputError(
            "a PDF needs LibreOffice, whose command soffice is not there; on Debian and Ubuntu: apt install "
            "libreoffice-writer"
        )
    with tempfile.TemporaryDirectory(prefix="yilu-") as folder:
        # a profile of its own: an office that is open on this machine would take the work and do none
        profile = f"-env:UserInstallation={(Path(folder) / 'profile').as_uri()}"
        for report in reports:
            arguments = ["--headless", "--convert-to", "pdf", "--outdir", folder, str(report)]
            done = subprocess.run(  # noqa: S603 - the office that the machine has, on our own file
                [office, profile, *arguments], check=False, capture_output=True, timeout=_SECONDS
            )
            made = Path(folder) / f"{report.stem}.pdf"
            if done.returncode != 0 or not made.is_file():
                raise InputError(f"{report}: LibreOffice made no PDF of it")
            to = report.with_suffix(".pdf")
            to.write_bytes(_settled(made.read_bytes()))
            click.echo(str(to))


def _settled(data: bytes) -> bytes:
    """Return a PDF without the clock, as long as before, so that the places of its objects hold."""
    data = _CLOCK.sub(rb"\g<1>19800101000000", data)
    return _NAMES.sub(lambda found: re.sub(rb"[0-9A-F]{16,}", lambda h: b"0" * len(h[0]), found[0]), data)
