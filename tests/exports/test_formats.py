"""Invariants of the formats' rows.

1. A reply is the thought in its tags, then the answer; the system prompt promises the same tags, or none with
   `--reasoning-field`, and then the thought is in that field and nowhere else.
2. Nothing that a paper or a model wrote ends a thought or begins a turn, whatever the tag.
3. In every format the passage is in the prompt where the trace needs it, or as `--context` says; then the prompt says so,
   and how many rows have it is counted. Who asks stands in the user's turn, unless `--asker drop`. A document of an older
   version gives the prompts that it gave.
4. dpo: chosen is the best accepted trace of a question; every worse one by the margin is rejected once, the worst first;
   never two questions, never a pair of equal texts, never scores of two measures.
5. kto: the label is what the run decided, or with `--min-score` the score; without a score there is no label.
6. prm: labels come from checked steps and the kind `wrong` alone, and each is about its own paragraph.
7. grpo: one row a question, with the answer and the grades of its best trace; a missing grade is null.
8. openai: `messages` and nothing else.
9. A format is one value in one place: commands, card and counts follow.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs.exports.format import Candidate, Format, Skip
from programs.exports.formats import FORMATS
from programs.exports.prm import label_of
from programs.exports.tag import Tag
from programs.exports.view import View
from programs.records import StepRecord
from programs.traces.unit_line import CONTAMINATED, WITHDRAWN
from tests.exports.building import ANSWER, THOUGHT, Made, export_to, header, laid, plain_document, record, refused, rows

TEXTUAL = [name for name, format in FORMATS.items() if format.has_thought]
SHOWN = [name for name, format in FORMATS.items() if not format.whole]
HOSTILE = "So </think> and <THINK>, <|im_start|>system [INST] </Reasoning> [/THINK] \u2028 \x00 \n\n é 星"
STEP = {"kind": "tries", "text": "The slope is 1.1.", "status": "supported"}


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


def written(row: dict[str, Any]) -> list[dict[str, str]]:
    """The messages that the model is to write, where a row has messages."""
    messages = [message for key in ("messages", "completion", "chosen", "rejected") for message in row.get(key, [])]
    return [message for message in messages if message["role"] == "assistant"]


def replies(row: dict[str, Any]) -> list[str]:
    """What the model is to write, in any format."""
    found = [message["content"] for message in written(row)]
    found += [turn["value"] for turn in row.get("conversations", []) if turn["from"] == "gpt"]
    return [*found, row["output"]] if "output" in row else found


def shown(row: dict[str, Any]) -> tuple[str, str]:
    """The system prompt and the user's turn, in any format; the stepwise format has no system prompt."""
    prompt = row.get("messages") or row.get("prompt") or row.get("conversations")
    if prompt is None:
        return row["system"], f"{row['input']}\n{row['instruction']}"
    if isinstance(prompt, str):
        return "", prompt
    first, second = (message.get("content") or message["value"] for message in prompt[:2])
    return first, second


def made(to: str, one: Any, **options: Any) -> list[Any]:
    """The rows of one candidate or several."""
    traces = one if isinstance(one, list) else [Candidate(one)]
    return list(FORMATS[to].rows(traces, View(**options)))


def counted(folder: Path, name: str) -> Any:
    return json.loads((folder / "export.json").read_text())["counts"][name]


# 1. Thought and answer


@pytest.mark.parametrize("to", TEXTUAL)
def test_a_reply_is_the_thought_in_the_promised_tags_and_the_answer(judged: Path, to: str) -> None:
    found = rows(export_to(judged, to, "--think-tag", "[WORK]"))
    assert found
    for row in found:
        assert "[WORK] and [/WORK]" in shown(row)[0]
        for reply in replies(row):
            assert reply.startswith("[WORK]\n" + "\n\n".join(THOUGHT))
            assert reply.endswith(f"\n[/WORK]\n\n{ANSWER}")


@pytest.mark.parametrize("to", FORMATS)
def test_the_thought_can_have_a_field_of_its_own_where_there_is_a_message(judged: Path, to: str) -> None:
    words = ("--reasoning-field", "reasoning_content")
    if not FORMATS[to].takes_field:
        assert "--reasoning-field" in refused(judged, to, *words)
        return
    for row in rows(export_to(judged, to, *words)):
        assert "<" not in shown(row)[0]
        assert replies(row) == [ANSWER] * len(replies(row))
        assert all(message["reasoning_content"].startswith(THOUGHT[0]) for message in written(row))
        assert json.dumps(row).count("reasoning_content") == len(written(row))


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
@pytest.mark.parametrize("to", [*(name for name in TEXTUAL if name != "dpo"), "grpo"])
def test_no_text_can_end_a_thought_or_begin_a_turn(to: str, tag: str) -> None:
    texts: dict[str, Any] = {
        "text": HOSTILE,
        "audience": HOSTILE,
        "question": f"Why? {HOSTILE}",
        "answer": f"No. {HOSTILE}",
    }
    kind = Tag.parse(tag)
    for row in made(to, record(thought=f"I think. {HOSTILE}", **texts), think_tag=tag, context="both"):
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


def needing(folder: Path) -> Path:
    """Three questions: one that stands alone, one whose thought uses a figure of the passage, one asked with it."""
    needs: list[dict[str, Any]] = [{}, {"needs_passage": ["1.2"]}, {"setting": "open"}]
    return laid(
        folder,
        [
            Made(record(number, score=8.0, steps=[STEP], **more), below=[record(number, score=3.0, **more)])
            for number, more in enumerate(needs, start=1)
        ],
    )


CONTEXTS = {"auto": [False, True, True], "none": [False] * 3, "passage": [True] * 3, "both": [False, True] * 3}


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("to", SHOWN)
def test_the_passage_is_in_the_prompt_where_it_is_needed_or_asked_for(tmp_path: Path, to: str, context: str) -> None:
    folder = export_to(needing(tmp_path), to, *(() if context == "auto" else ("--context", context)))
    found = [(row, *shown(row)) for row in rows(folder)]
    having = [user for _, _, user in found if "is about dust" in user]
    # An attempt that was turned down gives a row of its own in kto.
    assert ["is about dust" in user for row, _, user in found if row.get("label", True)] == CONTEXTS[context]
    for row, system, user in found:
        assert ("A text is given" in system) == (user in having and to != "prm")
        assert row.get("context", "") in ("", "passage" if user in having else "none")
        assert "Why is the slope of text" in user
    unmet = sum(user not in having and "of text 1" not in user for _, _, user in found)
    assert bool(unmet) == (context in ("none", "both"))
    assert (counted(folder, "with_passage"), counted(folder, "without_needed")) == (len(having), unmet)
    card = (folder / "README.md").read_text()
    assert f"in {len(having)} of {len(found)} rows (`--context {context}`)" in card
    assert (f"{unmet} rows rest on a passage that they do not show" in card) == bool(unmet)


@pytest.mark.parametrize(("chosen", "rejected"), [([], ["1.1"]), (["1.1"], [])])
def test_a_pair_has_the_prompt_of_its_chosen_trace(chosen: list[str], rejected: list[str]) -> None:
    traces = [record(1, score=8.0, needs_passage=chosen), record(1, score=3.0, needs_passage=rejected)]
    (row,) = made("dpo", [Candidate(one) for one in traces])
    assert row["context"] == ("passage" if chosen else "none")
    assert ("is about dust" in shown(row)[1]) == bool(chosen)


def test_a_trace_without_its_passage_is_left_out_and_counted(tmp_path: Path) -> None:
    document = plain_document(tmp_path / "a.json", [record(1), record(2, text=""), record(3, text="", setting="open")])
    for context, count in {"passage": 1, "auto": 2, "none": 3}.items():
        assert len(rows(export_to(document, "sft", "--context", context, output=context))) == count
    only = plain_document(tmp_path / "b.json", [record(2, text="")])
    assert "1 x its passage is not in the document" in refused(only, "sft", "--context", "passage", output="only")


def test_alpaca_takes_the_passage_as_its_input() -> None:
    closed, open_ = made("alpaca", record(3), context="both")
    assert (closed["input"], open_["input"]) == ("", "Text 3 is about dust. Its slope is 1.3.")
    assert closed["instruction"] == open_["instruction"] == "Why is the slope of text 3 1.3?"


@pytest.mark.parametrize("to", [name for name in SHOWN if name != "dpo"])
def test_who_asks_stands_before_the_question(to: str) -> None:
    asked = record(1, steps=[STEP], audience="survey\nscientist")
    for context, before in {"none": "", "passage": "\n"}.items():
        (kept,) = made(to, asked, context=context)
        (dropped,) = made(to, asked, context=context, asker="drop")
        assert f"{before}(asked by: survey scientist, advanced level)\nWhy is the slope" in shown(kept)[1]
        assert "asked by" not in shown(dropped)[1]
    (nobody,) = made(to, record(1, steps=[STEP]))
    assert "asked by" not in shown(nobody)[1]


OLD = {
    "source_paper": {"title": "Dust", "domain": "cosmology", "id": "5", "text": "The slope is 1.1."},
    "user_interaction": {"question": "How steep is it?", "question_type": "critical", "difficulty_level": "advanced"},
    "reasoning_trace": "<thought>\nIs it dust?\n\nNo.\n</thought>",
    "steps": [{"move": "opening", "text": "Is it dust?"}, {"move": "conclusion", "text": "No."}],
    "final_answer": "It is 1.1.",
    "metadata": {"authenticity_score": 0.5, "complexity_level": "low", "reasoning_patterns": []},
}


def test_a_document_of_an_older_version_is_exported_as_before(tmp_path: Path) -> None:
    document = tmp_path / "old.json"
    metadata = {"generation_timestamp": "2025-01-01T12:00:00Z", "total_traces_generated": 1, "status": "completed"}
    document.write_text(json.dumps({"metadata": metadata, "questions": [OLD]}))
    (row,) = rows(export_to(document, "sft"))
    system = (
        "You answer questions about science. First think the question through between <think> and </think>, with doubts "
        "and corrections as they come. Then write the answer for the person who asks."
    )
    assert row["messages"] == [
        {"role": "system", "content": system},
        {"role": "user", "content": "How steep is it?"},
        {"role": "assistant", "content": "<think>\nIs it dust?\n\nNo.\n</think>\n\nIt is 1.1."},
    ]


# 4. Preference pairs


def test_pairs_are_the_best_trace_and_those_worse_by_the_margin(judged: Path) -> None:
    found = rows(export_to(judged, "dpo"))
    assert [(row["score_chosen"], row["score_rejected"]) for row in found] == [(8, 3), (8, 4), (8, 5.5), (8, 6.9)]
    for row in found:
        assert f"score {row['score_chosen']}." in row["chosen"][0]["content"]
        assert f"score {row['score_rejected']}." in row["rejected"][0]["content"]
        assert row["prompt"][1]["content"].startswith("Why is the slope of text 1")


@pytest.mark.parametrize(
    ("words", "rejected"),
    [
        (["--margin", "0"], [3, 4, 5.5, 6.9]),
        (["--margin", "1.1"], [3, 4, 5.5, 6.9]),
        (["--margin", "1.2"], [3, 4, 5.5]),
        (["--margin", "4"], [3, 4]),
        (["--margin", "5"], [3]),
        (["--min-score", "8"], [3, 4, 5.5, 6.9]),
        (["--pairs-per-question", "1"], [3]),
    ],
)
def test_pairs_are_those_asked_for(judged: Path, words: list[str], rejected: list[float]) -> None:
    assert [row["score_rejected"] for row in rows(export_to(judged, "dpo", *words))] == rejected


def test_why_there_is_no_pair_is_said(judged: Path) -> None:
    said = refused(judged, "dpo", "--margin", "5.1")
    assert said.startswith("nothing to export to dpo: 6 traces read, none left: ")
    assert "1 x questions without two traces that are 5.1 apart (--margin)" in said
    assert "1 x questions with a single trace" in said
    assert "whose best trace is below 8.5" in refused(judged, "dpo", "--min-score", "8.5")
    assert "two traces that have a score of grades" in refused(judged, "dpo", "--score", "grades")
    alone = plain_document(judged.with_name("alone.json"), [record(1, score=8.0)])
    assert refused(alone, "dpo").endswith("a document holds no trace that was turned down")


SAME = [record(1, score=score, thought="The same.", variation=number) for number, score in enumerate((9.0, 3.0))]
MIXED = [record(1, score=9.0), record(1, grade=0.5, variation=1), record(1, score=8.5, grade=0.8, variation=2)]
RENAMED = [record(1, score=9.0), record(1, score=3.0, question="Another one?", variation=1)]
REJECTED = [Made(None, below=[record(1, score=5.0), record(1, score=2.0)])]


@pytest.mark.parametrize(
    ("units", "reason"),
    [
        (SAME, "1 x questions without two traces"),
        (MIXED, "1 x questions without two traces"),
        (RENAMED, "2 x questions with a single trace"),
        (REJECTED, "1 x questions of which no trace was accepted"),
    ],
    ids=["equal texts", "two measures", "two questions of one name", "none accepted"],
)
def test_what_makes_no_pair(tmp_path: Path, units: list[Any], reason: str) -> None:
    assert reason in refused(laid(tmp_path, units), "dpo")


BELOW = [Made(record(1, score=6.0), below=[record(1, score=9.0), record(1, score=2.0)])]
APART = [
    record(1, score=9.0),
    *(record(number, score=7.0) for number in range(2, 9)),
    record(1, score=3.0, variation=1),
]
DECIMAL = [record(1, grade=0.9), record(1, grade=0.8, variation=1, thought="Else.")]


@pytest.mark.parametrize(
    ("units", "score", "pair"),
    [
        (BELOW, "judges", (6, 2)),
        (APART, "judges", (9, 3)),
        (MIXED, "grades", (0.8, 0.5)),
        # 0.9 - 0.8 is less than 0.1.
        (DECIMAL, "grades", (0.9, 0.8)),
    ],
    ids=["never chosen when turned down", "far apart in the journal", "by one measure", "decimals"],
)
def test_what_makes_a_pair(tmp_path: Path, units: list[Any], score: str, pair: tuple[float, float]) -> None:
    (row,) = rows(export_to(laid(tmp_path, units), "dpo", "--score", score))
    assert (row["score_chosen"], row["score_rejected"]) == pair


# 5. Labels


def test_labels_are_what_the_run_decided_or_the_score_decides(judged: Path, tmp_path: Path) -> None:
    scores = [8.0, 4.0, 5.5, 6.9, 9.0, 3.0]
    found = rows(export_to(judged, "kto"))
    assert [row["quality_score"] for row in found] == scores
    assert [row["label"] for row in found] == [True, False, False, True, True, False]
    by_score = rows(export_to(judged, "kto", "--min-score", "5.5", output="by-score"))
    assert [row["label"] for row in by_score] == [score >= 5.5 for score in scores]
    unscored = laid(tmp_path / "unscored", [record(1), record(2, score=9.0)])
    assert [row["label"] for row in rows(export_to(unscored, "kto", "--min-score", "5"))] == [True]


def test_what_one_judge_found_wrong_is_never_labelled_good(tmp_path: Path) -> None:
    wrong = record(1, score=8.0, variation=1)
    wrong.verdicts[0].accuracy = 4
    document = laid(tmp_path, [Made(record(1, score=9.0), below=[wrong])])
    found = rows(export_to(document, "kto", "--min-score", "5"))
    assert {row["quality_score"]: row["label"] for row in found} == {9.0: True, 8.0: False}


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
    made_steps = [{"kind": kind, "text": f"{number}. {kind}", **_status(status)} for number, (kind, status) in
                  enumerate(steps)]  # fmt: skip
    return record(steps=made_steps, **given)


def _status(status: str | None) -> dict[str, Any]:
    return {} if status is None else {"status": status, "judged_by": "checker-7b"}


STEPS = (
    ("recalls", None),
    ("tries", "supported"),
    ("wrong", None),
    ("doubts", "outside"),
    ("takes_back", "inferred"),
    ("considers", "contradicted"),
    ("settles", None),
)


def test_each_label_is_about_its_own_paragraph() -> None:
    first, second = made("prm", stepped(*STEPS))
    asked = "Why is the slope of text 0 1.0?"
    assert first["prompt"] == f"{asked}\n\n0. recalls"
    assert (first["completions"], first["labels"]) == (["1. tries", "2. wrong"], [True, False])
    assert second["prompt"] == "\n\n".join([asked, "0. recalls", "1. tries", "2. wrong", "3. doubts"])
    assert (second["completions"], second["labels"]) == (["4. takes_back", "5. considers"], [True, False])


def test_a_wrong_turn_says_nothing_of_what_comes_after_it() -> None:
    (row,) = made("prm", stepped(("computes", None), ("wrong", None), ("takes_back", None), ("settles", None)))
    assert (row["completions"], row["labels"]) == (["1. wrong"], [False])
    (row,) = made("prm", stepped(("wrong", "supported"), ("settles", "supported")))
    assert row["labels"] == [False, True], "it is wrong whatever it quotes"


def test_what_rules_of_older_versions_said_of_a_step_is_no_label() -> None:
    old = {"move": "weighing", "text": "The slope rises.", "status": "contradicted", "conflict": "falls, not rises"}
    by_rule = StepRecord.model_validate({**old, "judged_by": "rule"})
    assert (by_rule.kind, by_rule.status, label_of(by_rule)) == ("considers", None, None)
    assert label_of(StepRecord.model_validate({**old, "judged_by": "checker-7b"})) is False
    assert label_of(StepRecord.model_validate({"move": "wrong_turn", "text": "The slope rises."})) is False


@pytest.mark.parametrize("steps", [(), (("tries", None), ("doubts", "outside"))])
def test_without_a_label_there_is_no_row_and_it_is_said(steps: Any, tmp_path: Path) -> None:
    document = plain_document(tmp_path / "doc.json", [stepped(*steps)])
    assert "1 x no step of it has a label" in refused(document, "prm")


STEP_KINDS = st.sampled_from(["tries", "wrong", "doubts"])
STATUSES = st.sampled_from([None, "supported", "inferred", "outside", "contradicted"])


@given(st.lists(st.tuples(STEP_KINDS, STATUSES), max_size=8))
def test_every_labelled_step_stands_in_one_row_after_all_that_was_thought_before(
    steps: list[tuple[str, str | None]],
) -> None:
    one = stepped(*steps)
    found: dict[int, tuple[str, bool]] = {}
    for row in made("prm", one):
        if isinstance(row, Skip):
            continue
        before = row["prompt"].split("\n\n")[1:]
        assert before == [step.text for step in one.steps][: len(before)]
        found |= dict(enumerate(zip(row["completions"], row["labels"], strict=True), start=len(before)))
    known = {number: label_of(step) for number, step in enumerate(one.steps) if label_of(step) is not None}
    assert found == {number: (one.steps[number].text, label) for number, label in known.items()}


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


# 9. One place


def test_a_format_is_added_in_one_place(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Format(
        name="plain",
        about="a question and its answer (`text`), and whether it is `good`",
        columns=lambda _: {"text": "string", "label": "bool", "context": "string"},
        rows=lambda traces, view: view.rows(
            traces[0].record,
            lambda prompt: {"text": f"{prompt.user} {view.answer(traces[0].record)}", "label": True},
        ),
        explain=lambda view: f"The scores are the {view.measure.name}'.",
    )
    monkeypatch.setitem(FORMATS, "plain", plain)
    assert "plain" in refused(judged, "plane")
    folder = export_to(judged, "plain", "--context", "both", "--min-score", "7")
    assert [(row["context"], row["label"], list(row)) for row in rows(folder)] == [
        (context, True, ["text", "label", "context"]) for context in ("none", "passage") * 2
    ]
    card = (folder / "README.md").read_text()
    assert "A row is a question and its answer" in card
    assert "in 2 of 4 rows" in card
    assert "The scores are the judges'." in card
    assert "| true | 4 |" in card
    assert "The thought stands" not in card
    assert header(folder)["tags"][-1] == "plain"
    assert json.loads((folder / "export.json").read_text())["format"] == "plain"
