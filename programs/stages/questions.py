"""Stage 1 as a module: asks for a question of a type and checks it. The text and the seed fix the order of the types."""

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
from programs.text.copying import borrowing_problems
from programs.text.near_duplicates import SAME_QUESTION, similarity
from programs.text.phrases import OWN_WORK, SENTENCE, Fault, artefacts, source_references, strip_source
from programs.text.prose import prose_problems
from programs.text.words import content_stems, is_english, tokens
from signatures.question_type import QUESTION_TYPES, Difficulty, QuestionType
from signatures.questions import (
    ASKERS,
    CLAIM_SHARE,
    CLAIMS,
    FIGURE,
    FIGURE_SHARE,
    MAX_QUESTION_WORDS,
    MIN_WORDS_FOR_TWO,
    ONE_THING,
    TWO_THINGS,
    TWO_THINGS_SHARE,
    AskQuestion,
    DraftQuestion,
    describe_wanted,
)
from signatures.vocabulary import ASKING, Setting


class Question(BaseModel):
    """A question that passed its checks."""

    text: str
    type: str
    difficulty: Difficulty
    audience: str

    @property
    def asked_by(self) -> str:
        """Who asks and at which level, in the words of the prompts."""
        return f"{self.audience} ({self.difficulty} level)"


def shared_inputs(passage: Passage, question: Question) -> dict[str, Any]:
    """The inputs that every stage after the questions gets."""
    return {"passage": passage.shown, "question": question.text, "asked_by": question.asked_by}


class RejectedQuestion(BaseModel):
    """A rejected question. The reason is that of its first problem; the detail describes all of them."""

    text: str
    type: str
    rejection: Rejection


MIN_SENTENCE_WORDS = 8
"""The fewest words of a sentence that says something."""


class QuestionPool(BaseModel):
    """The questions of one text, in the order in which they are used, and the rejected ones."""

    questions: list[Question]
    rejected: list[RejectedQuestion]


class QuestionStage(PredictorModule):
    """Asks for a question of one of its `types`."""

    signature = AskQuestion

    def __init__(self, types: Mapping[str, QuestionType] = QUESTION_TYPES) -> None:
        super().__init__()
        self.types = {name: QuestionType.model_validate(kind) for name, kind in types.items()}

    def ask(self, passage: Passage, kind: str, setting: Setting, seed: int) -> Ask:
        """Asks for a question of a kind. Its other properties are drawn, seeded by the text, the kind and `seed`."""
        return Ask(
            stage="questions",
            subject=(passage.sample.id, kind),
            predict=self.predict,
            inputs={"passage": passage.shown, "given": ASKING[setting], "wanted": self._wanted(passage, kind, seed)},
            check=lambda drafts: [problem.detail for problem in self._problems(strip_source(drafts[-1].text), passage)],
        )

    def pool(self, passage: Passage, replies: Mapping[str, Reply]) -> QuestionPool:
        """The first usable question among the tries of each type's reply, in the order of the replies, and the rejected."""
        chosen: dict[str, Question] = {}
        rejected: list[RejectedQuestion] = []
        for kind, reply in replies.items():
            for draft in _drafts(reply):
                text, earlier = strip_source(draft.text), [question.text for question in chosen.values()]
                problems = self._problems(text, passage) or _duplicate_problems(text, earlier)
                if not problems:
                    chosen[kind] = Question(text=text, type=kind, difficulty=draft.difficulty, audience=draft.audience)
                    break
                why = Rejection(reason=problems[0].reason, detail="; ".join(each.detail for each in problems))
                rejected.append(RejectedQuestion(text=text, type=kind, rejection=why))
        return QuestionPool(questions=list(chosen.values()), rejected=rejected)

    def _wanted(self, passage: Passage, kind: str, seed: int) -> str:
        draw, built_in = random.Random(f"{seed}/{passage.sample.id}/{kind}/wanted"), list(QUESTION_TYPES)
        random.Random(f"{seed}/{passage.sample.id}/parts").shuffle(built_in)
        position = draw.random()
        if kind in built_in:
            # Each built-in type has its own part of the passage, whatever other types there are.
            position = (built_in.index(kind) + position) / len(built_in)
        sentences, request = _sentences(passage), _draw_request(draw, self.types[kind])
        fewest = max(self.types[kind].fewest_words, MIN_WORDS_FOR_TWO if request == TWO_THINGS else 0)
        return describe_wanted(
            kind,
            self.types[kind],
            asker=draw.choice(ASKERS),
            sentence=sentences[int(position * len(sentences))],
            words=draw_word_count(draw, fewest, MAX_QUESTION_WORDS),
            request=request,
        )

    def _problems(self, text: str, passage: Passage) -> Sequence[Rejection]:
        return question_problems(text, passage.sample.text) or [
            Rejection(reason=Reason.FORM, detail=why)
            for why in borrowing_problems(text, self.predict, {"passage": passage.shown})
        ]


def _draw_request(draw: random.Random, kind: QuestionType) -> str:
    claim = draw.choice(CLAIMS)
    if draw.random() < CLAIM_SHARE and kind.takes_claims:
        return claim
    if draw.random() < FIGURE_SHARE and kind.takes_figures:
        return FIGURE
    return TWO_THINGS if draw.random() < TWO_THINGS_SHARE else ONE_THING


def _sentences(passage: Passage) -> Sequence[int]:
    """The numbers of the sentences that a question can build on: those that say something, or all if fewer than two do."""
    numbers = range(1, len(passage.spans) + 1)
    long = [number for number in numbers if len(passage.quoted(number)["quote"].split()) >= MIN_SENTENCE_WORDS]
    return long if len(long) > 1 else numbers


def _drafts(reply: Reply) -> Iterator[DraftQuestion]:
    """The readable tries of a reply, in order. The reply's own output may be among its rejected ones."""
    outputs = [each.output for each in reply.rejected]
    outputs += [] if reply.output in outputs else [reply.output]
    return (DraftQuestion.model_validate(output) for output in outputs if output is not None)


def draw_word_count(draw: random.Random, fewest: int, most: int) -> int:
    """A number of words from `fewest` to `most`, drawn uniformly on a logarithmic scale and rounded to tens."""
    words: float = fewest * (most / fewest) ** draw.random()
    return min(most, max(fewest, 10 * round(words / 10)))


def type_order(sample_id: str, seed: int, types: Collection[str] = QUESTION_TYPES) -> list[str]:
    """The order in which a text's question types are used. Over many texts every type comes first equally often. The order
    of two types does not depend on which others there are."""
    draw, built_in = random.Random(f"{seed}/{sample_id}"), list(QUESTION_TYPES)
    draw.shuffle(built_in)
    positions = dict(zip(built_in, sorted(draw.random() for _ in built_in), strict=True))
    own = {name: random.Random(f"{seed}/{sample_id}/{name}").random() for name in types if name not in positions}
    return sorted(types, key={**positions, **own}.__getitem__)


@lru_cache(maxsize=1024)
def question_problems(text: str, passage: str) -> tuple[Rejection, ...]:
    """Why a question about a passage cannot be used; empty if nothing is wrong."""
    # The asker may have measured something.
    found = [(Reason.REFERS_TO_SOURCE, each) for each in source_references(text) if each.reason != OWN_WORK]
    found += [(Reason.ARTEFACT, each) for each in artefacts(text) if each.reason == SENTENCE]
    problems = [(reason, phrase_problem(reason, each)) for reason, each in found]
    problems += [] if contains_request(text) else [(Reason.NOTHING_ASKED, Reason.NOTHING_ASKED.value)]
    problems += [(Reason.FORM, why) for why in prose_problems(text)]
    if not problems and (why := why_off_topic(text, passage)):
        problems = [(Reason.OFF_SUBJECT, why)]
    return tuple(Rejection(reason=reason, detail=why) for reason, why in problems)


def phrase_problem(reason: Reason, fault: Fault) -> str:
    """A phrase that a rule found, in words for the next prompt."""
    return f'{reason.value}: "{fault.phrase}" ({fault.reason})'


def _duplicate_problems(text: str, earlier: Collection[str]) -> list[Rejection]:
    same = next((other for other in earlier if similarity(other, text) >= SAME_QUESTION), None)
    return [] if same is None else [Rejection(reason=Reason.SAME_QUESTION, detail=f"asks the same as: {same}")]


MARKS = "?？؟"
"""Question marks: Latin and Cyrillic, Chinese and Japanese, Arabic."""
MIN_SHARED_WORDS = 2
STEM_LETTERS = 6
"""Words that share this many first letters count as one: calibrate and calibration."""

_IMPERATIVE = re.compile(
    r"(?:^|[.;:]\s+)(?:please\s+)?(?:explain|describe|compare|discuss|estimate|calculate|derive|suggest|propose|outline|"
    r"justify|interpret|evaluate|assess|predict|show|tell me|give|state|name|list|walk me through|help me)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(rf"(?<![.!{MARKS}。！۔])[.!{MARKS}。！۔]+(?=[\s\"')\]]|$)|[。！？]")


def contains_request(text: str) -> bool:
    """Whether `text` contains a question or a request."""
    # The Greek question mark is a semicolon (in NFC). At the end of a text it can be nothing else.
    return any(mark in text for mark in MARKS) or text.rstrip()[-1:] == ";" or _IMPERATIVE.search(text) is not None


def is_only_questions(text: str) -> bool:
    """Whether every sentence of `text` is a question."""
    if not any(mark in text for mark in MARKS):
        return False
    ends = _SENTENCE_END.findall(text.strip())
    return bool(ends) and all(set(end) & {*MARKS} for end in ends) and text.strip()[-1] in f"{MARKS}\"')]"


def why_off_topic(question: str, passage: str) -> str | None:
    """Why `question` is not about `passage`, or None if it may be.

    "Can you explain further?" refers to no source, yet cannot be answered. So a question must share MIN_SHARED_WORDS
    content words (or numbers) with an English passage, or all if it has fewer. It may do so by chance.
    """
    source, asked = _stems(passage), {word[:STEM_LETTERS] for word in content_stems(tokens(question))}
    if source is None or len(asked & source) >= min(MIN_SHARED_WORDS, len(asked) or 1):
        return None
    return (
        "is not about the passage: it names nothing of it" if asked else "is about nothing: it has no words of content"
    )


# Cached, since a long passage is read again for each of its questions and each try at one.
@lru_cache(maxsize=64)
def _stems(passage: str) -> frozenset[str] | None:
    """The beginnings of the content words of an English passage; None if it is in another language."""
    words = tokens(passage)
    return frozenset(word[:STEM_LETTERS] for word in content_stems(words)) if is_english(words) else None
