"""`grpo`: questions with a reference answer and its grades, for reinforcement learning with reward functions.

One row a question: the answer is that of its best trace (the first, where none has a score).
"""

from collections.abc import Iterator, Sequence

from programs.exports.columns import Columns
from programs.exports.format import Candidate, Format, Row
from programs.exports.view import FACTS, MESSAGES, View
from programs.records import GRADES


def _columns(_: View) -> Columns:
    return {"prompt": MESSAGES, "solution": "string", **dict.fromkeys(GRADES, "float64"), **FACTS}


def _rows(traces: Sequence[Candidate], view: View) -> Iterator[Row]:
    def score(trace: Candidate) -> float:
        found = view.measure.of(trace.record)
        return view.measure.low if found is None else found

    best = max(traces, key=score).record
    answer = {"solution": view.answer(best), **{name: getattr(best.answer_grades, name, None) for name in GRADES}}
    return view.rows(best, lambda prompt: {"prompt": prompt.messages, **answer})


GRPO = Format(
    name="grpo",
    about="a question (`prompt`), its reference answer (`solution`), and the grades of that answer",
    columns=_columns,
    rows=_rows,
    grouped=True,
    takes_field=True,
)
