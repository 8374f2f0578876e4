"""Links of the OpenAPI document: which answer holds the id that another call asks for."""

from typing import Any

__all__ = ["add_links"]

Json = dict[str, Any]

_IDS = (
    # Method and path of the answer, where in it the id stands, and below which address it is asked for.
    ("put", "/v1/riders", "$request.body#/riders/0/rider_id", "/v1/riders/{rider_id}"),
    ("post", "/v1/tasks", "$response.body#/id", "/v1/tasks/{id}"),
    ("get", "/v1/tasks", "$response.body#/tasks/0/id", "/v1/tasks/{id}"),
    ("post", "/v1/tasks", "$response.body#/offers/0/offer_id", "/v1/offers/{offer_id}"),
    ("get", "/v1/offers", "$response.body#/offers/0/offer_id", "/v1/offers/{offer_id}"),
    ("post", "/v1/offers/{offer_id}/accept", "$response.body#/offer_id", "/v1/offers/{offer_id}"),
    ("post", "/v1/offers/{offer_id}/start", "$response.body#/offer_id", "/v1/offers/{offer_id}"),
    ("post", "/v1/offers/{offer_id}/finish", "$response.body#/id", "/v1/tasks/{id}"),
    ("post", "/v1/emergencies", "$response.body#/id", "/v1/emergencies/{id}"),
    ("get", "/v1/alerts", "$response.body#/alerts/0/alert_id", "/v1/alerts/{alert_id}"),
    ("post", "/v1/webhooks", "$response.body#/webhook_id", "/v1/webhooks/{webhook_id}"),
    ("post", "/v1/studies", "$response.body#/study_id", "/v1/studies/{study_id}"),
    ("post", "/v1/studies/upload", "$response.body#/study_id", "/v1/studies/{study_id}"),
    ("post", "/v1/reports", "$response.body#/report_id", "/v1/reports/{id}"),
    ("get", "/v1/matters", "$response.body#/matters/0/matter_id", "/v1/matters/{id}"),
)


def add_links(paths: Json) -> None:
    """Add to each answer that holds an id the calls that may follow with it."""
    for method, path, expression, below in _IDS:
        name = below[below.index("{") + 1 : -1]
        links = {
            f"{verb}_{target.removeprefix(below).strip('/').replace('-', '_') or 'one'}_of_{name}": {
                "operationId": call["operationId"],
                "parameters": {f"path.{name}": expression},
            }
            for target, item in paths.items()
            # What else stands in the address is not known from the answer.
            if target.startswith(below) and target.count("{") == 1
            for verb, call in item.items()
        }
        for status, answer in paths[path][method]["responses"].items():
            if status.startswith("2"):
                answer.setdefault("links", {}).update(links)
