"""Runs with `--thought model|both`, over HTTP.

1. What is sent for an own thought is one plain user message with room to think; open, it begins with the passage.
2. `reasoning_content` and what stands in tags is the thought (tests/lms/test_wire.py, tests/traces/test_own_thoughts.py).
3. Tries that came to another answer are the rejected side of pairs, with the accepted one as the chosen side.
4. A resume asks nothing again; more of the same adds the difference; every variation counts for what a text is to give
   (tests/traces/test_runs.py).
5. Own and written traces are not mixed unasked; asked for, the written ones stay, without a call.
6. `--reasoning-effort` goes along with every call, to servers that take it.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from programs.lms.resolve import resolve
from programs.stages.thought import ROOM_TO_THINK
from tests.exports.building import export_to, rows
from tests.lab import laboratory, passage
from tests.standin.scientist import THOUGHT, Asked


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
    assert body["max_tokens"] == ROOM_TO_THINK
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


# 6. Effort


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
