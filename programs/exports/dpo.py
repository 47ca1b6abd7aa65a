"""`dpo`: pairs of a better and a worse trace of one question, for preference optimization.

Chosen is the best accepted trace of a question; every other one that is worse by the margin makes a pair with it, the
worst first: other variations, and attempts that the judges turned down. Scores are compared by one measure only.

Before these come pairs that need no score: a model's own thought whose answer agrees with the grounded one, and those tries
of the same question that came to another answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from programs.exports.columns import Columns
from programs.exports.format import Candidate, Format, Row, Skip
from programs.exports.view import FACTS, MESSAGES, View
from programs.records import Record

Scored = tuple[float, Record]
MaybeScored = tuple[float | None, Record]


def _columns(view: View) -> Columns:
    scores: Columns = {"score_chosen": "float64", "score_rejected": "float64"}
    return {
        "prompt": MESSAGES,
        "chosen": view.replies,
        "rejected": view.replies,
        **scores,
        "rejected_id": "string",
        **FACTS,
    }


def _rows(traces: Sequence[Candidate], view: View) -> Iterator[Row | Skip]:
    own = list(_own_pairs(traces, view))
    for best, other in own[: view.pairs]:
        yield from _pair(best, other, view)
    left = replace(view, pairs=None if view.pairs is None else max(0, view.pairs - len(own)))
    rest = [trace for trace in traces if trace.record.agreed is None or trace.record.agreed.agreement == "equivalent"]
    # What came to another answer was not judged: no score of it is missing.
    yield from (row for row in _scored_rows(rest, left) if not (own and isinstance(row, Skip)))


def _own_pairs(traces: Sequence[Candidate], view: View) -> Iterator[tuple[MaybeScored, MaybeScored]]:
    """The best accepted own thought with each try that came to another answer, the furthest off first."""
    own = [(view.measure.of(trace.record), trace) for trace in traces if trace.record.agreed is not None]
    accepted = [(score, trace.record) for score, trace in own if trace.became == "accepted"]
    if not accepted:
        return
    best = max(accepted, key=lambda one: -1.0 if one[0] is None else one[0])
    if view.min_score is not None and (best[0] is None or best[0] < view.min_score):
        return
    for agreement in ("contradicts", "partial"):
        for score, trace in own:
            if trace.record.agreed is not None and trace.record.agreed.agreement == agreement:
                yield best, (score, trace.record)


def _scored_rows(traces: Sequence[Candidate], view: View) -> Iterator[Row | Skip]:
    scored = [(trace, score) for trace in traces if (score := view.measure.of(trace.record)) is not None]
    accepted = [(score, trace.record) for trace, score in scored if trace.became == "accepted"]
    if len(traces) < 2:
        yield Skip(
            "questions with a single trace (make more with --traces-per-question, or judge with --quality-check)"
        )
        return
    if len(scored) < 2:
        yield Skip(f"questions with fewer than two traces that have a score of {view.measure.name}")
        return
    if not accepted:
        yield Skip("questions of which no trace was accepted")
        return
    best = max(accepted, key=lambda one: one[0])
    if view.min_score is not None and best[0] < view.min_score:
        yield Skip(f"questions whose best trace is below {view.min_score:g}")
        return
    worse = sorted(
        _worse([(score, trace.record) for trace, score in scored], best, view.margin), key=lambda one: one[0]
    )
    if not worse:
        yield Skip(f"questions without two traces that are {view.margin:g} apart (--margin)")
    for other in worse[: view.pairs]:
        yield from _pair(best, other, view)


def _worse(scored: list[Scored], best: Scored, margin: float) -> Iterator[Scored]:
    for score, record in scored:
        # Decimal fractions are not exact: 8.3 - 7.3 is less than 1.
        if score < best[0] and best[0] - score >= margin - 1e-9 and _texts(record) != _texts(best[1]):
            yield score, record


def _texts(record: Record) -> tuple[str, str]:
    return record.reasoning_trace, record.final_answer


def _pair(best: MaybeScored, other: MaybeScored, view: View) -> Iterator[Row]:
    for prompt in view.prompts(best[1]):
        yield {
            "prompt": prompt.messages,
            "chosen": [view.message(best[1])],
            "rejected": [view.message(other[1])],
            "score_chosen": best[0],
            "score_rejected": other[0],
            "rejected_id": other[1].id,
            **view.facts(best[1], prompt),
        }


DPO = Format(
    name="dpo",
    about="a question (`prompt`) with a better and a worse trace (`chosen`, `rejected`)",
    columns=_columns,
    rows=_rows,
    grouped=True,
    attempts=True,
    takes_field=True,
)
