"""Reports on paper: DOCX, XLSX, HTML, CSV and their pictures."""

from maps.documents.charts import PolicyBars, policies_picture
from maps.documents.compared import COMPARISON_FILES, comparison_file, write_comparison
from maps.documents.write import report_pictures, write_docx, write_html, write_xlsx

__all__ = [
    "COMPARISON_FILES",
    "PolicyBars",
    "comparison_file",
    "policies_picture",
    "report_pictures",
    "write_comparison",
    "write_docx",
    "write_html",
    "write_xlsx",
]
