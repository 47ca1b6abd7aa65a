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
_GRAMMAR = """
    a an the of in on at to for by as or but if so is are was were be been am do does did has had having can may i
    me my we us our you he she it its his her him who how why not no nor own per via vs than and all any both few
    off out up neither either cannot until whether during upon toward towards among against through while whereas
    though although that this these those with from have been were will would could should might must shall their
    there they them then than what which when where while whom whose about into onto over under between because
    therefore also just only very such some each both more most much many less least other another your yours ours
    mine myself does doing done being here even still yet again once ever never always often quite rather really
    simply perhaps maybe possibly probably actually basically honestly obviously certainly definitely clearly indeed
    hmm hmmm wait well okay right hold think thinking thought thoughts know knows guess believe suppose wonder seem
    seems sure unsure doubt uncertain unclear consider considering reconsider check verify evidence suggest suggests
    hypothesis alternative alternatively however interesting interestingly similarly overall together conclusion
    conclude reasoning reason assume assuming assumption step back careful look looks looking like let's i'm i've
    i'll that's it's don't can't isn't doesn't won't there's wrong mistake mistaken correct incorrect scratch redo
    revise first second next finally another thing things something anything everything way ways make makes made
    take takes going come comes gets want need needs true false
"""
GRAMMAR = frozenset(_GRAMMAR.split())
"""Words that do not tell what a sentence is about."""

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
