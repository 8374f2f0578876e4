"""``yilu tenants`` and ``yilu keys``: who may use the service."""

import datetime
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import sqlalchemy as sa

    from api.store import Database

__all__ = ["keys_group", "tenants_group"]

STUDY = click.option(
    "--study",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("out/demo"),
    show_default=True,
    help="Folder that is served; its yilu.db is used unless YILU_DATABASE_URL names a database.",
)


def _database(folder: Path) -> "Database":
    from api.http.access.auth import open_database
    from api.settings import load_settings
    from geo.errors import InputError

    settings = load_settings()
    if settings.database_url is None and not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; name the one that is served with --study")
    return open_database(settings, folder)


@click.group("tenants")
def tenants_group() -> None:
    """Add and list the platforms and offices that share the service."""


@tenants_group.command("add")
@click.argument("tenant_id", metavar="ID")
@click.option("--name", default=None, help="As people call it.")
@click.option("--kind", type=click.Choice(["platform", "office"]), required=True)
@STUDY
def add_tenant(tenant_id: str, name: str | None, kind: str, folder: Path) -> None:
    """Add a tenant."""
    from api.store import SERVICE
    from api.store.access import tenants

    with _database(folder).transaction() as connection:
        made = tenants.Tenant(tenant_id, name or tenant_id, kind, time.time())  # type: ignore[arg-type]
        tenants.add(connection, SERVICE, made)
    click.echo(f"{tenant_id}: added; next: yilu keys create --tenant {tenant_id} --role {kind_role(kind)}")


def kind_role(kind: str) -> str:
    """Return the role that most keys of a kind of tenant have."""
    return "platform" if kind == "platform" else "planner"


@tenants_group.command("list")
@STUDY
def list_tenants(folder: Path) -> None:
    """List the tenants."""
    from api.store import SERVICE
    from api.store.access import tenants

    with _database(folder).reading() as connection:
        for one in tenants.list_all(connection, SERVICE):
            click.echo(f"{one.tenant_id}\t{one.kind}\t{one.name}\t{_day(one.created_s)}")


@click.group("keys")
def keys_group() -> None:
    """Make, list, revoke and rotate API keys. A key is shown once."""


@keys_group.command("create")
@click.option("--tenant", required=True, help="Id of a tenant.")
@click.option(
    "--role", type=click.Choice(["platform", "planner", "grid_staff", "rider", "admin"]), required=True
)
@click.option(
    "--days", type=click.FloatRange(0, min_open=True), default=365, show_default=True, help="Of life."
)
@click.option(
    "--grid", "grids", multiple=True, metavar="CODE", help="Unit grid of grid staff; may be repeated."
)
@click.option("--rider", "rider_id", default=None, metavar="ID", help="Whose token it is.")
@click.option("--name", default="", help="What the key is for.")
@STUDY
def create_key(
    tenant: str, role: str, days: float, grids: tuple[str, ...], rider_id: str | None, name: str, folder: Path
) -> None:
    """Make a key and print it, once."""
    from api.store import SERVICE
    from api.store.access import keys
    from geo.localtime import DAY_S

    now_s = time.time()
    wanted = keys.NewKey(tenant, role, name, grids, rider_id, now_s + days * DAY_S)  # type: ignore[arg-type]
    with _database(folder).transaction() as connection:
        key, text = keys.create(connection, SERVICE, wanted, now_s)
        _note(connection, "create", key.key_id, now_s)
    _show_once(key.key_id, text, key.expires_s)


@keys_group.command("list")
@STUDY
def list_keys(folder: Path) -> None:
    """List the keys; never what opens them."""
    from api.store import SERVICE
    from api.store.access import keys

    now_s = time.time()
    with _database(folder).reading() as connection:
        for key in keys.list_all(connection, SERVICE):
            holder = " ".join([key.role, *key.grid_codes, *([key.rider_id] if key.rider_id else [])])
            ends = [end for end in (key.expires_s, key.revoked_s) if end is not None]
            state = "usable" if key.usable(now_s) else "ended"
            until = _day(min(ends)) if ends else "-"
            used = "-" if key.last_used_s is None else _day(key.last_used_s)
            click.echo(f"{key.key_id}\t{key.tenant_id}\t{holder}\t{state}\t{until}\t{used}\t{key.name}")


@keys_group.command("revoke")
@click.argument("key_id", metavar="KEY_ID")
@STUDY
def revoke_key(key_id: str, folder: Path) -> None:
    """End a key now; a running service heeds it within seconds."""
    from api.store import SERVICE
    from api.store.access import keys

    with _database(folder).transaction() as connection:
        keys.revoke(connection, SERVICE, key_id, time.time())
        _note(connection, "revoke", key_id, time.time())
    click.echo(f"{key_id}: revoked")


@keys_group.command("rotate")
@click.argument("key_id", metavar="KEY_ID")
@click.option(
    "--overlap-hours",
    type=click.FloatRange(0),
    default=24,
    show_default=True,
    help="The old one opens so long.",
)
@STUDY
def rotate_key(key_id: str, overlap_hours: float, folder: Path) -> None:
    """Make a key like another one, which ends after an overlap."""
    from api.store import SERVICE
    from api.store.access import keys

    with _database(folder).transaction() as connection:
        key, text = keys.rotate(connection, SERVICE, key_id, overlap_hours * 3600, time.time())
        _note(connection, "rotate", key_id, time.time())
    _show_once(key.key_id, text, key.expires_s)


def _note(connection: "sa.Connection", verb: str, key_id: str, now_s: float) -> None:
    """Put on record what was done at the console, where nobody shows a key."""
    from api.store import SERVICE
    from api.store.access import audit

    entry = audit.AuditEntry(now_s, None, None, "operator", f"key.{verb}", "key", key_id, "done", None)
    audit.record(connection, SERVICE, entry)


def _show_once(key_id: str, text: str, expires_s: float | None) -> None:
    until = "" if expires_s is None else f", good until {_day(expires_s)}"
    click.echo(f"key {key_id}{until}; it is shown only now:", err=True)
    click.echo(text)


def _day(instant_s: float) -> str:
    return datetime.datetime.fromtimestamp(instant_s, datetime.UTC).strftime("%Y-%m-%d %H:%MZ")
