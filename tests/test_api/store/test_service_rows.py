"""Keys, tenants, webhooks, repeated requests, audit and jobs: one contract for both databases."""

import dataclasses

import pytest
from store_rows import BLUE, GRID, PLANNER, YELLOW

from api.store import SERVICE, Database, OutOfScopeError, Scope, jobs
from api.store.access import audit, idempotency, keys, tenants
from api.store.access.keys import NewKey
from api.store.dispatch import webhooks
from geo.errors import InputError


def _create(database: Database, wanted: NewKey, now_s: float = 0.0) -> tuple[keys.ApiKey, str]:
    with database.transaction() as connection:
        return keys.create(connection, SERVICE, wanted, now_s)


def _opens(database: Database, text: str, now_s: float) -> bool:
    with database.reading() as connection:
        return keys.check(connection, text, now_s) is not None


def test_a_key_is_shown_once_and_kept_as_a_digest(database: Database) -> None:
    key, text = _create(database, NewKey("blue", "rider", "phone", rider_id="r1", expires_s=10.0))
    head, key_id, secret = text.split("_")
    assert (head, key_id, len(secret)) == ("yl", key.key_id, 43)
    assert key.scope == Scope("blue", "rider", rider_id="r1")
    with database.reading() as connection:
        assert keys.check(connection, text, 9.0) == key
        (row,) = connection.exec_driver_sql("SELECT * FROM api_keys").all()
        assert secret not in repr(row)
        assert keys.list_all(connection, BLUE) == []
        assert keys.any_usable(connection, SERVICE, 9.0)
        assert not keys.any_usable(connection, SERVICE, 10.0)


def test_what_is_no_key_opens_nothing(database: Database) -> None:
    _, text = _create(database, NewKey("blue", "platform"))
    other = text[:-1] + ("0" if text[-1] != "0" else "1")
    for wrong in (other, "", "yl__", text + "0", text[:-1], f" {text}", text.replace("yl_", "xx_"),
                  f"yl_{'A' * 12}_{'B' * 43}", text.upper()):  # fmt: skip
        assert not _opens(database, wrong, 1.0)


def test_keys_expire_are_revoked_and_rotated(database: Database) -> None:
    key, text = _create(database, NewKey("office", "grid_staff", "desk", ("G1", "G2"), expires_s=100.0))
    assert [_opens(database, text, now_s) for now_s in (0.0, 99.9, 100.0)] == [True, True, False]
    with database.transaction() as connection:
        new, new_text = keys.rotate(connection, SERVICE, key.key_id, 10.0, 50.0)
    assert (new.scope, new.name, new.expires_s) == (key.scope, "desk", 150.0)
    assert [_opens(database, text, now_s) for now_s in (59.9, 60.0)] == [True, False]
    with database.transaction() as connection:
        keys.revoke(connection, SERVICE, new.key_id, 70.0)
        keys.revoke(connection, SERVICE, new.key_id, 90.0)
        with pytest.raises(InputError, match="there is no key nobody"):
            keys.revoke(connection, SERVICE, "nobody", 1.0)
        with pytest.raises(InputError, match="has ended"):
            keys.rotate(connection, SERVICE, key.key_id, 10.0, 80.0)
    assert [_opens(database, new_text, now_s) for now_s in (69.9, 70.0)] == [True, False]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (NewKey("nobody", "platform"), "no tenant nobody"),
        (NewKey("blue", "grid_staff"), "grid codes"),
        (NewKey("blue", "rider"), "rider's id"),
        (NewKey("blue", "platform", rider_id="r1"), "rider's id"),
    ],
)
def test_a_key_that_fits_nobody_is_refused(database: Database, wanted: NewKey, words: str) -> None:
    with pytest.raises(InputError, match=words):
        _create(database, wanted)


def test_only_an_admin_makes_keys_and_tenants(database: Database) -> None:
    with database.transaction() as connection:
        for who in (BLUE, PLANNER, GRID, Scope("blue", "rider", rider_id="r1")):
            with pytest.raises(OutOfScopeError):
                keys.create(connection, who, NewKey(who.tenant_id or "", "platform"), 0.0)
            with pytest.raises(OutOfScopeError):
                tenants.add(connection, who, tenants.Tenant("new", "New", "office", 0.0))
            assert [one.tenant_id for one in tenants.list_all(connection, who)] == [who.tenant_id]
        with pytest.raises(InputError, match="a tenant blue already"):
            tenants.add(connection, SERVICE, tenants.Tenant("blue", "Blue", "platform", 0.0))


def test_a_webhook_remembers_how_far_it_has_come(database: Database) -> None:
    made = webhooks.Webhook(
        "w1", "blue", "https://a.example/", "s", ["offer.made"], "active", 0, 0, None, 1.0
    )
    with database.transaction() as connection:
        webhooks.add(connection, BLUE, made)
        with pytest.raises(OutOfScopeError):
            webhooks.add(connection, YELLOW, dataclasses.replace(made, webhook_id="w2"))
        failing = dataclasses.replace(made, state="failing", failures=2, next_seq=7, retry_at_s=50.0)
        assert webhooks.due(connection, SERVICE, 0.0, 60.0) == [made]
        assert webhooks.save(connection, SERVICE, failing)
        assert not webhooks.save(connection, YELLOW, made)
        assert (
            webhooks.due(connection, SERVICE, 49.0, 60.0),
            webhooks.due(connection, SERVICE, 50.0, 60.0),
        ) == (
            [],
            [failing],
        )
        assert webhooks.load_for_update(connection, BLUE, "w1") == failing
        assert webhooks.get(connection, YELLOW, "w1") is None
        assert not webhooks.remove(connection, YELLOW, "w1")
        assert webhooks.remove(connection, BLUE, "w1")
        assert webhooks.list_all(connection, SERVICE) == []


def test_the_same_key_gets_the_same_answer_for_a_day(database: Database) -> None:
    answer = idempotency.KeptAnswer(201, {"location": "/v1/tasks/t1"}, b"\x00{}")

    def begin(digest: str, now_s: float, who: Scope = BLUE) -> idempotency.Begun:
        with database.transaction() as connection:
            return idempotency.begin(connection, who, who.tenant_id or "", "k", digest, now_s)

    assert begin("d", 0.0).state == "new"
    assert begin("d", 1.0).state == "in_work"
    assert begin("other", 1.0).state == "conflict"
    with database.transaction() as connection:
        idempotency.finish(connection, BLUE, "blue", "k", answer)
        idempotency.release(connection, BLUE, "blue", "k")
    assert begin("d", 86_000.0) == idempotency.Begun("done", answer)
    # Somebody else with the same key: another tenant, and two riders of the same one.
    assert begin("other", 1.0, YELLOW).state == "new"
    assert [begin("x", 1.0, Scope("blue", "rider", rider_id=name)).state for name in ("r1", "r2")] == [
        "new"
    ] * 2
    assert begin("d", 90_000.0).state == "new"
    assert begin("d", 90_000.0 + idempotency.STALE_S + 1).state == "new"
    with database.transaction() as connection:
        idempotency.release(connection, BLUE, "blue", "k")
        assert idempotency.forget(connection, SERVICE, 200_000.0) == 3
    assert begin("other", 3e5).state == "new"


def test_acts_are_on_record_the_newest_first(database: Database) -> None:
    acts = [
        audit.AuditEntry(float(k), "blue", "key", "platform", "put", "rider", None, "done", None)
        for k in range(3)
    ]
    acts.append(audit.AuditEntry(9.0, None, None, None, "read", "task", "t1", "unauthorized", "id"))
    with database.transaction() as connection:
        for act in acts[:3]:
            audit.record(connection, BLUE, act)
        audit.record(connection, SERVICE, acts[3])
        with pytest.raises(OutOfScopeError):
            audit.record(connection, YELLOW, acts[0])
        assert [row.entry for row in audit.page(connection, BLUE, None, 2)] == [acts[2], acts[1]]
        (first, *rest) = audit.page(connection, SERVICE, None, 9)
        assert (first.entry, len(rest)) == (acts[3], 3)
        assert audit.page(connection, SERVICE, first.seq, 9) == rest
        assert audit.page(connection, YELLOW, None, 9) == audit.page(connection, GRID, None, 9) == []


def test_a_job_is_taken_once_told_of_and_ended(database: Database) -> None:
    made = [
        jobs.Job(f"j{k}", "office", "Study", "study", "queued", None, {"k": k}, float(k)) for k in range(3)
    ]
    with database.transaction() as connection:
        for one in made:
            jobs.add(connection, PLANNER, one)
        with pytest.raises(OutOfScopeError):
            jobs.add(connection, BLUE, dataclasses.replace(made[0], job_id="j9", tenant_id="blue"))
    with database.transaction() as connection:
        first = jobs.take_next(connection, SERVICE, "study", 10.0)
        assert first == dataclasses.replace(made[0], state="running", started_s=10.0)
    with database.transaction() as connection:
        second = jobs.take_next(connection, SERVICE, "study", 11.0)
        assert second is not None
        assert second.job_id == "j1"
        assert jobs.progress(connection, SERVICE, "j0", {"done": 1})
        assert jobs.cancel(connection, PLANNER, "j0", 12.0)
        assert not jobs.progress(connection, SERVICE, "j0", {"done": 2})
        assert not jobs.end(connection, SERVICE, "j0", 13.0, folder="out")
        left = jobs.take_up_left(connection, SERVICE, "study", 13.0, 2, "left twice")
        assert left == jobs.Left(queued=1, failed=0)
        assert jobs.take_next(connection, SERVICE, "study", 14.0) is not None
        assert jobs.end(connection, SERVICE, "j1", 15.0, error="no map")
        ended = jobs.get(connection, PLANNER, "j1")
        assert ended is not None
        assert (ended.state, ended.error, ended.ended_s) == ("failed", "no map", 15.0)
        assert [one.state for one in jobs.page(connection, PLANNER, None, 9)] == [
            "cancelled",
            "failed",
            "queued",
        ]
        assert jobs.page(connection, BLUE, None, 9) == []
        assert jobs.get(connection, GRID, "j1") is None


def test_a_job_waits_for_its_start_and_may_run_again(database: Database) -> None:
    job = jobs.Job("j0", "office", "Study", "study", "registered", None, {}, 0.0)
    with database.transaction() as connection:
        jobs.add(connection, PLANNER, job)
        assert jobs.take_next(connection, SERVICE, "study", 1.0) is None
        assert not jobs.queue(connection, BLUE, "j0")
        assert jobs.queue(connection, PLANNER, "j0")
        assert not jobs.queue(connection, PLANNER, "j0")
        assert not jobs.remove(connection, PLANNER, "j0")
        for errors in (None, "left twice"):
            assert jobs.take_next(connection, SERVICE, "study", 2.0) is not None
            jobs.take_up_left(connection, SERVICE, "study", 3.0, 2, "left twice")
            left = jobs.get(connection, PLANNER, "j0")
            assert left is not None
            assert (left.state, left.error) == ("queued" if errors is None else "failed", errors)
        assert jobs.named(connection, SERVICE, "study", "office", "Study") == left
        assert jobs.queue(connection, PLANNER, "j0")
        assert jobs.take_next(connection, SERVICE, "study", 4.0) is not None
        assert jobs.end(connection, SERVICE, "j0", 5.0, folder="out")
        assert not jobs.remove(connection, BLUE, "j0")
        assert jobs.remove(connection, PLANNER, "j0")


def test_a_name_serves_one_result(database: Database) -> None:
    admin = dataclasses.replace(PLANNER, role="admin")
    with database.transaction() as connection:
        for number, tenant in enumerate(("office", "office", "blue")):
            jobs.add(
                connection,
                SERVICE,
                jobs.Job(f"j{number}", tenant, "S", "study", "done", None, {}, float(number)),
            )
        assert jobs.publish(connection, PLANNER, "j0", "beijing")
        assert jobs.publish(connection, PLANNER, "j1", "beijing"), "the same tenant's newer study takes over"
        assert not jobs.publish(connection, admin, "j2", "beijing"), "another tenant's name is not taken away"
        assert [one.job_id for one in jobs.published(connection, SERVICE, "beijing")] == ["j1"]
        assert not jobs.publish(connection, PLANNER, "j2", "porto")
        assert jobs.publish(connection, PLANNER, "j1", None)
        assert jobs.published(connection, SERVICE) == []
