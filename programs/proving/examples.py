"""What a student is shown of a trace, which papers are held out, and how thoughts are swapped between papers.

Every example has the form of the export's prompt-completion rows: the prompt, `<think>`, a thought or nothing, `</think>`,
the answer.
"""

import heapq
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import AliasChoices, AliasPath, BaseModel, Field, ValidationError

from programs.errors import UserError
from programs.exports.chat import PROMPT_COMPLETION
from programs.exports.view import RowOptions
from programs.inputs.jsonl import read_objects
from programs.inputs.papers import source_key
from programs.inputs.sample import content_id
from programs.records import Record
from programs.run.attempts import ReadTrace

VIEW = RowOptions()
Messages = list[dict[str, str]]
Item = TypeVar("Item")


class Choice(NamedTuple):
    """A question with its answer options, of which `options[right]` is correct."""

    id: str
    paper: str
    prompt: Messages
    options: tuple[str, ...]
    right: int


class Example(NamedTuple):
    """A trace as a student sees it. `passage` is the text it was made from, whether or not the prompt shows it."""

    id: str
    paper: str
    prompt: Messages
    thought: str
    answer: str
    passage: str = ""
    choice: Choice | None = None


def trace_name(record: Record) -> str:
    """The id of a trace, or a hash of its texts if it has none (in documents of other tools)."""
    texts = record.user_interaction.question, record.reasoning_trace, record.final_answer
    return record.id or content_id("\0".join(texts))


def example_of(record: Record) -> Example:
    """The example made from a record, by the rows of the export."""
    row: Any = next(PROMPT_COMPLETION.rows([ReadTrace(record)], VIEW))
    thought, answer = VIEW.thought(record), VIEW.answer(record)
    name, paper = trace_name(record), source_key(record.source_paper)
    prompt = row["prompt"]
    choice = None
    if (short := record.short_answer) is not None:
        options = {"yes_no": ["yes", "no"], "choice": short.options}.get(short.kind, [])
        if short.text in options:
            asked = [*prompt[:-1], {"role": "user", "content": f"{prompt[-1]['content']}\n{short.prompt_ending}"}]
            choice = Choice(name, paper, asked, tuple(options), options.index(short.text))
    return Example(name, paper, prompt, thought, answer, record.source_paper.text or "", choice)


def draw_sample(things: Iterable[tuple[str, Item]], size: int, seed: int) -> list[Item]:
    """A sample of at most `size` things, drawn by a hash of the seed and their names. Only the sample is held in memory."""
    return [thing for _, thing in heapq.nsmallest(size, things, key=lambda named: content_id(f"{seed}/{named[0]}"))]


def split_by_paper(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Splits the examples by whole papers into those to train on and those held out: about `share` of the papers, at least
    two on either side. Raises `UserError` for fewer than four papers."""
    papers = sorted({example.paper for example in examples})
    if len(papers) < 4:
        raise UserError(f"training needs traces of at least 4 papers, 2 of them to train on, but found {len(papers)}")
    random.Random(seed).shuffle(papers)
    held_out = {*papers[: min(max(2, round(share * len(papers))), len(papers) - 2)]}
    train = [example for example in examples if example.paper not in held_out]
    return train, [example for example in examples if example.paper in held_out]


def swap_thoughts(examples: Sequence[Example], seed: int) -> dict[str, Example]:
    """For each example, by its id, one of another paper whose thought it gets. A seeded rotation, so that each thought is
    used at most once. Examples of a paper that has more than half of all traces may get none."""
    groups = defaultdict[str, list[Example]](list)
    for example in examples:
        groups[example.paper].append(example)
    papers = sorted(groups)
    random.Random(seed).shuffle(papers)
    ordered = [example for paper in papers for example in groups[paper]]
    step = max(map(len, groups.values()), default=0)
    pairs = zip(ordered, ordered[step:] + ordered[:step], strict=True)
    return {example.id: other for example, other in pairs if example.paper != other.paper}


class _Row(BaseModel):
    question: str
    answer: str = Field(validation_alias=AliasChoices("answer", "final_decision"))
    context: str | list[str] | None = Field(
        None, validation_alias=AliasChoices(AliasPath("context", "contexts"), "context", "text")
    )


def outside_choices(path: Path | None) -> list[Choice]:
    """The questions of a JSONL file with the fields `question`, `answer` and optionally `context` or `text`, or those of
    PubMedQA. The distinct answers in the file are the options of every question. Raises `UserError`."""
    if path is None:
        return []
    rows = list[_Row]()
    for record, place in read_objects(path):
        try:
            rows.append(_Row.model_validate(record))
        except ValidationError:
            raise UserError(f"--outside: {place}: it has no question and answer, or its context is not text") from None
    answers = [row.answer.strip().lower() for row in rows]
    options = tuple(sorted({*answers}))
    if not 2 <= len(options) <= 8:
        raise UserError(f"--outside: {path} has {len(options)} different answers; it must have 2 to 8")
    instruction = f"\nAnswer with one of: {', '.join(options)}."
    choices = list[Choice]()
    for number, (row, answer) in enumerate(zip(rows, answers, strict=True)):
        context = "\n".join(row.context) if isinstance(row.context, list) else row.context
        prompt = VIEW.prompt(row.question + instruction, context).messages
        name = f"outside/{number}"
        choices.append(Choice(name, name, prompt, options, options.index(answer)))
    return choices
