"""Which questions are left out for the sake of others: those that another text asked before (`--dedupe-questions`), and
those that give a benchmark away (`--decontaminate`).

What was decided about a text's questions stands in its pool line, and is read from there by later runs. All questions of
a text are decided at once, whether they will be used or not: a later run that uses more of them changes nothing about
other texts. A run by other rules decides about all of the journal again before it begins (`programs.run.rescreening`).

Which of two questions that ask the same is kept is settled by the order of their texts in the input, since texts are
decided about in turn (`programs.run.gate`): not by how fast they were answered. Texts that got no answer at first
come later.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from programs.errors import JournalError
from programs.settings import Settings
from programs.stages.questions import DroppedQuestion, Question, QuestionPool
from programs.text.near_duplicates import similarity

if TYPE_CHECKING:
    from programs.selection.benchmarks import Benchmarks, Hit
    from programs.selection.register import Register

REPEATED = "asks the same as another question"
GIVEN_AWAY = "gives a benchmark away"

POOLS_A_COMMIT = 1000


class PoolJournal(Protocol):
    """What is needed of a run's journal (`programs.run.journal`)."""

    path: Path

    def latest(self, kind: str, key: str) -> dict[str, Any] | None: ...
    def append(self, kind: str, key: str | None, **fields: Any) -> None: ...
    def flush(self) -> None: ...
    @property
    def end(self) -> tuple[int, str]: ...


@dataclass
class Screen:
    """Decides about questions and traces. With neither a register nor benchmarks it lets everything pass. `threshold` is
    from which similarity on (75-100) two questions are one."""

    journal: PoolJournal
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
        return self.journal.latest("pool", sample) is not None

    def pool(self, sample: str, fresh: QuestionPool) -> QuestionPool:
        """What stands of a text's questions, as the journal has it, or else decided and written now."""
        line = self.journal.latest("pool", sample)
        if line is not None:
            if not self.rules:
                return fresh
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
        if self.register is None or self.register.holds(sample, (question.type, question.text)):
            return None
        for other in kept:
            if similarity(other.text, question.text) >= self.threshold:
                return REPEATED, f"{sample}/{other.type}", other.text
        twin = self.register.twin(question.text, self.threshold, apart_from=sample)
        return (REPEATED, f"{twin.sample}/{twin.type}", twin.text) if twin else None

    def write(self, sample: str, pool: QuestionPool) -> None:
        """Writes what was decided about a text's questions."""
        self.journal.append("pool", sample, **pool.model_dump(mode="json"))
        self.registered(sample, pool)

    def registered(self, sample: str, pool: QuestionPool) -> None:
        """Takes the questions of a text that stand into the register, where there is one."""
        if self.register is not None:
            self.register.put(sample, [(question.type, question.text) for question in pool.questions])

    def commit(self) -> None:
        """Notes how far the register holds the journal."""
        self._uncommitted = 0
        if self.register is not None:
            # What the register says must not outlive what the journal says.
            self.journal.flush()
            self.register.reached(*self.journal.end)


@contextlib.contextmanager
def screening(settings: Settings, journal: PoolJournal) -> Iterator[Screen]:
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


def _texts(questions: Sequence[Question]) -> set[tuple[str, str]]:
    return {(question.type, question.text) for question in questions}
