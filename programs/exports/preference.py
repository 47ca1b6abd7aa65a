"""The formats of preference: pairs of a better and a worse trace of a question, and single traces with a label.

`dpo`: chosen is the best accepted trace of a question; every other one that is worse by the margin makes a pair with it,
the worst first: other variations, and attempts that the judges turned down. Scores are compared by one measure only.
The prompt is that of the chosen trace: a rejected one that uses figures which it does not show is rejected for that too.
Before these come pairs that need no score: a model's own thought whose answer agrees with the grounded one, and the tries
of the same question that came to another answer.

`kto`: the label is what the run decided: true for an accepted trace, false for one that the judges turned down or, among a
model's own thoughts, that came to another answer than the grounded one. With `--min-score` it is whether the trace has that
score, and no judge rated it below a floor (`programs.records.FLOORS`); without a score it has no label and is left out.
"""

from collections.abc import Iterator, Sequence
from operator import itemgetter

from programs.exports.columns import Columns
from programs.exports.format import Candidate, Format, Row, Skip
from programs.exports.view import FACTS, MESSAGES, View

Scored = tuple[float, Candidate]
MaybeScored = tuple[float | None, Candidate]
_score = itemgetter(0)


def _pair_columns(view: View) -> Columns:
    return {
        "prompt": MESSAGES,
        "chosen": view.replies,
        "rejected": view.replies,
        "score_chosen": "float64",
        "score_rejected": "float64",
        "rejected_id": "string",
        **FACTS,
    }


def _pairs(traces: Sequence[Candidate], view: View) -> Iterator[Row | Skip]:
    most = view.pairs_per_question
    own = list(_own_pairs(traces, view))[:most]
    for best, other in own:
        yield from _pair(best, other, view)
    # What came to another answer was not judged: no score of it is missing.
    rest = [one for one in traces if one.record.agreed is None or one.record.agreed.agreement == "equivalent"]
    for row in _scored_pairs(rest, view, None if most is None else most - len(own)):
        if not (own and isinstance(row, Skip)):
            yield row


def _own_pairs(traces: Sequence[Candidate], view: View) -> Iterator[tuple[MaybeScored, MaybeScored]]:
    """The best accepted own thought with each try that came to another answer, the furthest off first."""
    own = [(view.measure.of(trace.record), trace) for trace in traces if trace.record.agreed is not None]
    accepted = [one for one in own if one[1].became == "accepted"]
    if not accepted:
        return
    best = max(accepted, key=lambda one: -1.0 if one[0] is None else one[0])
    if view.min_score is not None and (best[0] is None or best[0] < view.min_score):
        return
    for agreement in ("contradicts", "partial"):
        for score, trace in own:
            if trace.record.agreed is not None and trace.record.agreed.agreement == agreement:
                yield best, (score, trace)


def _scored_pairs(traces: Sequence[Candidate], view: View, most: int | None) -> Iterator[Row | Skip]:
    scored = [(score, trace) for trace in traces if (score := view.measure.of(trace.record)) is not None]
    best = max(((score, trace) for score, trace in scored if trace.became == "accepted"), key=_score, default=None)
    if len(traces) < 2:
        yield Skip(
            "questions with a single trace (make more with --traces-per-question, or judge with --quality-check)"
        )
    elif len(scored) < 2:
        yield Skip(f"questions with fewer than two traces that have a score of {view.measure.name}")
    elif best is None:
        yield Skip("questions of which no trace was accepted")
    elif view.min_score is not None and best[0] < view.min_score:
        yield Skip(f"questions whose best trace is below {view.min_score:g}")
    else:
        worse = sorted((other for other in scored if _is_worse(other, best, view.least_margin)), key=_score)
        if not worse:
            yield Skip(f"questions without two traces that are {view.least_margin:g} apart (--margin)")
        for other in worse[:most]:
            yield from _pair(best, other, view)


def _is_worse(other: Scored, best: Scored, margin: float) -> bool:
    # Decimal fractions are not exact: 8.3 - 7.3 is less than 1.
    apart = other[0] < best[0] and best[0] - other[0] >= margin - 1e-9
    one, two = other[1].record, best[1].record
    return apart and (one.reasoning_trace, one.final_answer) != (two.reasoning_trace, two.final_answer)


def _pair(best: MaybeScored, other: MaybeScored, view: View) -> Iterator[Row]:
    row: Row = {
        "chosen": [view.message(best[1].record)],
        "rejected": [view.message(other[1].record)],
        "score_chosen": best[0],
        "score_rejected": other[0],
        "rejected_id": other[1].record.id,
    }
    return view.rows(best[1].record, lambda prompt: {"prompt": prompt.messages, **row})


def _margin(view: View) -> str:
    most = "" if view.pairs_per_question is None else f", at most {view.pairs_per_question} pairs a question"
    return f"The traces of a pair are at least {view.least_margin:g} apart on the {view.measure.name}' scale{most}."


def _labelled(traces: Sequence[Candidate], view: View) -> Iterator[Row | Skip]:
    (trace,) = traces
    label = _label(trace, view)
    if isinstance(label, Skip):
        yield label
        return
    completion = [view.message(trace.record)]
    yield from view.rows(
        trace.record, lambda prompt: {"prompt": prompt.messages, "completion": completion, "label": label}
    )


def _label(trace: Candidate, view: View) -> bool | Skip:
    if view.min_score is not None:
        score = view.measure.of(trace.record)
        if score is None:
            return Skip(view.measure.missing)
        return score >= view.min_score and not any(verdict.too_low for verdict in trace.record.verdicts)
    if trace.became == "unused":
        return Skip("neither accepted nor turned down by the latest rules (--min-score labels these by their score)")
    return trace.became == "accepted"


DPO = Format(
    name="dpo",
    about="a question (`prompt`) with a better and a worse trace (`chosen`, `rejected`)",
    columns=_pair_columns,
    rows=_pairs,
    grouped=True,
    attempts=True,
    takes_field=True,
    has_thought=True,
    explain=_margin,
)
KTO = Format(
    name="kto",
    about="a question (`prompt`), a thought with its answer (`completion`), and whether it is good (`label`)",
    columns=lambda view: {"prompt": MESSAGES, "completion": view.replies, "label": "bool", **FACTS},
    rows=_labelled,
    attempts=True,
    takes_field=True,
    has_thought=True,
)
