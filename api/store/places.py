"""Tasks within so many metres: by PostGIS where the database has it, else by a box and the great circle.

Where PostGIS is there, `tasks` has a column ``place`` of the type geography, which the database itself
derives from `lon` and `lat`, with an index. It is added whenever the tables are brought up to date, so
that PostGIS may come later than the tables. It measures on the spheroid, the other
way on a sphere: they agree to 0.6 percent of the distance.
"""

import math

import sqlalchemy as sa

from api.store import tables
from geo.earth import RADIUS_M

__all__ = ["add_place_column", "has_place_column", "within"]

_KNOWN = "yilu_place_column"


def add_place_column(connection: sa.Connection) -> bool:
    """Add the column where PostGIS is there and it is missing; say whether it is there now."""
    if connection.dialect.name != "postgresql":
        return False
    there = "SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'"
    if not connection.execute(sa.text(there)).scalar_one():
        return False
    if not connection.execute(
        sa.text("SELECT count(*) FROM pg_extension WHERE extname = 'postgis'")
    ).scalar_one():
        allowed = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        if not connection.execute(sa.text(allowed)).scalar_one():
            # Only a superuser may add it; who runs the database does so when it is wanted.
            return False
        connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS postgis"))
    connection.execute(
        sa.text(
            "ALTER TABLE tasks ADD COLUMN IF NOT EXISTS place geography(Point, 4326)"
            " GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography) STORED"
        )
    )
    connection.execute(sa.text("CREATE INDEX IF NOT EXISTS ix_tasks_place ON tasks USING gist (place)"))
    return True


def has_place_column(connection: sa.Connection) -> bool:
    """Say whether the database measures by itself; asked once a connection."""
    if connection.dialect.name != "postgresql":
        return False
    if _KNOWN not in connection.info:
        asked = sa.text(
            "SELECT count(*) FROM pg_attribute WHERE attrelid = 'tasks'::regclass AND attname = 'place'"
        )
        connection.info[_KNOWN] = bool(connection.execute(asked).scalar_one())
    return bool(connection.info[_KNOWN])


def within(connection: sa.Connection, lon: float, lat: float, within_m: float) -> sa.ColumnElement[bool]:
    """Return the condition that a task lies within `within_m` metres of a place (WGS-84 degrees)."""
    if has_place_column(connection):
        centre = sa.cast(sa.func.ST_SetSRID(sa.func.ST_MakePoint(lon, lat), 4326), _Geography())
        return sa.func.ST_DWithin(sa.literal_column("tasks.place"), centre, within_m, type_=sa.Boolean)
    return sa.and_(_in_box(lon, lat, within_m), _distance_m(lon, lat) <= within_m)


class _Geography(sa.types.UserDefinedType[object]):
    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "geography"


def _in_box(lon: float, lat: float, within_m: float) -> sa.ColumnElement[bool]:
    tasks = tables.tasks.c
    # A hair wider than the circle, so that rounding never cuts it.
    angle = math.degrees(within_m / RADIUS_M) * (1 + 1e-9) + 1e-9
    inside = tasks.lat.between(lat - angle, lat + angle)
    # The circle's easternmost point lies where it touches a meridian; near a pole it goes all round.
    reach = math.sin(math.radians(angle)) / max(math.cos(math.radians(lat)), 1e-12)
    if abs(lat) + angle >= 90 or reach >= 1:
        return inside
    width = math.degrees(math.asin(reach)) + 1e-9
    west, east = lon - width, lon + width
    if west < -180 or east > 180:
        # Beyond the date line the box goes on at the other end.
        return sa.and_(
            inside, sa.or_(tasks.lon.between(west, east), tasks.lon >= west + 360, tasks.lon <= east - 360)
        )
    return sa.and_(inside, tasks.lon.between(west, east))


def _distance_m(lon: float, lat: float) -> sa.ColumnElement[float]:
    """Haversine: exact for near places too."""
    tasks = tables.tasks.c
    across = sa.func.sin(sa.func.radians(tasks.lat - lat) / 2)
    along = sa.func.sin(sa.func.radians(tasks.lon - lon) / 2)
    chord = (
        across * across
        + math.cos(math.radians(lat)) * sa.func.cos(sa.func.radians(tasks.lat)) * along * along
    )
    half = sa.func.sqrt(sa.case((chord > 1, 1.0), else_=chord))
    return 2 * RADIUS_M * sa.func.asin(half)
