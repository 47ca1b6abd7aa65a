"""The preference formats: pairs of a better and a worse trace of a question, and single traces with a label.

`dpo`: the best accepted trace of a question is chosen. Each other trace that is worse by the margin is rejected in one
pair, the worst first. The prompt is that of the chosen trace. Pairs that need no score come first: the best of a model's
own thoughts whose answer agrees with the grounded one, against each of its tries that reached another answer.

`kto`: the label is the run's decision: true for an accepted trace, false for a rejected one. With `--min-score`, it is
whether the trace has at least that score and no judge rated it below a floor (`programs.record_parts.FLOORS`).
"""

from collections.abc import Iterable, Iterator, Sequence

from programs.exports.view import FACTS, MESSAGES, NO_SCORE, Columns, Format, Row, RowOptions, rating
from programs.records import Record
from programs.run.attempts import ReadTrace


def _pair_columns(view: RowOptions) -> Columns:
    replies = dict.fromkeys(("chosen", "rejected"), view.replies)
    scores = dict.fromkeys(("score_chosen", "score_rejected"), "float64")
    return {"prompt": MESSAGES, **replies, **scores, "rejected_id": "string", **FACTS}


def _pair_rows(traces: Sequence[ReadTrace], view: RowOptions) -> Iterator[Row | str]:
    own = [(trace, trace.record.agreed.agreement) for trace in traces if trace.record.agreed is not None]
    chosen = _best_accepted(trace for trace, _ in own)
    pairs = list[tuple[Record, Record]]()
    if chosen is not None and rating(chosen) >= (view.min_score or 0):
        worst_first = ("contradicts", "partial")
        pairs = [(chosen, trace.record) for worst in worst_first for trace, agreement in own if agreement == worst]
    # Tries that reached another answer were never judged, so they do not count as traces without a score.
    rest = [trace for trace in traces if trace.record.agreed is None or trace.record.agreed.agreement == "equivalent"]
    for pair in (*pairs, *_scored_pairs(rest, view)):
        if not isinstance(pair, str):
            yield from _pair(*pair, view)
        elif not pairs:
            yield pair


def _pair(chosen: Record, rejected: Record, view: RowOptions) -> Iterator[Row]:
    row: Row = {
        "chosen": [view.message(chosen)],
        "rejected": [view.message(rejected)],
        "score_chosen": chosen.metadata.quality_score,
        "score_rejected": rejected.metadata.quality_score,
        "rejected_id": rejected.id,
    }
    return view.rows(chosen, lambda prompt: {"prompt": prompt.messages, **row})


def _best_accepted(traces: Iterable[ReadTrace]) -> Record | None:
    return max((trace.record for trace in traces if trace.outcome == "accepted"), key=rating, default=None)


def _scored_pairs(traces: Sequence[ReadTrace], view: RowOptions) -> Iterator[tuple[Record, Record] | str]:
    """Pairs the best accepted trace with each that is worse by the margin, the worst first; or yields why it cannot."""
    scored = [trace for trace in traces if rating(trace.record)]
    chosen = _best_accepted(scored)
    if len(traces) < 2:
        yield "questions with a single trace (make more with --traces-per-question, or judge with --quality-check)"
    elif len(scored) < 2:
        yield "questions with fewer than two traces rated by judges"
    elif chosen is None:
        yield "questions without an accepted trace"
    elif rating(chosen) < (view.min_score or 0):
        yield f"questions whose best trace is below {view.min_score:g}"
    else:
        best, reply = rating(chosen), view.reply(chosen)
        # In floating point, 8.3 - 7.3 is less than 1.
        worse = [trace.record for trace in scored if 0 < best - rating(trace.record) >= view.margin - 1e-9]
        pairs = [(chosen, record) for record in sorted(worse, key=rating) if view.reply(record) != reply]
        yield from pairs
        if not pairs:
            yield f"questions without two traces that are {view.margin:g} apart (--margin)"


def _labelled_rows(traces: Sequence[ReadTrace], view: RowOptions) -> Iterator[Row | str]:
    (trace,) = traces
    label = _label(trace, view.min_score)
    if isinstance(label, str):
        yield label
    else:
        row: Row = {"completion": [view.message(trace.record)], "label": label}
        yield from view.rows(trace.record, lambda prompt: {"prompt": prompt.messages, **row})


def _label(trace: ReadTrace, min_score: float | None) -> bool | str:
    score = trace.record.metadata.quality_score
    if min_score is None:
        undecided = "neither accepted nor rejected under the latest rules (--min-score labels these by their score)"
        return undecided if trace.outcome == "unused" else trace.outcome == "accepted"
    if score is None:
        return NO_SCORE
    return score >= min_score and not any(verdict.ratings_below_floor for verdict in trace.record.verdicts)


DPO = Format(
    "dpo",
    "a question (`prompt`) with a better and a worse trace (`chosen`, `rejected`)",
    _pair_columns,
    _pair_rows,
    per_question=True,
    with_attempts=True,
    thought_in="message",
)
KTO = Format(
    "kto",
    "a question (`prompt`), a thought with its answer (`completion`), and whether it is good (`label`)",
    lambda view: {"prompt": MESSAGES, "completion": view.replies, "label": "bool", **FACTS},
    _labelled_rows,
    with_attempts=True,
    thought_in="message",
)
