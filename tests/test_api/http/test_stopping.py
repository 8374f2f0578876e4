"""SIGTERM: what is being answered is answered, streams end, offers stay."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
from openapi_examples import at
from tiny_study import write_study


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _start(folder: Path, port: int) -> tuple[subprocess.Popen[bytes], httpx2.Client]:
    code = "from api.cli.commands import main; main()"
    command = [sys.executable, "-c", code, "serve", str(folder), "--port", str(port), "--dev"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ})
    client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
    until_s = time.monotonic() + 120
    while True:
        try:
            client.get("/healthz").raise_for_status()
        except httpx2.TransportError:
            assert process.poll() is None
            assert time.monotonic() < until_s
            time.sleep(0.1)
        else:
            return process, client


def test_a_service_that_is_told_to_stop_drains_and_keeps_offers(tmp_path: Path) -> None:
    folder, port = write_study(tmp_path / "out"), _free_port()
    process, client = _start(folder, port)
    try:
        rider = {"rider_id": "r", "at": "2026-03-04T12:00:00+08:00", **at("A"), "stops": []}
        client.put("/v1/riders", json={"datum": "wgs84", "riders": [rider]}).raise_for_status()
        task = {"task_id": "t", "place": {**at("B"), "service_s": 30}, "kind": "hazard"}
        offer = client.post("/v1/tasks?datum=wgs84", json=task).json()["offers"][0]["offer_id"]
        ended: dict[str, object] = {}

        def wait_for_offers() -> None:
            ended["poll"] = client.get("/v1/offers?status=declined&wait_s=60").json()

        def follow() -> None:
            ended["stream"] = client.get("/v1/events/stream?after=0").text

        readers = [threading.Thread(target=work) for work in (wait_for_offers, follow)]
        for reader in readers:
            reader.start()
        time.sleep(1.0)
        assert not ended
        began_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)
        assert time.monotonic() - began_s < 15
        for reader in readers:
            reader.join(10)
        assert ended["poll"] == {"offers": []}
        assert "event: offer_made" in str(ended["stream"])
    finally:
        process.kill()
        client.close()
    process, client = _start(folder, port)
    try:
        assert client.get(f"/v1/offers/{offer}").json()["status"] in ("open", "expired")
    finally:
        process.kill()
        process.wait(10)
        client.close()
