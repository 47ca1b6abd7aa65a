"""What is asked beyond the written traces, in whole runs against a stand-in server.

1. It costs what the dry run says, in one run or in several; a resumed run repeats no call.
2. Asked for later, it is filled in for the traces that are there, which stay as they are, without a call.
3. `--keep` turns down what a blind solve finds, `--max-traces` counts what is left, exactly, whatever was granted to a text
   at first; the summary counts what was found over all runs, each trace once.
4. What is sent for an own thought is one plain user message with room to think; open, it begins with the passage. What
   comes back as reasoning, or in tags, is the thought (tests/lms/test_wire.py, tests/traces/test_own_thoughts.py).
5. Own tries that came to another answer are the rejected side of pairs, with the accepted one as the chosen side.
6. `--reasoning-effort` goes along with every call, to servers that take it.
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
from tests.run.test_resume import repeated
from tests.standin import scientist
from tests.standin.panel import PANEL
from tests.standin.scientist import THOUGHT, Asked

SOLVING: dict[str, Any] = {"blind_solve": 2, "solver_model": "openai/solver", "compare_model": "openai/comparer"}
FEATURES: dict[str, dict[str, Any]] = {
    "judges and grades": {"quality_check": True, "judge_models": PANEL, "min_quality_score": 1, "grade_answers": True},
    "own thoughts": {"thought": "both"},
    "blind solve": SOLVING,
    "step check": {"check_steps": True, "check_model": "openai/checker"},
}
FEATURES["all together"] = {name: value for options in FEATURES.values() for name, value in options.items()}
PLAIN: dict[str, Any] = {"traces_per_sample": 2, "traces_per_question": 2}


def expected(lab: Lab, **options: Any) -> int:
    return sum(calls_of(lab.settings(**options), texts=4).values())


@pytest.mark.parametrize("options", [FEATURES["judges and grades"], FEATURES["all together"]])
def test_it_costs_what_the_dry_run_says_and_repeats_nothing(tmp_path: Path, options: dict[str, Any]) -> None:
    with laboratory(tmp_path, reasoning=THOUGHT) as lab:
        lab.run(**PLAIN, **options, max_calls=31)
        lab.run(**PLAIN, **options)
        assert lab.calls == expected(lab, **PLAIN, **options)
        finished, calls = lab.counted(**PLAIN, **options)
        assert calls == repeated(lab) == 0
        assert finished.summary.traces == {"accepted": 4 * lab.settings(**PLAIN, **options).traces_per_text}


@pytest.mark.parametrize("options", FEATURES.values(), ids=FEATURES)
def test_what_is_asked_for_later_is_filled_in(tmp_path: Path, options: dict[str, Any]) -> None:
    with laboratory(tmp_path, reasoning=THOUGHT) as lab:
        lab.run(**PLAIN)
        before = {record["id"]: record["reasoning_trace"] for record in lab.records}
        lab.run(**PLAIN, **options, allow_mixed=True)
        assert before.items() <= {record["id"]: record["reasoning_trace"] for record in lab.records}.items()
        assert lab.calls == expected(lab, **PLAIN, **options)
        assert repeated(lab) == 0


def reading(asked: Asked) -> dict[str, Any]:
    """An answer that says whether the passage's catalogue has an even number of galaxies."""
    [galaxies] = re.findall(r"measurements of (\d+) galaxies", asked.text)
    kind = "odd" if int(galaxies) % 2 else "even"
    return {"text": f"{scientist.answer(asked)['text']} The catalogue is an {kind} one."}


def known_for_even(asked: Asked) -> dict[str, Any]:
    """Knows everything about the galaxies of even catalogues."""
    agreed = "an even one" in asked.given("reference") or not asked.given("other").startswith(scientist.FROM_MEMORY)
    return {"reason": "They are about the same galaxies.", "agreement": "equivalent" if agreed else "contradicts"}


def test_keep_turns_down_and_max_traces_counts_the_rest(tmp_path: Path) -> None:
    stages: dict[str, scientist.Answer] = {"answer": reading, "compare": known_for_even}
    with laboratory(tmp_path, texts=12, stages=stages) as lab:
        options = {**SOLVING, "keep": ["needs_paper"], "max_traces": 4}
        finished = lab.run(**options)
        assert finished.summary.traces["accepted"] == len(lab.records) == 4
        assert {record["final_answer"].split()[-2] for record in lab.records} == {"odd"}
        turned_down = [line for line in lab.latest_units().values() if line["status"] == "rejected"]
        assert turned_down
        assert {line["rejection"]["detail"] for line in turned_down} == {"known"}
        assert all(line["attempts"][-1]["blind_solve"]["need"] == "known" for line in turned_down)
        found = finished.summary.findings.blind_solve
        assert found is not None
        assert (found.needs_paper, found.known) == (4, len(turned_down))
        finished = lab.run(**{**options, "max_traces": 6})
        assert finished.summary.traces["accepted"] == 6
        finished = lab.run(**{**options, "keep": ["needs_paper", "known"], "max_traces": None})
        assert (finished.summary.traces, finished.summary.accepted_before) == ({"accepted": 12}, 6)
        assert repeated(lab) == 0


def second_agrees(asked: Asked) -> dict[str, Any]:
    """Of the tries at a question, the first is wrong."""
    agreement = "equivalent" if asked.time % 2 else "contradicts"
    return {"reason": "They name this cause and that.", "agreement": agreement}


@pytest.mark.parametrize("setting", ["closed", "open"])
def test_what_is_sent(tmp_path: Path, setting: str) -> None:
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
        turned_down = [line["attempts"] for line in lab.lines("unit") if line["key"].endswith("-model")]
    assert Counter(record["thought"] for record in records.values()) == {"written": 3, "model": 3}
    pairs = rows(export_to(lab.output, "dpo"))
    assert len(pairs) == 3
    below = {attempt["id"]: attempt for attempts in turned_down for attempt in attempts}
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
def test_who_takes_an_effort(name: str, env: dict[str, str], takes: bool) -> None:
    model = resolve(name, env={"ARGO_USER": "jdoe", **env}, reasoning_effort="low")
    assert model.takes_effort == takes
