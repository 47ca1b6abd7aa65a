"""Which sentence of the passage carries a step of a thought, and what rules alone can say about that.

A step is cut into sentences, its claims. The sentence of the passage that shares the most with a claim
(`programs.checks.passage_search`) is its quote. Then, the strictest first:

    supported       the claim is the sentence word for word (`programs.checks.evidence.locate`), or nearly, with the same
                    words of sense in the same order (`programs.checks.same_words`); or it is part of the sentence, and
                    the rest neither denies nor supposes
    contradicted    the claim stands in no sentence, or in a clause that denies it, and the best or the second sentence
                    contradicts it (`programs.checks.contradiction`)
    None            the sentence is about the same; whether it carries the claim, only a reader can tell

A step gets the quote of one claim: a contradicted one, or else a supported one, or else that with the largest share. Its
status is of the whole step: contradicted if one claim is, supported only if every sentence of it is that claims something.
A question, a sentence of fewer than FEWEST_WORDS words of content, and what one tells oneself to do ("let me see") claim
nothing; a supposition can be neither contradicted nor supported. Whether something can be inferred, or comes from outside,
no rule says.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

from programs.checks.contradiction import Sentence, contradiction
from programs.checks.direction_words import BREAKS, NEGATORS, OPEN
from programs.checks.evidence import locate
from programs.checks.numbers import unfound
from programs.checks.passage_search import FEWEST_WORDS, Found, Source
from programs.checks.same_words import same_words
from programs.checks.words import tokens

NEARLY_VERBATIM = 80.0
"""Per cent of the claim's weight from which on it is looked for word for word."""

LOOKED_AT = 2
"""How many of the best sentences may contradict a claim."""

Status = Literal["supported", "inferred", "outside", "contradicted"]
Method = Literal["exact", "normalised", "fuzzy", "words", "model"]

_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\bvs\.)(?<!\bal\.)(?<!\bcf\.)(?<!\b[Ff]ig\.)(?<!\b[Ee]q\.)[\"'”’)]*\s+(?=[^a-z\s])"
)
# What follows a comma or "that" claims something again: "Let me see, it grows".
_TO_ONESELF = re.compile(
    r"(?:(?:so|but|now|well|okay|ok|wait|hmm)[,.]?\s+){0,2}let(?:\s+(?:me|us)\b|['’]s\b)(?:(?!\bthat\b)[^,;:—–])*",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[“\"]([^“”\"]{12,400})[”\"]")


@dataclass(frozen=True, slots=True)
class StepEvidence:
    """What carries a step. `passage[start:end]` is the quote; all four are None where no sentence is about it.

    `claim` is the sentence of the step that the quote belongs to, `similarity` 0 to 100: the Indel ratio of a match by
    text, or the share of the claim's weight of one by words. `status` and `unfound_numbers` (they stand nowhere in the
    passage) are of the whole step. `conflict` says why the rules find a contradiction.
    """

    claim: str | None = None
    start: int | None = None
    end: int | None = None
    method: Method | None = None
    similarity: float | None = None
    status: Status | None = None
    conflict: str | None = None
    unfound_numbers: Sequence[str] = ()


_NOTHING = StepEvidence()


def step_evidence(step: str, source: Source, chosen: Collection[int] = ()) -> StepEvidence:
    """What the rules find for one step."""
    found = [(claim, _claim_evidence(claim, source, chosen)) for claim in claims(step)]
    best = max((evidence for _, evidence in found), key=_weight, default=_NOTHING)
    if best.status == "supported" and any(one.status is None and _says_something(claim) for claim, one in found):
        best = replace(best, status=None)
    missing = unfound(step, lambda: source.numbers)
    return replace(best, unfound_numbers=missing) if missing else best


def claims(step: str) -> Iterator[str]:
    """The sentences of a step, those that ask left out."""
    for sentence in _SENTENCE_END.split(step):
        if sentence.strip() and not sentence.rstrip("\"'”’) ").endswith("?"):
            yield sentence.strip()


def _says_something(sentence: str) -> bool:
    return _TO_ONESELF.fullmatch(sentence) is None and len(Sentence(sentence).content) >= FEWEST_WORDS


def _claim_evidence(text: str, source: Source, chosen: Collection[int]) -> StepEvidence:
    claim = Sentence(text)
    found = source.find(claim, chosen)
    if not found:
        return _NOTHING
    # What the passage says word for word it does not contradict, whatever else it says in like words of something else.
    standing = _standing(claim, text, source, found)
    if standing is not None and (standing.status == "supported" or _stands_undenied(text, source, standing)):
        return standing
    for one in found[:LOOKED_AT]:
        conflict = contradiction(claim, source.sentences[one.index])
        if conflict is not None:
            return _quoting(text, source, one, "contradicted", conflict)
    return standing or _quoted_in(text, source, found) or _quoting(text, source, found[0])


def _standing(claim: Sentence, text: str, source: Source, found: Sequence[Found]) -> StepEvidence | None:
    """Where the whole claim stands, supported if the passage asserts it there; None: nowhere."""
    places = [place for one in found if one.share >= NEARLY_VERBATIM and (place := _place(text, text, source, one))]
    for place in places:
        if not claim.open and _says_it(text, source, place) and _asserts(source, place):
            return replace(place, status="supported")
    return places[0] if places else None


def _quoted_in(text: str, source: Source, found: Sequence[Found]) -> StepEvidence | None:
    """Where what a claim puts in quotation marks stands; that is not yet the claim."""
    places = (_place(text, quoted, source, one) for quoted in _QUOTED.findall(text) for one in found[:LOOKED_AT])
    return next(filter(None, places), None)


def _place(claim: str, wanted: str, source: Source, one: Found) -> StepEvidence | None:
    span = source.spans[one.index]
    match = locate(wanted, source.text[span.start : span.end])
    if match is None:
        return None
    return StepEvidence(claim, span.start + match.start, span.start + match.end, match.method, match.similarity)


def _stands_undenied(text: str, source: Source, place: StepEvidence) -> bool:
    """Whether the words at this place are the claim's, in a clause that does not deny them."""
    return _says_it(text, source, place) and not _denied(source, place)


def _says_it(text: str, source: Source, place: StepEvidence) -> bool:
    """Whether the words at this place are the claim's."""
    return place.method != "fuzzy" or same_words(text, source.text[place.start : place.end])


def _asserts(source: Source, place: StepEvidence) -> bool:
    """Whether the rest of the sentence neither denies nor supposes."""
    before, after = _around(source, place)
    return (NEGATORS | OPEN).isdisjoint([*before, *after])


def _denied(source: Source, place: StepEvidence) -> bool:
    """Whether a negator stands in the same clause: "no evidence that ...", but not "..., whereas it cannot be zero"."""
    before, after = _around(source, place)
    clause = [*takewhile(_goes_on, reversed(before)), *takewhile(_goes_on, after)]
    return not NEGATORS.isdisjoint(clause)


def _goes_on(token: str) -> bool:
    return token not in ",.:" and token not in BREAKS


def _around(source: Source, place: StepEvidence) -> tuple[list[str], list[str]]:
    """The words of the sentence before and after a place in it."""
    assert place.start is not None
    assert place.end is not None
    [span] = [span for span in source.spans if span.start <= place.start < span.end]
    return tokens(source.text[span.start : place.start]), tokens(source.text[place.end : span.end])


def _quoting(
    text: str, source: Source, one: Found, status: Status | None = None, conflict: str | None = None
) -> StepEvidence:
    span = source.spans[one.index]
    return StepEvidence(text, span.start, span.end, "words", round(one.share, 1), status, conflict)


def _weight(found: StepEvidence) -> tuple[int, int, float]:
    standing = {"contradicted": 2, "supported": 1}.get(found.status or "", 0)
    return standing, found.method in ("exact", "normalised", "fuzzy"), found.similarity or 0.0
