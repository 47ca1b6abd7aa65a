"""A unit of work and of identity: one variation of one question of one sample, and what became of it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from programs.asking.reply import Reply, Spent, StageFailed
from programs.passage import Passage
from programs.records import (
    Agreed,
    BlindSolve,
    Generation,
    Grades,
    Notes,
    Record,
    SourcePaper,
    TraceMetadata,
    UserInteraction,
    Verdict,
    variation_name,
)
from programs.stages.checks import figures_needed
from programs.stages.judge import naturalness, panel_score, panel_spread
from programs.stages.questions import Question
from programs.stages.strands import Strands
from programs.stages.thought import AttemptPlan, Draft
from programs.text.thought import complexity_level, reasoning_patterns
from programs.traces.decision import Standing, floors_missed
from programs.traces.step_records import step_records
from signatures.steps import StepVerdict
from signatures.vocabulary import ThoughtOrigin

Status = Literal["accepted", "rejected", "unjudged", "duplicate", "failed", "contaminated", "withdrawn"]
"""unjudged: no judge answered, kept for a later run; failed: a stage gave no readable answer, tried again later;
contaminated: it gives a benchmark away; withdrawn: its question was left out after it was made."""


class UnitKey(NamedTuple):
    """Which unit: the sample's hash, the question's type, the variation's index, and whose the thought is. Written with
    slashes."""

    sample: str
    question_type: str
    variation: int
    thought: ThoughtOrigin = "written"

    def __str__(self) -> str:
        return f"{self.sample}/{self.question_type}/{self.name}"

    @property
    def name(self) -> str:
        """The unit's name among those of its question."""
        return variation_name(self.variation, self.thought)

    def named(self, draft: str) -> str:
        """A draft of the unit by its name (`programs.stages.thought.AttemptPlan`)."""
        return f"{self.sample}/{self.question_type}/{draft}"


class Known(BaseModel):
    """What an earlier run made of a unit. `basis` names the rules it was decided by; `digest` its texts; `fixed`: it stays
    as it is, whatever the rules."""

    accepted: bool
    settled: bool
    basis: str
    digest: str | None = None
    fixed: bool = False

    def decided(self, basis: str) -> bool:
        """Whether a run by the rules `basis` has nothing to decide about it."""
        return self.fixed or (self.settled and self.basis == basis)


@dataclass
class Attempt:
    """One attempt at a unit: the draft, what the judges said, where that puts it, its grades, how the answer to a model's
    own thought stands to the grounded one, and what was looked into once it was accepted. `more` are the replies that this
    took, by what was asked for."""

    plan: AttemptPlan
    draft: Draft
    verdicts: list[Verdict]
    standing: Standing
    grades: Grades | None = None
    grade_reply: Reply | None = None
    agreed: Agreed | None = None
    blind_solve: BlindSolve | None = None
    step_verdicts: dict[int, StepVerdict] = field(default_factory=dict)
    checked_by: str | None = None
    more: dict[str, list[Reply]] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether nothing that was asked for after the verdicts is still without an answer."""
        asked = [*([self.grade_reply] if self.grade_reply else []), *chain.from_iterable(self.more.values())]
        return all(reply.settled for reply in asked)


@dataclass
class Unit:
    """A unit as a drive of the plan leaves it. `status` stands once `decide` or `failed` was called."""

    key: UnitKey
    question: Question
    passage: Passage
    strands: Strands | None = None
    attempts: list[Attempt] = field(default_factory=list)
    status: Status = "failed"
    reason: str | None = None
    failure: StageFailed | None = None

    def decide(self) -> None:
        """Takes the status from the last attempt."""
        last = self.attempts[-1]
        if last.standing == "accepted":
            self.status = "accepted"
        elif last.standing == "unjudged":
            self.status, self.reason = "unjudged", "; ".join(verdict.reason for verdict in last.verdicts)
        else:
            score = panel_score(last.verdicts)
            self.status = "rejected"
            missed = floors_missed(last.verdicts)
            self.reason = "; ".join([f"quality {score} after {len(self.attempts)} attempts", *missed])

    def failed(self, failure: StageFailed) -> "Unit":
        """Marks the unit as given up at a stage: rejected if the stage is settled, else to be tried again."""
        self.status = "rejected" if failure.final else "failed"
        self.reason, self.failure = str(failure), failure
        return self

    @property
    def settled(self) -> bool:
        """Whether a later run by the same rules would change nothing."""
        if self.status == "accepted":
            return self.attempts[-1].settled
        return self.status in ("rejected", "duplicate", "contaminated")

    @property
    def texts(self) -> tuple[str, str]:
        """The thought and the answer of the last attempt."""
        draft = self.attempts[-1].draft
        return draft.text, draft.answer

    @property
    def digest(self) -> str | None:
        """A hash of the thought and the answer: equal ones are the same trace."""
        if not self.attempts:
            return None
        draft = self.attempts[-1].draft
        return hashlib.blake2b(f"{draft.text}\0{draft.answer}".encode(), digest_size=8).hexdigest()

    def record(self, number: int = -1, **generation: Any) -> Record:
        """The trace of an attempt (the last by default) as the document holds it. `generation` adds fields to
        `Generation`."""
        attempt, strands = self.attempts[number], self.strands
        if strands is None:
            raise ValueError(f"{self.key} has attempts but no analysis")
        draft = attempt.draft
        text = draft.text
        return Record(
            id=_hash(f"{self.key}.{attempt.plan.attempt}/{text}"),
            question_id=f"{self.key.sample}/{self.key.question_type}",
            source_paper=source_of(self.passage),
            user_interaction=UserInteraction(
                question=self.question.text,
                question_type=self.question.type.value,
                difficulty_level=self.question.difficulty,
                audience=self.question.audience,
            ),
            reasoning_trace=text,
            steps=step_records(attempt.draft, self.passage, attempt.step_verdicts, attempt.checked_by),
            final_answer=attempt.draft.answer,
            setting=attempt.plan.setting,
            needs_passage=figures_needed(
                self.question.text, self.passage.sample.text, (*draft.thought.texts, draft.answer)
            ),
            yes_or_no=attempt.draft.yes_or_no,
            thought=attempt.plan.thought,
            shape=attempt.plan.shape,
            agreed=attempt.agreed,
            notes=notes_of(strands),
            answer_grades=attempt.grades,
            evidence=strands.evidence,
            verdicts=attempt.verdicts,
            blind_solve=attempt.blind_solve,
            metadata=_measures(attempt),
            generation=_generation(self._replies(attempt), attempt.plan, attempt.more, **generation),
        )

    def _replies(self, attempt: Attempt) -> dict[str, Reply]:
        grade = {"grade": attempt.grade_reply} if attempt.grade_reply else {}
        return {**(self.strands.replies if self.strands else {}), **attempt.draft.replies, **grade}


def drop_twins(units: list[Unit], known: Callable[[UnitKey], Known | None]) -> list[Unit]:
    """Marks accepted variations whose texts are those of an earlier variation, here or in an earlier run."""
    for unit in units:
        if unit.status != "accepted":
            continue
        for index in range(unit.key.variation):
            key = unit.key._replace(variation=index)
            here = next((other for other in units if other.key == key), None)
            before = known(key) if here is None else None
            accepted = here.status == "accepted" if here else before is not None and before.accepted
            earlier = here or before
            if accepted and earlier is not None and earlier.digest == unit.digest:
                unit.status, unit.reason = "duplicate", f"the same as variation {index}"
                break
    return units


def source_of(passage: Passage) -> SourcePaper:
    """The sample as a record carries it."""
    sample = passage.sample
    return SourcePaper(
        **sample.model_dump(include={"title", "domain", "id", "given_id", "title_given", "domain_given"}),
        **sample.model_dump(include={"text", "cut_from", "removed", "extra"}),
        place=sample.place,
        excerpt=sample.excerpt,
        flags=passage.flags,
    )


def notes_of(strands: Strands) -> Notes:
    """The notes as a record carries them."""
    return Notes(
        analysis=strands.analysis.model_dump(mode="json"),
        hypotheses=[hypothesis.model_dump(mode="json") for hypothesis in strands.hypotheses.hypotheses],
        critique=strands.critique.model_dump(mode="json"),
        perspective=strands.perspective.model_dump(mode="json"),
    )


def _measures(attempt: Attempt) -> TraceMetadata:
    steps = attempt.draft.thought.steps()
    return TraceMetadata(
        authenticity_score=naturalness(attempt.verdicts),
        complexity_level=complexity_level(sum(len(text.split()) for _, text in steps)),
        reasoning_patterns=reasoning_patterns([kind for kind, _ in steps]),
        quality_score=panel_score(attempt.verdicts),
        quality_spread=panel_spread(attempt.verdicts),
    )


def _generation(
    replies: dict[str, Reply], plan: AttemptPlan, besides: dict[str, list[Reply]], **provenance: Any
) -> Generation:
    others = {name: next((reply.model for reply in several if reply.model), "") for name, several in besides.items()}
    thinker = replies["trace" if plan.thought == "written" else "own"]
    models = {**{stage: reply.model for stage, reply in replies.items()}, **others}
    spent = sum((reply.spent for reply in chain(replies.values(), *besides.values())), Spent())
    return Generation(
        model=thinker.model,
        models={stage: model for stage, model in models.items() if model != thinker.model},
        **spent.model_dump(include={"calls", "prompt_tokens", "completion_tokens", "seconds"}),
        temperature=thinker.temperature,
        variation=plan.variation,
        attempt=plan.attempt,
        # What a model thought before it answered is the trace itself.
        model_reasoning={
            stage: reply.reasoning for stage, reply in replies.items() if reply.reasoning and stage != "own"
        },
        **provenance,
    )


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
