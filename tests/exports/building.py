"""Records, documents and journals for the tests of exports, and functions that read exports.

record(1, score=8.0)                                    # a trace of text 1 with a score of 8
write_run(tmp_path, [Unit(record(1), rejected=[...])])  # a document with its journal
rows(export_to(document, "sft"))                        # the rows of an export
"""

import contextlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from programs.errors import UserError
from programs.export import main
from programs.exports.options import FORMATS
from programs.exports.view import RowOptions
from programs.files import JOURNAL, path_beside
from programs.inputs.sample import content_id
from programs.record_parts import GRADES
from programs.records import Record
from programs.run.attempts import ReadTrace
from programs.run.document import write_document
from programs.run.journal import Journal

HOSTILE = '</script><script>alert("taken over")</script><!-- <img src=x onerror=alert(2)> &lt; {{ 7 * 7 }} <script>'
"""Text that must be shown literally, wherever a model or a paper writes it."""
KINDS = ("mechanism", "critical", "clarification")
TEXTS = 9
RUN = {"settings": {"model": "openai/any", "prices": {}}, "versions": {"synthreasoner": "0.1.0"}, "git_commit": "abc"}

THOUGHT = ("I ask what the slope shows.", "Perhaps dust explains it all.", "But the scatter is 9 percent.")
SHORT_ANSWER = {"kind": "number", "text": "1.1", "value": 1.1, "unit": "", "tolerance": 0.05}
RUBRIC = [
    {"kind": "fact", "text": "says that dust reddens", "weight": 2, "sentence": 1},
    {"kind": "step", "text": "takes the slope from it", "weight": 1},
    {"kind": "pitfall", "text": "says that the slope is steep", "weight": -1},
]
ANSWER = "The slope is biased by dust.\n\nHow much stays open."


def record(number: int = 0, **given: Any) -> Record:
    """A trace of text `number`. `score` is its quality score, `grade` the value of each grade, `thought` the text of its
    thought, `extra` the other fields of the input record. Other arguments replace values below, or fields of `Record`."""
    text = given.get("text", f"Text {number} is about dust. Its slope is 1.{number}.")
    kind, variation = given.get("kind", "mechanism"), given.get("variation", 0)
    thought = given.pop("thought", "\n\n".join([*THOUGHT, f"Variation {variation}, score {given.get('score')}."]))
    sample = content_id(text)
    grade = given.get("grade")
    grades = dict.fromkeys([*GRADES, "overall_score"], grade)
    verdict = {"judge": "referee", "scored": True, "overall": 7, "reason": "Sound."}
    content = {
        "id": content_id(f"{sample}{kind}{variation}{thought}"),
        "question_id": f"{sample}/{kind}",
        "source_paper": {
            "title": given.get("title", f"Paper {number}"),
            "domain": "cosmology",
            "id": sample,
            "text": text,
            "extra": given.get("extra", {}),
        },
        "user_interaction": {
            "question": given.get("question", f"Why is the slope of text {number} 1.{number}?"),
            "question_type": kind,
            "difficulty_level": "advanced",
            "audience": given.get("audience"),
        },
        "reasoning_trace": f"<thought>\n{thought}\n</thought>",
        "short_answer": SHORT_ANSWER,
        "rubric": RUBRIC,
        "final_answer": given.get("answer", ANSWER),
        "answer_grades": None if grade is None else grades,
        "verdicts": [] if given.get("score") is None else [verdict],
        "metadata": {
            "authenticity_score": 0.5,
            "complexity_level": "low",
            "reasoning_patterns": ["synthesis"],
            "quality_score": given.get("score"),
        },
        "generation": {
            "model": "writer-7b",
            "models": {"trace": "writer-7b", "questions": "asker-7b"},
            "program": "f00dfeed",
            "variation": variation,
        },
    }
    return Record.model_validate(content | {name: given[name] for name in given if name in Record.model_fields})


@dataclass
class Unit:
    """What a run made of a unit: the accepted trace, rejected attempts, and the unit's status and reason."""

    accepted: Record | None
    rejected: Sequence[Record] = ()
    status: str | None = None
    reason: str | None = None


def write_run(folder: Path, units: Iterable[Unit | Record], name: str = "out.json") -> Path:
    """Writes a document with its journal beside it. Returns the document's path."""
    document = folder / name
    with Journal(path_beside(document, JOURNAL)) as journal:
        begin_run(journal)
        append_units(journal, units)
        end_run(journal, "completed")
        write_document(journal, document, "completed", {"traces": {"accepted": 3}, "losses": {"judges": 2}})
    return document


def begin_run(journal: Journal) -> None:
    """Appends the lines of a run that started: its texts with questions, one of them rejected, and what they cost."""
    journal.append("run", None, status="running", started="2026-01-01T00:00:00Z", **RUN)
    for number in range(TEXTS):
        rejection = {"reason": "not in the requested form", "detail": "too short"}
        rejected = [{"question": "Why?", "rejection": rejection}] if number == 0 else []
        questions = [{"question": f"How, as a {kind}?"} for kind in KINDS]
        journal.append("pool", f"text-{number}", questions=questions, rejected=rejected, dropped=[])
    usage = {"calls": 2, "reasks": 0, "faults": {}, "prompt_tokens": 400, "completion_tokens": 90, "cached_tokens": 0}
    for stage in ("questions", "trace", "judge", HOSTILE):
        reply = {"model": "openai/any", "spent": {**usage, "seconds": 1.5}}
        journal.append("stage", f"{stage}/text-0", stage=stage, reply=reply)


def end_run(journal: Journal, status: str) -> None:
    """Appends the line of a run that ended."""
    journal.append("run", None, status=status, ended="2026-01-01T01:00:00Z", **RUN)


def append_units(journal: Journal, units: Iterable[Unit | Record]) -> None:
    """Appends the journal lines of these units."""
    for unit in (Unit(one) if isinstance(one, Record) else one for one in units):
        records = [*unit.rejected, *([unit.accepted] if unit.accepted else [])]
        journal.append(
            "unit",
            records[0].variation_key,
            sample=records[0].source_paper.id,
            status=unit.status or ("accepted" if unit.accepted else "rejected"),
            settled=True,
            reason=unit.reason,
            basis="judged",
            digest=content_id(records[0].reasoning_trace),
            record=unit.accepted.compact_dump() if unit.accepted else None,
            attempts=[attempt.compact_dump() for attempt in unit.rejected],
            standings=["below"] * len(unit.rejected) + ["accepted"] * (unit.accepted is not None),
        )


def plain_document(path: Path, records: Iterable[Record]) -> Path:
    """Writes a document without a journal."""
    metadata = {"generation_timestamp": "2026-01-01T12:00:00Z", "total_traces_generated": 0, "status": "completed"}
    questions = [one.compact_dump() for one in records]
    path.write_text(json.dumps({"metadata": metadata, "questions": questions}), encoding="utf-8")
    return path


def export_to(document: Path, to: str, *words: str, output: str | None = None) -> Path:
    """Exports a document with the command. Returns the folder of the export."""
    folder = document.with_name(output or f"{to}-export")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main([str(document), "--to", to, "--output", str(folder), *words]) == 0
    assert printed.getvalue()
    return folder


def export_error(document: Path, to: str, *words: str, output: str | None = None) -> str:
    """The one-line error of a refused export. Checks that the export leaves nothing behind."""
    before = all_paths(document.parent)
    with pytest.raises(UserError) as caught:
        export_to(document, to, *words, output=output)
    assert all_paths(document.parent) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def all_paths(folder: Path) -> set[Path]:
    """All files and folders except those that a journal keeps beside it."""
    return {path for path in folder.rglob("*") if ".journal.jsonl." not in path.name}


def rows(folder: Path, split: str | None = None) -> list[dict[str, Any]]:
    """The rows of an export, of one split or of all."""
    found = sorted((folder / "data").glob(f"{split or '*'}.jsonl"))
    return [json.loads(line) for path in found for line in path.read_bytes().split(b"\n")[:-1]]


def card_header(folder: Path) -> dict[str, Any]:
    """The YAML header of the dataset card."""
    _, text, _ = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def format_rows(to: str, records: Any, **options: Any) -> list[Any]:
    """The rows that a format makes of one trace or several."""
    traces = records if isinstance(records, list) else [ReadTrace(records)]
    return list(FORMATS[to].rows(traces, RowOptions(**options)))
