"""The service does what its OpenAPI document says, whatever it is sent; YILU_PROOF=full asks for more."""

import collections
import contextlib
import datetime
import itertools
import os
import time
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
import schemathesis.checks
from live_process import Ask, Process
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tiny_study import place, write_study

from api.store import SERVICE, Database
from api.store.access import keys, tenants

FULL = os.environ.get("YILU_PROOF") == "full"
CASES = int(os.environ.get("YILU_PROOF_CASES", "60" if FULL else "4"))
CHAINS = int(os.environ.get("YILU_PROOF_CHAINS", "150" if FULL else "6"))
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
GROUP = 10
"""Chains that are drawn without repeating each other."""
_sent: list[int] = []
_followed: collections.Counter[str] = collections.Counter()
"""Calls with an id in their address that were answered with success."""
_there: dict[str, list[str]] = collections.defaultdict(list)
"""Ids of what there was at the beginning, by the first word of their addresses."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address of a service, and the key of an admin: an admin gets furthest."""
    folder = tmp_path_factory.mktemp("schema")
    url = os.environ.get("YILU_PROOF_DATABASE", f"sqlite:///{folder / 'yilu.db'}")
    database = Database(url)
    database.migrate()
    with database.transaction() as connection:
        tenants.add(connection, SERVICE, tenants.Tenant("office", "Office", "office", 0.0))
        key = keys.create(connection, SERVICE, keys.NewKey("office", "admin"), time.time())[1]
    database.close()
    # Offers that wait: a chain gets to their ends, however long it takes to come by.
    process = Process(write_study(folder / "out"), url, offer_for_s="3600")
    try:
        process.start()
        _fill(Ask(process.url, key))
        yield process.url, key
    finally:
        process.kill()
        statuses = {status: _sent.count(status) for status in sorted(set(_sent))}
        print(f"\n{len(_sent)} requests: {statuses}")  # noqa: T201
        print(f"{sum(_followed.values())} of what was there: {dict(_followed)}")  # noqa: T201


def _fill(ask: Ask) -> None:
    """Put riders on the streets, tasks they are asked for, an alert, a report: calls meet what is there."""

    def told(path: str, body: object, method: str = "POST") -> Any:  # noqa: ANN401
        answer = ask(method, path, body)
        assert answer is not None
        assert answer[0] in (200, 201), answer
        return answer[1]

    now = datetime.datetime.now(datetime.UTC)
    later = (now + datetime.timedelta(hours=9)).isoformat()
    places = [dict(zip(("lon", "lat"), place(letter), strict=True)) for letter in "ABCDEFGHIJ"]
    riders: list[dict[str, Any]] = [
        {"rider_id": f"r{n}", "at": now.isoformat(), "stops": [], **at} for n, at in enumerate(places)
    ]
    told("/v1/riders", {"datum": "wgs84", "riders": riders}, "PUT")
    for number in range(20):
        visit = {**places[number % 10], "service_s": 5, "latest": later}
        made = told("/v1/tasks?datum=wgs84", {"task_id": f"t{number}", "place": visit, "kind": "hazard"})
        _there["tasks"].append(made["id"])
        _there["offers"] += [offer["offer_id"] for offer in made["offers"]]
    drill = told("/v1/emergencies?datum=wgs84", {"name": "drill", "drill": True, **places[2]})
    report = told("/v1/reports?datum=wgs84", {"kind": "appearance", **places[3]})
    hook = told("/v1/webhooks", {"url": "http://127.0.0.1:9/nobody"})
    for word, answer in (("emergencies", drill), ("reports", report), ("webhooks", hook)):
        _there[word].append(
            next(value for name, value in answer.items() if name in ("id", f"{word[:-1]}_id"))
        )
    _there["riders"] = [rider["rider_id"] for rider in riders]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_nothing_undocumented(served: tuple[str, str], mode: GenerationMode) -> None:
    address, key = served
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json", timeout=120)
    wrong: dict[str, str] = {}
    tried = set()
    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]
        name = operation.label
        # A stream has no end; what it says is tried elsewhere.
        if operation.path.endswith("/stream"):
            continue
        tried.add(name)
        try:
            _try(operation, mode, key)
        except hypothesis.errors.Unsatisfiable:
            # Nothing to do wrong: a call without parameters.
            continue
        except BaseExceptionGroup as group:
            wrong[name] = "; ".join(str(one)[:400] for one in group.exceptions)
    assert len(tried) > 30
    assert not wrong, "\n\n".join(f"{name}: {text}" for name, text in wrong.items())


def test_chains_of_calls(served: tuple[str, str]) -> None:
    """Calls follow each other by the links of the document: a task, its offer, a yes, the end."""
    address, key = served
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json", timeout=120)
    # What a stream says is tried elsewhere.
    machine: Any = schema.exclude(path_regex="/stream$").as_state_machine()

    class Chain(machine):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:  # noqa: ANN401
            if isinstance(case.query, dict):
                case.query.pop("wait_s", None)
            return {"headers": {"authorization": f"Bearer {key}"}, "timeout": 120}

        def after_call(self, response: Any, case: Any) -> None:  # noqa: ANN401
            super().after_call(response, case)
            _sent.append(response.status_code)
            if response.status_code < 300 and "{" in case.operation.label:
                _followed[case.operation.label] += 1

        def validate_response(self, response: Any, case: Any, **given: Any) -> None:  # noqa: ANN401
            case.validate_response(response, checks=CHECKS)

    before = _followed.copy()
    # What is drawn changes with any number in our source: a few chains may lead nowhere, many do not.
    for chains in (CHAINS, 4 * CHAINS, 16 * CHAINS):
        for count in (GROUP,) * (chains // GROUP) if FULL else (chains,):
            settings = hypothesis.settings(
                max_examples=count,
                stateful_step_count=8,
                deadline=None,
                # Groups that draw the same would try the same.
                derandomize=not FULL,
                database=None,
                phases=[hypothesis.Phase.generate],
                suppress_health_check=list(hypothesis.HealthCheck),
            )
            # The service remembers: the same calls again may lead elsewhere, which ends a group.
            with contextlib.suppress(hypothesis.errors.FlakyStrategyDefinition):
                Chain.run(settings=settings)
        if _followed != before:
            break
    else:
        pytest.fail("no chain led to what was there")


def _try(operation: Any, mode: GenerationMode, key: str) -> None:  # noqa: ANN401
    there = _there[operation.path.split("/")[2]] if operation.path.startswith("/v1/") else []
    turn = itertools.count()

    @hypothesis.settings(
        max_examples=CASES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def sent(case: Any) -> None:  # noqa: ANN401
        if isinstance(case.query, dict) and "wait_s" in case.query:
            # A long poll keeps its promise; here it only takes time.
            case.query.pop("wait_s")
        number = next(turn)
        if mode is GenerationMode.POSITIVE and there and case.path_parameters and number % 2:
            # Ids that are drawn name nothing: every other call is about what is there.
            case.path_parameters[min(case.path_parameters)] = there[number // 2 % len(there)]
        answer = case.call(headers={"authorization": f"Bearer {key}"}, timeout=120)
        _sent.append(answer.status_code)
        if answer.status_code < 300 and case.path_parameters:
            _followed[operation.label] += 1
        case.validate_response(answer, checks=CHECKS)

    sent()
