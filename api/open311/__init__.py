"""Open311 GeoReport v2 over street reports: forms, translation, JSON and XML; all of it pure."""

from api.open311.encode import (
    MEDIA_TYPES,
    encode_errors,
    encode_services,
    encoded_definition,
    encoded_requests,
    encoded_updates,
)
from api.open311.errors import Open311Error
from api.open311.forms import NewRequest, RequestsQuery, read_new_request, read_query
from api.open311.translate import (
    PublicMatter,
    accepted,
    definition,
    report_of,
    request_of,
    selected,
    services,
    token_answer,
    updates_of,
)
from api.open311.updates import NewUpdate, of_office, of_reporter, read_new_update

__all__ = [
    "MEDIA_TYPES",
    "NewRequest",
    "NewUpdate",
    "Open311Error",
    "PublicMatter",
    "RequestsQuery",
    "accepted",
    "definition",
    "encode_errors",
    "encode_services",
    "encoded_definition",
    "encoded_requests",
    "encoded_updates",
    "of_office",
    "of_reporter",
    "read_new_request",
    "read_new_update",
    "read_query",
    "report_of",
    "request_of",
    "selected",
    "services",
    "token_answer",
    "updates_of",
]
