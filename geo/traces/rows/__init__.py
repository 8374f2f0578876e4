"""Rows of trace files on their way: checked, given pseudonyms, grouped by rider, judged, accounted for."""
