"""An attempt as the record that journal and document hold."""

from itertools import chain
from typing import TYPE_CHECKING, Any

from programs.asking.reply import Reply
from programs.inputs.passage import Passage
from programs.inputs.sample import content_id
from programs.lms.meter import Spent
from programs.records import (
    Evidence,
    Generation,
    Notes,
    Record,
    SourcePaper,
    StepRecord,
    TraceMetadata,
    UserInteraction,
    Verdict,
)
from programs.stages.judge import naturalness, panel_score, panel_spread
from programs.text.needs_passage import needs_passage
from programs.text.thought import complexity_level, reasoning_patterns

if TYPE_CHECKING:
    from programs.traces.variation import Attempt, Variation


def record_of(variation: "Variation", attempt: "Attempt", **generation: Any) -> Record:
    """The record of an attempt at a variation. `generation` adds fields to `Generation`."""
    key, question, passage, found = variation.key, variation.question, variation.passage, variation.found
    assert found is not None, "an attempt is made from an analysis"
    draft, plan, verdicts = attempt.draft, attempt.plan, attempt.verdicts
    steps = draft.thought.steps()
    return Record(
        id=content_id(f"{key}.{plan.attempt}/{draft.text}"),
        question_id=f"{key.sample}/{key.question_type}",
        source_paper=_source_of(passage),
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
        needs_passage=needs_passage(question.text, passage.sample.text, draft.thought.texts, draft.answer),
        yes_or_no=draft.yes_or_no,
        short_answer=draft.checkable.short_answer,
        rubric=draft.checkable.rubric,
        unchecked=draft.checkable.unchecked,
        thought=plan.thought,
        shape=plan.shape,
        agreed=attempt.agreed,
        notes=Notes(
            analysis=found.analysis.model_dump(mode="json"),
            hypotheses=[hypothesis.model_dump(mode="json") for hypothesis in found.hypotheses.hypotheses],
            critique=found.critique.model_dump(mode="json"),
            perspective=found.perspective.model_dump(mode="json"),
        ),
        answer_grades=attempt.grades,
        evidence=[Evidence(**item.model_dump()) for item in found.evidence],
        verdicts=[Verdict(**verdict.model_dump()) for verdict in verdicts],
        blind_solve=attempt.blind_solve,
        metadata=TraceMetadata(
            authenticity_score=naturalness(verdicts),
            complexity_level=complexity_level(sum(len(text.split()) for _, text in steps)),
            reasoning_patterns=reasoning_patterns([kind for kind, _ in steps]),
            quality_score=panel_score(verdicts),
            quality_spread=panel_spread(verdicts),
        ),
        generation=_generation({**found.replies, **draft.replies}, attempt, **generation),
    )


def _source_of(passage: Passage) -> SourcePaper:
    sample = passage.sample
    carried = sample.model_dump(include=SourcePaper.model_fields.keys() - {"place", "excerpt"})
    return SourcePaper(**carried, place=sample.place, excerpt=sample.excerpt, flags=passage.flags)


def _generation(replies: dict[str, Reply], attempt: "Attempt", **provenance: Any) -> Generation:
    more = {name: next((reply.model for reply in several if reply.model), "") for name, several in attempt.more.items()}
    thinker = replies["trace" if attempt.plan.thought == "written" else "own"]
    models = {**{stage: reply.model for stage, reply in replies.items()}, **more}
    spent = sum((reply.spent_in_all for reply in chain(replies.values(), *attempt.more.values())), Spent())
    return Generation(
        model=thinker.model,
        models={stage: model for stage, model in models.items() if model != thinker.model},
        **spent.model_dump(include={"calls", "prompt_tokens", "completion_tokens", "seconds"}),
        temperature=thinker.temperature,
        variation=attempt.plan.variation,
        attempt=attempt.plan.attempt,
        # What a model thought before it answered is the trace itself.
        model_reasoning={
            stage: reply.reasoning for stage, reply in replies.items() if reply.reasoning and stage != "own"
        },
        **provenance,
    )
