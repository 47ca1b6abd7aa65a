"""Invariants of `python -m programs.export` as a whole.

1. The folder holds the rows by split, a card whose header describes them, and `export.json`. It appears all at once; a
   failure leaves nothing behind, or the earlier export unchanged.
2. A paper is in one split, and stays there when traces are added.
3. `--min-score` and `--licence` keep what they say. What is left out is counted by reason, and an export without rows is
   refused with the reasons.
4. Accepted traces come from the document, even during a run; rejected ones come from the journal.
5. Memory does not grow with the input: at most a few traces, or those of one question, are alive at a time.
6. A user error is one line with exit code 2. Only an export is ever replaced, and only with `--overwrite`.
7. The folder contains no path of the user's.
"""

import ast
import json
import re
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from programs.export import main
from programs.exports import exporter
from programs.exports.exporter import DataFiles, Origin, group_by_question
from programs.exports.options import FORMATS, SPLITS
from programs.run.attempts import ReadTrace
from programs.run.journal import Journal
from tests.exports.building import card_header, export_error, export_to, plain_document, record, rows, write_run
from tests.lab import run_command, user_error

(WHOLE_FORMAT,) = (name for name, format in FORMATS.items() if format.raw_record)


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """Sixty traces of thirty papers, from two texts of each."""
    traces = [record(n, title=f"Paper {n // 2}, part {n % 2}", score=5.0 + n % 5) for n in range(60)]
    return write_run(tmp_path, traces)


def test_1_the_folder_holds_rows_a_card_and_a_manifest(papers: Path) -> None:
    folder = export_to(papers, "sft")
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert found == ["README.md", "data/train.jsonl", "export.json"]
    assert [row["id"] for row in rows(folder)] == [one["id"] for one in json.loads(papers.read_text())["questions"]]
    assert not list(papers.parent.glob(".sft-export*"))


def test_1_the_card_describes_the_folder(papers: Path) -> None:
    step = {"what": "traces tried", "entered": 9, "lost": {"turned down": 2}, "left": 7, "became": "accepted"}
    content = json.loads(papers.read_text())
    content["metadata"]["run"]["funnel"] = {"steps": [step]}
    papers.write_text(json.dumps(content))
    folder = export_to(papers, "sft", "--splits", "0.8,0.1,0.1", "--min-score", "6")
    header, text = card_header(folder), (folder / "README.md").read_text()
    assert header["license"] == "unknown"
    for expected in (
        "| trace: writer-7b | 48 |",
        "Fingerprint of the prompts: f00dfeed.",
        "Judges: referee.",
        "| not exported: its score is below 6 | 12 |",
        "| traces tried | 9 | 2 turned down | 7 accepted |",
        "| rows | 48 |",
        *(f"| {split} | {len(rows(folder, split))} |" for split in SPLITS),
        "between `<think>` and `</think>`",
        "No person checked",
    ):
        assert expected in text
    for path in folder.rglob("*"):
        assert not path.is_file() or str(papers.parent).encode() not in path.read_bytes()


def test_1_the_card_of_rows_for_rewards_shows_how_to_train_on_them(papers: Path) -> None:
    text = (export_to(papers, "grpo") / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {
        node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "") for node in ast.walk(ast.parse(code))
    }
    assert {"load_dataset", "GRPOTrainer", "reward"} <= names


def test_1_text_of_papers_and_models_is_escaped_in_the_card(tmp_path: Path) -> None:
    name = "---\nlicense: mit\n| <script> | ` [x](y)"
    one = record(1, extra={"license": name})
    assert one.generation is not None
    one.generation.models = {name: name}
    one.source_paper.domain = name
    document = plain_document(tmp_path / "a.json", [one])
    folder = export_to(document, "sft")
    assert card_header(folder)["license"] == "other"
    text = (folder / "README.md").read_text()
    assert text.count("\n---\n") == 1
    assert "<script>" not in text.replace(r"\<script\>", "")
    assert not any(line.startswith("license: mit") for line in text.splitlines())


def test_1_the_licence_of_the_card_is_that_of_the_rows(tmp_path: Path) -> None:
    extras = [{"license": "CC BY 4.0"}, {"licence": "https://creativecommons.org/licenses/by/4.0/"}]
    document = plain_document(tmp_path / "a.json", [record(number, extra=extra) for number, extra in enumerate(extras)])
    assert card_header(export_to(document, "sft"))["license"] == "cc-by-4.0"
    mixed = plain_document(tmp_path / "b.json", [record(1, extra=extras[0]), record(2)])
    assert card_header(export_to(mixed, "sft", output="mixed"))["license"] == ["cc-by-4.0", "unknown"]


@pytest.mark.parametrize("step", ["card_text", "__exit__", "add", "rename"])
def test_1_a_failure_leaves_the_earlier_export(papers: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    folder = export_to(papers, "sft")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def fail(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    rename = Path.rename
    failing = (lambda one, other: fail() if one.name == "draft" else rename(one, other)) if step == "rename" else fail
    monkeypatch.setattr({"card_text": exporter, "rename": Path}.get(step, DataFiles), step, failing)
    message = export_error(papers, "sft", "--overwrite")
    assert message.endswith("No space left on device")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("to", ["sft", "grpo", WHOLE_FORMAT])
def test_2_no_paper_is_in_two_splits(papers: Path, to: str) -> None:
    folder = export_to(papers, to, "--splits", "0.6,0.2,0.2")
    found = {split: {row["source"] for row in rows(folder, split)} for split in SPLITS}
    assert all(found.values())
    assert sum(map(len, found.values())) == len(set.union(*found.values())) == 30


def test_3_traces_below_the_minimum_score_are_left_out(papers: Path) -> None:
    assert {row["quality_score"] for row in rows(export_to(papers, "sft", "--min-score", "7.5"))} == {8, 9}
    unrated = plain_document(papers.with_name("unrated.json"), [record(1)])
    message = export_error(unrated, "sft", "--min-score", "7.5", output="b")
    assert message.startswith("nothing to export to sft: 1 traces read, none left: 1 x it was not rated by judges")


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ("cc-by-4.0", [0, 1]),
        ("CC BY 4.0", [0, 1]),
        ("cc-by-4.0,unknown", [0, 1, 4]),
        ("cc-by*", [0, 1, 2]),
        ("cc-by-[0-9]*", [0, 1]),
        ("mit", [3]),
    ],
)
def test_3_only_texts_with_the_licence_are_exported(tmp_path: Path, wanted: str, numbers: list[int]) -> None:
    licences = ["cc-by-4.0", "https://creativecommons.org/licenses/by/4.0/", "CC BY-NC 4.0", "MIT", None]
    extras = [{} if licence is None else {"license": licence} for licence in licences]
    document = write_run(tmp_path, [record(number, extra=extra) for number, extra in enumerate(extras)])
    found = rows(export_to(document, "sft", "--licence", wanted))
    assert [row["messages"][1]["content"][-2] for row in found] == list(map(str, numbers))


def test_4_accepted_traces_can_be_exported_during_a_run(papers: Path) -> None:
    with Journal(papers.with_name("out.journal.jsonl")):
        assert len(rows(export_to(papers, "sft"))) == 60
        assert len(rows(export_to(papers, "kto"))) == 60


def test_4_a_journal_alone_is_enough(papers: Path) -> None:
    journal = papers.with_name("out.journal.jsonl")
    expected = rows(export_to(papers, "sft"))
    papers.unlink()
    assert rows(export_to(papers, "sft", output="a")) == expected
    assert rows(export_to(journal, "sft", output="b")) == expected


class CountedTraces:
    """Yields traces, and counts how many of them are alive at once."""

    def __init__(self, count: int, question_of: Any = lambda number: number) -> None:
        self.count, self.question_of = count, question_of
        self.alive: weakref.WeakSet[ReadTrace] = weakref.WeakSet()
        self.max_alive = 0

    def __iter__(self) -> Iterator[ReadTrace]:
        for number in range(self.count):
            candidate = ReadTrace(record(self.question_of(number), variation=number))
            self.alive.add(candidate)
            self.max_alive = max(self.max_alive, len(self.alive))
            yield candidate
            del candidate


@pytest.mark.parametrize("to", ["sft", WHOLE_FORMAT, "grpo"])
def test_5_few_traces_are_alive_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    counted = CountedTraces(400)
    monkeypatch.setattr(Origin, "traces", lambda *_: iter(counted))
    document = write_run(tmp_path, [record(1)])
    export_to(document, to)
    assert counted.max_alive <= 3


def test_5_only_the_traces_of_one_question_are_alive_at_a_time() -> None:
    counted = CountedTraces(300, question_of=lambda number: number % 60)
    alive: weakref.WeakSet[ReadTrace] = weakref.WeakSet()
    seen = []
    for group in group_by_question(counted):
        alive.update(group)
        seen.append([one.record.generation.variation for one in group if one.record.generation])
        assert len(alive) <= 2 * 5
    assert seen == [list(range(first, 300, 60)) for first in range(60)]
    assert counted.max_alive <= 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "chatml"], "--to: the formats are sft, prompt-completion, "),
        (["--to", "sft", "--splits", "0.9,0.2"], "--splits: one to three shares that add up to 1"),
        (["--to", "sft", "--context", "open"], "invalid choice: 'open'"),
        (["--to", "sft", "--min-score", "0.7"], "--min-score: "),
        (["--to", "dpo", "--margin", "-1"], "--margin: "),
        (["--to", "sft", "--reasoning-field", "content"], "--reasoning-field: "),
        (["--to", "sft", "--margin", "2"], "--margin: --to sft has no pairs"),
        (["--to", "alpaca", "--system-prompt", "user"], "--system-prompt user: --to alpaca has no messages"),
        (["--to", "sft", "--dedupe-similarity", "90"], "does nothing without --dedupe-questions"),
        (["--to", "grpo", "--think-tag", "[WORK]"], "--think-tag: the rewards of --to grpo do not know [WORK]"),
        ([], "--to must be given"),
    ],
)
def test_6_a_user_error_is_one_line(papers: Path, words: list[str], message: str) -> None:
    assert message in user_error(run_command(str(papers), "--output", str(papers.parent / "x"), *words, main=main))
    assert not (papers.parent / "x").exists()


@pytest.mark.parametrize("name", ["missing.json", "passages.jsonl", "list.json", "torn.json"])
def test_6_a_file_that_is_no_document_is_refused(tmp_path: Path, name: str) -> None:
    content = {"passages.jsonl": '{"text": "a"}\n{"text": "b"}\n', "list.json": "[1]", "torn.json": '{"questions": [{'}
    if name in content:
        (tmp_path / name).write_text(content[name])
    message = export_error(tmp_path / name, "sft")
    assert name in message
    assert any(part in message for part in ("there is neither", "is not a document", "holds no trace"))


def test_6_only_an_export_is_replaced_and_only_with_overwrite(papers: Path) -> None:
    folder = export_to(papers, "sft")
    assert "holds an export; name another folder, or replace it with --overwrite" in export_error(papers, "sft")
    link = folder.with_name("link")
    link.symlink_to(folder)
    export_to(papers, "kto", "--overwrite", output="link")
    assert link.is_symlink(), "the folder that it points to is replaced"
    assert json.loads((folder / "export.json").read_text())["format"] == "kto"
    (folder / "export.json").unlink()
    assert "exists and is not an export" in export_error(papers, "sft", "--overwrite")
    assert "exists and is not an export" in export_error(papers, "sft", "--overwrite", output="out.json")
