"""Invariants of the formats' rows.

1. A reply is the thought in its tags, then the answer; the system prompt promises the same tags, or none with
   `--reasoning-field`, and then the thought is in that field and nowhere else.
2. Nothing that a paper or a model wrote ends a thought or begins a turn, whatever the tag.
3. The passage comes with the question only where `--context` says so, and once each way with `both`.
4. dpo: chosen is the best accepted trace of a question; every worse one by the margin is rejected once, the worst first;
   never two questions, never a pair of equal texts, never scores of two measures.
5. kto: the label is what the run decided, or with `--min-score` the score; without a score there is no label.
6. prm: labels come from checked steps and the wrong turn alone; steps without a label join the next one that has one.
7. grpo: one row a question, with the answer and the grades of its best trace; a missing grade is null.
8. openai: `messages` and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.exports.format import Candidate
from programs.exports.formats import FORMATS
from programs.exports.prm import label_of, labelled_steps
from programs.exports.tag import Tag
from programs.exports.view import View
from programs.journals.tally import CONTAMINATED, WITHDRAWN
from programs.records import StepRecord
from programs.units.step_records import RULE
from tests.exports.building import ANSWER, THOUGHT, Made, export_to, laid, plain_document, record, refused, rows

TEXTUAL = ["sft", "prompt-completion", "dpo", "kto", "sharegpt", "alpaca", "openai"]
HOSTILE = "So </think> and <THINK>, <|im_start|>system [INST] </Reasoning> [/THINK] \u2028 \x00 \n\n é 星"


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """Two questions: one with three variations and turned down attempts, one with a single trace."""
    return laid(
        tmp_path,
        [
            Made(record(1, score=8.0), below=[record(1, score=4.0), record(1, score=5.5)]),
            Made(record(1, score=6.9, variation=1)),
            Made(record(2, score=9.0)),
            Made(None, below=[record(1, score=3.0, variation=2)]),
        ],
    )


def replies(row: dict[str, Any]) -> list[str]:
    """What the model is to write, in any format."""
    messages = [message for key in ("messages", "completion", "chosen", "rejected") for message in row.get(key, [])]
    found = [message["content"] for message in messages if message["role"] == "assistant"]
    found += [turn["value"] for turn in row.get("conversations", []) if turn["from"] == "gpt"]
    return [*found, row["output"]] if "output" in row else found


def system(row: dict[str, Any]) -> str:
    for key in ("messages", "prompt"):
        if isinstance(row.get(key), list):
            return str(row[key][0]["content"])
    return str(row["conversations"][0]["value"] if "conversations" in row else row["system"])


def made(to: str, one: Any, **options: Any) -> list[Any]:
    """The rows of one candidate or several."""
    traces = one if isinstance(one, list) else [Candidate(one)]
    return list(FORMATS[to].rows(traces, View(**options)))


# 1. Thought and answer


@pytest.mark.parametrize("to", TEXTUAL)
def test_a_reply_is_the_thought_in_the_promised_tags_and_the_answer(judged: Path, to: str) -> None:
    found = rows(export_to(judged, to, "--think-tag", "[WORK]"))
    assert found
    for row in found:
        assert "[WORK] and [/WORK]" in system(row)
        for reply in replies(row):
            assert reply.startswith("[WORK]\n" + "\n\n".join(THOUGHT))
            assert reply.endswith(f"\n[/WORK]\n\n{ANSWER}")


@pytest.mark.parametrize("to", ["sft", "prompt-completion", "dpo", "kto"])
def test_the_thought_can_have_a_field_of_its_own(judged: Path, to: str) -> None:
    for row in rows(export_to(judged, to, "--reasoning-field", "reasoning_content")):
        assert "<" not in system(row)
        assert replies(row) == [ANSWER] * len(replies(row))
        messages = [message for key in ("messages", "completion", "chosen", "rejected") for message in row.get(key, [])]
        thoughts = [message.get("reasoning_content") for message in messages]
        assert [bool(thought) for thought in thoughts] == [message["role"] == "assistant" for message in messages]
        assert thoughts[-1].startswith(THOUGHT[0])


@pytest.mark.parametrize("to", ["sharegpt", "alpaca", "openai", "prm", "table"])
def test_a_format_without_such_a_field_refuses_it(judged: Path, to: str) -> None:
    assert "--reasoning-field" in refused(judged, to, "--reasoning-field", "reasoning_content")


@pytest.mark.parametrize("tag", ["think", "<think>"])
def test_a_tag_is_named_with_or_without_brackets(judged: Path, tag: str) -> None:
    assert replies(rows(export_to(judged, "sft", "--think-tag", tag))[0])[0].startswith("<think>\n")


@pytest.mark.parametrize("tag", ["", "two words", "<a><b>", "</think>", "<|channel|>"])
def test_what_is_no_tag_is_refused(judged: Path, tag: str) -> None:
    assert refused(judged, "sft", "--think-tag", tag).startswith("--think-tag: ")


def test_a_trace_that_is_no_thought_element_is_taken_as_it_is() -> None:
    (row,) = made("alpaca", record(reasoning_trace="First </thought> then.", answer="Yes."))
    assert row["output"] == "<think>\nFirst &lt;/thought&gt; then.\n</think>\n\nYes."


# 2. Text is data


@pytest.mark.parametrize("tag", ["<think>", "<reasoning>", "[THINK]"])
@pytest.mark.parametrize("to", ["sft", "prompt-completion", "kto", "sharegpt", "alpaca", "openai", "grpo"])
def test_no_text_can_end_a_thought_or_begin_a_turn(to: str, tag: str) -> None:
    hostile = record(text=HOSTILE, question=f"Why? {HOSTILE}", thought=f"I think. {HOSTILE}", answer=f"No. {HOSTILE}")
    kind = Tag.parse(tag)
    for row in made(to, hostile, tag=kind, contexts=("none", "passage")):
        everything = str({key: value for key, value in row.items() if key != "id"})
        # Once in the system prompt, once around the thought.
        assert everything.count(kind.open) == everything.count(kind.close) == (1 if to == "grpo" else 2)
        assert "<|im_start|>" not in everything
        assert "[INST]" not in everything
        assert "é 星" in everything
        for reply in replies(row):
            assert HOSTILE[-12:] in reply


@given(st.text(max_size=60), st.sampled_from(["<think>", "<a>", "[b]"]))
def test_making_a_text_inert_twice_changes_no_more(text: str, tag: str) -> None:
    kind = Tag.parse(tag)
    once = kind.inert(f"{text}{kind.close}{text}{kind.open.upper()}{text}")
    assert kind.inert(once) == once
    assert kind.close not in once
    assert kind.open not in once


# 3. Context


def test_the_passage_comes_only_when_asked_for(judged: Path) -> None:
    by_context = {context: rows(export_to(judged, "sft", "--context", context, output=context)) for context in
                  ("none", "passage", "both")}  # fmt: skip
    assert len(by_context["both"]) == 2 * len(by_context["none"]) == 2 * len(by_context["passage"]) == 6
    for context, found in by_context.items():
        for row in found:
            user = row["messages"][1]["content"]
            assert ("is about dust" in user) == (row["context"] == "passage")
            assert ("A passage comes" in system(row)) == (row["context"] == "passage")
            assert user.endswith(f"1.{user.split('text ')[1][0]}?")
            assert context == "both" or row["context"] == context


def test_alpaca_takes_the_passage_as_its_input() -> None:
    closed, open_ = made("alpaca", record(3), contexts=("none", "passage"))
    assert (closed["input"], open_["input"]) == ("", "Text 3 is about dust. Its slope is 1.3.")
    assert closed["instruction"] == open_["instruction"] == "Why is the slope of text 3 1.3?"


def test_a_trace_without_its_passage_is_left_out_and_counted(tmp_path: Path) -> None:
    document = plain_document(tmp_path / "a.json", [record(1), record(2, text="")])
    assert len(rows(export_to(document, "sft", "--context", "passage"))) == 1
    assert len(rows(export_to(document, "sft", output="closed"))) == 2
    only = plain_document(tmp_path / "b.json", [record(2, text="")])
    assert "1 x its passage is not in the document" in refused(only, "sft", "--context", "passage", output="only")


# 4. Preference pairs


def test_pairs_are_the_best_trace_and_those_worse_by_the_margin(judged: Path) -> None:
    found = rows(export_to(judged, "dpo"))
    assert [(row["score_chosen"], row["score_rejected"]) for row in found] == [(8, 3), (8, 4), (8, 5.5), (8, 6.9)]
    for row in found:
        assert f"score {row['score_chosen']}." in row["chosen"][0]["content"]
        assert f"score {row['score_rejected']}." in row["rejected"][0]["content"]
        assert row["prompt"][1]["content"].startswith("Why is the slope of text 1")


@pytest.mark.parametrize(("margin", "count"), [("0", 4), ("1.1", 4), ("1.2", 3), ("4", 2), ("5", 1)])
def test_the_margin_is_kept(judged: Path, margin: str, count: int) -> None:
    found = rows(export_to(judged, "dpo", "--margin", margin))
    assert len(found) == count
    assert all(row["score_chosen"] - row["score_rejected"] >= float(margin) - 1e-9 for row in found)


def test_a_margin_that_nothing_has_is_said(judged: Path) -> None:
    said = refused(judged, "dpo", "--margin", "5.1")
    assert said.startswith("nothing to export to dpo: 6 traces read, none left: ")
    assert "1 x questions without two traces that are 5.1 apart (--margin)" in said
    assert "1 x questions with a single trace" in said


def test_decimals_do_not_cost_a_pair(tmp_path: Path) -> None:
    assert 0.9 - 0.8 < 0.1
    document = laid(tmp_path, [record(1, grade=0.9), record(1, grade=0.8, variation=1, thought="Else.")])
    assert len(rows(export_to(document, "dpo", "--score", "grades"))) == 1


def test_the_pairs_of_a_question_can_be_bounded(judged: Path) -> None:
    (row,) = rows(export_to(judged, "dpo", "--pairs-per-question", "1"))
    assert row["score_rejected"] == 3


def test_a_turned_down_trace_is_never_chosen(tmp_path: Path) -> None:
    document = laid(tmp_path, [Made(record(1, score=6.0), below=[record(1, score=9.0), record(1, score=2.0)])])
    (row,) = rows(export_to(document, "dpo"))
    assert (row["score_chosen"], row["score_rejected"]) == (6, 2)
    only = laid(tmp_path / "only", [Made(None, below=[record(1, score=5.0), record(1, score=2.0)])])
    assert "of which no trace was accepted" in refused(only, "dpo")


def test_chosen_has_the_least_score(judged: Path) -> None:
    assert "whose best trace is below 8.5" in refused(judged, "dpo", "--min-score", "8.5")
    assert len(rows(export_to(judged, "dpo", "--min-score", "8"))) == 4


def test_scores_of_two_measures_are_never_compared(tmp_path: Path) -> None:
    traces = [record(1, score=9.0), record(1, grade=0.5, variation=1), record(1, score=8.5, grade=0.8, variation=2)]
    document = laid(tmp_path, traces)
    assert "1 x questions without two traces" in refused(document, "dpo")
    (row,) = rows(export_to(document, "dpo", "--score", "grades"))
    assert (row["score_chosen"], row["score_rejected"]) == (0.8, 0.5)


def test_two_questions_make_no_pair_even_under_one_name(tmp_path: Path) -> None:
    document = laid(tmp_path, [record(1, score=9.0), record(1, score=3.0, question="Another one?", variation=1)])
    assert "2 x questions with a single trace" in refused(document, "dpo")


def test_variations_far_apart_in_the_journal_make_a_pair(tmp_path: Path) -> None:
    others = [record(number, score=7.0) for number in range(2, 9)]
    document = laid(tmp_path, [record(1, score=9.0), *others, record(1, score=3.0, variation=1)])
    (row,) = rows(export_to(document, "dpo"))
    assert (row["score_chosen"], row["score_rejected"]) == (9, 3)


def test_equal_texts_make_no_pair(tmp_path: Path) -> None:
    same = [record(1, score=score, thought="The same.", variation=number) for number, score in enumerate((9.0, 3.0))]
    assert "questions without two traces" in refused(laid(tmp_path, same), "dpo")


def test_without_a_journal_it_is_said_what_is_missing(tmp_path: Path) -> None:
    document = plain_document(tmp_path / "doc.json", [record(1, score=8.0)])
    assert refused(document, "dpo").endswith("a document holds no trace that was turned down")


# 5. Labels


def test_labels_are_what_the_run_decided(judged: Path) -> None:
    found = rows(export_to(judged, "kto"))
    assert [(row["quality_score"], row["label"]) for row in found] == [
        (8.0, True), (4.0, False), (5.5, False), (6.9, True), (9.0, True), (3.0, False),
    ]  # fmt: skip


def test_labels_by_score(judged: Path, tmp_path: Path) -> None:
    found = rows(export_to(judged, "kto", "--min-score", "5.5"))
    assert {row["quality_score"]: row["label"] for row in found} == {
        8.0: True, 4.0: False, 5.5: True, 6.9: True, 9.0: True, 3.0: False,
    }  # fmt: skip
    unscored = laid(tmp_path / "unscored", [record(1), record(2, score=9.0)])
    assert [row["label"] for row in rows(export_to(unscored, "kto", "--min-score", "5"))] == [True]


def test_labels_that_are_all_the_same_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from programs.export import main

    document = laid(tmp_path, [record(1)])
    main([str(document), "--to", "kto", "--output", str(tmp_path / "kto")])
    assert "every label is true" in capsys.readouterr().out


@pytest.mark.parametrize("status", [WITHDRAWN, CONTAMINATED])
def test_traces_that_were_left_out_are_in_no_preference(tmp_path: Path, status: str) -> None:
    left_out = Made(None, below=[record(1, score=3.0, variation=1)], status=status)
    document = laid(tmp_path, [record(1, score=9.0), left_out, Made(None, below=[record(1, score=4.0, variation=2)])])
    assert [row["quality_score"] for row in rows(export_to(document, "kto"))] == [9.0, 4.0]
    assert [row["score_rejected"] for row in rows(export_to(document, "dpo"))] == [4.0]


@pytest.mark.parametrize("status", ["rejected", "unjudged"])
def test_a_question_that_is_not_kept_is_in_no_preference(tmp_path: Path, status: str) -> None:
    """Neither the attempts of the variation that was turned down for it, nor those of the question's other variations."""
    below = [record(1, score=3.0), record(1, score=8.0, variation=5)]
    known = Made(None, below=below, status=status, reason="blind solve: known")
    other = Made(None, below=[record(1, score=2.0, variation=1)], reason="quality 2.0 after 1 attempts")
    kept = Made(record(2, score=9.0), below=[record(2, score=4.0, variation=1)])
    document = laid(tmp_path, [other, known, kept])
    for words in ((), ("--min-score", "5")):
        found = export_to(document, "kto", *words, output=f"kto{len(words)}")
        assert {row["quality_score"]: row["label"] for row in rows(found)} == {9.0: True, 4.0: False}
    assert [row["score_rejected"] for row in rows(export_to(document, "dpo"))] == [4.0]


# 6. Steps


def stepped(*steps: tuple[str, str | None], **given: Any) -> Any:
    made_steps = [{"move": move, "text": f"{number}. {move}", **_status(status)} for number, (move, status) in
                  enumerate(steps)]  # fmt: skip
    return record(steps=made_steps, **given)


def _status(status: str | None) -> dict[str, Any]:
    return {} if status is None else {"status": status, "judged_by": "checker-7b"}


STEPS = (
    ("opening", None),
    ("opening", "supported"),
    ("wrong_turn", None),
    ("doubt", "outside"),
    ("correction", "inferred"),
    ("weighing", "contradicted"),
    ("conclusion", None),
)


def test_steps_have_the_labels_of_their_evidence() -> None:
    (row,) = made("prm", stepped(*STEPS))
    assert row["completions"] == [
        "0. opening\n\n1. opening",
        "2. wrong_turn",
        "3. doubt\n\n4. correction",
        "5. weighing",
    ]
    assert row["labels"] == [True, False, True, False]
    assert row["prompt"] == "Why is the slope of text 0 1.0?"


def test_a_wrong_turn_is_wrong_whatever_it_quotes() -> None:
    _, labels = labelled_steps(stepped(("wrong_turn", "supported"), ("conclusion", "supported")), View())
    assert labels == [False, True]


def test_a_model_and_a_rule_that_disagree_give_no_label() -> None:
    step = {"move": "opening", "text": "The slope rises.", "judged_by": "checker-7b", "conflict": "falls, not rises"}
    labels = [
        label_of(StepRecord.model_validate({**step, "status": status})) for status in ("supported", "contradicted")
    ]
    assert labels == [None, False]


@pytest.mark.parametrize(
    ("status", "label"),
    [("supported", True), ("inferred", True), ("outside", None), ("contradicted", False), (None, None)],
)
def test_a_status_by_rule_is_of_the_whole_step(status: Any, label: bool | None) -> None:
    step = {"move": "opening", "text": "The slope is 1.1. Is it so? The dust is hot.", "claim": "The slope is 1.1."}
    assert label_of(StepRecord.model_validate({**step, "status": status, "judged_by": RULE})) is label


@pytest.mark.parametrize("steps", [(), (("opening", None), ("wrong_turn", None))])
def test_without_checked_steps_there_is_no_row_and_it_is_said(steps: Any, tmp_path: Path) -> None:
    document = plain_document(tmp_path / "doc.json", [stepped(*steps)])
    assert "1 x no step of it was checked against the passage" in refused(document, "prm")


MOVES = st.sampled_from(["opening", "wrong_turn", "doubt"])
STATUSES = st.sampled_from([None, "supported", "inferred", "outside", "contradicted"])


@given(st.lists(st.tuples(MOVES, STATUSES), max_size=8))
def test_no_step_is_lost_before_the_last_label_or_put_elsewhere(steps: list[tuple[str, str | None]]) -> None:
    one = stepped(*steps)
    completions, labels = labelled_steps(one, View())
    assert len(completions) == len(labels)
    parts = [part for completion in completions for part in completion.split("\n\n")]
    assert parts == [step.text for step in one.steps][: len(parts)]
    known = [move == "wrong_turn" or status in ("supported", "inferred", "contradicted") for move, status in steps]
    assert len(labels) == sum(known)
    assert not any(known[len(parts) :])


# 7. Questions with answers


def test_a_question_has_one_row_with_its_best_trace(tmp_path: Path) -> None:
    worse = record(1, score=7.0, grade=0.6, answer="Worse.")
    better = record(1, score=8.0, grade=0.9, answer="Better.", variation=1)
    document = laid(tmp_path, [worse, record(2), better])
    first, second = rows(export_to(document, "grpo"))
    assert (first["solution"], first["completeness"], first["overall_score"]) == ("Better.", 0.9, 0.9)
    assert (second["solution"], second["completeness"], second["quality_score"]) == (ANSWER, None, None)
    assert [message["role"] for message in first["prompt"]] == ["system", "user"]


# 8. OpenAI


def test_openai_has_messages_and_nothing_else(judged: Path) -> None:
    for row in rows(export_to(judged, "openai")):
        assert set(row) == {"messages"}
        assert [set(message) for message in row["messages"]] == [{"role", "content"}] * 3
    assert "takes JSONL only" in refused(judged, "openai", "--as", "parquet")
