"""`kto`: single traces with a label, for unpaired preference optimization.

The label is what the run decided: true for an accepted trace, false for one that the judges turned down
or, among a model's own thoughts, one that came to another answer than the grounded one. With
`--min-score` it is whether the trace has that score; a trace without a score then has no label and is left out.
"""

from collections.abc import Iterator, Sequence

from programs.exports.columns import Columns
from programs.exports.format import Candidate, Format, Row, Skip
from programs.exports.view import FACTS, MESSAGES, View


def _columns(view: View) -> Columns:
    return {"prompt": MESSAGES, "completion": view.replies, "label": "bool", **FACTS}


def _rows(traces: Sequence[Candidate], view: View) -> Iterator[Row | Skip]:
    (trace,) = traces
    label = _label(trace, view)
    if isinstance(label, Skip):
        yield label
        return
    for prompt in view.prompts(trace.record):
        yield {
            "prompt": prompt.messages,
            "completion": [view.message(trace.record)],
            "label": label,
            **view.facts(trace.record, prompt),
        }


def _label(trace: Candidate, view: View) -> bool | Skip:
    if view.min_score is not None:
        score = view.measure.of(trace.record)
        return Skip(view.measure.missing) if score is None else score >= view.min_score
    if trace.became == "unused":
        return Skip("neither accepted nor turned down by the latest rules (--min-score labels these by their score)")
    return trace.became == "accepted"


KTO = Format(
    name="kto",
    about="a question (`prompt`), a thought with its answer (`completion`), and whether it is good (`label`)",
    columns=_columns,
    rows=_rows,
    attempts=True,
    takes_field=True,
)
