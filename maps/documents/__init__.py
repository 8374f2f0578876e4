"""Reports on paper: DOCX, XLSX, HTML, CSV and their pictures."""

from maps.documents.charts import PolicyBars, policies_picture
from maps.documents.write import report_pictures, write_docx, write_html, write_xlsx

__all__ = ["PolicyBars", "policies_picture", "report_pictures", "write_docx", "write_html", "write_xlsx"]
