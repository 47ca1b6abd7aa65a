"""A wrong step made from a misconception, and whether a thought really takes it, takes it back, and leaves it behind.

    made       what introduces a misconception ("assuming that", "one might think that") is cut off, and so is what sets it
               right (", when in fact"). Four forms of doing wrong become statements: confusing A with B, treating A as B,
               ignoring A, failing to do A. What is then no statement of its own (another -ing form, fewer than
               FEWEST_STEMS content stems) is not used, nor is what a sentence of the passage says.
    carried    share of the step's content stems that a text has
    taken      a text has CARRIED of the step's stems, and a clause with so many does not deny it
    taken back a paragraph says so in words (`corrects`, or TAKES_BACK here), shares a content stem with the
               step, and has two that the step does not have
    repeated   a sentence of the answer has REPEATED of the step's stems, all of its words of direction, as many negators,
               no word of distance (DISTANCE), and does not contradict it (`programs.checks.contradiction`)

What says that something is not wrong ("that is not wrong", "it is no myth that") counts as saying it; what stands after
"unlike" or "rather than" is not said.

Stems, not meanings, are compared: a step retold in quite other words is not found, and asked for again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from programs.checks.contradiction import Sentence, contradiction
from programs.checks.direction_words import CUES, OPPOSITES
from programs.checks.sentences import split
from programs.checks.words import content, tokens

CARRIED = 0.5
REPEATED = 0.8
STATED = 0.8
"""From this share of a step's stems on, a sentence of the passage says the same, unless it contradicts it."""

FEWEST_STEMS = 3
NEW_STEMS = 2

_THINK = r"(?:think|assume|believe|suppose|conclude|infer|expect|say|claim|imagine|guess|argue|take it)"
_WHOEVER = r"(?:[\w-]+ ){1,4}?"
_LEAD = re.compile(
    r"(?:(?:a |the )?(?:common |usual |likely |plausible |typical )?"
    r"(?:idea|belief|assumption|notion|misconception|view|claim|mistake|error)s?(?: here)?(?: is|:)?(?: to)?"
    rf"(?: {_THINK})?(?: that)?|that"
    r"|(?:assum|believ|think|suppos|conclud|inferr|expect|claim|imagin|argu|say)ing(?: that)?"
    rf"|{_WHOEVER}(?:might|may|could|would|can|often|will|tend to)(?: \w+ly)? {_THINK}(?: that)?"
    rf"|it (?:is|seems|may be|might be) (?:tempting|natural|easy|obvious) to {_THINK}(?: that)?)[\s,:]+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[,;]\s*|\s+)(?:when in (?:fact|reality)|when it (?:is|was|does) (?:actually|really)"
    r"|but (?:in fact|actually|really)|whereas|in fact|which is (?:wrong|not|false|incorrect)|rather than)\b.*"
    r"|[,;] (?:but|however|although|while|when)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_GIVES_AWAY = re.compile(r"\b(?:wrongly|mistakenly|incorrectly|erroneously|falsely|naively)\s+", re.IGNORECASE)
_FORMS = (
    (r"(?:confusing|mixing up|conflating|equating|confounding) (.+?) (?:with|to) (.+)", r"\1 is the same as \2"),
    (r"(?:confusing|mixing up|conflating|equating|confounding) (.+? and .+)", r"\1 are the same"),
    (r"(?:treating|taking|interpreting|reading|regarding|viewing) (.+?) (?:as|for) (.+)", r"\1 can be taken as \2"),
    (r"(?:ignoring|neglecting|overlooking|forgetting|disregarding) (.+)", r"it makes no difference to leave out \1"),
    (r"(?:failing to|not) account(?:ing)? for (.+)", r"it makes no difference to leave out \1"),
)
_NO_STATEMENT = re.compile(r"(?:[a-z]+ing|to [a-z]+|whether|how|why|what|not [a-z]+ing)\b", re.IGNORECASE)


def _cue(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?:{a})" for a in alternatives), re.IGNORECASE)


_WRONG = (
    r"(?:wrong|mistaken|incorrect|false|untenable|refuted|disproved|(?:an? )?(?:error|mistake|myth|misconception)"
    r"|backwards?|too (?:quick|simple|strong|hasty))\b"
)
_SAY = r"(?:think|say|believe|claim|mean|suppose|suggest|find|see why|conclude)"
# What says that something is not wrong has the words of a correction, and is none.
_AFFIRMED = _cue(
    r"(?:\b(?:not|never|hardly|no|nor|neither|cannot)|n['’]t) "
    rf"(?:(?:an?|the|at all|quite|entirely|really|simply|so|that|far|was|is|am|were|be|been|I|it|this|my) ){{0,3}}{_WRONG}",
    rf"(?:\b(?:not|never|nobody|no one|cannot)|n['’]t) (?:\w+ )?{_SAY}s?\b[^.;:!?]{{0,80}}?\b{_WRONG}",
    rf"\b{_WRONG} to {_SAY}\b[^.;:!?]{{0,80}}?\b{_WRONG}",
    rf"\b{_WRONG} to (?:doubt|reject|drop|deny|dismiss|question|discard|withdraw|abandon|give up)",
    r"\b(?:no|without|beyond|not in)(?: any)? doubt\b|(?:\bnot|\bcannot|n['’]t) be (?:denied|doubted|disputed|refuted)\b",
    r"\bactually (?:confirm|support|agree)",
)

# What takes a claim back; whatever was claimed before.
_CORRECTION = _cue(
    r"\b(?:that|this|it)(?:['’]s| is| was) "
    r"(?:\w+ )?(?:wrong|not right|incorrect|mistaken|too (?:quick|simple|strong|hasty)|backwards?)",
    r"\b(?:that|this|it)(?: isn['’]t| is not| wasn['’]t| was not| can['’]t be| cannot be| does ?n[o'’]t seem) "
    r"(?:\w+ )?right\b",
    r"\bI (?:do not|don['’]t) (?:think|believe) (?:\w+ ){1,5}?(?:right|correct|true|holds?)\b",
    r"\bI (?:was|am|have been|may have been|had been) (?:\w+ )?"
    r"(?:wrong|mistaken|assuming|treating|conflating|confusing|mixing|too quick|too hasty|overlooking|"
    r"forgetting|reading)",
    r"\bI(?:['’]ve| have| had| just)? ?(?:\w+ )?"
    r"(?:misread|mis-read|conflated|confused|overlooked|forgot|forgotten|overstated|misremembered|mixed up|"
    r"jumped|slipped)",
    r"\b(?:my|the) (?:first|initial|earlier|original) (?:\w+ )?(?:thought|guess|claim|reading|instinct|"
    r"assumption|reaction|"
    r"estimate|statement|inference|reasoning|idea|conclusion)\b.{0,80}?"
    r"\b(?:wrong|not|fails?|ignore[sd]?|missed|overlook(?:s|ed)|mistake|too|doesn['’]t|does not|but|needs?|"
    r"breaks?)\b",
    r"\b(?:scratch that|let me (?:correct|redo|revise|retract|back up|take that back|fix)|I (?:need|have|should|"
    r"must|want) "
    r"(?:to )?(?:correct|redo|revise|retract|withdraw|take back|walk back))",
    r"\b(?:I said|I assumed|I took|I treated|I claimed|I argued|I wrote|I concluded|I thought)\b.{0,100}?"
    r"\b(?:but|wrong|however|yet|actually|not|which is)\b",
    r"\b(?:so|then) I (?:should|can|must) not (?:say|claim|conclude)\b",
)


def without_affirmations(text: str) -> str:
    """The text with "sound" for every phrase that says of something that it is not wrong, or not to be doubted."""
    return _AFFIRMED.sub("sound", text)


def corrects(text: str) -> bool:
    """Whether a text has words that take a claim back."""
    return _CORRECTION.search(without_affirmations(text)) is not None


TAKES_BACK = re.compile(
    r"\b(?:that|this|the|my)(?: [\w-]+){1,6}? (?:was|is|were|turns? out(?: to be)?) (?:\w+ ){0,2}"
    r"(?:wrong|mistaken|incorrect|false|untenable|an error|a mistake|not right|too (?:simple|quick|strong|hasty))\b"
    r"|\b(?:does not|doesn['’]t|cannot|can['’]t|did not|didn['’]t|will not|won['’]t) (?:\w+ )?"
    r"(?:hold|stand|be right|be true|be the case|follow|survive)\b"
    r"|\b(?:has to go|(?:must|has to|have to) (?:drop|give up|discard|abandon))\b"
    r"|\b(?:must|has to|have to) be (?:dropped|given up|discarded|abandoned|taken back)\b"
    r"|\bI (?:now )?(?:drop|give up|discard|abandon|withdraw|reject|take back|take (?:it|that|this) back)\b",
    re.IGNORECASE,
)
_TURNING = content(sorted(CUES.union(*OPPOSITES)))
_DENIAL = re.compile(
    r"\b(?:not?|never|nor|neither|none|nobody|without|cannot|fails?|failed|lacks?|hardly|scarcely|barely)\b|n['’]t\b",
    re.IGNORECASE,
)
DISTANCE = re.compile(
    r"\b(?:tempting|tempted|wrong|mistake|mistaken|misconception|misleading|incorrect|false|myth"
    r"|refute[sd]?|untenable|disproved|disproven|contradicted by|ruled out|at odds with"
    r"|at first (?:sight|glance)|might (?:think|seem|suggest|expect)|may seem|one could think|seems to)\b",
    re.IGNORECASE,
)
_CONTRAST = re.compile(r",?\s*\b(?:unlike|rather than|instead of|far from)\b[^,.;:]*", re.IGNORECASE)
_CLAUSE = re.compile(r"[,.;:!?—–]+\s|\s(?:and|but)\s")


def wrong_step_of(misconception: str) -> str | None:
    """The misconception as a plain statement, or None where it can be made none by the rules above."""
    text = " ".join(misconception.split()).rstrip(" .!;,")
    text = _TAIL.sub("", _GIVES_AWAY.sub("", text)).rstrip(" .!;,")
    while (lead := _LEAD.match(text)) is not None:
        text = text[lead.end() :]
    for pattern, statement in _FORMS:
        found = re.fullmatch(pattern, text, re.IGNORECASE)
        if found is not None:
            text = found.expand(statement)
            break
    if _NO_STATEMENT.match(text) or len(stems(text)) < FEWEST_STEMS:
        return None
    return f"{text[:1].upper()}{text[1:]}."


def is_stated(step: str, passage: str) -> bool:
    """Whether a sentence of the passage says the step: it is then no wrong one."""
    return any(
        carried(step, sentence) >= STATED and _alike(step, sentence)
        for sentence in (passage[span.start : span.end] for span in split(passage))
    )


def stems(text: str) -> frozenset[str]:
    """The content stems of a text."""
    return content(tokens(text))


def carried(step: str, text: str) -> float:
    """The share, 0 to 1, of the step's content stems that the text has."""
    wanted = stems(step)
    return len(wanted & stems(text)) / len(wanted) if wanted else 0.0


def taken(step: str, paragraph: str) -> bool:
    """Whether a paragraph takes the step, and does not deny it where it says it."""
    saying = [clause for clause in _CLAUSE.split(without_affirmations(paragraph)) if carried(step, clause) >= CARRIED]
    return carried(step, paragraph) >= CARRIED and (not saying or any(not _differ(step, clause) for clause in saying))


def takes_back(step: str, paragraph: str) -> bool:
    """Whether a paragraph takes the step back and puts something in its place."""
    said = TAKES_BACK.search(without_affirmations(paragraph)) is not None or corrects(paragraph)
    own, of_step = stems(paragraph), stems(step)
    return said and bool(own & of_step) and len(own - of_step) >= NEW_STEMS


def repeated(step: str, answer: str) -> str | None:
    """The first sentence of an answer that says the step again, or None."""
    sentences: Sequence[str] = [answer[span.start : span.end] for span in split(answer)]
    for sentence in sentences:
        said = _CONTRAST.sub("", without_affirmations(sentence))
        if carried(step, said) >= REPEATED and DISTANCE.search(said) is None and _alike(step, said):
            return sentence
    return None


def _alike(step: str, sentence: str) -> bool:
    """Whether both say it, or both deny it."""
    return not stems(step) & _TURNING - stems(sentence) and not _differ(step, sentence)


def _differ(step: str, sentence: str) -> bool:
    """Whether one denies what the other says."""
    denials = [len(_DENIAL.findall(text)) for text in (step, sentence)]
    return denials[0] != denials[1] or contradiction(Sentence(step), Sentence(sentence)) is not None
