"""Nothing leaks: no statement without a scope, and no row, number or name of anybody else."""

import ast
import inspect
import itertools
import random
from pathlib import Path

import pytest
import sqlalchemy as sa
from store_rows import offer, task

import api.store
from api.store import SERVICE, Database, OutOfScopeError, Role, Scope, tables
from api.store.dispatch import events, offers, riders, tasks
from api.store.dispatch.events import Event
from api.store.dispatch.riders import RiderUpdate
from api.store.scope import _READ, select, visible

STORE = Path(inspect.getfile(api.store)).parent
# Who begins statements (scope) and who runs none over the tables.
APART = {"scope.py", "tables.py", "session.py", "__init__.py"}
BEGIN = {"select", "insert", "update", "delete", "Select", "table", "union", "union_all", "exists"}
REPOSITORIES = sorted(path.name for path in STORE.glob("*.py") if path.name not in APART)


@pytest.mark.parametrize("name", REPOSITORIES)
def test_no_repository_begins_a_statement_of_its_own(name: str) -> None:
    tree = ast.parse((STORE / name).read_text(encoding="utf-8"))
    faults = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            faults.append(f"{node.lineno}: names of SQLAlchemy are written with sa.")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in BEGIN:
            owner = node.func.value
            # Only `scope` has makers of statements; `tasks.insert(...)` of a table would be another.
            # Those of a cipher are no statements.
            if not (isinstance(owner, ast.Name) and owner.id in {"scope", "encryptor", "decryptor"}):
                faults.append(f"{node.lineno}: {ast.unparse(node.func)}")
    assert not faults


@pytest.mark.parametrize("name", REPOSITORIES)
def test_raw_sql_names_no_table(name: str) -> None:
    tree = ast.parse((STORE / name).read_text(encoding="utf-8"))
    tree.body = tree.body[1:]
    words = {word for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
             for word in node.value.replace(",", " ").split() if "FROM " in node.value}  # fmt: skip
    assert not words & set(tables.metadata.tables)


BY_THE_SERVICE = {
    # Before a key is checked nobody is known yet.
    ("keys.py", "check"), ("keys.py", "touch"),
    # What is on record, and the secret of a database, belong to nobody who asks.
    ("audit.py", "record_all"), ("numbers.py", "load"),
}  # fmt: skip


@pytest.mark.parametrize("name", REPOSITORIES)
def test_whoever_asks_the_database_has_a_scope(name: str) -> None:
    tree = ast.parse((STORE / name).read_text(encoding="utf-8"))
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        calls = {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
        begins = {
            call for call in calls if call.startswith("scope.") and call.removeprefix("scope.") in BEGIN
        }
        if begins and (name, function.name) not in BY_THE_SERVICE:
            assert "who" in {argument.arg for argument in function.args.args}, function.name


def test_a_statement_without_a_scope_does_not_run(database: Database) -> None:
    forgetful = [
        sa.select(tables.tasks),
        sa.select(sa.func.count()).select_from(tables.riders),
        sa.delete(tables.events),
        sa.update(tables.offers).values(status="x"),
        sa.insert(tables.jobs),
    ]
    with database.transaction() as connection:
        for statement in forgetful:
            with pytest.raises(RuntimeError, match=r"api\.store\.scope"):
                connection.execute(statement)
        connection.execute(select(tables.tasks, SERVICE).where(tables.tasks.c.label == "x"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"tenant_id": None, "role": "platform"}, "belongs to a tenant"),
        ({"tenant_id": "a", "role": "grid_staff"}, "grid codes"),
        ({"tenant_id": "a", "role": "planner", "grid_codes": ("G1",)}, "grid codes"),
        ({"tenant_id": "a", "role": "rider"}, "rider's id"),
        ({"tenant_id": "a", "role": "admin", "rider_id": "r"}, "rider's id"),
        ({"tenant_id": "a", "role": "king"}, "role must be one of"),
    ],
)
def test_a_scope_without_bounds_cannot_be_made(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Scope(**values)  # type: ignore[arg-type]


def test_every_table_has_a_rule_and_an_unnamed_role_sees_nothing() -> None:
    assert set(_READ) == set(tables.metadata.tables) - {"counters"}
    scopes = [Scope("t", "platform"), Scope("t", "planner"), Scope("t", "grid_staff", ("G",)),
              Scope("t", "rider", rider_id="r")]  # fmt: skip
    for table, who in itertools.product(tables.metadata.tables.values(), scopes):
        if table.name != "counters" and who.role not in _READ[table.name]:
            assert str(visible(table, who)) == "false"
    assert "planner" not in _READ["riders"]


TENANTS = ("blue", "yellow", "office")
GRIDS = ("G1", "G2", None)


def _populate(database: Database, seed: int) -> None:
    """Random rows; every one names in its own body to whom it belongs."""
    pick = random.Random(seed)
    with database.transaction() as connection:
        for tenant in ("blue", "yellow"):
            bulk = [RiderUpdate(f"r{k}", 1.0, {"owner": tenant}) for k in range(4)]
            riders.put(connection, SERVICE, tenant, bulk)
        for k in range(25):
            publisher, platform = pick.choice(TENANTS), pick.choice(("blue", "yellow"))
            rider = f"r{pick.randrange(4)}"
            made = task(f"t{k}", publisher, grid_code=pick.choice(GRIDS), created_s=float(pick.randrange(5)))
            tasks.insert(connection, SERVICE, made)
            offers.insert(connection, SERVICE, [offer(f"o{k}", f"t{k}", platform, rider)])
            happened = Event(1.0, "k", f"t{k}", publisher, platform, rider, {}, {"owner": platform})
            events.append(connection, SERVICE, [happened])


SCOPES = [
    *(Scope(tenant, "platform") for tenant in ("blue", "yellow")),
    *(Scope(tenant, "rider", rider_id=f"r{k}") for tenant in ("blue", "yellow") for k in range(2)),
    *(Scope(tenant, "planner") for tenant in TENANTS),
    *(Scope("office", "grid_staff", codes) for codes in (("G1",), ("G2",), ("G1", "G2"), ("G9",))),
    *(Scope(tenant, "admin") for tenant in TENANTS),
]


def _may_see_task(who: Scope, row: tasks.TaskRow) -> bool:
    mine = row.tenant_id == who.tenant_id
    return {
        "admin": True,
        "platform": mine,
        "planner": mine,
        "grid_staff": mine and row.grid_code in who.grid_codes,
        "rider": False,
    }[who.role]


def _may_see_person(who: Scope, tenant: str, rider: str) -> bool:
    mine = tenant == who.tenant_id
    table: dict[Role, bool] = {
        "admin": True,
        "platform": mine,
        "rider": mine and rider == who.rider_id,
        "planner": False,
        "grid_staff": False,
    }
    return table[who.role]


@pytest.mark.parametrize("seed", range(3))
def test_everybody_sees_exactly_what_is_theirs(database: Database, seed: int) -> None:
    _populate(database, seed)
    with database.reading() as connection:
        every_rider, _ = riders.read_all(connection, SERVICE)
        every_task = tasks.page(connection, SERVICE, None, 99)
        every_offer = offers.page(connection, SERVICE, None, 99)
        every_event = events.after(connection, SERVICE, 0, 99)
        grid_of = {row.task_id: row.grid_code for row in every_task}
        for who in SCOPES:
            people = [row for row in every_rider if _may_see_person(who, row.tenant_id, row.rider_id)]
            assert riders.read_all(connection, who)[0] == people
            assert riders.changed_since(connection, who, 0)[0] == people
            assert riders.page(connection, who, None, 99) == people
            mine = [row for row in every_task if _may_see_task(who, row)]
            assert tasks.page(connection, who, None, 99) == mine
            assert tasks.with_status(connection, who, ["published"]) == mine
            assert tasks.near(connection, who, 116.3, 39.9, 1e6, 99) == mine
            for row in every_task:
                seen = row if row in mine else None
                assert tasks.get(connection, who, row.task_id) == seen
                assert tasks.by_label(connection, who, row.tenant_id, row.label) == seen
            given = [row for row in every_offer if _may_see_person(who, row.tenant_id, row.rider_id)]
            assert offers.page(connection, who, None, 99) == given
            assert offers.with_status(connection, who, ["made"]) == given
            for one in every_offer:
                assert offers.get(connection, who, one.offer_id) == (one if one in given else None)
                assert all(found in given for found in offers.of_task(connection, who, one.task_id))
                of_rider = offers.of_rider(connection, who, one.tenant_id, one.rider_id)
                assert all(found in given for found in of_rider)
            _check_events(who, every_event, events.after(connection, who, 0, 99), grid_of)


def _check_events(
    who: Scope, every: list[events.EventRow], seen: list[events.EventRow], grid_of: dict[str, str | None]
) -> None:
    known = {row.seq: row.event for row in seen}
    for row in every:
        one = row.event
        assert one.task_id is not None
        assert one.platform_tenant_id is not None
        assert one.rider_id is not None
        person = _may_see_person(who, one.platform_tenant_id, one.rider_id)
        published = one.publisher_tenant_id == who.tenant_id and (
            who.role in {"platform", "planner"}
            or (who.role == "grid_staff" and grid_of[one.task_id] in who.grid_codes)
        )
        assert (row.seq in known) == (person or published), (who, one)
        if row.seq in known:
            told = known[row.seq]
            assert (told.rider_id is not None) == (told.platform_body is not None) == person
            assert (told.platform_tenant_id is not None) == (
                person or one.platform_tenant_id == who.tenant_id
            )


@pytest.mark.parametrize("who", [one for one in SCOPES if one.role != "admin"], ids=repr)
def test_nobody_changes_what_is_not_theirs(database: Database, who: Scope) -> None:
    _populate(database, 0)
    with database.transaction() as connection:
        before = tasks.page(connection, SERVICE, None, 99)
        for row in before:
            if not _may_see_task(who, row):
                with pytest.raises(tasks.VersionConflictError):
                    tasks.save(connection, who, row)
        for tenant in TENANTS:
            if tenant != who.tenant_id:
                with pytest.raises(OutOfScopeError):
                    tasks.insert(connection, who, task("new", tenant))
            if tenant != who.tenant_id or who.role != "platform":
                with pytest.raises(OutOfScopeError):
                    riders.put(connection, who, tenant, [RiderUpdate("r0", 9.0, {})])
        with pytest.raises(OutOfScopeError):
            offers.insert(connection, who, [offer("o99", "t1")])
        with pytest.raises(OutOfScopeError):
            events.append(connection, who, [])
