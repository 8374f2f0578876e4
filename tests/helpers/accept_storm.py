"""A client process that says yes to the same offers again and again, many at a time."""

import asyncio
import collections
import json
import random
import sys

import httpx2 as httpx

AT_ONCE = 32


async def storm(urls: list[str], key: str, offers: list[str], count: int, seed: int) -> dict[str, int]:
    chance = random.Random(seed)
    asked = [offers[n % len(offers)] for n in range(count)]
    chance.shuffle(asked)
    told: collections.Counter[str] = collections.Counter()
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}, timeout=120) as client:

        async def one(offer: str) -> None:
            async with gate:
                path = f"{chance.choice(urls)}/v1/offers/{offer}/accept"
                try:
                    answer = await client.post(path, json={})
                except httpx.TransportError as error:
                    # A yes that got no answer: counted, for the test allows none.
                    told[type(error).__name__] += 1
                else:
                    told[str(answer.status_code)] += 1

        await asyncio.gather(*map(one, asked))
    return dict(told)


if __name__ == "__main__":
    given = json.load(sys.stdin)
    print(json.dumps(asyncio.run(storm(**given))))  # noqa: T201 - what the test reads
