"""Why a thought or an answer cannot be used, in words that go into the next prompt; nothing wrong: an empty list."""

from collections.abc import Sequence

from rapidfuzz import fuzz

from programs.inputs.passage import Passage
from programs.stages.questions import Question, only_asks
from programs.text.copying import copied_share
from programs.text.needs_passage import needs_passage
from programs.text.phrases import OWN_WORK, PART_OF_DOCUMENT, artefacts, leaning
from programs.text.prose import degeneracy, prose_problems
from signatures.thought import Thought
from signatures.vocabulary import Setting

SAME_TEXT = 95.0
"""Two paragraphs at or above this similarity (rapidfuzz ratio, 0-100) say the same thing."""
MOST_COPIED = 0.3
"""The share of a thought's words that may stand in the passage a dozen in a row. The thoughts of capable writers have none,
also with the passage in view; small models recite it."""
RECITES = "recites the passage word for word; think about its subject in words of your own"
"""The problem of a thought beyond that share."""


def recites(text: str, source: str) -> bool:
    """Whether a text is its source over again."""
    return copied_share(text, source) > MOST_COPIED


def thought_problems(thought: Thought, question: Question, passage: Passage, setting: Setting) -> list[str]:
    """Why a written thought cannot be used."""
    whole, numbered, wrong = "\n\n".join(thought.texts), list(enumerate(thought.texts, start=1)), 0
    problems = [f"paragraph {number}: {why}" for number, text in numbered for why in prose_problems(text)]
    if not problems and (why := degeneracy(whole)):
        problems.append(f"the thought as a whole: {why}")
    for number, text in numbered:
        twin = next((other for other, one in numbered[: number - 1] if fuzz.ratio(one, text) >= SAME_TEXT), None)
        problems += [f"paragraph {number}: says the same as paragraph {twin}"] if twin is not None else []
    if recites(whole, passage.sample.text):
        problems.append(RECITES)
    for number, kind in enumerate(thought.kinds, start=1):
        wrong = number if kind == "wrong" else 0 if kind == "takes_back" else wrong
    # It would be taught as it stands.
    problems += [f"paragraph {wrong}: it is wrong, and no later paragraph takes it back"] if wrong else []
    return [*problems, *_out_of_view(whole, question, setting)]


def answer_problems(text: str, question: Question, setting: Setting) -> list[str]:
    """Why a final answer cannot be used."""
    return [*_out_of_view(text, question, setting), *solution_problems(text), *_repeats(text, question)]


def solution_problems(text: str) -> list[str]:
    """Why a text is no answer at all. Whether it is right is another matter."""
    return [*prose_problems(text), *(["asks instead of answering"] if only_asks(text) else [])]


def own_problems(thought: Sequence[str], answer: str, question: Question, setting: Setting) -> list[str]:
    """Why a model's own thought or its answer cannot be used. Of the checks on written ones, those that do not hang on our
    form: a native thought comes back to what it said, line for line."""
    problems = [*solution_problems(answer), *_repeats(answer, question)]
    if setting == "closed":
        # In the open setting the text is in view, and nobody asked the model not to speak of it.
        problems += [f'leans on a source: "{found.phrase}"' for found in leaning(answer, given=question.text)]
    muddled = prose_problems("\n\n".join(thought))
    return [*(f"the thought: {why}" for why in muddled), *(f"the answer: {why}" for why in problems)]


def _repeats(text: str, question: Question) -> list[str]:
    return ["only repeats the question"] if fuzz.ratio(question.text, text) >= SAME_TEXT else []


def not_at_hand(
    passage: Passage, question: Question, setting: Setting, seen: str, thought: Sequence[str], answer: str | None = None
) -> list[str]:
    """Which figures of a thought that was shown `seen`, or of the answer to it, only the passage gives, where it is not at
    hand.

    What is listed so once is taken the second time: the record names such figures, and an export shows the passage.
    """
    if setting == "open":
        return []
    needed = needs_passage(question.text, passage.sample.text, thought, seen=seen)
    if answer is not None:
        needed = needs_passage(question.text, passage.sample.text, thought, answer, seen=seen)[len(needed) :]
    why = "uses figures that the question does not give and that nothing in it leads to"
    return [f"{why}: {', '.join(needed)}; derive them in the open, estimate, or do without"] if needed else []


def _out_of_view(text: str, question: Question, setting: Setting) -> list[str]:
    """What a text speaks of that whoever reads the question does not have; each phrase once. With the passage in view that
    is no more than its figures and tables, and work as one's own."""
    given, unseen = question.text, (PART_OF_DOCUMENT, OWN_WORK)
    leans = leaning(text, given=given)
    found = [("leans on its source", each) for each in leans if setting == "closed" or each.reason in unseen]
    found += [("shows how it was made", each) for each in artefacts(text, given=given)]
    return list({each.phrase.lower(): f'{what}: "{each.phrase}" ({each.reason})' for what, each in found}.values())
