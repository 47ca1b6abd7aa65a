"""Stage 1 as a module: one question of each type, checked, in an order that the text itself fixes."""

import random
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import dspy
from pydantic import BaseModel

from programs.asking.ask import Ask
from programs.asking.caller import PredictorModule
from programs.asking.reply import Reply
from programs.asking.schema import outputs_of
from programs.inputs.passage import Passage
from programs.rejection import Reason, Rejection
from programs.text.copying import borrowed
from programs.text.near_duplicates import SAME, similarity
from programs.text.phrases import SENTENCE, artefacts, leaning
from programs.text.prose import no_prose
from programs.text.questions import asks, strays
from signatures.question_type import QUESTION_TYPES, Difficulty, QuestionType
from signatures.questions import LEANS, QUESTION_LENGTH, QUESTION_WORDS, DraftQuestion, asking_of
from signatures.vocabulary import ASKING, Setting

MAY_LACK = 1
"""With more types unusable a text is asked once more, with the reasons; then what there is has to do."""


class Question(BaseModel):
    """A question that passed its checks."""

    text: str
    type: str
    difficulty: Difficulty
    audience: str

    @property
    def asked_by(self) -> str:
        """Who asks and at which level, as the stages are told."""
        return f"{self.audience} ({self.difficulty} level)"


def shared_inputs(passage: Passage, question: Question) -> dict[str, Any]:
    """What every stage after the questions is given."""
    return {"passage": passage.shown, "question": question.text, "asked_by": question.asked_by}


class RejectedQuestion(BaseModel):
    """A question that was not taken, and why: the kind of its first problem, and what is wrong with it, in words."""

    text: str
    type: str
    rejection: Rejection


class QuestionPool(BaseModel):
    """The questions of one text, in the order in which they are used, and those not taken."""

    questions: list[Question]
    rejected: list[RejectedQuestion]


class QuestionStage(PredictorModule):
    """Asks for a question of each type."""

    def __init__(self, types: Mapping[str, QuestionType] = QUESTION_TYPES) -> None:
        super().__init__(asking_of(types))

    @property
    def form(self) -> type[BaseModel]:
        """The form of a reply: a field for each type."""
        [(_, form)] = outputs_of(self.predict.signature)
        return form  # type: ignore[no-any-return]

    def ask(self, passage: Passage, setting: Setting, seed: int) -> Ask:
        """`seed` draws whether "yes" or "no" is right where a question of this text asks whether something holds, and how
        long each question is."""
        lean = random.Random(f"{seed}/{passage.sample.id}/lean").choice(LEANS)
        draws = {kind: random.Random(f"{seed}/{passage.sample.id}/{kind}/words") for kind in self.form.model_fields}
        lengths = (QUESTION_LENGTH.format(kind, drawn_words(draw, *QUESTION_WORDS)) for kind, draw in draws.items())
        return Ask(
            stage="questions",
            key=f"questions/{passage.sample.id}",
            predict=self.predict,
            inputs={"passage": passage.shown, "given": ASKING[setting], "lean": lean, "lengths": "; ".join(lengths)},
            depth=0,
            check=lambda drafts: _missing(drafts, passage, self.predict),
        )

    def pool(self, passage: Passage, reply: Reply, seed: int) -> QuestionPool:
        """The usable questions of all tries, ordered by the text's hash and the seed alone."""
        outputs = [rejected.output for rejected in reply.rejected if rejected.output is not None]
        outputs += [reply.output] if reply.output is not None and reply.output not in outputs else []
        pool = _merged([self.form.model_validate(output) for output in outputs], passage, self.predict)
        order = type_order(passage.sample.id, seed, [question.type for question in pool.questions])
        return pool.model_copy(update={"questions": sorted(pool.questions, key=lambda one: order.index(one.type))})


def drawn_words(draw: random.Random, fewest: int, most: int) -> int:
    """A number of words, in tens: as likely in the lower half as in the upper half of the range on a logarithmic scale."""
    words: float = fewest * (most / fewest) ** draw.random()
    return 10 * round(words / 10)


def type_order(sample_id: str, seed: int, types: Collection[str] = QUESTION_TYPES) -> list[str]:
    """The order in which a text's question types are used. Over many texts every type leads equally often; which of two
    comes first does not change with the others."""
    draw, built_in = random.Random(f"{seed}/{sample_id}"), list(QUESTION_TYPES)
    draw.shuffle(built_in)
    places = dict(zip(built_in, sorted(draw.random() for _ in built_in), strict=True))
    own = {name: random.Random(f"{seed}/{sample_id}/{name}").random() for name in types if name not in places}
    return sorted(types, key={**places, **own}.__getitem__)


Problem = tuple[Reason, str]
"""The kind of a problem, and what is wrong, in words."""


@lru_cache(maxsize=1024)
def problems_of(text: str, passage: str) -> tuple[Problem, ...]:
    """Why a question about a passage cannot be used; nothing wrong: none."""
    found = [(Reason.LEANS, each) for each in leaning(text)]
    found += [(Reason.ARTEFACT, each) for each in artefacts(text) if each.reason == SENTENCE]
    problems = [(kind, f'{kind.value}: "{each.phrase}" ({each.reason})') for kind, each in found]
    problems += [] if asks(text) else [(Reason.NOTHING_ASKED, Reason.NOTHING_ASKED.value)]
    problems += [(Reason.FORM, why) for why in no_prose(text)]
    off_subject = None if problems else strays(text, passage)
    return (*problems, *([(Reason.OFF_SUBJECT, off_subject)] if off_subject else []))


def _missing(drafts: list[Any], passage: Passage, predict: dspy.Predict) -> list[str]:
    pool = _merged(drafts, passage, predict)
    kinds = type(drafts[-1]).model_fields
    if len(pool.questions) >= len(kinds) - MAY_LACK or (len(drafts) > 1 and pool.questions):
        return []
    have = {question.type for question in pool.questions}
    newest = {rejected.type: rejected.rejection.detail for rejected in pool.rejected}
    return [f"{kind}: {newest.get(kind, 'it is missing')}" for kind in kinds if kind not in have]


def _merged(drafts: list[Any], passage: Passage, predict: dspy.Predict) -> QuestionPool:
    """The first usable question of each type over all tries; near-duplicates and unusable ones are rejected."""
    taken: dict[str, Question] = {}
    rejected: list[RejectedQuestion] = []
    for draft_set in drafts:
        for kind in type(draft_set).model_fields:
            draft: DraftQuestion | None = getattr(draft_set, kind)
            if kind in taken or draft is None:
                continue
            text = " ".join(draft.question.split())
            problems = (
                problems_of(text, passage.sample.text)
                or [(Reason.FORM, why) for why in borrowed(text, predict, {"passage": passage.shown})]
                or _repeats(text, tuple(question.text for question in taken.values()))
            )
            if problems:
                why = Rejection(reason=problems[0][0], detail="; ".join(said for _, said in problems))
                rejected.append(RejectedQuestion(text=text, type=kind, rejection=why))
            else:
                taken[kind] = Question(text=text, type=kind, difficulty=draft.difficulty, audience=draft.audience)
    return QuestionPool(questions=list(taken.values()), rejected=rejected)


# As `problems_of`, asked twice of the same texts: by the check, and of the pool that is made of all tries.
@lru_cache(maxsize=1024)
def _repeats(text: str, earlier: tuple[str, ...]) -> tuple[Problem, ...]:
    twin = next((other for other in earlier if similarity(other, text) >= SAME), None)
    return () if twin is None else ((Reason.SAME_QUESTION, f"asks the same as: {twin}"),)
