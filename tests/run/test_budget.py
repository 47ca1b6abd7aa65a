"""A run stops cleanly at its budget, and goes on when it gets another.

1. no more calls are made than allowed, exactly, whatever the concurrency
2. what was paid is kept: runs that each stop at a budget make the traces of one run, with as many calls
3. tokens and cost are counted over the calls of this run; an unknown price is never guessed
"""

import json
from pathlib import Path
from typing import Any

import pytest

from programs.asking.reply import Reply, Spent
from programs.option_groups import BudgetOptions, Price
from programs.run.ledger import Budget
from tests.lab import called, laboratory
from tests.standin import scientist
from tests.standin.scientist import Asked


@pytest.mark.parametrize("concurrency", [1, 4, 64])
def test_no_call_beyond_the_budget(tmp_path: Path, concurrency: int) -> None:
    with laboratory(tmp_path, texts=6) as lab:
        finished = lab.run(max_calls=19, concurrency=concurrency)
        assert finished.status == "budget"
        assert lab.calls == 19
        assert lab.document["metadata"]["status"] == "budget"


def test_budgets_add_up_to_one_run(tmp_path: Path) -> None:
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    with laboratory(tmp_path / "whole", texts=3) as lab:
        lab.run()
        whole, calls = lab.units, lab.calls
    with laboratory(tmp_path / "parts", texts=3) as lab:
        statuses = [lab.run(max_calls=7).status for _ in range(4)]
        assert statuses == ["budget", "budget", "budget", "completed"]
        assert sorted(lab.units) == sorted(whole)
        assert lab.calls == calls == 24


def test_a_budget_of_tokens_stops_a_run(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=6) as lab:
        finished = lab.run(max_tokens_total=3000, concurrency=2)
        assert finished.status == "budget"
        spent = finished.summary.this_run
        assert 3000 <= (spent.prompt_tokens or 0) + (spent.completion_tokens or 0) < 8000


def test_a_cost_needs_prices_and_is_counted(tmp_path: Path) -> None:
    prices = {"openai/any": {"prompt": 1000.0, "completion": 2000.0}}
    with laboratory(tmp_path, texts=2) as lab:
        spent = lab.run(prices=prices).summary
        read, written = spent.this_run.prompt_tokens or 0, spent.this_run.completion_tokens or 0
        assert spent.cost == pytest.approx((read * 1000 + written * 2000) / 1e6)
    (tmp_path / "limited").mkdir()
    with laboratory(tmp_path / "limited", texts=6) as lab:
        assert lab.run(prices=prices, max_cost=2.0, concurrency=2).status == "budget"


def test_without_prices_the_cost_is_unknown(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=1) as lab:
        assert lab.run().summary.cost is None
        done = called(*lab.arguments(max_cost=1.0))
    assert done.returncode == 2
    assert "openai/any" in done.stderr


def test_prices_stand_in_a_config_file(tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(json.dumps({"prices": {"openai/any": {"prompt": 1, "completion": 2}}, "max_cost": 100}))
    with laboratory(tmp_path, texts=1) as lab:
        done = called(*lab.arguments(), "--config", str(config))
    assert done.returncode == 0, done.stderr
    assert "cost" in done.stdout


def test_an_uncounted_reply_makes_the_cost_unknown() -> None:
    budget = Budget(BudgetOptions(max_cost=1.0, prices={"m": Price(prompt=1, completion=1)}))
    budget.spend(Reply(status="ok", model="m", spent=Spent(calls=1, prompt_tokens=10, completion_tokens=10)))
    assert budget.cost == pytest.approx(20e-6)
    budget.spend(Reply(status="ok", model="m", spent=Spent(calls=1, prompt_tokens=None, completion_tokens=None)))
    assert budget.cost is None


def test_a_budget_that_is_reached_while_tries_wait_is_a_clean_stop(tmp_path: Path) -> None:
    """Every first try is unusable: so many wait for their second that the server would be taken to be gone."""

    def trace(asked: Asked) -> Any:
        return scientist.trace(asked) if asked.given("feedback") else "I would rather not."

    with laboratory(tmp_path, texts=40, stages={"trace": trace}) as lab:
        finished = lab.run(max_calls=6 * 40 + 45, concurrency=40)
        assert (finished.status, finished.error) == ("budget", None)
        assert not [line for line in lab.lines("unit") if line["status"] != "accepted"], "nothing is decided on a stop"
        lab.run()
        assert len(lab.records) == 40
