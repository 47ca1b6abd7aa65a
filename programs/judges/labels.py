"""Answers that people judged, by which judges are tuned and measured: files of JSON lines.

    {"question": "...", "reference": "...", "answer": "...", "human": {"correct": 1}}
    {"question": "...", "key_passage": "...", "answer": "...", "human": {"overall": 7}}

`human` is what people said of the answer: whether it is right (`{"correct": 0}`, or a bare 0, 1, true or false), or a
rating from 1 to 10 (`{"overall": n}`), or both. `thought` may hold the reasoning that led to the answer. Where people
judged the same answer again, the last label counts: a file of labels is only ever appended to, and of several files the one
named last is the newest.
"""

import codecs
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from programs.errors import UserError
from programs.inputs.archives import BrokenArchive
from programs.inputs.cleaning import clean
from programs.inputs.jsonl import RawLine, parse_object, read_lines
from programs.inputs.papers import question_key, source_of
from programs.inputs.report import DUPLICATE, LINE_TOO_LONG, Unreadable
from programs.inputs.sample import Place, content_id

NO_BASIS = "neither a reference nor a key passage"
NO_LABEL = "no human label"
REPLACED = "label that a later one replaced"


class Labelled(BaseModel):
    """An answer that people judged. At least one of `reference` and `key_passage` is there, and at least one of `correct`
    (is the answer right?) and `overall` (1-10). Texts are cleaned, and none is empty.

    `id` is a hash of all texts. `source` is the paper that the answer is about where the record names one, else the
    question; `question_key` is the same for all answers to a question.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    question: str
    reference: str | None
    key_passage: str | None
    answer: str
    thought: str | None = None
    correct: bool | None
    overall: int | None
    source: str
    place: Place

    def is_right(self, correct_from: int) -> bool:
        """Whether people found the answer right: what they said, or else whether their rating reaches `correct_from`."""
        return self.correct if self.correct is not None else (self.overall or 0) >= correct_from

    @property
    def question_key(self) -> str:
        """Equal for answers to the same question."""
        return question_key(self.question)


@dataclass
class Labels:
    """What files hold: the labelled answers, and why how many records were skipped."""

    answers: list[Labelled]
    skipped: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, labelled: Iterable[Labelled], skipped: Counter[str]) -> "Labels":
        """Each answer once, with its last label, in the order in which answers first came; the others are counted."""
        answers: dict[str, Labelled] = {}
        found = Counter(skipped)
        for one in labelled:
            earlier = answers.setdefault(one.id, one)
            if (earlier.correct, earlier.overall) != (one.correct, one.overall):
                answers[one.id] = one
                found[REPLACED] += 1
            elif earlier is not one:
                found[DUPLICATE] += 1
        return cls(list(answers.values()), +found)


def read_labels(path: Path) -> Labels:
    """The labelled answers of a file (.jsonl, .gz, .zst), in its order, each once with its last label.

    Records without a reference and a key passage, without a label, and those that were there before are skipped and
    counted. Raises `UserError`, with file and line, for a record of another form, and where no answer is left.
    """
    answers: list[Labelled] = []
    skipped: Counter[str] = Counter()
    try:
        for raw in read_lines(path):
            labelled = _read(raw, Place(file=str(path), line=raw.number))
            if isinstance(labelled, str):
                skipped[labelled] += 1
            elif labelled is not None:
                answers.append(labelled)
    except BrokenArchive as error:
        raise UserError(f"{path} is a damaged archive: pack it again") from error
    if not answers:
        why = "; ".join(f"{count} with {reason}" for reason, count in skipped.items()) or "it is empty"
        raise UserError(f"{path} holds no labelled answers: {why}")
    return Labels.of(answers, skipped)


def read_answers(paths: Iterable[str]) -> Labels:
    """The labelled answers of all files, each once, with its last label. Raises what `read_labels` raises."""
    found = [read_labels(Path(path)) for path in paths]
    skipped: Counter[str] = sum((labels.skipped for labels in found), Counter())
    return Labels.of((answer for labels in found for answer in labels.answers), skipped)


def _read(raw: RawLine, place: Place) -> Labelled | str | None:
    """The answer on a line, the reason for which it is skipped, or None for a blank line."""
    if raw.data is None:
        raise UserError(f"{place}: {LINE_TOO_LONG}")
    data = raw.data.removeprefix(codecs.BOM_UTF8).strip()
    if not data:
        return None
    try:
        record = parse_object(data)
    except Unreadable as problem:
        raise UserError(f"{place}: {problem}") from None
    question, answer = _text(record, "question", place), _text(record, "answer", place)
    reference, key_passage = _text(record, "reference", place), _text(record, "key_passage", place)
    thought = _text(record, "thought", place)
    if question is None or answer is None:
        raise UserError(f"{place}: a labelled answer needs the texts `question` and `answer`")
    if reference is None and key_passage is None:
        return NO_BASIS
    label = record.get("human")
    if label is None:
        return NO_LABEL
    correct, overall = _label(label, place)
    texts = "\0".join((question, reference or "", key_passage or "", answer, *([thought] if thought else [])))
    source = source_of({name: value for name, value in record.items() if name != "source"})
    return Labelled(
        id=content_id(texts),
        question=question,
        reference=reference,
        key_passage=key_passage,
        answer=answer,
        thought=thought,
        correct=correct,
        overall=overall,
        source=source or question_key(question),
        place=place,
    )


def _text(record: dict[str, Any], name: str, place: Place) -> str | None:
    value = record.get(name)
    if value is not None and not isinstance(value, str):
        raise UserError(f"{place}: `{name}` is not a text")
    return clean(value or "") or None


def _label(label: Any, place: Place) -> tuple[bool | None, int | None]:
    """Whether people found the answer right, and their rating."""
    said = label if isinstance(label, dict) else {"correct": label}
    correct, overall = said.get("correct"), said.get("overall")
    right = correct is None or (isinstance(correct, int | float) and correct in (0, 1))
    rated = overall is None or (
        isinstance(overall, int | float) and not isinstance(overall, bool) and overall in range(1, 11)
    )
    if not (right and rated) or (correct is None and overall is None):
        raise UserError(
            f'{place}: `human` must be 0, 1, {{"correct": 0 or 1}} or {{"overall": 1 to 10, a whole number}}, '
            f"not {str(label)[:60]!r}"
        )
    return None if correct is None else bool(correct), None if overall is None else int(overall)
