"""`prm`: the steps of a thought, each with whether it is right, for process reward models (stepwise supervision).

The labels come from what was found out about the steps (`--check-steps`, `programs.checks.step_evidence`), never from a
guess:

    false   the passage contradicts the step, by rule or by a model's word; or it is the thought's wrong turn, which is
            wrong by design
    true    the passage supports the step, by rule, or it supports it or the step follows from it, by a model's word, and no
            rule finds a conflict. By rule a step is supported only where all that it claims stands in the passage

Of any other step (from outside the passage, without a claim, disputed, or nobody could tell) no label is known: it is
joined to the next one that has a label, which is about that one; at the end of a thought it is left out. A trace none of
whose steps was checked gives no row.
"""

from collections.abc import Iterator, Sequence

from programs.exports.columns import Columns
from programs.exports.format import Candidate, Format, Row, Skip
from programs.exports.view import FACTS, View
from programs.records import Record, StepRecord

WRONG_BY_DESIGN = "wrong_turn"


def _columns(_: View) -> Columns:
    return {"prompt": "string", "completions": ["string"], "labels": ["bool"], **FACTS}


def _rows(traces: Sequence[Candidate], view: View) -> Iterator[Row | Skip]:
    record = traces[0].record
    if all(step.status is None for step in record.steps):
        yield Skip("no step of it was checked against the passage (generate with --check-steps)")
        return
    completions, labels = labelled_steps(record, view)
    for prompt in view.prompts(record):
        yield {
            "prompt": prompt.user,
            "completions": completions,
            "labels": labels,
            **view.facts(record, prompt),
        }


def labelled_steps(record: Record, view: View) -> tuple[list[str], list[bool]]:
    """The steps that have a label, each with those before it that have none, and the labels."""
    completions: list[str] = []
    labels: list[bool] = []
    waiting: list[str] = []
    for number, step in enumerate(record.steps):
        waiting.append(view.tag.inert(step.text.strip()))
        seeded = record.seeded_error is not None and record.seeded_error.wrong_step == number
        label = False if seeded or step.move == WRONG_BY_DESIGN else label_of(step)
        if label is not None:
            completions.append("\n\n".join(waiting))
            labels.append(label)
            waiting = []
    return completions, labels


def label_of(step: StepRecord) -> bool | None:
    """Whether a step that was not meant to be wrong is right; None: nobody knows."""
    if step.status == "contradicted":
        return False
    if step.status not in ("supported", "inferred") or step.conflict is not None:
        return None
    return True


PRM = Format(
    name="prm",
    about="a question (`prompt`), the steps of a thought (`completions`), and whether each is right (`labels`)",
    columns=_columns,
    rows=_rows,
)
