"""The words of a text, cut to stems, and rules that look for forms of words."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import BaseModel

# Words, numbers, and the signs that end a clause or compare a value. The letters are named: looking each one up in
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
"""Words that say nothing about what a sentence is about."""

_ENDINGS = ("ies", "es", "s", "ing", "ed", "ly")
_ENGLISH = frozenset({"the", "of", "and", "is", "are", "was", "were", "that", "with"})


def tokens(text: str) -> list[str]:
    """The words (in small letters), numbers and separating signs of a text, in order; "isn't" becomes "is", "not"."""
    return _TOKEN.findall(text.lower().replace("’", "'").replace("n't", " not"))


def content(words: Iterable[str]) -> frozenset[str]:
    """The stems of the words that a sentence is about, and its numbers."""
    return frozenset(filter(None, map(_content_stem, words)))


@lru_cache(maxsize=32768)
def _content_stem(word: str) -> str | None:
    if word[-1].isdigit():
        return word.replace(",", "")
    return None if word in GRAMMAR or len(word) == 1 or not word[0].isalpha() else stem(word)


def stem(word: str) -> str:
    """A word in small letters without its inflection: galaxies and galaxy, rotates and rotating come out the same."""
    for ending in _ENDINGS:
        bare = word.removesuffix(ending)
        if bare != word and len(bare) >= 3 and not word.endswith(("ss", "us", "is")):
            return (bare + "y" if ending == "ies" else bare).removesuffix("e") if len(bare) > 3 else bare
    return word.removesuffix("e") if len(word) > 4 else word


def is_english(words: Iterable[str]) -> bool:
    """Whether the tokens of a few sentences or more are English: rules over English words are silent about others."""
    # No other language has three of the commonest English words by chance.
    return len(_ENGLISH.intersection(words)) >= 3


def runs(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """All runs of so many words, by the place of their first."""
    return list(zip(*(words[start:] for start in range(length)), strict=False))


def texts_in(value: Any) -> Iterator[str]:
    """All texts in models, mappings and lists, depth first; a text is its own."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        yield from texts_in(value.model_dump(mode="json"))
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(part)


class Rule(NamedTuple):
    """A pattern, and an expression for what forgives it where that comes first, in the text or in what is given with it
    (nothing does: "(?!)"); `{noun}` in it stands for what the pattern's group of that name matched. Whatever the pattern
    finds holds one of `parts`, in small letters."""

    reason: str
    parts: tuple[str, ...]
    pattern: re.Pattern[str]
    introduced_by: str = r"(?!)"


def table(lines: str, flags: int = 0) -> tuple[Rule, ...]:
    """Rules, one a line: its fields with " | " between them, and commas between its parts."""
    fields = (line.split(" | ") for line in lines.strip("\n").split("\n"))
    return tuple(
        Rule(reason, tuple(parts.split(",")), re.compile(pattern, flags), *forgiven)
        for reason, parts, pattern, *forgiven in fields
    )


def applicable(rules: Iterable[Rule], text: str) -> list[Rule]:
    """The rules of which the text holds a part: no other finds anything, and a pattern takes a hundred times as long."""
    small = text.lower()
    return [each for each in rules if any(map(small.__contains__, each.parts))]
