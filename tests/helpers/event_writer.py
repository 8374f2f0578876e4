"""A process that writes events as fast as it can, and says each number once it is kept: to be killed."""

import sys

from store_rows import event, task

from api.store import SERVICE, Database
from api.store.dispatch import events, tasks


def main(url: str, start: int) -> None:
    database, number = Database(url), start
    while True:
        number += 1
        with database.transaction() as connection:
            # State and event in one transaction: one is never there without the other.
            tasks.insert(connection, SERVICE, task(f"t{number}"))
            events.append(connection, SERVICE, [event(number)])
        print(number, flush=True)  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
