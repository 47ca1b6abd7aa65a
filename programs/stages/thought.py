"""Stage 4 as modules: a thought along a drawn shape and the answer to it; or a thought that a model had by itself."""

import json
import random
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import dspy

from programs.asking.ask import Answering, Ask
from programs.asking.caller import AwaitedModule, PredictorModule, adapted
from programs.asking.reply import Reply
from programs.inputs.passage import Passage
from programs.lms.wire import split_thinking
from programs.records import variation_name
from programs.stages.checkable import Checkable, checkable
from programs.stages.checks import RECITES, answer_problems, not_at_hand, thought_problems
from programs.stages.questions import Question, drawn_words, shared_inputs
from programs.stages.strands import Strands
from programs.text.copying import borrowed
from programs.text.thought import wrap_thought
from signatures.answer import ANSWER_LENGTH, ANSWER_WORDS, CLAIM_LENGTHS, FinalAnswer, WriteAnswer
from signatures.question_type import Difficulty
from signatures.shape import CLOSES, LENGTHS, SHAPES, USUAL_WEIGHT, VOICES, Shape
from signatures.strands import ContextAnalysis, UserPerspective
from signatures.thought import AnswerAsAsked, OwnThought, Thought, WriteThought
from signatures.vocabulary import THINKING, Depth, Setting, ThoughtOrigin, YesOrNo

WRONG_TURN: dict[Difficulty, float] = {"beginner": 0.05, "intermediate": 0.1, "advanced": 0.2}
"""How likely a wrong turn is, which a capable writer then takes: most thoughts have none, harder questions more (arXiv
2505.24273 finds that the right number depends on the task and is often none)."""

LENGTH_WEIGHTS: dict[Depth, tuple[int, int, int]] = {"brief": (5, 5, 0), "moderate": (1, 8, 1), "thorough": (0, 5, 5)}
"""By how deep the answer goes, the weights of short, middling and long thoughts."""

ROOM_TO_THINK = 16_384
"""Tokens that the reply of a model that thinks by itself may have at least: most of them are thought."""


def shape_of(sample: str, kind: str, difficulty: Difficulty, depth: Depth, variation: int, seed: int) -> Shape:
    """The shape of a variation, drawn from these alone: how many variations there are changes nothing. Those of a question
    get different ones, as long as the table has more. A short thought has no room for a mistake."""
    draw = random.Random(f"{seed}/{sample}/{kind}/shapes")
    # Efraimidis and Spirakis (2006): sorted by u^(1/weight), a sample without replacement has these weights.
    weights = {name: weight for name, outline in SHAPES.items() if (weight := outline.weights.get(kind, USUAL_WEIGHT))}
    names = sorted(weights, key=lambda name: draw.random() ** (1 / weights[name]), reverse=True)
    name, order = names[variation % len(names)], list(LENGTHS)
    chance = random.Random(f"{seed}/{sample}/{kind}/{variation}/shape")
    tempted = chance.random() < WRONG_TURN[difficulty]
    length = min(chance.choices(order, LENGTH_WEIGHTS[depth])[0], SHAPES[name].longest, key=order.index)
    return Shape(
        name=name,
        noticed="later" if tempted and length != "short" else None,
        length=length,
        words=drawn_words(chance, LENGTHS[length].fewest, LENGTHS[length].most),
        voice=chance.choices(list(VOICES), [each.weight for each in VOICES.values()])[0],
        close=chance.choices(list(CLOSES), [each.weight for each in CLOSES.values()])[0],
    )


@dataclass(frozen=True)
class AttemptPlan:
    """How an attempt is to be made: at which variation of its question, which attempt at that, the temperature of its calls
    (None: the model takes none), the shape of the thought (None: a model's own has none), what is at hand while thinking,
    and whose the thought is."""

    variation: int
    attempt: int
    temperature: float | None
    shape: Shape | None
    setting: Setting = "closed"
    thought: ThoughtOrigin = "written"

    @property
    def name(self) -> str:
        """The attempt's name among those of its question."""
        return f"{variation_name(self.variation, self.thought)}.{self.attempt}"


@dataclass(frozen=True)
class Draft:
    """A thought and its answer, with what made them, and what such an answer can be checked by."""

    thought: Thought | OwnThought
    answer: str
    replies: dict[str, Reply]
    yes_or_no: YesOrNo | None = None
    checkable: Checkable = field(default_factory=Checkable)

    @property
    def text(self) -> str:
        """The thought as it is published, inside its tags."""
        return wrap_thought(self.thought.texts)


class Faults(NamedTuple):
    """The faults that judges found in the attempt before, by the part that is then written anew, and that attempt."""

    thought: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    draft: Draft | None = None


FIRST_TRY = Faults()


class ThoughtStages(AwaitedModule):
    """Writes the thought, then the final answer. The stage of the thought is called `trace` in journals and options."""

    def __init__(self) -> None:
        super().__init__()
        self.trace = dspy.Predict(WriteThought)
        self.answer = dspy.Predict(WriteAnswer)

    async def aforward(self, **fields: Any) -> dspy.Prediction:
        """Takes the fields of `WriteThought`, the passage too, which the answer is given in both settings, the `analysis`
        and the `perspective`. Gives `thought` and `answer`, each asked once of the LM that DSPy has."""
        with adapted():
            analysis, perspective = fields.pop("analysis"), fields.pop("perspective")
            thought: Thought = (await self.trace.acall(**fields)).thought
            shared = {name: fields[name] for name in ("passage", "question", "asked_by", "given")}
            told = _answered(thought, analysis, perspective, fields["question"])
            final = await self.answer.acall(**shared, **told)
        return dspy.Prediction(thought=thought, answer=final.answer)

    async def written(
        self,
        passage: Passage,
        question: Question,
        strands: Strands,
        plan: AttemptPlan,
        answer: Answering,
        faults: Faults = FIRST_TRY,
    ) -> Draft:
        """A thought and its answer, of which `faults` says what was wrong the last time. Raises `StageFailed`."""
        ask = self.thought_ask(passage, question, strands, plan, faults)
        thought_reply = await answer(ask)
        thought: Thought = ask.value_of(thought_reply)
        ask = self.answer_ask(passage, question, strands, thought, plan, faults)
        reply = await answer(ask)
        final: FinalAnswer = ask.value_of(reply)
        found = checkable(final, question, passage, thought.texts, strands.analysis.misconceptions)
        return Draft(thought, final.text.strip(), {"trace": thought_reply, "answer": reply}, final.yes_or_no, found)

    def thought_ask(
        self, passage: Passage, question: Question, strands: Strands, plan: AttemptPlan, faults: Faults
    ) -> Ask:
        """Asks for the thought."""
        if plan.shape is None:
            raise ValueError(f"{plan.name}: a thought is written along a shape")
        inputs = {
            **shared_inputs(passage, question),
            "given": THINKING[plan.setting],
            "shape": plan.shape.prompt_text,
            **strands.for_thought,
        }
        if plan.setting == "closed":
            # The notes say what bears on the question, and who does not see the rest does not lean on it.
            del inputs["passage"]
        figures = partial(not_at_hand, passage, question, plan.setting, "\n".join([strands.seen, *faults.thought]))
        return Ask(
            stage="trace",
            key=f"trace/{passage.sample.id}/{question.type}/{plan.name}",
            predict=self.trace,
            inputs=inputs,
            depth=3,
            check=lambda values: [
                *thought_problems(values[-1], question, passage, plan.setting),
                *borrowed(values[-1], self.trace, inputs),
                *(figures(values[-1].texts) if len(values) == 1 else []),
            ],
            temperature=_temperature(self.trace, plan),
            earlier=json.dumps({"thought": faults.draft.thought.model_dump(mode="json")}, ensure_ascii=False)
            if faults.draft and faults.thought
            else "",
            feedback=faults.thought,
            # A small model that has begun to write the passage out does so again, as long as it sees it.
            taken_away={RECITES: "passage"},
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
        texts, drawn_by = thought.texts, f"{passage.sample.id}/{question.type}/{plan.variation}/{plan.shape}"
        inputs = shared_inputs(passage, question) | {"given": THINKING[plan.setting]}
        inputs |= _answered(thought, strands.analysis, strands.perspective, drawn_by)
        figures = partial(not_at_hand, passage, question, plan.setting, strands.seen)
        return Ask(
            stage="answer",
            key=f"answer/{passage.sample.id}/{question.type}/{plan.name}",
            predict=self.answer,
            inputs=inputs,
            depth=4,
            check=lambda values: [
                *answer_problems(values[-1].text, question, plan.setting),
                *borrowed(values[-1].text, self.answer, inputs),
                *(figures(texts, values[-1].text) if len(values) == 1 else []),
            ],
            temperature=_temperature(self.answer, plan),
            earlier=faults.draft.answer if faults.draft and faults.answer else "",
            feedback=faults.answer,
        )


def _answered(
    thought: Thought, analysis: ContextAnalysis, perspective: UserPerspective, drawn_by: str
) -> dict[str, Any]:
    """What an answer is given of the thought and the notes, and its lengths, drawn by a text: it has no more words than the
    thought, unless that is very short."""
    draw, shown, (fewest, most) = random.Random(drawn_by), "\n\n".join(thought.texts), ANSWER_WORDS[analysis.depth]
    words = drawn_words(draw, fewest, max(fewest, min(most, len(shown.split()))))
    lengths = f"{ANSWER_LENGTH.format(words)} {draw.choice(CLAIM_LENGTHS)}"
    notes = {"perspective": perspective, "misconceptions": list(analysis.misconceptions)}
    return {"thought": shown, **notes, "lengths": lengths}


def _temperature(predict: dspy.Predict, plan: AttemptPlan) -> float | None:
    """A first variation has the temperature that the program was compiled with; others are there to differ."""
    compiled: float | None = predict.config.get("temperature")
    return plan.temperature if compiled is None or plan.variation else compiled


class OwnStage(PredictorModule):
    """Asks a question as a person would, of a model whose own thought is kept with its answer."""

    signature = AnswerAsAsked

    def ask(self, passage: Passage, question: Question, plan: AttemptPlan, name: str) -> Ask:
        """One try; `name` identifies the attempt. The passage goes along where it is at hand while thinking. What comes
        back has no form that could be asked for again."""
        at_hand = {"passage": passage.sample.text} if plan.setting == "open" else {}
        return Ask(
            stage="own",
            key=f"own/{name}",
            predict=self.predict,
            inputs={**at_hand, "question": question.text},
            depth=6,
            temperature=plan.temperature,
            least_tokens=ROOM_TO_THINK,
        )


def own_draft(reply: Reply) -> Draft | None:
    """The thought and the answer of a try that was answered; None without a thought."""
    # Where DSPy calls the model, a thought in tags is still part of the text.
    found, answer = split_thinking(str(reply.output))
    thought = OwnThought(text=reply.reasoning or found)
    return Draft(thought, answer.strip(), {"own": reply}) if thought.texts and answer.strip() else None
