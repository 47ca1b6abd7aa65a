"""How much a reasoning trace reads like thinking, by rules that a reader can check.

Only *thoughts* count: sentences with at least FEWEST_CONTENT_WORDS distinct content words that do not nearly repeat an
earlier one. Fillers ("hmm", "wait", "maybe actually") are cut out first; they, and sentences without content, are idle.

    score = fullness x (1 - repetition) x (1 - idleness) x sum of weight x component

    patterns     0.30  distinct reasoning patterns beyond 2, full at all 12; each needs a thought that supports it,
                       and a thought supports at most two
    correction   0.20  thoughts that take back an earlier one, full at 2: each says so, shares words with it and
                       adds others
    first person 0.22  share of thoughts with I, my or let me, full at 40 per cent
    hedging      0.12  share of thoughts with a hedge: rising to 10 per cent, full to 55, none again at 100
    anchoring    0.08  share of thoughts with a number or a named quantity, full at 25 per cent
    variety      0.08  type-token ratio averaged over windows of 50 words, 0 at 0.5 and full at 0.75

    fullness    thoughts / 6, at most 1: less cannot show a way of thinking
    repetition  share of content sentences that nearly repeat another, and of 4-grams repeated in the thoughts
    idleness    share of idle words beyond 30 per cent

Every component reads the thoughts alone, and idle words and repeats only lower the factors, so neither filler nor
repetition, wherever it is put, can raise the score. As a guide: well-written thinking scores 0.7 to 0.9, a dry research
text 0.1 to 0.4, filler 0. The score reads words, not truth: fluent nonsense with numbers and doubts scores well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from programs.checks.reasoning_cues import FILLERS, FIRST_PERSON, HEDGE, NAMED_QUANTITY, PATTERNS, STOP, corrects
from programs.checks.repetition import repeated_share

FEWEST_CONTENT_WORDS = 4
NEAR_REPEAT = 0.7
CORRECTION_REACH = 8
WINDOW = 50

_TAG = re.compile(r"</?(?:thought|think)>")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)]*\s+|\n+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")


@dataclass(frozen=True, slots=True)
class _Thought:
    text: str
    words: tuple[str, ...]
    content: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A trace taken apart: its thoughts in order, how many content sentences repeat one, how many words are idle, and
    what was found in the thoughts: patterns, and the indices of corrections."""

    thoughts: tuple[_Thought, ...]
    repeats: int
    idle_words: int
    patterns: tuple[str, ...]
    corrections: tuple[int, ...]


def reasoning_patterns(text: str) -> list[str]:
    """The names of the reasoning patterns in `text`, in the order of `PATTERNS`; a thought supports two at most."""
    return list(_read(text).patterns)


def authenticity_score(text: str) -> float:
    """0 (filler, or nothing) to 1 (thinking), rounded to 2 digits; the module's docstring has the formula."""
    reading = _read(text)
    thoughts = reading.thoughts
    if not thoughts:
        return 0.0
    count = len(thoughts)
    words = [word for thought in thoughts for word in thought.words]
    hedged = sum(HEDGE.search(t.text) is not None for t in thoughts) / count
    personal = sum(FIRST_PERSON.search(t.text) is not None for t in thoughts) / count
    anchored = sum(NAMED_QUANTITY.search(t.text) is not None for t in thoughts) / count
    merit = (
        0.30 * _ramp(len(reading.patterns), 2, 12)
        + 0.20 * _ramp(len(reading.corrections), 0, 2)
        + 0.22 * _ramp(personal, 0, 0.40)
        + 0.12 * min(_ramp(hedged, 0, 0.10), 1 - _ramp(hedged, 0.55, 1))
        + 0.08 * _ramp(anchored, 0, 0.25)
        + 0.08 * _ramp(_variety(words), 0.5, 0.75)
    )
    fresh = (1 - repeated_share(words, 4)) * count / (count + reading.repeats)
    idle = reading.idle_words / (reading.idle_words + len(words))
    return round(min(1.0, count / 6) * fresh * (1 - _ramp(idle, 0.3, 1)) * merit, 2)


def complexity_level(text: str) -> Literal["low", "medium", "high"]:
    """How involved the reasoning is: high from 12 thoughts and 6 patterns, medium from 5 thoughts and 3 patterns."""
    reading = _read(text)
    thoughts, patterns = reading.thoughts, len(reading.patterns)
    if len(thoughts) >= 12 and patterns >= 6:
        return "high"
    return "medium" if len(thoughts) >= 5 and patterns >= 3 else "low"


# The three measures of a text are taken one after another.
@lru_cache(maxsize=8)
def _read(text: str) -> _Reading:
    thoughts: list[_Thought] = []
    repeats = idle = 0
    for sentence in _SENTENCE_END.split(_TAG.sub("\n", text)):
        plain = FILLERS.sub(" ", sentence).strip()
        words = tuple(_WORD.findall(plain.lower()))
        content = frozenset(w for w in words if w not in STOP and (len(w) > 3 or w.isdigit()))
        if len(content) < FEWEST_CONTENT_WORDS:
            idle += len(_WORD.findall(sentence))
        elif any(_overlap(content, earlier.content) >= NEAR_REPEAT for earlier in thoughts):
            repeats += 1
        else:
            idle += len(_WORD.findall(sentence)) - len(words)
            thoughts.append(_Thought(plain, words, content))
    corrections = _corrections(thoughts)
    return _Reading(tuple(thoughts), repeats, idle, _patterns(thoughts, corrections), corrections)


def _overlap(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / min(len(a), len(b))


def _patterns(thoughts: Sequence[_Thought], corrections: tuple[int, ...]) -> tuple[str, ...]:
    """Patterns given to thoughts, the rarest first, two a thought at most."""
    support: dict[str, Sequence[int]] = {
        name: [i for i, thought in enumerate(thoughts) if cue.search(thought.text)] for name, cue in PATTERNS.items()
    }
    support["self_correction"] = corrections
    load = [0] * len(thoughts)
    given = set()
    for name, places in sorted(support.items(), key=lambda item: len(item[1])):
        place = min(places, key=lambda i: load[i], default=None)
        if place is not None and load[place] < 2:
            load[place] += 1
            given.add(name)
    return tuple(name for name in (*PATTERNS, "self_correction") if name in given)


def _corrections(thoughts: Sequence[_Thought]) -> tuple[int, ...]:
    """Indices of thoughts that mend one of the CORRECTION_REACH before them: a claim first, something new after."""
    return tuple(
        i
        for i, thought in enumerate(thoughts)
        if corrects(thought.text)
        and any(
            thought.content & claim.content and len(thought.content - claim.content) >= 2
            for claim in thoughts[max(0, i - CORRECTION_REACH) : i]
        )
    )


def _variety(words: list[str]) -> float:
    """Mean type-token ratio of all windows of WINDOW words (Covington and McFall 2010); a shorter text is one."""
    if len(words) <= WINDOW:
        return len(set(words)) / len(words)
    starts = range(len(words) - WINDOW + 1)
    return sum(len(set(words[i : i + WINDOW])) for i in starts) / (WINDOW * len(starts))


def _ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high`, straight between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
