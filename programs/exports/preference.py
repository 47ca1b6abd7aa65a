"""The formats of preference: pairs of a better and a worse trace of a question, and single traces with a label.

`dpo`: chosen is the best accepted trace of a question; every other one that is worse by the margin makes a pair with it,
the worst first: other variations, and attempts that the judges turned down.
The prompt is that of the chosen trace: a rejected one that uses figures which it does not show is rejected for that too.
Before these come pairs that need no score: a model's own thought whose answer agrees with the grounded one, and the tries
of the same question that came to another answer.

`kto`: the label is what the run decided: true for an accepted trace, false for one that was turned down. With `--min-score`
it is whether the trace has that score, and no judge rated it below a floor (`programs.records.FLOORS`); without a score it
has no label and is left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from programs.exports.files import Columns, Row
from programs.exports.format import Format
from programs.exports.view import FACTS, MESSAGES, NO_SCORE, Prompt, View, rating
from programs.records import Record
from programs.run.attempts import ReadTrace

Pair = tuple[Record, Record]
"""The chosen one first."""


def _pair_columns(view: View) -> Columns:
    replies = dict.fromkeys(("chosen", "rejected"), view.replies)
    scores = dict.fromkeys(("score_chosen", "score_rejected"), "float64")
    return {"prompt": MESSAGES, **replies, **scores, "rejected_id": "string", **FACTS}


def _pair_rows(traces: Sequence[ReadTrace], view: View) -> Iterator[Row | str]:
    pairs = [*_own_pairs(traces, view)]
    # What came to another answer was not judged: no score of it is missing.
    rest = [one for one in traces if one.record.agreed is None or one.record.agreed.agreement == "equivalent"]
    scored = _scored_pairs(rest, view)
    if not isinstance(scored, str):
        pairs += scored
    elif not pairs:
        yield scored
    for chosen, rejected in pairs:
        yield from view.rows(chosen, partial(_pair_row, chosen, rejected, view))


def _pair_row(chosen: Record, rejected: Record, view: View, prompt: Prompt) -> Row:
    return {
        "prompt": prompt.messages,
        "chosen": [view.message(chosen)],
        "rejected": [view.message(rejected)],
        "score_chosen": chosen.metadata.quality_score,
        "score_rejected": rejected.metadata.quality_score,
        "rejected_id": rejected.id,
    }


def _own_pairs(traces: Iterable[ReadTrace], view: View) -> Iterator[Pair]:
    """The best accepted own thought with each try that came to another answer, the furthest off first."""
    own = [(one, one.record.agreed.agreement) for one in traces if one.record.agreed is not None]
    chosen = _best(one for one, _ in own)
    if chosen is not None and (view.min_score is None or rating(chosen) >= view.min_score):
        for wanted in ("contradicts", "partial"):
            yield from ((chosen, one.record) for one, agreement in own if agreement == wanted)


def _best(traces: Iterable[ReadTrace]) -> Record | None:
    return max((one.record for one in traces if one.became == "accepted"), key=rating, default=None)


def _scored_pairs(traces: Sequence[ReadTrace], view: View) -> list[Pair] | str:
    """The best accepted trace with each that is worse by the margin, the worst first; or why there is none."""
    if len(traces) < 2:
        return "questions with a single trace (make more with --traces-per-question, or judge with --quality-check)"
    scored = [one for one in traces if rating(one.record)]
    if len(scored) < 2:
        return "questions with fewer than two traces that judges rated"
    chosen = _best(scored)
    if chosen is None:
        return "questions of which no trace was accepted"
    best = rating(chosen)
    if view.min_score is not None and best < view.min_score:
        return f"questions whose best trace is below {view.min_score:g}"
    # Decimal fractions are not exact: 8.3 - 7.3 is less than 1.
    worse = [one.record for one in scored if 0 < best - rating(one.record) >= view.margin - 1e-9]
    pairs = [(chosen, one) for one in sorted(worse, key=rating) if view.reply(one) != view.reply(chosen)]
    return pairs or f"questions without two traces that are {view.margin:g} apart (--margin)"


def _labelled_rows(traces: Sequence[ReadTrace], view: View) -> Iterator[Row | str]:
    (trace,) = traces
    label = _label(trace, view)
    if isinstance(label, str):
        yield label
    else:
        row: Row = {"completion": [view.message(trace.record)], "label": label}
        yield from view.rows(trace.record, lambda prompt: {"prompt": prompt.messages, **row})


def _label(trace: ReadTrace, view: View) -> bool | str:
    if view.min_score is not None:
        score = trace.record.metadata.quality_score
        if score is None:
            return NO_SCORE
        return score >= view.min_score and not any(verdict.too_low for verdict in trace.record.verdicts)
    if trace.became == "unused":
        return "neither accepted nor turned down by the latest rules (--min-score labels these by their score)"
    return trace.became == "accepted"


DPO = Format(
    name="dpo",
    about="a question (`prompt`) with a better and a worse trace (`chosen`, `rejected`)",
    columns=_pair_columns,
    rows=_pair_rows,
    grouped=True,
    attempts=True,
    takes_field=True,
    has_thought=True,
)
KTO = Format(
    name="kto",
    about="a question (`prompt`), a thought with its answer (`completion`), and whether it is good (`label`)",
    columns=lambda view: {"prompt": MESSAGES, "completion": view.replies, "label": "bool", **FACTS},
    rows=_labelled_rows,
    attempts=True,
    takes_field=True,
    has_thought=True,
)
