"""The funnel, `--max-samples`, and what an accepted trace has cost.

1. In every step what went in is what was lost plus what was left; each number is what counting the journal's lines by hand
   gives, over all runs, however often a variation or a text was decided again (tests/run/test_facts.py).
2. What is left of one step is what goes into the next, where both count the same.
3. Every loss has a name: skipped lines by reason, questions by reason, stages, judges, twins.
4. `--max-samples` bounds the texts that all runs together begin; those that were begun are finished.
5. Costs are of all runs, in what is printed too; what is not known is not guessed.
"""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from programs.rejection import Reason
from programs.run.funnel import Step
from programs.run.run import Finished
from programs.run.summary import show
from programs.settings import Settings
from tests.lab import Lab, laboratory, passage, write_passages
from tests.run.test_resume import JUDGED, catalogue_of
from tests.standin import scientist
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import Asked

NOTHING = "Funding\nThis work was supported by the Northern Science Foundation, which had no part in it."


def questions(asked: Asked) -> Any:
    number, made = catalogue_of(asked), scientist.questions(asked)
    if number == 2:
        return "I cannot think of any."
    return made | {"question": f"The paper says nothing about {asked.word(1)}."} if number == 3 else made


def judge(asked: Asked) -> Any:
    number = catalogue_of(asked)
    return "No comment." if number == 10 else verdict(3 if number == 9 else 8)


MESSY: dict[str, Any] = {
    **JUDGED,
    "traces_per_sample": 2,
    "traces_per_question": 2,
    "max_attempts": 2,
    "prefilter": True,
    "prices": {"openai/any": {"prompt": 2.0, "completion": 10.0}, **{m: {"prompt": 1, "completion": 1} for m in PANEL}},
}


def steps(finished: Finished) -> dict[str, Step]:
    assert finished.summary.funnel is not None
    found = {step.what: step for step in finished.summary.funnel.steps}
    for step in found.values():
        assert step.entered == sum(step.lost.values()) + step.left, step
        assert all(count > 0 for count in [*step.lost.values()])
        assert step.left >= 0
    return found


def a_trace(finished: Finished) -> Any:
    """What one has cost."""
    assert finished.summary.funnel is not None
    return finished.summary.funnel.per_trace


def test_a_messy_run_adds_up(tmp_path: Path) -> None:
    with laboratory(tmp_path, stages={"questions": questions, "judge": judge}, base=MESSY) as lab:
        lines = [json.dumps({"text": passage(number)}) for number in range(14)]
        lines[3:3] = ["not JSON", "", json.dumps({"title": "no text"}), json.dumps({"text": passage(1)})]
        lines[7:7] = [json.dumps({"text": NOTHING}), json.dumps({"text": "Short."}), "[]"]
        lab.input.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        finished = lab.run(max_samples=13)
        found = steps(finished)
        reasons = ["blank", "not JSON", "no text", "duplicate text", "not an object"]
        reasons += [f"nothing to ask about: {why}" for why in ("acknowledgements", "too little text")]
        assert found["lines read by this run"].lost == dict.fromkeys(reasons, 1)
        assert found["lines read by this run"].entered == 21
        assert found["lines read by this run"].left == 14
        assert found["texts started by all runs"].entered == 13
        assert found["texts started by all runs"].lost == {"no model answered": 1, "no usable question": 1}
        assert found["questions drafted"].lost == {Reason.LEANS.value: 21}
        assert found["usable questions"].entered == found["questions drafted"].left
        assert found["attempts written"].lost == {"rejected and made again": 4}
        assert found["traces tried"].entered == 2 * found["usable questions"].left
        assert found["traces tried"].left == len(lab.records) == finished.summary.traces["accepted"]
        assert found["traces tried"].lost == {Reason.JUDGED.value: 4, Reason.UNJUDGED.value: 4}


def test_a_text_that_was_under_way_is_not_without_a_question(tmp_path: Path) -> None:
    def leaning(asked: Asked) -> Any:
        return scientist.questions(asked) | {"question": f"The paper says nothing about {asked.word(1)}."}

    with laboratory(tmp_path, texts=1, stages={"questions": leaning}) as lab:
        finished = lab.run(max_calls=4)
        assert finished.status == "budget"
        assert steps(finished)["texts started by all runs"].lost == {"no usable question so far": 1}
        assert steps(lab.run())["texts started by all runs"].lost == {"no usable question": 1}


def test_traces_taken_over_stand_apart(lab: Lab) -> None:
    lab.run(max_traces=2)
    lab.journal.unlink()
    finished = lab.run()
    assert finished.summary.funnel is not None
    found = steps(finished)
    assert finished.summary.traces == {"accepted": 4}
    assert (finished.summary.funnel.taken_over, found["traces tried"].left) == (2, 2)
    # The questions of texts with traces are asked anew.
    assert a_trace(finished).calls == (8 + 8 + 2) / 2


def test_costs_are_of_all_runs_and_never_guessed(lab: Lab) -> None:
    prices = {"openai/any": {"prompt": 2.0, "completion": 10.0}}
    lab.run(max_traces=1, prices=prices)
    finished = lab.run(prices=prices)
    spent = finished.summary.spent_in_all
    prompt, completion = (sum(row[name] for row in spent) for name in ("prompt", "completion"))
    assert a_trace(finished).cost == pytest.approx((prompt * 2.0 + completion * 10.0) / 4_000_000)
    assert a_trace(finished).tokens == pytest.approx((prompt + completion) / 4, abs=0.1)
    assert a_trace(finished).calls == 8
    read, written = finished.summary.this_run.prompt_tokens or 0, finished.summary.this_run.completion_tokens or 0
    assert finished.summary.cost == pytest.approx((read * 2 + written * 10) / 1e6)
    assert steps(lab.run())["traces tried"].left == 4
    unpriced = a_trace(lab.run())
    assert (unpriced.cost, unpriced.tokens) == (None, a_trace(finished).tokens)
    assert lab.document["metadata"]["run"]["funnel"]["per_trace"] == unpriced.model_dump(mode="json")
    for given in (prices, None):
        costs = printed(finished, lab.settings(prices=given or {}))
        assert sum(int(words[1]) for words in costs) == lab.calls
        assert {words[0] for words in costs} == {"openai/any"}
        assert all((words[-1] == "unknown") == (given is None) for words in costs)


def printed(finished: Finished, settings: Settings) -> list[list[str]]:
    """What is printed of each stage, its name apart."""
    console = Console(width=200, record=True, file=io.StringIO())
    show(finished.summary, settings, console)
    _, _, *rows = console.export_text().partition("spent in all")[2].splitlines()
    return [row.split()[1:] for row in rows]


def pools(lab: Lab) -> set[str]:
    return {line["key"] for line in lab.lines("pool")}


@pytest.mark.parametrize("concurrency", [1, 8])
def test_4_max_samples_bounds_what_all_runs_begin(tmp_path: Path, concurrency: int) -> None:
    with laboratory(tmp_path, texts=9, stages={"judge": lambda _asked: verdict(2)}) as lab:
        judged = {**JUDGED, "concurrency": concurrency, "max_attempts": 1}
        finished = lab.run(max_traces=3, max_samples=4, **judged)
        assert finished.summary.traces == {"rejected": 4}
        assert {line["place"]["line"] for line in lab.lines("sample")} == {1, 2, 3, 4}
        _, calls = lab.counted(max_traces=3, max_samples=4, **judged)
        assert calls == 0
        finished = lab.run(max_traces=3, max_samples=6, **judged)
        assert finished.summary.traces == {"rejected": 6}
        finished = lab.run(max_traces=3, max_samples=4, concurrency=concurrency)
        assert (finished.summary.traces["accepted"], len(pools(lab))) == (3, 6)


def test_4_max_samples_finishes_what_was_begun(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=8) as lab:
        while lab.run(max_samples=5, max_calls=9, concurrency=2).status == "budget":
            pass
        assert (len(lab.records), len(pools(lab))) == (5, 5)
        assert lab.calls == 5 * 8
        write_passages(lab.input, [20, 21, 0, 1, 2, 3, 4, 22])
        lab.run(max_samples=5, traces_per_sample=2)
        assert (len(lab.records), len(pools(lab))) == (10, 5)
