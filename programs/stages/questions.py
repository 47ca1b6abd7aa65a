"""Stage 1 as a module: a question of a type, checked; and the types in an order that the text itself fixes."""

import random
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from programs.asking.ask import Ask
from programs.asking.caller import PredictorModule
from programs.asking.reply import Reply
from programs.inputs.passage import Passage
from programs.rejection import Reason, Rejection
from programs.text.copying import borrowed
from programs.text.near_duplicates import SAME, similarity
from programs.text.phrases import OWN_WORK, SENTENCE, artefacts, leaning, without_lead
from programs.text.prose import prose_problems
from programs.text.words import content, is_english, tokens
from signatures.question_type import QUESTION_TYPES, Difficulty, QuestionType
from signatures.questions import ASKERS, CLAIMED, CLAIMS, MOST_WORDS, NO_CLAIM, AskQuestion, DraftQuestion, wanted
from signatures.vocabulary import ASKING, Setting


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
    """A question that was not taken, and why: the reason of its first problem, and what is wrong with it, in words."""

    text: str
    type: str
    rejection: Rejection


SHORTEST_SENTENCE = 8
"""Words of a sentence that says something."""


class QuestionPool(BaseModel):
    """The questions of one text, in the order in which they are used, and those not taken."""

    questions: list[Question]
    rejected: list[RejectedQuestion]


class QuestionStage(PredictorModule):
    """Asks for a question of one of its `types`."""

    signature = AskQuestion

    def __init__(self, types: Mapping[str, QuestionType] = QUESTION_TYPES) -> None:
        super().__init__()
        self.types = dict(types)

    def ask(self, passage: Passage, kind: str, setting: Setting, seed: int) -> Ask:
        """Asks for a question of a kind; text, kind and seed draw what it is to be like."""
        return Ask(
            stage="questions",
            key=f"questions/{passage.sample.id}/{kind}",
            predict=self.predict,
            inputs={"passage": passage.shown, "given": ASKING[setting], "wanted": self._wanted(passage, kind, seed)},
            depth=0,
            check=lambda drafts: [problem.detail for problem in self._problems(without_lead(drafts[-1].text), passage)],
        )

    def pool(self, passage: Passage, replies: Mapping[str, Reply]) -> QuestionPool:
        """The usable questions among the tries of these replies, by type, in their order; of one type the first."""
        taken: dict[str, Question] = {}
        rejected: list[RejectedQuestion] = []
        for kind, reply in replies.items():
            for draft in _drafts(reply):
                text, earlier = without_lead(draft.text), [question.text for question in taken.values()]
                problems = self._problems(text, passage) or _repeats(text, earlier)
                if not problems:
                    taken[kind] = Question(text=text, type=kind, difficulty=draft.difficulty, audience=draft.audience)
                    break
                why = Rejection(reason=problems[0].reason, detail="; ".join(each.detail for each in problems))
                rejected.append(RejectedQuestion(text=text, type=kind, rejection=why))
        return QuestionPool(questions=list(taken.values()), rejected=rejected)

    def _wanted(self, passage: Passage, kind: str, seed: int) -> str:
        draw, built_in = random.Random(f"{seed}/{passage.sample.id}/{kind}/wanted"), list(QUESTION_TYPES)
        random.Random(f"{seed}/{passage.sample.id}/parts").shuffle(built_in)
        place = draw.random()
        if kind in built_in:
            # Each of these has a part of the passage to itself, whatever other types there are.
            place = (built_in.index(kind) + place) / len(built_in)
        sentences = _sentences(passage)
        return wanted(
            kind,
            self.types[kind],
            asker=draw.choice(ASKERS),
            sentence=sentences[int(place * len(sentences))],
            words=drawn_words(draw, self.types[kind].fewest_words, MOST_WORDS),
            claim=draw.choice(CLAIMS) if self.types[kind].takes_claims and draw.random() < CLAIMED else NO_CLAIM,
        )

    def _problems(self, text: str, passage: Passage) -> Sequence[Rejection]:
        return problems_of(text, passage.sample.text) or [
            Rejection(reason=Reason.FORM, detail=why)
            for why in borrowed(text, self.predict, {"passage": passage.shown})
        ]


def _sentences(passage: Passage) -> Sequence[int]:
    """The numbers of the sentences that a question can build on: those long enough to say something, or else all."""
    numbers = range(1, len(passage.spans) + 1)
    long = [number for number in numbers if len(passage.quoted(number)["quote"].split()) >= SHORTEST_SENTENCE]
    return long if len(long) > 1 else numbers


def _drafts(reply: Reply) -> Iterator[DraftQuestion]:
    """Those of a reply's tries that could be read, in order. The last of the rejected may be the reply's own."""
    outputs = [each.output for each in reply.rejected]
    outputs += [] if reply.output in outputs else [reply.output]
    return (DraftQuestion.model_validate(output) for output in outputs if output is not None)


def drawn_words(draw: random.Random, fewest: int, most: int) -> int:
    """A number of words, in tens but no smaller than the fewest, drawn evenly on a logarithmic scale."""
    words: float = fewest * (most / fewest) ** draw.random()
    return max(fewest, 10 * round(words / 10))


def type_order(sample_id: str, seed: int, types: Collection[str] = QUESTION_TYPES) -> list[str]:
    """The order in which a text's question types are used. Over many texts every type leads equally often; which of two
    comes first does not change with the others."""
    draw, built_in = random.Random(f"{seed}/{sample_id}"), list(QUESTION_TYPES)
    draw.shuffle(built_in)
    places = dict(zip(built_in, sorted(draw.random() for _ in built_in), strict=True))
    own = {name: random.Random(f"{seed}/{sample_id}/{name}").random() for name in types if name not in places}
    return sorted(types, key={**places, **own}.__getitem__)


@lru_cache(maxsize=1024)
def problems_of(text: str, passage: str) -> tuple[Rejection, ...]:
    """Why a question about a passage cannot be used; nothing wrong: none."""
    # Who asks may have measured something.
    found = [(Reason.LEANS, each) for each in leaning(text) if each.reason != OWN_WORK]
    found += [(Reason.ARTEFACT, each) for each in artefacts(text) if each.reason == SENTENCE]
    problems = [(reason, f'{reason.value}: "{each.phrase}" ({each.reason})') for reason, each in found]
    problems += [] if asks(text) else [(Reason.NOTHING_ASKED, Reason.NOTHING_ASKED.value)]
    problems += [(Reason.FORM, why) for why in prose_problems(text)]
    if not problems and (why := why_off_topic(text, passage)):
        problems = [(Reason.OFF_SUBJECT, why)]
    return tuple(Rejection(reason=reason, detail=why) for reason, why in problems)


def _repeats(text: str, earlier: Collection[str]) -> list[Rejection]:
    twin = next((other for other in earlier if similarity(other, text) >= SAME), None)
    return [] if twin is None else [Rejection(reason=Reason.SAME_QUESTION, detail=f"asks the same as: {twin}")]


MARKS = "?？؟"
"""Question marks: Latin and Cyrillic, Chinese and Japanese, Arabic."""
FEWEST = 2
BEGINNING = 6
"""Words with the same BEGINNING letters are one: calibrate and calibration."""

_IMPERATIVE = re.compile(
    r"(?:^|[.;:]\s+)(?:please\s+)?(?:explain|describe|compare|discuss|estimate|calculate|derive|suggest|propose|outline|"
    r"justify|interpret|evaluate|assess|predict|show|tell me|give|state|name|list|walk me through|help me)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(rf"(?<![.!{MARKS}。！۔])[.!{MARKS}。！۔]+(?=[\s\"')\]]|$)|[。！？]")


def asks(text: str) -> bool:
    """Whether some sentence of `text` is a question or a request."""
    # Greek asks with the sign that is a semicolon elsewhere (and in NFC): at the end of a text it can be nothing else.
    return any(mark in text for mark in MARKS) or text.rstrip()[-1:] == ";" or _IMPERATIVE.search(text) is not None


def only_asks(text: str) -> bool:
    """Whether `text` has no sentence but questions."""
    if not any(mark in text for mark in MARKS):
        return False
    ends = _SENTENCE_END.findall(text.strip())
    return bool(ends) and all(set(end) & {*MARKS} for end in ends) and text.strip()[-1] in f"{MARKS}\"')]"


def why_off_topic(question: str, passage: str) -> str | None:
    """Why `question` is not about `passage`, or None when it may be.

    "Can you explain further?" leans on no source, and cannot be answered: a question must share FEWEST content words (or
    numbers) with its passage, if English, or all that it has. It may do so by chance.
    """
    source, asked = _beginnings(passage), {word[:BEGINNING] for word in content(tokens(question))}
    if source is None or len(asked & source) >= min(FEWEST, len(asked) or 1):
        return None
    return (
        "is not about the passage: it names nothing of it" if asked else "is about nothing: it has no words of content"
    )


# A passage is looked at again for each of its questions and each try at one, and its words are many.
@lru_cache(maxsize=64)
def _beginnings(passage: str) -> frozenset[str] | None:
    """The content of an English passage; None for another."""
    words = tokens(passage)
    return frozenset(word[:BEGINNING] for word in content(words)) if is_english(words) else None
