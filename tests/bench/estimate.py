"""How near the estimate of a run's end comes, on real runs against a server of this machine.

The runs go through the whole program; only the display is left out, and its estimate is taken down four times a second. An
error is by how much the estimated end of the run differs from its true one, as a share of the whole run: above 0, too late.
"""

import asyncio
import contextlib
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from programs.inputs.report import ReadReport
from programs.progress.display import estimator_of
from programs.running.ledger import Ledger
from programs.running.run import run
from programs.settings import Settings
from tests.bench.bucket import Bucket
from tests.bench.options import Options
from tests.lab import write_passages
from tests.standin.panel import verdict
from tests.standin.scientist import Answer, Asked, Scientist
from tests.standin.server import StandIn

LATENCY = (0.2, 0.5)
EVERY = 0.25
PARTS = (0.1, 0.25, 0.5, 0.75)
REJECTED = 0.3


@dataclass(frozen=True)
class Shape:
    """A run: its texts, its options, and the calls a second that the server takes (0: any number). `half`: it goes on from
    where a run stopped that had half of the calls."""

    name: str
    texts: int
    options: dict[str, Any] = field(default_factory=dict)
    rate: float = 0
    half: bool = False


JUDGED = {"quality_check": True, "judge_models": ["openai/one", "openai/two"]}
SHAPES = (
    Shape("0.2 to 0.5 s a call", 200),
    Shape("judged, 30% made again", 120, JUDGED),
    Shape("15 calls/s", 150, rate=15),
    Shape("resumed at half", 200, half=True),
    Shape("200 traces wanted of many texts", 2000, {"max_traces": 200, **JUDGED, "max_attempts": 1}),
)


class Server(StandIn):
    """Takes a random time for each call, and refuses what goes beyond its rate."""

    def __init__(self, rate: float) -> None:
        stages: dict[str, Answer] = {"judge": _judge}
        super().__init__(Scientist(stages))
        self._dice = random.Random(0)
        self._bucket = Bucket(rate, 2 * rate, time.monotonic()) if rate else None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self._bucket is not None:
            wait = self._bucket.wait(1, time.monotonic())
            if wait:
                return web.json_response({"error": {"message": "slow down"}}, status=429)
            self._bucket.take(1)
        await asyncio.sleep(self._dice.uniform(*LATENCY))
        return await super()._answer(request)


def _judge(asked: Asked) -> dict[str, Any]:
    """Both judges see the same draft, and find the same of it."""
    low = random.Random(asked.given("thought")).random() < REJECTED
    return verdict(3 if low else 8, "As sound as its sentences are.")


def estimated(shape: Shape) -> dict[str, Any]:
    """One run, or the second half of one."""
    with tempfile.TemporaryDirectory() as name, Server(shape.rate) as server:
        folder = Path(name)
        settings = Settings.model_validate(
            {
                "model": "openai/any",
                "api_base": server.openai_base,
                "input_file": str(write_passages(folder / "texts.jsonl", range(shape.texts))),
                "output": folder / "out.json",
                "concurrency": 16,
                **shape.options,
            }
        )
        if shape.half:
            asyncio.run(run(settings.model_copy(update={"max_calls": shape.texts * 4}), Ledger(), ReadReport()))
        ledger, seen = asyncio.run(_watched(settings))
    took = ledger.snapshot().at if not seen else seen[-1][0]
    ends = [(at, (at + left - took) / took) for at, left in seen if left is not None and at >= PARTS[0] * took]
    first = next(at for at, left in seen if left is not None)
    return {
        "run": shape.name,
        "texts": shape.texts,
        "calls": ledger.total.calls,
        "traces": ledger.units["accepted"],
        "took_s": round(took, 1),
        "first_estimate_after": f"{first / took:.1%}",
        **{f"error_at_{part:.0%}": f"{next(e for at, e in ends if at >= part * took):+.1%}" for part in PARTS},
        "worst_after_a_tenth": f"{max((error for _, error in ends), key=abs):+.1%}",
        "estimates": len(ends),
    }


async def _watched(settings: Settings) -> tuple[Ledger, list[tuple[float, float | None]]]:
    """A run with what was estimated: (seconds since its first call, seconds left). The last is of its end."""
    ledger, estimator, seen = Ledger(), estimator_of(settings), list[tuple[float, float | None]]()

    async def watch() -> None:
        while True:
            snapshot = ledger.snapshot()
            estimator.feed(snapshot)
            found = estimator.estimate()
            if snapshot.at and (ledger.work.in_flight or ledger.work.open):
                seen.append((snapshot.at, None if found is None else found.seconds))
            await asyncio.sleep(EVERY)

    task = asyncio.create_task(watch())
    await run(settings, ledger, ReadReport())
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return ledger, seen


def bench(options: Options) -> Iterator[dict[str, Any]]:
    """All shapes; the first two with a quarter of the texts when `quick`."""
    for shape in SHAPES[:2] if options.quick else SHAPES:
        texts = shape.texts // 4 if options.quick else shape.texts
        yield estimated(Shape(shape.name, texts, shape.options, shape.rate, shape.half))
