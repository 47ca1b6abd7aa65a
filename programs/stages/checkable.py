"""Checks the short answer and the rubric that a model gives with its answer. Pure functions: what fails is left out with a
reason, and never costs the trace."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from programs.inputs.passage import Passage
from programs.inputs.sample import bytes_id
from programs.record_parts import RubricPoint, ShortAnswer
from programs.rejection import Reason, Rejection
from programs.stages.questions import Question
from programs.text.needs_passage import unstated_figures
from programs.text.phrases import source_references
from programs.text.quantities import quantities
from programs.text.short_answers import known_unit, normalize, numbers_in, same_amount
from programs.text.words import content_stems, tokens
from signatures.answer import FinalAnswer, Point, ShortForm

MIN_POINTS = 3
SAME_WORDS = 90.0
"""Two points with the same figures are duplicates at or above this similarity (rapidfuzz ratio, 0-100)."""
MAX_LENGTH_RATIO = 1.3
"""A right option that is longer than the longest wrong one by more than this factor, or shorter than the shortest, can be
guessed by its length."""
MIN_TOLERANCE, MAX_TOLERANCE = 0.01, 0.05
"""The smallest and the largest tolerance of a number, as shares. Between them, it is half a step of the last digit."""


class CheckFailed(Exception):
    """A short answer or a point failed its check. The arguments are the reason and, if there are any, details."""

    def at(self, part: str) -> Rejection:
        """The rejection of the part of the answer called `part`."""
        reason, *detail = self.args
        return Rejection(reason=reason, detail=": ".join(filter(None, [part, *detail])))


@dataclass(frozen=True)
class Checkable:
    """The short answer and the rubric points that passed, and the rejections of the rest. Each detail starts with what was
    left out: `short answer`, `rubric`, or a point's kind and text (a number would seem to be that of a passed point)."""

    short_answer: ShortAnswer | None = None
    rubric: list[RubricPoint] = field(default_factory=list)
    unchecked: list[Rejection] = field(default_factory=list)

    def in_words(self) -> str:
        """The short answer and the rubric for a judge; empty if there are none."""
        short, lines = self.short_answer, list[str]()
        if short is not None:
            lines.append(f"short answer ({short.kind}): {short.text}{f' {short.unit}' if short.unit else ''}")
            lines += [f"wrong option: {option}" for option in short.options if option != short.text]
        return "\n".join([*lines, *(f"{point.kind}: {point.text}" for point in self.rubric)])


def build_checkable(final: FinalAnswer, question: Question, passage: Passage, thought: Sequence[str]) -> Checkable:
    """Checks the short form and the rubric of a final answer."""
    check = _Check(question.text, passage, (*thought, final.text.strip()))
    unchecked: list[Rejection] = []
    short = None
    try:
        short = check.short_answer(final)
    except CheckFailed as failed:
        unchecked.append(failed.at("short answer"))
    points: list[RubricPoint] = []
    for said in final.rubric:
        try:
            points.append(check.point(said, points))
        except CheckFailed as failed:
            unchecked.append(failed.at(f'{said.kind} "{said.text.strip()}"'))
    if len(points) < MIN_POINTS or not any(point.weight > 0 for point in points):
        unchecked.append(Rejection(reason=Reason.TOO_FEW, detail="rubric"))
        points = []
    return Checkable(short, points, unchecked)


@dataclass(frozen=True)
class _Check:
    """The checks of one answer; `texts` are the thought's paragraphs, then the answer. Each check raises `CheckFailed`."""

    question: str
    passage: Passage
    texts: tuple[str, ...]

    @property
    def answer(self) -> str:
        return self.texts[-1]

    def short_answer(self, final: FinalAnswer) -> ShortAnswer | None:
        """None if the question allows none."""
        said, word = final.short, final.yes_or_no
        if said is None and word not in ("yes", "no"):
            raise CheckFailed(Reason.UNREADABLE)
        if said is None or said.kind in ("none", "yes_no"):
            named = normalize(said.answer) if said is not None and said.kind == "yes_no" else word
            return self.yes_or_no(named, word)
        kind = "number" if said.kind == "term" and not any(map(str.isalpha, said.answer)) else said.kind
        return {"number": self.number, "choice": self.choice, "term": self.term}[kind](said)

    def yes_or_no(self, said: str | None, word: str | None) -> ShortAnswer | None:
        if said not in ("yes", "no"):
            return None
        first = re.match(r"\W*(yes|no)\b", self.answer, re.I)
        if word not in (None, said) or (first and first[1].lower() != said):
            raise CheckFailed(Reason.DISAGREES, said)
        return ShortAnswer(kind="yes_no", text=said)

    def number(self, said: ShortForm) -> ShortAnswer:
        numbers = numbers_in(said.answer)
        if len(numbers) != 1:
            raise CheckFailed(Reason.UNREADABLE, said.answer)
        value, unit = numbers[0].value, numbers[0].unit or self.unit(said.unit.strip())
        tolerance = round(min(max(_half_step(said.answer), MIN_TOLERANCE), MAX_TOLERANCE), 4)
        short = ShortAnswer(kind="number", text=said.answer, value=value, unit=unit, tolerance=tolerance)
        as_written = any(abs(figure.value - value) <= tolerance * abs(value) for figure in quantities(self.answer))
        if not as_written and not any(same_amount(*figure, dict(short)) for figure in numbers_in(self.answer)):
            raise CheckFailed(Reason.DISAGREES, f"{said.answer} {said.unit}".strip())
        figure, passage = f"{said.answer} {unit}", self.passage.sample.text
        if unstated := unstated_figures(figure, self.question, passage, self.texts, tolerance):
            raise CheckFailed(Reason.UNSTATED, ", ".join(unstated))
        return short

    def unit(self, name: str) -> str:
        """The unit if it is known ("% of the nitrogen" and "% too hot" are "%"); "" if there is none, or if its last word
        is a noun that the answer counts ("IQ points")."""
        name = re.sub(r"(%|per ?cent) (?:of|too|more|less|higher|lower|above|below)\b.*", r"\1", name)
        if not name or known_unit(name):
            return name
        if re.search(rf"(?:\d|\b[a-z]+)\s(?:[\w-]+\s){{0,3}}{re.escape(name.split()[-1])}\b", self.answer):
            return ""
        raise CheckFailed(Reason.UNIT, name)

    def choice(self, said: ShortForm) -> ShortAnswer:
        right = said.answer.strip()
        wrong = [option.strip() for option in said.others][:3]
        options = sorted([right, *wrong], key=lambda text: bytes_id(text.encode()))
        # A single word may be all that distinguishes a wrong claim from the right one.
        words = [frozenset(normalize(option).split()) for option in options]
        # Of two options, a guess would be right half of the time.
        distinct = len(options) > 2 and all(words) and len(set(words)) == len(options)
        lengths = sorted(map(len, wrong))
        if not distinct or len(right) > MAX_LENGTH_RATIO * lengths[-1] or lengths[0] > MAX_LENGTH_RATIO * len(right):
            raise CheckFailed(Reason.OPTIONS, " | ".join(options))
        claim_words = content_stems(tokens(right))
        # A third of its words is enough: the answer may use others.
        if len(claim_words & content_stems(tokens(self.answer))) * 3 < len(claim_words):
            raise CheckFailed(Reason.DISAGREES, right)
        return ShortAnswer(kind="choice", text=right, options=options)

    def term(self, said: ShortForm) -> ShortAnswer:
        name = said.answer.strip(" .")
        if not normalize(name) or len(name.split()) > 6:
            raise CheckFailed(Reason.UNREADABLE, name)
        if _says(self.question, name):
            raise CheckFailed(Reason.IN_QUESTION, name)
        if not _says(self.answer, name):
            raise CheckFailed(Reason.DISAGREES, name)
        return ShortAnswer(kind="term", text=name, aliases=list(self.aliases(name, said.others)))

    def aliases(self, name: str, others: Sequence[str]) -> Iterator[str]:
        """The names that the passage or the answer uses, and initials: any other may be the name of something else."""
        initials = "".join(word[0] for word in normalize(name).split())
        for alias in dict.fromkeys(other.strip(" .") for other in others):
            used = len(alias) > 2 and any(_says(text, alias) for text in (self.passage.sample.text, self.answer))
            if (
                (used or normalize(alias) == initials)
                and normalize(alias) != normalize(name)
                and not _says(self.question, alias)
            ):
                yield alias

    def point(self, said: Point, earlier: Sequence[RubricPoint]) -> RubricPoint:
        text, place = said.text.strip(), self.passage.quoted(said.sentence)
        # Sentence 0 (general knowledge) passes: rejecting it would favour points that cite an arbitrary sentence.
        if said.sentence and not place:
            raise CheckFailed(Reason.NO_SENTENCE, str(said.sentence))
        figures = re.findall(r"\d+", text)
        similar = (point.text for point in earlier if re.findall(r"\d+", point.text) == figures)
        if any(fuzz.ratio(normalize(text), normalize(other)) >= SAME_WORDS for other in similar):
            raise CheckFailed(Reason.SAME_POINT)
        # Whoever grades by the point may not have the passage.
        if references := source_references(text, given=self.question):
            raise CheckFailed(Reason.REFERS_TO_SOURCE, references[0].phrase)
        if said.kind == "pitfall" and _says(self.answer, text):
            raise CheckFailed(Reason.DISAGREES)
        weight = -said.weight if said.kind == "pitfall" else said.weight
        return RubricPoint(kind=said.kind, text=text, weight=weight, sentence=said.sentence or None, **place)


def _half_step(number: str) -> float:
    """Half a step of a number's last digit, as a share of the number; 0 for 0."""
    digits = next(iter(re.findall(r"\d+(?:\.\d+)?|\.\d+", number.replace(",", ""))), "0")
    return 0.5 * 10.0 ** -len(digits.partition(".")[2]) / float(digits) if float(digits) else 0.0


def _says(text: str, name: str) -> bool:
    return f" {normalize(name)} " in f" {normalize(text)} "
