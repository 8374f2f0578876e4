"""The study map: one HTML page with stations, demand, flows and unit grids."""

from maps.page.basemap import Backdrop
from maps.page.frame import OnlineTiles, page_data, page_html
from maps.study import areas as layers
from maps.study import places as stations
from maps.study.proposals import edits_layer
from maps.study.unseen import blind_layer
from maps.texts.wording import Wording
from siting.report import Quantity, period_of, study_report
from siting.results import Study

__all__ = ["study_map"]

MODES = ("today", "plan", "change")
"""Views of the map: as it is, as the plan has it, and what that changes."""


def study_map(study: Study, backdrop: Backdrop, lang: str, *, tiles: OnlineTiles | None = None) -> str:
    """Draw a study as one HTML page that needs no network.

    Parameters
    ----------
    study
        The frozen result; nothing is added to it.
    backdrop
        Base map of the same city.
    lang
        ``zh`` or ``en``.
    tiles
        An online base map to offer beside the offline one; None offers none.
    """
    say = Wording.of(lang, study.k)
    found = [
        layers.grids_layer(study, say),
        layers.reach_layer(study, say),
        layers.demand_layer(study, say),
        layers.due_layer(study, say),
        layers.coverage_layer(study, say),
        layers.flows_layer(study, say),
        blind_layer(study, say),
        edits_layer(study, say),
        layers.hot_spots_layer(study, say),
        stations.refusals_layer(study, say),
        stations.pickups_layer(study, say),
        stations.stability_layer(study, say),
        stations.existing_layer(study, say),
        stations.suggested_layer(study, say),
    ]
    geometry = layers.shared_geometry(study)
    for layer in found:
        geometry |= layer.pop("geo", {})
    reach = next(layer for layer in found if layer["id"] == "reach")["parts"]
    suggested = [site.site_id for site in study.sites if not site.existing]
    data = page_data(say, backdrop, study.bounds, study.map_attribution, tiles) | {
        "view": _view(study, backdrop),
        "modes": MODES,
        "headline": headlines(study, say),
        "list": [
            {"id": site.site_id, "layer": "existing" if site.existing else "suggested"}
            for site in sorted(study.sites, key=lambda site: (site.existing, site.site_id))
        ],
        "title": say.say(study_report(study).title),
        "subtitle": say.text("ui.subtitle_map", city=study.city, period=say.say(period_of(study)), k=study.k),
        "warning": say.text("ui.synthetic_map") if study.synthetic else "",
        "hourly": True,
        "geo": geometry,
        "layers": [layer for layer in found if layer["parts"]],
        "reachOf": {site_id: index for index, site_id in enumerate(suggested)} if reach else {},
        "reachStyle": reach[0] if reach else None,
    }
    return page_html(data, lang, tiles)


def headlines(study: Study, say: Wording) -> dict[str, str]:
    """Say in a sentence what is served today, under the plan, and what the plan changes."""
    shares = {row.method: row.served_training for row in study.coverage}
    figures = {
        "before": say.quantity(Quantity(shares.get("existing"), "share", redacted=True)),
        "after": say.quantity(Quantity(shares.get("yilu"), "share", redacted=True)),
        "old": sum(site.existing for site in study.sites),
        "new": sum(not site.existing for site in study.sites),
        "gone": sum(site.plan in ("close", "move") for site in study.sites),
    }
    withheld = {
        "today": shares.get("existing") is None,
        "plan": None in (shares.get("existing"), shares.get("yilu")),
    }
    return {
        mode: say.text(f"headline.{mode}{'_hidden' if withheld.get(mode) else ''}", **figures)
        for mode in MODES
    }


def _view(study: Study, backdrop: Backdrop) -> list[float]:
    """West, south, east, north of what there is to see first: the streets, and stations beside them."""
    west, south, east, north = backdrop.extent
    lons = [west, east, *(site.lonlat[0] for site in study.sites)]
    lats = [south, north, *(site.lonlat[1] for site in study.sites)]
    return [round(v, 6) for v in (min(lons), min(lats), max(lons), max(lats))]
