"""Answers that people judged, by which judges are tuned and measured: files of JSON lines.

    {"question": "...", "reference": "...", "answer": "...", "human": {"correct": 1}}
    {"question": "...", "key_passage": "...", "answer": "...", "human": {"overall": 7}}

`human` is what people said of the answer: whether it is right (`{"correct": 0}`, or a bare 0, 1, true or false), or a
rating from 1 to 10 (`{"overall": n}`), or both. `thought` may hold the reasoning that led to the answer. Where people
judged the same answer again, the last label counts: a file of labels is only ever appended to, and of several files the one
named last is the newest.

Questions are divided into the sides: none is on two, and the test side has all answers to its questions. Of the answers to
train on and to choose by as many are right as wrong, whichever are fewer repeated in turn, so that a judge that always says
"correct" scores a half while it is tuned, as it does in the proof. What is asked again costs nothing.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from optimize.settings import CompileSettings
from optimize.splits import Splits, split_by
from programs.errors import UserError
from programs.inputs.cleaning import clean
from programs.inputs.jsonl import objects_of
from programs.inputs.papers import question_key
from programs.inputs.passage import Passage
from programs.inputs.report import Skip
from programs.inputs.sample import content_id, sample_of

NO_BASIS = "neither a reference nor a key passage"
NO_LABEL = "no human label"
REPLACED = "label that a later one replaced"

REFERENCE = "The reference answer (the passage itself is not at hand)"
"""The title of a reference answer that stands in a passage's place."""
ASKED_BY = "a reader (level not known)"
WORDS = {True: "right", False: "wrong"}
"""What people find an answer."""


class Labelled(BaseModel):
    """An answer that people judged. At least one of `reference` and `key_passage` is there, and at least one of `correct`
    (is the answer right?) and `overall` (1-10). Texts are cleaned, and none is empty; `id` is a hash of them all."""

    model_config = ConfigDict(frozen=True)

    id: str
    question: str
    reference: str | None
    key_passage: str | None
    answer: str
    thought: str | None
    correct: bool | None
    overall: int | None

    def is_right(self, correct_from: int) -> bool:
        """Whether people found the answer right: what they said, or else whether their rating reaches `correct_from`."""
        return self.correct if self.correct is not None else (self.overall or 0) >= correct_from

    @property
    def question_key(self) -> str:
        """The same for all answers to a question."""
        return question_key(self.question)

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs of the judges' signature. In the passage's place stands the key passage, as any passage; where there
        is none the reference answer, with a title that says so. Without a thought it is judged without one."""
        given = self.key_passage
        sample = sample_of(self.reference or "", title=REFERENCE) if given is None else sample_of(given)
        shown = {"passage": Passage(sample).shown, "question": self.question, "asked_by": ASKED_BY}
        return {**shown, "thought": self.thought, "answer": self.answer}


def read_labels(*paths: Path | str) -> tuple[list[Labelled], Counter[str]]:
    """The labelled answers of files, each once, with its last label, in the order in which they first came; and how many
    records were skipped, by why. Raises `UserError` for a record of another form (by its line), and a file without any."""
    answers, skipped = dict[str, Labelled](), Counter[str]()
    for path in map(Path, paths):
        found = [_labelled(record, place) for record, place in objects_of(path)]
        left_out = Counter(one for one in found if isinstance(one, str))
        if left_out.total() == len(found):
            why = "; ".join(f"{count} with {reason}" for reason, count in left_out.items()) or "it is empty"
            raise UserError(f"{path} holds no labelled answers: {why}")
        skipped += left_out
        for one in found:
            if isinstance(one, Labelled):
                if earlier := answers.get(one.id):
                    skipped[Skip.DUPLICATE.value if earlier == one else REPLACED] += 1
                answers[one.id] = one
    return list(answers.values()), skipped


def _labelled(record: dict[str, Any], place: str) -> Labelled | str:
    """The answer that a record holds, or the reason for which it is skipped."""
    texts = {}
    for name in ("question", "reference", "key_passage", "answer", "thought"):
        if not isinstance(text := record.get(name) or "", str):
            raise UserError(f"{place}: `{name}` is not a text")
        texts[name] = clean(text) or None
    question, reference, key_passage, answer, thought = texts.values()
    if question is None or answer is None:
        raise UserError(f"{place}: a labelled answer needs the texts `question` and `answer`")
    if reference is None and key_passage is None:
        return NO_BASIS
    if record.get("human") is None:
        return NO_LABEL
    label = record["human"] if isinstance(record["human"], dict) else {"correct": record["human"]}
    correct, overall = label.get("correct"), label.get("overall")
    none = correct is None and overall is None
    if none or correct not in (None, 0, 1) or overall not in (None, *range(1, 11)) or overall is True:
        raise UserError(
            f'{place}: `human` must be 0, 1, {{"correct": 0 or 1}} or {{"overall": 1 to 10, a whole number}}, '
            f"not {str(record['human'])[:60]!r}"
        )
    identity = (question, reference or "", key_passage or "", answer, *([thought] if thought else []))
    return Labelled.model_validate(
        {**texts, "correct": correct, "overall": overall, "id": content_id("\0".join(identity))}
    )


def divided(answers: Sequence[Labelled], settings: CompileSettings) -> Splits[Labelled]:
    """Divides the answers by their questions, an odd number to train on or to choose by rounded down. Raises `UserError`,
    with the numbers, where there is too little, or where a side has no right or no wrong answers."""
    made = split_by(answers, lambda answer: answer.question_key, lambda answer: answer.id, settings)
    even = {side: _balanced(side, some, settings.judged_correct_from) for side, some in made.items()}
    return {**even, "test": made["test"]}


def _balanced(side: str, answers: Sequence[Labelled], correct_from: int) -> list[Labelled]:
    """As many right as wrong ones in turn; so that a judge has to tell them apart, whichever are fewer are repeated."""
    kinds = {word: [one for one in answers if one.is_right(correct_from) is kind] for kind, word in WORDS.items()}
    for word, kind in kinds.items():
        if not kind:
            raise UserError(
                f"no answer that people found {word} belongs to the {side} questions, so that nothing can be "
                "compared; give more answers, or try another --seed or other numbers of them"
            )
    pairs = zip(*map(cycle, kinds.values()), strict=False)
    return [one for pair in islice(pairs, max(1, len(answers) // 2)) for one in pair]
