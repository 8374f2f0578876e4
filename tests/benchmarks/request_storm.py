"""Ten large requests at once by curl while ``/healthz`` is asked for: what each client reads, and how long.

``python request_storm.py STUDY BODY``: the folder of a finished study, and a body of 20,000 riders for
``/v1/matches`` of 10 to 16 MB. Bodies come with and without ``Expect: 100-continue``, declared and in chunks,
and last four that are too large. Whoever is not answered 200, 413 or 503 (with ``Retry-After``) was failed.
"""

import http.client
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

KINDS = {
    "plain": [],
    "without Expect": ["-H", "Expect:"],
    "in chunks": ["-H", "Expect:", "-H", "Transfer-Encoding: chunked"],
}
SERVE = [sys.executable, "-c", "from api.cli.commands import main; main()", "serve"]
TOLD = "%{http_code} %header{retry-after} %{size_upload} %{time_total} %{errormsg}"
TOO_LARGE_BYTES = 30_000_000
START_S = 600.0


def _get(port: int, path: str) -> int:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("GET", path)
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer.status


def _family(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for one in found:
        for thread in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in thread.read_text(encoding="ascii").split()]
    return found


def _memory_mb(pid: int) -> float:
    """Proportional set size of the service with its processes."""
    total = 0
    for one in _family(pid):
        for line in Path(f"/proc/{one}/smaps_rollup").read_text(encoding="ascii").splitlines():
            total += int(line.split()[1]) if line.startswith("Pss:") else 0
    return total / 1024


def _storm(port: int, body: Path, more: list[str], count: int) -> list[list[str]]:
    words = ["curl", "-sS", "-o", "/dev/null", "-w", TOLD, "-H", "content-type: application/json", *more]
    words += ["--data-binary", f"@{body}", f"http://127.0.0.1:{port}/v1/matches"]
    sent = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    return [one.communicate()[0].split(" ", 4) for one in sent]


def _watch(
    port: int, pid: int, over: threading.Event
) -> tuple[list[float], list[float], list[threading.Thread]]:
    spent_ms: list[float] = []
    memory_mb = [_memory_mb(pid)]

    def ask() -> None:
        while not over.wait(0.02):
            began = time.perf_counter()
            _get(port, "/healthz")
            spent_ms.append((time.perf_counter() - began) * 1e3)

    def weigh() -> None:
        while not over.wait(1.0):
            memory_mb.append(_memory_mb(pid))

    threads = [threading.Thread(target=one) for one in (ask, weigh)]
    for thread in threads:
        thread.start()
    return spent_ms, memory_mb, threads


def _measure(port: int, pid: int, body: Path, large: Path) -> int:
    """Send all storms; returns how many clients were failed."""
    over = threading.Event()
    spent_ms, memory_mb, threads = _watch(port, pid, over)
    failed = 0
    for name, more in KINDS.items():
        told = _storm(port, body, more, 10)
        wrong = [one for one in told if one[0] != "200" and (one[0], one[1]) != ("503", "1")]
        failed += len(wrong) + (not any(one[0] == "200" for one in told))
        longest_s = max(float(one[3]) for one in told)
        print(f"{name}: {sorted(one[0] for one in told)}, the last after {longest_s:.1f} s", *wrong)
    for name, more in {**KINDS, "slowly": ["-H", "Expect:", "--limit-rate", "8M"]}.items():
        told = _storm(port, large, more, 1)
        failed += told[0][0] != "413"
        print(f"too large, {name}: {told[0]}")
    over.set()
    for thread in threads:
        thread.join()
    ordered = sorted(spent_ms)
    share = {
        name: ordered[round(part * (len(ordered) - 1))]
        for name, part in (("median", 0.5), ("p99", 0.99), ("worst", 1.0))
    }
    print(f"/healthz, {len(ordered)} times:", share, "ms")
    print(f"memory: {memory_mb[0]:.0f} MB before, {max(memory_mb):.0f} MB at most")
    return failed


def main(study: str, body: str) -> int:
    """Start the service, measure, and stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sent = Path(body).read_bytes()
    print(f"{len(json.loads(sent)['riders'])} riders, {len(sent) / 1e6:.1f} MB")
    words = [*SERVE, study, "--port", str(port), "--dev"]
    with tempfile.NamedTemporaryFile() as large:
        large.truncate(TOO_LARGE_BYTES)
        service = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + START_S
            while True:
                try:
                    if _get(port, "/readyz") == 200:
                        break
                except OSError:
                    pass
                if service.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("the service did not start")
                time.sleep(0.5)
            return _measure(port, service.pid, Path(body), Path(large.name))
        finally:
            service.terminate()
            service.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
