"""What an export leaves out because of other texts (1-4), or by measured values (`--keep`, 5).

1. `--dedupe-questions` keeps, of questions that ask the same, those of the text that comes first, as if each were compared
   with all that are kept (near texts share bands: tests/text/test_near_duplicates.py). The variations of a question are
   kept or left out together, and traces that other filters leave out count for nothing.
2. `--decontaminate` leaves out traces, and in preference formats rejected attempts, that have a benchmark's question.
3. What is left out is counted by reason with one example, in the card, in `export.json` and on the screen, without a
   benchmark's words or a path.
4. Memory does not grow with the questions: they are not held in Python.
5. A rule of comparisons is applied as written; a trace without a measured value does not match, with the reason. Anything
   else is refused with one line before any work.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from programs.exports.options import ExportOptions, parse_rule
from programs.exports.screening import screening, why_not_kept
from programs.records import Record
from programs.text import near_duplicates
from programs.text.near_duplicates import similarity
from tests.exports.building import Unit, export_error, export_to, plain_document, record, rows, write_run

SECRET = "the entropy of a black hole is one quarter of the area of its horizon in units of the Planck length squared"
DUST = "Why does dust redden the light of distant galaxies?"
AGAIN = "Please explain: why does dust redden the light of distant galaxies?"


def options(**given: object) -> ExportOptions:
    return ExportOptions.model_validate({"document": "a.json", "to": "sft", "output": "b", **given})


def kept_records(records: Iterable[Record], **given: object) -> list[Record]:
    with screening(options(**given)) as screen:
        return [one for one in records if screen(one) is None]


def test_1_only_kept_questions_exclude_others() -> None:
    """The second question is similar to the first, and the third only to the second."""
    words = "dust redden light distant galaxies cluster halo filament survey lensing quasar nebula pulsar"
    asked = [f"Why does {' '.join(words.split()[:count])} matter?" for count in (8, 10, 13)]
    near = [similarity(one, other) >= 85 for one, other in zip(asked, [asked[1], asked[2], asked[0]], strict=True)]
    assert near == [True, True, False]
    records = [record(number, question=one) for number, one in enumerate(asked)]
    for threshold, kept in ((85.0, [records[0], records[2]]), (75.0, records[:1]), (100.0, records)):
        assert kept_records(records, dedupe_questions=True, dedupe_similarity=threshold) == kept


@pytest.mark.parametrize("to", ["sft", "grpo"])
def test_1_all_variations_of_a_question_are_kept_or_left_out_together(tmp_path: Path, to: str) -> None:
    """Variations of the first and the second text's question alternate in the document."""
    first = [record(1, question=DUST, variation=number) for number in range(2)]
    second = [record(2, question=AGAIN, variation=number) for number in range(2)]
    other = record(2, question="How large is the scatter of the slope?", kind="critical")
    document = plain_document(tmp_path / "a.json", [first[0], second[0], first[1], second[1], other])
    found = rows(export_to(document, to, "--dedupe-questions"))
    assert {row["question_id"] for row in found} == {first[0].question_id, other.question_id}
    assert len(found) == (3 if to == "sft" else 2)


def test_1_questions_of_one_text_are_not_compared() -> None:
    both = [record(1, question=DUST), record(1, question=AGAIN, kind="critical")]
    assert kept_records(both, dedupe_questions=True) == both


def test_1_a_trace_that_is_left_out_excludes_no_other(tmp_path: Path) -> None:
    document = plain_document(
        tmp_path / "a.json",
        [
            record(1, question=DUST, score=3.0),
            record(2, question=DUST, score=8.0, answer=f"It is said that {SECRET}."),
            record(3, question=AGAIN, score=8.0),
        ],
    )
    (tmp_path / "bench.jsonl").write_text(json.dumps({"question": f"True or false: {SECRET}?"}))
    words = ("--dedupe-questions", "--min-score", "5", "--decontaminate", str(tmp_path / "bench.jsonl"))
    (row,) = rows(export_to(document, "sft", *words))
    assert row["messages"][1]["content"].endswith(AGAIN)


def test_2_traces_with_a_benchmark_question_are_left_out_and_reported(tmp_path: Path) -> None:
    question = f"Is it true that {SECRET}, or not?"
    records = [
        record(1),
        record(2, question=question),
        record(3, thought=f"They say that {SECRET}."),
        record(4, answer=f"Note that {SECRET}."),
        record(5, question=DUST),
        record(6, question=AGAIN),
    ]
    document = plain_document(tmp_path / "a.json", records)
    (tmp_path / "bench.jsonl").write_text(f"\n{json.dumps({'question': question})}\n")
    arguments = ["--decontaminate", str(tmp_path / "bench.jsonl"), "--dedupe-questions"]
    folder = export_to(document, "sft", *arguments)
    assert [row["id"] for row in rows(folder)] == [records[0].id, records[4].id]
    manifest, leak = json.loads((folder / "export.json").read_text()), "leaks a benchmark question (--decontaminate)"
    again = f"{records[5].question_id} asks the same as {records[4].question_id}"
    counts = {
        f"its question {leak}": (1, f"{records[1].question_id} shares a run of words with bench.jsonl:2"),
        f"its thought or answer {leak}": (2, f"{records[2].question_id} shares a run of words with bench.jsonl:2"),
        "its question repeats one of an earlier text (--dedupe-questions)": (1, again),
    }
    assert manifest["counts"]["skipped"] == {reason: count for reason, (count, _) in counts.items()}
    assert manifest["counts"]["examples"] == {reason: example for reason, (_, example) in counts.items()}
    assert manifest["benchmarks"] == ["bench.jsonl"]
    card = (folder / "README.md").read_text()
    for reason, (count, example) in counts.items():
        assert f"| not exported: {reason} (for example: {example}) | {count} |" in card
    for path in folder.rglob("*.*"):
        assert str(tmp_path) not in path.read_text()
        assert SECRET not in path.read_text()


@pytest.mark.parametrize("to", ["dpo", "kto"])
def test_2_attempts_with_a_benchmark_question_are_in_no_preference_data(tmp_path: Path, to: str) -> None:
    rejected = [record(1, score=3.0, answer=f"Note that {SECRET}."), record(1, score=4.0)]
    document = write_run(tmp_path, [Unit(record(1, score=9.0), rejected=rejected)])
    (tmp_path / "bench.jsonl").write_text(json.dumps({"question": f"True or false: {SECRET}?"}))
    whole = (export_to(document, to) / "data" / "train.jsonl").read_text()
    folder = export_to(document, to, "--decontaminate", str(tmp_path / "bench.jsonl"), output="clear")
    clear = (folder / "data" / "train.jsonl").read_text()
    assert (SECRET in whole, SECRET in clear) == (True, False)
    assert len(clear.splitlines()) == len(whole.splitlines()) - 1


def test_4_questions_are_not_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Candidates come from the table on disk. MinHash is replaced, since it would take most of the time."""
    monkeypatch.setattr(near_duplicates, "lsh_bands", lambda text: (hash(text), hash(text) ^ 1))
    one = record(1)

    def asked(numbers: range) -> Iterable[Record]:
        for number in numbers:
            paper = one.source_paper.model_copy(update={"id": f"{number:016x}"})
            words = one.user_interaction.model_copy(update={"question": f"Why is the slope of text {number} so low?"})
            yield one.model_copy(update={"source_paper": paper, "user_interaction": words})

    with screening(options(dedupe_questions=True)) as screen:
        assert all(screen(each) is None for each in asked(range(2000)))
        before = sys.getallocatedblocks()
        assert all(screen(each) is None for each in asked(range(2000, 8000)))
        assert sys.getallocatedblocks() - before < 1000
        assert all(screen(each) is None for each in asked(range(0, 8000, 1999))), "the decisions stay the same"
        other = one.model_copy(update={"source_paper": one.source_paper.model_copy(update={"id": "another"})})
        words = one.user_interaction.model_copy(update={"question": "Why is the slope of text 7777 so low?"})
        assert screen(other.model_copy(update={"user_interaction": words})) is not None


def solve_counts(rate: float | None) -> dict[str, Any]:
    return {"asked": 4, "equivalent": 0, "partial": 0, "contradicts": 0, "absent": 0, "pass_rate": rate}


def solved(number: int, solver: float, student: float | None, score: float | None = None) -> Record:
    """A trace whose solver and student have these pass rates with the passage, and 0 without it."""

    def rates(name: str, rate: float) -> dict[str, Any]:
        return {"solver": name, "without_passage": solve_counts(0.0), "with_passage": solve_counts(rate)}

    found = {"need": "needs_paper", "difficulty": 1 - solver, "difficulty_without": 1.0, **rates("a", solver)}
    found |= {"compared_by": "rules", "temperature": 0.7, "student": None if student is None else rates("b", student)}
    return Record.model_validate({**record(number, score=score).model_dump(mode="json"), "blind_solve": found})


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ("student<0.5 and solver>0.5", True),
        ("student < 0.25", False),
        ("student<=.25", True),
        ("solver>0.5 and student>0.5", False),
        ("student<0.5 and\tjudges >= 8 and solver != 1", True),
        ("solver_without == 0 and student_without == 0", True),
        (" solver > 1. ", False),
    ],
)
def test_5_a_rule_is_applied_as_written(rule: str, kept: bool) -> None:
    why = why_not_kept(rule, solved(1, solver=0.75, student=0.25, score=8.0))
    assert why == (None if kept else f"it does not satisfy {rule.strip()} (--keep)")


FAULTY = ["", "student", "1 < 2", "teacher < 0.5", "student < '0.5'", "student < solver", "student < 0.5; solver > 0.5"]
FAULTY += ["student < 0.5 or solver > 0.5", "not student < 0.5", "0.1 < student < 0.5", "student < 0.5 and"]
FAULTY += ["student = 0.5", "(student < 0.5)", "student < \u0665", "student < nan"]


@pytest.mark.parametrize("rule", FAULTY)
def test_5_invalid_rules_are_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="is not a rule: compare student"):
        parse_rule(rule)


def test_5_the_export_has_what_the_rule_keeps_and_counts_the_rest(tmp_path: Path) -> None:
    made = [solved(1, 1.0, 0.0), solved(2, 1.0, 1.0), solved(3, 0.0, 0.0), solved(4, 1.0, None)]
    document = plain_document(tmp_path / "out.json", made)
    folder = export_to(document, "grpo", "--keep", "student<0.5 and solver>0.5")
    assert [row["id"] for row in rows(folder)] == [made[0].id]
    card = (folder / "README.md").read_text()
    assert "not exported: not measured: student" in card.replace("\\", "")
    assert "is not a rule" in export_error(document, "sft", "--keep", "student = 0.5", output="other")
