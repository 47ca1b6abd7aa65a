"""Invariants of `optimize.report`: the proof and its report.

1. Means are over the examples that have a score on both sides; a missing score is left out and never counts as 0. An
   example's composites only combine metrics that it has on both sides.
2. A program is `improved` only if the interval of the composite lies above 0, over at least twenty sources (rare if nothing
   changed: tests/statistics/test_interval.py).
3. Per stage, the report counts how often the first try failed, and how often the stage was asked.
4. Examples are measured side by side, in order and with the caller's settings. An error is raised at once.
7. The verdict is "better" only if the interval lies above 0, "worse" if it lies below, "unchanged" if nothing changed.
8. The report has every metric, failures, costs, and the instructions of each changed predictor before and after. What could
   not be measured is a dash; incomplete token counts are "at least" that many. The JSON can be read again. Neither file
   contains an address.
"""

import asyncio
from collections import Counter
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dspy
import pytest

from optimize.compilation import Compilation, make_report
from optimize.measure import Measured
from optimize.metrics import Score, composite_of
from optimize.report import Proof, Report, prove, write_report
from optimize.settings import CompileSettings
from programs.statistics.interval import interval_of_totals
from programs.tracer import Tracer


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faster intervals; these are tested in tests/statistics/test_interval.py."""
    monkeypatch.setattr("programs.statistics.interval.interval_of_totals", partial(interval_of_totals, resamples=200))


def measured(value: float | None, stages: dict[str, str | None] | None = None, **metrics: float | None) -> Measured:
    return Measured(Score(value, ""), {name: Score(one, "") for name, one in metrics.items()}, stages or {})


def compare(before: list[Measured], after: list[Measured], **weights: float) -> Proof:
    return prove(before, after, [*map(str, range(len(before)))], seed=0, weights=weights)


def trace(judge: float | None, rule: float | None = 0.9) -> Measured:
    """The measures of a trace that a judge and a rule scored, with equal weights."""
    metrics = {"judge": Score(judge, ""), "rule": Score(rule, "")}
    return Measured(composite_of(metrics, {"judge": 1, "rule": 1}), metrics)


def test_1_a_judge_that_fails_on_one_side_does_not_count() -> None:
    low, silent, failed = trace(0.1), trace(None), measured(0.0)
    assert (silent.score.value or 0) > (low.score.value or 0)
    proof = compare([low, low, low], [silent, silent, silent], judge=1, rule=1)
    assert (proof.composite.before, proof.composite.after) == (0.9, 0.9)
    assert not proof.improved
    assert compare([low, low], [trace(0.5), silent], judge=1, rule=1).composite.before == pytest.approx((0.5 + 0.9) / 2)
    assert compare([failed], [low], judge=1, rule=1).composite.after == 0.5
    assert compare([trace(0.2, None)], [silent], judge=1, rule=1).composite.pairs == 0


def test_1_means_are_over_examples_with_both_scores() -> None:
    before, after = (0.2, None, 0.4, 0.6, None), (0.8, 0.9, None, 1.0, 0.3)
    proof = compare([measured(a, m=a) for a in before], [measured(b, m=b) for b in after])
    for compared in (proof.composite, proof.metrics["m"]):
        assert [compared.before, compared.after, compared.pairs] == pytest.approx([0.4, 0.9, 2])
        assert compared.interval is not None
        assert compared.interval.difference == pytest.approx(0.5)
        assert compared.interval.low - 1e-9 <= 0.5 <= compared.interval.high + 1e-9
    assert (proof.unscored_before, proof.unscored_after) == (2, 1)
    single, empty = compare([measured(0.2)], [measured(0.8)]).composite, compare([], []).composite
    assert (single.before, single.after, single.interval) == (0.2, 0.8, None)
    assert (empty.before, empty.after, empty.interval) == (None, None, None)


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
def test_2_improved_is_an_interval_above_0(
    before: list[float | None], after: list[float | None], improved: bool
) -> None:
    proof = compare(list(map(measured, before)), list(map(measured, after)))
    assert proof.improved is improved
    assert proof == compare(list(map(measured, before)), list(map(measured, after)))


def test_3_failed_first_tries_are_counted() -> None:
    before = [measured(0.1, {"trace": "no JSON", "answer": None}), measured(0.0, {"trace": "no JSON"})]
    after = [measured(0.9, {"trace": None, "answer": None}), measured(0.8, {"trace": None, "answer": "cut off"})]
    stages = compare(before, after).stages
    assert [*stages["trace"].model_dump().values()] == [2, 2, 0, 2]
    assert [*stages["answer"].model_dump().values()] == [0, 1, 1, 2]


class Slow(dspy.Module):
    """Gives the number that it is given, after a wait that is shorter for larger numbers. Fails at number 1 if told to."""

    def __init__(self, fails: bool) -> None:
        super().__init__()
        self.fails, self.running, self.most_running = fails, 0, 0

    async def aforward(self, number: int) -> dspy.Prediction:
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        await asyncio.sleep(60 if self.fails and number != 1 else 0.1 / (1 + number))
        self.running -= 1
        if self.fails:
            raise ZeroDivisionError(f"number {number}")
        return dspy.Prediction(measured=(number, dspy.settings.lm))


@pytest.mark.parametrize("fails", [False, True])
def test_4_examples_are_measured_side_by_side_and_in_order(fails: bool) -> None:
    compilation, lm, slow = SimpleNamespace(concurrency=3), object(), Slow(fails)
    examples = [dspy.Example(number=number).with_inputs("number") for number in range(20)]
    measure_all: Any = Compilation.measure_all
    with dspy.context(lm=lm):
        if fails:
            with pytest.raises(ZeroDivisionError, match="number 1"):
                measure_all(compilation, slow, examples)
        else:
            assert measure_all(compilation, slow, examples) == [(number, lm) for number in range(20)]
    assert slow.most_running == 3


BEFORE, AFTER = [0.2, 0.3, 0.25, 0.25] * 5, [0.8, 0.7, 0.9, 0.8] * 5
SIDE = {"texts": 8, "hash": "0123"}


def changed() -> Tracer:
    """A program whose answer stage has another instruction, and whose critique has a demonstration and a temperature."""
    tracer = Tracer()
    tracer.writer.answer.signature = tracer.writer.answer.signature.with_instructions("Say a | b.\nThen stop.")
    tracer.strands.critique.demos = [dspy.Example(question="q", critique={"strengths": []})]
    tracer.strands.critique.config["temperature"] = 0.0
    return tracer


def write_and_read_report(
    folder: Path, before: list[float | None], after: list[float | None], program: Tracer | None = None
) -> Report:
    """Writes the report of a compilation that made `program`, and checks that it can be read again. Returns it."""
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
    report = make_report(compilation, program or changed(), prove(old, new, sources, seed=0, weights=weights), recorder)
    write_report(report, folder)
    assert Report.model_validate_json((folder / "report.json").read_bytes()) == report
    assert "pw" not in (folder / "report.json").read_text() + (folder / "report.md").read_text()
    return report


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (BEFORE, AFTER, "The compiled program is better: 0.250 before, 0.800 after; difference +0.550 (+"),
        (AFTER, BEFORE, "The compiled program is worse: 0.800 before, 0.250 after; difference -0.550 (-"),
        ([0.1, 0.9, 0.5], [0.9, 0.1, 0.6], "The compiled program is not shown to be better: 0.500 before, 0.533 after"),
        ([0.1, None, None], [0.9, 0.9, None], "Too few texts could be scored to compare the programs."),
        ([0.0, 0.0], [1.0, 1.0], "Too few sources to call the compiled program better: 0.000 before"),
    ],
)
def test_7_the_verdict_follows_the_interval(
    before: list[float | None], after: list[float | None], outcome: str, tmp_path: Path
) -> None:
    report = write_and_read_report(tmp_path, before, after)
    assert report.outcome[0].startswith(outcome)
    assert report.improved is ("is better" in outcome)


def test_8_the_report_describes_the_compilation(tmp_path: Path) -> None:
    report = write_and_read_report(tmp_path, [0.0, *BEFORE], [0.5, *AFTER])
    assert {name for name, part in report.predictors.items() if part.changed} == {"writer.answer", "strands.critique"}
    text, instructions = (tmp_path / "report.md").read_text(), Tracer().writer.answer.signature.instructions
    for expected in (
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
        f"| {instructions.replace(chr(10), '<br>')} | Say a \\| b.<br>Then stop. |",
    ):
        assert expected in text
    assert "### writer.trace" not in text
