"""Where the documentation explains what a command said when it stopped: an anchor for every kind."""

from collections.abc import Mapping

from geo.errors import YiluError
from geo.sentences import Fact, Sentence

__all__ = ["ANCHORS", "explained_at"]

PAGE = "reference/errors.md"
_WRAPPERS = ("in_file", "wrong", "row", "feature", "column", "trace_together", "study_key")
"""Sentences that only say where another one belongs to."""

_OF_KEYS: Mapping[str, tuple[str, ...]] = {
    "file-not-read": (
        "no_file", "unreadable", "ending", "encoding", "csv_row", "no_workbook", "no_geojson",
        "no_geojson_file", "no_vector", "no_zip", "zip_large", "zip_empty", "trace_parquet_file",
        "trace_workbook", "trace_json", "trace_no_file", "trace_parquet", "trace_geopackage",
        "trace_broken", "trace_archive", "trace_unreadable", "trace_encoding", "trace_kind_unknown",
        "trace_kind", "trace_rejects", "trace_to_gpx", "trace_feather", "trace_to_parquet", "trace_to_xlsx",
        "trace_to_geopackage", "trace_to_csv", "trace_to_zip"
    ),
    "which-part": (
        "no_sheet", "several_sheets", "no_layer", "several_layers", "several_files", "trace_no_sheet",
        "trace_sheets", "trace_layers", "trace_no_layer", "trace_pattern", "trace_folder",
        "trace_none_named"
    ),
    "empty-file": (
        "no_station", "no_place", "no_heading", "no_points", "zone_lacking", "grid_lacking",
        "trace_empty", "trace_no_rows", "trace_no_objects", "trace_empty_table", "trace_archive_empty",
        "trace_no_traces", "trace_nothing", "no_rider", "no_rest", "trace_unusable"
    ),
    "columns": (
        "check_ins_form",
        "told_column", "pair_order", "lacking_column", "field_cut", "field_digits", "cell_digits",
        "grid_field",
        "grid_code", "trace_no_header", "trace_no_values", "trace_columns", "trace_in_file",
        "trace_lade", "trace_no_column", "trace_no_such_column", "trace_no_position",
        "trace_say_position", "trace_positions", "trace_positions_as", "trace_has", "trace_has_none",
        "trace_name_it", "trace_by_values", "trace_by_position", "trace_unknown_column", "trace_position",
        "trace_separator", "trace_events"
    ),
    "whose-traces": (
        "trace_whose", "trace_no_folder", "trace_rider", "trace_rider_pattern", "trace_name_rider",
        "trace_name_rider_not_order"
    ),
    "values": (
        "check_ins_unknown", "check_ins_own", "check_ins_count", "check_ins_gone",
        "empty", "kind", "contradiction", "no_point", "not_point", "polygon_needed", "grid_twice",
        "grid_shape", "grid_polygon", "wkt", "wkt_cut"
    ),
    "opening-hours": (
        "hours", "hours_word", "hours_festival", "hours_never"
    ),
    "positions": (
        "degrees", "swapped", "swapped_map", "map_antimeridian",
        "area_degrees", "area_swapped", "swapped_area", "no_crs",
        "crs_rough", "layer_metres", "columns_metres", "wkt_metres", "trace_epsg", "trace_no_crs",
        "trace_crs", "trace_order", "trace_origin", "hint_swapped", "hint_e5", "hint_e6", "hint_e7",
        "hint_ddmm", "hint_metres", "hint_off_streets", "hint_coarse"
    ),
    "datum": (
        "datum", "datum_medians", "datum_shares", "trace_datum_unclear", "trace_datum_against",
        "trace_datum_map", "trace_datum_missing", "trace_datum", "trace_column_datum", "trace_platform",
        "hint_datum_doubtful", "hint_datum_mixed"
    ),
    "times": (
        "time_zone", "trace_dates", "trace_no_date", "trace_interval", "trace_interval_s",
        "trace_time_unit", "trace_time_format", "trace_strptime", "trace_no_zone", "trace_one_zone",
        "trace_period", "study_zone", "study_stray_days", "hint_excel", "hint_no_year", "hint_day_only",
        "hint_text_time", "hint_scientific", "hint_cst", "hint_minutes", "hint_only_waypoints"
    ),
    "outside-map": (
        "all_outside", "whole_map", "stations_outside", "places_outside", "grids_outside",
        "zones_outside", "zones_all", "stations_off_street", "trace_outside", "study_no_street"
    ),
    "unsolvable": (
        "held_out_too_many", "candidates_few", "candidates_none", "candidates_why", "plan_no_grids",
        "plan_no_grids_floor", "plan_no_today", "floor_out_of_reach", "floor_not_kept",
        "floor_not_kept_budget", "plan_robust_few", "limits_ended", "infeasible", "infeasible_together",
        "infeasible_reach", "infeasible_within"
    ),
    "secret": (
        "pseudonym_key", "compare_few_riders", "study_secret", "trace_rotate", "trace_rotate_zone"
    ),
}  # fmt: skip
"""The part of the page that explains a sentence, by its key; keys of study files follow their beginning."""
_BY_KEY = {key: anchor for anchor, keys in _OF_KEYS.items() for key in keys}
_BY_BEGINNING = (
    ("study_", "study-file"), ("trace_", "traces"), ("refused_", "unsolvable"), ("relax", "unsolvable"),
    ("stations_", "values"), ("places_", "values"),
)  # fmt: skip
_BY_CLASS: Mapping[str, str] = {
    "OffNetworkError": "outside-map",
    "LimitsEndedError": "unsolvable",
    "InfeasibleError": "unsolvable",
    "ForeignFileError": "columns",
    "WrongAnswerError": "own-mistake",
    "StoreUnavailable": "database",
}
"""Classes by name: importing them takes as long as a mistyped command should."""
_BY_COMMAND = {"match": "requests", "serve": "database", "tenants": "database", "keys": "database"}
OTHER = "other"
ANCHORS = tuple(
    dict.fromkeys((*_OF_KEYS, "study-file", "traces", *_BY_CLASS.values(), *_BY_COMMAND.values(), OTHER))
)
"""Every part of the page to which an error may lead."""


def explained_at(error: YiluError, lang: str, command: str = "") -> str:
    """Return page and anchor, as a path from the root of the documentation's repository.

    Parameters
    ----------
    error : YiluError
        What stopped the command.
    lang : str
        ``zh`` or ``en``.
    command : str
        Name of the command, such as ``match``; it decides where the error does not.
    """
    anchor = ""
    if isinstance(error.said, Sentence):
        anchor = _anchor_of(_kernel(error.said).key)
    if not anchor:
        anchor = next(
            (_BY_CLASS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _BY_CLASS), ""
        )
    return f"docs/{lang}/{PAGE}#{anchor or _BY_COMMAND.get(command, OTHER)}"


def _anchor_of(key: str) -> str:
    found = _BY_KEY.get(key)
    return found or next((anchor for start, anchor in _BY_BEGINNING if key.startswith(start)), "")


def _kernel(said: Sentence) -> Sentence:
    """Return the first sentence that says what is wrong, not only where."""
    while said.key in _WRAPPERS:
        inner = next((found for _, fact in said.facts if (found := _first(fact)) is not None), None)
        if inner is None:
            break
        said = inner
    return said


def _first(fact: Fact) -> Sentence | None:
    if isinstance(fact, tuple):
        return next((part for part in fact if isinstance(part, Sentence)), None)
    return fact if isinstance(fact, Sentence) else None
