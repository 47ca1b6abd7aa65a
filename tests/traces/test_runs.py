"""The optional stages around the written traces, in whole runs against a stand-in server.

1. They cost as many calls as the dry run says, in one run or in several; a resumed run repeats no call.
2. If they are switched on later, existing traces get their results. The traces stay as they are and cost no call again.
3. `--keep` rejects traces by their blind solve. `--max-traces` counts exactly the traces that are left, whatever a text was
   granted at first. The summary counts the findings of all runs, each trace once.
4. For an own thought one plain user message is sent, with room to think; open, it starts with the passage. The reasoning
   of the reply, or its text in tags, is the thought (tests/lms/test_wire.py, tests/traces/test_own_thoughts.py).
5. Own tries with another answer are the rejected side of preference pairs; the accepted try is the chosen side.
6. `--reasoning-effort` is sent with every call to servers that accept it.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from programs.lms.resolve import resolve
from programs.run.dry_run import calls_of
from programs.stages.thought import MIN_OWN_TOKENS
from tests.exports.building import export_to, rows
from tests.lab import Lab, laboratory, passage
from tests.run.test_resume import count_repeated_requests
from tests.standin import scientist
from tests.standin.panel import PANEL
from tests.standin.scientist import THOUGHT, StageRequest

SOLVING: dict[str, Any] = {"blind_solve": 2, "solver_model": "openai/solver", "compare_model": "openai/comparer"}
FEATURES: dict[str, dict[str, Any]] = {
    "judges and grades": {"quality_check": True, "judge_models": PANEL, "min_quality_score": 1, "grade_answers": True},
    "own thoughts": {"thought": "both"},
    "blind solve": SOLVING,
    "step check": {"check_steps": True, "check_model": "openai/checker"},
}
FEATURES["all together"] = {name: value for options in FEATURES.values() for name, value in options.items()}
PLAIN: dict[str, Any] = {"traces_per_sample": 2, "traces_per_question": 2}


def expected_calls(lab: Lab, **options: Any) -> int:
    return sum(calls_of(lab.settings(**options), texts=4).values())


@pytest.mark.parametrize("options", [FEATURES["judges and grades"], FEATURES["all together"]])
def test_a_run_costs_what_the_dry_run_says_and_repeats_no_call(tmp_path: Path, options: dict[str, Any]) -> None:
    with laboratory(tmp_path, reasoning=THOUGHT) as lab:
        lab.run(**PLAIN, **options, max_calls=31)
        lab.run(**PLAIN, **options)
        assert lab.calls == expected_calls(lab, **PLAIN, **options)
        finished, calls = lab.run_and_count(**PLAIN, **options)
        assert calls == count_repeated_requests(lab) == 0
        assert finished.summary.traces == {"accepted": 4 * lab.settings(**PLAIN, **options).traces_per_text}


@pytest.mark.parametrize("options", FEATURES.values(), ids=FEATURES)
def test_existing_traces_get_what_is_asked_for_later(tmp_path: Path, options: dict[str, Any]) -> None:
    with laboratory(tmp_path, reasoning=THOUGHT) as lab:
        lab.run(**PLAIN)
        before = {record["id"]: record["reasoning_trace"] for record in lab.records}
        lab.run(**PLAIN, **options, allow_mixed=True)
        assert before.items() <= {record["id"]: record["reasoning_trace"] for record in lab.records}.items()
        assert lab.calls == expected_calls(lab, **PLAIN, **options)
        assert count_repeated_requests(lab) == 0


def answer_from_passage(request: StageRequest) -> dict[str, Any]:
    """An answer that says whether the passage's catalogue has an even number of galaxies."""
    [galaxies] = re.findall(r"measurements of (\d+) galaxies", request.text)
    kind = "odd" if int(galaxies) % 2 else "even"
    return {"text": f"{scientist.answer(request)['text']} The catalogue is an {kind} one."}


def known_for_even(request: StageRequest) -> dict[str, Any]:
    """Compares as if the solver knew everything about even catalogues, also without the passage."""
    agreed = "an even one" in request.input("reference") or not request.input("other").startswith(scientist.FROM_MEMORY)
    return {"reason": "They are about the same galaxies.", "agreement": "equivalent" if agreed else "contradicts"}


def test_keep_rejects_traces_and_max_traces_counts_the_others(tmp_path: Path) -> None:
    stages: dict[str, scientist.AnswerFunction] = {"answer": answer_from_passage, "compare": known_for_even}
    with laboratory(tmp_path, texts=12, stages=stages) as lab:
        options = {**SOLVING, "keep": ["needs_paper"], "max_traces": 4}
        finished = lab.run(**options)
        assert finished.summary.traces["accepted"] == len(lab.records) == 4
        assert {record["final_answer"].split()[-2] for record in lab.records} == {"odd"}
        rejected = [line for line in lab.latest_units().values() if line["status"] == "rejected"]
        assert rejected
        assert {line["rejection"]["detail"] for line in rejected} == {"known"}
        assert all(line["attempts"][-1]["blind_solve"]["need"] == "known" for line in rejected)
        found = finished.summary.findings.blind_solve
        assert found is not None
        assert (found.needs_paper, found.known) == (4, len(rejected))
        finished = lab.run(**{**options, "max_traces": 6})
        assert finished.summary.traces["accepted"] == 6
        finished = lab.run(**{**options, "keep": ["needs_paper", "known"], "max_traces": None})
        assert (finished.summary.traces, finished.summary.accepted_before) == ({"accepted": 12}, 6)
        assert count_repeated_requests(lab) == 0


def second_agrees(request: StageRequest) -> dict[str, Any]:
    """The first try at a question is wrong, the second right."""
    agreement = "equivalent" if request.earlier_requests % 2 else "contradicts"
    return {"reason": "They name this cause and that.", "agreement": agreement}


@pytest.mark.parametrize("setting", ["closed", "open"])
def test_an_own_thought_is_asked_for_in_one_plain_message(tmp_path: Path, setting: str) -> None:
    with laboratory(tmp_path, texts=1, reasoning=THOUGHT) as lab:
        lab.run(thought="model", setting=setting)
        [record] = lab.records
        [body] = [body for body in lab.server.bodies if "[[ ## " not in str(body["messages"])]
    question = record["user_interaction"]["question"]
    content = question if setting == "closed" else f"{passage(0)}\n\n{question}"
    assert body["messages"] == [{"role": "user", "content": content}]
    assert body["max_tokens"] == MIN_OWN_TOKENS
    assert not {"response_format", "reasoning_effort"} & set(body)
    assert {other["max_tokens"] for other in lab.server.bodies if other is not body} == {4096}


def test_wrong_tries_make_preference_pairs(tmp_path: Path) -> None:
    with laboratory(tmp_path, texts=3, reasoning=THOUGHT, stages={"compare": second_agrees}) as lab:
        lab.run(thought="both", concurrency=1)
        records = {record["id"]: record for record in lab.records}
        own_attempts = [line["attempts"] for line in lab.lines("unit") if line["key"].endswith("-model")]
    assert Counter(record["thought"] for record in records.values()) == {"written": 3, "model": 3}
    pairs = rows(export_to(lab.output, "dpo"))
    assert len(pairs) == 3
    below = {attempt["id"]: attempt for attempts in own_attempts for attempt in attempts}
    for pair in pairs:
        chosen, rejected = records[pair["id"]], below[pair["rejected_id"]]
        assert (chosen["thought"], rejected["agreed"]["agreement"]) == ("model", "contradicts")
        assert pair["question_id"] == rejected["question_id"]
        assert rejected["final_answer"] in pair["rejected"][0]["content"] != pair["chosen"][0]["content"]
        assert (pair["score_chosen"], pair["score_rejected"]) == (None, None)


@pytest.mark.parametrize(
    ("name", "env", "takes"),
    [
        ("gpt55", {}, True),
        ("gpt55", {"ARGO_API": "legacy"}, False),
        ("claudesonnet45", {}, False),
        ("openai/o3", {"OPENAI_API_KEY": "k"}, True),
        ("openai/gpt-4o", {"OPENAI_API_KEY": "k"}, False),
        ("openai/any", {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, True),
    ],
)
def test_which_models_take_a_reasoning_effort(name: str, env: dict[str, str], takes: bool) -> None:
    model = resolve(name, env={"ARGO_USER": "jdoe", **env}, reasoning_effort="low")
    assert ("reasoning_effort" in model.engine.supported_params) == takes
