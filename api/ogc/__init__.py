"""OGC API - Features (Part 1, Part 2) over published layers: collections, queries, systems and documents."""

from api.ogc.asking import COMMON, Interval, ItemsQuery, read_asked, single_values
from api.ogc.collections import (
    COLLECTIONS,
    Collection,
    Feature,
    FeaturePage,
    FeatureTable,
    Sources,
    StudySource,
    collection_of,
)
from api.ogc.crs import CRS84
from api.ogc.documents import (
    CONFORMANCE,
    GEOJSON,
    JSON,
    OPENAPI,
    SCHEMA,
    DoorAddress,
    api_document,
    collection_document,
    collections_document,
    feature_document,
    items_document,
    landing_document,
    queryables_document,
)
from api.ogc.errors import BadParameterError, NoSuchFeatureError

__all__ = [
    "COLLECTIONS",
    "COMMON",
    "CONFORMANCE",
    "CRS84",
    "GEOJSON",
    "JSON",
    "OPENAPI",
    "SCHEMA",
    "BadParameterError",
    "Collection",
    "DoorAddress",
    "Feature",
    "FeaturePage",
    "FeatureTable",
    "Interval",
    "ItemsQuery",
    "NoSuchFeatureError",
    "Sources",
    "StudySource",
    "api_document",
    "collection_document",
    "collection_of",
    "collections_document",
    "feature_document",
    "items_document",
    "landing_document",
    "queryables_document",
    "read_asked",
    "single_values",
]
