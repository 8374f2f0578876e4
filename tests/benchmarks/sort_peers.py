"""Puts the rows of one Parquet file in order, rider by rider, with a peer; says how long and how much memory.

Started by bench_traces in a process of its own: ``python sort_peers.py duckdb|polars FILE``; prints one line
of JSON. This is the first half of what `trace_worker` does: no checks, no stays.
"""

import importlib
import json
import os
import resource
import sys
import tempfile
import time

THREADS = 2

#: The step to the row before of each rider, which needs the rows in order and hands out hardly anything.
STEPS = """
select count(*) from (
  select time - lag(time) over w d, lon - lag(lon) over w x, lat - lag(lat) over w y
  from read_parquet(?) window w as (partition by rider_id order by time)
) where d > 600 or x > 1 or y > 1
"""


def by_duckdb(path: str) -> None:
    """Sort within 1 GB, spilling to disk."""
    duckdb = importlib.import_module("duckdb")
    with tempfile.TemporaryDirectory(prefix="yilu-bench-") as folder, duckdb.connect() as base:
        base.execute(f"set threads = {THREADS}")
        base.execute("set memory_limit = '1GB'")
        base.execute(f"set temp_directory = '{folder}'")
        base.execute(STEPS, [path]).fetchall()


def by_polars(path: str) -> None:
    """Sort in memory."""
    polars = importlib.import_module("polars")
    polars.scan_parquet(path).sort(["rider_id", "time"]).collect()


def main() -> None:
    """Do what the command line says."""
    subject, path = sys.argv[1:]
    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    start, busy = time.perf_counter(), time.process_time()
    {"duckdb": by_duckdb, "polars": by_polars}[subject](path)
    said = {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - busy,
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
