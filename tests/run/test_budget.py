"""A run stops cleanly at its budget, and goes on when it gets another.

1. no more calls are made than allowed, exactly, whatever the concurrency
2. what was paid is kept: runs that each stop at a budget make the traces of one run, with as many calls
   (tests/traces/test_runs.py, tests/run/test_papers_run.py)
3. tokens and cost are counted over the calls of this run, and go at most a tenth beyond their limit, whatever is in flight;
   what a server does not count is estimated for the limit, and said; an unknown price is never guessed
"""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from programs.asking.ask import Ask
from programs.asking.reply import Reply
from programs.lms.meter import ResourceUsage
from programs.option_groups import BudgetOptions, Price
from programs.run.budget import Budget
from tests.lab import called, laboratory, mistake
from tests.making import passage, tracer
from tests.standin import scientist
from tests.standin.scientist import Asked


@pytest.mark.parametrize("concurrency", [1, 4, 64])
def test_no_call_beyond_the_budget(tmp_path: Path, concurrency: int) -> None:
    with laboratory(tmp_path, texts=6) as lab:
        finished = lab.run(max_calls=19, concurrency=concurrency)
        assert finished.status == "budget"
        assert lab.calls == 19
        assert lab.document["metadata"]["status"] == "budget"


def lengthy(asked: Asked) -> Any:
    """Thoughts of very different lengths."""
    thought = scientist.trace(asked)
    for paragraph in thought["paragraphs"]:
        paragraph["text"] += " So it goes on, and on." * (int(asked.nonce[:2], 16) % 40)
    return thought


@pytest.mark.parametrize(("limit", "counted"), [({"max_cost": 60.0}, True), ({"max_tokens_total": 40_000}, False)])
def test_what_is_in_flight_stays_near_a_limit(tmp_path: Path, limit: dict[str, float], counted: bool) -> None:
    prices = {"openai/any": {"prompt": 1000.0, "completion": 2000.0}}
    stages: dict[str, scientist.Answer] = {"trace": lengthy}
    with laboratory(tmp_path, texts=80, stages=stages, latency=0.02, counts_tokens=counted) as lab:
        finished = lab.run(prices=prices, concurrency=64, max_output_tokens=1000, **limit)
        assert finished.status == "budget"
        read, written = (sum(used) for used in zip(*lab.server.used, strict=True))
        cost, tokens = (read * 1000 + written * 2000) / 1e6, read + written
        name, most = next(iter(limit.items()))
        spent = cost if name == "max_cost" else tokens
        assert spent <= 1.1 * most if counted else spent < 2 * most
        assert spent >= 0.8 * most if counted else spent > most / 3


def test_without_prices_the_cost_is_unknown(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=1) as lab:
        assert lab.run().summary.cost is None
        assert "openai/any" in mistake(called(*lab.arguments(max_cost=1.0)))


def reply(read: int | None = 1000, written: int | None = 100, **given: Any) -> Reply:
    spent = ResourceUsage(calls=1, prompt_tokens=read, completion_tokens=written, cached_tokens=given.pop("cached", 0))
    return Reply(status="ok", model="m", output={"text": "word " * 80}, spent=spent, **given)


def budget(**limits: Any) -> Budget:
    return Budget(BudgetOptions(prices={"m": Price(prompt=1, completion=10, cached=0.1)}, **limits), max_tokens=1000)


def ask(number: int = 0) -> Ask:
    return dataclasses.replace(tracer().questions.ask(passage(), "critical", "closed", 0), key=f"questions/{number}")


def test_what_is_known_of_the_cost_counts_and_the_rest_is_estimated(caplog: pytest.LogCaptureFixture) -> None:
    spending = budget(max_cost=0.01)
    spending.spend(ask(), reply())
    assert spending.cost == pytest.approx(0.002)
    assert spending.cost_is_whole
    for _ in range(2):
        spending.spend(ask(), reply(read=None))
    assert spending.cost == pytest.approx(0.002)
    assert not spending.cost_is_whole
    assert len(caplog.messages) == 1, "it is said at once, and once"
    assert "--max-cost" in caplog.messages[0]
    while spending.take(ask(), "m") == "go" and spending.calls < 20:
        spending.spend(ask(), reply(written=None))
    assert spending.reached, "the estimate counts for the limit"


def test_tokens_of_the_servers_cache_have_a_price_of_their_own() -> None:
    spending = budget()
    spending.spend(ask(), reply(cached=900))
    assert spending.cost == pytest.approx((100 + 900 * 0.1 + 100 * 10) / 1e6)
    assert Price(prompt=1, completion=10).cost(1000, 100, 900) == pytest.approx(0.002)


def test_a_call_waits_for_those_whose_cost_may_use_up_the_limit() -> None:
    spending = budget(max_cost=0.025)
    assert [spending.take(ask(number), "m") for number in range(3)] == ["go", "go", "wait"]
    assert spending.reached is None
    spending.spend(ask(0), reply())
    assert spending.take(ask(2), "m") == "go", "a call took less than it might have"
    spending.release(ask(1))
    spending.spend(ask(2), reply(written=2400))
    assert spending.take(ask(3), "m") == "stop"
    assert spending.reached


def test_a_budget_that_is_reached_while_tries_wait_is_a_clean_stop(tmp_path: Path) -> None:
    """Every first try is unusable: so many wait for their second that the server would be taken to be gone."""

    def trace(asked: Asked) -> Any:
        return scientist.trace(asked) if asked.given("feedback") else "I would rather not."

    with laboratory(tmp_path, texts=40, stages={"trace": trace}) as lab:
        finished = lab.run(max_calls=6 * 40 + 45, concurrency=40)
        assert (finished.status, finished.failure) == ("budget", None)
        assert not [line for line in lab.lines("unit") if line["status"] != "accepted"], "nothing is decided on a stop"
        lab.run()
        assert len(lab.records) == 40
