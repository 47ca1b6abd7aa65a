"""Which sentences of a passage are about a claim.

A claim is compared with every sentence by the words that they share, weighted by how rare each is in the passage (inverse
document frequency); words near a cue of direction count twice, since they say what it is that goes up. Among sentences that
share at least LEAST_SHARE of the claim's weight and FEWEST_WORDS words, one that states a direction, when the claim does,
counts FINDING times, one chosen as evidence before CHOSEN times.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from programs.checks.contradiction import Sentence
from programs.checks.numbers import Given
from programs.checks.sentences import Span

LEAST_SHARE = 20.0
"""Per cent of the claim's weight that a quote must share."""

FEWEST_WORDS = 2
FINDING, CHOSEN, NEAR_A_CUE = 3.0, 1.5, 2.0


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence of the passage, by its index, that is about a claim; `rank` orders them, `share` is in per cent."""

    index: int
    share: float
    rank: float


class Source:
    """A passage, prepared to be searched. `spans` are the places of its sentences."""

    def __init__(self, text: str, spans: Sequence[Span]) -> None:
        self.text = text
        self.spans = spans

    @cached_property
    def sentences(self) -> list[Sentence]:
        return [Sentence(self.text[span.start : span.end]) for span in self.spans]

    @cached_property
    def numbers(self) -> Given:
        return Given(self.text)

    @cached_property
    def _rarity(self) -> list[float]:
        """How much a word counts that n of the N sentences have: ln(1 + (N - n + 1/2) / (n + 1/2)), for n from 0 to N."""
        count = len(self.spans)
        return [math.log(1 + (count - having + 0.5) / (having + 0.5)) for having in range(count + 1)]

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for index, sentence in enumerate(self.sentences):
            for word in sentence.content:
                places.setdefault(word, []).append(index)
        return places

    def find(self, claim: Sentence, chosen: Collection[int] = ()) -> list[Found]:
        """The sentences that are about a claim, the best first. `chosen` are indices of sentences taken as evidence."""
        near = claim.near_cues
        shared: dict[int, float] = {}
        common: dict[int, int] = {}
        total = 0.0
        for word in claim.content:
            places = self._places.get(word, ())
            weight = self._rarity[len(places)] * (NEAR_A_CUE if word in near else 1.0)
            total += weight
            for index in places:
                shared[index] = shared.get(index, 0.0) + weight
                common[index] = common.get(index, 0) + 1
        least = total * LEAST_SHARE / 100.0
        found = []
        for index, weight in shared.items():
            if weight < least or common[index] < FEWEST_WORDS:
                continue
            share = 100.0 * weight / total
            rank = share * (CHOSEN if index in chosen else 1.0)
            rank *= FINDING if claim.statements and self.sentences[index].statements else 1.0
            found.append(Found(index, share, rank))
        return sorted(found, key=lambda one: (-one.rank, one.index))
