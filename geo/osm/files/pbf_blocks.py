"""Decoder of one inflated block of an OSM pbf file: bytes in, columns out.

Every length, number of a text and position is checked, so that a broken block raises and never reads beyond
itself. Format: https://wiki.openstreetmap.org/wiki/PBF_Format.
"""

import numpy as np
from numpy.typing import NDArray

from geo.arrays import Int64Array, Integer
from geo.jit import kernel
from geo.osm.files.opl import (
    COMMA,
    DROP,
    EQUALS,
    FNV_OFFSET,
    FNV_PRIME,
    KEEP,
    LETTER_R,
    MINUS,
    NEWLINE,
    SELECT,
    SPACE,
    STREET,
    TAGS,
    ZERO,
    UInt8Array,
    UInt64Array,
    key_role,
)

__all__ = ["field", "scan_block"]

UNITS = 100
"""Nanodegrees in 1e-7 degrees."""
PERCENT, AT, DELETE, LETTER_A, MEMBERS = ord("%"), ord("@"), 0x7F, ord("a"), ord("M")
KINDS = np.frombuffer(b"nwr", np.uint8)
"""Members of a relation."""
GROUP, NODE, DENSE, WAY, RELATION = 2, 1, 2, 3, 4
"""Numbers of fields: of a group in a block, and of the objects in a group."""
FIELDS = 32
"""Numbers of fields are below."""


@kernel
def _varint(data: UInt8Array, at: Integer, end: Integer) -> tuple[Integer, Integer]:
    value, shift = np.int64(0), 0
    while True:
        if at >= end or shift > 63:
            raise ValueError("a number is cut off")
        byte = np.int64(data[at])
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


@kernel
def _zigzag(value: Integer) -> Integer:
    """Undo the code which writes 0, -1, 1, -2 ... as 0, 1, 2, 3 ..."""
    return ((value >> 1) & np.int64(0x7FFFFFFFFFFFFFFF)) ^ -(value & 1)


@kernel
def _signed(data: UInt8Array, at: Integer, end: Integer) -> tuple[Integer, Integer]:
    value, at = _varint(data, at, end)
    return _zigzag(value), at


@kernel
def field(data: UInt8Array, at: Integer, end: Integer) -> tuple[Integer, Integer, Integer, Integer]:
    """Return (number, low, high, after) of a field: where its bytes are, or of a number the value and 0."""
    tag, at = _varint(data, at, end)
    wire = tag & 7
    low: Integer = 0
    high: Integer = 0
    if wire == 0:
        low, at = _varint(data, at, end)
    elif wire == 2:
        size, at = _varint(data, at, end)
        if size < 0 or size > end - at:
            raise ValueError("a field is cut off")
        low, high = at, at + size
        at = high
    elif wire == 1:
        at += 8
    elif wire == 5:
        at += 4
    else:
        raise ValueError("a field is of no known kind")
    return tag >> 3, low, high, at


@kernel
def _fields(data: UInt8Array, at: Integer, end: Integer, low: Int64Array, high: Int64Array) -> None:
    """Fill `low` and `high` by the number of the field; zero where there is none."""
    low[:] = 0
    high[:] = 0
    while at < end:
        number, first, last, at = field(data, at, end)
        if 0 <= number < FIELDS:
            low[number], high[number] = first, last


@kernel
def _room(out: UInt8Array, needed: Integer) -> UInt8Array:
    if needed <= len(out):
        return out
    larger = np.empty(2 * needed, np.uint8)
    larger[: len(out)] = out
    return larger


@kernel
def _put(out: UInt8Array, filled: Integer, byte: Integer) -> tuple[UInt8Array, Integer]:
    out = _room(out, filled + 1)
    out[filled] = byte
    return out, filled + 1


@kernel
def _put_text(
    data: UInt8Array, low: Integer, high: Integer, out: UInt8Array, filled: Integer
) -> tuple[UInt8Array, Integer]:
    """Copy a text in OPL notation: what separates there is written ``%hex%``."""
    out = _room(out, filled + 4 * (high - low))
    for at in range(low, high):
        byte = data[at]
        if byte > SPACE and byte not in (PERCENT, COMMA, EQUALS, AT, DELETE):
            out[filled] = byte
            filled += 1
            continue
        out[filled] = PERCENT
        for place in range(2):
            digit = (np.int64(byte) >> 4 * (1 - place)) & 15
            out[filled + 1 + place] = ZERO + digit if digit < 10 else LETTER_A + digit - 10
        out[filled + 3] = PERCENT
        filled += 4
    return out, filled


@kernel
def _put_integer(value: Integer, out: UInt8Array, filled: Integer) -> tuple[UInt8Array, Integer]:
    out = _room(out, filled + 20)
    if value < 0:
        out[filled] = MINUS
        filled += 1
        value = -value
    digits, rest = 1, value // 10
    while rest > 0:
        digits += 1
        rest //= 10
    for place in range(filled + digits - 1, filled - 1, -1):
        out[place] = ZERO + value % 10
        value //= 10
    return out, filled + digits


@kernel
def _put_tag(
    data: UInt8Array,
    texts: Int64Array,
    roles: UInt8Array,
    tag: tuple[Integer, Integer],
    out: UInt8Array,
    filled: Integer,
    first: Integer,
    seen: Integer,
) -> tuple[UInt8Array, Integer, Integer]:
    """Copy a tag where it is wanted, after those from `first` on; the roles seen so far and its own."""
    key, value = tag
    if not (0 <= key < len(texts) and 0 <= value < len(texts)):
        raise ValueError("a tag is not in the table of texts")
    if roles[key] & KEEP:
        if filled > first:
            out, filled = _put(out, filled, COMMA)
        out, filled = _put_text(data, texts[key, 0], texts[key, 1], out, filled)
        out, filled = _put(out, filled, EQUALS)
        out, filled = _put_text(data, texts[value, 0], texts[value, 1], out, filled)
    return out, filled, seen | np.int64(roles[key])


@kernel
def _put_tags(
    data: UInt8Array,
    texts: Int64Array,
    low: Int64Array,
    high: Int64Array,
    roles: UInt8Array,
    out: UInt8Array,
    filled: Integer,
) -> tuple[UInt8Array, Integer, Integer]:
    """Copy the wanted tags of a message (keys in field 2, values in field 3); roles of all its keys."""
    first = filled
    seen: Integer = 0
    key_at, value_at = low[2], low[3]
    while key_at < high[2]:
        key, key_at = _varint(data, key_at, high[2])
        value, value_at = _varint(data, value_at, high[3])
        out, filled, seen = _put_tag(data, texts, roles, (key, value), out, filled, first, seen)
    return out, filled, seen


@kernel
def _texts(data: UInt8Array, at: Integer, end: Integer) -> Int64Array:
    """First byte and end (n, 2) of each text of the table."""
    count, here = 0, at
    while here < end:
        _, _, _, here = field(data, here, end)
        count += 1
    texts = np.zeros((count, 2), np.int64)
    for row in range(count):
        number, low, high, at = field(data, at, end)
        if number == 1:
            texts[row, 0], texts[row, 1] = low, max(low, high)
    return texts


@kernel
def _text_roles(data: UInt8Array, texts: Int64Array, hashes: UInt64Array, roles: UInt8Array) -> UInt8Array:
    found = np.zeros(len(texts), np.uint8)
    for row in range(len(texts)):
        value = FNV_OFFSET
        for at in range(texts[row, 0], texts[row, 1]):
            value = (value ^ np.uint64(data[at])) * FNV_PRIME
        found[row] = key_role(hashes, roles, value)
    return found


@kernel
def _units(offset: Integer, granularity: Integer, value: Integer) -> Integer:
    """Position in 1e-7 degrees, cut towards zero."""
    nano = offset + granularity * value
    units = (-nano if nano < 0 else nano) // UNITS
    if units >= 1 << 31:
        raise ValueError("a position is out of range")
    return -units if nano < 0 else units


@kernel
def _counts(data: UInt8Array, low: Int64Array, high: Int64Array) -> tuple[Integer, Integer, Integer]:
    """At most so many nodes, ways and references are in the block."""
    nodes = ways = 0
    refs: Integer = 0
    at: Integer = 0
    while at < len(data):
        number, first, last, at = field(data, at, len(data))
        while number == GROUP and first < last:
            kind, start, stop, first = field(data, first, last)
            if kind == NODE:
                nodes += 1
            elif kind == DENSE:
                _fields(data, start, stop, low, high)
                for byte in data[low[1] : high[1]]:
                    nodes += byte < 128
            elif kind == WAY:
                ways += 1
                refs += stop - start
    return nodes, ways, refs


@kernel
def _put_relation(
    data: UInt8Array,
    texts: Int64Array,
    low: Int64Array,
    high: Int64Array,
    all_keys: UInt8Array,
    out: UInt8Array,
    filled: Integer,
) -> tuple[UInt8Array, Integer]:
    """Write a relation as a line of OPL."""
    out, filled = _put(out, filled, LETTER_R)
    out, filled = _put_integer(low[1], out, filled)
    out, filled = _put(out, filled, SPACE)
    out, filled = _put(out, filled, TAGS)
    out, filled, _ = _put_tags(data, texts, low, high, all_keys, out, filled)
    out, filled = _put(out, filled, SPACE)
    out, filled = _put(out, filled, MEMBERS)
    role_at, ref_at, kind_at, ref, begun = low[8], low[9], low[10], np.int64(0), False
    while ref_at < high[9]:
        step, ref_at = _signed(data, ref_at, high[9])
        role, role_at = _varint(data, role_at, high[8])
        kind, kind_at = _varint(data, kind_at, high[10])
        if not (0 <= role < len(texts) and 0 <= kind < len(KINDS)):
            raise ValueError("a member of a relation is of no known kind or role")
        ref += step
        if begun:
            out, filled = _put(out, filled, COMMA)
        begun = True
        out, filled = _put(out, filled, np.int64(KINDS[kind]))
        out, filled = _put_integer(ref, out, filled)
        out, filled = _put(out, filled, AT)
        out, filled = _put_text(data, texts[role, 0], texts[role, 1], out, filled)
    return _put(out, filled, NEWLINE)


@kernel
def scan_block(
    data: UInt8Array,
    node_hashes: UInt64Array,
    node_roles: UInt8Array,
    way_hashes: UInt64Array,
    way_roles: UInt8Array,
) -> tuple[NDArray[np.generic], ...]:
    """Columns of one block: nodes, tagged nodes, ways, references, and the relations as lines of OPL.

    One loop over the messages of a block: what is found in one decides how the next ones are read.
    """
    low, high = np.zeros(FIELDS, np.int64), np.zeros(FIELDS, np.int64)
    most_nodes, most_ways, most_refs = _counts(data, low, high)
    _fields(data, 0, len(data), low, high)
    texts = _texts(data, low[1], high[1])
    granularity = low[17] if low[17] else np.int64(UNITS)
    south, west = low[19], low[20]
    node_role = _text_roles(data, texts, node_hashes, node_roles)
    way_role = _text_roles(data, texts, way_hashes, way_roles)
    all_keys = np.full(len(texts), KEEP, np.uint8)

    node_id, tagged_id = np.empty(most_nodes, np.int64), np.empty(most_nodes, np.int64)
    x, y = np.empty(most_nodes, np.int32), np.empty(most_nodes, np.int32)
    tagged_len = np.empty(most_nodes, np.int32)
    way_id = np.empty(most_ways, np.int64)
    way_len, n_refs = np.empty(most_ways, np.int32), np.empty(most_ways, np.int32)
    refs, street = np.empty(most_refs, np.int64), np.empty(most_ways, np.bool_)
    tagged_text, way_text = np.empty(1024, np.uint8), np.empty(len(data), np.uint8)
    relation_text = np.empty(1024, np.uint8)
    nodes = tagged = ways = n_ref = 0
    tagged_bytes: Integer = 0
    way_bytes: Integer = 0
    relation_bytes: Integer = 0
    at: Integer = 0
    while at < len(data):
        number, group, group_end, at = field(data, at, len(data))
        while number == GROUP and group < group_end:
            kind, start, stop, group = field(data, group, group_end)
            if kind > RELATION:
                continue
            _fields(data, start, stop, low, high)
            if kind == NODE:
                node_id[nodes] = _zigzag(low[1])
                x[nodes] = _units(west, granularity, _zigzag(low[9]))
                y[nodes] = _units(south, granularity, _zigzag(low[8]))
                tagged_text, filled, role = _put_tags(
                    data, texts, low, high, node_role, tagged_text, tagged_bytes
                )
                if role & SELECT:
                    tagged_id[tagged], tagged_len[tagged] = node_id[nodes], filled - tagged_bytes
                    tagged += 1
                    tagged_bytes = filled
                nodes += 1
            elif kind == DENSE:
                id_at, lat_at, lon_at, tag_at = low[1], low[8], low[9], low[10]
                ident, lat, lon = np.int64(0), np.int64(0), np.int64(0)
                while id_at < high[1]:
                    step, id_at = _signed(data, id_at, high[1])
                    ident += step
                    step, lat_at = _signed(data, lat_at, high[8])
                    lat += step
                    step, lon_at = _signed(data, lon_at, high[9])
                    lon += step
                    node_id[nodes] = ident
                    x[nodes] = _units(west, granularity, lon)
                    y[nodes] = _units(south, granularity, lat)
                    nodes += 1
                    filled, role = tagged_bytes, 0
                    while tag_at < high[10]:
                        key, tag_at = _varint(data, tag_at, high[10])
                        if key == 0:
                            break
                        value, tag_at = _varint(data, tag_at, high[10])
                        tagged_text, filled, role = _put_tag(
                            data, texts, node_role, (key, value), tagged_text, filled, tagged_bytes, role
                        )
                    if role & SELECT:
                        tagged_id[tagged], tagged_len[tagged] = ident, filled - tagged_bytes
                        tagged += 1
                        tagged_bytes = filled
            elif kind == WAY:
                way_text, filled, role = _put_tags(data, texts, low, high, way_role, way_text, way_bytes)
                if not role & SELECT and role & DROP:
                    continue
                street[ways] = role & STREET != 0
                way_id[ways] = low[1]
                way_len[ways] = filled - way_bytes if role & SELECT else 0
                way_bytes += way_len[ways]
                first_ref, ref_at, ref = n_ref, low[8], np.int64(0)
                while ref_at < high[8]:
                    step, ref_at = _signed(data, ref_at, high[8])
                    ref += step
                    refs[n_ref] = ref
                    n_ref += 1
                n_refs[ways] = n_ref - first_ref
                ways += 1
            elif kind == RELATION:
                relation_text, relation_bytes = _put_relation(
                    data, texts, low, high, all_keys, relation_text, relation_bytes
                )
    return (
        node_id[:nodes],
        x[:nodes],
        y[:nodes],
        tagged_id[:tagged],
        tagged_len[:tagged],
        tagged_text[:tagged_bytes],
        way_id[:ways],
        way_len[:ways],
        way_text[:way_bytes],
        n_refs[:ways],
        refs[:n_ref],
        street[:ways],
        relation_text[:relation_bytes],
    )
