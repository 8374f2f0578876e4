"""The use case of comparing two finished studies: held against each other, and written as files."""

import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np

from api.forms import Language
from api.study.finished import PLACES_FOLDER, FinishedStudy
from geo.errors import InputError
from geo.places import Places
from siting.comparison import Comparison, compare_studies
from siting.results import Study

__all__ = ["COMPARE_MAP", "TwoPlans", "plan_names", "two_plans", "two_plans_map", "write_two_plans"]

COMPARE_MAP = "compare-map.html"


class TwoPlans(NamedTuple):
    """Two plans in one language, what they are called, and what differs."""

    plans: tuple[Study, Study]
    names: tuple[str, str]
    compared: Comparison


def two_plans(
    first: FinishedStudy, second: FinishedStudy, names: tuple[str, str], language: Language
) -> TwoPlans:
    """Hold two finished studies against each other.

    Parameters
    ----------
    first, second : FinishedStudy
    names : tuple of str
        What the reader calls them.
    language : str
        Of the city's name.

    Raises
    ------
    InputError
        If their maps, areas or unit grids differ.
    """
    compared = compare_studies(first.study, second.study)
    if not all(
        np.array_equal(getattr(first.network, part), getattr(second.network, part))
        for part in ("node_lonlat", "edge_u", "edge_v", "geom_lonlat")
    ):
        raise InputError(
            "the two studies were made on different street maps of one area: only plans of one map can be "
            "compared"
        )
    return TwoPlans((_said(first, language), _said(second, language)), names, compared)


def _said(finished: FinishedStudy, language: Language) -> Study:
    study, meta = finished.study, finished.meta
    return dataclasses.replace(
        study,
        title=meta.titles.get(language) or study.title,
        city=meta.cities.get(language) or study.city,
    )


def plan_names(
    first: FinishedStudy, second: FinishedStudy, language: Language, folders: tuple[str, str]
) -> tuple[str, str]:
    """Return what two plans are called: their titles, with their folders where these are the same."""
    titles = tuple(one.meta.titles.get(language) or one.meta.title for one in (first, second))
    if titles[0] != titles[1]:
        return titles[0], titles[1]
    if folders[0] != folders[1]:
        return folders
    return f"{folders[0]} (1)", f"{folders[1]} (2)"


def write_two_plans(found: TwoPlans, streets: FinishedStudy, language: Language, folder: Path) -> None:
    """Write table, map and report of two plans into a folder.

    Parameters
    ----------
    found : TwoPlans
    streets : FinishedStudy
        The study whose streets are drawn.
    language : str
    folder : Path
        Must exist.
    """
    # What draws takes long to import, and most processes never draw.
    from maps.documents import write_comparison

    write_comparison(found.plans, found.names, found.compared, language, folder)
    page = two_plans_map(found, streets, language)
    (folder / COMPARE_MAP).write_text(page, encoding="utf-8", newline="\n")


def two_plans_map(found: TwoPlans, streets: FinishedStudy, language: Language) -> str:
    """Return the map of two plans as one page."""
    from maps.compare import compare_map
    from maps.page import Backdrop

    backdrop = Backdrop.build(streets.network, Places.load(streets.folder / PLACES_FOLDER))
    return compare_map(found.plans, found.names, found.compared, backdrop, language)
