"""Answers as JSON and XML. Both come from the same fields, so they say the same."""

import json
import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from api.open311.errors import Open311Error
from api.open311.translate import Fields

__all__ = [
    "MEDIA_TYPES",
    "encode_errors",
    "encode_services",
    "encoded_definition",
    "encoded_requests",
    "encoded_updates",
]

MEDIA_TYPES = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, however it is written."""


def encode_services(found: Sequence[Fields], form: str) -> bytes:
    """Return the service list in a form, ``json`` or ``xml``."""
    return _list(found, form, "services", "service")


def encoded_requests(found: Sequence[Fields], form: str) -> bytes:
    """Return requests, the answer to a new one, or to a token."""
    return _list(found, form, "service_requests", "request")


def encoded_updates(found: Sequence[Fields], form: str) -> bytes:
    """Return steps of requests, an extension that FixMyStreet reads."""
    return _list(found, form, "service_request_updates", "request_update")


def encoded_definition(found: Fields, form: str) -> bytes:
    """Return the definition of a service, whose list of attributes is empty."""
    if form == "json":
        return _json(found | {"attributes": []})
    root = _element("service_definition", found)
    ET.SubElement(root, "attributes")
    return _xml(root)


def encode_errors(error: Open311Error, form: str) -> bytes:
    """Return an error as the specification wants it."""
    return _list([{"code": str(error.status), "description": error.description}], form, "errors", "error")


def _list(found: Sequence[Fields], form: str, outer: str, inner: str) -> bytes:
    if form == "json":
        return _json(list(found))
    root = ET.Element(outer)
    root.extend([_element(inner, fields) for fields in found])
    return _xml(root)


def _element(name: str, fields: Fields) -> ET.Element:
    element = ET.Element(name)
    for key, value in fields.items():
        child = ET.SubElement(element, key)
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            child.text = _NO_XML.sub("\ufffd", text)
    return element


def _xml(root: ET.Element) -> bytes:
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
