"""Workbooks: the same bytes whatever else the process has loaded."""

from openpyxl.xml.constants import DCTERMS_NS
from openpyxl.xml.functions import register_namespace
from study_sample import sample_study

from maps.documents.sheets import workbook
from maps.texts.wording import Wording
from siting.report import study_tables


def test_what_other_libraries_name_namespaces_changes_no_byte() -> None:
    """OWSLib calls that of Dublin Core ``dct``; the workbook was another one in a process that has it."""
    study = sample_study()
    tables = study_tables(study)[:3]
    say = Wording.of("en", study.k)
    before = workbook(tables, study, say, "Study")
    try:
        register_namespace("dct", DCTERMS_NS)
        after = workbook(tables, study, say, "Study")
    finally:
        register_namespace("dcterms", DCTERMS_NS)
    assert before == after
