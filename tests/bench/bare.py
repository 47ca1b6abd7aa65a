"""The least that calls can cost: bare aiohttp, as many at once as allowed, nothing kept.

Run as `python -m tests.bench.bare BASE CHAINS CONCURRENCY LENGTH`: so many chains of LENGTH calls after one another.
Every call sends a stage's prompt of the usual size and reads the reply's JSON.
"""

import asyncio
import json
import sys

import aiohttp

from tests.bench.stopwatch import stopwatch
from tests.bench.texts import text_of


def body_of(number: int) -> dict[str, object]:
    """A request of the size of the pipeline's own."""
    return {
        "model": "bench",
        "messages": [
            {"role": "system", "content": "You are a careful scientist."},
            {"role": "user", "content": text_of(number, 4000)},
        ],
        "max_tokens": 4096,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": {"properties": {"critique": {"type": "object"}}}},
        },
    }


async def main(base: str, chains: int, concurrency: int, length: int) -> None:
    gate = asyncio.Semaphore(concurrency)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def call(number: int) -> None:
            data = json.dumps(body_of(number), separators=(",", ":")).encode()
            async with session.post(f"{base}/chat/completions", data=data) as reply:
                reply.raise_for_status()
                json.loads(await reply.read())

        async def chain(number: int) -> None:
            for _ in range(length):
                async with gate:
                    await call(number)

        with stopwatch():
            await asyncio.gather(*(chain(number) for number in range(chains)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:5])))
