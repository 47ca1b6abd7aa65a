"""The formats of preference: pairs of a better and a worse trace of a question, and single traces with a label.

`dpo`: chosen is the best accepted trace of a question; every other one that is worse by the margin makes a pair with it,
the worst first: other variations, and attempts that the judges turned down. Scores are compared by one measure only.
The prompt is that of the chosen trace: a rejected one that uses figures which it does not show is rejected for that too.
Before these come pairs that need no score: a model's own thought whose answer agrees with the grounded one, and the tries
of the same question that came to another answer.

`kto`: the label is what the run decided: true for an accepted trace, false for one that was turned down. With `--min-score`
it is whether the trace has that score, and no judge rated it below a floor (`programs.records.FLOORS`); without a score it
has no label and is left out.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from programs.exports.files import Columns, Row
from programs.exports.format import Candidate, Format, Skip
from programs.exports.view import FACTS, MESSAGES, View

Pair = tuple[Candidate, Candidate]
"""The chosen one first."""


def _pair_columns(view: View) -> Columns:
    replies = dict.fromkeys(("chosen", "rejected"), view.replies)
    scores = dict.fromkeys(("score_chosen", "score_rejected"), "float64")
    return {"prompt": MESSAGES, **replies, **scores, "rejected_id": "string", **FACTS}


def _pair_rows(traces: Sequence[Candidate], view: View) -> Iterator[Row | Skip]:
    most = view.pairs_per_question
    pairs: list[Pair] = list(islice(_own_pairs(traces, view), most))
    # What came to another answer was not judged: no score of it is missing.
    rest = [one for one in traces if one.record.agreed is None or one.record.agreed.agreement == "equivalent"]
    scored = _scored_pairs(rest, view)
    if not isinstance(scored, Skip):
        pairs += scored[: None if most is None else most - len(pairs)]
    elif not pairs:
        yield scored
    for best, other in pairs:
        yield from _rows_of_pair(best, other, view)


def _rows_of_pair(best: Candidate, other: Candidate, view: View) -> Iterator[Row]:
    row: Row = {
        "chosen": [view.message(best.record)],
        "rejected": [view.message(other.record)],
        "score_chosen": view.measure.of(best.record),
        "score_rejected": view.measure.of(other.record),
        "rejected_id": other.record.id,
    }
    return view.rows(best.record, lambda prompt: {"prompt": prompt.messages, **row})


def _own_pairs(traces: Sequence[Candidate], view: View) -> Iterator[Pair]:
    """The best accepted own thought with each try that came to another answer, the furthest off first."""
    scored = [(-1.0 if (score := view.measure.of(one.record)) is None else score, one) for one in traces]
    own = [(score, one) for score, one in scored if one.record.agreed is not None and one.became == "accepted"]
    if own:
        best, chosen = max(own, key=lambda pair: pair[0])
        if view.min_score is None or best >= view.min_score:
            for agreement in ("contradicts", "partial"):
                for one in traces:
                    if one.record.agreed is not None and one.record.agreed.agreement == agreement:
                        yield chosen, one


def _scored_pairs(traces: Sequence[Candidate], view: View) -> list[Pair] | Skip:
    """The best accepted trace with each that is worse by the margin, the worst first; or why there is none."""
    if len(traces) < 2:
        return Skip(
            "questions with a single trace (make more with --traces-per-question, or judge with --quality-check)"
        )
    scored = [(score, one) for one in traces if (score := view.measure.of(one.record)) is not None]
    if len(scored) < 2:
        return Skip(f"questions with fewer than two traces that have a score of {view.measure.name}")
    accepted = [(score, one) for score, one in scored if one.became == "accepted"]
    if not accepted:
        return Skip("questions of which no trace was accepted")
    best, chosen = max(accepted, key=lambda pair: pair[0])
    if view.min_score is not None and best < view.min_score:
        return Skip(f"questions whose best trace is below {view.min_score:g}")
    # Decimal fractions are not exact: 8.3 - 7.3 is less than 1.
    apart = [(score, one) for score, one in scored if score < best and best - score >= view.least_margin - 1e-9]
    worse = [one for _, one in sorted(apart, key=lambda pair: pair[0]) if _texts(one) != _texts(chosen)]
    if not worse:
        return Skip(f"questions without two traces that are {view.least_margin:g} apart (--margin)")
    return [(chosen, one) for one in worse]


def _texts(trace: Candidate) -> tuple[str, str]:
    return trace.record.reasoning_trace, trace.record.final_answer


def _margin(view: View) -> str:
    most = "" if view.pairs_per_question is None else f", at most {view.pairs_per_question} pairs a question"
    return f"The traces of a pair are at least {view.least_margin:g} apart on the {view.measure.name}' scale{most}."


def _labelled_rows(traces: Sequence[Candidate], view: View) -> Iterator[Row | Skip]:
    (trace,) = traces
    label = _label(trace, view)
    if isinstance(label, Skip):
        yield label
        return
    row: Row = {"completion": [view.message(trace.record)], "label": label}
    yield from view.rows(trace.record, lambda prompt: {"prompt": prompt.messages, **row})


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
    rows=_pair_rows,
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
    rows=_labelled_rows,
    attempts=True,
    takes_field=True,
    has_thought=True,
)
