"""Invariants of the formats' rows.

1. A reply is the thought in its tags, then the answer. The system prompt announces the same tags; with
   `--reasoning-field` it announces none, and the thought is only in that field.
2. No text of a paper or a model can end a thought or start a turn, whatever the tag.
3. In every format the prompt has the passage if the trace needs it, or as `--context` says; then the prompt says so, and
   the rows with a passage are counted. The user's turn names the asker, unless `--asker drop`. Documents of older
   versions give the same prompts as before.
4. grpo: one row per question, with the answer and the grades of its best trace; a missing grade is null.
5. A row of a table is flat, has every column, and agrees with the record.
6. `load_dataset(FOLDER)` gives the splits with the rows exactly as written, in the types that the card declares,
   also if an earlier export of the folder was loaded before.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from programs.exports.options import FORMATS
from programs.exports.table import TABLE
from programs.exports.view import RowOptions, Tag
from programs.records import Record
from programs.run.attempts import ReadTrace
from tests.exports.building import (
    ANSWER,
    THOUGHT,
    Unit,
    export_error,
    export_to,
    format_rows,
    plain_document,
    record,
    rows,
    write_run,
)

REPLY_FORMATS = [name for name, format in FORMATS.items() if format.thought_in and name not in ("grpo", "verifiers")]
PROMPT_FORMATS = [name for name, format in FORMATS.items() if not format.raw_record]
HOSTILE = "So </think> and <THINK>, <|im_start|>system [INST] </Reasoning> [/THINK] \u2028 \x00 \n\n é 星"
STEP = {"kind": "tries", "text": "The slope is 1.1.", "status": "supported"}


def assistant_messages(row: dict[str, Any]) -> list[dict[str, str]]:
    """The messages that the model is to write, if a row has messages."""
    messages = [message for key in ("messages", "completion", "chosen", "rejected") for message in row.get(key, [])]
    return [message for message in messages if message["role"] == "assistant"]


def replies(row: dict[str, Any]) -> list[str]:
    """The texts that the model is to write, in any format."""
    found = [message["content"] for message in assistant_messages(row)]
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


@pytest.mark.parametrize("to", REPLY_FORMATS)
def test_1_a_reply_is_the_thought_in_the_announced_tags_and_the_answer(judged: Path, to: str) -> None:
    found = rows(export_to(judged, to, "--think-tag", "[WORK]"))
    assert found
    for row in found:
        assert "[WORK] and [/WORK]" in shown(row)[0]
        for reply in replies(row):
            assert reply.startswith("[WORK]\n" + "\n\n".join(THOUGHT))
            assert reply.endswith(f"\n[/WORK]\n\n{ANSWER}")


@pytest.mark.parametrize("to", FORMATS)
def test_1_the_thought_can_have_its_own_field_if_the_format_has_messages(judged: Path, to: str) -> None:
    words = ("--reasoning-field", "reasoning_content")
    if FORMATS[to].thought_in != "message":
        assert "--reasoning-field" in export_error(judged, to, *words)
        return
    for row in rows(export_to(judged, to, *words)):
        assert "<" not in shown(row)[0]
        assert replies(row) == [ANSWER] * len(replies(row))
        assert all(message["reasoning_content"].startswith(THOUGHT[0]) for message in assistant_messages(row))
        assert json.dumps(row).count("reasoning_content") == len(assistant_messages(row))


@pytest.mark.parametrize("tag", ["", "two words", "<a><b>", "</think>", "<|channel|>"])
def test_1_an_invalid_tag_is_refused(judged: Path, tag: str) -> None:
    assert export_error(judged, "sft", "--think-tag", tag).startswith("--think-tag: ")


@pytest.mark.parametrize("tag", ["<think>", "<reasoning>", "[THINK]"])
@pytest.mark.parametrize("to", [*(name for name in REPLY_FORMATS if name != "dpo"), "grpo"])
def test_2_no_text_can_end_a_thought_or_start_a_turn(to: str, tag: str) -> None:
    texts: dict[str, Any] = dict.fromkeys(("text", "audience", "question", "answer", "thought"), f"Why? {HOSTILE}")
    kind = Tag.parse(tag)
    assert kind.escape(kind.escape(HOSTILE)) == kind.escape(HOSTILE)
    for row in format_rows(to, record(**texts), think_tag=tag, context="both"):
        everything = str({key: value for key, value in row.items() if key != "id"})
        # Once in the system prompt, once around the thought.
        assert everything.count(kind.open) == everything.count(kind.close) == (1 if to == "grpo" else 2)
        assert "<|im_start|>" not in everything
        assert "[INST]" not in everything
        assert "é 星" in everything
        for reply in replies(row):
            assert HOSTILE[-12:] in reply


def document_needing_passages(folder: Path) -> Path:
    """Three questions: one stands alone, the thought of one uses a figure of the passage, one is asked with the passage."""
    all_fields: list[dict[str, Any]] = [{}, {"needs_passage": ["1.2"]}, {"setting": "open"}]
    return write_run(
        folder,
        [
            Unit(record(number, score=8.0, steps=[STEP], **fields), rejected=[record(number, score=3.0, **fields)])
            for number, fields in enumerate(all_fields, start=1)
        ],
    )


CONTEXTS = {"auto": [False, True, True], "none": [False] * 3, "passage": [True] * 3, "both": [False, True] * 3}


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("to", PROMPT_FORMATS)
def test_3_the_passage_is_in_the_prompt_if_needed_or_requested(tmp_path: Path, to: str, context: str) -> None:
    folder = export_to(document_needing_passages(tmp_path), to, *(() if context == "auto" else ("--context", context)))
    found = [(row, *shown(row)) for row in rows(folder)]
    with_passage = [user for _, _, user in found if "is about dust" in user]
    # In kto, a rejected attempt has its own row.
    assert ["is about dust" in user for row, _, user in found if row.get("label", True)] == CONTEXTS[context]
    for row, system, user in found:
        assert ("A text is given" in system) == (user in with_passage and to != "prm")
        assert row.get("context", "") in ("", "passage" if user in with_passage else "none")
        assert "Why is the slope of text" in user
    missing = sum(user not in with_passage and "of text 1" not in user for _, _, user in found)
    assert bool(missing) == (context in ("none", "both"))
    counts = json.loads((folder / "export.json").read_text())["counts"]
    assert (counts["with_passage"], counts["without_needed"]) == (len(with_passage), missing)
    card = (folder / "README.md").read_text()
    assert f"in {len(with_passage)} of {len(found)} rows (`--context {context}`)" in card
    assert (f"{missing} rows rest on a passage that they do not show" in card) == bool(missing)


@pytest.mark.parametrize(("chosen", "rejected"), [([], ["1.1"]), (["1.1"], [])])
def test_3_a_pair_has_the_prompt_of_its_chosen_trace(chosen: list[str], rejected: list[str]) -> None:
    traces = [record(1, score=8.0, needs_passage=chosen), record(1, score=3.0, needs_passage=rejected)]
    (row,) = format_rows("dpo", [ReadTrace(one) for one in traces])
    assert row["context"] == ("passage" if chosen else "none")
    assert ("is about dust" in shown(row)[1]) == bool(chosen)


def test_3_a_trace_without_its_passage_or_answer_is_left_out(tmp_path: Path) -> None:
    without = [record(2, text=""), record(3, text="", setting="open"), record(4, answer=" ")]
    document = plain_document(tmp_path / "a.json", [record(1), *without])
    for context, count in {"passage": 1, "auto": 2, "none": 3}.items():
        assert len(rows(export_to(document, "sft", "--context", context, output=context))) == count
    only = plain_document(tmp_path / "b.json", [record(2, text="")])
    assert "1 x its passage is not in the document" in export_error(only, "sft", "--context", "passage", output="only")


@pytest.mark.parametrize("to", [name for name in PROMPT_FORMATS if name != "dpo"])
def test_3_the_asker_is_named_before_the_question(to: str) -> None:
    asked = record(1, steps=[STEP], audience="survey\nscientist")
    for context, before in {"none": "", "passage": "\n"}.items():
        (kept,) = format_rows(to, asked, context=context)
        (dropped,) = format_rows(to, asked, context=context, asker="drop")
        assert f"{before}(asked by: survey scientist, advanced level)\nWhy is the slope" in shown(kept)[1]
        assert "asked by" not in shown(dropped)[1]
    (without_asker,) = format_rows(to, record(1, steps=[STEP]))
    assert "asked by" not in shown(without_asker)[1]


def test_4_a_question_has_one_row_with_its_best_trace(tmp_path: Path) -> None:
    worse = record(1, score=7.0, grade=0.6, answer="Worse.")
    better = record(1, score=8.0, grade=0.9, answer="Better.", variation=1)
    document = write_run(tmp_path, [worse, record(2), better])
    first, second = rows(export_to(document, "grpo"))
    assert (first["solution"], first["completeness"], first["overall_score"]) == ("Better.", 0.9, 0.9)
    assert (second["solution"], second["completeness"], second["quality_score"]) == (ANSWER, None, None)
    assert [message["role"] for message in first["prompt"]] == ["system", "user"]


def test_5_a_row_of_a_table_is_flat_has_every_column_and_agrees_with_the_record() -> None:
    columns, kinds = TABLE.columns(RowOptions()), {"string": str, "int64": int, "float64": float, "bool": bool}
    assert all(any(name == one or one.startswith(f"{name}_") for one in columns) for name in Record.model_fields)
    for one in (record(1, score=7.0, grade=0.25, extra={"doi": "10.1/x"}), record(2)):
        (row,) = format_rows("table", one)
        assert list(row) == list(columns)
        for name, kind in columns.items():
            assert row[name] is None or type(row[name]) is kinds[str(kind)], name
        assert (row["reasoning_trace"], row["short_answer_kind"]) == (one.reasoning_trace, "number")
        assert json.loads(row["source_paper_extra"]) == one.source_paper.extra
        assert row["answer_grades_overall_score"] == (one.answer_grades.overall_score if one.answer_grades else None)


@pytest.mark.parametrize("to", FORMATS)
def test_6_every_format_loads_as_it_was_written(odd_document: Path, to: str, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    folder = export_to(odd_document, to, "--splits", "0.6,0.2,0.2", "--context", "both")
    expected = {split: rows(folder, split) for split in ("train", "validation", "test")}
    expected = {split: split_rows for split, split_rows in expected.items() if split_rows}
    assert len(expected) > 1
    datasets.disable_progress_bars()
    found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))
    # As JSON, in which true is not 1.
    read = {split: list(found[split]) for split in found}
    assert json.dumps(read, sort_keys=True) == json.dumps(expected, sort_keys=True)
    export_to(odd_document, to, "--context", "both", "--overwrite")
    again = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))
    assert {split: again[split].num_rows for split in again} == {"train": len(rows(folder))}, "not those of the cache"
