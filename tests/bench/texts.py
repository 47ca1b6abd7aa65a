"""Texts for benchmarks, as long as real ones: any number of different passages, and a thought."""

import json
from functools import cache
from pathlib import Path

from programs.inputs.sources import DEFAULT_INPUT
from tests.bench.process import ROOT

MIN_CHARACTERS, MAX_CHARACTERS = 900, 6_000
"""Characters of a passage of a paper."""


@cache
def _sample() -> tuple[str, ...]:
    lines = (ROOT / DEFAULT_INPUT).read_text(encoding="utf-8").splitlines()
    return tuple(str(json.loads(line)["text"]) for line in lines)


def text_of(number: int, characters: int | None = None) -> str:
    """The text with this number: sample passages after a first sentence of its own, truncated to `characters`, or else to a
    length between `MIN_CHARACTERS` and `MAX_CHARACTERS`."""
    size = characters or MIN_CHARACTERS + number * 367 % (MAX_CHARACTERS - MIN_CHARACTERS)
    texts, text = _sample(), f"What follows is about survey field {number}."
    while len(text) < size:
        number += 1
        text += f" {texts[number % len(texts)]}"
    return f"{text[: size - 1].rstrip(' .')}."


def write_texts(path: Path, count: int, characters: int | None = None) -> Path:
    """Writes `count` texts to a JSONL file."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            line = {"text": text_of(number, characters), "title": f"Field {number}", "domain": "Astronomy"}
            file.write(f"{json.dumps(line)}\n")
    return path


_THOUGHT = """\
tries: Case 00000000, then. Suppose nothing at all is going on and the whole pattern is bookkeeping. Which step of the
bookkeeping could make it? The weights come to mind first, since whoever made them wanted bright things to count for
more, and bright things sit where there is a lot of everything else.

recalls: A selection by brightness always drags along whatever brightness goes with. That is the old trouble of samples
with a limit: near the limit only the flattering half of the scatter gets in, and the further out one looks the worse
it becomes, so a trend with distance appears for free.

doubts: Hmm, but a trend with distance is not a trend with surroundings. To turn one into the other the crowded places
would have to lie at other distances than the empty ones. They might, in a narrow field with one big structure in it;
over a wide piece of sky that should wash out.

checks: Look at it from the other end. If crowding really did it, then moving the border between crowded and empty a
little must not matter much, whereas an artefact of the limit would jump as soon as the border crosses the place where
the catalogue runs thin. So the thing to try is the border, not the weights.

considers: There is also dust, always dust. More of it in one kind of place would dim half of the sample and pass for a
difference in the stars. Colours would give it away, because dust reddens while a lack of young stars reddens in
another proportion. With two bands alone the two look the same, which is a nuisance.

tries: Take the extreme then: all of the difference is dust. Then the places with more of it should be dimmer in the
blue by far more than in the red, and the ratio is known from nearby clouds. If the dimming is about alike in both,
dust can have at most a small share, whatever its exact law may be.

wonders: What I cannot get rid of is the direction of it. Do crowded places make galaxies bright, or do bright ones
gather? A snapshot does not say. Something with a clock would, ages perhaps, or how far the gas has been stripped, and
neither of these is to be had from positions and magnitudes.

settles: So I would hold on to the link and let go of the arrow. It survives a shift of the border, dust covers a small
part, and the limit covers the far end. How much is left after all three are taken off together nobody can say before
it is done on mock skies with the same holes in them.
"""

QUESTION = {
    "audience": "survey scientist",
    "question": "I compare the measured data of galaxies with a model of their mass, and the scatter between observations "
    "is larger than expected for the sample. By how much can that change the result for the survey, and what would one "
    "have to know to tell?",
    "difficulty": "advanced",
}
"""A question about any of the texts: each names a part of it."""

_PARAGRAPHS = [paragraph.replace("\n", " ").strip().partition(": ") for paragraph in _THOUGHT.split("\n\n")]
LONG_THOUGHT = {"paragraphs": [{"kind": kind, "text": text} for kind, _, text in _PARAGRAPHS]}
"""A thought of about 400 words, as the stage gives it; its number gets replaced."""
