"""`prm`: the steps of a thought, each with whether it is right, for process reward models (stepwise supervision).

The labels come from a model that checked the steps (`--check-steps`) and from the thought itself, never from a guess:

    false   the passage contradicts the step, by the model's word; or the step is of the kind `wrong`
    true    the passage supports the step, or the step follows from it, by the model's word

Of any other step no label is known: from outside the passage, without a claim, or not checked. Each label is about its own
paragraph alone, so a row holds steps that follow one another and all have a label, and what was thought before them stands
in its prompt, after the question. A trace gives as many rows as it has such runs; without a label, none.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from programs.exports.columns import Columns
from programs.exports.format import Candidate, Format, Row, Skip
from programs.exports.view import FACTS, View
from programs.records import StepRecord

WRONG = "wrong"
"""The kind of step that is wrong by its own account."""

LABELS = {"supported": True, "inferred": True, "contradicted": False}


def _columns(_: View) -> Columns:
    return {"prompt": "string", "completions": ["string"], "labels": ["bool"], **FACTS}


def _rows(traces: Sequence[Candidate], view: View) -> Iterator[Row | Skip]:
    record = traces[0].record
    runs = list(labelled_runs(record.steps))
    if not runs:
        yield Skip("no step of it has a label (generate with --check-steps)")
    texts = [view.tag.inert(step.text.strip()) for step in record.steps]
    for prompt in view.prompts(record):
        for start, labels in runs:
            yield {
                "prompt": "\n\n".join([prompt.user, *texts[:start]]),
                "completions": texts[start : start + len(labels)],
                "labels": labels,
                **view.facts(record, prompt),
            }


def labelled_runs(steps: Sequence[StepRecord]) -> Iterator[tuple[int, list[bool]]]:
    """The runs of steps that have a label: the index of the first, and the labels."""
    for _, run in groupby(enumerate(map(label_of, steps)), key=lambda item: item[1] is None):
        [start, *_], found = zip(*run, strict=True)
        labels = [label for label in found if label is not None]
        if labels:
            yield start, labels


def label_of(step: StepRecord) -> bool | None:
    """Whether a step is right; None: nobody knows."""
    return False if step.kind == WRONG else LABELS.get(step.status or "")


PRM = Format(
    name="prm",
    about="a question (`prompt`), the steps of a thought (`completions`), and whether each is right (`labels`)",
    columns=_columns,
    rows=_rows,
)
