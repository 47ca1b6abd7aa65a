"""Deciding about a journal's questions again, before a run by other rules than the last one's (see `screening`).

Questions with accepted traces come first, then the texts in the order of the journal: what was paid for is rather kept.
Traces of a question that is now left out are withdrawn, and traces that give one of the benchmarks away are contaminated:
they stay in the journal and leave the document. Broken off in the middle, it comes to the same when it is begun again.
"""

from typing import Any

from programs.journals.journal import Journal
from programs.journals.tally import CONTAMINATED, WITHDRAWN
from programs.selection.screening import Screen, entries_of, using
from programs.stages.questions import QuestionPool

Line = dict[str, Any]


def prepare(screen: Screen) -> None:
    """Brings the journal to the screen's rules, and the register to the journal. Raises `JournalError`."""
    last = screen.journal.latest("run", "") or {}
    with using():
        if last.get("question_rules", "") != screen.rules:
            _decide_again(screen)
        elif screen.register is not None:
            if not screen.journal.has(screen.register.read_to):
                screen.register.clear()
            for line in screen.journal.newer_pools(screen.register.read_to[0]):
                screen.register.put(line["key"], entries_of(QuestionPool.model_validate(line).questions))
        screen.commit()


def _decide_again(screen: Screen) -> None:
    journal, register = screen.journal, screen.register
    if register is not None:
        register.clear()
        for line in journal.pools():
            made = _with_accepted(screen, line)
            if made.questions:
                register.put(line["key"], entries_of(screen.decide(line["key"], made).questions))
    for line in journal.pools():
        sample, before = line["key"], QuestionPool.model_validate(line)
        decided = screen.decide(sample, _all(screen, before, sample))
        if decided.dropped != before.dropped:
            screen.write(sample, decided)
            _open(journal, sample)
        elif register is not None:
            register.put(sample, entries_of(decided.questions))
        _withdraw(screen, sample, decided)
    if screen.benchmarks is not None:
        for line in journal.units("accepted"):
            _withdraw_contaminated(screen, line)


def _all(screen: Screen, pool: QuestionPool, sample: str) -> QuestionPool:
    """A text's questions as they were before any was left out."""
    return QuestionPool(questions=pool.usable(sample, screen.seed), rejected=pool.rejected)


def _with_accepted(screen: Screen, line: Line) -> QuestionPool:
    """The questions of a text for which there are accepted traces."""
    units = screen.journal.index.units_of(line["key"])
    made = {key.split("/")[1] for key, status in units.items() if status == "accepted"}
    pool = _all(screen, QuestionPool.model_validate(line), line["key"])
    return QuestionPool(questions=[question for question in pool.questions if question.type.value in made], rejected=[])


def _open(journal: Journal, sample: str) -> None:
    """Leaves a text to be looked at by the run, whatever was said of it before."""
    before = journal.index.sample(sample)
    if before is not None:
        journal.append("sample", sample, basis=before[0], settled=False, line=None, place=None, failure=None)


def _withdraw(screen: Screen, sample: str, pool: QuestionPool) -> None:
    reasons = {question.type.value: f"its question {question.why}: {question.twin}" for question in pool.dropped}
    for key, status in screen.journal.index.units_of(sample).items():
        reason = reasons.get(key.split("/")[1])
        line = screen.journal.latest("unit", key) if reason is not None and status != WITHDRAWN else None
        if line is not None and reason is not None:
            _set_aside(screen, line, WITHDRAWN, reason)


def _withdraw_contaminated(screen: Screen, line: Line) -> None:
    record = line["record"]
    hit = screen.trace(record["user_interaction"]["question"], record["reasoning_trace"], record["final_answer"])
    if hit is not None:
        _set_aside(screen, line, CONTAMINATED, str(hit))


def _set_aside(screen: Screen, line: Line, status: str, reason: str) -> None:
    """A unit's line again, with all that was made of it among what was not taken."""
    records = [*line["attempts"], *([line["record"]] if line["record"] else [])]
    changed = {"status": status, "reason": reason, "basis": screen.rules, "settled": True, "record": None}
    screen.journal.append(**{**line, **changed, "attempts": records})
