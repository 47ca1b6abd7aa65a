"""The funnel, `--max-samples`, and the cost of an accepted trace.

1. In every step, what entered equals what was lost plus what is left. Each number covers all runs and equals a count over
   the journal's newest lines, however often a variation or text was decided again (tests/run/test_facts.py).
2. What is left of one step enters the next, if both count the same thing.
3. Every loss has a name: skipped lines and questions by reason, stages, judges, duplicates.
4. `--max-samples` limits the texts that all runs together start; started texts are finished.
5. Costs, also the printed ones, cover all runs; an unknown cost is not guessed.
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
from programs.run.summary import print_summary
from programs.settings import Settings
from tests.lab import Lab, laboratory, passage, write_passages
from tests.run.test_resume import JUDGED, catalogue_number
from tests.standin import scientist
from tests.standin.panel import PANEL, verdict
from tests.standin.scientist import StageRequest

NOTHING_TO_ASK = "Funding\nThis work was supported by the Northern Science Foundation, which had no part in it."


def questions(request: StageRequest) -> Any:
    number, reply = catalogue_number(request), scientist.questions(request)
    if number == 2:
        return "I cannot think of any."
    return reply | {"question": f"The paper says nothing about {request.word(1)}."} if number == 3 else reply


def judge(request: StageRequest) -> Any:
    number = catalogue_number(request)
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


def per_trace(finished: Finished) -> Any:
    """The mean cost of an accepted trace."""
    assert finished.summary.funnel is not None
    return finished.summary.funnel.per_trace


def test_the_steps_of_a_run_with_many_losses_add_up(tmp_path: Path) -> None:
    with laboratory(tmp_path, stages={"questions": questions, "judge": judge}, base=MESSY) as lab:
        lines = [json.dumps({"text": passage(number)}) for number in range(14)]
        lines[3:3] = ["not JSON", "", json.dumps({"title": "no text"}), json.dumps({"text": passage(1)})]
        lines[7:7] = [json.dumps({"text": NOTHING_TO_ASK}), json.dumps({"text": "Short."}), "[]"]
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
        assert found["questions drafted"].lost == {Reason.REFERS_TO_SOURCE.value: 21}
        assert found["usable questions"].entered == found["questions drafted"].left
        assert found["attempts written"].lost == {"rejected and made again": 4}
        assert found["traces tried"].entered == 2 * found["usable questions"].left
        assert found["traces tried"].left == len(lab.records) == finished.summary.traces["accepted"]
        assert found["traces tried"].lost == {Reason.JUDGED.value: 4, Reason.UNJUDGED.value: 4}


def test_a_text_in_progress_has_no_usable_question_so_far(tmp_path: Path) -> None:
    def questions_about_the_paper(request: StageRequest) -> Any:
        return scientist.questions(request) | {"question": f"The paper says nothing about {request.word(1)}."}

    with laboratory(tmp_path, texts=1, stages={"questions": questions_about_the_paper}) as lab:
        finished = lab.run(max_calls=4)
        assert finished.status == "budget"
        assert steps(finished)["texts started by all runs"].lost == {"no usable question so far": 1}
        assert steps(lab.run())["texts started by all runs"].lost == {"no usable question": 1}


def test_imported_traces_are_counted_separately(lab: Lab) -> None:
    lab.run(max_traces=2)
    lab.journal.unlink()
    finished = lab.run()
    assert finished.summary.funnel is not None
    found = steps(finished)
    assert finished.summary.traces == {"accepted": 4}
    assert (finished.summary.funnel.taken_over, found["traces tried"].left) == (2, 2)
    # The questions of the two texts with imported traces are asked again.
    assert per_trace(finished).calls == (8 + 8 + 2) / 2


def test_costs_cover_all_runs_and_are_never_guessed(lab: Lab) -> None:
    prices = {"openai/any": {"prompt": 2.0, "completion": 10.0}}
    lab.run(max_traces=1, prices=prices)
    finished = lab.run(prices=prices)
    spent = finished.summary.spent_in_all
    prompt, completion = (sum(row[name] for row in spent) for name in ("prompt", "completion"))
    assert per_trace(finished).cost == pytest.approx((prompt * 2.0 + completion * 10.0) / 4_000_000)
    assert per_trace(finished).tokens == pytest.approx((prompt + completion) / 4, abs=0.1)
    assert per_trace(finished).calls == 8
    read, written = finished.summary.this_run.prompt_tokens or 0, finished.summary.this_run.completion_tokens or 0
    assert finished.summary.cost == pytest.approx((read * 2 + written * 10) / 1e6)
    again = lab.run()
    assert steps(again)["traces tried"].left == 4
    assert "lines, 0 texts, 4 done by earlier runs" in printed(again, lab.settings())
    unpriced = per_trace(lab.run())
    assert (unpriced.cost, unpriced.tokens) == (None, per_trace(finished).tokens)
    assert lab.document["metadata"]["run"]["funnel"]["per_trace"] == unpriced.model_dump(mode="json")
    for known_prices in (prices, None):
        title, rows = printed_costs(finished, lab.settings(prices=known_prices or {}))
        assert title == ", by stage, with openai/any", "of several models, each row would name its own"
        assert sum(int(row[0]) for row in rows) == lab.calls
        assert all((row[-1] == "unknown") == (known_prices is None) for row in rows)


def printed_costs(finished: Finished, settings: Settings) -> tuple[str, list[list[str]]]:
    """The printed title, and the words about each stage, without its name."""
    title, _, *rows = printed(finished, settings).partition("spent in all")[2].splitlines()
    return title.rstrip(), [row.split()[1:] for row in rows]


def printed(finished: Finished, settings: Settings) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    print_summary(finished.summary, settings, console)
    return console.export_text()


def texts_with_pool(lab: Lab) -> set[str]:
    return {line["key"] for line in lab.lines("pool")}


@pytest.mark.parametrize("concurrency", [1, 8])
def test_4_max_samples_limits_the_texts_that_all_runs_start(tmp_path: Path, concurrency: int) -> None:
    with laboratory(tmp_path, texts=9, stages={"judge": lambda _asked: verdict(2)}) as lab:
        judged = {**JUDGED, "concurrency": concurrency, "max_attempts": 1}
        finished = lab.run(max_traces=3, max_samples=4, **judged)
        assert finished.summary.traces == {"rejected": 4}
        assert {line["place"]["line"] for line in lab.lines("sample")} == {1, 2, 3, 4}
        _, calls = lab.run_and_count(max_traces=3, max_samples=4, **judged)
        assert calls == 0
        finished = lab.run(max_traces=3, max_samples=6, **judged)
        assert finished.summary.traces == {"rejected": 6}
        finished = lab.run(max_traces=3, max_samples=4, concurrency=concurrency)
        assert (finished.summary.traces["accepted"], len(texts_with_pool(lab))) == (3, 6)


def test_4_max_samples_finishes_started_texts(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=8) as lab:
        while lab.run(max_samples=5, max_calls=9, concurrency=2).status == "budget":
            pass
        assert (len(lab.records), len(texts_with_pool(lab))) == (5, 5)
        assert lab.calls == 5 * 8
        write_passages(lab.input, [20, 21, 0, 1, 2, 3, 4, 22])
        lab.run(max_samples=5, traces_per_sample=2)
        assert (len(lab.records), len(texts_with_pool(lab))) == (10, 5)
