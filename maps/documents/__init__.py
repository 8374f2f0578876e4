"""Reports on paper: DOCX, XLSX, HTML, CSV and their pictures."""
