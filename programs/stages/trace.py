"""Stage 4 as a module: the strands woven into a thought, and the answer written from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import dspy
from rapidfuzz import fuzz

from programs.asking.calling import Caller
from programs.asking.module import AwaitedModule, adapted
from programs.asking.plan import Answering, Ask, Reply, value_of
from programs.passage import Passage
from programs.records import variation_name
from programs.stages.questions import Question, shared_inputs
from programs.stages.strands import Analysed
from programs.text.artefacts import artefacts
from programs.text.asking import only_asks
from programs.text.borrowed import borrowed
from programs.text.figures import needs_passage
from programs.text.leaks import leaked
from programs.text.repetition import is_degenerate
from programs.text.self_contained import leaning
from programs.text.thought import wrap_thought
from signatures.answer import FinalAnswer, WriteAnswer
from signatures.own_thought import OwnThought
from signatures.setting import THINKING, Setting
from signatures.shape import Shape
from signatures.thought import Thought, WriteThought
from signatures.vocabulary import ThoughtOrigin, YesOrNo

SAME_TEXT = 95.0
"""Two paragraphs at or above this similarity (rapidfuzz ratio, 0-100) say the same thing."""


@dataclass(frozen=True)
class Draft:
    """A thought and its answer, with what made them. `needs_passage` are the figures that only the passage gives."""

    thought: Thought | OwnThought
    answer: str
    replies: dict[str, Reply]
    needs_passage: list[str]
    yes_or_no: YesOrNo | None = None

    @property
    def text(self) -> str:
        """The thought as it is published, inside its tags."""
        return wrap_thought(self.thought.texts)


class Against(NamedTuple):
    """The faults that judges found in the attempt before, by the stage that is to mend them, and that attempt."""

    thought: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    draft: Draft | None = None

    @property
    def earlier_thought(self) -> str:
        """The thought that is to be written anew, as it was written; empty where nothing is held against it."""
        thought = self.draft.thought if self.draft and self.thought else None
        return thought.model_dump_json() if thought else ""

    @property
    def earlier_answer(self) -> str:
        """The same of the answer."""
        return self.draft.answer if self.draft and self.answer else ""


NOTHING_AGAINST = Against()


@dataclass(frozen=True)
class DraftSpec:
    """Which draft this is: a variation of its question, an attempt at the variation, the temperature of both calls
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
        """The draft's name among those of its question."""
        return f"{variation_name(self.variation, self.thought)}.{self.attempt}"


class TraceStages(AwaitedModule):
    """Assembles the trace and writes the final answer."""

    def __init__(self) -> None:
        super().__init__()
        self.trace = dspy.Predict(WriteThought)
        self.answer = dspy.Predict(WriteAnswer)

    async def aforward(
        self,
        passage: Passage,
        question: Question,
        found: Analysed,
        spec: DraftSpec,
        feedback: Against = NOTHING_AGAINST,
    ) -> dspy.Prediction:
        """Gives the fields of `Draft`, by the LM that DSPy is configured with. Raises what `drafted` and
        `Caller.answer` raise."""
        with adapted():
            draft = await self.drafted(passage, question, found, spec, Caller().answer, feedback)
        return dspy.Prediction(**vars(draft))

    async def drafted(
        self,
        passage: Passage,
        question: Question,
        found: Analysed,
        spec: DraftSpec,
        answer: Answering,
        feedback: Against = NOTHING_AGAINST,
    ) -> Draft:
        """A thought and its answer. `feedback` holds what judges found in the attempt before. Raises `StageFailed`."""
        trace = self.trace_ask(passage, question, found, spec, feedback)
        trace_reply = await answer(trace)
        thought: Thought = value_of(trace, trace_reply)
        ask = self.answer_ask(passage, question, thought, spec, feedback)
        reply = await answer(ask)
        final: FinalAnswer = value_of(ask, reply)
        needed = needed_figures(passage, question, thought.texts, final.text.strip())
        return Draft(thought, final.text.strip(), {"trace": trace_reply, "answer": reply}, needed, final.yes_or_no)

    def trace_ask(
        self, passage: Passage, question: Question, found: Analysed, spec: DraftSpec, feedback: Against
    ) -> Ask:
        """Asks for the thought."""
        if spec.shape is None:
            raise ValueError(f"{spec.name}: a thought is written along a shape")
        inputs = {
            **shared_inputs(passage, question),
            "given": THINKING[spec.setting],
            "shape": spec.shape.told(),
            "analysis": found.analysis,
            "hypotheses": found.hypotheses,
            "evidence": found.quoted(),
            "critique": found.critique,
            "perspective": found.perspective,
        }
        return Ask(
            stage="trace",
            key=f"trace/{passage.sample.id}/{question.type.value}/{spec.name}",
            predict=self.trace,
            inputs=inputs,
            depth=3,
            check=lambda values: [
                *thought_problems(values[-1], question, spec.setting),
                *borrowed(values[-1], self.trace, inputs),
                *(not_at_hand(passage, question, spec, values[-1].texts) if len(values) == 1 else []),
            ],
            temperature=temperature_at(self.trace, spec),
            earlier=feedback.earlier_thought,
            feedback=feedback.thought,
        )

    def answer_ask(
        self, passage: Passage, question: Question, thought: Thought, spec: DraftSpec, feedback: Against
    ) -> Ask:
        """Asks for the answer to a thought."""
        inputs = {
            **shared_inputs(passage, question),
            "given": THINKING[spec.setting],
            "thought": "\n\n".join(thought.texts),
        }
        return Ask(
            stage="answer",
            key=f"answer/{passage.sample.id}/{question.type.value}/{spec.name}",
            predict=self.answer,
            inputs=inputs,
            depth=4,
            check=lambda values: [
                *answer_problems(values[-1], question, spec.setting),
                *borrowed(values[-1], self.answer, inputs),
                *(not_at_hand(passage, question, spec, thought.texts, values[-1].text) if len(values) == 1 else []),
            ],
            temperature=temperature_at(self.answer, spec),
            earlier=feedback.earlier_answer,
            feedback=feedback.answer,
        )


def temperature_at(predict: dspy.Predict, spec: DraftSpec) -> float | None:
    """A first variation has the temperature that the program was compiled with; others are there to differ."""
    compiled: float | None = predict.config.get("temperature")
    return spec.temperature if compiled is None or spec.variation else compiled


def thought_problems(thought: Thought, question: Question, setting: Setting) -> list[str]:
    """Why a thought cannot be used, in words; nothing wrong: an empty list."""
    texts = thought.texts
    problems = [
        f"paragraph {number}: {why}"
        for number, text in enumerate(texts, start=1)
        for why in (leaked(text), is_degenerate(text))
        if why
    ]
    whole = is_degenerate("\n\n".join(texts))
    problems += [f"the thought as a whole: {whole}"] if whole and not problems else []
    for index, text in enumerate(texts):
        twin = next((number for number in range(index) if fuzz.ratio(texts[number], text) >= SAME_TEXT), None)
        if twin is not None:
            problems.append(f"paragraph {index + 1}: says the same as paragraph {twin + 1}")
    return [*problems, *_left_wrong(thought), *_out_of_view("\n\n".join(texts), question, setting)]


def _left_wrong(thought: Thought) -> list[str]:
    """A mistake that nothing takes back would be taught as it stands."""
    kinds = thought.kinds
    wrong = [index for index, kind in enumerate(kinds) if kind == "wrong"]
    if not wrong or "takes_back" in kinds[wrong[-1] :]:
        return []
    return [f"paragraph {wrong[-1] + 1}: it is wrong, and no later paragraph takes it back"]


def answer_problems(answer: FinalAnswer, question: Question, setting: Setting) -> list[str]:
    """Why a final answer cannot be used, in words; nothing wrong: an empty list."""
    text = answer.text
    problems = _out_of_view(text, question, setting)
    problems += [why for why in (leaked(text), is_degenerate(text)) if why]
    problems += ["asks instead of answering"] if only_asks(text) else []
    problems += ["only repeats the question"] if fuzz.ratio(question.text, text) >= SAME_TEXT else []
    return problems


def not_at_hand(
    passage: Passage, question: Question, spec: DraftSpec, thought: Sequence[str], answer: str | None = None
) -> list[str]:
    """Which figures of a thought, or of the answer to it, only the passage gives, where it is not at hand.

    What is listed so once is taken the second time: the record names such figures, and an export shows the passage.
    """
    if spec.setting == "open":
        return []
    needed = needed_figures(passage, question, thought, answer)
    if answer is not None:
        needed = needed[len(needed_figures(passage, question, thought)) :]
    if not needed:
        return []
    return [
        f"uses figures that the question does not give and that nothing in it leads to: {', '.join(needed)}; derive them "
        "in the open, estimate, or do without"
    ]


def needed_figures(
    passage: Passage, question: Question, thought: Sequence[str], answer: str | None = None
) -> list[str]:
    """The figures of a thought (and the answer to it) that only the passage gives, worked out once for the checks and the
    record."""
    texts = tuple(thought) if answer is None else (*thought, answer.strip())
    return list(_needed(question.text, passage.sample.text, texts))


@lru_cache(maxsize=1024)
def _needed(question: str, passage: str, texts: tuple[str, ...]) -> list[str]:
    return needs_passage(question, passage, texts)


def _out_of_view(text: str, question: Question, setting: Setting) -> list[str]:
    """What a text speaks of that whoever reads the question does not have; each phrase once."""
    given = question.text if setting == "closed" else f"{question.text}\nA text."
    artificial = artefacts(text, given=given, asked_by=question.asked_by)
    found = [("leans on its source", each) for each in leaning(text, given=given)]
    found += [("shows how it was made", each) for each in artificial]
    return list({each.phrase.lower(): f'{what}: "{each.phrase}" ({each.reason})' for what, each in found}.values())


def judged_view(passage: Passage, question: Question, draft: Draft) -> dict[str, Any]:
    """What judges and graders are given of a draft, apart from the thought."""
    return {**shared_inputs(passage, question), "answer": draft.answer}
