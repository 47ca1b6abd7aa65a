"""Splits a text into words and stems, and applies rules that search it for phrases."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import BaseModel

# Words, numbers, and the signs that end a clause or compare values. The letters are listed, since looking each one up in
# Unicode's tables takes twice as long.
_LETTER = "[a-zµß-ɏͰ-ӿ]"
_TOKEN = re.compile(rf"{_LETTER}+(?:'{_LETTER}+)?|\d+(?:[.,]\d+)*|\.\d+|[;:,()\[\].!?=<>≤≥—]|[-–](?=\s)")
_EMPTY_WORDS = """
    a an the of in on at to for from by with as and or but if so is are was were be been being am do does did doing
    has have had having can could may might will would shall should must ca wo it its they them their there this
    that these those we us our you your i me my he she his her him what which who whom whose why how then than into
    onto upon about between among within also just only very such any some many each both own not no never nor
    neither none without cannot whether however therefore per via even still yet make makes made take takes given
    want need think know seem seems consider explain describe discuss tell say please briefly detail exactly
    precisely actually really reason reasons way ways happen happens occur occurs kind kinds sort much role play
    plays important importance significant significance understand understanding suggest suggests evidence
    conclusion conclude likely
"""
_VAGUE_WORDS = """
    all few during until over through while again because although though more most less least other another either
    else first second next finally back up off out under against toward towards vs when where whereas here there's
    that's it's i'm i've i'll let's like often once ever always together well right wrong true false correct
    incorrect mistake mistaken sure unsure doubt unclear uncertain quite rather simply basically clearly certainly
    definitely obviously indeed honestly overall similarly maybe perhaps possibly probably interesting interestingly
    alternative alternatively hypothesis assume assuming assumption suppose guess believe wonder check verify look
    looks looking come comes going gets hold wait okay hmm hmmm step thing things something anything everything
    thinking thought thoughts reasoning knows needs considering reconsider redo revise scratch careful done mine
    myself ours yours
"""
EMPTY_WORDS = frozenset(_EMPTY_WORDS.split())
"""Words that tell neither what a sentence is about nor one question from another."""
GRAMMAR = EMPTY_WORDS | frozenset(_VAGUE_WORDS.split())
"""Words that do not tell what a sentence is about; some, such as "few" and "first", tell one question from another."""

_ENDINGS = ("ies", "es", "s", "ing", "ed", "ly")
_COMMON_ENGLISH_WORDS = frozenset({"the", "of", "and", "is", "are", "was", "were", "that", "with"})


def tokens(text: str) -> list[str]:
    """The lower-case words, the numbers and the separating signs of a text, in order; "isn't" becomes "is", "not"."""
    return _TOKEN.findall(text.lower().replace("’", "'").replace("n't", " not"))


def content_stems(words: Iterable[str]) -> frozenset[str]:
    """The stems of the words that tell what a sentence is about, and its numbers."""
    return frozenset(filter(None, map(_content_stem, words)))


@lru_cache(maxsize=32768)
def _content_stem(word: str) -> str | None:
    if word[-1].isdigit():
        return word.replace(",", "")
    return None if word in GRAMMAR or len(word) == 1 or not word[0].isalpha() else stem(word)


def stem(word: str) -> str:
    """A lower-case word without its inflection: galaxies and galaxy, rotates and rotating have the same stem."""
    for ending in _ENDINGS:
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 3 and not word.endswith(("ss", "us", "is")):
            return (rest + "y" if ending == "ies" else rest).removesuffix("e") if len(rest) > 3 else rest
    return word.removesuffix("e") if len(word) > 4 else word


def is_english(words: Iterable[str]) -> bool:
    """Whether the tokens of at least a few sentences are English. Rules over English words do not apply to other texts."""
    # A text in another language does not have three of the commonest English words by chance.
    return len(_COMMON_ENGLISH_WORDS.intersection(words)) >= 3


def ngrams(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """All runs of `length` consecutive words, in order."""
    return list(zip(*(words[start:] for start in range(length)), strict=False))


def texts_in(value: Any) -> Iterator[str]:
    """All strings in models, mappings and lists, depth first; a string yields itself."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        yield from texts_in(value.model_dump(mode="json"))
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(part)


class Rule(NamedTuple):
    """A pattern to search for. A match is forgiven if the expression `introduced_by` matches before it, in the text or in
    what is given with it ("(?!)" never does); `{noun}` there stands for the text of the pattern's group of that name. Every
    match contains one of `parts`, in lower case."""

    reason: str
    parts: tuple[str, ...]
    pattern: re.Pattern[str]
    introduced_by: str = r"(?!)"


def parse_rules(lines: str, flags: int = 0) -> tuple[Rule, ...]:
    """Parses rules, one per line: fields separated by " | ", and `parts` by bars without spaces."""
    fields = (line.split(" | ") for line in lines.strip("\n").split("\n"))
    return tuple(
        Rule(reason, tuple(parts.split("|")), re.compile(pattern, flags), *forgiven)
        for reason, parts, pattern, *forgiven in fields
    )


def applicable_rules(rules: Iterable[Rule], text: str) -> list[Rule]:
    """The rules with a part that is in the text. No other rule can match, and a pattern takes a hundred times as long."""
    lowered = text.lower()
    return [rule for rule in rules if any(map(lowered.__contains__, rule.parts))]
