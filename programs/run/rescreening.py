"""Brings a journal to the rules by which a run leaves out questions and traces (`programs.selection`), before it begins:
all of it is decided about again, without a call, where it was decided by other rules."""

from collections.abc import Mapping
from typing import Any

from programs.rejection import Reason, Rejection
from programs.run.journal import Journal
from programs.selection.screening import GIVEN_AWAY, Screen, using
from programs.stages.questions import QuestionPool
from programs.traces.line import CONTAMINATED, WITHDRAWN, attempts_of

Line = dict[str, Any]


def prepare(screen: Screen, journal: Journal) -> None:
    """Brings the journal to the screen's rules, and the register to the journal. Raises `JournalError`."""
    last = journal.latest("run", "") or {}
    with using():
        if last.get("question_rules", "") != screen.rules:
            _decide_again(screen, journal)
        elif screen.register is not None:
            if not journal.has(screen.register.read_to):
                screen.register.clear()
            for line in journal.pools(since=screen.register.read_to[0]):
                screen.registered(line["key"], QuestionPool.model_validate(line))
        screen.commit()


def given_away(screen: Screen, line: Mapping[str, Any]) -> dict[str, str]:
    """What of a variation's line was not taken and gives a benchmark away: the records' ids, and where it stands."""
    found = {
        record["id"]: screen.trace(record["reasoning_trace"], record["final_answer"])
        for became, record in attempts_of({**line, "contaminated": {}})
        if became != "accepted"
    }
    return {name: str(hit) for name, hit in found.items() if hit is not None}


def _decide_again(screen: Screen, journal: Journal) -> None:
    if screen.register is not None:
        screen.register.clear()
        # What was made comes first.
        for line in journal.pools():
            made = _all(screen, line, made=_types_of(journal, line["key"], "accepted"))
            if made.questions:
                screen.registered(line["key"], screen.decide(line["key"], made))
    for line in journal.pools():
        sample, before = line["key"], QuestionPool.model_validate(line)
        decided = screen.decide(sample, _all(screen, line))
        if decided.dropped != before.dropped:
            screen.write(sample, decided)
            _open(journal, sample)
        else:
            screen.registered(sample, decided)
        _withdraw(screen, journal, sample, decided)
    for line in journal.variations():
        _look_through(screen, journal, line)


def _all(screen: Screen, line: Line, made: Mapping[str, str] | None = None) -> QuestionPool:
    """A text's questions as they were before any was left out, or those of the types that were `made`."""
    pool = QuestionPool.model_validate(line)
    usable = pool.usable(line["key"], screen.seed)
    return QuestionPool(
        questions=[question for question in usable if made is None or question.type in made],
        rejected=pool.rejected,
    )


def _types_of(journal: Journal, sample: str, wanted: str) -> dict[str, str]:
    variations = journal.index.variations_of(sample)
    return {key.split("/")[1]: key for key, status in variations.items() if status == wanted}


def _open(journal: Journal, sample: str) -> None:
    """Leaves a text to be looked at by the run, whatever was said of it before."""
    before = journal.index.sample(sample)
    if before is not None:
        journal.append("sample", sample, basis=before[0], settled=False, line=None, place=None, failure=None)


def _withdraw(screen: Screen, journal: Journal, sample: str, pool: QuestionPool) -> None:
    rejections = {
        question.type: Rejection(
            reason=Reason.BENCHMARK if question.why == GIVEN_AWAY else Reason.REPEATED,
            detail=f"its question {question.why}: {question.twin}",
        )
        for question in pool.dropped
    }
    for key, status in journal.index.variations_of(sample).items():
        rejection = rejections.get(key.split("/")[1])
        line = journal.latest("unit", key) if rejection is not None and status != WITHDRAWN else None
        if line is not None and rejection is not None:
            _set_aside(screen, journal, line, WITHDRAWN, rejection)


def _look_through(screen: Screen, journal: Journal, line: Line) -> None:
    """Looks for benchmarks in all that was made of a variation: attempts that were not taken may be exported too."""
    record = line["record"]
    if line["status"] == "accepted":
        hit = screen.trace(record["user_interaction"]["question"], record["reasoning_trace"], record["final_answer"])
        if hit is not None:
            line = _set_aside(screen, journal, line, CONTAMINATED, Rejection(reason=Reason.BENCHMARK, detail=str(hit)))
    found = given_away(screen, line)
    if found != (line.get("contaminated") or {}):
        journal.append(**{**line, "contaminated": found})


def _set_aside(screen: Screen, journal: Journal, line: Line, status: str, rejection: Rejection) -> Line:
    """A variation's line again, with all that was made of it among what was not taken. Gives the new line."""
    records = [*line["attempts"], *([line["record"]] if line["record"] else [])]
    said = rejection.model_dump(mode="json")
    changed = {"status": status, "rejection": said, "basis": screen.rules, "settled": True, "record": None}
    changed_line = {**line, **changed, "attempts": records}
    journal.append(**changed_line)
    return changed_line
