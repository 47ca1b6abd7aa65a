"""The formats for rewards. `grpo`: questions with a reference answer and its grades, and what reward functions check by
(`programs.exports.rewards`): short answer and rubric; one row a question, whose answer is that of its best trace.
`verifiers`: the same as an environment package, for the questions that have a short answer. `prm`: the steps of a thought,
each with whether it is right, for process reward models (stepwise supervision).

The labels of steps come from a model that checked them (`--check-steps`) and from the thought itself, never from a guess:

    false   the passage contradicts the step, by the model's word; or the step is of the kind `wrong`
    true    the passage supports the step, or the step follows from it, by the model's word

Of any other step no label is known: from outside the passage, without a claim, or not checked. Each label is about its own
paragraph alone, so a row holds steps that follow one another and all have a label, and what was thought before them stands
in its prompt, after the question. A trace gives as many rows as it has such runs; without a label, none.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

from programs.exports.environment import write_package
from programs.exports.files import Columns, Row
from programs.exports.format import Format
from programs.exports.rewards import NAMES
from programs.exports.view import FACTS, MESSAGES, Prompt, View, rating
from programs.records import GRADES, ShortAnswer, StepRecord
from programs.run.attempts import ReadTrace

WRONG = "wrong"
"""The kind of step that is wrong by its own account."""
LABELS = {"supported": True, "inferred": True, "contradicted": False}

_SHORT: Columns = {
    **dict.fromkeys(("kind", "text", "unit"), "string"),
    **dict.fromkeys(("value", "tolerance"), "float64"),
    "options": ["string"],
    "aliases": ["string"],
}
_POINT: Columns = {"kind": "string", "text": "string", "weight": "int64"}
_CHECKS: Columns = {"short_answer": _SHORT, "rubric": [_POINT], "rewards": ["string"]}


def _question_rows(traces: Sequence[ReadTrace], view: View) -> Iterator[Row]:
    best = max((trace.record for trace in traces), key=rating)
    short, rubric = best.short_answer, [point.model_dump(include=set(_POINT)) for point in best.rubric]
    named = [name for name, there in zip(NAMES, (short, rubric), strict=True) if there]
    answer: Row = {"solution": view.answer(best), "rubric": rubric, "rewards": named}
    answer["short_answer"] = short and short.model_dump(include=set(_SHORT))
    grades = {name: getattr(best.answer_grades, name, None) for name in GRADES}
    return view.rows(best, lambda prompt: {"prompt": _checked(prompt, short, view).messages, **answer, **grades})


def _checked(prompt: Prompt, short: ShortAnswer | None, view: View) -> Prompt:
    """A prompt that says how the answer has to end, where rules check it."""
    if short is None:
        return prompt
    return prompt._replace(question=f"{prompt.question}\n\n{view.tag.inert(short.asked_for)}")


def _environment_rows(traces: Sequence[ReadTrace], view: View) -> Iterator[Row | str]:
    for row in _question_rows(traces, view):
        yield row if row["short_answer"] else "it has no short answer that rules can check"


def _step_rows(traces: Sequence[ReadTrace], view: View) -> Iterator[Row | str]:
    record = traces[0].record
    steps = [(view.tag.inert(step.text.strip()), label_of(step)) for step in record.steps]
    if all(label is None for _, label in steps):
        yield "no step of it has a label (generate with --check-steps)"
    before: list[str] = []
    for known, run in groupby(steps, key=lambda step: step[1] is not None):
        texts, labels = zip(*run, strict=True)
        if known:
            yield from view.rows(record, partial(_step_row, [*before], texts, labels))
        before += texts


def _step_row(before: Sequence[str], texts: Sequence[str], labels: Sequence[bool], prompt: Prompt) -> Row:
    return {"prompt": "\n\n".join([prompt.user, *before]), "completions": [*texts], "labels": [*labels]}


def label_of(step: StepRecord) -> bool | None:
    """Whether a step is right; None: nobody knows."""
    return False if step.kind == WRONG else LABELS.get(step.status or "")


GRPO = Format(
    name="grpo",
    about="a question (`prompt`), its reference answer (`solution`), the short answer and the rubric that rewards go by, "
    "and the grades of the reference",
    columns=lambda _: {
        "prompt": MESSAGES,
        "solution": "string",
        **_CHECKS,
        **dict.fromkeys(GRADES, "float64"),
        **FACTS,
    },
    rows=_question_rows,
    grouped=True,
    takes_field=True,
)
VERIFIERS = Format(
    name="verifiers",
    about="a task of an environment package for `verifiers`: a question (`prompt`), its short answer, and its rubric",
    columns=lambda _: {"prompt": MESSAGES, "solution": "string", **_CHECKS, **FACTS},
    rows=_environment_rows,
    grouped=True,
    takes_field=True,
    package=write_package,
)
PRM = Format(
    name="prm",
    about="a question (`prompt`), the steps of a thought (`completions`), and whether each is right (`labels`)",
    columns=lambda _: {"prompt": "string", "completions": ["string"], "labels": ["bool"], **FACTS},
    rows=_step_rows,
)
