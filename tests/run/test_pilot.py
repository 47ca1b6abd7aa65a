"""Invariants of a pilot (`programs.run.pilot`):

1. A pilot takes N texts from all over the input, the same ones in whatever order; a larger one includes a smaller one.
2. What it made is kept: a run without --pilot goes on from there and pays nothing twice; a pilot that was broken off too.
3. The truth lies in the intervals that it foretells, for calls and tokens, and so it does nine times in ten.
4. With --max-traces it foretells the way to so many traces, never more than the whole input.
5. Too few texts give no interval; what servers or prices do not tell stays unknown.
6. What is foretold stands in the document and in the journal, and is shown.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from programs.inputs.sample import Sample, sample_of
from programs.option_groups import Price
from programs.run.intake import NOT_CHOSEN
from programs.run.journal import Journal
from programs.run.ledger import Ledger
from programs.run.pilot import FEWEST, Amount, Extrapolation, choose, foretell, texts_of
from programs.settings import Settings
from tests.lab import Lab, called, laboratory, passage
from tests.standin.panel import verdict
from tests.standin.scientist import Answer, Asked

BASE = {"quality_check": True, "judge_models": ["openai/judge"]}


def sometimes_low(asked: Asked) -> dict[str, Any]:
    """Three of ten drafts are judged too low, which ones their words decide."""
    score = 3 if int(asked.nonce, 16) % 10 < 3 else 8
    return verdict(score, f"As sound as the {asked.word(1)} allows.")


JUDGED: dict[str, Answer] = {"judge": sometimes_low}


def chosen(samples: Iterable[Sample], count: int, path: Path) -> list[str]:
    with Journal(path / "choice.jsonl") as journal:
        pilot = asyncio.run(choose(samples, count, journal, Ledger()))
    return [sample.id for sample in pilot]


SAMPLES = [sample_of(passage(number)) for number in range(200)]


# 1. Which texts


def test_1_the_texts_do_not_depend_on_their_order_and_a_larger_pilot_includes_a_smaller(tmp_path: Path) -> None:
    shuffled = random.Random(1).sample(SAMPLES, len(SAMPLES))
    ten, twenty = chosen(SAMPLES, 10, tmp_path), chosen(SAMPLES, 20, tmp_path)
    assert len(set(ten)) == 10
    assert set(chosen(shuffled, 10, tmp_path)) == set(ten)
    assert set(ten) < set(twenty)


def test_1_they_are_in_the_inputs_order_and_from_all_over_it(tmp_path: Path) -> None:
    places = [[sample.id for sample in SAMPLES].index(found) for found in chosen(SAMPLES, 40, tmp_path)]
    assert places == sorted(places)
    assert all(sum(start <= place < start + 50 for place in places) >= 4 for start in range(0, 200, 50))


# 2. Kept


def test_2_the_whole_run_goes_on_from_the_pilot(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=12) as lab:
        finished, calls = lab.counted(pilot=4)
        assert (calls, len(lab.units)) == (4 * 8, 4)
        assert finished.summary.funnel is not None
        assert finished.summary.funnel.steps[1].lost == {NOT_CHOSEN: 8}
        assert finished.summary.input["lines"] == 12
        _, calls = lab.counted(pilot=4)
        assert calls == 0, "a pilot that was made is not made again"
        _, calls = lab.counted(pilot=6)
        assert calls == 2 * 8
        _, calls = lab.counted()
        assert (calls, len(set(lab.units))) == (6 * 8, 12)


def test_2_a_pilot_that_was_broken_off_goes_on_and_foretells_the_same(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    with laboratory(tmp_path / "whole", texts=20, stages=JUDGED, base=BASE) as lab:
        whole = lab.run(pilot=8).summary.pilot
        assert whole is not None
    (tmp_path / "broken").mkdir()
    with laboratory(tmp_path / "broken", texts=20, stages=JUDGED, base=BASE) as lab:
        first = lab.run(pilot=8, max_calls=40)
        assert first.status == "budget"
        assert first.summary.pilot is None or first.summary.pilot.pilot < 8
        again = lab.run(pilot=8).summary.pilot
        assert again is not None
        for name in ("calls", "tokens_read", "traces"):
            assert again.amounts[name] == whole.amounts[name]


# 3. The truth


def test_3_the_whole_run_takes_what_the_pilot_foretold(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=40, stages=JUDGED, base=BASE) as lab:
        found = lab.run(pilot=16).summary.pilot
        assert found is not None
        finished = lab.run()
        spent = finished.summary.spent_in_all
        truths = {
            "calls": lab.calls,
            "tokens_read": sum(row["prompt"] for row in spent),
            "tokens_written": sum(row["completion"] for row in spent),
            "traces": finished.summary.traces["accepted"],
        }
        assert found.amounts["calls"].low != found.amounts["calls"].high, "the texts differ, or this tests nothing"
        for name, truth in truths.items():
            amount = found.amounts[name]
            assert amount.low is None or amount.low <= truth <= (amount.high or -math.inf)
            assert amount.value == pytest.approx(truth, rel=0.2)
        assert found.texts == 40


def test_3_nine_of_ten_intervals_hold_the_truth() -> None:
    hits, rounds = 0, 200
    for number in range(rounds):
        dice = random.Random(number)
        calls = [8 + 4 * int(dice.random() < 0.3) + dice.randint(0, 3) for _ in range(200)]
        found = foretell([float(count) for count in calls[:40]], 200)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= sum(calls) <= found.high
    # At a coverage of 90%, fewer than 168 of 200 come about once in 300 times.
    assert hits >= 168


# 4. A goal


def test_4_a_goal_needs_as_many_texts_as_give_it_and_never_more_than_there_are() -> None:
    def needed(texts: int, traces: float, **given: Any) -> float:
        return texts_of(Settings(model="m", **given), texts, traces)

    assert needed(1000, 0.5, max_traces=50) == 100
    assert needed(60, 0.5, max_traces=50) == 60
    assert needed(60, 0.0, max_traces=50) == 60
    assert needed(60, 0.5) == 60
    assert needed(60, 0.5, max_samples=20) == 20


# 5. What is not known


def test_5_few_texts_give_no_interval_and_a_pilot_of_all_knows_all() -> None:
    assert foretell([10.0] * (FEWEST - 1), 100) == Amount(value=1000)
    assert foretell([10.0] * 6, 100) == Amount(value=1000), "that all took the same does not make it sure"
    assert foretell([1.0, 2.0, 3.0, 4.0, 5.0], 5) == Amount(value=15, low=15, high=15)


def test_5_what_one_text_does_not_tell_is_unknown() -> None:
    assert foretell([1, 2, 3, 4, 5, math.nan], 100) is None


def test_5_a_pilot_of_which_nothing_was_finished_foretells_nothing(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=6) as lab:
        assert lab.run(pilot=5, max_calls=3).summary.pilot is None


def test_5_prices_give_a_cost(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=12) as lab:
        prices = {"openai/any": Price(prompt=1.0, completion=10.0)}
        found = lab.run(pilot=6, prices=prices).summary.pilot
        assert found is not None
        read, written = (found.amounts[name].value for name in ("tokens_read", "tokens_written"))
        assert found.amounts["cost"].value == pytest.approx((read + 10 * written) / 1e6)
        again = lab.run(pilot=6).summary.pilot
        assert again is not None
        assert "cost" not in again.amounts


# 6. Written and shown


def test_6_it_stands_in_the_document_and_in_the_journal(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=10) as lab:
        found = lab.run(pilot=5).summary.pilot
        assert found is not None
        in_document = Extrapolation.model_validate(lab.document["metadata"]["run"]["pilot"])
        in_journal = Extrapolation.model_validate(lab.lines("run")[-1]["summary"]["pilot"])
        assert in_document == in_journal == found
        lab.run()
        assert lab.document["metadata"]["run"]["pilot"] is None


def test_6_it_is_shown(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=20) as lab:
        done = called(*lab.arguments(pilot=6))
        said = " ".join(done.stdout.split())
        assert done.returncode == 0
        for words in (
            "foretold by 6 of 20 texts",
            "160",
            "90% intervals",
            "8 calls at once",
        ):
            assert words in said
        assert lab.calls == 48


def test_6_a_dry_run_of_a_pilot_counts_its_texts_alone(lab: Lab) -> None:
    done = called(*lab.arguments(pilot=2, dry_run=True))
    assert "16 times" in done.stdout
    assert lab.calls == 0
