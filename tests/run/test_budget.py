"""A run stops cleanly at its budget, and can be resumed with another one.

1. A run never makes more calls than `--max-calls`, whatever the concurrency.
2. Runs that each stop at a budget make the traces of one run, with as many calls in all (tests/traces/test_runs.py,
   tests/run/test_papers_run.py).
3. Tokens and cost of this run's calls exceed their limit by at most a tenth, whatever is in flight. Counts that a server
   does not report are estimated for the limit, with a warning; an unknown price is never guessed.
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
from tests.builders import passage, tracer
from tests.lab import laboratory, run_command, user_error
from tests.standin import scientist
from tests.standin.scientist import StageRequest


@pytest.mark.parametrize("concurrency", [1, 4, 64])
def test_a_run_makes_no_call_beyond_its_budget(tmp_path: Path, concurrency: int) -> None:
    with laboratory(tmp_path, texts=6) as lab:
        finished = lab.run(max_calls=19, concurrency=concurrency)
        assert finished.status == "budget"
        assert lab.calls == 19
        assert lab.document["metadata"]["status"] == "budget"


def trace_of_varying_length(request: StageRequest) -> Any:
    """A thought, of one of many lengths."""
    thought = scientist.trace(request)
    for paragraph in thought["paragraphs"]:
        paragraph["text"] += " So it goes on, and on." * (int(request.nonce[:2], 16) % 40)
    return thought


@pytest.mark.parametrize(("limit", "exact"), [({"max_cost": 60.0}, True), ({"max_tokens_total": 40_000}, False)])
def test_a_run_spends_little_more_than_its_limit(tmp_path: Path, limit: dict[str, float], exact: bool) -> None:
    prices = {"openai/any": {"prompt": 1000.0, "completion": 2000.0}}
    stages: dict[str, scientist.AnswerFunction] = {"trace": trace_of_varying_length}
    with laboratory(tmp_path, texts=80, stages=stages, latency=0.02, reports_usage=exact) as lab:
        finished = lab.run(prices=prices, concurrency=64, max_output_tokens=1000, **limit)
        assert finished.status == "budget"
        prompt, completion = (sum(used) for used in zip(*lab.server.token_counts, strict=True))
        cost, tokens = (prompt * 1000 + completion * 2000) / 1e6, prompt + completion
        name, maximum = next(iter(limit.items()))
        spent = cost if name == "max_cost" else tokens
        assert spent <= 1.1 * maximum if exact else spent < 2 * maximum
        assert spent >= 0.8 * maximum if exact else spent > maximum / 3


def test_without_prices_the_cost_is_unknown(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=1) as lab:
        assert lab.run().summary.cost is None
        assert "openai/any" in user_error(run_command(*lab.arguments(max_cost=1.0)))


def reply(read: int | None = 1000, written: int | None = 100, **given: Any) -> Reply:
    spent = ResourceUsage(calls=1, prompt_tokens=read, completion_tokens=written, cached_tokens=given.pop("cached", 0))
    return Reply(status="ok", model="m", output={"text": "word " * 80}, spent=spent, **given)


def budget(**limits: Any) -> Budget:
    return Budget(BudgetOptions(prices={"m": Price(prompt=1, completion=10, cached=0.1)}, **limits), max_tokens=1000)


def ask(number: int = 0) -> Ask:
    return dataclasses.replace(tracer().questions.ask(passage(), "critical", "closed", 0), subject=(str(number),))


def test_known_costs_count_and_unknown_ones_are_estimated(caplog: pytest.LogCaptureFixture) -> None:
    spending = budget(max_cost=0.01)
    spending.spend(ask(), reply())
    assert spending.cost == pytest.approx(0.002)
    assert spending.cost_is_whole
    for _ in range(2):
        spending.spend(ask(), reply(read=None))
    assert spending.cost == pytest.approx(0.002)
    assert not spending.cost_is_whole
    assert len(caplog.messages) == 1, "there is one warning, at once"
    assert "--max-cost" in caplog.messages[0]
    while spending.take(ask(), "m") == "go" and spending.calls < 20:
        spending.spend(ask(), reply(written=None))
    assert spending.reached, "the estimate counts for the limit"


def test_cached_tokens_have_their_own_price() -> None:
    spending = budget()
    spending.spend(ask(), reply(cached=900))
    assert spending.cost == pytest.approx((100 + 900 * 0.1 + 100 * 10) / 1e6)
    assert Price(prompt=1, completion=10).cost(1000, 100, 900) == pytest.approx(0.002)


def test_a_call_waits_while_calls_in_flight_may_use_up_the_limit() -> None:
    spending = budget(max_cost=0.025)
    assert [spending.take(ask(number), "m") for number in range(3)] == ["go", "go", "wait"]
    assert spending.reached is None
    spending.spend(ask(0), reply())
    assert spending.take(ask(2), "m") == "go", "a call cost less than was reserved for it"
    spending.release(ask(1))
    spending.spend(ask(2), reply(written=2400))
    assert spending.take(ask(3), "m") == "stop"
    assert spending.reached


def test_a_budget_reached_while_reasks_wait_is_a_clean_stop(tmp_path: Path) -> None:
    """Every first try is unusable, so that enough calls wait to be re-asked for the server to count as gone."""

    def trace(request: StageRequest) -> Any:
        return scientist.trace(request) if request.input("feedback") else "I would rather not."

    with laboratory(tmp_path, texts=40, stages={"trace": trace}) as lab:
        finished = lab.run(max_calls=6 * 40 + 45, concurrency=40)
        assert (finished.status, finished.failure) == ("budget", None)
        assert not [line for line in lab.lines("unit") if line["status"] != "accepted"], "a stop decides nothing"
        lab.run()
        assert len(lab.records) == 40
