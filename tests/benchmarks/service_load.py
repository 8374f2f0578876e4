"""Load for a running service, in a process of its own: tasks, answers and positions at fixed rates.

``python service_load.py PLAN.json`` prints one JSON object. Requests leave when they are due, whether or not
earlier ones were answered, and a latency counts from then: a service that falls behind cannot hide it.
"""

import asyncio
import collections
import dataclasses
import datetime
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["REFUSED", "Plan"]

CONNECTIONS = 64
GIVE_UP_S = 20.0
REFUSED = "yes that the plan allows no more"
LATER_S = 1.0
"""A rider answers one to two such spans after an offer."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is asked of the service."""

    port: int
    seconds: float
    tasks_per_s: float
    positions_per_s: float
    bulk: int
    riders: list[tuple[str, float, float]]
    tasks: list[tuple[float, float]]
    now_s: float
    """Of the service, when the load begins."""
    run: str
    """Begins the names of the tasks."""


class Load:
    """The connections, and what was measured: milliseconds by kind of request."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.ms: dict[str, list[float]] = collections.defaultdict(list)
        self.wrong: collections.Counter[str] = collections.Counter()
        self.free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self.running: set[asyncio.Task[None]] = set()
        self.began = time.perf_counter()

    async def request(self, kind: str, method: str, path: str, body: object, due: float) -> Any:  # noqa: ANN401
        """Send one request; None where it was refused or came too late."""
        sent = json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        try:
            reader, writer = await asyncio.wait_for(self.free.get(), GIVE_UP_S)
        except TimeoutError:
            self.wrong["no connection in time"] += 1
            return None
        try:
            writer.write(f"{head}content-length: {len(sent)}\r\n\r\n".encode() + sent)
            told = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(told.partition("content-length: ")[2].partition("\r\n")[0] or 0)
            answer = await reader.readexactly(length)
        finally:
            self.free.put_nowait((reader, writer))
        status = int(told.split(" ", 2)[1])
        self.ms[kind].append((time.perf_counter() - due) * 1e3)
        if status >= 400:
            # Judged again, the plan may not allow a yes any more: that is an answer. Others are told by code.
            said = json.loads(answer) if status == 409 else {}
            name = REFUSED if "refused" in said else f"{kind} {status} {said.get('code', '')}".rstrip()
            self.wrong[name] += 1
            return None
        return json.loads(answer)

    async def task(self, number: int, due: float) -> None:
        """Publish a task, answer its first offer, and bring it to its end."""
        lon, lat = self.plan.tasks[number % len(self.plan.tasks)]
        latest = self.plan.now_s + time.perf_counter() - self.began + 3_600.0
        place = {"lon": lon, "lat": lat, "service_s": 60.0, "latest": _iso(latest)}
        body = {"task_id": f"{self.plan.run}-{number}", "place": place}
        made = await self.request("task", "POST", "/v1/tasks?datum=wgs84", body, due)
        offers = [] if made is None else [one for one in made["offers"] if one["status"] == "open"]
        if made is not None and not offers:
            self.wrong["task without an offer"] += 1
        yes = False
        for offer in offers:
            await asyncio.sleep(LATER_S * random.uniform(1.0, 2.0))
            address, yes = f"/v1/offers/{offer['offer_id']}", number % 2 == 0
            if yes:
                answer = await self.request("accept", "POST", f"{address}/accept", {}, time.perf_counter())
                yes = answer is not None
            if yes:
                await asyncio.sleep(LATER_S)
                await self.request("finish", "POST", f"{address}/finish", {}, time.perf_counter())
        if made is not None:
            # A no would go on to the next rider, and on: the publisher thinks better of it instead.
            verb = "verify" if yes else "withdraw"
            await self.request(verb, "POST", f"/v1/tasks/{made['id']}/{verb}", {}, time.perf_counter())

    async def positions(self, number: int, due: float) -> None:
        """Report positions of the next riders."""
        plan, at = self.plan, self.plan.now_s + time.perf_counter() - self.began
        riders = [plan.riders[(number * plan.bulk + q) % len(plan.riders)] for q in range(plan.bulk)]
        told = [
            {"rider_id": name, "at": _iso(at), "lon": lon + (number % 7) * 1e-5, "lat": lat}
            for name, lon, lat in riders
        ]
        await self.request("positions", "PUT", "/v1/riders", {"datum": "wgs84", "riders": told}, due)

    async def at_rate(self, per_s: float, what: Any) -> None:  # noqa: ANN401
        """Begin one after the other when it is due."""
        for number in range(int(per_s * self.plan.seconds)):
            due = self.began + number / per_s
            await asyncio.sleep(max(due - time.perf_counter(), 0.0))
            one = asyncio.create_task(what(number, due))
            self.running.add(one)
            one.add_done_callback(self.running.discard)

    async def run(self) -> dict[str, Any]:
        """Run the load and wait for what is under way."""
        for _ in range(CONNECTIONS):
            self.free.put_nowait(await asyncio.open_connection("127.0.0.1", self.plan.port))
        self.began = time.perf_counter()
        await asyncio.gather(
            self.at_rate(self.plan.tasks_per_s, self.task),
            self.at_rate(self.plan.positions_per_s / self.plan.bulk, self.positions),
        )
        if self.running:
            await asyncio.wait(self.running, timeout=GIVE_UP_S)
        left = len(self.running)
        return {"ms": self.ms, "wrong": self.wrong, "left": left, "took_s": time.perf_counter() - self.began}


def _iso(epoch_s: float) -> str:
    return datetime.datetime.fromtimestamp(epoch_s, datetime.UTC).isoformat()


if __name__ == "__main__":
    given = Plan(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    print(json.dumps(asyncio.run(Load(given).run())))
