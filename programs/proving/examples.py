"""What a student is shown of a trace, which papers are kept from it, and whose thought it gets instead of its own.

Every example has one form, that of our export's prompt-completion rows: the prompt, `<think>`, a thought or nothing,
`</think>`, the answer. So question to answer, question to thought to answer and swapped thoughts differ in the thought.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from programs.errors import UserError
from programs.exports.chat import PROMPT_COMPLETION
from programs.exports.view import View, source_name
from programs.inputs.jsonl import parse_object, read_lines
from programs.inputs.report import Unreadable
from programs.records import Record
from programs.run.attempts import ReadTrace

VIEW = View()
Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Choice:
    """A question with the texts that may answer it, of which `options[right]` does, and its paper."""

    id: str
    paper: str
    prompt: Messages
    options: tuple[str, ...]
    right: int


@dataclass(frozen=True)
class Example:
    """A trace as a student sees it. `passage` is the text it was made from, whether or not the prompt shows it."""

    id: str
    paper: str
    prompt: Messages
    thought: str
    answer: str
    passage: str = ""
    choice: Choice | None = None


def example_of(record: Record) -> Example:
    """From a record, by the rows of the export."""
    row = next(iter(PROMPT_COMPLETION.rows([ReadTrace(record)], VIEW)))
    if isinstance(row, str):
        raise ValueError(row)
    thought, answer = VIEW.parts_of(row["completion"][0])
    name, paper = record.id or record.unit, source_name(record.source_paper)
    short = record.short_answer
    options = {"yes_no": ["yes", "no"], "choice": short.options}.get(short.kind, []) if short else []
    choice = None
    if short is not None and short.text in options and len(options) > 1:
        asked = [*row["prompt"][:-1], {"role": "user", "content": f"{row['prompt'][-1]['content']}\n{short.asked_for}"}]
        choice = Choice(name, paper, asked, tuple(options), options.index(short.text))
    return Example(name, paper, row["prompt"], thought, answer, record.source_paper.text or "", choice)


def sampled(records: Iterable[Record], most: int, seed: int) -> list[Record]:
    """At most so many of the records, each with the same chance, in their order, at a memory of so many (Vitter's reservoir
    sampling, 1985)."""
    dice, kept = random.Random(seed), list[tuple[int, Record]]()
    for number, record in enumerate(records):
        if number < most:
            kept.append((number, record))
        elif (place := dice.randrange(number + 1)) < most:
            kept[place] = (number, record)
    return [record for _, record in sorted(kept, key=lambda item: item[0])]


def split_by_paper(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Those to train on, and those that are held out: whole papers, about this share of them and at least two. Raises
    `UserError` for fewer than four papers."""
    papers = sorted({example.paper for example in examples})
    if len(papers) < 4:
        raise UserError(
            f"training takes traces of at least 4 papers, 2 to train on and 2 to measure by: found {len(papers)}"
        )
    random.Random(seed).shuffle(papers)
    held = {*papers[: min(max(2, round(share * len(papers))), len(papers) - 2)]}
    return [one for one in examples if one.paper not in held], [one for one in examples if one.paper in held]


def swapped(examples: Sequence[Example], seed: int) -> dict[str, Example]:
    """For each example, by its id, one of another paper, whose thought it gets: a seeded rotation, so that each thought is
    given away once at most. Those of a paper that has more than half of all traces may have none."""
    groups, dice = defaultdict[str, list[Example]](list), random.Random(seed)
    for example in examples:
        groups[example.paper].append(example)
    papers = sorted(groups)
    dice.shuffle(papers)
    ordered = [example for paper in papers for example in groups[paper]]
    step = max(map(len, groups.values()), default=0)
    pairs = zip(ordered, ordered[step:] + ordered[:step], strict=True)
    return {one.id: other for one, other in pairs if one.paper != other.paper}


def outside_choices(path: Path) -> list[Choice]:
    """The questions of a JSONL file with `question`, `answer` (`final_decision`, as PubMedQA calls it) and, if it likes,
    `context` (or `text`). What they are answered with in the file are the options of each. Raises `UserError`."""
    rows = [*_rows(path)]
    options = tuple(sorted({answer for _, _, answer in rows}))
    if not 2 <= len(options) <= 8:
        raise UserError(f"--outside: {path} has {len(options)} different answers; 2 to 8 can be told apart")
    end = f"\nAnswer with one of: {', '.join(options)}."
    return [
        Choice(
            f"outside/{number}",
            f"outside/{number}",
            VIEW.prompt(question + end, context).messages,
            options,
            options.index(answer),
        )
        for number, (question, context, answer) in enumerate(rows)
    ]


def _rows(path: Path) -> Iterator[tuple[str, str | None, str]]:
    for raw in read_lines(path):
        if raw.data is None or not raw.data.strip():
            continue
        try:
            row = parse_object(raw.data)
        except Unreadable as error:
            raise UserError(f"--outside: line {raw.number} of {path}: {error}") from None
        question, answer = row.get("question"), row.get("answer", row.get("final_decision"))
        context = row.get("context", row.get("text"))
        if isinstance(context, list):
            context = "\n".join(map(str, context))
        if not (isinstance(question, str) and isinstance(answer, str) and isinstance(context, str | None)):
            raise UserError(f"--outside: line {raw.number} of {path} has no question and answer")
        yield question, context, answer.strip().lower()
