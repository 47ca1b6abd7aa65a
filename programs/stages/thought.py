"""Stage 4 as modules: one writes a thought in a drawn shape, and its answer; one collects a model's own thought."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import dspy

from programs.asking.ask import AnswerAsk, Ask
from programs.asking.caller import AsyncModule, PredictorModule, with_default_adapter
from programs.asking.reply import Reply
from programs.inputs.passage import Passage
from programs.lms.wire import split_thinking
from programs.records import variation_name
from programs.stages.checkable import Checkable, build_checkable
from programs.stages.checks import RECITES, RECITES_NOTES, answer_problems, missing_figure_problems, thought_problems
from programs.stages.questions import Question, draw_word_count, shared_inputs
from programs.stages.strands import Strands
from programs.text.copying import borrowing_problems
from programs.text.thought import checked_kind, wrap_thought
from signatures.answer import ANSWER_ENDS, ANSWER_LENGTH, ANSWER_WORDS, CLAIM_LENGTHS, FinalAnswer, WriteAnswer
from signatures.shape import CLOSES, LENGTHS, SHAPES, USUAL_WEIGHT, VOICES, Shape
from signatures.strands import ContextAnalysis, UserPerspective
from signatures.thought import AnswerAsAsked, OwnThought, Thought, WriteThought
from signatures.vocabulary import THINKING, Depth, Setting, ThoughtOrigin, YesOrNo

LENGTH_WEIGHTS: dict[Depth, tuple[int, int, int]] = {"brief": (5, 5, 0), "moderate": (1, 8, 1), "thorough": (0, 5, 5)}
"""The weights of short, middling and long thoughts, by the depth of the answer."""

MIN_OWN_TOKENS = 16_384
"""The smallest token limit for a reply with a model's own thought, which is most of the reply."""


def shape_of(sample: str, kind: str, depth: Depth, variation: int, seed: int) -> Shape:
    """Draws the shape of a variation from these arguments alone, so it does not depend on how many variations there are.
    Those of a question get different shapes until the table is used up."""
    draw = random.Random(f"{seed}/{sample}/{kind}/shapes")
    # Efraimidis and Spirakis (2006): sorted by u^(1/weight), a sample without replacement has these weights.
    weights = {name: weight for name, outline in SHAPES.items() if (weight := outline.weights.get(kind, USUAL_WEIGHT))}
    names = sorted(weights, key=lambda name: draw.random() ** (1 / weights[name]), reverse=True)
    name, lengths = names[variation % len(names)], list(LENGTHS)
    variation_draw = random.Random(f"{seed}/{sample}/{kind}/{variation}/shape")
    length = min(variation_draw.choices(lengths, LENGTH_WEIGHTS[depth])[0], SHAPES[name].longest, key=lengths.index)
    return Shape(
        name=name,
        length=length,
        words=draw_word_count(variation_draw, LENGTHS[length].fewest, LENGTHS[length].most),
        voice=variation_draw.choices(list(VOICES), [each.weight for each in VOICES.values()])[0],
        close=variation_draw.choices(list(CLOSES), [each.weight for each in CLOSES.values()])[0],
    )


@dataclass(frozen=True)
class AttemptPlan:
    """How an attempt is made: the index of its variation, its number within that, the temperature of its calls (None: left
    to the model), the shape of the thought (None for a model's own), the setting, and whose the thought is."""

    variation: int
    attempt: int
    temperature: float | None
    shape: Shape | None
    setting: Setting = "closed"
    origin: ThoughtOrigin = "written"

    @property
    def name(self) -> str:
        """The attempt's name within its question."""
        return f"{variation_name(self.variation, self.origin)}.{self.attempt}"


@dataclass(frozen=True)
class Draft:
    """A thought and its answer, the replies that led to them, and what other answers can be checked by."""

    thought: Thought | OwnThought
    answer: str
    replies: Mapping[str, Reply]
    yes_or_no: YesOrNo | None = None
    checkable: Checkable = field(default_factory=Checkable)

    @property
    def text(self) -> str:
        """The thought as it is published, inside its tags."""
        return wrap_thought(self.thought.texts)

    @property
    def steps(self) -> list[tuple[str | None, str]]:
        """The paragraphs in order, each with its kind, if that is known."""
        return [(checked_kind(kind, text), text) for kind, text in self.thought.steps()]


class Faults(NamedTuple):
    """The faults that judges found in each part of the previous attempt, and that attempt, for the rewrite."""

    thought: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    draft: Draft | None = None


NO_FAULTS = Faults()


class ThoughtStages(AsyncModule):
    """Writes the thought, then the final answer. The stage of the thought is called `trace` in journals and options."""

    def __init__(self) -> None:
        super().__init__()
        self.trace = dspy.Predict(WriteThought)
        self.answer = dspy.Predict(WriteAnswer)

    async def aforward(self, **fields: Any) -> dspy.Prediction:
        """Takes the fields of `WriteThought` (always with the passage, which the answer needs in both settings), `analysis`
        and `perspective`. Returns `thought` and `answer`, each asked once of DSPy's LM."""
        with with_default_adapter():
            analysis, perspective = fields.pop("analysis"), fields.pop("perspective")
            thought: Thought = (await self.trace.acall(**fields)).thought
            shared = {name: fields[name] for name in ("passage", "question", "asked_by", "given")}
            answer_inputs = _answer_inputs(thought, analysis, perspective, fields["question"])
            final = await self.answer.acall(**shared, **answer_inputs)
        return dspy.Prediction(thought=thought, answer=final.answer)

    async def write(
        self,
        passage: Passage,
        question: Question,
        strands: Strands,
        plan: AttemptPlan,
        answer: AnswerAsk,
        faults: Faults = NO_FAULTS,
    ) -> Draft:
        """Writes a thought and its answer that avoid the `faults` of the last attempt. Raises `StageFailed`."""
        ask = self.thought_ask(passage, question, strands, plan, faults)
        thought_reply = await answer(ask)
        thought: Thought = ask.value_of(thought_reply)
        ask = self.answer_ask(passage, question, strands, thought, plan, faults)
        reply = await answer(ask)
        final: FinalAnswer = ask.value_of(reply)
        checkable = build_checkable(final, question, passage, thought.texts)
        return Draft(thought, final.text.strip(), {"trace": thought_reply, "answer": reply}, final.yes_or_no, checkable)

    def thought_ask(
        self, passage: Passage, question: Question, strands: Strands, plan: AttemptPlan, faults: Faults
    ) -> Ask:
        """Asks for the thought."""
        if plan.shape is None:
            raise ValueError(f"{plan.name}: a written thought needs a shape")
        inputs = {
            **shared_inputs(passage, question),
            "given": THINKING[plan.setting],
            "shape": plan.shape.prompt_text,
            **strands.for_thought,
        }
        if plan.setting == "closed":
            # The notes hold what bears on the question, and a writer cannot refer to a passage that it does not see.
            del inputs["passage"]
        figures = partial(
            missing_figure_problems, passage, question, plan.setting, "\n".join([strands.seen, *faults.thought])
        )
        return Ask(
            stage="trace",
            subject=(passage.sample.id, question.type, plan.name),
            predict=self.trace,
            inputs=inputs,
            check=lambda values: [
                *thought_problems(values[-1], question, passage, strands.seen, plan.setting),
                *borrowing_problems(values[-1], self.trace, inputs),
                *(figures(values[-1].texts) if len(values) == 1 else []),
            ],
            temperature=_temperature(self.trace, plan),
            earlier=json.dumps({"thought": faults.draft.thought.model_dump(mode="json")}, ensure_ascii=False)
            if faults.draft and faults.thought
            else "",
            feedback=faults.thought,
            # A small model that has copied a text once does so again as long as it sees it.
            drop_inputs={RECITES: "passage", RECITES_NOTES: "critique"},
        )

    def answer_ask(
        self,
        passage: Passage,
        question: Question,
        strands: Strands,
        thought: Thought,
        plan: AttemptPlan,
        faults: Faults,
    ) -> Ask:
        """Asks for the answer to a thought."""
        texts, seed = thought.texts, f"{passage.sample.id}/{question.type}/{plan.variation}/{plan.shape}"
        inputs = shared_inputs(passage, question) | {"given": THINKING[plan.setting]}
        inputs |= _answer_inputs(thought, strands.analysis, strands.perspective, seed)
        figures = partial(missing_figure_problems, passage, question, plan.setting, strands.seen)
        return Ask(
            stage="answer",
            subject=(passage.sample.id, question.type, plan.name),
            predict=self.answer,
            inputs=inputs,
            check=lambda values: [
                *answer_problems(values[-1].text, question, plan.setting),
                *borrowing_problems(values[-1].text, self.answer, inputs),
                *(figures(texts, values[-1].text) if len(values) == 1 else []),
            ],
            temperature=_temperature(self.answer, plan),
            earlier=faults.draft.answer if faults.draft and faults.answer else "",
            feedback=faults.answer,
        )


def _answer_inputs(
    thought: Thought, analysis: ContextAnalysis, perspective: UserPerspective, seed: str
) -> dict[str, Any]:
    """The inputs of the answer stage from the thought and the notes, and an extent drawn with `seed`. The answer is to be
    no longer than the thought, unless that is very short."""
    draw, shown, (fewest, most) = random.Random(seed), "\n\n".join(thought.texts), ANSWER_WORDS[analysis.depth]
    words = draw_word_count(draw, fewest, max(fewest, min(most, len(shown.split()))))
    extent = " ".join([ANSWER_LENGTH.format(words), draw.choice(ANSWER_ENDS), draw.choice(CLAIM_LENGTHS)])
    notes = {"perspective": perspective, "misconceptions": list(analysis.misconceptions)}
    return {"thought": shown, **notes, "extent": extent}


def _temperature(predict: dspy.Predict, plan: AttemptPlan) -> float | None:
    """The first variation uses the temperature of a compiled program; the others must differ, and use the plan's."""
    compiled: float | None = predict.config.get("temperature")
    return plan.temperature if compiled is None or plan.variation else compiled


class OwnStage(PredictorModule):
    """Asks a model the question as a person would, and keeps its own thought with its answer."""

    signature = AnswerAsAsked

    def ask(self, passage: Passage, question: Question, plan: AttemptPlan) -> Ask:
        """One try. The passage is sent only in the open setting. Any reply is accepted."""
        passage_input = {"passage": passage.sample.text} if plan.setting == "open" else {}
        return Ask(
            stage="own",
            subject=(passage.sample.id, question.type, plan.name),
            predict=self.predict,
            inputs={**passage_input, "question": question.text},
            temperature=plan.temperature,
            min_tokens=MIN_OWN_TOKENS,
        )


def own_draft(reply: Reply) -> Draft | None:
    """The thought and the answer in a reply; None if either is empty."""
    # If DSPy's own LM made the call, a thought in tags is still part of the text.
    in_tags, answer = split_thinking(str(reply.output))
    thought = OwnThought(text=reply.reasoning or in_tags)
    return Draft(thought, answer.strip(), {"own": reply}) if thought.texts and answer.strip() else None
