"""A variation of a question, the unit of work and of identity: its attempts and its outcome."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal, NamedTuple

from programs.asking.ask import Subject
from programs.asking.reply import Reply, StageFailed
from programs.inputs.passage import Passage
from programs.inputs.sample import content_id
from programs.lms.meter import ResourceUsage
from programs.option_groups import QualityOptions
from programs.record_parts import (
    NO_FAULT,
    AnswerAgreement,
    BlindSolve,
    Generation,
    Grades,
    Notes,
    SourcePaper,
    StepRecord,
    TraceMetadata,
    UserInteraction,
    Verdict,
)
from programs.records import Record, variation_name
from programs.rejection import Reason, Rejection
from programs.stages.judge import naturalness, panel_score, panel_spread
from programs.stages.questions import Question
from programs.stages.strands import Strands
from programs.stages.thought import AttemptPlan, Draft
from programs.text.needs_passage import needs_passage
from programs.text.thought import complexity_level, reasoning_patterns
from signatures.vocabulary import ThoughtOrigin

Status = Literal["accepted", "rejected", "unjudged", "duplicate", "failed"]
"""unjudged: waits for judges or an undecided blind solve; failed: a stage has no readable reply, a later run asks again."""

Standing = Literal["accepted", "below", "unjudged"]
"""What the judges' verdicts make of an attempt. below: rejected, as is a model's own thought with another answer."""


class VariationKey(NamedTuple):
    """A variation's key: the sample's hash, the question's type, an index, whose the thought is. Written with slashes."""

    sample: str
    question_type: str
    variation: int
    origin: ThoughtOrigin = "written"

    def __str__(self) -> str:
        return "/".join(self.subject(self.name))

    @property
    def name(self) -> str:
        return variation_name(self.variation, self.origin)

    def subject(self, draft: str) -> Subject:
        """The subject of an ask about one of its drafts; `draft` is an `AttemptPlan.name`."""
        return self.sample, self.question_type, draft


@dataclass(frozen=True)
class EarlierOutcome:
    """The outcome of a variation in earlier runs. `digest` is the hash of its texts; `decided`: the present rules leave
    nothing to decide; `fixed`: it stays as it is, whatever the rules."""

    accepted: bool
    decided: bool
    digest: str | None = None
    fixed: bool = False


@dataclass
class Attempt:
    """One thought and answer with its verdicts. `steps` are those of the thought, as checked by a model; `replies` made it,
    judged or graded it, by stage (`judge:MODEL` for a judge's); `trial_replies` are those of the trials of an accepted
    attempt, by stage (`student` for those of the student model)."""

    plan: AttemptPlan
    draft: Draft
    verdicts: list[Verdict]
    standing: Standing
    replies: dict[str, Reply]
    grades: Grades | None = None
    agreed: AnswerAgreement | None = None
    blind_solve: BlindSolve | None = None
    steps: list[StepRecord] | None = None
    trial_replies: dict[str, list[Reply]] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether every call about it, such as those for verdicts and grades, has a settled reply."""
        return all(reply.settled for reply in chain(self.replies.values(), *self.trial_replies.values()))

    @property
    def digest(self) -> str:
        return content_id(f"{self.draft.text}\0{self.draft.answer}")


@dataclass
class Variation:
    """A variation while it is being made. `status` is valid once it is decided; `rejection` says why it is not accepted."""

    key: VariationKey
    question: Question
    passage: Passage
    strands: Strands | None = None
    attempts: list[Attempt] = field(default_factory=list)
    status: Status = "failed"
    rejection: Rejection | None = None
    failure: StageFailed | None = None

    @property
    def accepted(self) -> bool:
        return self.status == "accepted"

    @property
    def last(self) -> Attempt:
        return self.attempts[-1]

    @property
    def subject(self) -> Subject:
        """The subject of asks about its last attempt."""
        return self.key.subject(self.last.plan.name)

    def reject(self, status: Status, reason: Reason, detail: str) -> None:
        self.status, self.rejection = status, Rejection(reason=reason, detail=detail)

    def decide(self) -> None:
        """Sets the status from the last attempt."""
        verdicts = self.last.verdicts
        if self.last.standing == "accepted":
            self.status = "accepted"
        elif self.last.standing == "unjudged":
            self.reject("unjudged", Reason.UNJUDGED, "; ".join(verdict.reason for verdict in verdicts))
        else:
            score = f"quality {panel_score(verdicts)} after {len(self.attempts)} attempts"
            self.reject("rejected", Reason.JUDGED, "; ".join([score, *floors_missed(verdicts)]))

    def fail(self, failure: StageFailed) -> "Variation":
        """Gives up at a stage: rejected if the failure is final, otherwise failed, so that a later run tries again."""
        self.failure = failure
        if failure.final:
            self.reject("rejected", Reason.UNUSABLE, str(failure))
        else:
            self.reject("failed", Reason.UNANSWERED, str(failure))
        return self

    @property
    def settled(self) -> bool:
        """Whether a later run with the same rules would change nothing."""
        return self.last.settled if self.accepted else self.status in ("rejected", "duplicate")

    @property
    def digest(self) -> str | None:
        return self.last.digest if self.attempts else None

    def _needs_passage(self, attempt: Attempt, strands: Strands) -> list[str]:
        """The figures that only the passage gives. A closed thought of a model's own has none: the model saw no passage."""
        draft, plan, seen = attempt.draft, attempt.plan, None
        if plan.setting == "closed":
            if plan.origin == "model":
                return []
            others = [other for other in self.attempts if other is not attempt]
            faults = [verdict.fault for other in others for verdict in other.verdicts]
            seen = "\n".join(filter(None, [strands.seen, *faults]))
        text, thought = self.passage.sample.text, draft.thought.texts
        return needs_passage(self.question.text, text, thought, draft.answer, seen=seen)

    def record(self, number: int = -1, **generation: Any) -> Record:
        """The record of an attempt (the last by default). `generation`: further fields of `Generation`."""
        key, question, passage, strands = self.key, self.question, self.passage, self.strands
        assert strands is not None, "an attempt needs strands"
        attempt = self.attempts[number]
        draft, plan, verdicts = attempt.draft, attempt.plan, attempt.verdicts
        steps = draft.steps
        source_fields = {name: getattr(passage.sample, name) for name in SourcePaper.model_fields if name != "flags"}
        return Record(
            id=content_id(f"{key}.{plan.attempt}/{draft.text}"),
            question_id=f"{key.sample}/{key.question_type}",
            source_paper=SourcePaper(**source_fields, flags=passage.flags),
            user_interaction=UserInteraction(
                question=question.text,
                question_type=question.type,
                difficulty_level=question.difficulty,
                audience=question.audience,
            ),
            reasoning_trace=draft.text,
            steps=attempt.steps or [StepRecord(kind=kind, text=text) for kind, text in steps],
            final_answer=draft.answer,
            setting=plan.setting,
            needs_passage=self._needs_passage(attempt, strands),
            yes_or_no=draft.yes_or_no,
            short_answer=draft.checkable.short_answer,
            rubric=draft.checkable.rubric,
            unchecked=draft.checkable.unchecked,
            thought=plan.origin,
            shape=plan.shape,
            agreed=attempt.agreed,
            notes=Notes(
                analysis=strands.analysis.model_dump(mode="json"),
                hypotheses=[hypothesis.model_dump(mode="json") for hypothesis in strands.hypotheses.hypotheses],
                critique=strands.critique.model_dump(mode="json"),
                perspective=strands.perspective.model_dump(mode="json"),
            ),
            answer_grades=attempt.grades,
            evidence=strands.evidence,
            verdicts=verdicts,
            blind_solve=attempt.blind_solve,
            metadata=TraceMetadata(
                authenticity_score=naturalness(verdicts),
                complexity_level=complexity_level(sum(len(text.split()) for _, text in steps)),
                reasoning_patterns=reasoning_patterns([kind for kind, _ in steps]),
                quality_score=panel_score(verdicts),
                quality_spread=panel_spread(verdicts),
            ),
            generation=_generation({**strands.replies, **attempt.replies}, attempt, **generation),
        )


def _generation(replies: dict[str, Reply], attempt: Attempt, **provenance: Any) -> Generation:
    trial_models = {
        name: next((reply.model for reply in several if reply.model), "")
        for name, several in attempt.trial_replies.items()
    }
    thinker = replies["trace" if attempt.plan.origin == "written" else "own"]
    models = {**{stage: reply.model for stage, reply in replies.items()}, **trial_models}
    spent = sum(
        (reply.spent_in_all for reply in chain(replies.values(), *attempt.trial_replies.values())), ResourceUsage()
    )
    # The reasoning of the stage `own` is the trace itself.
    reasoning = {stage: reply.reasoning for stage, reply in replies.items() if reply.reasoning and stage != "own"}
    return Generation(
        model=thinker.model,
        models={stage: model for stage, model in models.items() if model != thinker.model},
        **spent.model_dump(include={"calls", "prompt_tokens", "completion_tokens", "seconds"}),
        temperature=thinker.temperature,
        variation=attempt.plan.variation,
        attempt=attempt.plan.attempt,
        model_reasoning=reasoning,
        **provenance,
    )


def standing_of(verdicts: list[Verdict], options: QualityOptions) -> Standing:
    """accepted: the panel's score is at or above the threshold and no rating is below a floor, or there is no quality
    check; unjudged: no judge gave a score; below: otherwise."""
    if not options.quality_check:
        return "accepted"
    score = panel_score(verdicts)
    if score is None:
        return "unjudged"
    return "accepted" if score >= options.min_quality_score and not floors_missed(verdicts) else "below"


def floors_missed(verdicts: list[Verdict]) -> list[str]:
    """The ratings below a floor, with their judges. Each rejects the trace, whatever the mean."""
    return [f"{rating} by {verdict.judge}" for verdict in verdicts for rating in verdict.ratings_below_floor]


def faults_in(verdicts: list[Verdict], part: Literal["thought", "answer"]) -> tuple[str, ...]:
    """The faults that the judges found in a part of an attempt, in full, for the next attempt to repair."""
    return tuple(
        verdict.fault
        for verdict in verdicts
        if verdict.fault and verdict.fault_in in (part, "both") and verdict.fault.strip(" .\"'").lower() != NO_FAULT
    )


def mark_duplicates(variations: list[Variation], earlier: Callable[[VariationKey], EarlierOutcome | None]) -> None:
    """Marks accepted variations with the same texts as an accepted one of a lower index, made now or in an earlier run."""
    current = {variation.key: variation for variation in variations}
    for variation in filter(lambda candidate: candidate.accepted, variations):
        for index in range(variation.key.variation):
            key = variation.key._replace(variation=index)
            other = current.get(key) or earlier(key)
            if other is not None and other.accepted and other.digest == variation.digest:
                variation.reject("duplicate", Reason.SAME_VARIATION, f"variation {index}")
                break


MIN_TEMPERATURE, TEMPERATURE_RANGE = 0.2, 0.8
GOLDEN = 0.6180339887498949
"""Steps of the golden ratio spread any number of points evenly over an interval (Weyl's equidistribution)."""


def temperature_of(variation: int, base: float) -> float:
    """The temperature of a variation: `base` for the first; those of the others, all different, are spread over 0.2-1.0."""
    if variation == 0:
        return base
    position = (base - MIN_TEMPERATURE) / TEMPERATURE_RANGE + variation * GOLDEN
    return round(MIN_TEMPERATURE + position % 1.0 * TEMPERATURE_RANGE, 3)
