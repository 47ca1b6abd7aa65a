"""Invariants of `optimize.report`: the proof, and the report of it.

1. The means are over the examples that have a score on both sides; a missing score is left out, never 0. A composite is of
   the metrics that both sides of an example have.
2. `improved` only where the interval of the composite lies above 0, over twenty sources or more (where nothing changed,
   seldom: tests/statistics/test_interval.py).
3. First tries that failed are counted for each stage, of those that were asked.
4. `map_in_threads` keeps the order and the caller's context, and begins nothing new after the first error, which it raises
   without waiting for what is under way.
7. The verdict says better only where the interval lies above 0, worse where it lies below, and as it was where nothing
   changed.
8. The text holds every metric, what failed, what it cost, and of each changed predictor the instruction before and after;
   what could not be measured is a dash, and tokens that were not all counted are said to be at least so many. The JSON can
   be read again. Neither holds an address.
"""

import threading
from collections import Counter
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dspy
import pytest

from optimize.compilation import make_report as made
from optimize.compilation import map_in_threads
from optimize.measure import Measured
from optimize.metrics import Score, composite_of
from optimize.report import Proof, Report, prove, write_report
from optimize.settings import CompileSettings
from programs.statistics.interval import interval_of_totals
from programs.tracer import Tracer
from tests.optimize.test_metrics import record


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The intervals have tests of their own (tests/statistics/test_interval.py)."""
    monkeypatch.setattr("programs.statistics.interval.interval_of_totals", partial(interval_of_totals, resamples=200))


def measured(value: float | None, stages: dict[str, str | None] | None = None, **metrics: float | None) -> Measured:
    return Measured(Score(value, ""), {name: Score(one, "") for name, one in metrics.items()}, stages or {})


def proved(before: list[Measured], after: list[Measured], **weights: float) -> Proof:
    return prove(before, after, [*map(str, range(len(before)))], seed=0, weights=weights)


def traced(judge: float | None, rule: float | None = 0.9) -> Measured:
    """A trace that a judge and a rule have scored alike in weight."""
    metrics = {"judge": Score(judge, ""), "rule": Score(rule, "")}
    return Measured(composite_of(metrics, {"judge": 1, "rule": 1}), metrics, {}, record())


def test_1_a_judge_who_fails_on_one_side_is_no_change() -> None:
    low, silent, failed = traced(0.1), traced(None), measured(0.0)
    assert (silent.score.value or 0) > (low.score.value or 0)
    found = proved([low, low, low], [silent, silent, silent], judge=1, rule=1)
    assert (found.composite.before, found.composite.after) == (0.9, 0.9)
    assert not found.improved
    assert proved([low, low], [traced(0.5), silent], judge=1, rule=1).composite.before == pytest.approx((0.5 + 0.9) / 2)
    assert proved([failed], [low], judge=1, rule=1).composite.after == 0.5
    assert proved([traced(0.2, None)], [silent], judge=1, rule=1).composite.pairs == 0


def test_1_means_are_over_pairs() -> None:
    before, after = (0.2, None, 0.4, 0.6, None), (0.8, 0.9, None, 1.0, 0.3)
    found = proved([measured(a, m=a) for a in before], [measured(b, m=b) for b in after])
    for one in (found.composite, found.metrics["m"]):
        assert [one.before, one.after, one.pairs] == pytest.approx([0.4, 0.9, 2])
        assert one.interval is not None
        assert one.interval.difference == pytest.approx(0.5)
        assert one.interval.low - 1e-9 <= 0.5 <= one.interval.high + 1e-9
    assert (found.unscored_before, found.unscored_after) == (2, 1)
    single, nothing = proved([measured(0.2)], [measured(0.8)]).composite, proved([], []).composite
    assert (single.before, single.after, single.interval) == (0.2, 0.8, None)
    assert (nothing.before, nothing.after, nothing.interval) == (None, None, None)


@pytest.mark.parametrize(
    ("before", "after", "improved"),
    [
        ([0.2, 0.3, 0.2, 0.1] * 5, [0.8, 0.9, 0.7, 0.8] * 5, True),
        ([0.2, 0.3, 0.2, 0.1] * 4, [0.8, 0.9, 0.7, 0.8] * 4, False),
        ([0.2, None, *[0.3, 0.2, 0.1, 0.4] * 5], [0.8, 0.0, *[0.9, 0.7, 0.8, 0.9] * 5], True),
        ([0.8, 0.9, 0.7] * 7, [0.2, 0.3, 0.2] * 7, False),
        ([0.1, 0.9, 0.1, 0.9] * 5, [0.9, 0.1, 0.9, 0.2] * 5, False),
        ([], [], False),
    ],
)
def test_2_better_is_what_lies_above_0(before: list[float | None], after: list[float | None], improved: bool) -> None:
    found = proved(list(map(measured, before)), list(map(measured, after)))
    assert found.improved is improved
    assert found == proved(list(map(measured, before)), list(map(measured, after)))


def test_3_first_tries_that_failed_are_counted() -> None:
    before = [measured(0.1, {"trace": "no JSON", "answer": None}), measured(0.0, {"trace": "no JSON"})]
    after = [measured(0.9, {"trace": None, "answer": None}), measured(0.8, {"trace": None, "answer": "cut off"})]
    stages = proved(before, after).stages
    assert [*stages["trace"].model_dump().values()] == [2, 2, 0, 2]
    assert [*stages["answer"].model_dump().values()] == [0, 1, 1, 2]


def test_4_order_and_context_are_kept() -> None:
    lm: Any = object()

    def seen(number: int) -> tuple[int, bool, bool]:
        return number, dspy.settings.lm is lm, threading.current_thread() is not threading.main_thread()

    with dspy.context(lm=lm):
        assert map_in_threads(seen, range(20), 3) == [(number, True, True) for number in range(20)]
    assert map_in_threads(seen, [], 3) == []


def test_5_the_first_error_is_raised_whatever_is_under_way_and_the_rest_left() -> None:
    begun, ended, over = list[int](), list[int](), threading.Event()

    def work(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise ZeroDivisionError("number 1")
        over.wait(30)
        ended.append(number)

    with pytest.raises(ZeroDivisionError, match="number 1"):
        map_in_threads(work, range(50), 2)
    assert not ended
    over.set()
    assert sorted(begun) in ([0, 1], [0, 1, 2])


BEFORE, AFTER = [0.2, 0.3, 0.25, 0.25] * 5, [0.8, 0.7, 0.9, 0.8] * 5
SIDE = {"texts": 8, "hash": "0123"}


def changed() -> Tracer:
    """A program of which the answer has another instruction, the critique a demonstration and a temperature."""
    tracer = Tracer()
    tracer.writer.answer.signature = tracer.writer.answer.signature.with_instructions("Say a | b.\nThen stop.")
    tracer.strands.critique.demos = [dspy.Example(question="q", critique={"strengths": []})]
    tracer.strands.critique.config["temperature"] = 0.0
    return tracer


def report_of(
    folder: Path, before: list[float | None], after: list[float | None], program: Tracer | None = None
) -> Report:
    """The report of a compilation that made `program`, with what it spent, written and read again."""
    settings = CompileSettings(model="openai/any", api_base=["http://user:pw@host/v1"], stage=["answer"])
    settings = settings.model_copy(update={"judge_models": ["openai/a"], "report_judge_models": ["openai/b"]})
    weights = {"rule": 1.0, "judge": 1.0}
    old, new = (
        [measured(value, {"trace": None if value else "no JSON"}, rule=value, judge=None) for value in some]
        for some in (before, after)
    )
    known = {"tracer": Tracer(), "data": dict.fromkeys(("train", "val", "test"), SIDE), "weights": weights}
    sources = [*map(str, range(len(before)))]
    compilation: Any = SimpleNamespace(settings=settings, report_warnings=lambda: ["beware"], sources=sources, **known)
    spend = Counter(calls=7, prompt_tokens=100, completion_tokens=20, uncounted=0)
    recorder: Any = SimpleNamespace(paid={"student": spend, "judge": spend + Counter(uncounted=2)})
    report = made(compilation, program or changed(), prove(old, new, sources, seed=0, weights=weights), recorder)
    write_report(report, folder)
    assert Report.model_validate_json((folder / "report.json").read_bytes()) == report
    assert "pw" not in (folder / "report.json").read_text() + (folder / "report.md").read_text()
    return report


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (BEFORE, AFTER, "The compiled program is better: 0.250 before, 0.800 after; difference +0.550 (+"),
        (AFTER, BEFORE, "The compiled program is worse: 0.800 before, 0.250 after; difference -0.550 (-"),
        ([0.1, 0.9, 0.5], [0.9, 0.1, 0.6], "The compiled program is not shown to be better: 0.500 before, 0.533 after"),
        ([0.1, None, None], [0.9, 0.9, None], "Too few texts could be scored to compare the programs."),
        ([0.0, 0.0], [1.0, 1.0], "Too few sources to call the compiled program better: 0.000 before"),
    ],
)
def test_7_the_verdict_keeps_to_the_interval(
    before: list[float | None], after: list[float | None], said: str, tmp_path: Path
) -> None:
    report = report_of(tmp_path, before, after)
    assert report.outcome[0].startswith(said)
    assert report.improved is ("is better" in said)


def test_8_the_text_holds_what_was_done(tmp_path: Path) -> None:
    report = report_of(tmp_path, [0.0, *BEFORE], [0.5, *AFTER])
    assert {name for name, one in report.predictors.items() if one.changed} == {"writer.answer", "strands.critique"}
    text, plain = (tmp_path / "report.md").read_text(), Tracer().writer.answer.signature.instructions
    for words in (
        report.outcome[0],
        "Warning: beware.",
        "Composite: rule 1, judge 1. Judges: openai/b here, openai/a while tuning.",
        "| rule | 0.238 | 0.786 | +0.548 (",
        "| judge | - | - | - | 0 |",
        "| trace | 1 of 21 | 0 of 21 |",
        "| student | 7 | 100 | 20 |",
        "| judge | 7 | at least 100 | at least 20 |",
        "### strands.critique: demonstrations 1, temperature 0.0\n\nThe instruction is unchanged.",
        "### writer.answer: demonstrations 0, temperature unchanged",
        f"| {plain.replace(chr(10), '<br>')} | Say a \\| b.<br>Then stop. |",
    ):
        assert words in text
    assert "### writer.trace" not in text
