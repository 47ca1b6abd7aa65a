"""The formats of preference: pairs of a better and a worse trace of a question, and single traces with a label.

`dpo`: chosen is the best accepted trace of a question; every other one that is worse by the margin makes a pair with it,
the worst first. The prompt is that of the chosen trace. Before these come pairs that need no score: a model's own thought
whose answer agrees with the grounded one, and the tries of the same question that came to another answer.

`kto`: the label is what the run decided: true for an accepted trace, false for one that was turned down. With `--min-score`
it is whether the trace has that score, and no judge rated it below a floor (`programs.records.FLOORS`).
"""

from collections.abc import Iterable, Iterator, Sequence

from programs.exports.view import FACTS, MESSAGES, NO_SCORE, Columns, Format, Row, View, rating
from programs.records import Record
from programs.run.attempts import ReadTrace


def _pair_columns(view: View) -> Columns:
    replies = dict.fromkeys(("chosen", "rejected"), view.replies)
    scores = dict.fromkeys(("score_chosen", "score_rejected"), "float64")
    return {"prompt": MESSAGES, **replies, **scores, "rejected_id": "string", **FACTS}


def _pair_rows(traces: Sequence[ReadTrace], view: View) -> Iterator[Row | str]:
    own = [(one, one.record.agreed.agreement) for one in traces if one.record.agreed is not None]
    chosen, pairs = _best(one for one, _ in own), list[tuple[Record, Record]]()
    if chosen is not None and rating(chosen) >= (view.min_score or 0):
        worst_first = ("contradicts", "partial")
        pairs = [(chosen, one.record) for wanted in worst_first for one, agreement in own if agreement == wanted]
    # What came to another answer was not judged: no score of it is missing.
    rest = [one for one in traces if one.record.agreed is None or one.record.agreed.agreement == "equivalent"]
    for pair in (*pairs, *_scored_pairs(rest, view)):
        if not isinstance(pair, str):
            yield from _pair(*pair, view)
        elif not pairs:
            yield pair


def _pair(chosen: Record, rejected: Record, view: View) -> Iterator[Row]:
    row: Row = {
        "chosen": [view.message(chosen)],
        "rejected": [view.message(rejected)],
        "score_chosen": chosen.metadata.quality_score,
        "score_rejected": rejected.metadata.quality_score,
        "rejected_id": rejected.id,
    }
    return view.rows(chosen, lambda prompt: {"prompt": prompt.messages, **row})


def _best(traces: Iterable[ReadTrace]) -> Record | None:
    return max((one.record for one in traces if one.became == "accepted"), key=rating, default=None)


def _scored_pairs(traces: Sequence[ReadTrace], view: View) -> Iterator[tuple[Record, Record] | str]:
    """The best accepted trace with each that is worse by the margin, the worst first; or why there is none."""
    scored = [one for one in traces if rating(one.record)]
    chosen = _best(scored)
    if len(traces) < 2:
        yield "questions with a single trace (make more with --traces-per-question, or judge with --quality-check)"
    elif len(scored) < 2:
        yield "questions with fewer than two traces that judges rated"
    elif chosen is None:
        yield "questions of which no trace was accepted"
    elif rating(chosen) < (view.min_score or 0):
        yield f"questions whose best trace is below {view.min_score:g}"
    else:
        best, reply = rating(chosen), view.reply(chosen)
        # Decimal fractions are not exact: 8.3 - 7.3 is less than 1.
        worse = [one.record for one in scored if 0 < best - rating(one.record) >= view.margin - 1e-9]
        pairs = [(chosen, one) for one in sorted(worse, key=rating) if view.reply(one) != reply]
        yield from pairs
        if not pairs:
            yield f"questions without two traces that are {view.margin:g} apart (--margin)"


def _labelled_rows(traces: Sequence[ReadTrace], view: View) -> Iterator[Row | str]:
    (trace,) = traces
    label = _label(trace, view.min_score)
    if isinstance(label, str):
        yield label
    else:
        row: Row = {"completion": [view.message(trace.record)], "label": label}
        yield from view.rows(trace.record, lambda prompt: {"prompt": prompt.messages, **row})


def _label(trace: ReadTrace, least: float | None) -> bool | str:
    score = trace.record.metadata.quality_score
    if least is None:
        unused = "neither accepted nor turned down by the latest rules (--min-score labels these by their score)"
        return unused if trace.became == "unused" else trace.became == "accepted"
    if score is None:
        return NO_SCORE
    return score >= least and not any(verdict.too_low for verdict in trace.record.verdicts)


DPO = Format(
    "dpo",
    "a question (`prompt`) with a better and a worse trace (`chosen`, `rejected`)",
    _pair_columns,
    _pair_rows,
    grouped=True,
    attempts=True,
    thought="message",
)
KTO = Format(
    "kto",
    "a question (`prompt`), a thought with its answer (`completion`), and whether it is good (`label`)",
    lambda view: {"prompt": MESSAGES, "completion": view.replies, "label": "bool", **FACTS},
    _labelled_rows,
    attempts=True,
    thought="message",
)
