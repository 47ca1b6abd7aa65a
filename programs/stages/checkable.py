"""What an answer can be checked by, as the model gave it: a short answer and a rubric. Pure functions: what fails its check
is left out with the reason, and never costs the trace."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from programs.inputs.passage import Passage
from programs.inputs.sample import bytes_id
from programs.records import RubricPoint, ShortAnswer
from programs.rejection import Reason, Rejection
from programs.stages.questions import Question
from programs.text.needs_passage import unstated
from programs.text.phrases import leaning
from programs.text.quantities import quantities
from programs.text.short_answers import known_unit, numbers_in, plain, same_amount
from programs.text.words import content, tokens
from signatures.answer import FinalAnswer, Point, ShortForm

FEWEST_POINTS = 3
SAME_WORDS = 90.0
"""Two points with the same figures, at or above this similarity (rapidfuzz ratio, 0-100), say the same."""
STANDS_OUT = 1.3
"""A right option so many times as long as the longest wrong one, or the shortest wrong one so many times as long as it, is
found without an idea of the matter."""
TOLERANCES = (0.01, 0.05)
"""The least and the largest tolerance of a number; between them: what its last digit, and the answer's, may be off by."""


class CheckFailed(Exception):
    """A short answer, or a point, that fails its check."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    def at(self, place: str) -> Rejection:
        """What is left out at that place."""
        return Rejection(reason=self.reason, detail=f"{place}: {self.detail}" if self.detail else place)


@dataclass(frozen=True)
class Checkable:
    """What stands of both, and what was left out, each with what it is (`short answer`, or a point's kind and words) first
    in the detail. A point has no number there: those that stand would seem to be meant."""

    short_answer: ShortAnswer | None = None
    rubric: list[RubricPoint] = field(default_factory=list)
    unchecked: list[Rejection] = field(default_factory=list)


@dataclass(frozen=True)
class _Context:
    """What both are checked against; `texts` are the thought's paragraphs and the answer."""

    question: str
    passage: Passage
    texts: tuple[str, ...]
    misconceptions: Sequence[str]

    @property
    def answer(self) -> str:
        return self.texts[-1]

    def unstated(self, text: str, *, counts: bool) -> list[str]:
        return unstated(text, self.question, self.passage.sample.text, self.texts, counts=counts)


def checkable(
    final: FinalAnswer, question: Question, passage: Passage, thought: Sequence[str], misconceptions: Sequence[str]
) -> Checkable:
    """What of a final answer's short form and rubric passes the checks."""
    context = _Context(question.text, passage, (*thought, final.text.strip()), misconceptions)
    lost: list[Rejection] = []
    short = None
    try:
        short = _short_answer(final, context)
    except CheckFailed as failed:
        lost.append(failed.at("short answer"))
    points: list[RubricPoint] = []
    for said in final.rubric:
        try:
            points.append(_checked(_point(said, passage), points, context))
        except CheckFailed as failed:
            lost.append(failed.at(f'{said.kind} "{said.text.strip()}"'))
    if len(points) < FEWEST_POINTS or not any(point.weight > 0 for point in points):
        lost.append(Rejection(reason=Reason.TOO_FEW, detail="rubric"))
        points = []
    return Checkable(short, points, lost)


def _short_answer(final: FinalAnswer, context: _Context) -> ShortAnswer | None:
    """Raises `CheckFailed`; None where the question allows none."""
    said, word = final.short, final.yes_or_no
    if said is None and word not in ("yes", "no"):
        raise CheckFailed(Reason.UNREADABLE)
    if said is None or said.kind in ("none", "yes_no"):
        named = plain(said.answer) if said is not None and said.kind == "yes_no" else word
        return _yes_or_no(named, word, context)
    return {"number": _number, "choice": _choice, "term": _term}[said.kind](said, context)


def _yes_or_no(said: str | None, word: str | None, context: _Context) -> ShortAnswer | None:
    if said not in ("yes", "no"):
        return None
    first = re.match(r"\W*(yes|no)\b", context.answer, re.I)
    if word not in (None, said) or (first and first[1].lower() != said):
        raise CheckFailed(Reason.DISAGREES, said)
    return ShortAnswer(kind="yes_no", text=said)


def _number(said: ShortForm, context: _Context) -> ShortAnswer:
    found = numbers_in(said.answer)
    if len(found) != 1:
        raise CheckFailed(Reason.UNREADABLE, said.answer)
    [number] = found
    unit = number.unit or _unit(said.unit.strip(), context)
    tolerance = min(max(_step(said.answer) / 2, TOLERANCES[0], _rounded(number.value, unit, context)), TOLERANCES[1])
    short = ShortAnswer(kind="number", text=said.answer, value=number.value, unit=unit, tolerance=round(tolerance, 4))
    plainly = short.model_dump() | {"unit": ""}
    as_written = any(same_amount(one.value, "", plainly) for one in quantities(context.answer))
    if not as_written and not any(same_amount(one.value, one.unit, dict(short)) for one in numbers_in(context.answer)):
        raise CheckFailed(Reason.DISAGREES, f"{said.answer} {said.unit}".strip())
    if nowhere := context.unstated(f"{said.answer} {unit}".strip(), counts=True):
        raise CheckFailed(Reason.UNSTATED, ", ".join(nowhere))
    return short


def _step(written: str) -> float:
    """What a step of a number's last digit is of the number; 0 of 0."""
    found = re.search(r"\d*\.?\d+", re.sub(r"[^\d.eE×x]", "", re.sub(r"\A[^\d.]+|\.(?!\d)", "", written)))
    digits = found[0] if found else "0"
    return 10.0 ** -len(digits.partition(".")[2]) / float(digits) if float(digits) else 0.0


def _rounded(value: float, unit: str, context: _Context) -> float:
    """How far the figures of the answer are off that are the value, rounded, as a share: the answer itself has to be right.
    A figure that is near it by chance, as "two" is near 1.7, is none, nor one of something else."""
    dimension = next((one.dimension for one in quantities(f"{value} {unit}")), None)
    alike = [one for one in quantities(context.answer) if one.value == round(value, _decimals(one.written))]
    found = [
        abs(one.value / value - 1) * (1 + 1e-6)
        for one in alike
        if one.value and abs(one.value - value) * one.size <= one.reach * one.value
        if one.dimension == dimension or (one.dimension is None and not one.counted)
    ]
    return max(found, default=0.0)


def _decimals(number: str) -> int:
    written = re.search(r"\.(\d+)", number)
    return len(written[1]) if written else 0


def _unit(name: str, context: _Context) -> str:
    """A known unit, without what it is of ("% of the nitrogen"); "" without one, or for things counted ("nine ovaries")."""
    name = re.sub(r"(%|per ?cent) of .*", r"\1", name)
    if not name or known_unit(name):
        return name
    counted = rf"(?:\d|\b[a-z]+)\s(?:[\w-]+\s){{0,3}}{re.escape(name)}\b"
    if re.fullmatch(r"[A-Za-z][a-z-]+(?: [a-z-]+)*", name) and re.search(counted, context.answer):
        return ""
    raise CheckFailed(Reason.UNIT, name)


def _choice(said: ShortForm, context: _Context) -> ShortAnswer:
    right = said.answer.strip()
    wrong = [option.strip() for option in said.others or context.misconceptions][:3]
    options = sorted([right, *wrong], key=lambda text: bytes_id(text.encode()))
    # One word may be all that tells a wrong claim from the right one.
    words = [frozenset(plain(option).split()) for option in options]
    apart = len(options) > 1 and all(words) and len(set(words)) == len(options)
    lengths = sorted(map(len, wrong))
    if not apart or len(right) > STANDS_OUT * lengths[-1] or lengths[0] > STANDS_OUT * len(right):
        raise CheckFailed(Reason.OPTIONS, " | ".join(options))
    said_there = content(tokens(right))
    # The answer may put it in other words.
    if len(said_there & content(tokens(context.answer))) * 3 < len(said_there):
        raise CheckFailed(Reason.DISAGREES, right)
    return ShortAnswer(kind="choice", text=right, options=options)


def _term(said: ShortForm, context: _Context) -> ShortAnswer:
    name = said.answer.strip(" .")
    if not plain(name) or len(name.split()) > 6:
        raise CheckFailed(Reason.UNREADABLE, name)
    if _says(context.question, name):
        raise CheckFailed(Reason.GIVEN_AWAY, name)
    if not _says(context.answer, name):
        raise CheckFailed(Reason.DISAGREES, name)
    return ShortAnswer(kind="term", text=name, aliases=list(_aliases(name, said.others, context)))


def _aliases(name: str, others: Sequence[str], context: _Context) -> Iterator[str]:
    """Those that passage or answer use, and initials: any other may be a name of something else."""
    initials = "".join(word[0] for word in plain(name).split())
    for alias in dict.fromkeys(other.strip(" .") for other in others):
        used = _says(context.passage.sample.text, alias) or _says(context.answer, alias)
        known = (len(alias) > 2 and used) or plain(alias) == initials
        if known and plain(alias) != plain(name) and not _says(context.question, alias):
            yield alias


def _says(text: str, name: str) -> bool:
    return f" {plain(name)} " in f" {plain(text)} "


def _point(said: Point, passage: Passage) -> RubricPoint:
    place = passage.quoted(said.sentence)
    # To leave out what rests on general knowledge and says so would keep what names some sentence instead.
    if said.sentence and not place:
        raise CheckFailed(Reason.NO_SENTENCE, str(said.sentence))
    weight = -said.weight if said.kind == "pitfall" else said.weight
    return RubricPoint(kind=said.kind, text=said.text.strip(), weight=weight, sentence=said.sentence or None, **place)


def _checked(point: RubricPoint, earlier: Sequence[RubricPoint], context: _Context) -> RubricPoint:
    figures = re.findall(r"\d+", point.text)
    near = (one.text for one in earlier if re.findall(r"\d+", one.text) == figures)
    if any(fuzz.ratio(plain(point.text), plain(text)) >= SAME_WORDS for text in near):
        raise CheckFailed(Reason.SAME_POINT)
    # Whoever grades by it has no passage either.
    if leans := leaning(point.text, given=context.question):
        raise CheckFailed(Reason.LEANS, leans[0].phrase)
    if point.kind == "pitfall":
        if _says(context.answer, point.text):
            raise CheckFailed(Reason.DISAGREES)
    elif nowhere := context.unstated(point.text, counts=False):
        raise CheckFailed(Reason.UNSTATED, ", ".join(nowhere))
    return point
