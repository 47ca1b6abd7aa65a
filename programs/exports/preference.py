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
from programs.exports.format import Candidate, Format, NoRow
from programs.exports.view import FACTS, MESSAGES, NO_SCORE, Prompt, View, rating
from programs.records import Record

Pair = tuple[Candidate, Candidate]
"""The chosen one first."""


def _pair_columns(view: View) -> Columns:
    replies = dict.fromkeys(("chosen", "rejected"), view.replies)
    scores = dict.fromkeys(("score_chosen", "score_rejected"), "float64")
    return {"prompt": MESSAGES, **replies, **scores, "rejected_id": "string", **FACTS}


def _pair_rows(traces: Sequence[Candidate], view: View) -> Iterator[Row | NoRow]:
    pairs: list[Pair] = list(_own_pairs(traces, view))
    # What came to another answer was not judged: no score of it is missing.
    rest = [one for one in traces if one.record.agreed is None or one.record.agreed.agreement == "equivalent"]
    scored = _scored_pairs(rest, view)
    if not isinstance(scored, NoRow):
        pairs += scored
    elif not pairs:
        yield scored
    for best, other in pairs:
        yield from view.rows(best.record, partial(_pair_row, best.record, other.record, view))


def _pair_row(chosen: Record, rejected: Record, view: View, prompt: Prompt) -> Row:
    return {
        "prompt": prompt.messages,
        "chosen": [view.message(chosen)],
        "rejected": [view.message(rejected)],
        "score_chosen": chosen.metadata.quality_score,
        "score_rejected": rejected.metadata.quality_score,
        "rejected_id": rejected.id,
    }


def _own_pairs(traces: Sequence[Candidate], view: View) -> Iterator[Pair]:
    """The best accepted own thought with each try that came to another answer, the furthest off first."""
    agreements = [(one, one.record.agreed.agreement) for one in traces if one.record.agreed is not None]
    chosen = _best(one for one, _ in agreements)
    if chosen is not None and (view.min_score is None or rating(chosen.record) >= view.min_score):
        for wanted in ("contradicts", "partial"):
            yield from ((chosen, one) for one, agreement in agreements if agreement == wanted)


def _best(traces: Iterable[Candidate]) -> Candidate | None:
    accepted = (one for one in traces if one.became == "accepted")
    return max(accepted, key=lambda one: rating(one.record), default=None)


def _scored_pairs(traces: Sequence[Candidate], view: View) -> list[Pair] | NoRow:
    """The best accepted trace with each that is worse by the margin, the worst first; or why there is none."""
    if len(traces) < 2:
        return NoRow(
            "questions with a single trace (make more with --traces-per-question, or judge with --quality-check)"
        )
    scored = [one for one in traces if rating(one.record)]
    if len(scored) < 2:
        return NoRow("questions with fewer than two traces that judges rated")
    chosen = _best(scored)
    if chosen is None:
        return NoRow("questions of which no trace was accepted")
    best = rating(chosen.record)
    if view.min_score is not None and best < view.min_score:
        return NoRow(f"questions whose best trace is below {view.min_score:g}")
    # Decimal fractions are not exact: 8.3 - 7.3 is less than 1.
    worse = [one for one in scored if 0 < best - rating(one.record) >= view.margin - 1e-9]
    pairs = [(chosen, one) for one in worse if one.texts != chosen.texts]
    pairs.sort(key=lambda pair: rating(pair[1].record))
    return pairs or NoRow(f"questions without two traces that are {view.margin:g} apart (--margin)")


def _labelled_rows(traces: Sequence[Candidate], view: View) -> Iterator[Row | NoRow]:
    (trace,) = traces
    label, completion = _label(trace, view), [view.message(trace.record)]
    if isinstance(label, NoRow):
        yield label
    else:
        row: Row = {"completion": completion, "label": label}
        yield from view.rows(trace.record, lambda prompt: {"prompt": prompt.messages, **row})


def _label(trace: Candidate, view: View) -> bool | NoRow:
    if view.min_score is not None:
        score = trace.record.metadata.quality_score
        if score is None:
            return NoRow(NO_SCORE)
        return score >= view.min_score and not any(verdict.too_low for verdict in trace.record.verdicts)
    if trace.became == "unused":
        return NoRow("neither accepted nor turned down by the latest rules (--min-score labels these by their score)")
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
