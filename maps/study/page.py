"""The study map: one HTML page with stations, demand, flows and unit grids."""

from maps.page.basemap import Backdrop
from maps.page.frame import OnlineTiles, page_data, page_html
from maps.study import areas as layers
from maps.study import places as stations
from maps.study.unseen import blind_layer
from maps.texts.wording import Wording
from siting.report import period_of, study_report
from siting.results import Study

__all__ = ["study_map"]


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
        layers.flows_layer(study, say),
        blind_layer(study, say),
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
        "view": _view(study),
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


def _view(study: Study) -> list[float]:
    """West, south, east, north of what there is to see first: places and published demand."""
    points = [site.lonlat for site in study.sites] + [point.lonlat for point in study.pickups]
    points += [cell.centre for cell in study.cells if cell.riders is not None]
    if not points:
        return [round(value, 6) for value in study.bounds]
    lons, lats = [p[0] for p in points], [p[1] for p in points]
    pad = max(0.04 * max(max(lons) - min(lons), max(lats) - min(lats)), 0.001)
    return [round(v, 6) for v in (min(lons) - pad, min(lats) - pad, max(lons) + pad, max(lats) + pad)]
