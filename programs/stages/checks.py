"""Checks of thoughts and answers. Each returns the problems found, in words that go into the next prompt."""

from collections.abc import Iterator, Sequence

from rapidfuzz import fuzz

from programs.inputs.passage import Passage
from programs.rejection import Reason
from programs.stages.questions import Question, is_only_questions, phrase_problem
from programs.text.copying import copied_share
from programs.text.needs_passage import needs_passage
from programs.text.phrases import OWN_WORK, PART_OF_DOCUMENT, artefacts, source_references
from programs.text.prose import degeneracy, prose_problems
from programs.text.sentences import split_sentences
from programs.text.short_answers import normalize
from signatures.thought import Thought
from signatures.vocabulary import Setting

SAME_TEXT = 95.0
"""Two texts at or above this similarity (rapidfuzz ratio, 0-100) say the same thing."""
MIN_REPEATED_CHARS = 30
"""A shorter sentence ("But why would that be?") may be repeated in a thought."""
MAX_COPIED_SHARE = 0.3
"""The share of a thought's words that may be in runs of a dozen or more from the passage, and from the notes. Capable
writers copy none of the passage, even in view, and at most 2% from the notes; small models recite both."""
RECITES = "recites the passage word for word; think about its subject in words of your own"
RECITES_NOTES = "recites the notes word for word; think the question through in words of your own"
"""The problems of a thought that copies more than `MAX_COPIED_SHARE` of the passage or of the notes."""


def recites(text: str, source: str) -> bool:
    """Whether a text copies more than `MAX_COPIED_SHARE` of its words from its source."""
    return copied_share(text, source) > MAX_COPIED_SHARE


def thought_problems(thought: Thought, question: Question, passage: Passage, notes: str, setting: Setting) -> list[str]:
    """Why a thought that was written from these notes cannot be used."""
    whole, numbered, wrong = "\n\n".join(thought.texts), list(enumerate(thought.texts, start=1)), 0
    problems = [f"paragraph {number}: {why}" for number, text in numbered for why in prose_problems(text)]
    if not problems and (why := degeneracy(whole)):
        problems.append(f"the thought as a whole: {why}")
    problems += _repetition_problems(numbered)
    if recites(whole, passage.sample.text):
        problems.append(RECITES)
    elif recites(whole, notes):
        problems.append(RECITES_NOTES)
    for number, kind in enumerate(thought.kinds, start=1):
        wrong = number if kind == "wrong" else 0 if kind == "takes_back" else wrong
    # A mistake that is not taken back would be taught as the truth.
    problems += [f"paragraph {wrong}: it is wrong, and no later paragraph takes it back"] if wrong else []
    return [*problems, *_phrase_problems(whole, question, setting)]


def _repetition_problems(numbered: Sequence[tuple[int, str]]) -> Iterator[str]:
    said = set[str]()
    for number, text in numbered:
        same = next((other for other, before in numbered[: number - 1] if fuzz.ratio(before, text) >= SAME_TEXT), None)
        if same is not None:
            yield f"paragraph {number}: says the same as paragraph {same}"
            continue
        for sentence in (text[span.start : span.end] for span in split_sentences(text)):
            # Not by similarity: "It is significant" and "It is not significant" differ by a word, two cases by a figure.
            words = normalize(sentence)
            if words in said:
                yield f'says twice: "{sentence}"'
            elif len(words) >= MIN_REPEATED_CHARS:
                said.add(words)


def answer_problems(text: str, question: Question, setting: Setting) -> list[str]:
    """Why a final answer cannot be used."""
    return [*_phrase_problems(text, question, setting), *solution_problems(text), *_repeat_problems(text, question)]


def solution_problems(text: str) -> list[str]:
    """Why a text is no answer at all, right or wrong."""
    return [*prose_problems(text), *(["asks instead of answering"] if is_only_questions(text) else [])]


def own_problems(thought: Sequence[str], answer: str, question: Question, setting: Setting) -> list[str]:
    """Why a model's own thought or its answer cannot be used. Checks that depend on our form are left out: a native thought
    may repeat its own lines word for word."""
    problems = [*solution_problems(answer), *_repeat_problems(answer, question)]
    if setting == "closed":
        # In the open setting the text is in view, and the model was not asked to avoid mentioning it.
        problems += [
            f'refers to a source: "{found.phrase}"' for found in source_references(answer, given=question.text)
        ]
    in_thought = prose_problems("\n\n".join(thought))
    return [*(f"the thought: {why}" for why in in_thought), *(f"the answer: {why}" for why in problems)]


def _repeat_problems(text: str, question: Question) -> list[str]:
    return ["only repeats the question"] if fuzz.ratio(question.text, text) >= SAME_TEXT else []


def missing_figure_problems(
    passage: Passage, question: Question, setting: Setting, seen: str, thought: Sequence[str], answer: str | None = None
) -> list[str]:
    """Which figures of a thought (of its answer, if given) only the passage gives, although it is not in view. `seen` is
    what the writer of the thought was shown besides the question. Callers check only a first try: the record lists the
    figures that remain, and exports show the passage with them."""
    if setting == "open":
        return []
    needed = needs_passage(question.text, passage.sample.text, thought, seen=seen)
    if answer is not None:
        needed = needs_passage(question.text, passage.sample.text, thought, answer, seen=seen)[len(needed) :]
    why = "uses figures that the question does not give and that nothing in it leads to"
    return [f"{why}: {', '.join(needed)}; derive them in the open, estimate, or do without"] if needed else []


def _phrase_problems(text: str, question: Question, setting: Setting) -> list[str]:
    """Phrases that refer to what the reader of the question does not have, or show how the text was made, each once. With
    the passage in view a text may refer to it, but not to its figures and tables, nor to its work as the writer's own."""
    given, forbidden = question.text, (PART_OF_DOCUMENT, OWN_WORK)
    references = source_references(text, given=given)
    found = [(Reason.REFERS_TO_SOURCE, each) for each in references if setting == "closed" or each.reason in forbidden]
    found += [(Reason.ARTEFACT, each) for each in artefacts(text, given=given)]
    return list({each.phrase.lower(): phrase_problem(reason, each) for reason, each in found}.values())
