"""``yilu pdf``: a PDF of each report, without the clock in it."""

import re
import shutil
from pathlib import Path

import docx
import pytest
from click.testing import CliRunner

from api.cli.commands import yilu
from api.cli.paper import _settled


def test_a_folder_without_a_report_and_a_machine_without_an_office_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = CliRunner().invoke(yilu, ["pdf", str(tmp_path)])
    assert said.exit_code == 2
    assert "holds no report.docx" in said.output
    (tmp_path / "report.docx").write_bytes(b"")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    said = CliRunner().invoke(yilu, ["pdf", str(tmp_path)])
    assert said.exit_code == 2
    assert "LibreOffice" in said.output


def test_the_clock_goes_and_the_length_stays() -> None:
    one = b"<</CreationDate(D:20261128170102+01'00')>> /ID [ <0123456789ABCDEF0123456789ABCDEF>\n"
    one += b"<FEDCBA98765432100123456789ABCDEF> ]\n/DocChecksum /0123456789ABCDEF0123456789ABCDEF"
    other = one.replace(b"2026", b"2031").replace(b"0123456789ABCDEF", b"1123456789ABCDE1")
    assert _settled(one) == _settled(other)
    assert len(_settled(one)) == len(one)
    assert b"D:19800101000000" in _settled(one)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_makes_the_pdf(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("Rest stations")
    document.save(str(tmp_path / "report.en.docx"))
    said = CliRunner().invoke(yilu, ["pdf", str(tmp_path)])
    assert said.exit_code == 0, said.output
    made = (tmp_path / "report.en.pdf").read_bytes()
    assert made.startswith(b"%PDF")
    assert re.search(rb"/CreationDate\s*\(D:19800101000000", made)
