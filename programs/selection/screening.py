"""Which questions are left out for the sake of others: those that another text asked before (`--dedupe-questions`), and
those that give a benchmark away (`--decontaminate`).

What was decided about a text's questions stands in its pool line, and is read from there by later runs. All questions of
a text are decided at once, whether they will be used or not: a later run that uses more of them changes nothing about
other texts. A run by other rules decides about all of the journal again before it begins (see `rescreening`).

Which of two questions that ask the same is kept is settled by the order of their texts in the input, since texts are
decided about in turn (`programs.run.gate`): not by how fast they were answered. Texts that got no answer at first
come later.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from programs.errors import JournalError, UserError
from programs.inputs.sources import expand
from programs.run.journal import Journal
from programs.settings import Settings
from programs.stages.questions import DroppedQuestion, Question, QuestionPool
from programs.text.near_duplicates import similarity
from programs.traces.unit_line import CONTAMINATED, WITHDRAWN, attempts_of
from signatures.question_type import QuestionType

if TYPE_CHECKING:
    from programs.selection.benchmarks import Benchmarks, Hit
    from programs.selection.register import Register

REPEATED = "asks the same as another question"
GIVEN_AWAY = "gives a benchmark away"

POOLS_A_COMMIT = 1000


@dataclass
class Screen:
    """Decides about questions and traces. With neither a register nor benchmarks it lets everything pass. `threshold` is
    from which similarity on (75-100) two questions are one."""

    journal: Journal
    seed: int
    threshold: float = 85.0
    register: "Register | None" = None
    benchmarks: "Benchmarks | None" = None
    _uncommitted: int = 0

    @property
    def rules(self) -> str:
        """By what is decided; empty: nothing is left out. Questions decided by other rules are decided again."""
        parts = [f"no two alike from {self.threshold:g}"] if self.register else []
        # Journals in which accepted traces alone were looked at say "clear of benchmarks": they are looked at again.
        parts += [f"all clear of benchmarks {self.benchmarks.content}"] if self.benchmarks else []
        return "; ".join(parts)

    @property
    def takes_turns(self) -> bool:
        """Whether what is decided about a text depends on the texts before it."""
        return self.register is not None

    def decided(self, sample: str) -> bool:
        """Whether a text's questions were decided about."""
        return self.journal.index.place("pool", sample) is not None

    def pool(self, sample: str, fresh: QuestionPool) -> QuestionPool:
        """What stands of a text's questions, as the journal has it, or else decided and written now."""
        if not self.rules and self.decided(sample):
            return fresh
        line = self.journal.latest("pool", sample)
        if line is not None:
            stored = QuestionPool.model_validate(line)
            if _texts(fresh.questions) == _texts([*stored.questions, *stored.dropped]):
                left_out = _texts(stored.dropped)
                kept = [question for question in fresh.questions if (question.type, question.text) not in left_out]
                return fresh.model_copy(update={"questions": kept, "dropped": stored.dropped})
        with using():
            decided = self.decide(sample, fresh)
            self.write(sample, decided)
            self._uncommitted += 1
            if self._uncommitted >= POOLS_A_COMMIT:
                self.commit()
        return decided

    def trace(self, *texts: str) -> "Hit | None":
        """What a trace's texts give away of the benchmarks, by their words in a row."""
        if self.benchmarks is None:
            return None
        with using():
            return next((hit for text in texts if (hit := self.benchmarks.overlap(text))), None)

    def attempts(self, line: Mapping[str, Any]) -> dict[str, str]:
        """What of a unit's line was not taken and gives a benchmark away: the records' ids, and where it stands."""
        found = {
            record["id"]: self.trace(record["reasoning_trace"], record["final_answer"])
            for became, record in attempts_of({**line, "contaminated": {}})
            if became != "accepted"
        }
        return {name: str(hit) for name, hit in found.items() if hit is not None}

    def close(self) -> None:
        """Ends a run. Raises `JournalError`."""
        with using():
            self.commit()

    def decide(self, sample: str, pool: QuestionPool) -> QuestionPool:
        """What stands of all usable questions of a text, in the order in which they are used."""
        kept: list[Question] = []
        dropped: list[DroppedQuestion] = []
        for question in pool.questions:
            against = self._against(sample, question, kept)
            if against is None:
                kept.append(question)
            else:
                why, twin, text = against
                dropped.append(DroppedQuestion(**question.model_dump(), why=why, twin=twin, twin_text=text))
        return QuestionPool(questions=kept, rejected=pool.rejected, dropped=dropped)

    def _against(self, sample: str, question: Question, kept: list[Question]) -> tuple[str, str, str] | None:
        """Why a question is left out, where its twin stands, and what that says."""
        hit = self.benchmarks.question(question.text) if self.benchmarks else None
        if hit is not None:
            return GIVEN_AWAY, str(hit), hit.question
        if self.register is None or self.register.holds(sample, (question.type.value, question.text)):
            return None
        for other in kept:
            if similarity(other.text, question.text) >= self.threshold:
                return REPEATED, f"{sample}/{other.type.value}", other.text
        twin = self.register.twin(question.text, self.threshold, apart_from=sample)
        return (REPEATED, f"{twin.sample}/{twin.type}", twin.text) if twin else None

    def write(self, sample: str, pool: QuestionPool) -> None:
        """Writes what was decided about a text's questions."""
        self.journal.append("pool", sample, **pool.model_dump(mode="json"))
        if self.register:
            self.register.put(sample, entries_of(pool.questions))

    def commit(self) -> None:
        """Notes how far the register holds the journal."""
        self._uncommitted = 0
        if self.register:
            # What the register says must not outlive what the journal says.
            self.journal.flush()
            self.register.reached(*self.journal.end)


def check_benchmarks(patterns: list[str]) -> None:
    """Raises `UserError` for benchmarks that are not there or cannot be opened."""
    try:
        expand(patterns) if patterns else None
    except UserError as error:
        raise UserError(f"--decontaminate: {error}") from None


@contextlib.contextmanager
def screening(settings: Settings, journal: Journal) -> Iterator[Screen]:
    """The screen that the settings ask for. Raises `UserError` for benchmarks that cannot be read."""
    screen = Screen(journal, settings.seed, settings.dedupe_similarity)
    with contextlib.ExitStack() as held:
        # datasketch and what it stands on are loaded for those alone who use them.
        if settings.decontaminate:
            from programs.selection.benchmarks import Benchmarks

            path = Path(f"{journal.path}.benchmarks")
            screen.benchmarks = held.enter_context(Benchmarks(path, settings.decontaminate))
        if settings.dedupe_questions:
            from programs.selection.register import Register

            screen.register = held.enter_context(Register(Path(f"{journal.path}.questions")))
        yield screen


@contextlib.contextmanager
def using() -> Iterator[None]:
    """Around the use of what lies beside the journal: raises `JournalError` when that cannot be read or written."""
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(
            f"a file beside the journal cannot be used: {error}. Delete those that end in .questions and .benchmarks: they "
            "are made again"
        ) from error


def entries_of(questions: list[Question]) -> list[tuple[str, str]]:
    """Questions as the register holds them."""
    return [(question.type.value, question.text) for question in questions]


def _texts(questions: Sequence[Question]) -> set[tuple[QuestionType, str]]:
    return {(question.type, question.text) for question in questions}


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
            for line in screen.journal.pools(since=screen.register.read_to[0]):
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
    for line in journal.units():
        _look_through(screen, line)


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


def _look_through(screen: Screen, line: Line) -> None:
    """Looks for benchmarks in all that was made of a unit: attempts that were not taken may be exported too."""
    record = line["record"]
    if line["status"] == "accepted":
        hit = screen.trace(record["user_interaction"]["question"], record["reasoning_trace"], record["final_answer"])
        if hit is not None:
            line = _set_aside(screen, line, CONTAMINATED, str(hit))
    given_away = screen.attempts(line)
    if given_away != (line.get("contaminated") or {}):
        screen.journal.append(**{**line, "contaminated": given_away})


def _set_aside(screen: Screen, line: Line, status: str, reason: str) -> Line:
    """A unit's line again, with all that was made of it among what was not taken. Gives the new line."""
    records = [*line["attempts"], *([line["record"]] if line["record"] else [])]
    changed = {"status": status, "reason": reason, "basis": screen.rules, "settled": True, "record": None}
    changed_line = {**line, **changed, "attempts": records}
    changed_line.pop("rejection", None)
    screen.journal.append(**changed_line)
    return changed_line
